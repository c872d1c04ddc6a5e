"""One column of a night: how far it is from what it is held against, and how rare that is on quiet nights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from pipeline.checks.alarms.quiet import Quiet
from pipeline.checks.alarms.variation import (
    Variation,
    between,
    effective,
    expected,
    from_night_to_night,
)
from pipeline.checks.alarms.views import View, ViewName, views_of
from pipeline.checks.scan.types import FloatArray
from pipeline.results import Kind

_USUAL = 0.05
_NONE = 1e-12
_ENDLESS = 1e9
_LARGE = {"quantiles": 0.45, "shares": 0.36, "missing": 0.36}
"""Squared distance of a mean that moved by a standard deviation, and of 30 of 100 rows that moved from one category of
half of the rows to another; times the freedom of the view."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A column of tonight and what it is held against: rows in each cell, shape (k,), the missing ones last.

    `before` is made of `nights_before` nights, or of a reference (0); `after` of `nights_after`. `usual` are past
    nights, shape (nights, k), that say how much nights differ, and `weekday` those of tonight's weekday. As long as
    they are few, `every` are all nights in order. `apart` says the same by view where nights were counted in other
    cells, and `pieces` of pieces of the reference.
    """

    name: str
    kind: Kind
    before: FloatArray
    after: FloatArray
    usual: FloatArray | None = None
    weekday: FloatArray | None = None
    every: FloatArray | None = None
    nights_before: int = 0
    nights_after: int = 1
    apart: Mapping[ViewName, Variation] = field(default_factory=dict)
    pieces: Mapping[ViewName, Variation] = field(default_factory=dict)


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
    score: float
    views: int
    quiet: Quiet | None
    nights: int = 0
    before: int = 0

    def threshold(self, chance: float) -> float:
        """The distance in that view from which on the column is as rare as that."""
        return 0.0 if self.quiet is None else float(np.sqrt(self.quiet.at(chance / self.views)))

    @property
    def usual(self) -> float:
        """The distance that nineteen of twenty quiet nights keep within."""
        return 0.0 if self.quiet is None else float(np.sqrt(self.quiet.at(_USUAL)))


def rarity(held: Held) -> Rarity:
    """How rare the column is; a column that no view can tell apart is as usual as can be."""
    views = _views(held)
    seen = held.apart or _between(views, held)
    found = [_seen_in(view, held, seen, len(views)) for view in views]
    if not found:
        view: ViewName = "quantiles" if held.kind == "numerical" else "shares"
        return Rarity(held.name, 1.0, view, 0.0, 1, None)
    nights = max(0 if known is None else len(known) for known in (held.usual, held.every))
    return replace(min(found, key=lambda item: item.chance), nights=nights, before=held.nights_before)


def _between(views: Sequence[View], held: Held) -> Mapping[ViewName, Variation]:
    quiet = {} if held.usual is None else between(views, held.usual, held.weekday)
    every = {} if held.every is None else from_night_to_night(views, held.every)
    both = [*quiet.items(), *every.items()]
    return {name: max((item for key, item in both if key == name), key=lambda item: item.size) for name, _ in both}


def rows_needed(held: Held, chance: float) -> float:
    """From how many rows on a large change is as rare as that, by chance alone; infinite where never."""
    if not held.before[:-1].any():
        return 0.0
    tonight = rows = max(1.0, float(held.after.sum()))
    while rows < _ENDLESS:
        views = views_of(held.kind, held.before, effective(float(held.before.sum()), rows))
        if len(views) > 1:
            needed = _rows_needed_in(views[-1], held, chance / (len(views) - 1))
            return max(needed, rows if rows > tonight else 0.0)
        rows *= 2  # so few rows that all cells have to be counted together
    return np.inf


def _rows_needed_in(view: View, held: Held, chance: float) -> float:
    left = _LARGE[view.name] / view.freedom / _farthest(view, chance) - 1 / float(view.rows(held.before))
    return 1 / left if left > 0 else np.inf


@lru_cache(maxsize=4096)
def _farthest(view: View, chance: float) -> float:
    """The squared distance that chance alone reaches with a probability, in units of its mean."""
    return Quiet(1.0, view.lead, view.rest, (Variation(_NONE, np.inf),)).at(chance)


def _views(held: Held) -> tuple[View, ...]:
    """Those in which both sides have rows; that of missing values only where some are, so that the others need not
    share with it what the column may.
    """
    rows = effective(float(held.before.sum()), float(held.after.sum()))
    found = views_of(held.kind, held.before, rows) if rows else ()
    missing = held.before[-1] or held.after[-1]
    kept = (view for view in found if view.name != "missing" or missing)
    return tuple(view for view in kept if view.rows(held.before) and view.rows(held.after))


def _seen_in(view: View, held: Held, seen: Mapping[ViewName, Variation], views: int) -> Rarity:
    noise = 1 / float(view.rows(held.before)) + 1 / float(view.rows(held.after))
    usual = expected(view, seen.get(view.name), noise)
    variations = [usual.times(1 / held.nights_after + 1 / _nights_before(held))]
    if view.name in held.pieces and not held.nights_before:
        piece = held.pieces[view.name]
        variations.append(Variation(max(piece.size, _NONE), piece.nights, piece.lead).times(1 / held.nights_after))
    quiet = Quiet(noise, view.lead, view.rest, tuple(variations))
    gap = view.point(held.before) - view.point(held.after)
    squared = float(gap @ gap)
    chance = min(1.0, views * float(quiet.chance(np.array([squared]))[0]))
    return Rarity(held.name, chance, view.name, float(np.sqrt(squared)), views, quiet)


def _nights_before(held: Held) -> float:
    """A reference is taken to be made of nights as long as tonight: their mean is off by chance of its own."""
    return held.nights_before or max(1.0, float(held.before.sum() / held.after.sum()) * held.nights_after)
