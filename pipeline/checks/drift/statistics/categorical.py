"""Tests on two rows of category counts: arrays of shape (k,) in ascending order of the categories, p-value out.

Every category occurs at least once on one of the two sides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from pipeline.checks.drift.statistics.binned import Counts
from pipeline.checks.drift.statistics.score import NotEvaluable
from pipeline.checks.scan import FloatArray, IntArray, Key

_PERMUTATIONS = 1000
_DRAWS_AT_ONCE = 4_000_000
_LARGEST_PERMUTED = 10**9


def aligned_counts(reference: Mapping[Key, int], production: Mapping[Key, int]) -> Counts:
    """Occurrences of every category of either side, categories in ascending order."""
    keys = sorted(reference.keys() | production.keys())
    return (
        np.array([reference.get(key, 0) for key in keys], np.int64),
        np.array([production.get(key, 0) for key in keys], np.int64),
    )


def chi_square(counts: Counts) -> float:
    """Goodness of fit of production to the reference, scaled to its size. Source: Pearson (1900).

    Raises:
        NotEvaluable: there is only one category.
    """
    from scipy.special import chdtrc

    expected, observed = _scaled(counts)
    with np.errstate(divide="ignore"):
        statistic = float(((observed - expected) ** 2 / expected).sum())
    return float(chdtrc(expected.size - 1, statistic))


def g_test(counts: Counts) -> float:
    """Likelihood-ratio goodness of fit of production to the reference, scaled to its size. Source: Wilks (1938).

    Raises:
        NotEvaluable: there is only one category.
    """
    from scipy.special import chdtrc

    expected, observed = _scaled(counts)
    held = observed > 0
    with np.errstate(divide="ignore"):
        statistic = 2 * float((observed[held] * np.log(observed[held] / expected[held])).sum())
    return float(chdtrc(expected.size - 1, max(statistic, 0.0)))


def _scaled(counts: Counts) -> tuple[FloatArray, FloatArray]:
    reference, production = counts
    if reference.size == 1:
        raise NotEvaluable("there is one category on both sides, and a goodness-of-fit test needs two")
    return reference * (production.sum() / reference.sum()), production.astype(float)


def z_test(counts: Counts) -> float:
    """Two-sided test that the share of the first category is the same on both sides. 1.0 for one shared category."""
    from scipy.special import ndtr

    reference, production = counts
    if reference.size == 1:
        return 1.0
    n, m = int(reference.sum()), int(production.sum())
    first, second = 1 - reference[0] / n, 1 - production[0] / m
    pooled = (first * n + second * m) / (n + m)
    statistic = (first - second) / math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return float(2 * (1 - ndtr(abs(statistic))))


def fisher_exact(counts: Counts) -> float:
    """Fisher's exact test of a two-by-two table. Source: Fisher (1922).

    Raises:
        NotEvaluable: there are more than two categories.
    """
    reference, production = counts
    if reference.size > 2:
        raise NotEvaluable(f"Fisher's exact test needs two categories, and there are {reference.size}")
    if reference.size == 1:
        return 1.0
    from scipy.stats import fisher_exact as fisher

    return float(fisher(np.array([production, reference]))[1])


def total_variation(counts: Counts) -> float:
    """Permutation p-value of the total variation distance: 1,000 random reassignments of the rows to the two sides.

    Reassigning rows reassigns category counts as a multivariate hypergeometric draw, so the cost does not depend on the
    number of rows. The seed is fixed: the same counts give the same p-value. Distances are compared as integers.

    Raises:
        NotEvaluable: there are more rows than the generator can draw from.
    """
    reference, production = (part.astype(np.int64) for part in counts)
    n, m = int(reference.sum()), int(production.sum())
    if n + m >= _LARGEST_PERMUTED:
        raise NotEvaluable("the permutation test cannot draw from a thousand million rows or more")
    pooled = reference + production
    observed = _scaled_distance(reference, pooled, n, m)
    generator = np.random.default_rng(0)
    reached, left = 0, _PERMUTATIONS
    while left:
        draws = min(left, max(1, _DRAWS_AT_ONCE // pooled.size))
        drawn = generator.multivariate_hypergeometric(pooled, n, size=draws, method="marginals")
        reached += int((_scaled_distance(drawn, pooled, n, m) >= observed).sum())
        left -= draws
    return reached / _PERMUTATIONS


def _scaled_distance(reference: IntArray, pooled: IntArray, n: int, m: int) -> IntArray:
    """2 * n * m times the distance; |a/n - (c-a)/m| times n * m is |a * (n + m) - c * n|, an integer."""
    return np.asarray(np.abs(reference * (n + m) - pooled * n).sum(axis=-1))
