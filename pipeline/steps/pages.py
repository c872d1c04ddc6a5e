"""The pages over many nights: each monitor's, and the fleet's. Made from the run store alone.

A monitor's nights are remembered together in `<store>/<monitor>/history.json`, so that the fleet's page needs one read
per monitor. It is rebuilt from the nights themselves where it is missing. Its retrainings are remembered in
`<store>/<monitor>/retraining/history.json`, a file of their own, as a night may end while a retraining goes on.

A night changes other pages too: the one before it links to it, and the next ones have it in their charts. After each
night these are made again, and those that differ are written.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pipeline.config import Monitor, Settings
from pipeline.config import monitor_files as monitors
from pipeline.results import Decision, DriftResult, PerformanceResult, QualityResult, RetrainResult, SnapshotPair
from pipeline.storage.run_store import RunStore
from pipeline.wording import count

if TYPE_CHECKING:
    from datetime import date

    from pipeline.config.monitor_files import MonitorFiles
    from pipeline.publish.facts.fleet import Watched
    from pipeline.publish.facts.night import NightView, PastNight, Runs
    from pipeline.publish.facts.retraining import PastRetraining

RETRAINING = "retraining"
RETRAINED = "retrain"
RUNS = "runs"
_ATTEMPTS = 5
_READERS = 16
_MADE_AGAIN = 31  # a night, and the next ones that have it in their charts
_RESULTS = tuple(f"{name}.json" for name in ("snapshots", "quality", "drift", "performance", "decision", RUNS))


def history(store: RunStore, monitor: str) -> tuple[PastNight, ...]:
    """All published nights of a monitor, oldest first."""
    remembered = _remembered(store, monitor)
    return _recall(store, monitor) if remembered is None else remembered


def _remembered(store: RunStore, monitor: str) -> tuple[PastNight, ...] | None:
    """None where nothing is, or by a version that remembered something else."""
    from pipeline.publish.facts.night import History

    content = store.read_page(f"{monitor}/history.json")
    try:
        return None if content is None else History.model_validate_json(content).nights
    except ValidationError:
        return None


def _recall(store: RunStore, monitor: str) -> tuple[PastNight, ...]:
    from pipeline.publish.facts.night import PastNight

    found = (store.read_result(monitor, day, "history", PastNight) for day in store.nights(monitor))
    return tuple(item for item in found if item is not None)


def retraining_on(store: RunStore, monitor: str, day: date) -> PastRetraining | None:
    """What came of the retraining of a date, if there was one."""
    from pipeline.publish.facts.retraining import remember

    result = store.read_result(_retraining(monitor), day, RETRAINED, RetrainResult)
    return None if result is None else remember(result)


def _retrainings(store: RunStore, monitor: str) -> tuple[PastRetraining, ...]:
    """All published retrainings of a monitor, oldest first."""
    from pipeline.publish.facts.retraining import Retrainings

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


def runs_of(store: RunStore, monitor: str, day: date) -> Runs:
    """Where else a published night is on record."""
    from pipeline.publish.facts.night import Runs

    return store.read_result(monitor, day, RUNS, Runs) or Runs()


def publish_overviews(store: RunStore, settings: Settings, monitor: Monitor, tonight: PastNight) -> None:
    """Remember a night that was just published, and write the pages that show it."""
    with store.alone(monitor.name):
        _refresh_around(store, settings, monitor, _remember_nights(store, monitor, tonight))
        write_monitor(store, monitor)
    write_fleet(store, settings)


def _refresh_around(store: RunStore, settings: Settings, monitor: Monitor, changed: Iterable[date]) -> None:
    """Make the pages again that show one of some nights: the one before it, the next ones, and its own.

    Its own, because it was made before others were published that finished at the same time.
    """
    days = [night.run_date for night in history(store, monitor.name)]
    shown: set[date] = set()
    for day in changed:
        place = bisect_left(days, day)
        shown |= set(days[max(place - 1, 0) : place + _MADE_AGAIN])
    for day in sorted(shown):
        _refresh_night(store, settings, monitor, day)


def note_run(store: RunStore, settings: Settings, monitor: Monitor, day: date, mlflow: str) -> None:
    """Add the id of its MLflow run to a published night."""
    from pipeline.publish.facts.night import Runs

    runs = runs_of(store, monitor.name, day)
    if runs.mlflow != mlflow:
        store.replace_in_night(monitor.name, day, {f"{RUNS}.json": Runs(airflow=runs.airflow, mlflow=mlflow).to_json()})
    _refresh_night(store, settings, monitor, day)


def publish_retraining(store: RunStore, settings: Settings, monitor: Monitor, result: RetrainResult) -> None:
    """Publish a retraining with everything people and programs read of it, and write the pages that show it."""
    from pipeline.publish.gauges.retraining import exposition
    from pipeline.publish.messages.retraining_mail import build_retraining
    from pipeline.publish.pages import retraining_page

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
    _refresh_night(store, settings, monitor, result.run_date)
    write_monitor(store, monitor)
    write_fleet(store, settings)


def _remember_retrainings(store: RunStore, monitor: Monitor) -> None:
    """Read from the retrainings themselves: they are few, and whoever writes last then forgets none."""
    from pipeline.publish.facts.retraining import Retrainings

    found = Retrainings(retrainings=_recall_retrainings(store, monitor.name))
    if found.retrainings:
        store.write_page(f"{_retraining(monitor.name)}/history.json", found.to_json())


def _remember_nights(store: RunStore, monitor: Monitor, tonight: PastNight) -> set[date]:
    """Those that are remembered already, those that were published meanwhile, and tonight; the dates of what is new."""
    from pipeline.publish.facts.night import History, PastNight

    before = {night.run_date: night for night in _remembered(store, monitor.name) or ()}

    def make() -> bytes:
        known = {night.run_date: night for night in history(store, monitor.name)} | {tonight.run_date: tonight}
        days = sorted({*store.nights(monitor.name), tonight.run_date})
        found = [known.get(day) or store.read_result(monitor.name, day, "history", PastNight) for day in days]
        return History(nights=tuple(night for night in found if night is not None)).to_json()

    _write_settled(store, f"{monitor.name}/history.json", make)
    after = {night.run_date: night for night in history(store, monitor.name)}
    return {day for day in before.keys() | after.keys() if before.get(day) != after.get(day)}


def write_monitor(store: RunStore, monitor: Monitor) -> None:
    """Write the monitor's page from what is remembered of its nights and retrainings."""
    from pipeline.publish.pages import monitor_page

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
    from pipeline.publish.facts.night import History

    store, files = RunStore(settings.store), monitors.load_all(settings)
    for monitor in files.monitors:
        for day in store.nights(_retraining(monitor.name)):
            _refresh_retraining(store, monitor, day)
        _remember_retrainings(store, monitor)
        days = store.nights(monitor.name)
        nights = tuple(_rebuild_nights(store, settings, monitor, days))
        store.write_page(f"{monitor.name}/history.json", History(nights=nights).to_json())
        write_monitor(store, monitor)
        progress(f"{monitor.name}: {count(len(nights))} of {count(len(days), 'night')}")
    write_fleet(store, settings)


def _rebuild_nights(store: RunStore, settings: Settings, monitor: Monitor, days: Iterable[date]) -> Iterator[PastNight]:
    """Each night as it is remembered, after its page was written; oldest first.

    A page links to the night after it, so each is written once the next one is read.
    """
    earlier: list[PastNight] = []
    waiting: NightView | None = None
    for day in days:
        view = _read_view(store, settings, monitor, day)
        if view is None:
            continue
        if waiting is not None:
            _write_night(store, waiting, (*earlier, view.tonight))
            earlier.append(waiting.tonight)
            yield earlier[-1]
        waiting = view
    if waiting is not None:
        _write_night(store, waiting, earlier)
        yield waiting.tonight


def _refresh_retraining(store: RunStore, monitor: Monitor, day: date) -> None:
    """Where the result cannot be read, the page is left as it is."""
    from pipeline.publish.pages import retraining_page

    result = store.read_result(_retraining(monitor.name), day, RETRAINED, RetrainResult)
    if result is not None:
        store.replace_in_night(_retraining(monitor.name), day, {"index.html": retraining_page(monitor, result)})


def _refresh_night(store: RunStore, settings: Settings, monitor: Monitor, day: date) -> None:
    """Write a night's page again if it is not what it should be; what it shows may be changing meanwhile."""
    for _ in range(_ATTEMPTS):
        view = _read_view(store, settings, monitor, day)
        if view is None or not _write_night(store, view, history(store, monitor.name)):
            return


def _write_night(store: RunStore, view: NightView, nights: Sequence[PastNight]) -> bool:
    """Whether anything had to be written. `nights` are others that its page may show."""
    from pipeline.publish.pages import night_page

    whole = dataclasses.replace(view, history=tuple(nights))
    files = {"index.html": night_page(whole), "history.json": view.tonight.to_json()}
    return store.replace_in_night(view.monitor.name, view.run_date, files)


def _read_view(store: RunStore, settings: Settings, monitor: Monitor, day: date) -> NightView | None:
    """A published night without its history; None where its results cannot be read."""
    from pipeline.publish.facts.night import NightView, Runs

    files = store.read_night(monitor.name, day, _RESULTS)
    try:
        if files is None:
            return None
        return NightView(
            monitor=monitor,
            pair=SnapshotPair.model_validate_json(files["snapshots.json"]),
            quality=QualityResult.model_validate_json(files["quality.json"]),
            drift=DriftResult.model_validate_json(files["drift.json"]),
            performance=PerformanceResult.model_validate_json(files["performance.json"]),
            decision=Decision.model_validate_json(files["decision.json"]),
            report_base_url=settings.report_base_url,
            mlflow_url=settings.mlflow_url,
            airflow_url=settings.airflow_url,
            retraining=retraining_on(store, monitor.name, day),
            runs=Runs.model_validate_json(files.get(f"{RUNS}.json", b"{}")),
        )
    except (KeyError, ValidationError):
        return None


def watched(store: RunStore, files: MonitorFiles) -> list[Watched]:
    """Every monitor with what is remembered of it; read side by side, as an S3 store answers one at a time slowly."""
    from pipeline.publish.facts.fleet import Watched

    def read(monitor: Monitor) -> Watched:
        return Watched(monitor, history(store, monitor.name), _retrainings(store, monitor.name))

    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(read, files.monitors))


def problems(files: MonitorFiles) -> dict[str, str]:
    """What is wrong with monitor files that cannot be read, by file name."""
    return {name: str(error) for name, error in files.errors.items()}


def _fleet(store: RunStore, settings: Settings) -> bytes:
    from pipeline.publish.pages import fleet_page

    files = monitors.load_all(settings)
    return fleet_page(watched(store, files), problems(files))
