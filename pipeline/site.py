"""The pages over many nights: each monitor's, and the fleet's. Made from the run store alone.

A monitor's nights are remembered together in `<store>/<monitor>/history.json`, so that the fleet's page needs one read
per monitor. It is rebuilt from the nights themselves where it is missing. Its retrainings are remembered in
`<store>/<monitor>/retraining/history.json`, a file of their own, as a night may end while a retraining goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pipeline import monitors
from pipeline.config import Monitor, Settings
from pipeline.results import Decision, DriftResult, PerformanceResult, QualityResult, RetrainResult, SnapshotPair
from pipeline.store import RunStore

if TYPE_CHECKING:
    from datetime import date

    from pipeline.publish.outcome import PastRetraining
    from pipeline.publish.view import NightView, PastNight

RETRAINING = "retraining"
RETRAINED = "retrain"
_ATTEMPTS = 5


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


def retraining_on(store: RunStore, monitor: str, day: date) -> PastRetraining | None:
    """What came of the retraining of a date, if there was one."""
    from pipeline.publish.outcome import remember

    result = store.read_result(_retraining(monitor), day, RETRAINED, RetrainResult)
    return None if result is None else remember(result)


def _retrainings(store: RunStore, monitor: str) -> tuple[PastRetraining, ...]:
    """All published retrainings of a monitor, oldest first."""
    from pipeline.publish.outcome import Retrainings

    content = store.read_page(f"{_retraining(monitor)}/history.json")
    try:
        if content is not None:
            return Retrainings.model_validate_json(content).retrainings
    except ValidationError:
        pass  # written by a version that remembered something else
    return _recall_retrainings(store, monitor)


def _recall_retrainings(store: RunStore, monitor: str) -> tuple[PastRetraining, ...]:
    found = (retraining_on(store, monitor, day) for day in store.nights(_retraining(monitor)))
    return tuple(item for item in found if item is not None)


def _retraining(monitor: str) -> str:
    return f"{monitor}/{RETRAINING}"


def publish_overviews(store: RunStore, settings: Settings, monitor: Monitor, tonight: PastNight) -> None:
    """Remember a night that was just published, and write the pages that show it."""
    others = [night for night in history(store, monitor.name) if night.run_date != tonight.run_date]
    _remember_nights(store, monitor, sorted([*others, tonight], key=lambda night: night.run_date))
    write_fleet(store, settings)


def publish_retraining(store: RunStore, settings: Settings, monitor: Monitor, result: RetrainResult) -> None:
    """Publish a retraining with everything people and programs read of it, and write the pages that show it."""
    from pipeline.publish.retrain_gauges import exposition
    from pipeline.publish.retraining import retraining_page
    from pipeline.publish.retraining_mail import build_retraining

    message = build_retraining(monitor, result, settings.mail_from, settings.report_base_url)
    files = {
        f"{RETRAINED}.json": result.to_json(),
        "index.html": retraining_page(monitor, result),
        "gauges.prom": exposition(result),
    }
    if message is not None:
        files["summary.eml"] = message.as_bytes()
    store.publish_night(_retraining(monitor.name), result.run_date, files)
    _remember_retrainings(store, monitor)
    earlier = tuple(night for night in history(store, monitor.name) if night.run_date < result.run_date)
    _rebuild_night(store, settings, monitor, result.run_date, earlier)
    write_monitor(store, monitor)


def _remember_retrainings(store: RunStore, monitor: Monitor) -> None:
    """Read from the retrainings themselves: they are few, and whoever writes last then forgets none."""
    from pipeline.publish.outcome import Retrainings

    found = Retrainings(retrainings=_recall_retrainings(store, monitor.name))
    if found.retrainings:
        store.write_page(f"{_retraining(monitor.name)}/history.json", found.to_json())


def _remember_nights(store: RunStore, monitor: Monitor, nights: list[PastNight]) -> None:
    from pipeline.publish.view import History

    store.write_page(f"{monitor.name}/history.json", History(nights=tuple(nights)).to_json())
    write_monitor(store, monitor)


def write_monitor(store: RunStore, monitor: Monitor) -> None:
    """Write the monitor's page from what is remembered of its nights and retrainings."""
    from pipeline.publish.overviews import monitor_page

    def make() -> bytes:
        return monitor_page(monitor, history(store, monitor.name), _retrainings(store, monitor.name))

    _write_settled(store, f"{monitor.name}/index.html", make)


def write_fleet(store: RunStore, settings: Settings) -> None:
    """Write the fleet's page from what is remembered of every monitor."""
    _write_settled(store, "index.html", lambda: _fleet(store, settings))


def _write_settled(store: RunStore, key: str, make: Callable[[], bytes]) -> None:
    """Write a page that others may be writing, too.

    Several nights or retrainings may finish at once: who has written looks again, and writes again if another one came
    in meanwhile, so that the page last written shows them all.
    """
    page = make()
    for _ in range(_ATTEMPTS):
        store.write_page(key, page)
        again = make()
        if again == page:
            return
        page = again


def rebuild(settings: Settings, progress: Callable[[str], None]) -> None:
    """Write every page again from the results in the run store; what has not changed is left alone."""
    store = RunStore(settings.store)
    for monitor in monitors.load_all(settings).monitors:
        for day in store.nights(_retraining(monitor.name)):
            _rebuild_retraining(store, monitor, day)
        _remember_retrainings(store, monitor)
        days = store.nights(monitor.name)
        earlier: list[PastNight] = []
        for day in days:
            view = _rebuild_night(store, settings, monitor, day, tuple(earlier))
            earlier += [view.tonight] if view is not None else []
        _remember_nights(store, monitor, earlier)
        progress(f"{monitor.name}: {len(earlier)} of {len(days)} nights")
    write_fleet(store, settings)


def _rebuild_retraining(store: RunStore, monitor: Monitor, day: date) -> None:
    """Where the result cannot be read, the page is left as it is."""
    from pipeline.publish.retraining import retraining_page

    files = store.read_night(_retraining(monitor.name), day)
    try:
        result = RetrainResult.model_validate_json((files or {})[f"{RETRAINED}.json"])
    except (KeyError, ValidationError):
        return
    page = retraining_page(monitor, result)
    if files is not None and files.get("index.html") != page:
        store.publish_night(_retraining(monitor.name), day, {**files, "index.html": page})


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
            retraining=retraining_on(store, monitor.name, day),
        )
    except (KeyError, ValidationError):
        return None
    page = {"index.html": night_page(view), "history.json": view.tonight.to_json()}
    if any(files.get(name) != content for name, content in page.items()):
        store.publish_night(monitor.name, day, {**files, **page})
    return view


def _fleet(store: RunStore, settings: Settings) -> bytes:
    from pipeline.publish.overviews import fleet_page

    files = monitors.load_all(settings)
    problems = {name: str(error) for name, error in files.errors.items()}
    return fleet_page([(monitor, history(store, monitor.name)) for monitor in files.monitors], problems)
