"""Columns of a night together: pairs, a plane, a classifier, and each column of lists, on one budget of warnings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.checks.alarms.budget import chance_of, level_of
from pipeline.checks.one_thread import on_one_thread
from pipeline.checks.scan import FloatArray, Table, open_table
from pipeline.checks.together.cells import Coder, Numbers, coder, tonights
from pipeline.checks.together.counts import Counted, count, places
from pipeline.checks.together.pairs import Distances, distances
from pipeline.checks.together.plane import Outside, outside
from pipeline.checks.together.rarity import rarity
from pipeline.checks.together.rows import drawn, picked
from pipeline.checks.together.sides import Judge, judge
from pipeline.checks.together.vectors import MOST_VECTORS, measure_vectors, vector_names
from pipeline.config import TogetherPolicy
from pipeline.results import Kind, PairDrift, PlaneDrift, SidesDrift, Telling, TogetherResult

MOST_COLUMNS = 100
PAIRS_TOLD = 20
_TELLING = 8
_LOOKED_AT = 0.05
_LEAST_TELLING = 0.1
"""Told are columns that cost at least this part of what the most telling one does."""
Past = Sequence[TogetherResult]


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """Both sides as they were read. `sides`: how each was coded; `drawn`: rows of each, shape (n, p), one column for
    each coder.
    """

    sides: tuple[Sequence[Coder], Sequence[Coder]]
    counted: tuple[Counted, Counted]
    drawn: tuple[FloatArray, FloatArray]

    @property
    def coders(self) -> Sequence[Coder]:
        """Of the reference."""
        return self.sides[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        return tuple(item.name for item in self.coders)

    @property
    def numbers(self) -> list[int]:
        """Which are numerical."""
        return [place for place, item in enumerate(self.coders) if isinstance(item, Numbers)]


@on_one_thread
def measure(
    policy: TogetherPolicy,
    reference: Sequence[Path],
    production: Sequence[Path],
    columns: Mapping[str, Kind],
    snapshots: str,
    *,
    past: Past = (),
    aside: Collection[str] = (),
) -> TogetherResult:
    """Hold columns together against the reference, on every row; the classifier on rows drawn of each side.

    Args:
        policy: how often a quiet night may warn.
        reference: local parquet files of the reference.
        production: local parquet files of tonight.
        columns: those that can be compared, with their kinds; beyond `MOST_COLUMNS` they are left out.
        snapshots: the digest of what is compared.
        past: the same of nights before, which say what is usual.
        aside: columns that are not looked at although they hold lists of numbers; all others that do are.

    Raises:
        SnapshotUnreadable: a file is damaged or gone.
    """
    chosen = dict(list(columns.items())[:MOST_COLUMNS])
    tables = open_table([str(path) for path in reference]), open_table([str(path) for path in production])
    sides, names = _read(*tables, chosen), vector_names(*tables, aside)
    vectors = measure_vectors(*tables, names[:MOST_VECTORS], [night.vectors for night in past])
    found = None if sides is None else _Found(sides, _pairs(sides, past), _plane(sides, past), *_apart(sides, past))
    parts = [*(() if found is None else found.chances), *(vector.chance for vector in vectors)]
    known = [part for part in parts if part is not None]
    level = level_of(known, 1 / policy.per_nights)
    told = {
        "snapshots": snapshots,
        "per_nights": policy.per_nights,
        "chance": chance_of(known) if known else None,
        "changed": any(part <= level for part in known),
        "nights": len(past),
        "left_out": len(columns) - len(chosen),
        "vectors": tuple(vector.judged(level) for vector in vectors),
        "vectors_left_out": max(0, len(names) - MOST_VECTORS),
    }
    return TogetherResult.model_validate(told | ({} if found is None else found.told(level)))


def _read(reference: Table, production: Table, columns: Mapping[str, Kind]) -> _Sides | None:
    """None where a side has no rows, or fewer than two columns vary."""
    if not reference.rows or not production.rows:
        return None
    rows = drawn(reference.rows), drawn(production.rows)
    coders, values = [], []
    for name, kind in columns.items():
        before = picked(reference, name, rows[0])
        made = coder(name, kind, before)
        if made is not None:
            after = picked(production, name, rows[1])
            coders.append(made)
            values.append([np.concatenate([made.read(part) for part in side]) for side in (before, after)])
    if len(coders) < 2:
        return None
    before_values, after_values = (np.column_stack(side) for side in zip(*values, strict=True))
    now = [tonights(item, *both) for item, both in zip(coders, values, strict=True)]
    counted = count(reference, coders), count(production, now)
    return _Sides((coders, now), counted, (before_values, after_values))


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """All pairs of columns, in order: the places of both, their tables on each side, shape (p, k, k), how far they are,
    and how rare that is; None where nothing can be told.
    """

    first: Sequence[int]
    second: Sequence[int]
    tables: tuple[FloatArray, FloatArray]
    distances: Distances
    noise: float
    chances: Sequence[float | None]

    @property
    def chance(self) -> float | None:
        """How rare all of them are."""
        known = [chance for chance in self.chances if chance is not None]
        return chance_of(known) if known else None

    def told(self, sides: _Sides, names: Sequence[str], level: float) -> dict[str, object]:
        """What is kept of them. `level`: where the rarest of them may be called changed, 0 where none may."""
        known = [chance for chance in self.chances if chance is not None]
        rare = level_of(known, level) if level else 0.0
        changed = [chance is not None and chance <= rare for chance in self.chances]
        ranked = sorted((chance, place) for place, chance in enumerate(self.chances) if chance is not None)[:PAIRS_TOLD]
        beyond = (self.distances.squared - self.noise) * self.distances.freedom
        kept = [
            None if chance is None or moved else round(value, 7)
            for chance, moved, value in zip(self.chances, changed, beyond.tolist(), strict=True)
        ]
        return {
            "pairs_compared": len(known),
            "pairs_changed": sum(changed),
            "pairs_chance": self.chance,
            "pairs": [self._one(sides, names, place, chance, changed[place]) for chance, place in ranked],
            "beyond": kept,
        }

    def _one(self, sides: _Sides, names: Sequence[str], place: int, chance: float, changed: bool) -> PairDrift:
        one, two = self.first[place], self.second[place]
        before, now = (cramers_v(table[place]) for table in self.tables)
        numbers = sides.numbers
        both: list[float | None] = [None, None]
        if one in numbers and two in numbers:
            at = numbers.index(one), numbers.index(two)
            both = [float(side.moments.correlation[at]) for side in sides.counted]
        return PairDrift(
            first=names[one],
            second=names[two],
            chance=chance,
            changed=changed,
            association_before=before,
            association_now=now,
            correlation_before=both[0],
            correlation_now=both[1],
        )


def cramers_v(table: FloatArray) -> float:
    """Cramér's V of a table of rows, shape (k, l), less what chance makes of it: 0 to 1; 0 without rows.

    Source: Bergsma (2013), "A bias-correction for Cramér's V and Tschuprow's T".
    """
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    table = table[rows > 0][:, columns > 0]
    total, (many, wide) = table.sum(), table.shape
    if min(many, wide) < 2 or total < 2:
        return 0.0
    usual = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    phi = float(((table - usual) ** 2 / usual).sum()) / total - (many - 1) * (wide - 1) / (total - 1)
    least = min(many - (many - 1) ** 2 / (total - 1), wide - (wide - 1) ** 2 / (total - 1)) - 1
    return float(min(1.0, np.sqrt(max(0.0, phi) / least))) if least > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What columns of single values are together. `rare`: how rare the classifier is."""

    sides: _Sides
    pairs: _Pairs
    plane: tuple[Outside, float] | None
    apart: Judge | None
    rare: float | None

    @property
    def chances(self) -> tuple[float | None, float | None, float | None]:
        """Of the pairs, the plane and the classifier; None where nothing can be told."""
        return self.pairs.chance, None if self.plane is None else self.plane[1], self.rare

    def told(self, level: float) -> dict[str, object]:
        """What is kept of them. `level`: as rare as a part has to be to have changed."""
        pairs, plane, sides = (chance is not None and chance <= level for chance in self.chances)
        names = self.sides.names
        return self.pairs.told(self.sides, names, level if pairs else 0.0) | {
            "columns": names,
            "plane": None if self.plane is None else _plane_told(*self.plane, changed=plane),
            "sides": None if self.apart is None else _sides_told(self.apart, names, self.rare or 1.0, changed=sides),
        }


def _pairs(sides: _Sides, past: Past) -> _Pairs:
    first, second = (part.tolist() for part in np.triu_indices(len(sides.coders), 1))
    before, after = (_tables(side, sides.coders, first, second) for side in sides.counted)
    found = distances(before, after)
    noise = 1 / sides.counted[0].rows + 1 / sides.counted[1].rows
    names, known = sides.names, _past_pairs(sides.names, past)
    chances = [
        rarity(float(squared), noise, int(freedom), known.get((names[one], names[two]), ())) if freedom else None
        for squared, freedom, one, two in zip(found.squared, found.freedom, first, second, strict=True)
    ]
    return _Pairs(first, second, (before, after), found, noise, chances)


def _tables(side: Counted, coders: Sequence[Coder], first: Sequence[int], second: Sequence[int]) -> FloatArray:
    """The tables of pairs, shape (p, k, k), with cells that are not there at 0."""
    starts = places(coders)
    most = max(item.cells for item in coders) + 1
    made = np.zeros((len(first), most, most))
    for place, (one, two) in enumerate(zip(first, second, strict=True)):
        cut = side.table[starts[one] : starts[one + 1], starts[two] : starts[two + 1]]
        made[place, : cut.shape[0], : cut.shape[1]] = cut
    return made


def _past_pairs(names: Sequence[str], past: Past) -> dict[tuple[str, str], list[float]]:
    """What pairs moved beyond chance on nights before, in the order of tonight's columns."""
    order = {name: place for place, name in enumerate(names)}
    found: dict[tuple[str, str], list[float]] = {}
    for night in past:
        rows, columns = np.triu_indices(len(night.columns), 1)
        if len(rows) != len(night.beyond):
            continue
        for one, two, value in zip(rows, columns, night.beyond, strict=True):
            pair = night.columns[one], night.columns[two]
            if value is not None and pair[0] in order and pair[1] in order:
                found.setdefault(pair if order[pair[0]] < order[pair[1]] else (pair[1], pair[0]), []).append(value)
    return found


def _plane(sides: _Sides, past: Past) -> tuple[Outside, float] | None:
    numbers = sides.numbers
    rows = []
    for coders, side in zip(sides.sides, sides.drawn, strict=True):
        measured = side[:, numbers].copy()
        for place, number in enumerate(numbers):
            item = coders[number]
            if isinstance(item, Numbers):
                values = measured[:, place]
                measured[:, place] = np.where(np.isnan(values), np.nan, item.measured(item.placed(values)))
        rows.append(measured)
    found = outside(*sides.counted, *rows)
    if found is None:
        return None
    known = [night.plane.beyond for night in past if night.plane is not None and night.plane.beyond is not None]
    return found, rarity(found.gap**2, found.noise, 1, known)


def _plane_told(found: Outside, chance: float, *, changed: bool) -> PlaneDrift:
    return PlaneDrift(
        columns=found.columns,
        components=found.components,
        error_before=found.before,
        error_now=found.now,
        chance=chance,
        changed=changed,
        beyond=None if changed else found.gap**2 - found.noise,
    )


def _apart(sides: _Sides, past: Past) -> tuple[Judge | None, float | None]:
    """A classifier and how rare it is. Where it may be a change, one that sees no column alone has to find it, too."""
    found = judge(*sides.drawn)
    if found is None:
        return None, None
    rare = _sides_chance(found, past)
    if rare > _LOOKED_AT:
        return found, rare
    without = judge(*sides.drawn, apart=True)
    return (found, rare) if without is None else (without, max(rare, _sides_chance(without, past)))


def _sides_chance(found: Judge, past: Past) -> float:
    """Worse than guessing is guessing: half of quiet nights are."""
    known = [night.sides.beyond for night in past if night.sides is not None and night.sides.beyond is not None]
    gap = found.apart.gap
    return rarity(gap**2, found.apart.noise, 1, known) / 2 if gap > 0 else 1.0


def _sides_told(found: Judge, names: Sequence[str], chance: float, *, changed: bool) -> SidesDrift:
    """Which columns are telling is looked at where there is something to tell."""
    lost = found.lost() if changed else np.zeros(0)
    order = [place for place in np.argsort(-lost) if lost[place] > _LEAST_TELLING * lost.max(initial=0.0)]
    apart = found.apart
    return SidesDrift(
        auc=apart.auc,
        rows_before=apart.before,
        rows_now=apart.now,
        chance=chance,
        changed=changed,
        telling=tuple(Telling(name=names[place], lost=float(lost[place])) for place in order[:_TELLING]),
        beyond=None if changed else apart.gap**2 - apart.noise,
    )
