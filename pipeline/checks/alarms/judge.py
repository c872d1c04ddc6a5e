"""The verdict on a night's columns, on a budget of alarms: from tonight's profile and those of past nights alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pipeline.checks.alarms.budget import chance_of, level_of
from pipeline.checks.alarms.column import Held, Rarity, rarities, rows_needed
from pipeline.checks.alarms.held import Apart, Tonight, held_against
from pipeline.checks.alarms.past import (
    PastNight,
    key_of,
    telling,
    window_before,
    words_of,
)
from pipeline.checks.alarms.stack import on_night, stacks_of
from pipeline.config import AlarmPolicy, ComparedWith
from pipeline.results import ColumnDrift, Comparison, NightAlarms, NightProfile

_UNSEEN = "its values cannot be counted in the cells of the reference"


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
    alike, level = _alike(profile, past), 1 / policy.per_nights
    pooled = _window(policy, limit, profile, alike, run_date)
    tonight = _tonight(profile, pooled)
    apart = Apart(telling(past, run_date))
    found = {
        against: _in_order(profile, (held_against(against, item, alike, apart, run_date) for item in tonight))
        for against in policy.against
    }
    columns = found[policy.against[0]]
    comparisons = tuple(_comparison(against, columns, level) for against, columns in found.items())
    needed, rows = _rows_needed(tonight, limit, level), int(_rows(tonight))
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


def _tonight(profile: NightProfile, pooled: Sequence[PastNight]) -> list[Tonight]:
    made = []
    for stack in stacks_of(profile):
        others = [on_night(stack, night.profile) for night in pooled]
        after = sum((counts for counts, _ in others), on_night(stack, profile)[0])
        nights = sum((there.astype(np.float64) for _, there in others), np.ones(len(stack.columns)))
        made.append(Tonight(stack, after, nights))
    return made


def _rows(tonight: Sequence[Tonight]) -> float:
    return max((float(item.after.sum(axis=1).max()) for item in tonight), default=0.0)


def _window(
    policy: AlarmPolicy, limit: float, profile: NightProfile, alike: Sequence[PastNight], run_date: date
) -> list[PastNight]:
    """The nights before tonight that are looked at together with it: as few as make the rows enough."""
    pooled: list[PastNight] = []
    for night in window_before(run_date, alike, policy.window):
        tonight = _tonight(profile, pooled)
        if _rows(tonight) >= _rows_needed(tonight, limit, 1 / policy.per_nights):
            break
        pooled.append(night)
    return pooled


def _alike(profile: NightProfile, past: Iterable[PastNight]) -> list[PastNight]:
    """Nights that were held against the same reference: their columns were counted in the same cells."""

    def cells(found: NightProfile) -> tuple[object, ...]:
        return found.reference, found.version

    return [night for night in past if cells(night.profile) == cells(profile)]


def _rows_needed(tonight: Sequence[Tonight], limit: float, level: float) -> float:
    """From how many rows on a large change would be seen in more columns than the limit is."""
    many = sum(len(item.stack.columns) for item in tonight)
    parts = [rows_needed(item.stack.kind, item.stack.reference, item.after, level / many) for item in tonight]
    needed = np.sort(np.concatenate(parts)) if parts else np.zeros(0)
    return float(needed[min(math.floor(limit * needed.size), needed.size - 1)]) if needed.size else 0.0


def _in_order(profile: NightProfile, held: Iterable[Held]) -> dict[str, Rarity]:
    found = {rarity.name: rarity for stack in held for rarity in rarities(stack)}
    return {column.name: found[column.name] for column in profile.columns}
