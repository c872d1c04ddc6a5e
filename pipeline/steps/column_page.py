"""The page of a monitor's columns over its nights: read what nights keep of them, write it where it differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from pipeline.log_context import Pool
from pipeline.results import DriftResult, NightProfile
from pipeline.steps.contain import Mishaps
from pipeline.steps.night import Workspace

if TYPE_CHECKING:
    from pipeline.publish.facts.history import PastNight

_READERS = 16  # nights that are read side by side, and are in memory at once: an S3 store answers one at a time slowly


def write_columns(workspace: Workspace, nights: Sequence[PastNight], mishaps: Mishaps) -> None:
    """Write the page, or one that says why it could not be made.

    Args:
        workspace: the monitor.
        nights: its published nights, oldest first.
        mishaps: is told of a page that cannot be made.
    """
    from pipeline.publish.pages import stand_in

    title = f"{workspace.name}, columns over time"
    page = mishaps.attempt(title, lambda: _page(workspace, nights))
    workspace.store.write_page(f"{workspace.name}/columns.html", page or stand_in(title, mishaps.failures[-1:]))


def _page(workspace: Workspace, nights: Sequence[PastNight]) -> bytes:
    from pipeline.publish.pages import columns_page, shown_nights

    days = shown_nights(nights)
    drift = workspace.on(days[0]).read(DriftResult) if days else None
    columns = () if drift is None else drift.columns
    importances = {item.name: item.importance for item in columns if item.importance is not None}
    return columns_page(
        workspace.monitor, nights, _profiles(workspace, days), importances, workspace.settings.environment
    )


def _profiles(workspace: Workspace, days: Sequence[date]) -> Iterator[tuple[date, NightProfile]]:
    """What nights kept of their columns, in the order of the days; nights of earlier versions kept nothing."""

    def read(day: date) -> NightProfile | None:
        return workspace.on(day).read(NightProfile)

    with Pool(_READERS) as readers:
        for first in range(0, len(days), _READERS):
            some = days[first : first + _READERS]
            found = zip(some, readers.map(read, some), strict=True)
            yield from ((day, profile) for day, profile in found if profile is not None)
