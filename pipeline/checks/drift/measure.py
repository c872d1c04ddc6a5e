"""Drift of a night: which columns are compared, how, and what share of them drifted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.config import ColumnDriftPolicy, ExpectedChange, Monitor
from pipeline.errors import ExitCode
from pipeline.results import ColumnDrift, DriftResult, Failure, Kind, NightAlarms, NightProfile, SnapshotPair

if TYPE_CHECKING:
    from pipeline.checks.alarms.past import PastNight
    from pipeline.checks.drift.compare_columns import ColumnPlan, Compared
    from pipeline.checks.scan import Shelf


class Measured(NamedTuple):
    """The drift of a night, and what is kept of its columns."""

    drift: DriftResult
    profile: NightProfile


def measure(
    monitor: Monitor,
    reference: Sequence[Path],
    production: Sequence[Path],
    pair: SnapshotPair,
    *,
    budget_bytes: int,
    importances: Mapping[str, float] | None = None,
    past: Sequence[PastNight] = (),
    expected: Sequence[ExpectedChange] = (),
    shelf: Shelf | None = None,
) -> Measured:
    """Compare every column the monitor asks for, on every row.

    Args:
        monitor: which columns, methods, thresholds or budget of alarms, and limit.
        reference: local parquet files of the reference snapshot.
        production: local parquet files of the production snapshot.
        pair: the snapshots that the result is about.
        budget_bytes: memory for the columns held at any moment.
        importances: how much the champion relies on its features, in any unit; negative values count as none.
        past: the nights before this one that a budget of alarms looks at.
        expected: changes that people know of, those that cover the run date.
        shelf: where columns of the reference are kept for other nights, see `compare_columns`.

    Raises:
        SnapshotUnreadable: a file is gone, or not parquet. Nothing about a column's content raises.
    """
    from pipeline.checks.drift.compare_columns import compare_columns
    from pipeline.checks.drift.expected import marked, words_of
    from pipeline.checks.drift.lists import lists_told

    before, after = [str(path) for path in reference], [str(path) for path in production]
    plans, policy = plan_columns(monitor, before, after), monitor.drift
    compared = compare_columns(
        before,
        after,
        plans,
        budget_bytes=budget_bytes,
        limits=policy.flags,
        scored=policy.alarms is None,
        shelf=shelf,
    )
    profile = NightProfile(
        snapshots=pair.digest,
        reference=pair.reference.digest,
        columns=tuple(item.profile for item in compared if item.profile is not None),
    )
    words = words_of(expected)
    columns, alarms, drifted = _judged(monitor, compared, profile, past, pair.run_date, expected=words)
    columns = lists_told(columns, before, set_aside(monitor), together=policy.together is not None)
    parts = _parts(importances or {})
    weighed = {name: float(part) for name, part in parts.items()}
    columns = tuple(marked(item, words).model_copy(update={"importance": weighed.get(item.name)}) for item in columns)
    known = {item.name: words[item.name] for item in columns if item.name in words}
    told = {"alarms": alarms, "expected": known}
    result = result_of(monitor, pair.digest, columns, parts).model_copy(update=told)
    return Measured(result, profile.model_copy(update={"drifted": drifted}))


_Judged = tuple[tuple[ColumnDrift, ...], NightAlarms | None, dict[str, tuple[str, ...]]]


def _judged(
    monitor: Monitor,
    compared: Sequence[Compared],
    profile: NightProfile,
    past: Sequence[PastNight],
    run_date: date,
    *,
    expected: Collection[str],
) -> _Judged:
    """The columns with their verdicts: as their thresholds gave them, or on a budget of alarms."""
    columns, policy = tuple(item.drift for item in compared), monitor.drift
    budget = policy.alarms
    if budget is None:
        return columns, None, {"reference": tuple(item.name for item in columns if item.drifted)}
    from pipeline.checks.alarms.judge import judge
    from pipeline.checks.drift.expected import judged_apart

    verdict = judged_apart(lambda part: judge(budget, policy.limit, part, past, run_date), profile, expected)
    return tuple(map(verdict.on, columns)), verdict.alarms, verdict.drifted


def _parts(importances: Mapping[str, float]) -> dict[str, Fraction]:
    """Each feature's part of all that the champion relies on, exact in the decimals that importances are written in."""
    written = {name: Fraction(repr(float(max(value, 0.0)))) for name, value in importances.items()}
    total = sum(written.values())
    return {name: value / total for name, value in written.items()} if total else {}


def result_of(
    monitor: Monitor, snapshots: str, columns: tuple[ColumnDrift, ...], importances: Mapping[str, Fraction]
) -> DriftResult:
    """The share of columns that drifted, and whether the night did; what changed as expected has no part in it. A
    column of a handful of values that could be chance counts as one that did not: else the others would be all.

    Args:
        monitor: the limit, the columns that decide alone, and which share is held against the limit.
        snapshots: the digest of what was compared.
        columns: with their verdicts.
        importances: how much the champion relies on each, in any unit.
    """
    known = [item for item in columns if item.status == "evaluated" or item.few is not None]
    counted = [item for item in known if item.expected is None]
    share = sum(item.drifted for item in counted) / len(counted) if counted else 0.0
    weighted = drifted_share(counted, importances)
    by_importance = monitor.drift.share == "importance" and weighted is not None
    result = DriftResult(
        snapshots=snapshots,
        drift_share=share,
        limit=monitor.drift.limit,
        drifted=False,
        columns=columns,
        weighted_drift_share=weighted,
        decisive="importance" if by_importance else "columns",
        failure=_damage(columns),
        critical=monitor.drift.critical,
    )
    return result.model_copy(update={"drifted": result.over or bool(result.deciding)})


def _damage(columns: Iterable[ColumnDrift]) -> Failure | None:
    """Damaged data concerns the whole night; an error over what one column holds is that column's own."""
    damaged = (item.failure for item in columns if item.failure and item.failure.exit_code == ExitCode.SNAPSHOT)
    return next(damaged, None)


def drifted_share(counted: Iterable[ColumnDrift], weights: Mapping[str, Fraction]) -> float | None:
    """What the drifted columns weigh of what all counted ones weigh, in [0, 1]; None where those weigh nothing.

    Exact, and rounded once: floats add 0.1 and 0.2 to more than 0.3, and a share of three tenths is not over 0.30.
    """
    total = drifted = Fraction(0)
    for item in counted if weights else ():
        weight = weights.get(item.name, Fraction(0))
        total += weight
        drifted += weight if item.drifted else 0
    return float(drifted / total) if total else None


def set_aside(monitor: Monitor) -> set[str]:
    """Columns that are not compared unless somebody says of what kind they are."""
    roles = monitor.columns
    named = (roles.id, roles.label, roles.model_version)
    return {*(name for name in named if name is not None), *roles.ignore}


def plan_columns(monitor: Monitor, reference: Sequence[str], production: Sequence[str]) -> list[ColumnPlan]:
    """The columns to compare. What the monitor lists, and for a kind it does not list, what the parquet types say.

    The id, the label and the model version are not compared: they change by design or are not there every night.
    """
    from pipeline.checks.drift.compare_columns import infer_plans

    roles, aside = monitor.columns, set_aside(monitor)
    listed: dict[Kind, tuple[str, ...] | None] = {"numerical": roles.numerical, "categorical": roles.categorical}
    named = {name: kind for kind, names in listed.items() for name in names or ()}
    plans = {plan.name: plan for plan in infer_plans(reference, production)}
    chosen = [plan_column(name, kind, monitor) for name, kind in named.items()]
    chosen += [
        plan_column(plan.name, plan.kind, monitor)
        for plan in plans.values()
        if listed[plan.kind] is None and plan.name not in named and plan.name not in aside
    ]
    return chosen


def plan_column(name: str, kind: Kind, monitor: Monitor) -> ColumnPlan:
    """How one column is to be compared."""
    from pipeline.checks.drift.compare_columns import ColumnPlan

    default = monitor.drift.numerical if kind == "numerical" else monitor.drift.categorical
    own = monitor.drift.columns.get(name, ColumnDriftPolicy())
    method = default.method if own.method == "auto" else own.method
    # A threshold is in the unit of its method, so a kind's threshold does not carry over to another method.
    threshold = default.threshold if own.threshold is None and method == default.method else own.threshold
    listed = name in ((monitor.columns.numerical or ()) + (monitor.columns.categorical or ()))
    return ColumnPlan(name, kind, method, threshold, private=name in monitor.columns.private, listed=listed)
