"""Seeded tables for the benchmark: of every 30 columns 20 are floats, 5 integers and 5 categories; 2% are null.

python benchmarks/tables.py FOLDER ROWS COLUMNS [SIDE ...]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NULL_SHARE = 0.02
SIDES = ("reference", "production")
_VALUES_AT_ONCE = 20_000_000
CATEGORIES = np.array([f"category {number:02d}" for number in range(25)])


def column_names(columns: int) -> list[str]:
    """`f`, `i` and `c` for floats, integers and categories, with the number of the column."""
    kinds = ("f", "f", "f", "f", "i", "c")
    return [f"{kinds[number % 6]}{number}" for number in range(columns)]


def write_tables(folder: Path, rows: int, columns: int, sides: Sequence[str] = SIDES) -> None:
    """`reference.parquet` and `production.parquet`, or one of them; every third column of production has moved."""
    names = column_names(columns)
    step = max(10_000, _VALUES_AT_ONCE // columns)
    for side in sides:
        seed = SIDES.index(side)
        rng = np.random.default_rng(seed)
        writer: pq.ParquetWriter | None = None
        for start in range(0, rows, step):
            size = min(step, rows - start)
            part = pa.table({name: _column(rng, name, size, moved=bool(seed)) for name in names})
            writer = writer or pq.ParquetWriter(folder / f"{side}.parquet", part.schema)
            writer.write_table(part)
        if writer:
            writer.close()


def _column(rng: np.random.Generator, name: str, size: int, *, moved: bool) -> pa.Array:
    number = int(name[1:])
    shift = 0.3 if moved and number % 3 == 0 else 0.0
    missing = rng.random(size) < NULL_SHARE
    if name[0] == "i":
        return pa.array(rng.poisson(40 * (1 + shift), size), mask=missing)
    if name[0] == "c":
        weights = np.arange(1.0, CATEGORIES.size + 1) ** -(1 + shift)
        return pa.array(CATEGORIES[rng.choice(CATEGORIES.size, size, p=weights / weights.sum())], mask=missing)
    shapes = (rng.normal(shift, 1, size), np.exp(rng.normal(shift, 1, size)), rng.standard_t(3, size) + shift)
    return pa.array(shapes[number % 3], mask=missing)


if __name__ == "__main__":
    write_tables(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:] or SIDES)
