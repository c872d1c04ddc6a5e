"""Columns of a night: how far each is from what it is held against, and how rare that is on quiet nights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipeline.checks.alarms.quiet import Quiet
from pipeline.checks.alarms.variation import (
    BoolArray,
    Nights,
    Variation,
    between,
    effective,
    expected,
    from_night_to_night,
    unknown,
)
from pipeline.checks.alarms.views import View, ViewName, views_of
from pipeline.checks.scan.types import FloatArray
from pipeline.results import Kind

ENOUGH_NIGHTS = 10
"""From so many nights outside of incidents on, only those say what is usual."""
_USUAL = 0.05
_NONE = 1e-12
_ENDLESS = 1e9
_LARGE: Mapping[ViewName, float] = {"quantiles": 0.45, "shares": 0.36, "missing": 0.36}
"""Squared distance of a mean that moved by a standard deviation, and of 30 of 100 rows that moved from one category of
half of the rows to another; times the freedom of the view."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """c columns of tonight, of one kind and as many cells, and what they are held against: rows in each cell, shape
    (c, k), the missing ones last.

    `before` is made of `nights_before` nights, or of a reference (0); `after` of `nights_after`; both (c,). Of the
    `past` nights, each (c, k), in order, `usual` say how much a column moves, shape (n, c); `weekday` are those of
    tonight's weekday, (n,), and `every` all that may be looked at as long as those are few, (n, c). `apart` says the
    same by view where nights were counted in other cells, which `by_themselves` are, (c,); and `pieces` of pieces of
    the reference.
    """

    names: tuple[str, ...]
    kind: Kind
    before: FloatArray
    after: FloatArray
    nights_before: FloatArray
    nights_after: FloatArray
    past: Sequence[FloatArray]
    usual: BoolArray
    weekday: BoolArray
    every: BoolArray
    by_themselves: BoolArray
    apart: Mapping[ViewName, Variation]
    pieces: Mapping[ViewName, Variation]

    @property
    def views(self) -> tuple[View, ...]:
        """The ways to compare the columns."""
        return views_of(self.kind, self.before, effective(self.before.sum(axis=1), self.after.sum(axis=1)))


@dataclass(frozen=True, slots=True, eq=False)
class Rarity:
    """How rare a column is tonight.

    `chance`: how often a quiet night has this column at least so far, in (0, 1]; `view` is where it is rarest, and
    `score` the distance there. `views` is how many there are: each may use its part of what the column may.
    `nights` say how much it moves; it was held against `before` of them, or the reference (0).
    """

    name: str
    chance: float
    view: ViewName
    score: float = 0.0
    views: int = 1
    nights: int = 0
    before: int = 0
    quiet: tuple[Quiet, int] | None = None

    def threshold(self, chance: float) -> float:
        """The distance in that view from which on the column is as rare as that."""
        if self.quiet is None:
            return 0.0
        every, place = self.quiet
        return float(np.sqrt(every.only(place).at(np.array([chance / self.views]))[0]))

    @property
    def usual(self) -> float:
        """The distance that nineteen of twenty quiet nights keep within."""
        return self.threshold(_USUAL * self.views)


@dataclass(frozen=True, slots=True, eq=False)
class _InView:
    """Where a view has something to say: `places` among all columns, and for each the distance, squared."""

    view: View
    there: BoolArray
    squared: FloatArray
    quiet: Quiet


def rarities(held: Held) -> Iterator[Rarity]:
    """How rare each column is, in order; one that no view can tell apart is as usual as can be."""
    seen = [_in_view(view, held) for view in held.views]
    many, columns = np.zeros(len(held.names), np.int64), np.arange(len(held.names))
    for found in seen:
        many[found.view.columns[found.there]] += 1
    chances = np.full((len(seen), len(held.names)), np.inf)
    places = np.zeros((len(seen), len(held.names)), np.int64)
    for row, found in enumerate(seen):
        mine = found.view.columns
        often = np.minimum(1.0, many[mine] * found.quiet.chance(found.squared[:, None])[:, 0])
        chances[row, mine] = np.where(found.there, often, np.inf)
        places[row, mine] = np.arange(mine.size)
    rarest = chances.argmin(axis=0) if seen else columns
    nights = np.maximum(held.usual.sum(axis=0), held.every.sum(axis=0))
    none: ViewName = "quantiles" if held.kind == "numerical" else "shares"
    for column, name in enumerate(held.names):
        told = {"nights": int(nights[column]), "before": int(held.nights_before[column])}
        if not many[column]:
            yield Rarity(name, 1.0, none)
            continue
        row = int(rarest[column])
        found, place, chance = seen[row], int(places[row, column]), float(chances[row, column])
        score = math.sqrt(found.squared[place])
        yield Rarity(name, chance, found.view.name, score, int(many[column]), **told, quiet=(found.quiet, place))


def _in_view(view: View, held: Held) -> _InView:
    """Both sides have rows; of missing values also some are missing, so that other views need not share with it what a
    column may.
    """
    mine = view.columns
    before, after = view.seen(held.before), view.seen(held.after)
    there = (before.rows > 0) & (after.rows > 0)
    if view.name == "missing":
        there &= (held.before[mine, -1] > 0) | (held.after[mine, -1] > 0)
    noise = 1 / np.maximum(before.rows, 1.0) + 1 / np.maximum(after.rows, 1.0)
    variations = _variations(view, held, noise)
    squared = ((before.point - after.point) ** 2).sum(axis=1)
    return _InView(view, there, squared, Quiet(noise, view.lead, view.rest, variations))


def _variations(view: View, held: Held, noise: FloatArray) -> tuple[Variation, ...]:
    """What moves from night to night, by what may say so."""
    mine = view.columns
    after, before = held.nights_after[mine], held.nights_before[mine]
    # A reference is taken to be made of nights as long as tonight: their mean is off by chance of its own.
    as_long = np.maximum(1.0, held.before[mine].sum(axis=1) / np.maximum(held.after[mine].sum(axis=1), 1.0) * after)
    whole = expected(view, _seen(view, held), noise).times(1 / after + 1 / np.where(before > 0, before, as_long))
    piece = held.pieces[view.name].only(mine) if view.name in held.pieces else unknown(mine.size)
    known = (piece.size > 0) & (before == 0)
    if not known.any():
        return (whole,)
    return whole, piece.times(1 / after).where(known, whole)


def _seen(view: View, held: Held) -> Variation:
    """What past nights show; of two that are known the larger."""
    mine = view.columns
    found = unknown(mine.size)
    if held.past and (held.usual.any() or held.every.any()):
        nights = Nights.of(view, held.past)
        found = between(view, nights, held.usual[:, mine], held.weekday)
        few = held.usual.sum(axis=0)[mine] < ENOUGH_NIGHTS
        if few.any():
            steps = from_night_to_night(view, nights, held.every[:, mine] & few)
            found = steps.where((steps.nights > 0) & ((steps.size > found.size) | (found.nights == 0)), found)
    if view.name not in held.apart:
        return found.where(~held.by_themselves[mine], unknown(mine.size))
    return held.apart[view.name].only(mine).where(held.by_themselves[mine], found)


def rows_needed(kind: Kind, before: FloatArray, after: FloatArray, chance: float) -> FloatArray:
    """From how many rows on a large change of each column is as rare as that, by chance alone; infinite where never.

    Args:
        kind: of the columns.
        before: rows in each cell of the reference, shape (c, k), the missing ones last.
        after: of tonight, the same.
        chance: as a fraction of nights.
    """
    there = before.sum(axis=1)
    needed = np.where(before[:, :-1].any(axis=1), np.inf, 0.0)
    tonight = rows = np.maximum(1.0, after.sum(axis=1))
    left = np.flatnonzero(needed)
    while left.size and rows[left].min() < _ENDLESS:
        known, found = _needed(views_of(kind, before, effective(there, rows)), before, chance)
        enlarged = np.where(rows > tonight, rows, 0.0)
        done = left[known[left]]
        needed[done] = np.maximum(found, enlarged)[done]
        left = left[~known[left]]
        rows = rows.copy()
        rows[left] *= 2  # so few rows that all cells have to be counted together
    return needed


def _needed(views: Sequence[View], before: FloatArray, chance: float) -> tuple[BoolArray, FloatArray]:
    """By the last view of each column, but for that of missing values: whether it has one, and the rows; both (c,)."""
    many, needed = np.zeros(len(before)), np.full(len(before), np.inf)
    told = [view for view in views if view.name != "missing"]
    for view in told:
        many[view.columns] += 1
    for view in told:
        farthest = _farthest(view, (chance / many[view.columns]).tobytes())
        left = _LARGE[view.name] / view.freedom / farthest - 1 / np.maximum(view.seen(before).rows, 1.0)
        needed[view.columns] = np.divide(1.0, left, out=np.full(left.size, np.inf), where=left > 0)
    return many > 0, needed


@lru_cache(maxsize=64)
def _farthest(view: View, chances: bytes) -> FloatArray:
    """The squared distance that chance alone reaches with a probability, in units of its mean, shape (v,)."""
    one = np.ones(view.columns.size)
    nothing = Variation(_NONE * one, np.inf * one, one)
    return Quiet(one, view.lead, view.rest, (nothing,)).at(np.frombuffer(chances))
