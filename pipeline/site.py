"""The pages over many nights: each monitor's, and the fleet's. Made from the run store alone.

A monitor's nights are remembered together in `<store>/<monitor>/history.json`, so that the fleet's page needs one read
per monitor. It is rebuilt from the nights themselves where it is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pipeline import monitors
from pipeline.config import Monitor, Settings
from pipeline.results import Decision, DriftResult, PerformanceResult, QualityResult, SnapshotPair
from pipeline.store import RunStore

if TYPE_CHECKING:
    from datetime import date

    from pipeline.publish.view import NightView, PastNight

_FLEET_ATTEMPTS = 5


def history(store: RunStore, monitor: str) -> tuple[PastNight, ...]:
    """All published nights of a monitor, oldest first."""
    from pipeline.publish.view import History

    content = store.read_page(f"{monitor}/history.json")
    try:
        if content is not None:
            return History.model_validate_json(content).nights
    except ValidationError:
        pass  # written by a version that remembered something else
    return _recall(store, monitor)


def _recall(store: RunStore, monitor: str) -> tuple[PastNight, ...]:
    from pipeline.publish.view import PastNight

    found = (store.read_result(monitor, day, "history", PastNight) for day in store.nights(monitor))
    return tuple(item for item in found if item is not None)


def publish_overviews(store: RunStore, settings: Settings, monitor: Monitor, tonight: PastNight) -> None:
    """Remember a night that was just published, and write the pages that show it."""
    others = [night for night in history(store, monitor.name) if night.run_date != tonight.run_date]
    _write_monitor(store, monitor, sorted([*others, tonight], key=lambda night: night.run_date))
    write_fleet(store, settings)


def write_fleet(store: RunStore, settings: Settings) -> None:
    """Write the fleet's page.

    Several monitors may finish at once: who has written looks again, and writes again if another night came in
    meanwhile, so that the page last written shows them all.
    """
    page = _fleet(store, settings)
    for _ in range(_FLEET_ATTEMPTS):
        store.write_page("index.html", page)
        again = _fleet(store, settings)
        if again == page:
            return
        page = again


def rebuild(settings: Settings, progress: Callable[[str], None]) -> None:
    """Write every page again from the results in the run store; what has not changed is left alone."""
    store = RunStore(settings.store)
    for monitor in monitors.load_all(settings).monitors:
        days = store.nights(monitor.name)
        earlier: list[PastNight] = []
        for day in days:
            view = _rebuild_night(store, settings, monitor, day, tuple(earlier))
            earlier += [view.tonight] if view is not None else []
        _write_monitor(store, monitor, earlier)
        progress(f"{monitor.name}: {len(earlier)} of {len(days)} nights")
    write_fleet(store, settings)


def _rebuild_night(
    store: RunStore, settings: Settings, monitor: Monitor, day: date, earlier: tuple[PastNight, ...]
) -> NightView | None:
    """None where the night's results cannot be read, which leaves its page as it is."""
    from pipeline.publish.pages import night_page
    from pipeline.publish.view import NightView

    files = store.read_night(monitor.name, day)
    try:
        if files is None:
            return None
        view = NightView(
            monitor=monitor,
            pair=SnapshotPair.model_validate_json(files["snapshots.json"]),
            quality=QualityResult.model_validate_json(files["quality.json"]),
            drift=DriftResult.model_validate_json(files["drift.json"]),
            performance=PerformanceResult.model_validate_json(files["performance.json"]),
            decision=Decision.model_validate_json(files["decision.json"]),
            report_base_url=settings.report_base_url,
            history=earlier,
        )
    except (KeyError, ValidationError):
        return None
    page = {"index.html": night_page(view), "history.json": view.tonight.to_json()}
    if any(files.get(name) != content for name, content in page.items()):
        store.publish_night(monitor.name, day, {**files, **page})
    return view


def _write_monitor(store: RunStore, monitor: Monitor, nights: list[PastNight]) -> None:
    from pipeline.publish.overviews import monitor_page
    from pipeline.publish.view import History

    store.write_page(f"{monitor.name}/history.json", History(nights=tuple(nights)).to_json())
    store.write_page(f"{monitor.name}/index.html", monitor_page(monitor, nights))


def _fleet(store: RunStore, settings: Settings) -> bytes:
    from pipeline.publish.overviews import fleet_page

    files = monitors.load_all(settings)
    problems = {name: str(error) for name, error in files.errors.items()}
    return fleet_page([(monitor, history(store, monitor.name)) for monitor in files.monitors], problems)
