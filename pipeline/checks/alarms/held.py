"""What columns of a night are held against, and what past nights say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pipeline.checks.alarms.column import ENOUGH_NIGHTS, Held
from pipeline.checks.alarms.past import USUAL_NIGHTS, PastNight, base_of, telling, usual_of
from pipeline.checks.alarms.stack import Stack, on_night, stacks_of
from pipeline.checks.alarms.variation import BoolArray, Variation, apart, together, unknown
from pipeline.checks.alarms.views import ViewName
from pipeline.checks.scan.types import FloatArray
from pipeline.config import ComparedWith
from pipeline.results import ColumnProfile, Kind

_FEWEST = 5
"""Nights of the same cells that are needed to hold them against each other."""
Told = dict[tuple[str, Kind], dict[ViewName, list[FloatArray]]]


@dataclass(frozen=True, slots=True, eq=False)
class Tonight:
    """Columns of tonight, together with the nights before it that are looked at at once: `after`, shape (c, k), of
    `nights`, (c,).
    """

    stack: Stack
    after: FloatArray
    nights: FloatArray


def held_against(
    against: ComparedWith, item: Tonight, alike: Sequence[PastNight], apart: Apart, run_date: date
) -> Held:
    """Columns beside what they are held against; beside the reference as long as there is no quiet night.

    Args:
        against: what the monitor names.
        item: the columns.
        alike: nights before tonight that were held against the same reference, oldest first.
        apart: what nights of other references say.
        run_date: of tonight.
    """
    stack, many = item.stack, len(item.stack.columns)
    nights = [on_night(stack, night.profile) for night in alike]
    there = np.array([found for _, found in nights]).reshape(len(nights), many)
    base, usual, every = (np.zeros((len(nights), many), bool) for _ in range(3))
    for columns, known in _by_history(stack, against, alike, there):
        name = stack.names[columns[0]]
        tell = telling(known, run_date)
        chosen = usual_of(name, against, run_date, tell)
        usual[np.ix_(_places(alike, chosen), columns)] = True
        if len(chosen) < ENOUGH_NIGHTS:
            every[np.ix_(_places(alike, tell[-USUAL_NIGHTS:]), columns)] = True
        if not isinstance(against, str):
            quiet = [night for night in known if night.was_quiet(name, against)]
            base[np.ix_(_places(alike, base_of(against, run_date, quiet)), columns)] = True
    before, nights_before = stack.reference, base.sum(axis=0).astype(np.float64)
    if base.any():
        counts = np.array([found for found, _ in nights])
        before = np.where(nights_before[:, None] > 0, np.einsum("nc,nck->ck", base.astype(np.float64), counts), before)
    by_themselves = apart.knows(stack, there.sum(axis=0) < _FEWEST)
    return Held(
        names=stack.names,
        kind=stack.kind,
        before=before,
        after=item.after,
        nights_before=nights_before,
        nights_after=item.nights,
        past=[counts for counts, _ in nights],
        usual=usual,
        weekday=np.array([night.run_date.weekday() == run_date.weekday() for night in alike], bool),
        every=every,
        by_themselves=by_themselves,
        apart=apart.of(stack) if by_themselves.any() else {},
        pieces=_pieces(stack),
    )


def _by_history(
    stack: Stack, against: ComparedWith, alike: Sequence[PastNight], there: BoolArray
) -> Iterator[tuple[list[int], list[PastNight]]]:
    """Columns that were counted on the same nights and drifted on the same ones, and these nights; most never did."""
    places = {name: column for column, name in enumerate(stack.names)}
    quiet = np.ones(there.shape, bool)
    for row, night in enumerate(alike):
        loud = [places[name] for name in night.drifted(against) if name in places]
        quiet[row, loud] = False
    alike_columns: dict[tuple[bytes, bytes], list[int]] = {}
    for column in range(len(stack.names)):
        key = there[:, column].tobytes(), quiet[:, column].tobytes()
        alike_columns.setdefault(key, []).append(column)
    for columns in alike_columns.values():
        yield columns, [night for night, here in zip(alike, there[:, columns[0]], strict=True) if here]


def _places(alike: Sequence[PastNight], chosen: Iterable[PastNight]) -> list[int]:
    wanted = set(map(id, chosen))
    return [place for place, night in enumerate(alike) if id(night) in wanted]


class Apart:
    """How much columns move where the reference changes too often for nights to be held against each other."""

    def __init__(self, past: Sequence[PastNight]) -> None:
        self._past = past
        self._found: Told | None = None

    def knows(self, stack: Stack, wanted: BoolArray) -> BoolArray:
        """Of which of the wanted columns there are enough nights, both of shape (c,)."""

        def nights(column: ColumnProfile) -> int:
            found = (night.profile.by_name.get(column.name) for night in self._past)
            return sum(other is not None and other.kind == column.kind for other in found)

        pairs = zip(stack.columns, wanted.tolist(), strict=True)
        return np.array([asked and nights(column) >= _FEWEST for column, asked in pairs], bool)

    def of(self, stack: Stack) -> dict[ViewName, Variation]:
        """By view, of the columns of a stack."""
        if self._found is None:
            self._found = self._measured()
        made: dict[ViewName, Variation] = {}
        for place, column in enumerate(stack.columns):
            for name, told in self._found.get((column.name, column.kind), {}).items():
                found = made.setdefault(name, unknown(len(stack.columns)))
                found.size[place], found.nights[place] = together(np.array(told))
        return made

    def _measured(self) -> Told:
        found: Told = {}
        for night in self._past:
            for stack in stacks_of(night.profile):
                for name, (columns, told) in apart(
                    stack.kind, on_night(stack, night.profile)[0], stack.reference
                ).items():
                    for column, one in zip(columns.tolist(), told, strict=True):
                        views = found.setdefault((stack.names[column], stack.kind), {})
                        views.setdefault(name, []).append(one)
        return found


def _pieces(stack: Stack) -> dict[ViewName, Variation]:
    names: tuple[ViewName, ...] = ("quantiles", "shares", "missing")
    made = {name: unknown(len(stack.columns)) for name in names}
    for place, column in enumerate(stack.columns):
        pieces = column.pieces
        if pieces is None:
            continue
        for name, found in made.items() if pieces.variation else ():
            found.size[place], found.nights[place] = pieces.variation.get(name, 0.0), float(pieces.count)
            found.lead[place] = pieces.lead.get(name, 1.0)
    return made
