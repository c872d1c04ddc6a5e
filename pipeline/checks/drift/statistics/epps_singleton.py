"""The Epps-Singleton test of two numerical columns, in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.checks.drift.statistics.pooled import pooled_runs
from pipeline.checks.drift.statistics.score import NotEvaluable
from pipeline.checks.scan import FloatArray, SortedValues

_FREQUENCIES = np.array([0.4, 0.8])
_SMALLEST_SIZE = 5
_FEWEST_DISTINCT = 3
_SMALL_SAMPLE = 25
_BLOCK = 1 << 14


def epps_singleton(reference: SortedValues, production: SortedValues) -> float:
    """p-value of the distance between the empirical characteristic functions at 0.4 and 0.8 over the semi-IQR.

    Source: Epps and Singleton (1986); small-sample correction by Goerg and Kaiser (2009).

    Raises:
        NotEvaluable: fewer than five values on a side or three distinct ones, or the middle half of all values is one.
    """
    from scipy.special import chdtrc

    n, m = reference.size, production.size
    if min(n, m) < _SMALLEST_SIZE:
        raise NotEvaluable("the Epps-Singleton test needs at least five values on both sides")
    low, high = _pooled_quartiles(reference, production)
    if high == low:
        raise NotEvaluable("the middle half of all values is one value, which the Epps-Singleton test cannot scale by")
    frequencies = _FREQUENCIES / ((high - low) / 2)
    (first_mean, first_spread), (second_mean, second_spread) = (
        _waves(side, frequencies) for side in (reference, production)
    )
    if _distinct(reference, production) < _FEWEST_DISTINCT:
        # The covariance then has rank 1, and what is left of it after inversion is rounding noise.
        raise NotEvaluable("the Epps-Singleton test needs at least three distinct values")
    size = n + m
    inverse = np.linalg.pinv(size / n * first_spread + size / m * second_spread)
    rank = int(np.linalg.matrix_rank(inverse))
    gap = first_mean - second_mean
    statistic = size * float(gap @ inverse @ gap)
    if max(n, m) < _SMALL_SAMPLE:
        statistic /= 1.0 + size**-0.45 + 10.1 * (n**-1.7 + m**-1.7)
    return float(chdtrc(rank, max(statistic, 0.0)))


def _distinct(reference: SortedValues, production: SortedValues) -> int:
    """Distinct values of both sides together, or enough of them."""
    seen = 0
    for runs in pooled_runs(reference, production):
        seen += runs.values.size
        if seen >= _FEWEST_DISTINCT:
            break
    return seen


def _waves(side: SortedValues, frequencies: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean, shape (4,), and population covariance, (4, 4), of the cosines and sines of the scaled values."""
    mean = sum(((waves * rows).sum(axis=1) for waves, rows in _blocks(side, frequencies)), np.zeros(4)) / side.size
    products = np.zeros((4, 4))
    for waves, rows in _blocks(side, frequencies):
        centred = waves - mean[:, None]
        products += np.einsum("ik,jk->ij", centred * rows, centred)
    return mean, products / side.size


def _blocks(side: SortedValues, frequencies: FloatArray) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Cosines and sines, shape (4, k), with the rows that each of the k values stands for."""
    for start in range(0, side.values.size, _BLOCK):
        values = side.values[start : start + _BLOCK]
        angles = frequencies[:, None] * values
        rows = np.ones(values.size) if side.counts is None else side.counts[start : start + _BLOCK].astype(float)
        yield np.concatenate((np.cos(angles), np.sin(angles))), rows


def _pooled_quartiles(reference: SortedValues, production: SortedValues) -> tuple[float, float]:
    """25% and 75% of all values together, interpolated linearly between neighbours."""
    last = reference.size + production.size - 1
    places = np.array([0.25 * last, 0.75 * last])
    ranks = np.concatenate((np.floor(places), np.minimum(np.floor(places) + 1, last)))
    found = np.zeros(4)
    for runs in pooled_runs(reference, production):
        before = runs.reference_before + runs.production_before
        after = before + runs.reference + runs.production
        inside = (ranks >= before[0]) & (ranks < after[-1])
        found[inside] = runs.values[np.searchsorted(after, ranks[inside], side="right")]
    quartiles = found[:2] + (found[2:] - found[:2]) * (places - np.floor(places))
    return float(quartiles[0]), float(quartiles[1])
