"""Which outlets a published night has not reached: noted with the night, shown on its page, and made up for later."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from pipeline.errors import NightjarError, ResultMissing
from pipeline.steps import pages, views
from pipeline.steps.night import K, Night

log = logging.getLogger(__name__)

MLFLOW, GATEWAY, LINEAGE = "MLflow", "Pushgateway", "OpenLineage"


class PublishedNight(Night):
    """A night as it was published, whatever its steps kept since; what is not published with it is as they kept it."""

    def load(self, kind: type[K]) -> K:
        """A result of the publication. Raises: see `Night.load`."""
        found = self.read(kind)
        return super().load(kind) if found is None else found


def published(night: Night) -> PublishedNight:
    """A night that is there to be delivered.

    Raises:
        ResultMissing: it is not published.
    """
    from pipeline.results import Decision, SnapshotPair

    if night.read(Decision) is None or night.read(SnapshotPair) is None:
        raise ResultMissing(f"{night.uri()}: the night is not published, so there is nothing to deliver: run it")
    return PublishedNight(night.monitor, night.settings, night.store, night.run_date)


@contextmanager
def serving(night: Night, outlet: str) -> Iterator[None]:
    """A block that serves an outlet; whether it did is noted with the published night."""
    try:
        yield
    except Exception:
        note(night, [outlet], [outlet])
        raise
    note(night, [outlet])


def note_people(night: Night, missed: Collection[str] = ()) -> None:
    """Note which ways to tell people the night has not reached; all others it has, or they are not set any more."""
    known = views.runs_of(night).missing
    note(night, [name for name in known if name not in (MLFLOW, GATEWAY, LINEAGE)], missed)


def note(night: Night, mine: Collection[str], missed: Collection[str] = ()) -> None:
    """Note with a published night which outlets it has not reached. That it cannot be noted stops nothing.

    Args:
        night: the night.
        mine: what is no longer as it was noted: outlets that were served or have nothing to get, and those in `missed`.
        missed: the outlets among them that were not reached.
    """
    try:
        before = set(views.runs_of(night).missing)
        if before - {*mine} | {*missed} != before:
            pages.note_outlets(night, mine, missed)
    except (NightjarError, ValidationError) as error:
        log.warning("%s on %s: which outlets it reached could not be noted: %s", night.name, night.run_date, error)
