"""How much nights differ from each other beyond chance, as a mean squared distance in a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.checks.alarms.views import View, ViewName, views_of
from pipeline.checks.scan.types import FloatArray, IntArray
from pipeline.results import Kind

BoolArray = npt.NDArray[np.bool_]

PRIOR: Mapping[ViewName, float] = {"quantiles": 0.0007, "shares": 0.0016, "missing": 0.0007}
"""What is expected before nights were seen: numbers that move by about 4 hundredths of a standard deviation; times the
freedom of the view."""
PRIOR_NIGHTS = 2.0
"""How many nights the expectation counts for: as few as possible, so that nothing but a large change is news as long as
nobody knows how much nights differ.
"""
LEAST = 0.05
"""Nights never differ by less than this part of what is expected: about 1 hundredth of a standard deviation. However
many rows, less is no news."""

_SMALLER = 0.8
_OF_SMALLER = 0.44
_RECURS = 2
"""Nights of a weekday that make a pattern."""


@dataclass(frozen=True, slots=True, eq=False)
class Variation:
    """Of c columns the mean squared distance between nights, how many nights say so (degrees of freedom of a variance;
    0 where nobody knows), and the part of it along the way that they differ most; all of shape (c,).
    """

    size: FloatArray
    nights: FloatArray
    lead: FloatArray

    def times(self, factor: FloatArray) -> Variation:
        """Of distances that are so many times as large, squared."""
        return Variation(self.size * factor, self.nights, self.lead)

    def only(self, columns: slice | IntArray) -> Variation:
        """The same of some of the columns."""
        return Variation(self.size[columns], self.nights[columns], self.lead[columns])

    def where(self, mine: BoolArray, other: Variation) -> Variation:
        """Itself where `mine`, shape (c,), and the other one elsewhere."""
        pairs = ((self.size, other.size), (self.nights, other.nights), (self.lead, other.lead))
        return Variation(*(np.where(mine, first, second) for first, second in pairs))


def unknown(many: int) -> Variation:
    """Of so many columns nothing is known."""
    return Variation(np.zeros(many), np.zeros(many), np.ones(many))


@dataclass(frozen=True, slots=True, eq=False)
class Nights:
    """n nights in a view of v columns: points (n, v, f), their squared lengths and rows (n, v), and rows in the cells
    (n, v, k).
    """

    points: FloatArray
    squares: FloatArray
    rows: FloatArray
    cells: FloatArray

    @classmethod
    def of(cls, view: View, nights: Sequence[FloatArray]) -> Nights:
        """Nights of all columns that the view was made for, each of shape (c, k); at least one."""
        seen = [view.seen(night) for night in nights]
        return cls(
            np.array([night.point for night in seen]),
            np.array([night.squares for night in seen]),
            np.array([night.rows for night in seen]),
            np.array([night[view.columns] for night in nights]),
        )


def expected(view: View, seen: Variation, noise: FloatArray) -> Variation:
    """What past nights show, and what is expected without any, each by its nights.

    As variances are estimated from few values each, with a prior on them; see Smyth (2004). As long as no night was
    seen, nights may also differ by as much as chance of their rows (`noise`, shape (v,)) makes.
    """
    alone = PRIOR[view.name] / view.freedom
    nights = PRIOR_NIGHTS + seen.nights
    before, after = PRIOR_NIGHTS * alone, seen.nights * seen.size
    lead = (before + seen.lead * after) / (before + after)
    size = np.where(seen.nights > 0, np.maximum((before + after) / nights, LEAST * alone), alone + noise)
    return Variation(size, nights, lead)


def between(view: View, nights: Nights, which: BoolArray, alike: BoolArray | None = None) -> Variation:
    """How much nights differ from their mean. Columns with an order move as a whole, all in one way.

    Args:
        view: of the columns.
        nights: in that view.
        which: of them count, shape (n, v).
        alike: those that fell on the same weekday, shape (n,). How far such nights lie from the others is no news.
    """
    which = which & (nights.rows > 0)
    many, mean = which.sum(axis=0), _mean(nights.points, which)
    squares = (which * nights.squares).sum(axis=0) - many * (mean**2).sum(axis=1)
    noise = chance_of_points(view, nights, which)
    size = np.maximum(0.0, squares / np.maximum(many - 1, 1) - noise)
    recurring = np.zeros(size.size) if alike is None else _recurring(nights, which, alike, mean, noise)
    lead = np.ones(size.size)
    if not view.ordered:
        lead = _lead(view, (nights.points - mean) * which[:, :, None], many, noise, size)
    whole = size + recurring
    along = np.divide(lead * size + recurring, whole, out=np.ones(whole.size), where=whole > 0)
    known = many > 1
    told = np.where(known, _told(view, whole, noise, many - 1.0), 0.0)
    return Variation(np.where(known, whole, 0.0), told, along)


def _mean(points: FloatArray, which: BoolArray) -> FloatArray:
    """The mean point of the nights that count, shape (v, f); 0 without any."""
    weights = which / np.maximum(which.sum(axis=0), 1)
    return np.asarray(np.einsum("nv,nvf->vf", weights, points))


def chance_of_points(view: View, nights: Nights, which: BoolArray) -> FloatArray:
    """What chance makes of the points of nights that count (`which`, shape (n, v)), on average, shape (v,)."""
    cells = np.einsum("nv,nvk->vk", which.astype(np.float64), nights.cells)
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1.0)
    once = np.divide(1.0, nights.rows, out=np.zeros_like(nights.rows), where=which)
    usual = which.sum(axis=0) / np.maximum(once.sum(axis=0), 1e-12)
    return view.scatter(shares, np.maximum(usual, 1.0))


def _told(view: View, size: FloatArray, noise: FloatArray, freedom: FloatArray) -> FloatArray:
    """How many nights a variation is known from, where chance of their rows blurs what they say, shape (v,).

    It is what is left of a variance of f degrees of freedom after taking off chance, whose own deviation is the root of
    2 / f times its mean square: the part of the rest in the whole, squared, says so. See Satterthwaite (1946).
    """
    rest = np.maximum(size, PRIOR[view.name] / view.freedom)
    return freedom * (rest / (rest + np.sqrt(view.evenness) * noise)) ** 2


def _lead(view: View, apart: FloatArray, many: IntArray, noise: FloatArray, size: FloatArray) -> FloatArray:
    """The part along the largest principal component, less what chance alone makes of the largest of so many points;
    `apart`: how far these are from their mean, shape (n, v, f).

    Source of the latter: Marchenko and Pastur (1967).
    """
    many = np.maximum(many - 1, 1)
    spread = apart.transpose(1, 2, 0) @ apart.transpose(1, 0, 2) / many[:, None, None]
    largest = np.linalg.eigvalsh(spread)[:, -1]
    chance = noise * view.lead * (1 + np.sqrt(view.freedom / many)) ** 2
    part = np.divide(largest - chance, size, out=np.ones(size.size), where=size > 0)
    return np.asarray(np.clip(part, view.lead, 1.0))


def _recurring(nights: Nights, which: BoolArray, alike: BoolArray, mean: FloatArray, noise: FloatArray) -> FloatArray:
    """The squared distance between the mean of nights of one weekday and the mean of all, shape (v,)."""
    some = which & alike[:, None]
    many = some.sum(axis=0)
    gap = _mean(nights.points, some) - mean
    beyond = np.maximum(0.0, (gap**2).sum(axis=1) - noise / np.maximum(many, 1))
    return np.where(many >= _RECURS, beyond, 0.0)


def from_night_to_night(view: View, nights: Nights, which: BoolArray) -> Variation:
    """How much nights differ from the one before, whatever level they are on; `which` count, shape (n, v), in order.

    Half the mean squared step is the variance (von Neumann 1941). The largest fifth of the steps is left out, so that a
    change that came to stay does not hide itself; of squared normals the others have `_OF_SMALLER` of the mean.
    """
    which = which & (nights.rows > 0)
    mean_noise, many = chance_of_points(view, nights, which), which.sum(axis=0)
    size = np.zeros(many.size)
    for column in np.flatnonzero(many > 2):
        there = which[:, column]
        points, once = nights.points[there, column], 1 / nights.rows[there, column]
        noise = mean_noise[column] * once / once.mean()
        steps = np.sort((np.diff(points, axis=0) ** 2).sum(axis=1) - noise[1:] - noise[:-1]) / 2
        kept = steps[: max(1, int(_SMALLER * steps.size))]
        size[column] = max(0.0, float(kept.mean())) / _OF_SMALLER
    told = np.where(many > 2, _told(view, size, mean_noise, many / 2), 0.0)
    return Variation(size, told, np.ones(many.size))


def apart(kind: Kind, night: FloatArray, reference: FloatArray) -> dict[ViewName, tuple[IntArray, FloatArray]]:
    """What a night of other cells says, held against a reference of its own: by view the columns that it is of, and for
    each, shape (v, 4), the squared distance beyond chance, chance, how much that blurs, and what is expected.

    Args:
        kind: of the columns.
        night: rows in each cell, shape (c, k).
        reference: the same.
    """
    found: dict[ViewName, tuple[IntArray, FloatArray]] = {}
    rows = effective(night.sum(axis=1), reference.sum(axis=1))
    for view in views_of(kind, reference, rows):
        both = night[view.columns], reference[view.columns]
        sides = [view.rows(side) for side in both]
        there = (sides[0] > 0) & (sides[1] > 0) & (rows[view.columns] > 0)
        shares = (both[0] + both[1]) / np.maximum((both[0] + both[1]).sum(axis=1, keepdims=True), 1.0)
        noise = sum(view.scatter(shares, np.maximum(side, 1.0)) for side in sides)
        squared = ((view.point(both[0]) - view.point(both[1])) ** 2).sum(axis=1)
        told = np.column_stack([squared - noise, noise, np.sqrt(view.evenness), PRIOR[view.name] / view.freedom])
        found[view.name] = view.columns[there], told[there]
    return found


def together(told: FloatArray) -> tuple[float, float]:
    """The variation that some nights say by themselves, and from how many it is known; see `apart`, shape (n, 4)."""
    size, noise, blur, least = told.mean(axis=0).tolist()
    rest = max(size, least)
    return max(0.0, size), len(told) * (rest / (rest + blur * noise)) ** 2


def effective(first: FloatArray, second: FloatArray) -> FloatArray:
    """The rows that two sides are as good as, shape (c,); 0 where one has none."""
    both = first * second
    return np.divide(both, first + second, out=np.zeros_like(both), where=both > 0)
