"""Quantiles of a night's column out of its counts: exact to a cell, which holds a fortieth of the reference's rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from pipeline.results import PROFILE_QUANTILES, ColumnProfile, SideProfile

PARTS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Which quantiles are told, as fractions of the rows."""


def values_at(column: ColumnProfile, side: SideProfile) -> tuple[float, ...] | None:
    """The quantiles at `PARTS` of a side of a numerical column, in its unit; None without a row, or without edges.

    A quantile lies in the cell in which its rank does, so it is off by less than the distance of two edges that are
    next to each other; the reference's own are edges. Within a cell rows are taken to lie evenly; but where it holds
    two fortieths of the reference or more, several of its quantiles are one value, the upper edge, and rows are taken
    to have that: quantiles of a column of few values are such values. The outermost cells end at the side's smallest
    and largest value, and no quantile lies beyond them.
    """
    edges = column.edges
    if not edges or len(side.cells) != len(edges) + 1:
        return None
    low = edges[0] if side.low is None else side.low
    high = edges[-1] if side.high is None else side.high
    bounds = (min(low, edges[0]), *edges, max(high, edges[-1]))
    rows = sum(column.reference.cells)
    single = [PROFILE_QUANTILES * there >= 2 * rows > 0 for there in column.reference.cells]
    found = _quantiles(side.cells, bounds, single)
    if found is None or side.low is None or side.high is None:
        return found
    return tuple(min(max(value, low), high) for value in found)


def ranks_at(column: ColumnProfile, side: SideProfile) -> tuple[float, ...] | None:
    """The same as ranks of the reference in [0, 1], which tell no value: 0.48 at one half says that half of the side's
    rows lie below the reference's 48% quantile. None without a row on either side, or where the cells are not the same.

    As exact as the values; rows below the reference's smallest have rank 0, those above its largest 1.
    """
    rows, cells = sum(column.reference.cells), column.reference.cells
    if not rows or len(side.cells) != len(cells):
        return None
    bounds = (0.0, *(below / rows for below in accumulate(cells)))
    return _quantiles(side.cells, bounds, [False] * len(cells))


def _quantiles(cells: Sequence[int], bounds: Sequence[float], single: Sequence[bool]) -> tuple[float, ...] | None:
    """Values at `PARTS`. The rows of cell i lie evenly from bounds[i] to bounds[i + 1], or all at its end."""
    below = [0, *accumulate(cells)]
    if not below[-1]:
        return None
    found = []
    for part in PARTS:
        rank = part * below[-1]
        cell = bisect_left(below, rank) - 1
        along = 1.0 if single[cell] else (rank - below[cell]) / cells[cell]
        found.append(bounds[cell] * (1 - along) + bounds[cell + 1] * along)
    return tuple(found)
