"""Methods that score the rows of both sides in each category or bin."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pipeline.checks.drift.chance.draws import draw_counts, share_beyond
from pipeline.checks.drift.statistics import Method, NotEvaluable, drifted, score_categorical
from pipeline.checks.scan import FloatArray

# With as many expected rows in every cell on both sides, the limiting distributions hold.
_MANY = 20.0
_CELLS_DRAWN = 20_000
_FEWEST_DRAWS, _MOST_DRAWS = 8, 1_000
_SEED = 0
_PERMUTATIONS = 1_000
# Exact given the rows of each category on both sides together, where there are two categories.
_CONDITIONAL = frozenset({"fisher_exact", "TVD"})
# With such a standard deviation of a count, nothing is lost between two possible p-values.
_WIDE = 50.0
# To second order in p - q a distance is a multiple of the sum of (p - q) ** 2 / p: what that sum is at a threshold.
_AS_CHI_SQUARE: dict[str, Callable[[float], float]] = {
    "jensenshannon": lambda threshold: 8 * threshold**2,
    "hellinger": lambda threshold: 8 * threshold**2,
    "psi": lambda threshold: threshold,
    "kl_div": lambda threshold: 2 * threshold,
}


def of_counts(method: Method, threshold: float, reference: FloatArray, rows: int) -> float:
    """How often a method that scores counts calls a night of so many rows drifted, nothing having changed.

    Args:
        method: one that scores counts.
        threshold: in its unit.
        reference: shape (k,), rows of the reference in each category or bin; the one that comes first in ascending
            order first. Bins may have parts of a row.
        rows: of the night, non-missing.

    Raises:
        NotEvaluable: the method does not score counts.
    """
    held = reference[reference > 0]
    size = round(held.sum())
    if held.size == 1:
        return _of_one_category(method, threshold, size, rows)
    if method.name in _CONDITIONAL:
        return _of_exact_test(method.name, threshold, held, rows)
    if method.name == "z":
        held = np.array([held[0], size - held[0]])
    if held.min() * min(1.0, rows / size) >= _MANY:
        return _in_the_limit(method.name, threshold, held.size, size, rows)
    return _drawn(method, threshold, held / size, size, rows)


def beyond(method: Method, threshold: float, scores: FloatArray) -> float:
    """The share of nights that are called drifted, by the scores of some, shape (draws,)."""
    if method.direction == "distance":
        # The square of a distance between two draws has an exponential tail, or a lighter one.
        return share_beyond(scores**2, threshold**2, strict=method.strict)
    return share_beyond(-np.log(scores), -float(np.log(np.float64(threshold))), strict=method.strict)


def of_permutations(threshold: float, permutations: int) -> float:
    """A p-value that counts permutations is each of 0, 1, ... of them equally often."""
    return min(1.0, math.ceil(threshold * permutations) / (permutations + 1))


def _of_one_category(method: Method, threshold: float, size: int, rows: int) -> float:
    """Every night has the same score, or none."""
    try:
        score = score_categorical(method, (np.array([size]), np.array([rows]))).value
    except NotEvaluable:
        return 0.0
    return float(drifted(method, score, threshold))


def _in_the_limit(name: str, threshold: float, cells: int, size: int, rows: int) -> float:
    """Of many rows the sum of (p - q) ** 2 / p is (1 / n + 1 / m) times a chi-square variable with k - 1 degrees.

    The tests of fit take the reference's shares for the true ones, as if m were infinite, so their statistic is
    (1 + n / m) times such a variable.
    """
    if name == "z":
        return min(threshold, 1.0)
    if name in _AS_CHI_SQUARE:
        return _chi_square_beyond(_AS_CHI_SQUARE[name](threshold) / (1 / rows + 1 / size), cells - 1)
    from scipy.special import chdtri

    return _chi_square_beyond(float(chdtri(cells - 1, min(threshold, 1.0))) / (1 + rows / size), cells - 1)


def _chi_square_beyond(limit: float, freedom: int) -> float:
    """How often a chi-square variable is over the limit, as a finite sum: the default methods load no scipy.

    Source: Abramowitz and Stegun (1964), "Handbook of Mathematical Functions", 26.4.4 and 26.4.5.
    """
    if math.isinf(limit):
        return 0.0
    half, lowest = limit / 2, 0.5 if freedom % 2 else 1.0
    beyond_lowest = math.erfc(math.sqrt(half)) if freedom % 2 else math.exp(-half)
    powers = np.arange(lowest, freedom / 2)
    factorials = math.lgamma(lowest + 1) - math.log(lowest) + np.cumsum(np.log(powers))
    return beyond_lowest + float(np.exp(powers * np.log(np.float64(half)) - half - factorials).sum())


def _drawn(method: Method, threshold: float, parts: FloatArray, size: int, rows: int) -> float:
    if method.counted is None:
        raise NotEvaluable(f"method {method.name} is not for counts")
    random = np.random.default_rng(_SEED)
    draws = min(_MOST_DRAWS, max(_FEWEST_DRAWS, _CELLS_DRAWN // parts.size))
    scores = method.counted((draw_counts(parts, size, draws, random), draw_counts(parts, rows, draws, random)))
    return beyond(method, threshold, np.asarray(scores))


def _of_exact_test(name: str, threshold: float, held: FloatArray, rows: int) -> float:
    """The level of the test, less what is lost between two possible p-values where rows are few.

    `fisher_exact` has no score for more than two categories.
    """
    if held.size > 2:
        return of_permutations(threshold, _PERMUTATIONS) if name == "TVD" else 0.0
    size, level = round(held.sum()), min(threshold, 1.0)
    total, share = size + rows, held[0] / size
    middle, deviation = total * share, math.sqrt(total * share * (1 - share))
    if deviation * math.sqrt(size / total * rows / total) > _WIDE:
        return level
    together = np.unique(np.clip(np.round(middle + deviation * np.linspace(-4, 4, 33)), 0, total))
    weights = np.exp(-(((together - middle) / deviation) ** 2) / 2)
    levels = [_level_given(name, level, int(both), size, rows) for both in together]
    return float(np.average(levels, weights=weights))


def _level_given(name: str, level: float, both: int, size: int, rows: int) -> float:
    """How often the p-value is below the level, where so many rows of both sides are of the first category."""
    from scipy.special import gammaln

    night = np.arange(max(0, both - size), min(both, rows) + 1)
    logs = sum(
        gammaln(side + 1) - gammaln(first + 1) - gammaln(side - first + 1)
        for side, first in ((rows, night), (size, both - night))
    )
    density = np.exp(logs - logs.max())
    density /= density.sum()
    # Tables of one rarity count together; logarithms of equal ones differ by rounding.
    commonness = logs if name == "fisher_exact" else -np.abs(night * (size + rows) - both * rows).astype(float)
    order = np.argsort(commonness, kind="stable")
    last = np.searchsorted(commonness[order], commonness[order] + 1e-7, side="right") - 1
    return float(density[order][np.cumsum(density[order])[last] < level].sum())
