"""The verdict in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.checks.performance.verdict.limits import Limit
from pipeline.checks.performance.verdict.stretches import FEWEST_ROWS, Stretch
from pipeline.results import METRICS, Basis, Estimate, Trend
from pipeline.wording import apart, count, exact_share, measured, metric_name, value

_DIGITS = 2
_NOTHING: dict[str, str] = {"realised": "no labels have arrived", "estimated": "nothing can be estimated"}
_ROWS: dict[Basis, tuple[str, str]] = {"realised": ("", "label"), "estimated": ("estimated ", "row")}


def against(limit: Limit, basis: Basis, found: Stretch, drop: float | None, whose: str) -> str:
    """A metric over some nights beside its limit: `ROC AUC 0.81 over 6 nights (...), below 0.88: the reference ...`."""
    estimate = found.value
    higher = METRICS[limit.metric].better == "higher"
    numbers = _written(estimate, limit)
    beyond = METRICS[limit.metric].is_beyond(estimate.value, limit.value)
    place = ("" if beyond else "not ") + ("below" if higher else "above")
    words = f"{_measured(limit.metric, basis, found, numbers)}, {place} {numbers['limit']}"
    if limit.why == "floor":
        return f"{words}, its {'floor' if higher else 'limit'}"
    allowed = _allowed(limit.metric, drop or 0.0)
    return f"{words}: {whose} has {numbers['before']}, and {allowed}"


def alone(metric: str, basis: Basis, found: Stretch) -> str:
    """A metric over some nights, beside nothing."""
    return _measured(metric, basis, found, _written(found.value, None))


def slide(moved: Trend, drop: float) -> str:
    """A trend that counts: what it says of itself, and what is allowed."""
    return f"{moved.sentence}: {_allowed(moved.metric, drop)}"


def nothing_there(on: Sequence[str]) -> str:
    """Why there is no value at all."""
    found = [_NOTHING[basis] for basis in _NOTHING if basis in on]
    return " and ".join(found) if found else "neither realised nor estimated values decide"


def nothing_to_hold_against(metric: str, basis: Basis, found: Stretch, whose: str, *, lacking: bool) -> str:
    """A value without a limit; `lacking`: the reference's own value would have been one."""
    own = f"{whose} has no value of it that is sure enough" if lacking else "it may fall by anything"
    return f"{alone(metric, basis, found)}, with nothing to hold it against: {own}, and it has no floor"


def without_noise(metric: str, basis: Basis, found: Stretch) -> str:
    """A value of which nobody knows how sure it is."""
    return f"{alone(metric, basis, found)}: how sure that is cannot be told from these rows"


def too_few(basis: Basis, rows: int) -> str:
    """`too few labelled rows (23), a verdict needs 100`."""
    what = "labelled rows" if basis == "realised" else "rows with an estimate"
    return f"too few {what} ({count(rows)}), a verdict needs {FEWEST_ROWS}"


def _measured(metric: str, basis: Basis, found: Stretch, numbers: dict[str, str]) -> str:
    prefix, noun = _ROWS[basis]
    interval = f", 95% interval {numbers['low']} to {numbers['high']}" if "low" in numbers else ""
    rows = count(found.value.rows, noun)
    name = metric_name(metric) if METRICS[metric].better != "near_zero" else f"{metric_name(metric)} (without its sign)"
    return f"{prefix}{name} {numbers['value']} over {count(found.nights, 'night')} ({rows}{interval})"


def _written(found: Estimate, limit: Limit | None) -> dict[str, str]:
    """All numbers of a sentence, with as few digits as tell them apart."""
    named = {"value": found.value}
    if found.low is not None and found.high is not None:
        named |= {"low": found.low, "high": found.high}
    if limit is not None:
        named["limit"] = limit.value
        if limit.before is not None:
            named["before"] = limit.before
    return dict(zip(named, apart(*named.values(), digits=_DIGITS, write=measured, most=6), strict=True))


def _allowed(metric: str, drop: float) -> str:
    kind = METRICS[metric]
    if kind.is_relative:
        return f"a rise by {exact_share(drop)} is allowed"
    return f"a {'fall' if kind.better == 'higher' else 'rise'} by {value(drop)} is allowed"
