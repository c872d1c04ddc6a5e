"""Fewer rows, where more would not tell more: chosen with a seed, and pieces of a long table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.checks.performance.labelled_rows import Rows

MOST_REFERENCE = 100_000
"""Rows of a reference that an estimator is fitted on."""
PIECE = 500_000
"""Rows of a night that are looked at together."""


def only(rows: Rows, columns: Sequence[str | None]) -> Rows:
    """With those of some columns that are there, each once."""
    names = [name for name in dict.fromkeys(columns) if rows.has(name)]
    return replace(rows, table=rows.table.select(names))


def thinned(rows: Rows, most: int, seed: int) -> Rows:
    """At most so many rows, every one of them as likely, in their order; the same seed chooses the same rows."""
    import numpy as np

    have = len(rows.table)
    if have <= most:
        return rows
    chosen = np.sort(np.random.default_rng(seed).choice(have, most, replace=False, shuffle=False))
    return replace(rows, table=rows.table.take(chosen))


def pieces(rows: Rows) -> Iterator[Rows]:
    """The rows in pieces of at most `PIECE`."""
    for start in range(0, len(rows.table), PIECE):
        yield replace(rows, table=rows.table.slice(start, PIECE))
