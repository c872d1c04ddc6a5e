"""All lists of a side in one pass: sums and sums of products of their numbers, and some lists drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.checks.scan import FloatArray, IntArray, Table
from pipeline.checks.together.vectors.lists import Tally, batches, matrix

_Single = npt.NDArray[np.float32]
_OUTERMOST = 0.001
_COLUMNS = 64
_FARTHEST = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How each of d places of a list is measured, arrays of shape (d,): around `centre` in units of `scale`; what lies
    beyond `low` and `high`, in these units, counts as they do.
    """

    centre: FloatArray
    scale: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def width(self) -> int:
        """How many numbers a list has."""
        return int(self.centre.size)

    @classmethod
    def of(cls, rows: FloatArray) -> Scale | None:
        """Of lists of the reference, shape (n, d), up to its outermost thousandths; None where all lists are one.

        A place that has one value takes the unit of the others: where it varies tonight, that is seen.
        """
        ends = [_quantiles(rows[:, first : first + _COLUMNS]) for first in range(0, rows.shape[1], _COLUMNS)]
        low, high = np.concatenate(ends, axis=1)
        centre, scale = np.empty_like(low), np.empty_like(low)
        for place in range(rows.shape[1]):
            held = np.clip(rows[:, place], low[place], high[place])
            with np.errstate(over="ignore", invalid="ignore"):
                centre[place], scale[place] = held.mean(), held.std()
        varies = np.isfinite(scale) & (scale > np.abs(centre) * 1e-12)
        if not varies.any():
            return None
        unit = np.where(varies, scale, np.median(scale[varies]))
        middle = np.where(np.isfinite(centre), centre, 0.0)
        ends = [np.where(varies, (end - middle) / unit, far) for end, far in ((low, -_FARTHEST), (high, _FARTHEST))]
        return cls(middle, unit, *ends)

    def measured(self, rows: FloatArray) -> _Single:
        """Lists in these units, shape (n, d)."""
        with np.errstate(over="ignore"):
            return np.clip((rows - self.centre) / self.scale, self.low, self.high).astype(np.float32)


def _quantiles(rows: FloatArray) -> FloatArray:
    """The outermost thousandths, shape (2, d); the extremes of a place where these are one value."""
    low, high = np.quantile(rows, [_OUTERMOST, 1 - _OUTERMOST], axis=0, method="nearest")
    same = low == high
    return np.stack([np.where(same, rows.min(axis=0), low), np.where(same, rows.max(axis=0), high)])


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Of `rows` lists of d numbers, as `Scale.measured`: sums, shape (d,), and sums of products, shape (d, d)."""

    rows: int
    sums: FloatArray
    products: FloatArray

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.rows + other.rows, self.sums + other.sums, self.products + other.products)

    @classmethod
    def none(cls, width: int) -> Moments:
        """Of no list."""
        return cls(0, np.zeros(width), np.zeros((width, width)))

    @property
    def mean(self) -> FloatArray:
        """Shape (d,); zeros without lists."""
        return np.asarray(self.sums / max(self.rows, 1))

    def around(self, middle: FloatArray) -> FloatArray:
        """Mean products of what lists are away from a point, shape (d, d)."""
        mean = self.mean
        apart = mean - middle
        return np.asarray(self.products / max(self.rows, 1) - np.outer(mean, mean) + np.outer(apart, apart))


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A side. `halves`: the moments of its first, third, ... row and of the others; `drawn`: lists, shape (n, d)."""

    tally: Tally
    halves: tuple[Moments, Moments]
    drawn: _Single

    @property
    def moments(self) -> Moments:
        """Of all lists."""
        return self.halves[0] + self.halves[1]


def sums_of(table: Table, name: str, scale: Scale, rows: IntArray, *, halves: bool = False) -> Side:
    """One pass over all rows, in memory that does not depend on how many there are.

    Products are those of single floats within a batch, and added up as doubles.

    Args:
        table: the side.
        name: the column.
        scale: how lists are measured, and how wide they are.
        rows: places of the rows to draw, ascending.
        halves: tell the first, third, ... row from the others; otherwise all are in the first half.

    Raises:
        SnapshotUnreadable: a file is damaged or gone.
    """
    tally = Tally()
    sums = [Moments.none(scale.width), Moments.none(scale.width)]
    drawn: list[_Single] = [np.empty((0, scale.width), np.float32)]
    for start, batch in batches(table, name):
        values, places = matrix(batch, scale.width, tally)
        measured, places = scale.measured(values), places + start
        drawn.append(measured[np.isin(places, rows)])
        parts: Sequence[_Single] = [measured[places % 2 == half] for half in (0, 1)] if halves else [measured]
        for half, part in enumerate(parts):
            sums[half] += Moments(len(part), part.sum(axis=0, dtype=np.float64), (part.T @ part).astype(np.float64))
    return Side(tally, (sums[0], sums[1]), np.concatenate(drawn))
