"""The quality gate, through the real Great Expectations: it cannot be fooled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from pipeline.wording import number
from tests.checks.quality.samples import entry, only, run

FRAME = pd.DataFrame({"age": [20, 30, None, 50], "city": ["Bern", "Graz", "Graz", "secret-town"], "n": [1, 2, 3, 4]})


def test_results_keep_the_order_of_the_file_with_severity_sentence_share_and_engine(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        FRAME,
        entry("expect_column_values_to_not_be_null", column="age"),
        entry("expect_column_mean_to_be_between", "warning", column="n", min_value=0, max_value=1),
        entry("expect_column_values_to_match_regex", "info", column="city", regex="^(?=[A-Z])"),
        entry("expect_column_values_to_be_unique", column="n"),
    )
    assert [(item.passed, item.severity, item.engine) for item in result.outcomes[1:]] == [
        (False, "critical", "duckdb"),
        (False, "warning", "duckdb"),
        (False, "info", "pandas"),
        (True, "critical", "duckdb"),
    ]
    nulls, mean, cities, _ = result.outcomes[1:]
    assert (nulls.sentence, nulls.unexpected_share, nulls.unexpected_rows) == ("age has no missing values", 0.25, 1)
    assert (mean.sentence, mean.observed) == ("n has a mean between 0 and 1", "2.5")
    assert cities.sentence == "city matches the pattern ^(?=[A-Z])"
    assert not result.passed
    assert result.failed("critical") == 1


def test_only_a_critical_failure_closes_the_gate(tmp_path: Path) -> None:
    failing: dict[str, Any] = {"column": "n", "min_value": 0, "max_value": 1}
    assert run(tmp_path, FRAME, entry("expect_column_mean_to_be_between", "warning", **failing)).passed
    assert not run(tmp_path, FRAME, entry("expect_column_mean_to_be_between", "critical", **failing)).passed
    assert not run(tmp_path, FRAME, {"type": "expect_column_mean_to_be_between", "kwargs": failing}).passed


@pytest.mark.parametrize(
    ("kind", "kwargs", "error"),
    [
        ("expect_column_values_to_not_be_null", {"column": "gone"}, "the column is not in the snapshot"),
        ("expect_compound_columns_to_be_unique", {"column_list": ["a", "n", "b"]}, "a, b are not in the snapshot"),
        ("expect_column_mean_to_be_between", {"column": "city", "min_value": 0}, "it could not be evaluated"),
        ("expect_column_max_to_be_between", {"column": "city", "min_value": 0}, "the column holds text"),
        ("expect_column_values_to_match_regex", {"column": "city", "regex": "("}, "no regular expression"),
        ("expect_column_values_to_be_between", {"column": "city", "min_value": 0}, "the column holds text"),
        ("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT * FROM {batch} WHERE nope"}, "could not be"),
    ],
)
def test_an_expectation_that_cannot_be_evaluated_is_a_failure(
    tmp_path: Path, kind: str, kwargs: dict[str, Any], error: str
) -> None:
    outcome = only(run(tmp_path, FRAME, entry(kind, **kwargs)))
    assert not outcome.passed
    assert outcome.error is not None
    assert error in outcome.error


def test_one_expectation_that_cannot_be_evaluated_takes_no_other_with_it(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        FRAME,
        entry("expect_column_mean_to_be_between", column="n", min_value=2, max_value=3),
        entry("expect_column_mean_to_be_between", column="city", min_value=2, max_value=3),
        entry("expect_column_max_to_be_between", column="n", max_value=4),
        entry("expect_column_values_to_not_be_null", column="n"),
    )
    assert [item.passed for item in result.outcomes[1:]] == [True, False, True, True]
    assert [item.engine for item in result.outcomes[1:]] == ["duckdb", "pandas", "duckdb", "duckdb"]


def test_an_empty_snapshot_always_fails(tmp_path: Path) -> None:
    result = run(tmp_path, FRAME.head(0), entry("expect_column_values_to_not_be_null", "info", column="age"))
    assert not result.passed
    assert result.failures[0].expectation == "snapshot_not_empty"


def test_no_value_of_a_row_leaves(tmp_path: Path) -> None:
    result = run(tmp_path, FRAME, *LEAKING)
    assert b"secret-town" not in result.to_json()


LEAKING = [
    entry("expect_column_values_to_be_in_set", column="city", value_set=["Bern", "Graz"]),
    entry("expect_column_values_to_match_regex", column="city", regex="^(?=[A-Z])"),
    entry("expect_column_mean_to_be_between", column="city", min_value=0),
    entry("expect_column_max_to_be_between", column="city", max_value=3),
    entry("expect_column_distinct_values_to_be_in_set", column="city", value_set=["Bern"]),
    entry("expect_column_most_common_value_to_be_in_set", column="city", value_set=["Bern"]),
    entry("expect_column_values_to_be_dateutil_parseable", column="city"),
    entry("unexpected_rows_expectation", unexpected_rows_query="SELECT * FROM {batch} WHERE city LIKE 's%'"),
    entry("unexpected_rows_expectation", unexpected_rows_query="SELECT city::INT FROM {batch}"),
]


def test_examples_are_named_where_the_monitor_allows_them(tmp_path: Path) -> None:
    result = run(tmp_path, FRAME, *LEAKING, examples=2)
    assert [item.examples for item in result.outcomes[1:3]] == [("secret-town",), ("secret-town",)]
    assert result.outcomes[2].engine == "pandas"
    assert all(not item.examples for item in result.outcomes[3:5])


def test_examples_differ_and_leave_out_what_is_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [9.0] * 40 + [8.0, 7.5, None], "flag": [None] * 43})
    result = run(
        tmp_path,
        frame,
        entry("expect_column_values_to_be_between", column="n", max_value=1),
        entry("expect_column_values_to_not_be_null", column="n"),
        examples=2,
    )
    assert [item.examples for item in result.outcomes[1:]] == [("9", "8"), ()]


def test_examples_of_several_columns_carry_the_names_of_the_data(tmp_path: Path) -> None:
    frame = pd.DataFrame({"end date": [1, 2], "c0": [1, 5], "whole": [3.0, None]})
    result = run(
        tmp_path,
        frame,
        entry("expect_select_column_values_to_be_unique_within_record", column_list=["end date", "c0"]),
        entry("expect_multicolumn_sum_to_equal", column_list=["end date", "whole"], sum_total=9),
        entry("expect_column_pair_values_to_be_equal", column_A="end date", column_B="c0"),
        examples=3,
    )
    assert [(item.engine, item.examples) for item in result.outcomes[1:]] == [
        ("duckdb", ("end date 1, c0 1",)),
        ("duckdb", ("end date 1, whole 3", "end date 2, whole missing")),
        ("duckdb", ("2 with 5",)),
    ]


def test_lists_as_examples_raise_nothing(tmp_path: Path) -> None:
    table = pa.table({"list": [[1, 2], [3]], "text": ["a", "b"]})
    kinds = ("expect_column_values_to_match_regex", "expect_column_values_to_be_in_set")
    arguments: dict[str, Any] = {kinds[0]: {"regex": "x"}, kinds[1]: {"value_set": ["x"]}}
    result = run(tmp_path, table, *(entry(kind, column="list", **arguments[kind]) for kind in kinds), examples=3)
    assert [item.passed for item in result.outcomes[1:]] == [False, False]


@pytest.mark.parametrize(
    ("kind", "value_set", "observed"),
    [
        ("to_contain_set", ["Bern", "Wien", "Linz"], "without Linz, Wien"),
        ("to_equal_set", ["Bern", "Graz", "Wien"], "without Wien; 1 other value"),
        ("to_be_in_set", ["Bern"], "2 other values"),
    ],
)
def test_a_set_names_what_the_column_lacks_and_counts_what_it_has_beside(
    tmp_path: Path, kind: str, value_set: list[str], observed: str
) -> None:
    asked = entry(f"expect_column_distinct_values_{kind}", column="city", value_set=value_set)
    outcome = only(run(tmp_path, FRAME, asked))
    assert (outcome.passed, outcome.observed) == (False, observed)
    private = only(run(tmp_path, FRAME, asked, private=["city"]))
    assert not any(value in str(private.observed) for value in ("Linz", "Wien", "secret-town"))
    assert private.observed is not None


def test_years_and_codes_that_a_set_lacks_are_written_as_they_are(tmp_path: Path) -> None:
    frame = pd.DataFrame({"year": [2023, 2024], "zip": ["01067", "10115"]})
    result = run(
        tmp_path,
        frame,
        entry("expect_column_distinct_values_to_contain_set", column="year", value_set=[2023, 2025]),
        entry("expect_column_distinct_values_to_contain_set", column="zip", value_set=["01067", "01069"]),
        entry("expect_column_max_to_be_between", column="year", max_value=2023),
        entry(
            "expect_column_quantile_values_to_be_between",
            column="year",
            quantile_ranges={"quantiles": [0.5], "value_ranges": [[2030, 2031]]},
        ),
    )
    observed = [item.observed for item in result.outcomes[1:]]
    assert observed == ["without 2025", "without 01069", "2024", "a median of 2023"]


@pytest.mark.parametrize(
    ("kind", "kwargs", "found"),
    [
        ("expect_column_values_to_be_of_type", {"column": "n", "type_": "str"}, "int64"),
        ("expect_column_values_to_be_in_type_list", {"column": "age", "type_list": ["int64"]}, "float64"),
        ("expect_column_values_to_be_of_type", {"column": "city", "type_": "int64"}, "str"),
    ],
)
def test_a_type_that_failed_is_named(tmp_path: Path, kind: str, kwargs: dict[str, Any], found: str) -> None:
    outcome = only(run(tmp_path, FRAME, entry(kind, **kwargs)))
    assert (outcome.passed, outcome.observed) == (False, found)


def test_what_was_observed_is_told_from_the_limit_that_it_misses(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [43.5, 43.5000002], "flag": ["a", "b"]})
    result = run(
        tmp_path,
        frame,
        entry("expect_column_mean_to_be_between", column="x", max_value=43.5),
        entry("expect_column_largest_class_share_to_be_between", column="flag", max_value=0.49999),
        entry(
            "expect_column_quantile_values_to_be_between",
            column="x",
            quantile_ranges={"quantiles": [0.5, 1.0], "value_ranges": [[None, 50], [None, 43.5]]},
        ),
    )
    observed = [item.observed for item in result.outcomes[1:]]
    assert observed == ["43.5000001", "50%", "a median of 43.5, a 100% quantile of 43.5000002"]


def test_an_outcome_knows_how_many_rows_may_be_unexpected(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        FRAME,
        entry("expect_column_values_to_be_between", column="n", max_value=3, mostly=0.9),
        entry("expect_column_values_to_be_between", column="n", max_value=3),
    )
    assert [(item.allowed_share, item.unexpected_share) for item in result.outcomes[1:]] == [(0.1, 0.25), (None, 0.25)]


@pytest.mark.parametrize("column", ["gone", "nan"])
def test_a_figure_of_no_values_says_so(tmp_path: Path, column: str) -> None:
    table = pa.table({"gone": pa.nulls(3, pa.float64()), "nan": [float("nan")] * 3})
    outcome = only(run(tmp_path, table, entry("expect_column_mean_to_be_between", column=column, min_value=0)))
    assert (outcome.passed, outcome.observed, outcome.error) == (False, "no value", None)


def test_examples_of_private_columns_are_never_named(tmp_path: Path) -> None:
    result = run(tmp_path, FRAME, *LEAKING, examples=5, private=["city"])
    assert b"secret-town" not in result.to_json()


@pytest.mark.parametrize("statistic", ["mean", "stdev", "median", "min", "max", "sum"])
def test_no_figure_of_a_private_column_is_told_but_shares_and_counts(tmp_path: Path, statistic: str) -> None:
    table = pa.table({"n": [1234.5, 1234.5]})
    asked = entry(f"expect_column_{statistic}_to_be_between", column="n", min_value=1e6)
    assert only(run(tmp_path, table, asked)).observed is not None
    private = only(run(tmp_path, table, asked, private=["n"]))
    assert (private.passed, private.observed, private.expected) == (False, None, None)
    counted = entry("expect_column_unique_value_count_to_be_between", column="n", min_value=2)
    assert only(run(tmp_path, table, counted, private=["n"])).observed == "1"


def test_the_sentence_about_a_private_column_names_no_value(tmp_path: Path) -> None:
    told = entry("expect_column_values_to_be_in_set", column="city", value_set=["Bern", "Graz"])
    outcome = only(run(tmp_path, FRAME, told, private=["city"]))
    assert outcome.sentence == "city is one of the allowed values"


def test_notes_of_the_suite_are_kept(tmp_path: Path) -> None:
    noted = entry("expect_column_values_to_not_be_null", column="n") | {"meta": {"notes": "ids come from billing"}}
    assert only(run(tmp_path, FRAME, noted)).notes == "ids come from billing"


def test_a_mean_reads_as_it_does_in_the_reason_of_a_drift(tmp_path: Path) -> None:
    frame = pd.DataFrame({"age": [42.8, 33.1, 23.2893]})
    mean = entry("expect_column_mean_to_be_between", column="age", min_value=38, max_value=47)
    assert only(run(tmp_path, frame, mean)).observed == number(float(frame["age"].mean())) == "33.1"
