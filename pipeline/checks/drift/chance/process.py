"""Distances between two distribution functions: how far two draws of one distribution are apart.

Whatever the distribution, its draws are those of uniform ranks, moved to its quantiles: what two empirical distribution
functions of n and m rows differ by at each rank is drawn once for all columns, and a column's quantiles say what it
weighs. Ranks are single rows at both ends and lie further apart inward, so that heavy tails are right.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from pipeline.checks.drift.chance.draws import draw_counts, share_beyond
from pipeline.checks.drift.statistics import Method
from pipeline.checks.drift.statistics.numerical import normed
from pipeline.checks.scan import Cells, FloatArray, IntArray, NumericalSummary

_DRAWS = 500
# Ranks beyond the outermost row, and what is known of the values there.
_PARTS_OF_A_ROW = 0.5 ** np.arange(1.0, 6)
_OF_THE_LARGEST = 2**-0.5
_TAIL_ROWS, _FEWEST_TAIL_ROWS = 200, 20
_HEAVIEST = 0.95
_SEED = 0
# From one rank to the next: this much of the rows beyond it, but not more than this much of all.
_OF_TAIL, _OF_ALL = 0.1, 0.01
# Sizes beyond this are rounded to powers of this, so that columns with a few rows missing share their draws.
_EXACT_SIZE, _STEP = 50, 1.2


def of_distance(method: Method, threshold: float, reference: NumericalSummary, rows: int) -> float:
    """How often `wasserstein` or `ed` call a night of so many rows drifted, nothing having changed."""
    size = reference.distribution.size
    if size < 2:
        return share_beyond(np.zeros(1), threshold, strict=method.strict)
    drawn = tuple(map(_rounded, (size, rows)))
    cuts, gaps = _gaps(*drawn)
    scale = math.sqrt((1 / size + 1 / rows) / (1 / drawn[0] + 1 / drawn[1]))
    places = np.round(cuts * ((size - 1) / max(1, cuts[-1]))).astype(np.int64)
    below, above = (np.diff(far_beyond(reference, way, _PARTS_OF_A_ROW), prepend=0) for way in (-1, 1))
    steps = np.concatenate((below[::-1], np.diff(at_ranks(reference, places)), above))
    if method.name == "ed":
        return share_beyond(2 * scale**2 * np.einsum("ij,j->i", gaps**2, steps), threshold**2, strict=method.strict)
    distances = normed(1.0, reference.moments) * scale * np.einsum("ij,j->i", gaps, steps)
    return share_beyond(distances**2, threshold**2, strict=method.strict)


def far_beyond(reference: NumericalSummary, way: int, parts: FloatArray) -> FloatArray:
    """How far beyond its smallest (-1) or largest (1) value the column goes, shape (k,); 0 for few rows.

    A generalised Pareto tail fitted to the outermost values by probability-weighted moments. Source: Hosking and
    Wallis (1987), "Parameter and quantile estimation for the generalized Pareto distribution".

    Args:
        reference: the column as it was.
        way: to which end.
        parts: shape (k,), what is left of the share of rows that the outermost value stands for, in (0, 1].
    """
    size = reference.distribution.size
    count = min(_TAIL_ROWS, size // 10)
    if count < _FEWEST_TAIL_ROWS:
        return np.zeros(parts.size)
    ranks = np.arange(count + 1)
    values = at_ranks(reference, size - 1 - ranks if way > 0 else ranks)
    excesses = np.abs(values[:-1] - values[-1])
    mean = float(excesses.mean())
    weighted = float((excesses * ((ranks[:-1] + 0.65) / count)).mean())
    shape = min(_HEAVIEST, 2 - mean / (mean - 2 * weighted)) if mean > 2 * weighted else 0.0
    if not shape:
        return np.zeros(parts.size)
    scale = 2 * mean * weighted / (mean - 2 * weighted)
    outermost = (_OF_THE_LARGEST / count) ** -shape
    return np.asarray((parts**-shape - 1) * outermost * (scale / shape))


def at_ranks(reference: NumericalSummary, ranks: IntArray) -> FloatArray:
    """Values at 0-based ranks in ascending order, shape (k,); of cells, the edge above."""
    held = reference.distribution
    if isinstance(held, Cells):
        return held.edges[np.searchsorted(held.cumulative, ranks, side="right")]
    places = ranks if held.counts is None else np.searchsorted(held.below, ranks, side="right") - 1
    return held.values[places]


def ranks_of(size: int) -> IntArray:
    """Ascending numbers of rows below which to look, 1 ... size - 1, the same from either end."""
    half, found = size // 2, [1]
    while found[-1] < half:
        found.append(min(half, found[-1] + max(1, min(int(found[-1] * _OF_TAIL), int(size * _OF_ALL)))))
    lower = np.array(found, np.int64)
    return np.unique(np.concatenate((lower, size - lower)))


def finest(size: int) -> float:
    """The most of all rows that lie between two neighbouring ranks."""
    return max(1 / size, _OF_ALL)


def _rounded(size: int) -> int:
    if size <= _EXACT_SIZE:
        return size
    return round(_STEP ** round(math.log(size) / math.log(_STEP)))


@lru_cache(maxsize=8)
def _gaps(size: int, rows: int) -> tuple[IntArray, FloatArray]:
    """0-based ranks, shape (k + 1,), between which the functions differ by as much as the (draws, k) gaps say."""
    ranks = ranks_of(size)
    between = -((ranks[:-1] + ranks[1:]) // -2) - 1
    cuts = np.concatenate(([0], between, [size - 1]))
    inside = np.concatenate((_PARTS_OF_A_ROW[::-1], ranks, size - _PARTS_OF_A_ROW))
    parts = np.diff(inside, prepend=0, append=size) / size
    tail = np.minimum(np.cumsum(parts), np.cumsum(parts[::-1])[::-1])
    random = np.random.default_rng(_SEED)
    sides = [np.cumsum(draw_counts(parts, n, _DRAWS, random, tail * n), axis=1) for n in (size, rows)]
    first, second = (side[:, :-1] / side[:, -1:] for side in sides)
    return cuts, np.abs(first - second)
