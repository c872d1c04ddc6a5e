"""How much nights differ from each other beyond chance, as a mean squared distance in a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.checks.alarms.views import View, ViewName, views_of
from pipeline.checks.scan.types import FloatArray
from pipeline.results import Kind

PRIOR: Mapping[ViewName, float] = {"quantiles": 0.0007, "shares": 0.0016, "missing": 0.0007}
"""What is expected before nights were seen: numbers that move by about 4 hundredths of a standard deviation; times the
freedom of the view."""
PRIOR_NIGHTS = 6.0
"""How many nights the expectation counts for."""
LEAST = 0.05
"""Nights never differ by less than this part of what is expected: about 1 hundredth of a standard deviation. However
many rows, less is no news."""

_SMALLER = 0.8
_OF_SMALLER = 0.44
_RECURS = 2
"""Nights of a weekday that make a pattern."""


@dataclass(frozen=True, slots=True)
class Variation:
    """A mean squared distance between nights, and how many nights say so; `lead` is the part of it along the way that
    they differ most.
    """

    size: float
    nights: float
    lead: float = 1.0

    def times(self, factor: float) -> Variation:
        """Of distances that are so many times as large, squared."""
        return Variation(self.size * factor, self.nights, self.lead)


def expected(view: View, seen: Variation | None) -> Variation:
    """What past nights show, and what is expected without any, each by its nights.

    As variances are estimated from few values each, with a prior on them; see Smyth (2004).
    """
    known = seen or Variation(0.0, 0.0)
    nights = PRIOR_NIGHTS + known.nights
    alone = PRIOR[view.name] / view.freedom
    before, after = PRIOR_NIGHTS * alone, known.nights * known.size
    lead = (before + known.lead * after) / (before + after)
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
            found[view.name] = Variation(whole, float(len(points)), (lead * size + recurring) / whole if whole else 1.0)
    return found


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
            found[view.name] = Variation(max(0.0, float(kept.mean())) / _OF_SMALLER, len(points) / 2)
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
    rows = view.rows(nights)
    return view.point(nights[rows > 0]), 1 / rows[rows > 0]


def _recurring(view: View, points: FloatArray, alike: FloatArray) -> float:
    """The squared distance between the mean of nights of one weekday and the mean of all."""
    found, noise = _points(view, alike)
    if len(found) < _RECURS:
        return 0.0
    gap = found.mean(axis=0) - points.mean(axis=0)
    return max(0.0, float(gap @ gap) - float(noise.mean()) / len(found))


def apart(kind: Kind, nights: Sequence[FloatArray], references: Sequence[FloatArray]) -> dict[ViewName, Variation]:
    """The same from nights of different cells, each held against a reference of its own; arrays of shape (k,)."""
    found: dict[ViewName, list[float]] = {}
    for night, reference in zip(nights, references, strict=True):
        for view in views_of(kind, reference, effective(night.sum(), reference.sum())):
            rows, others = float(view.rows(night)), float(view.rows(reference))
            if rows and others:
                gap = view.point(night) - view.point(reference)
                found.setdefault(view.name, []).append(float(gap @ gap) - 1 / rows - 1 / others)
    return {name: Variation(max(0.0, float(np.mean(sizes))), float(len(sizes))) for name, sizes in found.items()}


def effective(first: float, second: float) -> float:
    """The rows that two sides are as good as."""
    return first * second / (first + second) if first and second else 0.0
