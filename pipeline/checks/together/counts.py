"""All rows of a side in one pass: the table of every pair of columns, and the second moments of the numerical ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.checks.scan import FloatArray, Table
from pipeline.checks.together.cells import Coder, Numbers
from pipeline.checks.together.rows import chunks

_Single = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Of q numerical columns, as `Numbers.measured`: for each pair the rows that have both, shape (q, q), the sums over
    them of the first column, of its squares, and of the products of both. Of rows that lack either nothing counts.
    """

    rows: FloatArray
    sums: FloatArray
    squares: FloatArray
    products: FloatArray

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.rows + other.rows,
            self.sums + other.sums,
            self.squares + other.squares,
            self.products + other.products,
        )

    def of(self, columns: npt.NDArray[np.bool_]) -> Moments:
        """Of some of the columns."""
        cut = np.ix_(columns, columns)
        return Moments(self.rows[cut], self.sums[cut], self.squares[cut], self.products[cut])

    @property
    def correlation(self) -> FloatArray:
        """Pearson's, of the rows that have both; 0 of columns that do not vary; ones on the diagonal."""
        rows = np.maximum(self.rows, 1.0)
        mean = self.sums / rows
        variance = np.maximum(self.squares / rows - mean**2, 0.0)
        scale = np.sqrt(variance * variance.T)
        covariance = self.products / rows - mean * mean.T
        found = np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 1e-9)
        np.fill_diagonal(found, 1.0)
        return np.asarray(np.clip(found, -1.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """A side. `table` has a row and a column for each cell of each coder, the missing ones last, and counts rows;
    `halves` are the moments of every other row.
    """

    rows: int
    table: FloatArray
    halves: tuple[Moments, Moments]

    @property
    def moments(self) -> Moments:
        """Of all rows."""
        return self.halves[0] + self.halves[1]


def count(table: Table, coders: Sequence[Coder]) -> Counted:
    """One pass over all rows, in memory that does not depend on how many there are.

    Raises:
        SnapshotUnreadable: a file is damaged or gone.
    """
    starts = places(coders)
    numbers = [place for place, coder in enumerate(coders) if isinstance(coder, Numbers)]
    cells = np.zeros((starts[-1], starts[-1]))
    empty = np.zeros((len(numbers), len(numbers)))
    halves = [Moments(empty, empty, empty, empty)] * 2
    rows = 0
    for chunk in chunks(table, coders):
        cells += _counted(chunk, coders, starts)
        measured = _measured(chunk, coders, numbers)
        for half in (0, 1):
            values, there = (np.ascontiguousarray(part[:, (half + rows) % 2 :: 2]) for part in measured)
            halves[half] += _moments(values, there)
        rows += chunk[0].size
    return Counted(rows, cells, (halves[0], halves[1]))


def places(coders: Sequence[Coder]) -> list[int]:
    """Where the cells of each coder start in a table, and where the last end."""
    return [0, *np.cumsum([coder.cells + 1 for coder in coders]).tolist()]


def _counted(chunk: Sequence[FloatArray], coders: Sequence[Coder], starts: Sequence[int]) -> FloatArray:
    """Single floats count exactly up to 16 million rows. Missing values follow from all rows and the other cells."""
    there = np.array(
        [start + cell for coder, start in zip(coders, starts, strict=False) for cell in range(coder.cells)]
    )
    held: _Single = np.ones((there.size + 1, chunk[0].size), np.float32)
    row = 0
    for coder, values in zip(coders, chunk, strict=True):
        codes = coder.code(values)
        for cell in range(coder.cells):
            held[row] = codes == cell
            row += 1
    found = (held @ held.T).astype(np.float64)
    spread = np.zeros((starts[-1], there.size + 1))
    spread[there, np.arange(there.size)] = 1.0
    for coder, start in zip(coders, starts, strict=False):
        spread[start + coder.cells, -1] = 1.0
        spread[start + coder.cells] -= spread[start : start + coder.cells].sum(axis=0)
    return spread @ found @ spread.T


def _measured(chunk: Sequence[FloatArray], coders: Sequence[Coder], numbers: Sequence[int]) -> tuple[_Single, _Single]:
    """Values and presence, each of shape (q, rows)."""
    values: _Single = np.empty((len(numbers), chunk[0].size), np.float32)
    there = np.empty_like(values)
    for row, place in enumerate(numbers):
        coder = coders[place]
        if isinstance(coder, Numbers):
            values[row], there[row] = coder.measured(chunk[place]), ~np.isnan(chunk[place])
    return values, there


def _moments(values: _Single, there: _Single) -> Moments:
    squares = values**2
    parts = (there @ there.T, values @ there.T, squares @ there.T, values @ values.T)
    return Moments(*(part.astype(np.float64) for part in parts))
