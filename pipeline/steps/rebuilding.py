"""Makes every published page again from the results in the run store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config import Settings
from pipeline.config import monitor_files as monitors
from pipeline.errors import ExitCode, NightIncomplete
from pipeline.retrain.progress import Progress
from pipeline.steps import reports
from pipeline.steps.column_page import write_columns
from pipeline.steps.contain import Mishaps
from pipeline.steps.incident_pages import write_all_incidents
from pipeline.steps.night import Workspace
from pipeline.steps.pages import known_of, page_files, write_fleet, write_monitor
from pipeline.steps.remembering import remember, remember_retrainings
from pipeline.steps.views import published_view
from pipeline.storage.patience import wait_at_most
from pipeline.storage.run_store import RunStore
from pipeline.wording import count

if TYPE_CHECKING:
    from pipeline.publish.facts.history import PastNight
    from pipeline.publish.facts.night import NightView


def rebuild(settings: Settings, progress: Progress) -> None:
    """Write every page again from the results in the run store; what has not changed is left alone.

    Raises:
        NightIncomplete: a page of columns could not be made; raised after all others were written.
    """
    wait_at_most(settings.outlet_seconds)
    store, mishaps = RunStore(settings.store), Mishaps()
    for monitor in monitors.load_all(settings).monitors:
        workspace = Workspace(monitor, settings, store)
        shown = rebuild_monitor(workspace, mishaps)
        progress(f"{monitor.name}: {count(shown)} of {count(len(workspace.nights()), 'night')}")
    write_fleet(store, settings)
    require_whole(mishaps)


def rebuild_monitor(workspace: Workspace, mishaps: Mishaps) -> int:
    """Write every page of a monitor again; the number of nights that they show."""
    with workspace.store.alone(workspace.name):
        _rebuild_retrainings(workspace)
        nights = _rebuild_nights(workspace)
        write_monitor(workspace, nights)
        write_columns(workspace, nights, mishaps)
        write_all_incidents(workspace, known_of(workspace, nights))
        remember(workspace, nights)
    return len(nights)


def require_whole(mishaps: Mishaps) -> None:
    """End with what broke.

    Raises:
        NightIncomplete: a page could not be made.
    """
    if mishaps.failures:
        words = "; ".join(f"{failure.part}: {failure.error}" for failure in mishaps.failures)
        raise NightIncomplete(
            f"pages are incomplete: {words}", ExitCode.of(item.exit_code for item in mishaps.failures)
        )


def _rebuild_retrainings(workspace: Workspace) -> None:
    """Where a result cannot be read, its page is left as it is."""
    from pipeline.publish.pages import retraining_page

    for day in workspace.retrainings():
        result = workspace.retraining_on(day)
        if result is not None:
            page = {"index.html": retraining_page(workspace.monitor, result, workspace.settings.environment)}
            workspace.store.replace_in_night(workspace.retraining_place, day, page)
    remember_retrainings(workspace)


def _rebuild_nights(workspace: Workspace) -> list[PastNight]:
    """Every night as it is remembered, after its page was written; oldest first.

    A page links to the night after it, so each is written once the next one is read.
    """
    nights: list[PastNight] = []
    waiting: NightView | None = None
    for day in workspace.nights():
        reports.link(workspace.on(day))
        view = published_view(workspace.on(day))
        if view is None:
            continue
        nights.append(view.tonight)
        if waiting is not None:
            workspace.on(waiting.run_date).replace(page_files(waiting, nights))
        waiting = view
    if waiting is not None:
        workspace.on(waiting.run_date).replace(page_files(waiting, nights))
    return nights
