"""How much nights differ from each other beyond chance, as a mean squared distance in a view."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.checks.alarms.views import View, ViewName, views_of
from pipeline.checks.scan.types import FloatArray
from pipeline.results import Kind

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


@dataclass(frozen=True, slots=True)
class Variation:
    """A mean squared distance between nights, and how many nights say so (degrees of freedom of a variance); `lead` is
    the part of it along the way that they differ most.
    """

    size: float
    nights: float
    lead: float = 1.0

    def times(self, factor: float) -> Variation:
        """Of distances that are so many times as large, squared."""
        return Variation(self.size * factor, self.nights, self.lead)


def expected(view: View, seen: Variation | None, noise: float) -> Variation:
    """What past nights show, and what is expected without any, each by its nights.

    As variances are estimated from few values each, with a prior on them; see Smyth (2004). As long as no night was
    seen, nights may also differ by as much as chance of their rows (`noise`) makes.
    """
    alone = PRIOR[view.name] / view.freedom
    if seen is None:
        return Variation(alone + noise, PRIOR_NIGHTS)
    nights = PRIOR_NIGHTS + seen.nights
    before, after = PRIOR_NIGHTS * alone, seen.nights * seen.size
    lead = (before + seen.lead * after) / (before + after)
    return Variation(max((before + after) / nights, LEAST * alone), nights, lead)


def between(views: Sequence[View], nights: FloatArray, alike: FloatArray | None = None) -> dict[ViewName, Variation]:
    """How much nights differ from their mean, in each view. Columns with an order move as a whole, all in one way.

    Args:
        views: of the column.
        nights: rows in each cell, shape (nights, k), the missing ones last.
        alike: those of them that fell on the same weekday. How far such nights lie from the others is no news.
    """
    found = {}
    ordered = any(view.name == "quantiles" for view in views)
    for view in views:
        points, noise = _points(view, nights)
        if len(points) > 1:
            size = max(0.0, float(points.var(axis=0, ddof=1).sum()) - float(noise.mean()))
            recurring = 0.0 if alike is None else _recurring(view, points, alike)
            lead = 1.0 if ordered or not size else _lead(view, points, float(noise.mean()), size)
            whole = size + recurring
            nights_told = _told(view, whole, float(noise.mean()), len(points) - 1)
            found[view.name] = Variation(whole, nights_told, (lead * size + recurring) / whole if whole else 1.0)
    return found


def _told(view: View, size: float, noise: float, freedom: float) -> float:
    """How many nights a variation is known from, where chance of their rows blurs what they say.

    It is what is left of a variance of f degrees of freedom after taking off chance, whose own deviation is the root of
    2 / f times its mean square: the part of the rest in the whole, squared, says so. See Satterthwaite (1946).
    """
    rest = max(size, PRIOR[view.name] / view.freedom)
    return freedom * (rest / (rest + math.sqrt(view.evenness) * noise)) ** 2


def from_night_to_night(views: Sequence[View], nights: FloatArray) -> dict[ViewName, Variation]:
    """How much nights differ from the one before, whatever level they are on; shape (nights, k), in order.

    Half the mean squared step is the variance (von Neumann 1941). The largest fifth of the steps is left out, so that a
    change that came to stay does not hide itself; of squared normals the others have `_OF_SMALLER` of the mean.
    """
    found = {}
    for view in views:
        points, noise = _points(view, nights)
        if len(points) > 2:
            steps = np.sort((np.diff(points, axis=0) ** 2).sum(axis=1) - noise[1:] - noise[:-1]) / 2
            kept = steps[: max(1, int(_SMALLER * steps.size))]
            size = max(0.0, float(kept.mean())) / _OF_SMALLER
            found[view.name] = Variation(size, _told(view, size, float(noise.mean()), len(points) / 2))
    return found


def _lead(view: View, points: FloatArray, noise: float, size: float) -> float:
    """The part along the largest principal component, less what chance alone makes of the largest of so many points.

    Source of the latter: Marchenko and Pastur (1967).
    """
    largest = float(np.linalg.eigvalsh(np.atleast_2d(np.cov(points, rowvar=False)))[-1])
    chance = noise * view.lead * (1 + np.sqrt(view.freedom / (len(points) - 1))) ** 2
    return float(np.clip((largest - chance) / size, view.lead, 1.0))


def _points(view: View, nights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The points of nights that have rows, shape (nights, f), and what chance makes of each, shape (nights,)."""
    there = nights[view.rows(nights) > 0]
    if not len(there):
        return view.point(there), np.empty(0)
    return view.point(there), view.scatter(there.sum(axis=0) / there.sum(), view.rows(there))


def _recurring(view: View, points: FloatArray, alike: FloatArray) -> float:
    """The squared distance between the mean of nights of one weekday and the mean of all."""
    found, noise = _points(view, alike)
    if len(found) < _RECURS:
        return 0.0
    gap = found.mean(axis=0) - points.mean(axis=0)
    return max(0.0, float(gap @ gap) - float(noise.mean()) / len(found))


def apart(kind: Kind, nights: Sequence[FloatArray], references: Sequence[FloatArray]) -> dict[ViewName, Variation]:
    """The same from nights of different cells, each held against a reference of its own; arrays of shape (k,)."""
    found: dict[ViewName, list[tuple[float, float]]] = {}
    last: dict[ViewName, View] = {}
    for night, reference in zip(nights, references, strict=True):
        for view in views_of(kind, reference, effective(night.sum(), reference.sum())):
            rows, others = float(view.rows(night)), float(view.rows(reference))
            if rows and others:
                gap = view.point(night) - view.point(reference)
                both = view.scatter((night + reference) / (night + reference).sum(), np.array([rows, others]))
                noise = float(both.sum())
                found.setdefault(view.name, []).append((float(gap @ gap) - noise, noise))
                last[view.name] = view
    return {name: _mean_of(last[name], np.array(pairs)) for name, pairs in found.items()}


def _mean_of(view: View, pairs: FloatArray) -> Variation:
    """Of squared distances beyond chance, and chance, shape (nights, 2)."""
    size, noise = np.maximum(pairs.mean(axis=0), 0.0).tolist()
    return Variation(size, _told(view, size, noise, len(pairs)))


def effective(first: float, second: float) -> float:
    """The rows that two sides are as good as."""
    return first * second / (first + second) if first and second else 0.0
