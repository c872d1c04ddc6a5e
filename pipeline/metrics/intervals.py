"""95% intervals that stay within a metric's range, from its value, its standard error, and the rows behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass

NORMAL = 1.959963984540054
_NOTHING = 1e-12  # a standard error below this share of the range is rounding


@dataclass(frozen=True)
class Interval:
    """Both ends; None where they cannot be told."""

    low: float | None = None
    high: float | None = None


def quantile(rows: float) -> float:
    """97.5% of Student's t distribution for the mean of so many rows."""
    from scipy.special import stdtrit

    return float(stdtrit(max(rows - 1, 1), 0.975))


def of_share(hits: float, rows: float, quantile: float = NORMAL) -> Interval:
    """Of a plain proportion (Wilson 1927): never empty, and within [0, 1] also where it is 0 or 1."""
    if rows <= 0:
        return Interval()
    square = quantile**2
    middle = (hits + square / 2) / (rows + square)
    half = quantile / (rows + square) * math.sqrt(max(hits * (rows - hits) / rows, 0) + square / 4)
    value = hits / rows  # which the ends never pass, not even by rounding
    return Interval(min(max(0.0, middle - half), value), max(min(1.0, middle + half), value))


def of_rate(
    value: float, error: float | None, rows: float, least: float, *, low: float = 0.0, high: float = 1.0
) -> Interval:
    """Of anything between two ends: Wilson's interval of as many independent rows as would have this standard error
    (effective sample size, Korn and Graubard 1998), with Student's quantile.

    Where there is no error to be seen, as all rows are right, it is that of `least` rows.
    """
    wide = high - low
    share = min(max((value - low) / wide, 0.0), 1.0)
    seen = error is not None and error > _NOTHING * wide and 0 < share < 1
    effective = share * (1 - share) * (wide / error) ** 2 if seen and error else least
    if not math.isfinite(effective) or effective <= 0:
        return Interval()
    found = of_share(share * effective, effective, quantile(rows) if seen else NORMAL)
    if found.low is None or found.high is None:
        return Interval()
    return Interval(low + wide * found.low, low + wide * found.high)


def of_positive(value: float, error: float | None, rows: float) -> Interval:
    """Of a mean that has no upper end and is above 0: symmetric on the logarithm (delta method)."""
    if error is None or not value > 0 or not error > _NOTHING * value or rows < 2:
        return Interval()
    spread = quantile(rows) * error / value
    if spread > 700:  # beyond all numbers
        return Interval()
    return _finite(value * math.exp(-spread), value * math.exp(spread))


def of_mean(value: float, error: float | None, rows: float) -> Interval:
    """Of a mean that may be anything (Student 1908)."""
    if error is None or not error > 0 or rows < 2:
        return Interval()
    half = quantile(rows) * error
    return _finite(value - half, value + half)


def _finite(low: float, high: float) -> Interval:
    return Interval(low, high) if math.isfinite(low) and math.isfinite(high) else Interval()
