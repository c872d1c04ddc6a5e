"""Limits and sets are values of their column: exact numbers, ISO dates and moments, or an error that says which."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.checks.quality import load_suite, validate_suite
from tests.checks.quality.samples import entry, only, run, write_parts, write_suite

BIG = 2**53 + 1
NUMBERS = pa.table(
    {
        "code": pa.array([10001, 10002, None]),
        "big": pa.array([BIG, BIG - 2, None]),
        "unsigned": pa.array([2**64 - 1, 2**64 - 3, None], pa.uint64()),
        "money": pa.array([Decimal("90071992547409.93"), Decimal("1.10"), None], pa.decimal128(20, 2)),
        "short": pa.array([0.1, 0.3, None], pa.float32()),
        "half": pa.array(np.array([0.1, 0.25, np.nan], np.float16)),
    }
)
SEVEN = dt.datetime(2026, 1, 31, 7, tzinfo=dt.UTC)
MOMENTS = pa.table(
    {
        "utc": pa.array([SEVEN, None], pa.timestamp("us", tz="UTC")),
        "berlin": pa.array([SEVEN, None], pa.timestamp("ms", tz="Europe/Berlin")),
        "naive": pa.array([SEVEN.replace(tzinfo=None), None], pa.timestamp("ns")),
        "day": pa.array([SEVEN.date(), None]),
    }
)


@pytest.mark.parametrize(
    ("column", "largest"),
    [("big", BIG), ("unsigned", 2**64 - 1), ("money", "90071992547409.93"), ("short", 0.3), ("half", 0.25)],
)
@pytest.mark.parametrize("kind", ["max", "values"])
def test_a_limit_is_met_exactly_and_missed_by_one(tmp_path: Path, column: str, largest: Any, kind: str) -> None:
    below = "90071992547409.92" if column == "money" else largest - (1 if isinstance(largest, int) else 2**-12)
    for limit, passed in ((largest, True), (below, False)):
        wanted = entry(f"expect_column_{kind}_to_be_between", column=column, max_value=limit)
        outcome = only(run(tmp_path, NUMBERS, wanted))
        assert (outcome.passed, outcome.error, outcome.engine) == (passed, None, "duckdb"), limit


@pytest.mark.parametrize(
    ("column", "members", "unexpected"),
    [
        ("big", [BIG, BIG - 2], 0),
        ("big", [BIG - 1, 1.5, BIG - 2], 1),
        ("unsigned", [2**64 - 1, 1.5], 1),
        ("money", [1.1], 1),
        ("money", [90071992547409.94, 1.1], 1),
        ("short", [0.1, 0.3], 0),
        ("code", [10001.0, 10002.0, 10001.0], 0),
    ],
)
def test_members_of_a_set_are_exact(tmp_path: Path, column: str, members: list[Any], unexpected: int) -> None:
    kind = "expect_column_values_to_be_in_set"
    assert only(run(tmp_path, NUMBERS, entry(kind, column=column, value_set=members))).unexpected_rows == unexpected


def test_a_member_named_twice_lacks_nothing(tmp_path: Path) -> None:
    kind = "expect_column_distinct_values_to_contain_set"
    assert only(run(tmp_path, NUMBERS, entry(kind, column="code", value_set=[10001, 10001, 10001.0]))).passed


def test_whole_numbers_stay_whole_beside_a_gap_in_both_engines(tmp_path: Path) -> None:
    column = {"column": "code"}
    result = run(
        tmp_path,
        NUMBERS,
        entry("expect_column_values_to_match_regex", **column, regex=r"^\d{5}$"),
        entry("expect_column_value_lengths_to_equal", **column, value=5),
        entry("expect_column_values_to_be_of_type", **column, type_="int64"),
        entry("expect_column_values_to_be_in_type_list", **column, type_list=["int64"]),
        entry("expect_column_values_to_be_in_set", **column, value_set=["10001"]),
        entry("expect_column_values_to_match_regex", column="big", regex=r"^\d{15}$"),
        examples=2,
    )
    assert [item.passed for item in result.outcomes[1:]] == [True, True, True, True, False, False]
    assert [item.examples for item in result.outcomes[5:]] == [("10001", "10002"), (str(BIG), str(BIG - 2))]


def test_a_sum_of_columns_may_leave_64_bits(tmp_path: Path) -> None:
    table = pa.table({"a": [2**63 - 1, 1], "b": [2**63 - 1, 2]})
    found = only(run(tmp_path, table, entry("expect_multicolumn_sum_to_equal", column_list=["a", "b"], sum_total=3)))
    assert (found.engine, found.error, found.unexpected_rows) == ("duckdb", None, 1)


@pytest.mark.parametrize(
    ("limit", "met"),
    [
        ("2026-01-31T07:00:00Z", True),
        ("2026-01-31T07:00:00+00:00", True),
        ("2026-01-31T08:00:00+01:00", True),
        ("2026-01-31 07:00:00", True),
        ("2026-01-31T06:59:59.999999Z", False),
        ("2026-01-31T07:00:00+01:00", False),
        ("2026-01-31", False),
        ("2026-02-01", True),
    ],
)
def test_a_moment_is_held_against_a_limit_alike_by_twins_and_in_any_zone(tmp_path: Path, limit: str, met: bool) -> None:
    """A date is its midnight; of a column of dates, it is that day."""
    twins = [(name, kind) for name in MOMENTS.column_names for kind in ("max", "values", "min")]
    entries = [entry(f"expect_column_{kind}_to_be_between", column=name, max_value=limit) for name, kind in twins]
    outcomes = run(tmp_path, MOMENTS, *entries).outcomes[1:]
    for (name, kind), outcome in zip(twins, outcomes, strict=True):
        assert (outcome.passed, outcome.error) == (met or name == "day", None), (name, kind)


def test_a_date_is_before_noon_of_its_day(tmp_path: Path) -> None:
    noon = "2026-01-31T12:00:00"
    for kind in ("max", "values", "min"):
        for bound, passed in (("max_value", True), ("min_value", False)):
            wanted = entry(f"expect_column_{kind}_to_be_between", column="day", **{bound: noon})
            assert only(run(tmp_path, MOMENTS, wanted)).passed is passed, (kind, bound)


def test_a_set_of_moments_is_read_like_limits(tmp_path: Path) -> None:
    kind = "expect_column_values_to_be_in_set"
    for name in MOMENTS.column_names:
        member = "2026-01-31" if name == "day" else "2026-01-31T08:00:00+01:00"
        assert only(run(tmp_path, MOMENTS, entry(kind, column=name, value_set=[member]))).passed, name


@pytest.mark.parametrize(
    ("column", "kwargs", "error"),
    [
        ("utc", {"max_value": "01/02/2026"}, "max_value is '01/02/2026'; dates and moments are ISO 8601, such as"),
        ("day", {"min_value": 20260131}, "min_value is '20260131'; dates and moments are ISO 8601, such as"),
        ("code", {"max_value": "2026-01-31"}, "max_value is no number, but the column holds numbers (int64)"),
        ("text", {"max_value": 5}, "max_value is a limit for numbers, dates and moments, but the column holds text"),
        ("code", {"min_value": 3, "max_value": 2}, "min_value 3 is above max_value 2"),
        ("code", {"min_value": [1]}, "min_value is [1]; allowed: a number"),
    ],
)
@pytest.mark.parametrize("kind", ["max", "values"])
def test_a_limit_of_another_kind_says_so_and_fails_alone(
    tmp_path: Path, kind: str, column: str, kwargs: dict[str, Any], error: str
) -> None:
    table = pa.table({"text": ["a", "b"], "code": [1, 2], "utc": MOMENTS["utc"], "day": MOMENTS["day"]})
    result = run(
        tmp_path,
        table,
        entry(f"expect_column_{kind}_to_be_between", column=column, **kwargs),
        entry("expect_column_values_to_be_unique", column="code"),
    )
    wrong, right = result.outcomes[1:]
    assert (wrong.passed, right.passed) == (False, True)
    assert error in str(wrong.error)


def test_a_decimal_that_no_float_holds_is_read_as_it_is_written(tmp_path: Path) -> None:
    text = """{"expectations": [{"type": "expect_column_values_to_be_in_set",
        "kwargs": {"column": "money", "value_set": [90071992547409.93, 1.1]}}]}"""
    suite = load_suite(write_suite(tmp_path, text))
    assert suite.entries[0]["kwargs"]["value_set"] == [Decimal("90071992547409.93"), 1.1]
    paths = write_parts(tmp_path / "data", NUMBERS)
    assert validate_suite(suite, paths, "x").outcomes[1].passed
