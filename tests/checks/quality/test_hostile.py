"""Column names, files and snapshots as nobody would wish for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from pipeline.checks.quality import Limits
from tests.checks.quality.samples import entry, made_by, monitor, night, run, write_parts, write_suite

NAMES = [
    "with space",
    "a.b",
    'quo"te',
    "it's",
    "back`tick",
    "per%cent",
    ":colon",
    "$1",
    "semi;colon",
    'x"); DROP VIEW snapshot; --',
    "größe ☃ 名",
    "select",
    "Order",
    "c0",
    "1st",
    "",
    "new\nline",
    "a[0]",
    "{batch}",
    "tab\t",
]


def test_any_column_name_works_in_duckdb(tmp_path: Path) -> None:
    columns = {name: [1, 2, 2, None] for name in NAMES if name}
    kinds: dict[str, dict[str, Any]] = {
        "expect_column_values_to_not_be_null": {},
        "expect_column_values_to_be_between": {"min_value": 2},
        "expect_column_values_to_be_unique": {},
        "expect_column_mean_to_be_between": {"min_value": 0, "max_value": 1},
        "expect_column_to_exist": {},
    }
    entries = [entry(kind, column=name, **kwargs) for name in columns for kind, kwargs in kinds.items()]
    entries += [entry("expect_compound_columns_to_be_unique", column_list=[name, "text"]) for name in columns]
    conditions = [{"type": "nullity", "column": {"name": name}, "is_null": True} for name in columns]
    entries += [entry("expect_column_values_to_be_null", column="text", row_condition=each) for each in conditions]
    result = run(tmp_path, pa.table({**columns, "text": ["ab", "b", "c", "d"]}), *entries)
    found = iter(result.outcomes[1:])
    for name in columns:
        nulls, between, unique, mean, exists = (next(found) for _ in kinds)
        assert [item.error for item in (nulls, between, unique, mean, exists)] == [None] * 5, name
        assert [item.engine for item in (nulls, between, unique, mean, exists)] == ["duckdb"] * 4 + ["metadata"], name
        assert [item.unexpected_rows for item in (nulls, between, unique)] == [1, 1, 2], name
        assert mean.observed == "1.67", name
        assert exists.passed, name
    for _ in columns:
        compound = next(found)
        assert (compound.passed, compound.engine, compound.error) == (True, "duckdb", None)
    for _ in columns:
        conditional = next(found)
        assert (conditional.unexpected_rows, conditional.engine, conditional.error) == (1, "duckdb", None)


def test_any_column_name_works_in_pandas(tmp_path: Path) -> None:
    table = pa.table({name: ["C1", "C2", "x"] for name in NAMES if name})
    kind = "expect_column_values_to_match_regex"
    result = run(tmp_path, table, *(entry(kind, column=name, regex="^(?=C)") for name in table.column_names))
    found = [(item.engine, item.error, item.unexpected_rows) for item in result.outcomes[1:]]
    assert found == [("pandas", None, 1)] * table.num_columns


def test_any_column_name_works_in_the_built_in_checks(tmp_path: Path) -> None:
    checks: dict[str, Any] = {
        "missing_column": {}, "missing_values": {}, "unseen_category": {}, "out_of_range": {}, "outliers": {},
        "class_imbalance": {},
    }  # fmt: skip
    table = pa.table({name: [1, 2, 3, 4] for name in NAMES} | {f"{name}!": ["a", "b", "a", "b"] for name in NAMES})
    result = night(tmp_path, table, table, monitor(checks=checks))
    assert [item.error for item in result.outcomes] == [None] * len(result.outcomes)
    assert result.passed


def test_names_that_differ_in_case_only_stay_apart(tmp_path: Path) -> None:
    table = pa.table({"age": [1, 2, 3], "AGE": [10, 20, 30], "Age": [None, None, 1]})
    result = run(
        tmp_path,
        table,
        entry("expect_column_max_to_be_between", column="age", max_value=3),
        entry("expect_column_max_to_be_between", column="AGE", max_value=3),
        entry("expect_column_values_to_not_be_null", column="Age"),
        entry("unexpected_rows_expectation", unexpected_rows_query="SELECT * FROM {batch}"),
    )
    assert [item.observed for item in result.outcomes[1:3]] == ["3", "30"]
    assert result.outcomes[3].unexpected_rows == 2
    assert result.outcomes[4].error is not None


@pytest.mark.filterwarnings("ignore:Passing a string to the row_condition:DeprecationWarning")
def test_names_that_differ_in_case_only_stay_apart_in_pandas(tmp_path: Path) -> None:
    """Great Expectations' pandas engine takes the first of them for any."""
    table = pa.table({"AGE": [1, 2, 3], "age": ["C1", "x2", "C3"], "column 0": ["a", "b", "c"], '"age"': [7, 8, 9]})
    result = run(
        tmp_path,
        table,
        entry("expect_column_values_to_match_regex", column="age", regex="^(?=C)"),
        entry("expect_column_values_to_match_regex", column="AGE", regex="^(?=C)"),
        entry("expect_column_values_to_be_in_type_list", column="AGE", type_list=["int64"]),
        entry("expect_column_values_to_be_in_type_list", column="age", type_list=["str"]),
        entry("expect_column_values_to_be_increasing", column='"age"'),
        entry("expect_column_values_to_match_regex", column="age", regex="^(?=C)", row_condition="AGE == 2"),
        entry("expect_column_values_to_be_in_set", column="column 0", value_set=["b"], row_condition="AGE == 2"),
        entry("expect_column_to_exist", column="Age"),
        entry("expect_table_columns_to_match_set", column_set=["AGE", "column 0", '"age"'], exact_match=True),
        examples=3,
    )
    regex, digits, number, text, growing, conditional, other, exists, matching = result.outcomes[1:]
    assert [item.error for item in result.outcomes] == [None] * 10
    assert (regex.unexpected_rows, regex.examples) == (1, ("x2",))
    assert (digits.unexpected_rows, digits.examples) == (3, ("1", "2", "3"))
    assert (number.passed, text.passed, growing.passed) == (True, True, True)
    assert (conditional.unexpected_rows, conditional.unexpected_share) == (1, 1.0)
    assert other.passed
    assert not exists.passed
    assert (matching.passed, matching.observed) == (False, "with age")


def test_a_snapshot_of_two_hundred_parts_is_one_table(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": range(1_000), "text": [f"t{number}" for number in range(1_000)]})
    paths = write_parts(tmp_path / "many", frame, parts=200)
    assert len(paths) == 200
    from pipeline.checks.quality import load_suite, validate_suite

    suite = load_suite(
        write_suite(
            tmp_path,
            [
                entry("expect_table_row_count_to_equal", value=1_000),
                entry("expect_column_values_to_be_unique", column="n"),
                entry("expect_column_sum_to_be_between", column="n", min_value=499_500, max_value=499_500),
                entry("expect_column_values_to_be_increasing", column="n"),
                entry("expect_column_values_to_match_regex", column="text", regex="^(?=t)[a-z0-9]+$"),
            ],
        )
    )
    result = validate_suite(suite, paths, "digest")
    assert [(item.passed, item.engine) for item in result.outcomes[1:]] == [
        (True, "duckdb"),
        (True, "duckdb"),
        (True, "duckdb"),
        (True, "pandas"),
        (True, "pandas"),
    ]


def test_parts_may_have_their_columns_in_any_order(tmp_path: Path) -> None:
    from pipeline.checks.quality import load_suite, validate_suite

    first = write_parts(tmp_path / "a", pa.table({"n": [1, 2], "m": [10, 20]}))
    second = write_parts(tmp_path / "b", pa.table({"m": [30, 40], "n": [3, 4]}))
    suite = load_suite(
        write_suite(
            tmp_path,
            [
                entry("expect_column_max_to_be_between", column="n", max_value=4),
                entry("expect_column_min_to_be_between", column="m", min_value=10),
                entry("expect_column_values_to_be_increasing", column="n"),
            ],
        )
    )
    assert [item.passed for item in validate_suite(suite, [*first, *second], "digest").outcomes] == [True] * 4


def test_a_snapshot_without_any_column_of_the_suite_fails_visibly(tmp_path: Path) -> None:
    reference = pd.DataFrame({"age": [1, 2], "city": ["a", "b"]})
    production = pd.DataFrame({"other": [1, 2]})
    result = night(
        tmp_path,
        reference,
        production,
        monitor(checks={"missing_column": {}, "extra_column": {}, "missing_values": {}}),
        entry("expect_column_values_to_not_be_null", column="age"),
        entry("expect_column_values_to_match_regex", column="city", regex="(?=.)."),
    )
    assert not result.passed
    assert [item.error for item in result.outcomes[1:3]] == ["the column is not in the snapshot"] * 2
    (gone,) = made_by(result, "missing_column")
    assert (gone.passed, gone.observed) == (False, "without age, city")
    (extra,) = made_by(result, "extra_column")
    assert (extra.passed, extra.severity, extra.observed) == (False, "info", "other")


def test_sql_in_a_suite_reads_the_snapshot_and_nothing_else(tmp_path: Path) -> None:
    secret = write_parts(tmp_path / "elsewhere", pd.DataFrame({"n": [1]}))[0]
    result = run(
        tmp_path,
        pd.DataFrame({"my n": [1, 2, 3]}),
        entry("unexpected_rows_expectation", unexpected_rows_query='SELECT * FROM {batch} WHERE "my n" > 2'),
        entry("unexpected_rows_expectation", unexpected_rows_query='SELECT * FROM {batch} WHERE "my n" > 3'),
        entry(
            "unexpected_rows_expectation", unexpected_rows_query=f"SELECT * FROM read_parquet('{secret}'), {{batch}}"
        ),
        entry("expect_table_row_count_to_equal", value=3),
    )
    assert [(item.passed, item.error is None) for item in result.outcomes[1:]] == [
        (False, True),
        (True, True),
        (False, False),
        (True, True),
    ]
    assert result.outcomes[1].observed == "1 row"


def test_a_small_budget_slows_but_does_not_break(tmp_path: Path) -> None:
    frame = pd.DataFrame({f"t{column}": [f"{row}" for row in range(2_000)] for column in range(6)})
    entries = [entry("expect_column_values_to_match_regex", column=name, regex="^[0-9]+$") for name in frame]
    entries += [entry("expect_column_values_to_be_unique", column=name) for name in frame]
    tight = Limits(budget_bytes=500_000, threads=1)
    result = night(tmp_path, frame, frame, monitor(), *entries, limits=tight)
    assert all(item.passed for item in result.outcomes), [item for item in result.outcomes if not item.passed]
