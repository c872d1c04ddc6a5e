"""Tests on two rows of category counts: arrays of shape (k,) in ascending order of the categories, p-value out.

Every category occurs at least once on one of the two sides.
"""

from __future__ import annotations

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


def chi_square(counts: Counts) -> FloatArray:
    """Goodness of fit of production to the reference, scaled to its size. Source: Pearson (1900).

    Counts may be of many pairs of columns at once, shape (..., k), of which each may lack some of the k categories.

    Raises:
        NotEvaluable: there is only one category.
    """
    from scipy.special import chdtrc

    expected, observed = _scaled(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(expected == observed, 0.0, (observed - expected) ** 2 / expected)
    return np.asarray(chdtrc(_freedom(counts), parts.sum(axis=-1)))


def g_test(counts: Counts) -> FloatArray:
    """Likelihood-ratio goodness of fit of production to the reference, scaled to its size. Source: Wilks (1938).

    Counts may be of many pairs of columns at once, as for `chi_square`.

    Raises:
        NotEvaluable: there is only one category.
    """
    from scipy.special import chdtrc

    expected, observed = _scaled(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(observed > 0, observed * np.log(observed / expected), 0.0)
    return np.asarray(chdtrc(_freedom(counts), np.maximum(2 * parts.sum(axis=-1), 0.0)))


def _scaled(counts: Counts) -> tuple[FloatArray, FloatArray]:
    reference, production = counts
    if reference.shape[-1] == 1:
        raise NotEvaluable("there is one category on both sides, and a goodness-of-fit test needs two")
    sizes = [part.sum(axis=-1, keepdims=True) for part in counts]
    return reference * (sizes[1] / sizes[0]), production.astype(float)


def _freedom(counts: Counts) -> IntArray:
    """One less than the categories that are on either side."""
    return np.asarray(np.count_nonzero(counts[0] + counts[1], axis=-1) - 1)


def z_test(counts: Counts) -> FloatArray:
    """Two-sided test that the share of the first category is the same on both sides. 1.0 for one shared category.

    Counts may be of many pairs of columns at once, shape (..., k).
    """
    from scipy.special import ndtr

    reference, production = counts
    if reference.shape[-1] == 1:
        return np.ones(reference.shape[:-1])
    n, m = (part.sum(axis=-1) for part in counts)
    first, second = 1 - reference[..., 0] / n, 1 - production[..., 0] / m
    pooled = (first * n + second * m) / (n + m)
    statistic = (first - second) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return np.asarray(2 * (1 - ndtr(np.abs(statistic))))


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
