"""The drift of a night judged again, from its scores or its profile: no row is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from pipeline.checks.alarms.past import PastNight
from pipeline.checks.drift.expected import judged_apart, marked
from pipeline.checks.drift.measure import plan_column, result_of
from pipeline.config import Monitor
from pipeline.results import ColumnDrift, DriftResult, NightProfile
from pipeline.wording import clip

_NO_PROFILE = "a budget of alarms needs its profile, and the version that ran it kept none"
_NO_SCORES = (
    "it was judged on a budget of alarms, so that its columns have no score of a method for a threshold to be held "
    "against"
)
_UNJUDGED: dict[str, object] = {
    "method": None,
    "direction": None,
    "score": None,
    "threshold": None,
    "chance": None,
    "usual": None,
    "drifted": False,
    "expected": None,
}


class NotKept(Exception):
    """What a night would need to be decided under these settings was not kept; says what."""


def judged_again(
    monitor: Monitor,
    run_date: date,
    drift: DriftResult,
    profile: NightProfile | None,
    past: Sequence[PastNight],
) -> tuple[DriftResult, NightProfile | None]:
    """The drift of a night and its profile, as `drift.measure.measure` would have made them under other settings.

    Scores, methods, reasons and what people expected stay those of the night; a column that drifts now and did
    not before has no reason.

    Args:
        monitor: the settings.
        run_date: of the night.
        drift: as it was measured.
        profile: of its columns.
        past: the nights before it, as they are judged under these settings; with a budget of alarms only.

    Raises:
        NotKept: the night's scores are of another method, or there are none, or no profile.
    """
    from pipeline.checks.alarms.judge import judge

    if not drift.columns and drift.failure is not None:  # drift could not be measured: nobody knows more now
        return drift.model_copy(update={"limit": monitor.drift.limit}), profile
    policy, limit = monitor.drift.alarms, monitor.drift.limit
    if policy is None:
        columns = tuple(_held_to_threshold(monitor, column) for column in drift.columns)
        drifted = {"reference": tuple(item.name for item in columns if item.drifted)}
        found = _result(monitor, drift, columns)
        return found, profile and profile.model_copy(update={"drifted": drifted})
    if profile is None:
        raise NotKept(_NO_PROFILE)
    first = policy.model_copy(update={"against": policy.against[:1]})  # it decides; the others are told beside it
    verdict = judged_apart(lambda part: judge(first, limit, part, past, run_date), profile, drift.expected)
    deciding = {name for names in verdict.drifted.values() for name in names}
    columns = tuple(
        verdict.on(column) if column.name in deciding else column
        for column in (_counted(column, profile) for column in drift.columns)
    )
    found = _result(monitor, drift, columns).model_copy(update={"alarms": verdict.alarms})
    return found, profile.model_copy(update={"drifted": verdict.drifted})


def _held_to_threshold(monitor: Monitor, column: ColumnDrift) -> ColumnDrift:
    """The verdict on a stored score, by the threshold that the settings have for the column."""
    from pipeline.checks.drift.statistics import METHODS, drifted

    if column.status != "evaluated" or column.score is None:
        return column
    method = METHODS.get(column.method or "")
    if method is None:
        raise NotKept(_NO_SCORES)
    plan = plan_column(column.name, column.kind, monitor)
    if plan.method not in ("auto", method.name):
        raise NotKept(f"{clip(column.name, 40)} was compared by {method.name}, and {plan.method} would need its rows")
    threshold = method.default_threshold if plan.threshold is None else plan.threshold
    verdict = drifted(method, column.score, threshold)
    reason = column.reason if verdict else None
    update = {"threshold": threshold, "drifted": verdict, "reason": reason, "expected": None}
    return column.model_copy(update=update)


def _counted(column: ColumnDrift, profile: NightProfile) -> ColumnDrift:
    """A column without what a threshold said of it: on a budget a column is evaluated where it could be counted."""
    status = "evaluated" if column.name in profile.by_name else "not_evaluable"
    return column.model_copy(update={**_UNJUDGED, "status": status})


def _result(monitor: Monitor, before: DriftResult, columns: tuple[ColumnDrift, ...]) -> DriftResult:
    columns = tuple(marked(item, before.expected) for item in columns)
    parts = {item.name: Fraction(repr(item.importance)) for item in columns if item.importance is not None}
    found = result_of(monitor, before.snapshots, columns, parts).model_copy(update={"expected": before.expected})
    if _weighed(before.columns) == _weighed(columns):  # importances are kept rounded, the share of them is not
        found = found.model_copy(update={"weighted_drift_share": before.weighted_drift_share})
        found = found.model_copy(update={"drifted": found.over or bool(found.deciding)})
    return found


def _weighed(columns: Sequence[ColumnDrift]) -> list[tuple[bool, bool]]:
    return [(item.status == "evaluated", item.drifted) for item in columns]
