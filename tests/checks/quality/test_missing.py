"""Missing means one thing: for drift, for expectations in SQL and in pandas, for built-in checks and for profiles."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.checks.quality.built_in.reference import profile_columns
from pipeline.checks.quality.check import Check, Limits
from pipeline.checks.quality.engines.evaluate import evaluate
from pipeline.checks.quality.validate import open_files
from pipeline.checks.scan import Unscannable, infer_kind, open_table, scan
from pipeline.checks.scan.missing import missing_in
from tests.checks.quality.samples import entry, made_by, monitor, night, only, run, write_parts

NAN = math.nan
# name: a quarter of the values is missing, whatever that is called in the type
COLUMNS: dict[str, pa.Array] = {
    "double": pa.array([1.0, 2.0, NAN, 1.0] * 6),
    "double with nulls": pa.array([1.0, None, NAN, 1.0, 2.0, 3.0, 4.0, 5.0] * 3),
    "float": pa.array([1.0, 2.0, NAN, 1.0] * 6, pa.float32()),
    "half": pa.array(np.array([1, 2, NAN, 1] * 6, np.float16)),
    "infinite": pa.array([math.inf, -math.inf, NAN, 1.0] * 6),
    "coded floats": pa.array([1.0, 2.0, NAN, 1.0] * 6).dictionary_encode(),
    "whole": pa.array([1, 2, None, 1] * 6),
    "unsigned": pa.array([1, 2, None, 1] * 6, pa.uint64()),
    "decimal": pa.array([1, 2, None, 1] * 6).cast(pa.decimal128(30, 2)),
    "text": pa.array(["", "NaN", None, "null"] * 6),
    "category": pa.array(["", "NaN", None, "null"] * 6).dictionary_encode(),
    "flag": pa.array([True, False, None, True] * 6),
    "day": pa.array([dt.date(2026, 1, 1), dt.date(1970, 1, 1), None, dt.date(2026, 1, 1)] * 6),
    "moment": pa.array([0, 1, None, 2] * 6, pa.timestamp("us")),
    "zoned": pa.array([0, 1, None, 2] * 6, pa.timestamp("ns", tz="Europe/Berlin")),
    "time": pa.array([dt.time(0), dt.time(1), None, dt.time(2)] * 6),
    "duration": pa.array([0, 1, None, 2] * 6, pa.duration("us")),
    "binary": pa.array([b"", b"x", None, b"NaN"] * 6),
    "list": pa.array([[], [None], None, [NAN]] * 6, pa.list_(pa.float64())),
    "struct": pa.array([{"a": 1}, {"a": None}, None, {"a": 2}] * 6),
}
LAYOUTS = {"one file": (1, 100), "row groups": (1, 5), "three files": (3, 100)}


def write(folder: Path, column: pa.Array, layout: str) -> list[Path]:
    parts, group = LAYOUTS[layout]
    table = pa.table({"x": column})
    if parts > 1:
        return write_parts(folder, table, parts)
    pq.write_table(table, folder / "part.parquet", row_group_size=group)
    return [folder / "part.parquet"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", COLUMNS)
def test_a_quarter_is_missing_for_everyone(tmp_path: Path, name: str, layout: str) -> None:
    paths = write(tmp_path, COLUMNS[name], layout)
    check = Check("expect_column_values_to_not_be_null", {"column": "x"}, "info", "")
    files, limits = open_files(paths), Limits(threads=1)
    for pandas_only in (False, True):
        (found,) = evaluate([check], files, limits, pandas_only=pandas_only)
        assert found.details["unexpected_percent"] == 25, found.engine
        assert found.engine == ("pandas" if pandas_only else "duckdb")
    table = open_table([str(path) for path in paths])
    kind = infer_kind(table.types_of("x")[0])
    assert profile_columns(table, {"x": kind}, 1_000, 1.5, limits)["x"].missing_share == 0.25
    if kind is not None:
        summary = scan(table, "x", kind)
        assert not isinstance(summary, Unscannable)
        assert summary.presence.missing_share == 0.25


@pytest.mark.parametrize("name", COLUMNS)
def test_a_part_of_an_array_is_counted_for_itself(name: str) -> None:
    column = COLUMNS[name]
    assert missing_in(column) == 6
    assert missing_in(column.slice(0, 2)) == (name == "double with nulls")
    assert missing_in(column.slice(0, 0)) == 0


def test_null_and_nan_within_a_dictionary_are_missing_once_per_row() -> None:
    codes = pa.array([0, 1, 2, None, 1, 2], pa.int8())
    assert missing_in(pa.DictionaryArray.from_arrays(codes, pa.array([1.0, NAN, None]))) == 5


@pytest.mark.parametrize(
    ("kind", "kwargs", "observed", "unexpected"),
    [
        ("mean_to_be_between", {"min_value": 2}, "1.33", None),
        ("max_to_be_between", {"max_value": 1}, "2", None),
        ("min_to_be_between", {"min_value": 2}, "1", None),
        ("sum_to_be_between", {"max_value": 1}, "200", None),
        ("median_to_be_between", {"min_value": 2}, "1", None),
        ("stdev_to_be_between", {"min_value": 2}, "0.473", None),
        ("proportion_of_non_null_values_to_be_between", {"min_value": 0.9}, "75%", None),
        ("unique_value_count_to_be_between", {"min_value": 3}, "2", None),
        ("largest_class_share_to_be_between", {"max_value": 0.5}, "66.7%", None),
        ("quantile_values_to_be_between", {"quantile_ranges": {"quantiles": [1], "value_ranges": [[3, 4]]}},
         "a 100% quantile of 2", None),
        ("values_to_be_between", {"max_value": 1}, None, 50),
        ("values_to_be_in_set", {"value_set": [1]}, None, 50),
        ("values_to_be_unique", {}, None, 150),
        ("values_to_be_null", {}, None, 150),
    ],
)  # fmt: skip
def test_nan_without_a_null_is_missing_for_every_expectation(
    tmp_path: Path, kind: str, kwargs: dict[str, Any], observed: str | None, unexpected: int | None
) -> None:
    """DuckDB answers from statistics, which leave NaN out, unless it is told not to."""
    table = pa.table({"x": [1.0, 2.0, NAN, 1.0] * 50})
    outcome = only(run(tmp_path, table, entry(f"expect_column_{kind}", column="x", **kwargs)))
    assert (outcome.engine, outcome.error, outcome.passed) == ("duckdb", None, False)
    assert (outcome.observed, outcome.unexpected_rows) == (observed, unexpected)


def test_columns_that_drift_cannot_look_at_are_quiet_when_their_gaps_stay(tmp_path: Path) -> None:
    table = pa.table({name: COLUMNS[name] for name in ("list", "struct", "binary", "time", "duration")})
    found = made_by(night(tmp_path, table, table, monitor(checks={"missing_values": {}})), "missing_values")
    assert [(item.passed, item.unexpected_share, item.error) for item in found] == [(True, 0.25, None)] * 5
    assert {item.expected for item in found} == {"at most 30% of the rows (reference: 25%)"}


def test_a_column_that_lost_every_value_is_told_also_where_it_lost_its_type(tmp_path: Path) -> None:
    before, after = pa.table({"x": [1, 2, 3]}), pa.table({"x": pa.nulls(3)})
    (found,) = made_by(night(tmp_path, before, after, monitor(checks={"missing_values": {}})), "missing_values")
    assert (found.passed, found.unexpected_share) == (False, 1.0)
