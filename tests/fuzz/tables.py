"""Small tables of every type, in a few parquet files: values repeat, some are missing or at the edge of a type."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NAN, INF = math.nan, math.inf
MOMENTS = [
    datetime(2026, 1, 1), datetime(2026, 1, 1, 7), datetime(2026, 1, 2), datetime(2025, 12, 31, 23, 59, 59, 500_000),
    datetime(1969, 7, 20, 20, 17), datetime(2026, 2, 28, 12),
]  # fmt: skip
TEXTS = ["a", "b", "ab", "C1", "", "10001", "01067", "2026-01-01", "ü", "it's", 'q"q', "A", " ", "line\nbreak"]
WHOLE = [0, 1, 2, 3, -1, 7, 10001]

Values = list[Any]
COLUMNS: dict[str, tuple[pa.DataType, Values]] = {
    "f64": (pa.float64(), [0.0, 1.0, 1.5, 2.0, -1.0, 0.1, 0.3, 2.0, 1e300, NAN, NAN]),
    "endless": (pa.float64(), [0.0, 1.0, INF, -INF, NAN, 2.5]),
    "f32": (pa.float32(), [0.0, 1.0, 0.1, -2.5, NAN, 3.0]),
    "f16": (pa.float16(), [0.0, 1.0, 0.5, NAN, 2.0]),
    "i8": (pa.int8(), [0, 1, 2, -128, 127]),
    "i64": (pa.int64(), WHOLE),
    "big": (pa.int64(), [2**53, 2**53 + 1, 2**53 + 2, -(2**53) - 1, 2**62 + 1, 5]),
    "u8": (pa.uint8(), [0, 1, 2, 255]),
    "u64": (pa.uint64(), [2**64 - 1, 2**64 - 2, 2**63, 1]),
    "dec": (pa.decimal128(20, 2), [Decimal("1.10"), Decimal("2.00"), Decimal("-3.25"), Decimal("90071992547409.93")]),
    "flag": (pa.bool_(), [True, False]),
    "txt": (pa.string(), TEXTS),
    "large": (pa.large_string(), TEXTS[:4]),
    "cat": (pa.dictionary(pa.int32(), pa.string()), TEXTS[:4]),
    "code": (pa.dictionary(pa.int8(), pa.int64()), WHOLE[:4]),
    "day": (pa.date32(), [date(2026, 1, 1), date(2026, 1, 2), date(1999, 12, 31), date(2026, 2, 28)]),
    "ts": (pa.timestamp("us"), MOMENTS),
    "ns": (pa.timestamp("ns"), MOMENTS),
    "ms": (pa.timestamp("ms"), MOMENTS),
    "utc": (pa.timestamp("us", tz="UTC"), [moment.replace(tzinfo=UTC) for moment in MOMENTS]),
    "berlin": (pa.timestamp("us", tz="Europe/Berlin"), [moment.replace(tzinfo=UTC) for moment in MOMENTS]),
    "none": (pa.null(), [None]),
    "bin": (pa.binary(), [b"", b"a", b"\x00\xff"]),
    "list": (pa.list_(pa.int64()), [[1, 2], [], [None]]),
    "struct": (pa.struct([("a", pa.int64())]), [{"a": 1}, {"a": None}]),
    "time": (pa.time64("us"), [time(1), time(23, 59)]),
    "span": (pa.duration("us"), [timedelta(0), timedelta(days=1)]),
}
NUMBERS = ("f64", "endless", "f32", "f16", "i8", "i64", "big", "u8", "u64", "dec", "code")
TEXT = ("txt", "large", "cat")
DATES = ("day",)
TIMES = (*DATES, "ts", "ns", "ms", "utc", "berlin")
OTHERS = ("none", "bin", "list", "struct", "time", "span")


def table(random: Random) -> pa.Table:
    """A few columns of different types, with about as many gaps as a column has; 0 to 12 rows."""
    rows = random.choice([0, 1, 2, 3, 5, 8, 12])
    names = random.sample(sorted(COLUMNS), random.randint(3, 7))
    return pa.table({name: _column(random, name, rows) for name in names})


def _column(random: Random, name: str, rows: int) -> pa.Array:
    arrow_type, pool = COLUMNS[name]
    gaps = random.choice([0.0, 0.0, 0.2, 0.5, 1.0])
    few = random.sample(pool, min(len(pool), random.randint(1, 5)))
    values = [None if random.random() < gaps else random.choice(few) for _ in range(rows)]
    if pa.types.is_dictionary(arrow_type):
        return pa.array(values, arrow_type.value_type).dictionary_encode().cast(arrow_type)
    if pa.types.is_float16(arrow_type):
        return pa.array([None if item is None else np.float16(item) for item in values], arrow_type)
    return pa.array(values, arrow_type, from_pandas=False)


def write(random: Random, data: pa.Table, folder: Path) -> list[Path]:
    """One to three files, one of them maybe empty, with row groups of one row or of many."""
    parts = random.randint(1, 3)
    cuts = sorted(random.randint(0, data.num_rows) for _ in range(parts - 1))
    paths = []
    for place, (start, stop) in enumerate(zip([0, *cuts], [*cuts, data.num_rows], strict=True)):
        paths.append(folder / f"part-{place}.parquet")
        pq.write_table(data.slice(start, stop - start), paths[-1], row_group_size=random.choice([1, 2, 100]))
    return paths
