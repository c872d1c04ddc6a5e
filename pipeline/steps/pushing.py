"""Gauges are about the newest night, retraining or probation: who runs an old one again leaves them alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from pipeline.config import Settings
from pipeline.config.monitor_files import load_all
from pipeline.steps.contain import attempt
from pipeline.storage.run_store import RunStore

GROUP = "gauges"


def push_newest(
    store: RunStore, place: str, day: date, known: Callable[[], Iterable[date]], push: Callable[[], None]
) -> str:
    """Push what is about a date, unless there is a later one; says which.

    One process at a time: else an older one that asked first could push last.

    Args:
        store: where the lease lies.
        place: the monitor, or its retrainings.
        day: of what is pushed.
        known: the dates that are published.
        push: sends the gauges.

    Raises:
        StoreBusy: another process was still at it.
        OutletUnavailable, OutletRefused: as `push` does, or the run store does not answer.
    """
    with store.alone_outlet(place, GROUP):
        newest = max(known(), default=day)
        if newest > day:
            return f"not pushed, as {newest} is newer"
        push()
    return "pushed"


def fleet_gauges(settings: Settings) -> bytes | None:
    """The gauges of all monitors, which a night pushes beside its own; None where no monitor file can be listed."""
    from pipeline.publish.gauges import fleet

    def found() -> bytes:
        known = load_all(settings)
        return fleet.exposition(known.monitors, len(known.errors), settings.environment, datetime.now(UTC))

    return attempt("gauges of all monitors", found, lambda _: None)
