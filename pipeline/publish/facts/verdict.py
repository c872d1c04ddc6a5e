"""The verdict of a night in words: the same on every page, in every mail, in every report and in every gauge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pipeline.publish.facts.words import count, plural, share
from pipeline.results import ColumnDrift, Decision, DriftResult, Hold, QualityResult, Status, strength

State = Literal["healthy", "drifted", "data_broken", "stale", "absent"]

# What stands on top where states are listed comes first.
STATES: dict[State, str] = {
    "data_broken": "Data broken",
    "absent": "Not run",
    "stale": "Stale data",
    "drifted": "Drifted",
    "healthy": "Healthy",
}
HOLDS: dict[Hold, str] = {
    "quality_failed": "the data is broken",
    "not_comparable": "nothing to compare",
    "backfill": "an old night was run again",
    "too_few_rows": "too few rows",
    "too_few_labels": "too few labels",
    "not_enough_nights": "too few nights over the limit",
    "cooldown": "cooldown",
}


def is_stale(quality: QualityResult) -> bool:
    """Whether the newest data is older than the monitor allows. A freshness check that is only `info` says nothing."""
    return any(item.check == "freshness" and item.severity != "info" for item in quality.failures)


def state_of(status: Status, stale: bool) -> State:
    """What a night is shown as: a healthy verdict on stale data is not one to trust."""
    return "stale" if stale and status == "healthy" else status


def headline(
    status: Status,
    drifted: int,
    evaluated: int,
    critical_failures: int,
    *,
    weighted: float | None = None,
    stale: bool = False,
) -> str:
    """The verdict in a line; ASCII and free of data, so that it can go into any header.

    Args:
        status: of the decision.
        drifted: columns past their threshold.
        evaluated: columns with a score.
        critical_failures: failed expectations of that severity.
        weighted: the drift share by importance, in [0, 1], where that is the one held against the limit.
        stale: the data is older than it should be.
    """
    columns = f"{count(evaluated)} {plural(evaluated, 'column')}"
    part = f" ({share(drifted / max(evaluated, 1))})" if weighted is None else f", {share(weighted)} by importance"
    if status == "data_broken":
        return _broken("data broken and stale" if stale else "data broken", evaluated, critical_failures)
    if status == "drifted":
        return f"{'drifted on stale data' if stale else 'drifted'}: {count(drifted)} of {columns}{part}"
    found = f"{count(drifted)} of {columns} drifted{part}" if drifted else f"none of {columns} drifted"
    return f"{'stale data' if stale else 'healthy'}: {found}"


def _broken(words: str, evaluated: int, critical_failures: int) -> str:
    if critical_failures:
        return f"{words}: {count(critical_failures)} {plural(critical_failures, 'critical expectation')} failed"
    return words if evaluated else f"{words}: no column could be compared"


def retraining_words(decision: Decision) -> str:
    """`retraining requested`, `retraining held: cooldown`, or nothing where there is nothing to say."""
    return retraining_state(decision.status, decision.retrain, decision.hold)


def retraining_state(status: Status, retrain: bool, hold: Hold | None) -> str:
    """The words for what a night did about retraining; broken data speaks for itself."""
    if retrain:
        return "retraining requested"
    if status != "drifted":
        return ""
    return f"retraining held: {HOLDS[hold]}" if hold else "retraining held"


def ranked(columns: Iterable[ColumnDrift]) -> tuple[ColumnDrift, ...]:
    """Drifted columns first, then those closest to their threshold, those without a score last."""
    return tuple(
        sorted(columns, key=lambda item: (not item.drifted, item.status != "evaluated", -strength(item), item.name))
    )


def by_importance(drift: DriftResult) -> float | None:
    """The drift share by importance, where that is the one held against the limit."""
    return drift.weighted_drift_share if drift.decisive == "importance" else None


def decisive_share(drift: DriftResult) -> float:
    """The drift share that is held against the limit, in [0, 1]: by columns, or by the champion's importances."""
    weighted = by_importance(drift)
    return drift.drift_share if weighted is None else weighted


def drifted_words(drift: DriftResult) -> str:
    """`9 of 18 columns drifted (50%), over the limit of 30%`."""
    if not drift.evaluated:
        return "No column could be compared with the reference"
    drifted, weighted = len(drift.drifted_columns), by_importance(drift)
    words = f"{count(drifted)} of {count(drift.evaluated)} {plural(drift.evaluated, 'column')} drifted"
    words += f" ({share(drift.drift_share)})"
    if weighted is not None:
        words += f", {share(weighted)} of what the champion relies on"
    return f"{words}, {'over' if drift.drifted else 'within'} the limit of {share(drift.limit)}"


def importance_words(column: ColumnDrift) -> str:
    """`importance 23%`, or nothing where it is not known."""
    return "" if column.importance is None else f"importance {share(column.importance)}"
