"""The verdict on a night's columns, on a budget of alarms: from tonight's profile and those of past nights alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pipeline.checks.alarms.budget import chance_of, level_of
from pipeline.checks.alarms.column import Held, Rarity, rarity, rows_needed
from pipeline.checks.alarms.past import (
    ENOUGH_NIGHTS,
    USUAL_NIGHTS,
    PastNight,
    base_of,
    key_of,
    telling,
    usual_of,
    window_before,
    words_of,
)
from pipeline.checks.alarms.variation import Variation, apart
from pipeline.checks.alarms.views import ViewName
from pipeline.checks.scan.types import FloatArray
from pipeline.config import AlarmPolicy, ComparedWith
from pipeline.results import ColumnDrift, ColumnProfile, Comparison, NightAlarms, NightProfile

_UNSEEN = "its values cannot be counted in the cells of the reference"
_FEWEST = 5
"""Nights of the same cells that are needed to hold them against each other."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What drifted on a night, and how sure that is.

    `columns` is how rare each column is beside what decides, by name; `drifted` names columns by what they were held
    against (`past.key_of`), the rarest first; `level` is how rare a column had to be. A column that was held against
    the reference for want of quiet nights has not drifted from them: else there would never be one.
    """

    alarms: NightAlarms
    columns: Mapping[str, Rarity]
    drifted: Mapping[str, tuple[str, ...]]
    level: float

    def on(self, column: ColumnDrift) -> ColumnDrift:
        """A column that was compared, with its verdict; as it is where nothing could be counted."""
        found = self.columns.get(column.name)
        if found is None:
            unseen = {"status": "not_evaluable", "reason": column.reason if column.status != "evaluated" else _UNSEEN}
            return column.model_copy(update=unseen)
        drifted = found.chance <= self.level
        return column.model_copy(
            update={
                "method": found.view,
                "direction": "distance",
                "score": found.score,
                "threshold": found.threshold(self.level),
                "usual": found.usual,
                "chance": found.chance,
                "drifted": drifted,
                "reason": column.reason if drifted else None,
            }
        )


def judge(
    policy: AlarmPolicy, limit: float, profile: NightProfile, past: Sequence[PastNight], run_date: date
) -> Verdict:
    """Hold tonight against everything that the monitor names.

    Args:
        policy: the budget.
        limit: of the drift share, in [0, 1].
        profile: of tonight.
        past: nights before it, oldest first; see `past.dates_wanted`.
        run_date: of tonight.
    """
    pooled = _window(policy, limit, profile, past, run_date)
    tonight = [_Tonight(column, pooled) for column in profile.columns]
    found = {against: _compare(against, tonight, profile, past, run_date) for against in policy.against}
    columns, level = found[policy.against[0]], 1 / policy.per_nights
    comparisons = tuple(_comparison(against, columns, level) for against, columns in found.items())
    needed = _rows_needed(tonight, limit, level)
    rows = max((int(item.after.sum()) for item in tonight), default=0)
    alarms = NightAlarms(
        per_nights=policy.per_nights,
        chance=comparisons[0].chance,
        nights=max((item.nights for item in columns.values()), default=0),
        rows=rows,
        window=1 + len(pooled),
        too_few_rows=bool(tonight) and rows < needed and not comparisons[0].drifted,
        rows_needed=math.ceil(needed) if math.isfinite(needed) else None,
        learning=not telling(past, run_date),
        comparisons=comparisons,
    )
    drifted = {
        key_of(against): tuple(name for name in item.drifted if against == "reference" or found[against][name].before)
        for against, item in zip(found, comparisons, strict=True)
    }
    return Verdict(alarms, columns, drifted, level_of(_chances(columns), level))


def _comparison(against: ComparedWith, columns: Mapping[str, Rarity], level: float) -> Comparison:
    least = level_of(_chances(columns), level)
    rare = [item for item in columns.values() if item.chance <= least]
    return Comparison(
        against=words_of(against),
        chance=chance_of(_chances(columns)),
        drifted=tuple(item.name for item in sorted(rare, key=lambda item: (item.chance, -item.score))),
    )


def _chances(columns: Mapping[str, Rarity]) -> list[float]:
    return [item.chance for item in columns.values()]


class _Tonight:
    """A column of tonight, together with the nights before it that are looked at at once."""

    def __init__(self, column: ColumnProfile, pooled: Sequence[PastNight]) -> None:
        self.column = column
        self.reference = column.reference.counts
        others = same_cells(column, pooled)
        self.nights = 1 + len(others)
        self.after = sum((other.production.counts for other in others), column.production.counts)


def same_cells(column: ColumnProfile, nights: Iterable[PastNight]) -> list[ColumnProfile]:
    """The column on the nights on which it was counted in the same cells."""
    found = (night.profile.by_name.get(column.name) for night in nights)
    return [item for item in found if item is not None and item.laid == column.laid]


def _window(
    policy: AlarmPolicy, limit: float, profile: NightProfile, past: Sequence[PastNight], run_date: date
) -> list[PastNight]:
    """The nights before tonight that are looked at together with it: as few as make the rows enough."""
    pooled: list[PastNight] = []
    for night in window_before(run_date, _alike(profile, past), policy.window):
        tonight = [_Tonight(column, pooled) for column in profile.columns]
        rows = max((item.after.sum() for item in tonight), default=0.0)
        if rows >= _rows_needed(tonight, limit, 1 / policy.per_nights):
            break
        pooled.append(night)
    return pooled


def _alike(profile: NightProfile, past: Iterable[PastNight]) -> list[PastNight]:
    """Nights that were held against the same reference: their columns were counted in the same cells."""

    def cells(found: NightProfile) -> tuple[object, ...]:
        return found.reference, found.version

    return [night for night in past if cells(night.profile) == cells(profile)]


def _rows_needed(tonight: Sequence[_Tonight], limit: float, level: float) -> float:
    """From how many rows on a large change would be seen in more columns than the limit is."""
    held = (Held(item.column.name, item.column.kind, item.reference, item.after) for item in tonight)
    needed = sorted(rows_needed(item, level / len(tonight)) for item in held)
    return needed[min(math.floor(limit * len(needed)), len(needed) - 1)] if needed else 0.0


def _compare(
    against: ComparedWith, tonight: Sequence[_Tonight], profile: NightProfile, past: Sequence[PastNight], run_date: date
) -> dict[str, Rarity]:
    alike = _alike(profile, past)
    found = (_held(against, item, alike, past, run_date) for item in tonight)
    return {held.name: rarity(held) for held in found}


def _held(
    against: ComparedWith, item: _Tonight, alike: Sequence[PastNight], past: Sequence[PastNight], run_date: date
) -> Held:
    """A column beside what it is held against; beside the reference as long as there is no quiet night."""
    column, before, nights = item.column, item.reference, 0
    alike = [night for night in alike if same_cells(column, [night])]
    if not isinstance(against, str):
        quiet = [night for night in alike if night.was_quiet(column.name, against)]
        base = _stacked(column, base_of(against, run_date, quiet))
        if len(base):
            nights, before = len(base), base.sum(axis=0)
    tell = telling(alike, run_date)
    nights_usual = usual_of(column.name, against, run_date, tell)
    usual = _stacked(column, nights_usual)
    few = len(usual) < ENOUGH_NIGHTS
    return Held(
        name=column.name,
        kind=column.kind,
        before=before,
        after=item.after,
        usual=usual,
        weekday=_stacked(column, (night for night in nights_usual if night.run_date.weekday() == run_date.weekday())),
        nights_before=nights,
        nights_after=item.nights,
        every=_stacked(column, tell[-USUAL_NIGHTS:]) if few else None,
        apart={} if len(alike) >= _FEWEST else _apart(column, telling(past, run_date)),
        pieces=_pieces(column),
    )


def _stacked(column: ColumnProfile, nights: Iterable[PastNight]) -> FloatArray:
    """Rows in each cell, shape (nights, k), of nights of the same cells."""
    found = [night.profile.by_name[column.name].production.counts for night in nights]
    return np.array(found).reshape(len(found), len(column.reference.cells) + 1)


def _apart(column: ColumnProfile, past: Sequence[PastNight]) -> Mapping[ViewName, Variation]:
    """How much a column moves where the reference changes too often for nights to be held against each other."""
    found = (night.profile.by_name.get(column.name) for night in past)
    every = [item for item in found if item is not None and item.kind == column.kind]
    if len(every) < _FEWEST:
        return {}
    return apart(column.kind, [item.production.counts for item in every], [item.reference.counts for item in every])


def _pieces(column: ColumnProfile) -> dict[ViewName, Variation]:
    if column.pieces is None:
        return {}
    names: tuple[ViewName, ...] = ("quantiles", "shares", "missing")
    known, lead, count = column.pieces.variation, column.pieces.lead, float(column.pieces.count)
    return {name: Variation(known[name], count, lead.get(name, 1.0)) for name in names if name in known}
