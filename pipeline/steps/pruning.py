"""Nights that nobody needs any more go: out of the run store, with their runs in MLflow and their objects in the cache.

    keep the newest, and what they look at -> objects that no kept night pins -> nights -> pages again -> MLflow runs

What goes follows from what is there, so whoever is killed in it, or finds an outlet down, starts it again. Retrainings,
training sets, notes of people and the log of who was told stay.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.config import Monitor
from pipeline.errors import NightjarError
from pipeline.results import RetrainResult, SnapshotPair
from pipeline.steps import expecting, rebuilding
from pipeline.steps.contain import Mishaps
from pipeline.steps.night import Workspace
from pipeline.steps.remembering import nights_of
from pipeline.steps.together import USUAL_NIGHTS

if TYPE_CHECKING:
    from pipeline.publish.facts.history import PastNight
    from pipeline.publish.old_runs import OldRun

_WEEK = timedelta(days=7)
NEWEST, LOOKED_AT, INCIDENT, VERSION, EXPECTED = (
    "the newest",
    "later nights look at them",
    "of an incident that goes on, or that a kept night is of",
    "a version of the model was trained on their date",
    "of a change that is expected or acknowledged",
)


@dataclass(frozen=True)
class Plan:
    """What goes of a monitor, and why older nights stay; `missed` is why nobody knows of its runs in MLflow."""

    workspace: Workspace
    kept: Mapping[date, str]
    nights: tuple[date, ...]
    nights_bytes: int
    labelled: tuple[date, ...]
    objects: tuple[str, ...]
    objects_bytes: int
    runs: tuple[OldRun, ...]
    missed: NightjarError | None = None


def plan(workspace: Workspace, keep_nights: int) -> Plan:
    """What may go of a monitor.

    Args:
        workspace: the monitor.
        keep_nights: so many nights stay at least, the newest ones; 1 or more.

    Raises:
        ConfigError: what was noted as expected cannot be read, so nobody knows what it needs.
    """
    published = workspace.nights()
    kept = _kept(workspace, published, keep_nights)
    if not kept:
        return Plan(workspace, kept, (), 0, (), (), 0, ())
    first = published[-keep_nights:][0]
    going = tuple(day for day in workspace.store.dates(workspace.name) if day < first and day not in kept)
    horizon = min(kept) - timedelta(days=workspace.monitor.performance.window_days)
    objects = _objects(workspace, going) - _objects(workspace, kept)
    runs, missed = _runs(workspace, first, kept)
    return Plan(
        workspace=workspace,
        kept=kept,
        nights=going,
        nights_bytes=sum(workspace.store.bytes_of_night(workspace.name, day) for day in going),
        labelled=tuple(day for day in workspace.labelled_days() if day < horizon),
        objects=tuple(sorted(objects)),
        objects_bytes=workspace.cache().bytes_of(objects),
        runs=tuple(runs),
        missed=missed,
    )


def carry_out(found: Plan) -> None:
    """Remove what a plan names, and bring the monitor's pages up to date; those of the fleet are left to the caller.

    Raises:
        NightIncomplete: a page could not be made; all else was done.
        OutletUnavailable, OutletRefused: the run store does not answer, or MLflow, which comes last.
    """
    workspace, mishaps = found.workspace, Mishaps()
    workspace.cache().forget(found.objects)  # first: later nobody knows whose they were
    for day in found.nights:
        workspace.store.remove_night(workspace.name, day)
    for day in found.labelled:
        workspace.forget_labelled(day)
    if found.kept:
        rebuilding.rebuild_monitor(workspace, mishaps)
    if found.runs:
        from pipeline.publish.old_runs import delete

        delete(found.runs, workspace.tracking_uri)
    if found.missed is not None:
        raise found.missed
    rebuilding.require_whole(mishaps)


def _kept(workspace: Workspace, published: Sequence[date], keep_nights: int) -> dict[date, str]:
    """The nights that stay, oldest first, and why."""
    if not published:
        return {}
    reasons: dict[date, str] = dict.fromkeys(published[-keep_nights:], NEWEST)
    needs = (
        (LOOKED_AT, _looked_at(workspace.monitor, published)),
        (EXPECTED, _expected(workspace, published)),
        (VERSION, _versions(workspace)),
    )
    for why, days in needs:
        for day in days:
            reasons.setdefault(day, why)
    remembered = nights_of(workspace)
    for day in _of_incidents(remembered, reasons):
        reasons.setdefault(day, INCIDENT)
    return {day: reasons[day] for day in published if day in reasons}


def _looked_at(monitor: Monitor, published: Sequence[date]) -> set[date]:
    """The nights that the newest one looks at, run again, and those of the week after it."""
    newest, retrain, performance = published[-1], monitor.retrain, monitor.performance
    row_history = monitor.quality.checks.row_history
    many = max(
        retrain.nights_over.of,
        performance.trend_nights,
        0 if row_history is None else row_history.nights,
        0 if monitor.drift.together is None else USUAL_NIGHTS,
    )
    days = max(
        performance.label_delay_days + max(performance.window_days, retrain.window_days),
        retrain.cooldown_days,
        retrain.probation_days,
    )
    found = {*published[-many - 1 :], *(day for day in published if day >= newest - timedelta(days=days))}
    if monitor.drift.alarms is not None:
        from pipeline.checks.alarms.past import dates_wanted

        for ahead in range(_WEEK.days + 1):
            found.update(dates_wanted(monitor.drift.alarms, newest + timedelta(days=ahead), published))
    return found


def _expected(workspace: Workspace, published: Sequence[date]) -> set[date]:
    """The nights of changes that have not ended by the newest night."""
    changes = (*workspace.monitor.expected, *expecting.noted(workspace))
    standing = [change for change in changes if change.until >= published[-1]]
    return {day for day in published if any(change.covers(day) for change in standing)}


def _versions(workspace: Workspace) -> set[date]:
    """The dates whose retraining made a version of the model: it is champion, was, or may be made so by hand."""
    results: Iterable[RetrainResult | None] = (workspace.retraining_on(day) for day in workspace.retrainings())
    return {result.run_date for result in results if result is not None and result.lineage is not None}


def _of_incidents(remembered: Sequence[PastNight], kept: Collection[date]) -> set[date]:
    """All nights of an incident that is open, or of which one is kept: cut off, it would be another one."""
    from pipeline.publish.facts.incidents import incidents_of

    found: set[date] = set()
    for incident in incidents_of(remembered):
        days = {night.run_date for night in incident.nights}
        if incident.is_open or not days.isdisjoint(kept):
            found |= {*days, incident.until}
    return found


def _objects(workspace: Workspace, days: Iterable[date]) -> set[str]:
    """The SHA-256 of every object that nights have pinned."""
    pairs = (workspace.on(day).read(SnapshotPair) for day in days)
    snapshots = (
        snapshot
        for pair in pairs
        if pair is not None
        for snapshot in (pair.reference, pair.production, pair.labels, pair.labelled)
        if snapshot is not None
    )
    return {item.sha256 for snapshot in snapshots for item in snapshot.objects}


def _runs(workspace: Workspace, first: date, kept: Collection[date]) -> tuple[list[OldRun], NightjarError | None]:
    if "MLFLOW_TRACKING_URI" not in os.environ and not workspace.settings.embedded_mlflow_path.exists():
        return [], None
    from pipeline.publish.old_runs import runs_before

    try:
        environment = workspace.settings.environment
        return runs_before(workspace.name, first, kept, workspace.tracking_uri, environment), None
    except NightjarError as error:
        return [], error
