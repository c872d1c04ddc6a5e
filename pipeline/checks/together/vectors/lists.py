"""Lists of numbers of a column as rows of a matrix, a batch at a time; those that are no such row are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pipeline.checks.scan import FloatArray, IntArray, Table, is_number_list
from pipeline.checks.scan.types import to_floats
from pipeline.wording import count

BATCH_NUMBERS = 1 << 21
"""Numbers of a batch, of lists as long as the longest row group has on average."""
BATCH_ROWS = 1 << 15
DRAWN = 20_000
"""Lists that are drawn of a side, at most."""
DRAWN_NUMBERS = 1 << 24
"""Numbers that drawn lists may have in all: of lists over about 800 numbers fewer are drawn."""
_SEED = 20_140_600


@dataclass(slots=True)
class Tally:
    """Lists of a side: `rows` of the table, of which `missing` have no list, and `used` one of the right width whose
    numbers are all finite. `others` counts lists by another width.
    """

    rows: int = 0
    missing: int = 0
    used: int = 0
    others: Counter[int] = field(default_factory=Counter)

    @property
    def unusable(self) -> int:
        """Lists of another width, or with a number missing or infinite."""
        return self.rows - self.missing - self.used


def problem_with(table: Table, name: str) -> str | None:
    """Why a column cannot be read as lists of numbers, in plain language, or None."""
    holders = [schema for schema in table.schemas if len(schema.get_all_field_indices(name)) == 1]
    if len(holders) == len(table.schemas) and all(map(is_number_list, table.types_of(name))):
        return None
    return table.problem_with(name) or f"the column holds no lists of numbers ({table.type_label(name)[:80]})"


def drawn(table: Table, name: str, *, every_other: bool = False) -> IntArray:
    """Which rows are drawn, ascending, the same on every run. `every_other`: of the second, fourth, ... row alone."""
    rows = table.rows // 2 if every_other else table.rows
    most = min(DRAWN, int(DRAWN_NUMBERS / max(_length(table, name), 1.0)) + 1)
    chosen = np.arange(rows, dtype=np.int64)
    if rows > most:
        chosen = np.sort(np.random.default_rng(_SEED).choice(rows, most, replace=False)).astype(np.int64)
    return chosen * 2 + 1 if every_other else chosen


def batches(table: Table, name: str) -> Iterator[tuple[int, pa.Array]]:
    """All rows in order, each batch with the place of its first: in memory that does not depend on how many there are.

    Raises:
        SnapshotUnreadable: a file is damaged or gone.
    """
    size = max(1, min(BATCH_ROWS, int(BATCH_NUMBERS / max(_length(table, name), 1.0))))
    start = 0
    for batch in table.batches(name, batch_rows=size):
        yield start, batch
        start += len(batch)


def _length(table: Table, name: str) -> float:
    """Numbers of a list, on average of the row group that has the longest, as footers tell."""
    longest = 0.0
    for footer in table.footers:
        paths = (footer.schema.column(place).path for place in range(footer.num_columns))
        places = [place for place, path in enumerate(paths) if path.startswith(f"{name}.")]
        for group in map(footer.row_group, range(footer.num_row_groups)):
            values = sum(group.column(place).num_values for place in places)
            longest = max(longest, values / max(group.num_rows, 1))
    return longest


def picked(table: Table, name: str, rows: IntArray) -> list[pa.Array]:
    """The values of some rows, ascending.

    Raises:
        SnapshotUnreadable: a file is damaged or gone.
    """
    found = []
    for start, batch in batches(table, name):
        first, last = np.searchsorted(rows, [start, start + len(batch)])
        if first < last:
            found.append(_plain(batch).take(pa.array(rows[first:last] - start)))
    return found


def width_of(parts: Sequence[pa.Array]) -> int:
    """How many numbers most of these lists have; 0 where none has any."""
    widths: Counter[int] = Counter()
    for part in parts:
        lengths = _lengths(part)
        _count(widths, lengths[lengths > 0])
    return max(widths, key=lambda width: (widths[width], -width), default=0)


def matrix(batch: pa.Array, width: int, tally: Tally) -> tuple[FloatArray, IntArray]:
    """The rows that can be used, shape (k, width), and where in the batch each is, shape (k,); the rest is counted."""
    lists = _plain(batch)
    lengths = _lengths(lists)
    there = np.flatnonzero(lengths >= 0)
    right = lengths[there] == width
    values = to_floats(lists.flatten())
    if not right.all():
        values = values[np.repeat(right, lengths[there])]
    rows = values.reshape(-1, width)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        rows = rows[finite]
    tally.rows += len(batch)
    tally.missing += len(batch) - there.size
    tally.used += len(rows)
    _count(tally.others, lengths[there][~right])
    return rows, there[right][finite]


def width_problem(tally: Tally, width: int, where: str) -> str | None:
    """Why a side has too few lists of a width, in plain language, or None."""
    present = tally.rows - tally.missing
    if 2 * tally.used >= present:
        return None
    found = f"{count(tally.used)} of {count(present, 'list')} in {where} can be used"
    if not tally.others:
        return f"{found}: the others have numbers that are missing or infinite"
    other = max(tally.others, key=lambda one: (tally.others[one], -one))
    return f"{found}: {count(tally.others[other])} have {count(other, 'number')} instead of {count(width)}"


def _count(widths: Counter[int], lengths: IntArray) -> None:
    found, many = np.unique(lengths, return_counts=True)
    widths.update(dict(zip(found.tolist(), many.tolist(), strict=True)))


def _plain(batch: pa.Array) -> pa.Array:
    return batch.storage if isinstance(batch, pa.ExtensionArray) else batch


def _lengths(lists: pa.Array) -> IntArray:
    """How many numbers each list has, -1 where there is none."""
    import pyarrow.compute as pc

    lengths = pc.list_value_length(lists).cast(pa.int64())
    return np.asarray(pc.fill_null(lengths, -1).to_numpy(zero_copy_only=False), np.int64)
