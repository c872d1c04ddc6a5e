"""Statistics of columns too long to hold, each with a proven bound on its error.

Both distribution functions, F of the reference and G of production, are exact at every edge, and so is the integral of
each over every cell. Inside a cell both only rise. That confines the statistic to an interval, whatever the values
inside the cells are; the score is the middle of the interval and the error bound half its length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.checks.drift.statistics.numerical import ks_p_value, mann_whitney_p_value, normed
from pipeline.checks.drift.statistics.score import Score
from pipeline.checks.scan import Cells, FloatArray, IntArray, NumericalSummary, SortedValues
from pipeline.checks.scan.streaming import cells_of

# Sums over cells round: this much relative to the result is added to every bound.
_ROUNDING = 1e-9
# An error bound of 0.0 would say that the score is exact.
_SMALLEST_BOUND = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """Per cell, shape (k,): its width, both functions at its ends, and |integral of F - G| over it."""

    width: FloatArray
    reference_left: FloatArray
    reference_right: FloatArray
    production_left: FloatArray
    production_right: FloatArray
    net: FloatArray

    @property
    def widest(self) -> FloatArray:
        """The most that |F - G| can be anywhere inside."""
        return np.maximum(
            np.maximum(self.reference_right - self.production_left, self.production_right - self.reference_left), 0.0
        )

    @property
    def one_sided(self) -> npt.NDArray[np.bool_]:
        """Cells in which F - G cannot change sign: there the integral of |F - G| is known exactly."""
        return (self.reference_left >= self.production_right) | (self.production_left >= self.reference_right)

    @property
    def most(self) -> FloatArray:
        """The most that the integral of |F - G| over a cell can be; the least is `net`."""
        return np.where(self.one_sided, self.net, np.maximum(self.net, self.width * self.widest))


def shared_cells(reference: NumericalSummary, production: NumericalSummary) -> tuple[Cells, Cells]:
    """Both columns as cells on the same edges. At least one already is.

    Raises:
        ValueError: they were counted on different edges.
    """
    first, second = reference.distribution, production.distribution
    if isinstance(first, SortedValues) and isinstance(second, Cells):
        first = cells_of(first, second.edges)
    if isinstance(second, SortedValues) and isinstance(first, Cells):
        second = cells_of(second, first.edges)
    if not (isinstance(first, Cells) and isinstance(second, Cells)) or not np.array_equal(first.edges, second.edges):
        raise ValueError("two columns held as cells can be compared only on the same edges")
    return first, second


def bands(first: Cells, second: Cells) -> Bands:
    """What is known inside the cells. The first cell is a single value and has no inside."""
    width = np.diff(first.edges)
    f, g = first.cumulative / first.size, second.cumulative / second.size
    integrals = [share[:-1] * width + cells.gaps[1:] / cells.size for share, cells in ((f, first), (g, second))]
    return Bands(width, f[:-1], f[1:], g[:-1], g[1:], np.abs(integrals[0] - integrals[1]))


def wasserstein(reference: NumericalSummary, production: NumericalSummary) -> Score:
    """Normed by the reference's deviation, which is exact."""
    known = bands(*shared_cells(reference, production))
    least, most = float(known.net.sum()), float(known.most.sum())
    return _between(normed(least, reference.moments), normed(most, reference.moments))


def energy_distance(reference: NumericalSummary, production: NumericalSummary) -> Score:
    """The mean square is at least the squared mean, and at most the largest value times the mean."""
    known = bands(*shared_cells(reference, production))
    least = float((known.net**2 / known.width).sum())
    most = float((known.widest * known.most).sum())
    return _between(math.sqrt(2 * least), math.sqrt(2 * max(least, most)))


def ks(reference: NumericalSummary, production: NumericalSummary) -> Score:
    """Asymptotic p-value between those of the largest gap at an edge and of the largest possible gap in a cell."""
    first, second = shared_cells(reference, production)
    at_edges = float(np.abs(first.cumulative / first.size - second.cumulative / second.size).max())
    inside = float(bands(first, second).widest.max(initial=0.0))
    p_values = [ks_p_value(gap, first.size, second.size) for gap in (max(at_edges, inside), at_edges)]
    return _between(*p_values)


def mann_whitney(reference: NumericalSummary, production: NumericalSummary) -> Score:
    """Pairs inside one cell may be ordered either way; ties may be none or the whole cell."""
    first, second = shared_cells(reference, production)
    x, y = _rows(first), _rows(second)
    single = np.concatenate(([True], np.nextafter(first.edges[1:], -np.inf) == first.edges[:-1]))
    sure = float((x * (second.cumulative - y)).sum()) + float((x * (y)).sum()) / 2
    unsure = float((x[~single] * (y[~single])).sum()) / 2
    pooled = x + y
    ties = pooled**3 - pooled
    p_values = [
        mann_whitney_p_value(u, first.size, second.size, tie)
        for u in (sure - unsure, sure + unsure)
        for tie in (float(ties[single].sum()), float(ties.sum()))
    ]
    return _between(min(p_values), max(p_values))


def _rows(cells: Cells) -> FloatArray:
    counts: IntArray = np.diff(cells.cumulative, prepend=0)
    return counts.astype(np.float64)


def _between(least: float, most: float) -> Score:
    middle = (least + most) / 2
    return Score(middle, (most - least) / 2 + _ROUNDING * abs(middle) + _SMALLEST_BOUND)
