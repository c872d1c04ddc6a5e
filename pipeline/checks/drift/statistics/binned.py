"""Distances between two discrete distributions, and the bins that make a numerical column discrete.

Shares are arrays of shape (..., k): the part of the rows in each bin or category, on either side. A distance is of
shape (...): one pair of columns, or many at once.
"""

from __future__ import annotations

import numpy as np

from pipeline.checks.drift.statistics.pooled import pooled_runs
from pipeline.checks.drift.statistics.score import NotEvaluable
from pipeline.checks.scan import (
    Cells,
    FloatArray,
    IntArray,
    NumericalSummary,
    SortedValues,
    count_distinct,
    sturges_edges,
)

Counts = tuple[IntArray | FloatArray, IntArray | FloatArray]
# With at most this many distinct values in the reference, each value is a bin of its own.
DISTINCT_AS_BINS = 20


def binned_counts(reference: NumericalSummary, production: NumericalSummary) -> Counts:
    """Rows of both sides per bin: distinct values for a reference of up to 20 of them, Sturges bins otherwise.

    Raises:
        NotEvaluable: the range cannot be divided, or a column too long to hold has too few distinct values to bin.
    """
    if _distinct_at_least(reference, DISTINCT_AS_BINS + 1):
        edges = _edges(
            reference, production, reference.moments.count + production.moments.count,
            whole=reference.whole and production.whole,
        )  # fmt: skip
        return reference.histogram(edges), production.histogram(edges)
    return distinct_counts(reference, production)


def distinct_counts(reference: NumericalSummary, production: NumericalSummary) -> Counts:
    """Rows of both sides per distinct pooled value, ascending."""
    first, second = _held(reference), _held(production)
    runs = list(pooled_runs(first, second))
    return np.concatenate([run.reference for run in runs]), np.concatenate([run.production for run in runs])


def hellinger_counts(reference: NumericalSummary, production: NumericalSummary) -> Counts:
    """Rows per Sturges bin, with as many bins as the number of *distinct* pooled values asks for."""
    distinct = sum(run.values.size for run in pooled_runs(_held(reference), _held(production)))
    # A list of integers is binned by whole widths; Evidently bins the list of distinct values.
    edges = _edges(reference, production, distinct, whole=reference.whole and production.whole)
    return reference.histogram(edges), production.histogram(edges)


def _held(summary: NumericalSummary) -> SortedValues:
    if isinstance(summary.distribution, Cells):
        raise NotEvaluable("this method needs every distinct value, and the column is too long for the memory budget")
    return summary.distribution


def _edges(first: NumericalSummary, second: NumericalSummary, size: int, *, whole: bool) -> FloatArray:
    low = min(first.moments.low, second.moments.low)
    high = max(first.moments.high, second.moments.high)
    try:
        return sturges_edges(low, high, size, whole=whole)
    except ValueError as error:
        raise NotEvaluable(str(error)) from error


def _distinct_at_least(summary: NumericalSummary, wanted: int) -> bool:
    held = summary.distribution
    if isinstance(held, Cells):
        # Every cell that holds rows holds at least one value of its own.
        return int(np.count_nonzero(np.diff(held.cumulative, prepend=0))) >= wanted
    return count_distinct(held.values, enough=wanted - 1) >= wanted


def shares(counts: Counts) -> tuple[FloatArray, FloatArray]:
    """Each side's counts as parts of its rows."""
    reference, production = (part / part.sum(axis=-1, keepdims=True) for part in counts)
    return reference, production


def without_zeros(part: FloatArray) -> FloatArray:
    """Empty bins get a small share, so that logarithms exist: 0.0001, or a millionth of a smallest share below that."""
    smallest = np.where(part > 0, part, np.inf).min(axis=-1, keepdims=True)
    return np.where(part == 0, np.where(smallest <= 0.0001, smallest / 10**6, 0.0001), part)


def jensen_shannon(counts: Counts) -> FloatArray:
    """Jensen-Shannon distance with natural logarithms, in [0, sqrt(ln 2)]. Source: Endres and Schindelin (2003)."""
    p, q = shares(counts)
    middle = (p + q) / 2
    divergence = _relative_entropy(p, middle) + _relative_entropy(q, middle)
    return np.sqrt(np.maximum(divergence, 0.0) / 2)


def population_stability_index(counts: Counts) -> FloatArray:
    """Sum of (p - q) * ln(p / q). Source: Siddiqi (2006), "Credit Risk Scorecards"."""
    p, q = (without_zeros(part) for part in shares(counts))
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))


def kullback_leibler(counts: Counts) -> FloatArray:
    """Divergence of the reference from production in nats. Source: Kullback and Leibler (1951)."""
    p, q = (without_zeros(part) for part in shares(counts))
    return _relative_entropy(p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True))


def hellinger(counts: Counts) -> FloatArray:
    """Hellinger distance, in [0, 1]. Source: Hellinger (1909).

    Half the squared distance between the roots of the shares, which equals one minus their overlap, but does not lose
    its digits where the two sides are nearly the same.
    """
    p, q = shares(counts)
    return np.asarray(np.sqrt(np.minimum(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=-1) / 2, 1.0)))


def _relative_entropy(p: FloatArray, q: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(p > 0, p * np.log(p / q), 0.0).sum(axis=-1))
