"""One column of the reference against the same column of production: score, verdict, reason, and what scores miss.

Whatever is wrong with a column becomes a `ColumnComparison` with status `not_evaluable` and a reason; nothing raises.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline.checks.drift.explain import explain
from pipeline.checks.drift.findings import DEFAULT_LIMITS, MAX_CATEGORIES_LISTED, CategoryShare, FlagLimits, findings
from pipeline.checks.drift.shape import ColumnShape, shape_of
from pipeline.checks.drift.statistics import (
    FEW_DISTINCT,
    Direction,
    Method,
    NotEvaluable,
    Score,
    aligned_counts,
    auto_method,
    drifted,
    get_method,
    score_categorical,
    score_numerical,
)
from pipeline.checks.scan import (
    FAMILIES,
    CategoricalSummary,
    Cells,
    Kind,
    NumericalSummary,
    SortedValues,
    Summary,
    Unscannable,
    count_distinct,
)
from pipeline.wording import count, label, number

__all__ = ["CategoryShare", "ColumnComparison", "FlagLimits", "choose_method", "compare_column", "require_comparable"]


@dataclass(frozen=True, slots=True)
class ColumnComparison:
    """One column, compared.

    `error_bound` is how far `score` may be from the exact one; 0.0 is exact. `reason` says why there is no score, or
    for a drifted column what changed. `flags` are findings that the score cannot see. `missing_*` are fractions of all
    rows. New and vanished categories are the largest ones, with their total number beside them. No field is ever NaN.
    """

    name: str
    kind: Kind
    method: str | None
    score: float | None
    threshold: float | None
    direction: Direction | None
    drifted: bool
    status: Literal["evaluated", "not_evaluable"]
    reason: str | None
    error_bound: float = 0.0
    missing_reference_share: float | None = None
    missing_production_share: float | None = None
    new_categories: tuple[CategoryShare, ...] = ()
    new_category_count: int = 0
    vanished_categories: tuple[CategoryShare, ...] = ()
    vanished_category_count: int = 0
    changed_type: str | None = None
    flags: tuple[str, ...] = ()
    shape: ColumnShape | None = None


def compare_column(
    reference: Summary,
    production: Summary,
    kind: Kind,
    *,
    method: str = "auto",
    threshold: float | None = None,
    limits: FlagLimits = DEFAULT_LIMITS,
) -> ColumnComparison:
    """Compares two summaries of one column.

    Args:
        reference: the column as it was.
        production: the column as it is.
        kind: how to look at it; the summaries were scanned as this kind.
        method: a name from `statistics.METHODS`, or "auto" for Evidently's own choice.
        threshold: None for the method's default.
        limits: from where findings beside the score are flagged.
    """
    chosen: Method | None = None
    try:
        require_comparable(reference, production)
        chosen = choose_method(reference, production, kind, method)
        score = _score(chosen, reference, production)
    except NotEvaluable as error:
        unscored = _beside(reference, production, kind, limits)
        return dataclasses.replace(unscored, **_chosen(chosen, threshold), reason=str(error))
    limit = chosen.default_threshold if threshold is None else threshold
    verdict = drifted(chosen, score.value, limit)
    return dataclasses.replace(
        _beside(reference, production, kind, limits),
        **_chosen(chosen, limit),
        score=score.value,
        error_bound=score.error_bound,
        status="evaluated",
        drifted=verdict,
        reason="; ".join(explain(reference, production)) or "the distribution changed" if verdict else None,
    )


def _chosen(method: Method | None, threshold: float | None) -> dict[str, Any]:
    if method is None:
        return {"threshold": threshold}
    limit = method.default_threshold if threshold is None else threshold
    return {"method": method.name, "direction": method.direction, "threshold": limit}


def require_comparable(reference: Summary, production: Summary) -> None:
    """Raises NotEvaluable, with the reason, for two columns no statistic should be asked about."""
    sides = (("the reference", reference), ("production", production))
    for where, side in sides:
        if isinstance(side, Unscannable) and side.reason:
            raise NotEvaluable(f"in {where}: {side.reason}")
    forms = reference.form, production.form
    if "null" not in forms and FAMILIES[forms[0]] != FAMILIES[forms[1]]:
        raise NotEvaluable(f"the type changed: {forms[0]} in the reference, {forms[1]} in production")
    for where, side in sides:
        presence = side.presence
        if not presence.rows:
            raise NotEvaluable(f"{where} has no rows")
        if presence.missing == presence.rows:
            raise NotEvaluable(f"all {count(presence.rows)} values are missing in {where}")
        if presence.infinite:
            raise NotEvaluable(f"{count(presence.infinite)} of {count(presence.rows)} values are infinite in {where}")
        if isinstance(side, NumericalSummary) and not math.isfinite(side.moments.squares + side.moments.mean):
            raise NotEvaluable(f"values in {where} are too large to compute with (up to {number(_largest(side))})")


def _largest(side: NumericalSummary) -> float:
    return max(abs(side.moments.low), abs(side.moments.high))


def choose_method(reference: Summary, production: Summary, kind: Kind, name: str) -> Method:
    """The asked-for method, or Evidently's choice for "auto". Raises NotEvaluable if it does not fit the kind."""
    if name == "auto":
        size = reference.presence.rows - reference.presence.missing
        return auto_method(kind, size, _distinct_of_both(reference, production))
    try:
        method = get_method(name)
    except KeyError as error:
        raise NotEvaluable(str(error.args[0])) from error
    if kind not in method.kinds:
        raise NotEvaluable(f"method {method.name} is not for {kind} columns")
    return method


def _distinct_of_both(reference: Summary, production: Summary) -> int:
    """Distinct values of both sides together; for numbers only as far as `auto` needs to know."""
    if isinstance(reference, CategoricalSummary) and isinstance(production, CategoricalSummary):
        return len(reference.counts.keys() | production.counts.keys())
    distinct: set[float] = set()
    for side in (reference, production):
        held = side.distribution if isinstance(side, NumericalSummary) else None
        if isinstance(held, Cells):
            return FEW_DISTINCT + 1  # a column is held as cells only when it has very many
        if isinstance(held, SortedValues):
            if count_distinct(held.values, enough=FEW_DISTINCT) > FEW_DISTINCT:
                return FEW_DISTINCT + 1
            distinct.update(np.unique(held.values).tolist())
    return len(distinct)


def _score(method: Method, reference: Summary, production: Summary) -> Score:
    try:
        with np.errstate(all="ignore"):
            if isinstance(reference, NumericalSummary) and isinstance(production, NumericalSummary):
                score = score_numerical(method, reference, production)
            elif isinstance(reference, CategoricalSummary) and isinstance(production, CategoricalSummary):
                score = score_categorical(method, aligned_counts(reference.counts, production.counts))
            else:
                raise NotEvaluable("the two sides were scanned as different kinds")
    except NotEvaluable:
        raise
    except Exception as error:  # one bad column must not take the night down, whatever is wrong with it
        raise NotEvaluable(f"{method.name} failed: {type(error).__name__}: {label(str(error))}") from error
    if not (math.isfinite(score.value) and math.isfinite(score.error_bound)):
        raise NotEvaluable(f"{method.name} gives no finite number for these values")
    return score


def _beside(reference: Summary, production: Summary, kind: Kind, limits: FlagLimits) -> ColumnComparison:
    """What is known of a column without a score."""
    found = findings(reference, production, limits)
    return ColumnComparison(
        name=reference.name,
        kind=kind,
        method=None,
        score=None,
        threshold=None,
        direction=None,
        drifted=False,
        status="not_evaluable",
        reason=None,
        missing_reference_share=_missing_share(reference),
        missing_production_share=_missing_share(production),
        new_categories=found.new[:MAX_CATEGORIES_LISTED],
        new_category_count=len(found.new),
        vanished_categories=found.vanished[:MAX_CATEGORIES_LISTED],
        vanished_category_count=len(found.vanished),
        changed_type=found.changed_type,
        flags=found.flags,
        shape=shape_of(reference, production),
    )


def _missing_share(side: Summary) -> float | None:
    return None if isinstance(side, Unscannable) else side.presence.missing_share
