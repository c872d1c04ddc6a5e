"""One column of the reference against the same column of production: score, verdict, reason, and what scores miss.

Whatever is wrong with a column becomes a `ColumnDrift` with status `not_evaluable` and a reason; nothing raises.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from typing import Any

import numpy as np

from pipeline.checks.drift.chance import chance_of
from pipeline.checks.drift.explain import explain
from pipeline.checks.drift.findings import DEFAULT_LIMITS, changed_type, flags_of, floored, listed, one_sided
from pipeline.checks.drift.shape import shape_of
from pipeline.checks.drift.statistics import (
    FEW_DISTINCT,
    METHODS,
    Method,
    NotEvaluable,
    Score,
    aligned_counts,
    auto_method,
    drifted,
    score_categorical,
    score_numerical,
)
from pipeline.checks.scan import (
    FAMILIES,
    CategoricalSummary,
    Cells,
    Key,
    NumericalSummary,
    SortedValues,
    Summary,
    Unscannable,
    count_distinct,
)
from pipeline.config import DriftFlags
from pipeline.errors import named, unspoken
from pipeline.results import ColumnDrift, Kind
from pipeline.results.drift import FEWEST_VALUES
from pipeline.wording import count, number

log = logging.getLogger(__name__)
_FEWEST_AT_ALL = 2
_NEARLY_NEVER = 0.001
"""Of unchanged nights."""
_JUST_BELOW = 1 - 1e-9


def compare_column(
    reference: Summary,
    production: Summary,
    kind: Kind,
    *,
    method: str = "auto",
    threshold: float | None = None,
    limits: DriftFlags = DEFAULT_LIMITS,
    private: bool = False,
    scored: bool = True,
) -> ColumnDrift:
    """Compares two summaries of one column; `importance` is left for whoever knows the champion.

    Args:
        reference: the column as it was.
        production: the column as it is.
        kind: how to look at it; the summaries were scanned as this kind.
        method: a name from `statistics.METHODS`, or "auto" for Evidently's own choice.
        threshold: None for the method's default.
        limits: from where findings beside the score are flagged.
        private: no value of the column may be told, so no category, mean or quantile either.
        scored: with a method. Otherwise score and verdict are left for whoever judges on a budget of alarms, and
            `reason` says what changed.
    """
    told = _nameless(reference, production) if private else (reference, production)
    chosen: Method | None = None
    try:
        require_comparable(reference, production, private=private)
        if not scored:
            return _unscored(told, kind, limits, private)
        chosen = choose_method(reference, production, kind, method)
        score = _score(chosen, reference, production)
    except NotEvaluable as error:
        return ColumnDrift(
            **_beside(*told, kind, limits, private),
            **_asked(chosen, threshold),
            score=None,
            drifted=False,
            status="not_evaluable",
            reason=str(error),
        )
    asked = _asked(chosen, threshold)
    verdict = drifted(chosen, score.value, asked["threshold"])
    values = production.presence.rows - production.presence.missing
    if verdict and _is_chance(chosen, score.value, reference, values):
        return ColumnDrift(
            **_beside(*told, kind, limits, private),
            **asked,
            score=None,
            drifted=False,
            status="not_evaluable",
            reason=f"{count(values, 'value')} in production cannot be told from chance",
            few=values,
        )
    beside = _beside(*told, kind, limits, private)
    small = chosen.name == "wasserstein" and not verdict
    hidden = floored(reference, score.value, asked["threshold"]) if small else None
    beside["flags"] += (hidden,) if hidden else ()
    return ColumnDrift(
        **beside,
        **asked,
        score=score.value,
        error_bound=score.error_bound,
        drifted=verdict,
        status="evaluated",
        reason=_changes(told, private) if verdict else None,
        chance=chance_of(chosen, asked["threshold"], reference, values),
    )


def _is_chance(method: Method, score: float, reference: Summary, values: int) -> bool:
    """Whether a handful of values comes so far on unchanged data, now and then. One value does on any."""
    if values >= FEWEST_VALUES:
        return False
    reached = score * _JUST_BELOW if method.direction == "distance" else score
    chance = chance_of(method, reached, reference, values)
    return values < _FEWEST_AT_ALL or chance is None or chance > _NEARLY_NEVER


def _changes(told: tuple[Summary, Summary], private: bool) -> str:
    return "; ".join(explain(*told, private=private)) or "the distribution changed"


def _unscored(told: tuple[Summary, Summary], kind: Kind, limits: DriftFlags, private: bool) -> ColumnDrift:
    beside = _beside(*told, kind, limits, private)
    asked, reason = _asked(None, None), _changes(told, private)
    return ColumnDrift(**beside, **asked, score=None, drifted=False, status="evaluated", reason=reason)


def compared(reference: Summary, production: Summary, kind: Kind) -> bool | None:
    """Whether a column drifted, by the method that `auto` picks, and nothing else; None where there is no verdict."""
    try:
        require_comparable(reference, production)
        method = choose_method(reference, production, kind, "auto")
        return drifted(method, _score(method, reference, production).value, method.default_threshold)
    except NotEvaluable:
        return None


def _asked(method: Method | None, threshold: float | None) -> dict[str, Any]:
    if method is None:
        return {"method": None, "threshold": threshold}
    limit = method.default_threshold if threshold is None else threshold
    return {"method": method.name, "direction": method.direction, "threshold": limit}


def _nameless(reference: Summary, production: Summary) -> tuple[Summary, Summary]:
    """Both sides with their categories numbered from the most frequent on, so that nothing said quotes a value."""
    if not (isinstance(reference, CategoricalSummary) and isinstance(production, CategoricalSummary)):
        return reference, production
    before, after = reference.counts, production.counts
    keys = sorted(before.keys() | after.keys(), key=lambda key: (-before.get(key, 0) - after.get(key, 0), str(key)))
    names: dict[Key, Key] = {key: f"private {number}" for number, key in enumerate(keys, start=1)}
    numbered = [{names[key]: count for key, count in counts.items()} for counts in (before, after)]
    return dataclasses.replace(reference, counts=numbered[0]), dataclasses.replace(production, counts=numbered[1])


def is_comparable(reference: Summary, production: Summary) -> bool:
    """Whether a statistic may be asked about two columns."""
    try:
        require_comparable(reference, production)
    except NotEvaluable:
        return False
    return True


def require_comparable(reference: Summary, production: Summary, *, private: bool = False) -> None:
    """Raises NotEvaluable, with the reason, for two columns no statistic should be asked about.

    The reason tells no value of a `private` column.
    """
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
            largest = "" if private else f" (up to {number(_largest(side))})"
            raise NotEvaluable(f"values in {where} are too large to compute with{largest}")


def _largest(side: NumericalSummary) -> float:
    return max(abs(side.moments.low), abs(side.moments.high))


def choose_method(reference: Summary, production: Summary, kind: Kind, name: str) -> Method:
    """The asked-for method, or Evidently's choice for "auto". Raises NotEvaluable if it does not fit the kind."""
    if name == "auto":
        size = reference.presence.rows - reference.presence.missing
        return auto_method(kind, size, _distinct_of_both(reference, production))
    method = METHODS.get(name)
    if method is None:
        raise NotEvaluable(f"unknown drift method {name!r}; known: {', '.join(METHODS)}")
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
        log.error("column %r: %s failed", reference.name, method.name, exc_info=unspoken(error))
        raise NotEvaluable(f"{method.name} failed: {named(error)}") from error
    if not (math.isfinite(score.value) and math.isfinite(score.error_bound)):
        raise NotEvaluable(f"{method.name} gives no finite number for these values")
    return score


def _beside(reference: Summary, production: Summary, kind: Kind, limits: DriftFlags, private: bool) -> dict[str, Any]:
    """What is known of a column without a score, as fields of a `ColumnDrift`."""
    new, vanished = one_sided(production, reference), one_sided(reference, production)
    return {
        "name": reference.name,
        "kind": kind,
        "missing_reference_share": _missing_share(reference),
        "missing_production_share": _missing_share(production),
        "flags": flags_of(reference, production, new, vanished, limits),
        "shape": shape_of(reference, production, private=private),
        "new_categories": () if private else listed(new),
        "new_category_count": len(new),
        "vanished_categories": () if private else listed(vanished),
        "vanished_category_count": len(vanished),
        "changed_type": changed_type(reference, production),
    }


def _missing_share(side: Summary) -> float | None:
    return None if isinstance(side, Unscannable) else side.presence.missing_share
