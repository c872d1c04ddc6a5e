"""Where a metric goes over the last labelled nights: a robust slope, and a test that counts ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from itertools import combinations
from typing import NamedTuple

from pipeline.checks.performance.verdict.stretches import as_judged
from pipeline.results import METRICS, Estimate, Trend
from pipeline.wording import apart, count, measured, metric_name

TOLD = 0.01
CERTAIN = 2.5e-5
"""0.005 over 200 nights: what looking every night is allowed to cost (Bonferroni)."""

_FEWEST = 5
_DRAWS, _AT_ONCE = 200_000, 5000
_REACHED = 20
_MANY = 30  # of more nights the normal distribution is near enough, and permutations take long
_SEED = 7
_DIGITS = 2


class _Points(NamedTuple):
    """Nights in order: days since the first one, values, and rows as weights."""

    days: tuple[int, ...]
    values: tuple[float, ...]
    weights: tuple[float, ...]


def trend(metric: str, nights: Sequence[tuple[date, Estimate]], most: int, drop: float | None) -> Trend | None:
    """The trend of the last `most` nights that have rows; None of fewer than five.

    Args:
        metric: which the values are of.
        nights: with their values, in any order.
        most: how many are looked at.
        drop: a loss from which on the p-value is found by permutations, which hold far out for few nights;
            None: never.
    """
    known = sorted(((day, found) for day, found in nights if found.rows > 0), key=lambda night: night[0])
    rows = [(day, as_judged(metric, found)) for day, found in known[-most:]] if most else []
    if len(rows) < _FEWEST:
        return None
    points = _Points(
        tuple((day - rows[0][0]).days for day, _ in rows),
        tuple(found.value for _, found in rows),
        tuple(float(found.rows) for _, found in rows),
    )
    kind = METRICS[metric]
    sign = -1 if kind.better == "higher" else 1
    slope = _slope(points)
    first = _weighted_median([(y - slope * x, w) for x, y, w in zip(*points, strict=True)])
    last = first + slope * points.days[-1]
    p_value = _p_value(points, sign)
    if drop is not None and len(rows) <= _MANY and p_value < TOLD and kind.loss(first, last) > drop:
        p_value = _permuted_p_value(points, sign)
    return Trend(
        metric=metric,
        nights=len(rows),
        slope=slope,
        p_value=p_value,
        first=first,
        last=last,
        sentence=_sentence(metric, points, first, last, told=p_value < TOLD),
    )


def _slope(points: _Points) -> float:
    """Theil 1950, Sen 1968: the median of the slopes of all pairs, each with the product of its rows as weight."""
    rows = list(zip(*points, strict=True))
    return _weighted_median([((b[1] - a[1]) / (b[0] - a[0]), a[2] * b[2]) for a, b in combinations(rows, 2)])


def _weighted_median(pairs: list[tuple[float, float]]) -> float:
    """The middle of the values by weight; half-way where the half falls between two."""
    pairs = sorted(pairs)
    half, seen = math.fsum(weight for _, weight in pairs) / 2, 0.0
    for position, (found, weight) in enumerate(pairs):
        seen += weight
        if math.isclose(seen, half, rel_tol=1e-12) and position + 1 < len(pairs):
            return (found + pairs[position + 1][0]) / 2
        if seen > half:
            return found
    return pairs[-1][0]


def _p_value(points: _Points, sign: int) -> float:
    """Mann 1945, Kendall 1975, each pair with the product of its rows as weight; one-sided, by the normal distribution.

    The variance is that over all orders of the nights, exactly: (sum of squared row sums + sum of squared pairs) / 3.
    Without weights and ties that is the textbook's n (n - 1) (2 n + 5) / 18. Far out it overstates p.
    """
    size = len(points.values)
    total, squares, sums = 0.0, 0.0, [0.0] * size
    for i, j in combinations(range(size), 2):
        pair = _direction(points.values[i], points.values[j]) * points.weights[i] * points.weights[j]
        total, squares = total + pair, squares + pair * pair
        sums[i], sums[j] = sums[i] + pair, sums[j] - pair
    squares += math.fsum(item * item for item in sums)
    return 0.5 * math.erfc(sign * total / math.sqrt(2 * squares / 3)) if squares else 1.0


def _direction(before: float, after: float) -> int:
    return (after > before) - (after < before)


def _permuted_p_value(points: _Points, sign: int) -> float:
    """The same test by up to 200,000 random orders of the nights, always the same ones.

    It stops early where it is clear that p is not small (Besag and Clifford 1991).
    """
    import numpy as np

    values, weights = np.array(points.values), np.array(points.weights)
    pairs = np.sign(values[None, :] - values[:, None]) * weights[None, :] * weights[:, None] * sign
    own = float(np.triu(pairs).sum()) * (1 - 1e-12)
    random = np.random.default_rng(_SEED)
    drawn = reached = 0
    while drawn < _DRAWS and reached < _REACHED:
        orders = random.permuted(np.tile(np.arange(len(values)), (_AT_ONCE, 1)), axis=1)
        totals = sum(pairs[orders[:, a], orders[:, b]] for a, b in combinations(range(len(values)), 2))
        drawn, reached = drawn + _AT_ONCE, reached + int(np.count_nonzero(totals >= own))
    return (1 + reached) / (1 + drawn)


def _sentence(metric: str, points: _Points, first: float, last: float, *, told: bool) -> str:
    higher = METRICS[metric].better == "higher"
    ends = " to ".join(apart(first, last, digits=_DIGITS, write=measured))
    size = count(len(points.values), "night")
    if not told:
        return f"{metric_name(metric)} has no {'fall' if higher else 'rise'} beyond the noise in {size}"
    steps = zip(points.values, points.values[1:], strict=False)
    worse = sum(1 for before, after in steps if (after < before if higher else after > before))
    return f"{metric_name(metric)} {'fell' if higher else 'rose'} in {worse} of {size}, from {ends}"
