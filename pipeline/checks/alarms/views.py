"""Three ways to see that a column moved: each makes a point of a column's counts, and looks how far points are apart.

    quantiles   of numbers: the shares of rows below the edges, as Anderson and Darling weigh them
    shares      of numbers and categories: the shares of rows in the cells, as Hellinger's distance weighs them
    missing     the share of missing values

Where nothing changed, the squared distance of two sides of n and m rows has the mean 1/n + 1/m in every view, whatever
the column looks like. Columns of one kind and as many cells are looked at side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Literal

import numpy as np

from pipeline.checks.alarms.quadratic import POINTS, gamma_tail, mixture_tail
from pipeline.checks.scan.types import FloatArray, IntArray
from pipeline.results import Kind

ViewName = Literal["quantiles", "shares", "missing"]
_LEAST_EXPECTED = 4.0
"""Rows that a cell has to expect on the smaller side; smaller cells are counted together."""
_HARDLY = 1.0
_OUTERMOST = 0.01
"""Edges that fewer of the rows lie beyond are left to the view of shares: a row or two would decide there."""
_NONE = 1e-9
_ADDED = 1.5
"""Added to counts, so that their root varies alike however small they are. Anscombe's 3/8 (1948) makes the variance
right, and a cell that expects eight rows and gets none seem 50 times as rare as it is at 1 in 100,000; 1.5 keeps the
tails of Poisson counts within 4 times.
"""
_MOST_KEPT = 128
"""Nights that a view remembers: those that say what is usual, and some more."""
_NO_TAIL = np.full(POINTS.size, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A night in a view of v columns: its points, shape (v, f), their squared lengths and its rows, both (v,)."""

    point: FloatArray
    squares: FloatArray
    rows: FloatArray


@dataclass(frozen=True, eq=False)
class View:
    """One way to compare two sides, for v columns of those that were given: `columns`, shape (v,), are their places;
    `ordered`: they are numbers.

    `point` takes counts in the cells of these columns, shape (..., v, k), the missing ones last, to points, shape
    (..., v, f), whose coordinates are 0 beyond a column's own. `scatter` is what chance makes of a point, as a mean
    squared distance, of the shares of the cells, shape (v, k), and rows, shape (v,): less than 1 / rows where cells
    expect few. `freedom`, (v,), is how many independent ways there are to be different; a change of given size counts
    for 1 / `freedom` of it. Chance is a sum of squares: `lead`, (v,), is the part of the largest, `evenness`, (v,),
    half the variance relative to the mean (1 / f where f squares are alike), and `rest`, (v, g), the tail of the others
    in units of their mean (see `quadratic`; nan where there are none).
    """

    name: ViewName
    ordered: bool
    columns: IntArray
    freedom: FloatArray
    lead: FloatArray
    evenness: FloatArray
    rest: FloatArray
    point: Callable[[FloatArray], FloatArray]
    scatter: Callable[[FloatArray, FloatArray], FloatArray]
    _known: dict[int, tuple[FloatArray, Seen]] = field(default_factory=dict)

    def rows(self, counts: FloatArray) -> FloatArray:
        """The rows that the view looks at, shape (..., v), of counts (..., v, k)."""
        seen = counts if self.name == "missing" else counts[..., :-1]
        return np.asarray(seen.sum(axis=-1), dtype=np.float64)

    def seen(self, counts: FloatArray) -> Seen:
        """A night of all columns that were given, shape (c, k); the same array is looked at once."""
        if id(counts) not in self._known:
            while len(self._known) >= _MOST_KEPT:
                del self._known[next(iter(self._known))]
            mine = counts[self.columns]
            point = self.point(mine)
            # with the array itself, so that no other one can come to lie where it does
            self._known[id(counts)] = counts, Seen(point, (point**2).sum(axis=-1), self.rows(mine))
        return self._known[id(counts)][1]


def views_of(kind: Kind, base: FloatArray, rows: FloatArray) -> tuple[View, ...]:
    """The views of columns that say something; each has those columns of which it does.

    Args:
        kind: numbers have an order, categories have none.
        base: rows of what nights are held against in each cell, shape (c, k), the missing ones last.
        rows: n * m / (n + m), the rows that two sides of n and m rows are as good as, shape (c,).
    """
    magnitudes = np.log2(np.maximum(rows, 1.0)).astype(np.int64)
    return _views(kind, base.tobytes(), magnitudes.tobytes(), base.shape[1])


@lru_cache(maxsize=24)
def _views(kind: Kind, base: bytes, magnitudes: bytes, cells: int) -> tuple[View, ...]:
    counts = np.frombuffer(base).reshape(-1, cells)
    rows = np.exp2(np.frombuffer(magnitudes, np.int64).astype(np.float64))
    there = np.flatnonzero(counts[:, :-1].sum(axis=1) > 0)
    shares = counts[there, :-1] / counts[there, :-1].sum(axis=1, keepdims=True)
    made = [_missing(len(counts), ordered=kind == "numerical"), _shares(kind, there, shares, rows[there])]
    if kind == "numerical":
        made.append(_quantiles(there, shares))
    return tuple(view for view in made if view.columns.size)


def _missing(many: int, *, ordered: bool) -> View:
    def point(counts: FloatArray) -> FloatArray:
        return _angle(counts[..., -1:], counts.sum(axis=-1, keepdims=True))

    def scatter(shares: FloatArray, rows: FloatArray) -> FloatArray:
        return _scatter_of_angle(shares[:, -1:], rows)[:, 0]

    one = np.ones(many)
    return View("missing", ordered, np.arange(many), one, one, one, np.tile(_NO_TAIL, (many, 1)), point, scatter)


def _angle(some: FloatArray, rows: FloatArray) -> FloatArray:
    """A share as an angle, whose variance is 1 / rows whatever the share; see Anscombe (1948)."""
    return np.asarray(2 * np.arcsin(np.sqrt((some + _ADDED) / (rows + 2 * _ADDED))))


def _scatter_of_angle(shares: FloatArray, rows: FloatArray) -> FloatArray:
    """The variance of `_angle` by the delta method, shape (v, s), of shares (v, s) and rows (v,)."""
    some = rows[:, None] * shares
    angle = (some + _ADDED) * (rows[:, None] - some + _ADDED)
    return np.asarray(some * (1 - shares) / np.maximum(angle, _NONE))


def _shares(kind: Kind, columns: IntArray, shares: FloatArray, rows: FloatArray) -> View:
    """Of two sides that are the same, k cells are as far apart as a chi-square of k - 1 degrees of freedom; cells in
    which hardly a row is expected leave it as it is.
    """
    groups = _grouped(kind, shares, rows)
    cells = groups.max(axis=1, initial=0) + 1
    some = cells > 1
    columns, shares, rows, groups, cells = columns[some], shares[some], rows[some], groups[some], cells[some]
    most = int(cells.max(initial=1))
    joined = (groups[:, :, None] == np.arange(most)).astype(np.float64)
    own = np.arange(most) < cells[:, None]
    expected = _joined(shares, joined) * rows[:, None]
    freedom = np.maximum(1, ((expected >= _HARDLY) & own).sum(axis=1) - 1).astype(np.float64)

    def point(counts: FloatArray) -> FloatArray:
        found = (_joined(counts[..., :-1], joined) + _ADDED) * own
        return np.asarray(2 * np.sqrt(found / found.sum(axis=-1, keepdims=True) / freedom[:, None]))

    def scatter(shares: FloatArray, rows: FloatArray) -> FloatArray:
        there = _joined(shares[:, :-1], joined)
        there = there / np.maximum(there.sum(axis=1, keepdims=True), _NONE)
        found = rows[:, None] * there
        roots = found * (1 - there) / (found + _ADDED)
        return np.asarray(roots.sum(axis=1) / (rows + _ADDED * cells) / freedom)

    rest = np.array([_alike(int(many)) for many in freedom]).reshape(len(columns), POINTS.size)
    return View("shares", kind == "numerical", columns, freedom, 1 / freedom, 1 / freedom, rest, point, scatter)


def _joined(counts: FloatArray, joined: FloatArray) -> FloatArray:
    """Counts of groups, shape (..., v, g), of cells (..., v, k) and which of them are joined (v, k, g)."""
    return np.asarray((counts[..., None, :] @ joined)[..., 0, :])


def _grouped(kind: Kind, shares: FloatArray, rows: FloatArray) -> IntArray:
    """The group of each cell, shape (v, k): itself, or together with all others that expect too few rows.

    Of categories the cell of all that have none of their own is always among those others: which of the small ones have
    one, chance decided, and apart from the others they would fall back on every night.
    """
    small = shares * rows[:, None] < _LEAST_EXPECTED
    if kind == "categorical":
        small[:, -1] = True
    places = np.cumsum(~small, axis=1) - 1 + small.any(axis=1, keepdims=True)
    return np.where(small, 0, places)


def _quantiles(columns: IntArray, shares: FloatArray) -> View:
    """Anderson and Darling's statistic on cells, each edge weighed by the rows around it; a weighted sum of squared
    normals. Source: Choulakian, Lockhart and Stephens (1994). Shares below an edge are taken as angles, not divided by
    their deviation, which a row or two beyond an outer edge would take too far.
    """
    below = np.cumsum(shares, axis=1)[:, :-1]
    inside = (below > _OUTERMOST) & (below < 1 - _OUTERMOST)
    some = inside.any(axis=1)
    columns, shares, below, inside = columns[some], shares[some], below[some], inside[some]
    around = (shares[:, :-1] + shares[:, 1:]) * inside
    weights = around / around.sum(axis=1, keepdims=True)
    scale = np.sqrt(weights)

    def point(counts: FloatArray) -> FloatArray:
        rows = np.cumsum(counts[..., :-1], axis=-1)
        return np.asarray(_angle(rows[..., :-1], rows[..., -1:]) * scale)

    def scatter(shares: FloatArray, rows: FloatArray) -> FloatArray:
        there = np.cumsum(shares[:, :-1], axis=1)
        angles = _scatter_of_angle(there[:, :-1] / np.maximum(there[:, -1:], _NONE), rows)
        return np.asarray((angles * weights).sum(axis=1))

    edges = zip(weights, below, inside, strict=True)
    found = [_unlike(own[kept].tobytes(), at[kept].tobytes()) for own, at, kept in edges]
    lead, evenness = (np.array([item[place] for item in found], np.float64) for place in range(2))
    rest = np.array([item[2] for item in found]).reshape(columns.size, POINTS.size)
    return View("quantiles", True, columns, np.ones(columns.size), lead, evenness, rest, point, scatter)


@cache
def _alike(freedom: int) -> FloatArray:
    """The tail of all squares but one where they are alike."""
    return gamma_tail((freedom - 1) / 2) if freedom > 1 else _NO_TAIL


@lru_cache(maxsize=4096)
def _unlike(weights: bytes, below: bytes) -> tuple[float, float, FloatArray]:
    """The largest square, the sum of their squares, and the tail of the others: of edges with weights, that so many of
    the rows lie below.
    """
    own, at = np.frombuffer(weights), np.frombuffer(below)
    odds = at / (1 - at)
    correlation = np.sqrt(np.minimum.outer(odds, odds) / np.maximum.outer(odds, odds))
    found = np.linalg.eigvalsh(correlation * np.sqrt(np.outer(own, own)))
    squares = found[found > _NONE]
    return float(squares[-1]), float(squares @ squares), _rest(squares[:-1])


def _rest(others: FloatArray) -> FloatArray:
    if not others.size:
        return _NO_TAIL
    return gamma_tail(others.size / 2) if others[0] == others[-1] else mixture_tail(others)
