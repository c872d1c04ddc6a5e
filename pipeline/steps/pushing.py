"""Gauges are about the newest night, retraining or probation: who runs an old one again leaves them alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from pipeline.config import Settings
from pipeline.config.monitor_files import load_all
from pipeline.errors import NightjarError
from pipeline.steps import delivering, views
from pipeline.steps.contain import attempt
from pipeline.steps.night import Night
from pipeline.steps.timing import durations
from pipeline.storage.run_store import RunStore

GROUP = "gauges"
log = logging.getLogger(__name__)


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


def push_durations(night: Night) -> None:
    """Tell the gateway how long all steps took: those after the page end when the night is pushed, or later.

    That it cannot be told is no fault of the night. Of a night that is not at the gateway nothing is.
    """
    from pipeline.publish.gauges import night as gauges

    url = night.settings.pushgateway_url
    if url is None or delivering.GATEWAY in views.runs_of(night).missing:
        return
    gateway, environment = url.get_secret_value(), night.settings.environment

    def push() -> None:
        gauges.push_durations(night.name, gateway, durations(night), environment=environment)

    try:
        push_newest(night.store, night.name, night.run_date, night.nights, push)
    except NightjarError as error:
        log.warning("%s on %s: how long its steps took was not told: %s", night.name, night.run_date, error)


@contextmanager
def instead_of_former(night: Night, gateway: str) -> Iterator[None]:
    """A block that pushes a night; before it go the monitor's groups of another name that the installation had, once.

    Before, as the gateway takes no gauge that another group has with the same labels. The run store keeps under which
    name it pushed, so other installations on the gateway are left alone. A version that kept no note pushed without a
    name: what another one has there comes again with its next night.

    Raises:
        OutletUnavailable, OutletRefused: the gateway or the run store does not answer; the next push does it.
    """
    from pipeline.publish.gauges import retired

    now, noted = night.settings.environment or "", former_environment(night.store, night.name)
    pushed_before = noted is not None or any(day != night.run_date for day in night.nights())
    if pushed_before and (noted or "") != now:
        retired.remove(night.name, gateway, environment=noted)
        retired.remove_fleet(gateway, environment=noted)
    yield
    if noted != now:
        night.store.write_page(_note(night.name), now.encode())


def former_environment(store: RunStore, monitor: str) -> str | None:
    """The name under which gauges of a monitor were pushed last; None where that is not known."""
    content = store.read_page(_note(monitor))
    return None if content is None else content.decode(errors="replace")


def _note(monitor: str) -> str:
    return f"{monitor}/.receipts/environment"


def fleet_gauges(settings: Settings) -> bytes | None:
    """The gauges of all monitors, which a night pushes beside its own; None where no monitor file can be listed."""
    from pipeline.publish.gauges import fleet

    def found() -> bytes:
        known = load_all(settings)
        return fleet.exposition(known.monitors, len(known.errors), settings.environment, datetime.now(UTC))

    return attempt("gauges of all monitors", found, lambda _: None)
