"""Rows of a snapshot across its columns: some of them drawn, or all of them a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from pipeline.checks.scan import FloatArray, IntArray, Table
from pipeline.checks.together.cells import Coder

DRAWN = 20_000
"""Rows that are drawn of a side."""
CHUNK_ROWS = 1 << 15
_SEED = 20_140_600


def drawn(rows: int) -> IntArray:
    """Which rows are drawn of so many, ascending; all where they are few. The same on every run."""
    if rows <= DRAWN:
        return np.arange(rows, dtype=np.int64)
    return np.sort(np.random.default_rng(_SEED).choice(rows, DRAWN, replace=False)).astype(np.int64)


def picked(table: Table, name: str, rows: IntArray) -> list[pa.Array]:
    """The values of some rows of a column.

    Raises:
        SnapshotUnreadable: a file is damaged or gone.
    """
    picking = table.picking(rows)
    for _ in picking.batches(name):
        pass
    return picking.picked(name)


def chunks(table: Table, coders: Sequence[Coder]) -> Iterator[list[FloatArray]]:
    """All rows in order, up to `CHUNK_ROWS` at a time: for each coder an array of shape (rows,).

    Raises:
        SnapshotUnreadable: a file is damaged or gone.
    """
    yield from map(list, zip(*(_recut(table, coder) for coder in coders), strict=True))


def _recut(table: Table, coder: Coder) -> Iterator[FloatArray]:
    """Batches end where row groups do, which is elsewhere in every file and may be elsewhere in every column."""
    held: list[FloatArray] = []
    size = 0
    for batch in table.batches(coder.name, batch_rows=CHUNK_ROWS):
        held.append(coder.read(batch))
        size += len(batch)
        while size >= CHUNK_ROWS:
            whole = np.concatenate(held) if len(held) > 1 else held[0]
            yield whole[:CHUNK_ROWS]
            held, size = [whole[CHUNK_ROWS:]], size - CHUNK_ROWS
    if size:
        yield np.concatenate(held)
