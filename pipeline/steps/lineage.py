"""Telling OpenLineage of a published night: an outlet like others, where `OPENLINEAGE_URL` is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.publish import lineage
from pipeline.results import Decision
from pipeline.steps import delivering, views
from pipeline.steps.contain import attempt
from pipeline.steps.named import step
from pipeline.steps.night import Night
from pipeline.steps.timing import UNTIL_PAGE, durations, timed

_RECEIPT = "lineage"


def is_wanted(night: Night) -> bool:
    """Whether events are to be sent; where not, nobody waits for those of the night any more."""
    if not lineage.is_wanted():
        delivering.note(night, [delivering.LINEAGE])
    return lineage.is_wanted()


@timed
def send_lineage(night: Night) -> str:
    """Send the published night's events, once for their content; says what was done.

    Raises:
        ConfigError: `OPENLINEAGE_URL` holds no address of a server.
        ResultMissing: see `views.published_night`.
        OutletUnavailable, OutletRefused: see `pipeline.publish.lineage.send`.
    """
    (view, _), results = views.published_night(night), night.uri()
    done = datetime.now(UTC)
    begun = done - timedelta(seconds=sum(durations(night, UNTIL_PAGE).values()))
    events = [
        lineage.event_of(view, results, "START", begun),
        lineage.event_of(view, results, "COMPLETE", done),
    ]
    said = lineage.identity(events[-1])
    with delivering.serving(night, delivering.LINEAGE), night.store.alone_outlet(night.name, _RECEIPT):
        before = night.store.receipt(night.name, night.run_date, _RECEIPT)
        if before == said:
            return "already sent"
        # On a full disk this fails, before anything is sent that could not be noted.
        night.store.note_receipt(night.name, night.run_date, _RECEIPT, before or "nothing was sent yet")
        where = lineage.send(events)
        night.store.note_receipt(night.name, night.run_date, _RECEIPT, said)
        return where


@step
def report_failure(night: Night, task: str) -> str:
    """Send that a night broke, unless it is published: then its results stand. Says what was done.

    The run store may be what broke, so it is asked and not relied on.

    Raises:
        ConfigError, OutletUnavailable, OutletRefused: as for `send_lineage`.
    """
    if not lineage.is_wanted():
        return "no lineage server is set"
    if attempt("published night", lambda: night.read(Decision), lambda _: None) is not None:
        return "not sent, as the night is published"
    environment = night.settings.environment
    event = lineage.failure_of(night.monitor, environment, night.run_date, task, datetime.now(UTC))
    return lineage.send([event])
