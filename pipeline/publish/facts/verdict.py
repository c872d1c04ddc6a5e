"""The verdict of a night in words: the same on every page, in every mail, in every report and in every gauge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pipeline.results import Cause, ColumnDrift, Decision, DriftResult, Hold, QualityResult, Status, strength
from pipeline.wording import (
    columns_drifted,
    count,
    decided_alone,
    exact_share,
    share,
    share_and_limit,
    too_few_rows,
    undecided,
)

State = Literal["healthy", "drifted", "degraded", "too_few_rows", "data_broken", "stale", "absent"]

# What stands on top where states are listed comes first.
STATES: dict[State, str] = {
    "data_broken": "Data broken",
    "absent": "Not run",
    "stale": "Stale data",
    "degraded": "Degraded",
    "drifted": "Drifted",
    "too_few_rows": "Too few rows",
    "healthy": "Healthy",
}
HOLDS: dict[Hold, str] = {
    "quality_failed": "the data is broken",
    "not_comparable": "nothing to compare",
    "backfill": "an old night was run again",
    "too_few_rows": "too few rows",
    "too_few_labels": "too few labels",
    "not_enough_nights": "too few such nights",
    "cooldown": "cooldown",
}


def is_stale(quality: QualityResult) -> bool:
    """Whether the newest data is older than the monitor allows. A freshness check that is only `info` says nothing."""
    return any(item.check == "freshness" and item.severity != "info" for item in quality.failures)


def state_of(status: Status, stale: bool) -> State:
    """What a night is shown as: a healthy verdict on stale data is not one to trust, nor that rows are too few."""
    return "stale" if stale and status in ("healthy", "too_few_rows") else status


def headline(
    status: Status,
    drifted: int,
    counted: int,
    critical_failures: int,
    *,
    share: str,
    apart: int = 0,
    weighted: bool = False,
    stale: bool = False,
    critical: int = 0,
    worse: str = "",
    few: str = "",
) -> str:
    """The verdict in a line; ASCII and free of data, so that it can go into any header.

    Args:
        status: of the decision.
        drifted: columns past their threshold.
        counted: columns with a part in the drift share.
        critical_failures: failed expectations of that severity.
        share: the drift share that is held against the limit, in words.
        apart: columns that changed as people expect.
        weighted: it is the one by importance.
        stale: the data is older than it should be.
        critical: how many of the drifted columns decide alone.
        worse: of a degraded night, in what it is, and `drifted` is 0 where the columns as such did not.
        few: how many rows there are, where they are too few to tell.
    """
    moved = columns_drifted(drifted, counted, apart, "none")
    part = f", {share} by importance" if weighted else f" ({share})"
    if status == "data_broken":
        return _broken("data broken and stale" if stale else "data broken", counted + apart, critical_failures)
    alone = f"{count(critical, 'critical column')}, " if critical else ""
    if status == "drifted":
        return f"{'drifted on stale data' if stale else 'drifted'}: {alone}{moved.removesuffix(' drifted')}{part}"
    if status == "degraded":
        also = f"; {alone}{moved}{part}" if drifted else ""
        return f"{'degraded on stale data' if stale else 'degraded'}: {worse}{also}"
    if status == "too_few_rows":
        return f"{'stale data and ' if stale else ''}too few rows: {few}"
    return f"{'stale data' if stale else 'healthy'}: {moved}{part if drifted else ''}"


def _broken(words: str, evaluated: int, critical_failures: int) -> str:
    if critical_failures:
        return f"{words}: {count(critical_failures, 'critical expectation')} failed"
    return words if evaluated else f"{words}: no column could be compared"


def retraining_words(decision: Decision, starts: bool) -> str:
    """`retraining requested`, `retraining held: cooldown`, or nothing where there is nothing to say.

    `starts`: something starts the retraining that the night asks for.
    """
    return retraining_state(decision.status, decision.retrain, decision.hold, starts, decision.causes)


def retraining_state(
    status: Status, retrain: bool, hold: Hold | None, starts: bool, causes: Sequence[Cause] = ()
) -> str:
    """The words for what a night did about retraining; broken data speaks for itself.

    What nothing starts by itself is due, and is not requested of anybody. A night whose `causes` are known and that is
    held by nothing was not to be followed by one, see `retrain.on`.
    """
    if retrain:
        return "retraining requested" if starts else "retraining due"
    if status not in ("drifted", "degraded") or (causes and hold is None):
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


def share_words(drift: DriftResult) -> tuple[str, str]:
    """The drift share by columns, and the one by importance if it is known; that which decides is told from the limit.

    It decides on every page and in every message how the share reads, as `PastNight.share_words` does for nights gone.
    """
    held = share_and_limit(drift.decisive_share, drift.limit)[0]
    if by_importance(drift) is not None:
        return share(drift.drift_share), held
    return held, "" if drift.weighted_drift_share is None else share(drift.weighted_drift_share)


def drifted_words(drift: DriftResult) -> str:
    """`9 of 18 columns drifted (50%), over the limit of 30%`; before it what decides alone. Or why nobody can tell."""
    if not drift.evaluated and not drift.too_few_rows:
        return "No column could be compared with the reference"
    last = f"; {undecided(drift.undecided)}" if drift.undecided else ""
    if drift.few_rows is not None:
        words = too_few_rows(*drift.few_rows)
        return words[0].upper() + words[1:] + last
    of_columns, by_weight = share_words(drift)
    words = columns_drifted(len(drift.drifted_columns), drift.counted, len(drift.expected_columns))
    words += f" ({of_columns})"
    if by_importance(drift) is not None:
        words += f", {by_weight} of what the champion relies on"
    first = f"{decided_alone(drift.deciding)}; " if drift.deciding else ""
    return f"{first}{words}, {limit_words(drift)}{last}"


def limit_words(drift: DriftResult) -> str:
    """`over the limit of 30%`, or `within` it."""
    return f"{'over' if drift.over else 'within'} the limit of {exact_share(drift.limit)}"


def importance_words(column: ColumnDrift) -> str:
    """`importance 23%`, or nothing where it is not known."""
    return "" if column.importance is None else f"importance {share(column.importance)}"
