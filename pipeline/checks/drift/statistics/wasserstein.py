"""The first Wasserstein distance of two numerical columns held sorted, exact, in O(n + m).

Most columns are measured by it, so that its loop is what many rows cost most in, after reading and sorting. It asks
numpy for few things on pieces that stay in the processor's cache, and for no array that it has already.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.checks.drift.statistics.pooled import integral_of_difference
from pipeline.checks.scan import FloatArray, IntArray, SortedValues

_ROW = 10_000  # the longest vectors that OpenBLAS multiplies without waking its threads
_MOST_ROWS = 3  # of a piece
_BLOCK = 1 << 14


def wasserstein_distance(reference: SortedValues, production: SortedValues) -> float:
    """First Wasserstein distance, in the unit of the column.

    The integral over all shares of the distance between the two quantile functions. For n and m rows their steps meet
    at multiples of 1/n and 1/m, so the weight of every pair of steps is an integer over n * m and no value is compared
    with another. Source: Vallender (1974), "Calculation of the Wasserstein distance between probability distributions
    on the line".
    """
    if reference.counts is not None or production.counts is not None:
        return integral_of_difference(reference, production, power=1)
    short, long = reference.values, production.values
    if short.size > long.size:
        short, long = long, short
    return _equal_sizes(short, long) if short.size == long.size else _unequal_sizes(short, long)


def _equal_sizes(first: FloatArray, second: FloatArray) -> float:
    total = 0.0
    for start in range(0, first.size, _BLOCK):
        total += float(np.abs(first[start : start + _BLOCK] - second[start : start + _BLOCK]).sum())
    return total / first.size


def _unequal_sizes(short: FloatArray, long: FloatArray) -> float:
    n, m = short.size, long.size
    total, gaps = 0.0, np.empty(0)
    for start, first, places, units in _pieces(n, m):
        gaps = np.empty_like(units) if gaps.size != units.size else gaps
        values, near = long[start : start + units.size], short[first : first + units.size + 2]
        total += _weighted_gaps(values, near, places, units, gaps)
        np.subtract(n, units, out=units)
        total += _weighted_gaps(values, near[1:] if near.size > 1 else near, places, units, gaps)
    return total / n / m


def _pieces(n: int, m: int) -> Iterator[tuple[int, int, IntArray, FloatArray]]:
    """The steps of the longer column's quantile function, m of them, over those of the shorter's, n.

    In units of 1/(n * m) of all shares, step j of the longer begins at j * n and is n units long; those of the shorter
    are m units long, so that it lies over one or two of them. Within a piece these are whole numbers that float64 has
    exactly, and divides far faster than integers.

    Yields:
        The first step of a piece; the first one of the shorter that it lies over; and for each step, shape (rows,
        _ROW) flattened, over which one it begins, counted from that, and for how many units. The arrays go on beyond
        the last step, and are those of the next piece, too.
    """
    size = _ROW * min(_MOST_ROWS, -(-m // _ROW))
    from_first, longest = np.arange(size) * float(n), np.full(size, float(n))
    begins, units, places = np.empty(size), np.empty(size), np.empty(size, np.int64)
    for start in range(0, m, size):
        first, rest = divmod(start * n, m)
        np.add(from_first, float(rest), out=begins)
        np.floor(np.divide(begins, m, out=units), out=units)
        np.copyto(places, units, casting="unsafe")
        units += 1
        units *= m
        units -= begins  # until the end of the step below
        yield start, first, places, np.minimum(units, longest, out=units)


def _weighted_gaps(
    values: FloatArray, near: FloatArray, places: IntArray, units: FloatArray, gaps: FloatArray
) -> float:
    """Sum of how far values are from those at their places, times their units; `gaps` is there to be written to.

    Where there is no such place any more, no unit is left either.
    """
    here = gaps[: values.size]
    np.take(near, places[: values.size], out=here, mode="clip")
    np.abs(np.subtract(values, here, out=here), out=here)
    gaps[values.size :] = 0
    return float(np.vecdot(gaps.reshape(-1, _ROW), units.reshape(-1, _ROW)).sum())
