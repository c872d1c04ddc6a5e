"""Columns of lists of numbers: how far each is from the reference, and how rare that is."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from pipeline.checks.alarms.budget import chance_of, level_of
from pipeline.checks.scan import Table, is_number_list
from pipeline.checks.together.rarity import PRIOR, rarity
from pipeline.checks.together.sides import Apart, judge
from pipeline.checks.together.vectors.lists import Tally, drawn, matrix, picked, problem_with, width_of, width_problem
from pipeline.checks.together.vectors.moments import Scale, Side, sums_of
from pipeline.checks.together.vectors.principal import Held, hold
from pipeline.errors import NightjarError
from pipeline.results import MeanDrift, PlaneDrift, SidesDrift, VectorDrift
from pipeline.wording import clip, count

log = logging.getLogger(__name__)

MOST_VECTORS = 10
WIDEST = 2_048
"""Numbers of a list: sums of products are of every two."""
FEWEST_ROWS = 200
_FEWEST_TONIGHT = 100
_MOVES = 0.0025 / PRIOR
"""Lists are expected to move by five hundredths of a deviation; in squares, so many times as far as `rarity` expects.
Unlike columns together, plane and classifier see means move, too.
"""


class Vector(NamedTuple):
    """A column as it was looked at. `chances`: how rare its mean, its plane and the classifier are, None where nothing
    can be told; `told` has no verdict yet.
    """

    told: VectorDrift
    held: Held | None = None
    apart: Apart | None = None
    chances: tuple[float | None, ...] = (None, None, None)

    @property
    def chance(self) -> float | None:
        """How rare all of them are."""
        known = [chance for chance in self.chances if chance is not None]
        return chance_of(known) if known else None

    def judged(self, level: float) -> VectorDrift:
        """With its verdict. `level`: as rare as a column has to be to have changed."""
        if self.held is None:
            return self.told
        rare = level_of([chance for chance in self.chances if chance is not None], level)
        changed = [chance is not None and chance <= rare for chance in self.chances]
        told = {"chance": self.chance, "changed": any(changed), "mean": self._mean(changed[0])}
        return self.told.model_copy(update=told | {"plane": self._plane(changed[1]), "sides": self._sides(changed[2])})

    def _mean(self, changed: bool) -> MeanDrift | None:
        if self.held is None or self.chances[0] is None:
            return None
        moved = self.held.moved
        beyond = (moved.squared - moved.noise) * moved.directions
        return MeanDrift(
            directions=moved.directions,
            distance=moved.distance,
            chance=self.chances[0],
            changed=changed,
            beyond=None if changed else beyond,
        )

    def _plane(self, changed: bool) -> PlaneDrift | None:
        outside = None if self.held is None else self.held.outside
        if outside is None or self.chances[1] is None:
            return None
        return PlaneDrift(
            columns=self.told.width,
            components=outside.components,
            error_before=outside.before,
            error_now=outside.now,
            chance=self.chances[1],
            changed=changed,
            beyond=None if changed else outside.gap**2 - outside.noise,
        )

    def _sides(self, changed: bool) -> SidesDrift | None:
        if self.apart is None or self.chances[2] is None:
            return None
        return SidesDrift(
            auc=self.apart.auc,
            rows_before=self.apart.before,
            rows_now=self.apart.now,
            chance=self.chances[2],
            changed=changed,
            beyond=None if changed else self.apart.gap**2 - self.apart.noise,
        )


def vector_names(reference: Table, production: Table, aside: Collection[str] = ()) -> list[str]:
    """Columns that hold lists of numbers in the reference, or are there tonight alone. `aside`: never looked at."""
    found = []
    for name in dict.fromkeys((*reference.column_names, *production.column_names)):
        types = reference.types_of(name) or production.types_of(name)
        if name not in aside and any(map(is_number_list, types)):
            found.append(name)
    return found


def measure_vectors(
    reference: Table, production: Table, names: Sequence[str], past: Sequence[Sequence[VectorDrift]] = ()
) -> list[Vector]:
    """Each column as a whole, on every row; the classifier on lists drawn of each side.

    Args:
        reference: all files of the reference.
        production: all files of tonight.
        names: of columns of lists of numbers, as `vector_names` has them.
        past: the same of nights before, which say what is usual.

    Raises:
        SnapshotUnreadable: a file is damaged or gone.
    """
    return [_contained(reference, production, name, past) for name in names]


def _contained(reference: Table, production: Table, name: str, past: Sequence[Sequence[VectorDrift]]) -> Vector:
    """An error over what one column holds is that column's own; damaged data concerns the whole night."""
    try:
        return _vector(reference, production, name, past)
    except NightjarError:
        raise
    except Exception as error:
        log.exception("lists of column %r could not be measured", clip(name, 60))
        return _without(name, f"an error kept it from being measured ({type(error).__name__}): the log says where")


def _vector(reference: Table, production: Table, name: str, past: Sequence[Sequence[VectorDrift]]) -> Vector:
    for where, table in (("the reference", reference), ("production", production)):
        problem = problem_with(table, name)
        if problem is not None:
            return _without(name, f"in {where}: {problem}")
    rows = drawn(reference, name, every_other=True)
    parts = picked(reference, name, rows)
    width = width_of(parts)
    if not width:
        return _without(name, "the reference has no list that holds a number")
    if width > WIDEST:
        return _without(name, f"lists of {count(width, 'number')} are longer than {count(WIDEST)}", width)
    sample = np.concatenate([matrix(part, width, Tally())[0] for part in parts])
    scale = Scale.of(sample) if len(sample) else None
    del sample, parts
    if scale is None:
        return _without(name, "all lists of the reference are one, or hold numbers that are missing or infinite", width)
    before = sums_of(reference, name, scale, rows, halves=True)
    after = sums_of(production, name, scale, drawn(production, name))
    told = _counted(name, width, before.tally, after.tally)
    problem = _too_few(before, after, width)
    if problem is not None:
        return Vector(told.model_copy(update={"reason": problem}))
    held = hold(before, after)
    found = judge(*held.seen)
    apart = None if found is None else found.apart
    known = [item for night in past for item in night if (item.name, item.width) == (name, width)]
    return Vector(told, held, apart, _chances(held, apart, known))


def _without(name: str, reason: str, width: int = 0) -> Vector:
    return Vector(VectorDrift(name=name, width=width, reason=reason))


def _counted(name: str, width: int, before: Tally, after: Tally) -> VectorDrift:
    shares = [tally.missing / tally.rows if tally.rows else None for tally in (before, after)]
    return VectorDrift(
        name=name,
        width=width,
        rows_before=before.used,
        rows_now=after.used,
        missing_before=shares[0],
        missing_now=shares[1],
        unusable_before=before.unusable,
        unusable_now=after.unusable,
    )


def _too_few(before: Side, after: Side, width: int) -> str | None:
    fits = 2 * min(half.rows for half in before.halves), after.tally.used
    sides = (("the reference", before, FEWEST_ROWS), ("production", after, _FEWEST_TONIGHT))
    for (where, side, least), rows in zip(sides, fits, strict=True):
        problem = width_problem(side.tally, width, where)
        if problem is not None:
            return problem
        if rows < least:
            return f"{where} has {count(rows, 'list')} to look at, and it takes {count(least)}"
    return None


def _chances(held: Held, apart: Apart | None, past: Sequence[VectorDrift]) -> tuple[float | None, ...]:
    moved, outside = held.moved, held.outside
    parts = [[getattr(item, key) for item in past] for key in ("mean", "plane", "sides")]
    means, planes, sides = (
        [part.beyond for part in found if part is not None and part.beyond is not None] for found in parts
    )
    mean = _rarity(moved.squared, moved.noise, moved.directions, means)
    plane = None if outside is None else _rarity(outside.gap**2, outside.noise, 1, planes)
    if apart is None:
        return mean, plane, None
    # Worse than guessing is guessing: half of quiet nights are.
    rare = _rarity(apart.gap**2, apart.noise, 1, sides) / 2 if apart.gap > 0 else 1.0
    return mean, plane, rare


def _rarity(squared: float, noise: float, directions: int, past: Sequence[float]) -> float:
    """As `rarity`, which expects more of lists before nights were seen."""
    return rarity(squared / _MOVES, noise / _MOVES, directions, [beyond / _MOVES for beyond in past])
