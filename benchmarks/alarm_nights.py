"""Streams of nights, and what a budget of alarms and fixed thresholds say of them.

A stream has a reference and its cells, made by the functions of a nightly run out of drawn rows. Its nights are drawn
as counts in those cells, which is what rows would come to; where columns hang together, and where fixed thresholds are
asked as well, they are drawn as rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.alarm_columns import Categories, Column, Floats, Numbers, Shift
from pipeline.checks.alarms.judge import Verdict, judge
from pipeline.checks.alarms.past import USUAL_NIGHTS, PastNight
from pipeline.checks.drift.compare_column import compare_column
from pipeline.checks.profile.build import profile_of
from pipeline.checks.profile.cells import CategoryCells, NumberCells
from pipeline.checks.profile.pieces import rows_of_pieces
from pipeline.checks.scan import CategoricalSummary, NumericalSummary, Summary
from pipeline.config import AlarmPolicy
from pipeline.results import ColumnProfile, NightProfile, SideProfile

FIRST = date(2026, 1, 5)  # a Monday
LIMIT = 0.30
_SATURDAY = 5


@dataclass(frozen=True)
class Setting:
    """How nights are drawn.

    `night`: standard deviation of what moves from night to night, in deviations of a column's score, or of the
    logarithm of a category's share; `weekend`: how far Saturdays and Sundays lie; `weekend_rows`: their part of the
    rows; `trend`: how far each night goes; `gaps`: standard deviation of the logarithm of the missing share; `factors`:
    columns are mixes of so many independent ones; `before`: the reference is so many nights, `shuffled` or in order.
    """

    name: str
    rows: int
    columns: tuple[Column, ...]
    night: float = 0.0
    weekend: float = 0.0
    weekend_rows: float = 1.0
    trend: float = 0.0
    gaps: float = 0.0
    factors: int = 0
    before: int = 10
    shuffled: bool = False


@dataclass(frozen=True)
class Fault:
    """What is wrong with the first `columns` of a night: a shift in deviations, a part of the rows that got one value,
    a part of the rows in a category that the reference does not know, or another share of missing ones.
    """

    columns: int = 0
    shift: float = 0.0
    default: float = 0.0
    new: float = 0.0
    missing: float | None = None


QUIET = Fault()


class Stream:
    """A reference, and the nights after it."""

    def __init__(self, setting: Setting, seed: int) -> None:
        self.setting, self.rng = setting, np.random.default_rng(seed)
        self._along = [self._direction(column) for column in setting.columns]
        self._mixes = self.rng.normal(size=(len(setting.columns), max(1, setting.factors)))
        self._mixes /= np.linalg.norm(self._mixes, axis=1, keepdims=True)
        blocks = [self.drawn(FIRST - timedelta(setting.before - place)) for place in range(setting.before)]
        whole = [np.concatenate([block[place] for block in blocks]) for place in range(len(setting.columns))]
        if setting.shuffled:
            whole = [self.rng.permutation(values) for values in whole]
        self.summaries = [self._summary(column, values) for column, values in zip(setting.columns, whole, strict=True)]
        chosen = rows_of_pieces(len(whole[0]), setting.rows)
        self._kept = [self._profile(place, whole[place][chosen.ravel()], len(chosen)) for place in range(len(whole))]
        both = zip(setting.columns, self.summaries, strict=True)
        self._cells = [self._cells_of(column, summary) for column, summary in both]

    def drawn(self, day: date, fault: Fault = QUIET) -> list[Floats]:
        """The rows of a night, an array a column; missing ones are NaN."""
        rows, scores = self._rows(day), self._mixed(day)
        found = []
        for place, column in enumerate(self.setting.columns):
            shift = self._shift(place, day, fault)
            if scores is not None and isinstance(column, Numbers):
                values = column.value(scores[:, place] + shift)
            else:
                values = column.draw(self.rng, rows, shift)
            found.append(np.where(self.rng.random(rows) < self._missing(place, fault), np.nan, values))
        return found

    def counted(self, day: date, fault: Fault = QUIET) -> NightProfile:
        """The profile of a night whose rows are not drawn."""
        rows = self._rows(day)
        drawn = self.drawn(day, fault) if self.setting.factors else []
        sides = []
        for place, column in enumerate(self.setting.columns):
            if drawn:
                present = drawn[place][~np.isnan(drawn[place])]
                cells = np.bincount(np.searchsorted(self._cells[place], present), minlength=self._cells[place].size + 1)
            else:
                missing = self.rng.binomial(rows, self._missing(place, fault))
                parts = self._parts(place, column, self._shift(place, day, fault), fault)
                cells = self.rng.multinomial(rows - missing, parts)
            sides.append(_side(cells, rows - int(cells.sum())))
        return self._night(sides)

    def summed_up(self, rows: Sequence[Floats]) -> list[tuple[Summary, ColumnProfile]]:
        """Each column's summary of a drawn night, and its profile as a night makes it."""
        found = []
        for place, (column, values) in enumerate(zip(self.setting.columns, rows, strict=True)):
            summary = self._summary(column, values)
            profile = profile_of(self.summaries[place], summary)
            assert profile is not None
            found.append((summary, profile.model_copy(update={"pieces": self._kept[place].pieces})))
        return found

    def _rows(self, day: date) -> int:
        weekend = day.weekday() >= _SATURDAY
        return max(1, round(self.setting.rows * (self.setting.weekend_rows if weekend else 1.0)))

    def _direction(self, column: Column) -> Shift:
        return self.rng.normal(size=column.weights.size) if isinstance(column, Categories) else 1.0

    def _shift(self, place: int, day: date, fault: Fault) -> Shift:
        setting, column = self.setting, self.setting.columns[place]
        size = column.weights.size if isinstance(column, Categories) else None
        moved = setting.night * self.rng.normal(size=size)
        along = setting.weekend * (day.weekday() >= _SATURDAY) + setting.trend * (day - FIRST).days
        along += fault.shift if place < fault.columns else 0.0
        return moved + along * self._along[place]

    def _missing(self, place: int, fault: Fault) -> float:
        share = self.setting.columns[place].missing
        if fault.missing is not None and place < fault.columns:
            return fault.missing
        return min(1.0, share * float(np.exp(self.setting.gaps * self.rng.normal()))) if share else 0.0

    def _mixed(self, day: date) -> Floats | None:
        if not self.setting.factors:
            return None
        return np.asarray(self.rng.normal(size=(self._rows(day), self.setting.factors)) @ self._mixes.T)

    def _summary(self, column: Column, values: Floats) -> Summary:
        gone = np.isnan(values)
        return column.summary(values[~gone], int(gone.sum()))

    def _profile(self, place: int, picked: Floats, pieces: int) -> ColumnProfile:
        column, summary = self.setting.columns[place], self.summaries[place]
        values: pa.Array = pa.array(picked, from_pandas=True)
        if isinstance(column, Categories):
            values = pa.array([None if np.isnan(value) else f"c{int(value):04d}" for value in picked])
        found = profile_of(summary, summary, [values] if pieces else (), pieces)
        assert found is not None
        return found

    def _cells_of(self, column: Column, summary: Summary) -> npt.NDArray[np.float64]:
        """Edges of numbers; of categories the cell of each."""
        if isinstance(column, Numbers):
            return NumberCells.of(cast("NumericalSummary", summary)).edges
        named = CategoryCells.of(cast("CategoricalSummary", summary)).named
        return np.array([named.get(f"c{place:04d}", len(named)) for place in range(column.weights.size)])

    def _parts(self, place: int, column: Column, shift: Shift, fault: Fault) -> Floats:
        cells, kept = self._cells[place], len(self._kept[place].reference.cells)
        if isinstance(column, Numbers):
            parts = column.shares(cells, shift)
            same = int(np.searchsorted(cells, column.value(np.zeros(1)))[0])
        else:
            parts = np.asarray(np.bincount(cells.astype(np.int64), column.parts(shift), minlength=kept))
            same = 0
        if place < fault.columns:
            parts = _mixed_in(_mixed_in(parts, same, fault.default), kept - 1, fault.new)
        return parts

    def _night(self, sides: Sequence[SideProfile]) -> NightProfile:
        columns = tuple(
            kept.model_copy(update={"production": side}) for kept, side in zip(self._kept, sides, strict=True)
        )
        return NightProfile(snapshots="night", reference="reference", columns=columns)


def _mixed_in(parts: Floats, cell: int, share: float) -> Floats:
    mixed = parts * (1 - share)
    mixed[cell] += share
    return mixed


def _side(cells: npt.NDArray[np.int64], missing: int) -> SideProfile:
    return SideProfile(rows=int(cells.sum()) + missing, missing=missing, cells=tuple(cells.tolist()))


@dataclass
class Judged:
    """A night as a budget judged it, and which columns fixed thresholds call drifted, where they were asked."""

    day: date
    verdict: Verdict
    fixed: tuple[str, ...] | None = None

    @property
    def drifted(self) -> tuple[str, ...]:
        return self.verdict.alarms.comparisons[0].drifted


def judged(
    stream: Stream,
    nights: int,
    policy: AlarmPolicy,
    fault: Callable[[int], Fault] = lambda _: QUIET,
    exact: int = 0,
) -> Iterator[Judged]:
    """The nights of a stream, each judged by those before it; the first `exact` ones are drawn as rows."""
    past: list[PastNight] = []
    for place in range(nights):
        day, fixed = FIRST + timedelta(place), None
        if place < exact:
            found = stream.summed_up(stream.drawn(day, fault(place)))
            profile = NightProfile(snapshots="night", reference="reference", columns=tuple(kept for _, kept in found))
            fixed = tuple(
                kept.name
                for before, (after, kept) in zip(stream.summaries, found, strict=True)
                if compare_column(before, after, kept.kind).drifted
            )
        else:
            profile = stream.counted(day, fault(place))
        verdict = judge(policy, LIMIT, profile, past, day)
        yield Judged(day, verdict, fixed)
        past.append(PastNight(day, profile.model_copy(update={"drifted": dict(verdict.drifted)})))
        past = past[-max(USUAL_NIGHTS, 70) :]
