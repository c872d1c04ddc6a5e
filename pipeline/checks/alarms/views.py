"""Three ways to see that a column moved: each makes a point of a column's counts, and looks how far points are apart.

    quantiles   of numbers: the shares of rows below the edges, as Anderson and Darling weigh them
    shares      of numbers and categories: the shares of rows in the cells, as Hellinger's distance weighs them
    missing     the share of missing values

Where nothing changed, the squared distance of two sides of n and m rows has the mean 1/n + 1/m in every view, whatever
the column looks like.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipeline.checks.alarms.quadratic import Tail, gamma_tail, mixture_tail
from pipeline.checks.scan.types import FloatArray
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


@dataclass(frozen=True, eq=False)
class View:
    """One way to compare two sides.

    `point` takes counts in the cells of the column, shape (..., k), the missing ones last, to points, shape (..., f).
    `scatter` is what chance makes of a point, as a mean squared distance, of the shares of the cells, shape (k,), and
    rows, shape (n,), in the same shape as these: less than 1 / rows where cells expect few.
    `freedom` is how many independent ways there are to be different; a change of given size counts for 1 / `freedom`
    of it. Chance is a sum of squares, and `squares` gives how large each is on average, shape (s,), ascending; they add
    up to 1.
    """

    name: ViewName
    freedom: float
    point: Callable[[FloatArray], FloatArray]
    scatter: Callable[[FloatArray, FloatArray], FloatArray]
    squares: Callable[[], FloatArray]

    @cached_property
    def lead(self) -> float:
        """The part of the largest square."""
        return float(self._squares[-1])

    @cached_property
    def evenness(self) -> float:
        """Half the variance of chance, relative to its mean: 1 / f where f squares are alike, 1 where there is one."""
        return float(self._squares @ self._squares)

    @cached_property
    def rest(self) -> Tail | None:
        """The distribution of the other squares, in units of their mean; None where there are none."""
        others = self._squares[:-1]
        if not others.size:
            return None
        return gamma_tail(others.size / 2) if others[0] == others[-1] else mixture_tail(others)

    @cached_property
    def _squares(self) -> FloatArray:
        return self.squares()

    def rows(self, counts: FloatArray) -> FloatArray:
        """The rows that the view looks at, shape (...), of counts (..., k)."""
        seen = counts if self.name == "missing" else counts[..., :-1]
        return np.asarray(seen.sum(axis=-1), dtype=np.float64)


def views_of(kind: Kind, base: FloatArray, rows: float) -> tuple[View, ...]:
    """The views of a column that say something.

    Args:
        kind: numbers have an order, categories have none.
        base: rows of what nights are held against in each cell, shape (k,), the missing ones last.
        rows: n * m / (n + m), the rows that two sides of n and m rows are as good as.
    """
    return _views(kind, base.tobytes(), max(0, int(math.log2(max(rows, 1.0)))))


@lru_cache(maxsize=4096)
def _views(kind: Kind, base: bytes, magnitude: int) -> tuple[View, ...]:
    present = np.frombuffer(base)[:-1]
    made: list[View | None] = [_missing()]
    if present.sum() > 0:
        made.append(_shares(kind, present / present.sum(), 2.0**magnitude))
        made.append(_quantiles(present / present.sum()) if kind == "numerical" else None)
    return tuple(view for view in made if view is not None)


def _missing() -> View:
    def point(counts: FloatArray) -> FloatArray:
        return _angle(counts[..., -1:], counts.sum(axis=-1, keepdims=True))

    def scatter(shares: FloatArray, rows: FloatArray) -> FloatArray:
        return _scatter_of_angle(shares[-1:], rows)[:, 0]

    return View("missing", 1.0, point, scatter, lambda: np.ones(1))


def _angle(some: FloatArray, rows: FloatArray) -> FloatArray:
    """A share as an angle, whose variance is 1 / rows whatever the share; see Anscombe (1948)."""
    return np.asarray(2 * np.arcsin(np.sqrt((some + _ADDED) / (rows + 2 * _ADDED))))


def _scatter_of_angle(shares: FloatArray, rows: FloatArray) -> FloatArray:
    """The variance of `_angle` by the delta method, shape (n, s), of shares (s,) and rows (n,)."""
    some = rows[:, None] * shares
    angle = (some + _ADDED) * (rows[:, None] - some + _ADDED)
    return np.asarray(some * (1 - shares) / np.maximum(angle, _NONE))


def _shares(kind: Kind, shares: FloatArray, rows: float) -> View | None:
    """Of two sides that are the same, k cells are as far apart as a chi-square of k - 1 degrees of freedom; cells in
    which hardly a row is expected leave it as it is.
    """
    groups = _grouped(kind, shares, rows)
    cells = int(groups.max()) + 1
    if cells == 1:
        return None
    joined: npt.NDArray[np.float64] = np.zeros((shares.size, cells))
    joined[np.arange(shares.size), groups] = 1.0
    freedom = max(1, int((shares @ joined * rows >= _HARDLY).sum()) - 1)

    def point(counts: FloatArray) -> FloatArray:
        found = counts[..., :-1] @ joined + _ADDED
        return np.asarray(2 * np.sqrt(found / found.sum(axis=-1, keepdims=True) / freedom))

    def scatter(shares: FloatArray, rows: FloatArray) -> FloatArray:
        there = shares[:-1] @ joined
        there = there / max(float(there.sum()), _NONE)
        found = rows[:, None] * there
        roots = found * (1 - there) / (found + _ADDED)
        return np.asarray(roots.sum(axis=1) / (rows + _ADDED * cells) / freedom)

    return View("shares", float(freedom), point, scatter, lambda: np.full(freedom, 1 / freedom))


def _grouped(kind: Kind, shares: FloatArray, rows: float) -> npt.NDArray[np.int64]:
    """The group of each cell, shape (k,): itself, or together with all others that expect too few rows.

    Of categories the cell of all that have none of their own is always among those others: which of the small ones have
    one, chance decided, and apart from the others they would fall back on every night.
    """
    small = shares * rows < _LEAST_EXPECTED
    if kind == "categorical":
        small[-1] = True
    groups = np.zeros(shares.size, np.int64)
    groups[~small] = np.arange((~small).sum()) + small.any()
    return groups


def _quantiles(shares: FloatArray) -> View | None:
    """Anderson and Darling's statistic on cells, each edge weighed by the rows around it; a weighted sum of squared
    normals. Source: Choulakian, Lockhart and Stephens (1994). Shares below an edge are taken as angles, not divided by
    their deviation, which a row or two beyond an outer edge would take too far.
    """
    below = np.cumsum(shares)[:-1]
    inside = (below > _OUTERMOST) & (below < 1 - _OUTERMOST)
    if not inside.any():
        return None
    around = (shares[:-1] + shares[1:])[inside]
    weights, below = around / around.sum(), below[inside]
    scale = np.sqrt(weights)

    def point(counts: FloatArray) -> FloatArray:
        rows = np.cumsum(counts[..., :-1], axis=-1)
        return np.asarray(_angle(rows[..., :-1], rows[..., -1:])[..., inside] * scale)

    def scatter(shares: FloatArray, rows: FloatArray) -> FloatArray:
        there = np.cumsum(shares[:-1])
        return np.asarray(_scatter_of_angle(there[:-1][inside] / max(float(there[-1]), _NONE), rows) @ weights)

    def squares() -> FloatArray:
        odds = below / (1 - below)
        correlation = np.sqrt(np.minimum.outer(odds, odds) / np.maximum.outer(odds, odds))
        found = np.linalg.eigvalsh(correlation * np.sqrt(np.outer(weights, weights)))
        return np.asarray(found[found > _NONE])

    return View("quantiles", 1.0, point, scatter, squares)
