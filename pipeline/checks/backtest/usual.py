"""Which columns are surely no news on a night, found for all columns at once: most are, on most nights.

For each view (see `alarms.views`) a bound from below on how often a quiet night is at least so far, out of the same
counts, past nights and variations that `alarms.column.rarity` looks at. Columns whose bound is above what the budget
asks for need not be looked at one by one. Everything that is not plain (nights of other cells, other comparisons than
with the reference) is left to `rarity`, and `alarms.judge` leaves nights that are looked at together to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from pipeline.checks.alarms.past import ENOUGH_NIGHTS, PastNight, usual_of
from pipeline.checks.alarms.variation import LEAST, PRIOR, PRIOR_NIGHTS
from pipeline.checks.alarms.views import View, ViewName, views_of
from pipeline.checks.scan.types import FloatArray
from pipeline.config import AlarmPolicy
from pipeline.results import ColumnProfile, NightProfile, SideProfile

BoolArray = npt.NDArray[np.bool_]

_VIEWS: tuple[ViewName, ...] = ("quantiles", "shares", "missing")
_FEWEST = 5
"""Of fewer nights of the same cells, those of other ones count as well."""
_SURELY = 1.25
"""How far above the budget a bound has to be: `rarity` rounds degrees of freedom to 5%."""
_POINTS = np.geomspace(1e-3, 1e4, 300)
_PARTS = np.array([0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0])
_FEW_PARTS = np.array([0.0, 0.3, 1.0])
_NONE = 1e-300


def is_plain(policy: AlarmPolicy) -> bool:
    """Whether columns can be looked at all at once: beside the reference."""
    return policy.against[0] == "reference"


class Usual:
    """The nights of a monitor as arrays, for all columns at once; nights of the same reference together."""

    def __init__(self, nights: Mapping[date, NightProfile]) -> None:
        """Of all nights that will be asked about, and those before them."""
        by_reference: dict[tuple[str, int], dict[date, NightProfile]] = {}
        for day, profile in sorted(nights.items()):
            by_reference.setdefault((profile.reference, profile.version), {})[day] = profile
        self._stretches = {key: _Stretch(found) for key, found in by_reference.items()}

    def columns(self, level: float, profile: NightProfile, past: Sequence[PastNight], run_date: date) -> frozenset[str]:
        """The columns that are surely less rare on a night than a level; see `alarms.judge.judge` for the arguments."""
        key = profile.reference, profile.version
        alike = [night for night in past if (night.profile.reference, night.profile.version) == key]
        return self._stretches[key].usual(level, alike, run_date, only=len(past) < _FEWEST)


@dataclass(frozen=True, eq=False)
class _Seen:
    """One view of c columns on n nights; f is the most coordinates that a column has in it.

    `points` (n, c, f) and `base` (c, f), of the reference, are 0 beyond a column's own coordinates; `squares` (n, c)
    are the points' squared lengths. `rows` (n, c) and `base_rows` (c,) are 0 where a column does not have the view.
    `freedom`, `lead` (c,): see `View`; `tail` (c, p): how often its other squares are at least `_POINTS`, and nan where
    there are none. `pieces` (2, c): how much pieces of the reference vary, and how many there are.
    """

    points: FloatArray
    squares: FloatArray
    rows: FloatArray
    base: FloatArray
    base_rows: FloatArray
    freedom: FloatArray
    lead: FloatArray
    tail: FloatArray
    pieces: FloatArray


@dataclass(frozen=True, eq=False)
class _Night:
    """A night and those before it: `past` their places, `counts` (n, c) which of them say what is usual of a column,
    `alike` those that fell on the same weekday.
    """

    tonight: int
    past: slice | npt.NDArray[np.int64]
    counts: FloatArray
    alike: npt.NDArray[np.int64]


class _Stretch:
    """Nights of one reference, and the columns that were counted in the same cells on all nights that have them."""

    def __init__(self, nights: Mapping[date, NightProfile]) -> None:
        self._place = {day: place for place, day in enumerate(nights)}
        self._columns = _same_on_all(nights.values())
        self._counts = [_counted(nights.values(), column) for column in self._columns]
        rows = np.array([counts.sum(axis=1) for counts in self._counts]).reshape(len(self._columns), len(nights))
        before = np.array([float(_side(column.reference).sum()) for column in self._columns])
        self._magnitudes = _magnitudes(rows.T, before)
        self._seen: dict[int, list[_Seen]] = {}

    def usual(self, level: float, past: Sequence[PastNight], run_date: date, *, only: bool) -> frozenset[str]:
        """See `Usual.columns`; `past` are nights of this stretch, and `only`: those of others do not count."""
        if not self._columns or not (only or len(past) >= _FEWEST):
            return frozenset()
        night = self._night(past, run_date)
        magnitudes = self._magnitudes[night.tonight]
        found = np.zeros(len(self._columns), bool)
        for magnitude in np.unique(magnitudes):
            found |= _usual(self._views(int(magnitude)), night, level) & (magnitudes == magnitude)
        if not only:
            found &= (self._magnitudes[night.past] >= 0).sum(axis=0) >= _FEWEST
        return frozenset(column.name for column, is_so in zip(self._columns, found, strict=True) if is_so)

    def _night(self, past: Sequence[PastNight], run_date: date) -> _Night:
        """Which nights say what is usual depends on when a column had drifted; most never had."""
        counts = np.zeros((len(past), len(self._columns)))
        loud: dict[str, list[int]] = {}
        for place, night in enumerate(past):
            for name in night.profile.drifted.get("reference", ()):
                loud.setdefault(name, []).append(place)
        by_pattern: dict[tuple[int, ...], list[int]] = {}
        for at, column in enumerate(self._columns):
            by_pattern.setdefault(tuple(loud.get(column.name, ())), []).append(at)
        position = {night.run_date: place for place, night in enumerate(past)}
        for columns in by_pattern.values():
            usual = usual_of(self._columns[columns[0]].name, "reference", run_date, past)
            places = [position[night.run_date] for night in usual]
            counts[np.ix_(places, columns)] = 1.0
        alike = [place for place, night in enumerate(past) if night.run_date.weekday() == run_date.weekday()]
        return _Night(self._place[run_date], self._places(past), counts, np.array(alike, np.int64))

    def _places(self, past: Sequence[PastNight]) -> slice | npt.NDArray[np.int64]:
        """A slice where nights follow each other, as that copies nothing."""
        found = [self._place[night.run_date] for night in past]
        first = min(found, default=0)
        return slice(first, first + len(found)) if found == [*range(first, first + len(found))] else np.array(found)

    def _views(self, magnitude: int) -> list[_Seen]:
        if magnitude not in self._seen:
            sides = [_side(column.reference) for column in self._columns]
            views = [
                {view.name: view for view in views_of(column.kind, side, 2.0**magnitude)}
                for column, side in zip(self._columns, sides, strict=True)
            ]
            self._seen[magnitude] = [self._view(name, [found.get(name) for found in views], sides) for name in _VIEWS]
        return self._seen[magnitude]

    def _view(self, name: ViewName, views: Sequence[View | None], sides: Sequence[FloatArray]) -> _Seen:
        many, nights = len(self._columns), len(self._place)
        base = [np.zeros(1) if view is None else view.point(side) for view, side in zip(views, sides, strict=True)]
        points = np.zeros((nights, many, max(found.size for found in base)))
        rows, base_rows = np.zeros((nights, many)), np.zeros(many)
        padded, tail = np.zeros(points.shape[1:]), np.full((many, _POINTS.size), np.nan)
        for at, view in enumerate(views):
            if view is not None:
                rows[:, at], base_rows[at] = view.rows(self._counts[at]), view.rows(sides[at])
                padded[at, : base[at].size] = base[at]
                points[:, at, : base[at].size] = view.point(self._counts[at])
                tail[at] = np.nan if view.rest is None else view.rest.survival(_POINTS)
        points[rows == 0] = 0.0
        return _Seen(
            points=points,
            squares=(points**2).sum(axis=2),
            rows=rows,
            base=padded,
            base_rows=base_rows,
            freedom=np.array([1.0 if view is None else view.freedom for view in views]),
            lead=np.array([1.0 if view is None else view.lead for view in views]),
            tail=tail,
            pieces=np.array([_of_pieces(column, name) for column in self._columns]).T,
        )


def _same_on_all(nights: Iterable[NightProfile]) -> list[ColumnProfile]:
    first: dict[str, ColumnProfile] = {}
    other: set[str] = set()
    for profile in nights:
        for column in profile.columns:
            if _cells(first.setdefault(column.name, column)) != _cells(column):
                other.add(column.name)
    return [column for name, column in first.items() if name not in other]


def _cells(column: ColumnProfile) -> tuple[object, ...]:
    return column.kind, column.edges, column.categories, column.reference, len(column.production.cells), column.pieces


def _side(side: SideProfile) -> FloatArray:
    return np.array([*side.cells, side.missing], np.float64)


def _counted(nights: Iterable[NightProfile], column: ColumnProfile) -> FloatArray:
    """Rows in each cell, shape (nights, k), the missing ones last; 0 where a night does not have the column."""
    none = (0,) * (len(column.reference.cells) + 1)
    found = (profile.by_name.get(column.name) for profile in nights)
    rows = [none if one is None else (*one.production.cells, one.production.missing) for one in found]
    return np.array(rows, np.float64)


def _of_pieces(column: ColumnProfile, view: ViewName) -> tuple[float, float]:
    known = {} if column.pieces is None else column.pieces.variation
    return (known[view], float(column.pieces.count)) if column.pieces and view in known else (0.0, 0.0)


def _magnitudes(rows: FloatArray, before: FloatArray) -> npt.NDArray[np.int64]:
    """As `views_of` rounds them, shape (nights, c); -1 where a side has no rows."""
    both = rows * before / np.maximum(rows + before, 1.0)
    different, inverse = np.unique(both, return_inverse=True)
    rounded = [int(math.log2(max(found, 1.0))) if found > 0 else -1 for found in different.tolist()]
    return np.array(rounded, np.int64)[inverse].reshape(both.shape)


def _usual(views: Sequence[_Seen], night: _Night, level: float) -> BoolArray:
    """Whether in every view that a column has it is surely less rare than what falls to that view, shape (c,)."""
    has = [(view.rows[night.tonight] > 0) & (view.base_rows > 0) for view in views]
    many = np.sum(has, axis=0)
    wanted = np.minimum(_SURELY * level / np.maximum(many, 1), 1.0)
    usual: BoolArray = np.asarray(many > 0)
    for view, here in zip(views, has, strict=True):
        usual &= ~here | _is_usual(view, night, wanted)
    return usual


def _is_usual(view: _Seen, night: _Night, wanted: FloatArray) -> BoolArray:
    """Whether the bound is above what is wanted, shape (c,): a rough one first, and a finer one where that is not."""
    noise = 1 / np.maximum(view.base_rows, 1) + 1 / np.maximum(view.rows[night.tonight], 1)
    squared = ((view.base - view.points[night.tonight]) ** 2).sum(axis=1)
    size, nights = _variation(view, night)
    scale = view.lead * noise + size
    freedom = nights * (scale / size) ** 2
    others = np.maximum((1 - view.lead) * noise, _NONE)
    usual: BoolArray = _bound(view.tail, squared / scale, freedom, squared / others, _FEW_PARTS) > wanted
    left = np.flatnonzero(~usual)
    lead, rest = (squared / scale)[left], (squared / others)[left]
    usual[left] = _bound(view.tail[left], lead, freedom[left], rest, _PARTS) > wanted[left]
    return usual


def _bound(
    tail: FloatArray, lead: FloatArray, freedom: FloatArray, others: FloatArray, parts: FloatArray
) -> FloatArray:
    """How often a quiet night is at least as far, or less often, shape (c,); see `alarms.quiet.Quiet`.

    Args:
        tail: see `_Seen`.
        lead: the squared distance in units of what the leading square is on average.
        freedom: of the leading square.
        others: the squared distance in units of what the other squares are together.
        parts: of the distance that the leading square goes at least, ascending from 0 to 1.
    """
    from scipy.special import stdtr

    moved = 2 * stdtr(freedom[:, None], -np.sqrt(parts * lead[:, None]))
    left = (1 - parts[:-1]) * others[:, None]
    places = np.searchsorted(_POINTS, left)
    rest = np.take_along_axis(tail, np.minimum(places, _POINTS.size - 1), axis=1)
    rest = np.where(places == _POINTS.size, 0.0, rest)
    together = (rest * -np.diff(moved, axis=1)).sum(axis=1) + moved[:, -1]
    return np.asarray(np.where(np.isnan(tail[:, 0]), moved[:, -1], together))


def _variation(view: _Seen, night: _Night) -> tuple[FloatArray, FloatArray]:
    """How much nights differ, and how many nights say so, shapes (c,); of the two that are known the larger."""
    past = _Points(view.points[night.past], view.squares[night.past], view.rows[night.past])
    counts = night.counts * (past.rows > 0)
    every, mean, spread, noise = past.spread(counts)
    some, their_mean, _, their_noise = past.of(night.alike).spread(counts[night.alike])
    gap = ((their_mean - mean) ** 2).sum(axis=1) - their_noise / np.maximum(some, 1)
    known = every > 1
    size = np.maximum(0.0, spread - noise) + np.where(some > 1, np.maximum(0.0, gap), 0.0)
    size = np.where(known, size, 0.0)
    nights = np.where(known, every, 0.0)
    half = (past.rows > 0).sum(axis=0) / 2  # of few nights, how far each is from the one before may count instead
    few = every < ENOUGH_NIGHTS
    expected = _expected(size, nights, view.freedom)
    expected = np.where(few, np.minimum(expected, _expected(size, half, view.freedom)), expected)
    nights = PRIOR_NIGHTS + np.where(few, np.maximum(nights, half), nights)
    pieces, many = view.pieces
    return np.maximum(expected, pieces), np.where(pieces > expected, many, nights)


def _expected(size: FloatArray, nights: FloatArray, freedom: FloatArray) -> FloatArray:
    """See `alarms.variation.expected`."""
    found = (PRIOR_NIGHTS * PRIOR / freedom + nights * size) / (PRIOR_NIGHTS + nights)
    return np.maximum(found, LEAST / freedom)


@dataclass(frozen=True, eq=False)
class _Points:
    """Points of past nights, and their squared lengths and rows; see `_Seen`."""

    points: FloatArray
    squares: FloatArray
    rows: FloatArray

    def of(self, nights: npt.NDArray[np.int64]) -> _Points:
        """Those of some of the nights."""
        return _Points(self.points[nights], self.squares[nights], self.rows[nights])

    def spread(self, counts: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Of the nights that count: how many, their mean (c, f), the squared distance from it, and what of it chance
        makes.
        """
        many = counts.sum(axis=0)
        mean = np.einsum("nc,ncf->cf", counts, self.points) / np.maximum(many, 1)[:, None]
        spread = (counts * self.squares).sum(axis=0) - many * (mean**2).sum(axis=1)
        noise = (counts / np.maximum(self.rows, 1)).sum(axis=0) / np.maximum(many, 1)
        return many, mean, spread / np.maximum(many - 1, 1), noise
