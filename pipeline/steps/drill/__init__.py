"""A drill: whether a fault in the data comes out where people are, through every part between.

    planted rows -> a night of their own -> gauges -> Prometheus -> its rule -> Alertmanager -> people

The night is that of a monitor which there is only for the drill, in the run store, MLflow and the gateway that nights
use; at the end nothing of it is left but a record, which `audit` reads.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pydantic import ValidationError

from pipeline.config.environment import reveal
from pipeline.config.schedule import newest_day
from pipeline.errors import ConfigError, NightjarError, OutletUnavailable, QualityGateFailed
from pipeline.publish.alerting import Service, heard, sent, value, ways_of
from pipeline.results.drill import Drill
from pipeline.retrain.progress import Progress
from pipeline.steps.drill.planted import monitor_of, plant
from pipeline.steps.night import Workspace
from pipeline.steps.retiring import files_of
from pipeline.wording import listed, seconds

ALERT = "NightjarQualityFailed"
OUTLET = "drill"
_LONGEST_NAME = 63
_BETWEEN_SECONDS = 1.0


@dataclass(frozen=True)
class Station:
    """A part that the fault comes to: what was seen there, None as long as nothing was, and where to look then."""

    seen: Callable[[], str | None]
    missed: str


def drill(workspace: Workspace, progress: Progress, wait_seconds: float) -> Drill:
    """Send planted faults through every part and follow them; what was seen is kept beside the monitor's nights.

    Args:
        workspace: the monitor.
        progress: is given a line for every station.
        wait_seconds: how long the fault may take from the gateway to people.

    Raises:
        ConfigError: the gateway, Prometheus or Alertmanager is not set, or a monitor has or had the drill's name.
        NightjarError: the reference cannot be read, or another drill of the monitor is under way.
    """
    services = _services(workspace)
    name = f"drill-{workspace.name}"[:_LONGEST_NAME]
    with workspace.store.alone_outlet(workspace.name, OUTLET):
        if _is_left(workspace, name):
            _clear(workspace, name, lambda _: None)  # what is down, the night tells
        workspace.store.write_page(_mark(name), workspace.name.encode())
        try:
            found = _follow(workspace, name, services, progress, wait_seconds)
        finally:
            _clear(workspace, name, progress)
        workspace.store.write_page(_key(workspace), found.to_json())
    return found


def last_drill(workspace: Workspace) -> Drill | None:
    """The monitor's last drill; None where there was none, or its record cannot be read."""
    content = workspace.store.read_page(_key(workspace))
    try:
        return None if content is None else Drill.model_validate_json(content)
    except ValidationError:
        return None


def _key(workspace: Workspace) -> str:
    return f"{workspace.name}/.drill.json"


@dataclass(frozen=True)
class _Services:
    prometheus: Service
    alertmanager: Service
    environment: str | None


def _services(workspace: Workspace) -> _Services:
    settings = workspace.settings
    urls = {
        "PIPELINE_PUSHGATEWAY_URL": reveal(settings.pushgateway_url),
        "PIPELINE_PROMETHEUS_URL": reveal(settings.prometheus_url),
        "PIPELINE_ALERTMANAGER_URL": reveal(settings.alertmanager_url),
    }
    problems = [f"{variable}: not set; a drill needs to know where it is" for variable, url in urls.items() if not url]
    if problems:
        raise ConfigError(problems)

    def service(name: str) -> Service:
        variable = f"PIPELINE_{name.upper()}_URL"
        return Service(name, variable, urls[variable] or "")

    return _Services(service("Prometheus"), service("Alertmanager"), settings.environment)


def _mark(name: str) -> str:
    """A file that is there as long as anything of a drill may be left; it names the monitor that the drill was of."""
    return f"{name}/.drill-of"


def _is_left(workspace: Workspace, name: str) -> bool:
    """Whether a drill of this monitor has left something.

    Raises:
        ConfigError: a monitor has or had the name, so that what is there is not a drill's to remove.
    """
    mark = workspace.store.read_page(_mark(name))
    known = files_of(name, workspace.settings) or workspace.store.knows(name)
    if known and mark != workspace.name.encode():
        words = f"a drill of {workspace.name} takes this name, and a monitor has it or had it"
        raise ConfigError([f"{name}: {words}; nothing was touched: `retire {name} --store` frees it, if it may go"])
    return mark is not None


def _follow(workspace: Workspace, name: str, services: _Services, progress: Progress, wait_seconds: float) -> Drill:
    began = time.monotonic()
    seen: list[str] = []
    missed: str | None = None
    try:
        before = sent(services.alertmanager)
        for words in _night(workspace, name):
            seen.append(words)
            progress(words)
        deadline = time.monotonic() + wait_seconds
        for station in _stations(name, services, before):
            words = _wait_for(station, deadline)
            seen.append(words)
            progress(f"{words}, after {seconds(time.monotonic() - began)}")
    except _Missed as error:
        missed = str(error)
    return Drill(moment=datetime.now(UTC), seen=tuple(seen), missed=missed)


class _Missed(Exception):
    """A part that the fault did not come to, in words."""


def _night(workspace: Workspace, name: str) -> Iterator[str]:
    """The night of the drill, as far as its gauges; what was seen of it."""
    from pipeline.snapshots import open_snapshot
    from pipeline.steps.walk import run_night
    from pipeline.storage.scratch import scratch_folder

    day = newest_day(datetime.now(UTC))
    cache = workspace.cache()
    with scratch_folder(workspace.settings.cache_dir) as folder:
        reference = workspace.pin(workspace.monitor.snapshots.base, day, cache)
        with open_snapshot(reference, cache) as files:
            data = plant(workspace.monitor, files, folder)
        yield data.words
        of_drill = Workspace(monitor_of(workspace.monitor, name, data), workspace.settings, workspace.store)
        outcome = run_night(of_drill.on(day), lambda _: None)
    decision = outcome.decision
    unreached = [str(error) for error in outcome.errors if not isinstance(error, QualityGateFailed)]
    if unreached:
        raise _Missed(f"the night did not come to its end: {listed(unreached)}")
    if decision is None or decision.status != "data_broken":
        raise _Missed(f"the night did not see it: {'no verdict' if decision is None else decision.reason}")
    yield f"the night: {decision.reason}; published, logged, pushed, told"


def _stations(name: str, services: _Services, before: Counter[str]) -> Iterator[Station]:
    """What comes after the gateway, in order."""
    prometheus, alertmanager = services.prometheus, services.alertmanager
    of_it = f'monitor="{name}",environment="{services.environment or ""}"'
    gauge = f"model_monitor_quality_passed{{{of_it}}} == 0"
    alert = f'ALERTS{{alertname="{ALERT}",alertstate="firing",{of_it}}}'

    def scraped() -> str | None:
        return (
            None if value(prometheus, gauge) is None else "Prometheus has the gauge model_monitor_quality_passed of 0"
        )

    def rings() -> str | None:
        return None if value(prometheus, alert) is None else f"its rule {ALERT} rings"

    def arrived() -> str | None:
        found = heard(alertmanager, ALERT, name, services.environment)
        if found is None:
            return None
        if found.kept_back is not None:
            raise _Missed(f"Alertmanager keeps it from people: {found.kept_back}")
        return f"Alertmanager has it for {listed(found.receivers)}"

    def told() -> str | None:
        found = heard(alertmanager, ALERT, name, services.environment)
        receivers = () if found is None else found.receivers
        ways = ways_of(alertmanager, receivers)
        if not ways:
            raise _Missed(f"nobody hears {listed(receivers)}: the receiver has no way to tell people")
        risen = [way for way, number in sorted((sent(alertmanager) - before).items()) if number and way in ways]
        return f"Alertmanager has told {listed(receivers)} by {listed(risen)}" if risen else None

    yield Station(scraped, "Prometheus has no such gauge: see on its page /targets whether it scrapes the gateway")
    yield Station(rings, f"{ALERT} does not ring: see on Prometheus' page /rules whether it has the rules")
    yield Station(arrived, "Alertmanager has not heard of it: see `alerting` in prometheus.yml and Prometheus' log")
    yield Station(told, "Alertmanager has told nobody: see its log, its mail server or address, and group_wait")


def _wait_for(station: Station, deadline: float) -> str:
    """What was seen at a station; what does not answer is asked again, too."""
    while True:
        trouble = None
        try:
            words = station.seen()
        except OutletUnavailable as error:
            words, trouble = None, str(error)
        if words is not None:
            return words
        if time.monotonic() > deadline:
            raise _Missed(trouble or station.missed)
        time.sleep(_BETWEEN_SECONDS)


def _clear(workspace: Workspace, name: str, progress: Progress) -> None:
    """Take back all that a drill has left; what cannot be reached, and the mark that says so, the next one finds."""
    from pipeline.publish import old_runs
    from pipeline.publish.gauges import retired
    from pipeline.steps.pages import write_fleet

    gateway = reveal(workspace.settings.pushgateway_url) or ""
    tracking = workspace.tracking_uri
    environment = workspace.settings.environment
    parts: tuple[tuple[str, Callable[[], None]], ...] = (
        ("gauges", lambda: retired.remove(name, gateway, environment=environment)),
        ("runs", lambda: old_runs.delete(old_runs.runs_before(name, date.max, (), tracking, environment), tracking)),
    )
    whole = True
    for part, work in parts:
        try:
            work()
        except NightjarError as error:
            whole = False
            progress(f"{part} of {name} could not be taken back: {error}; the next drill tries again")
    if whole:
        workspace.store.remove_monitor(name)  # and with it the mark, so it is the last
    write_fleet(workspace.store, workspace.settings)
