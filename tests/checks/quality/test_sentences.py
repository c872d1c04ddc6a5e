"""A failing expectation reads as a sentence a person understands."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.checks.quality.suite.read import _NOT_EVALUABLE
from pipeline.checks.quality.suite.sentences import _TEMPLATES, expected, sentence
from pipeline.checks.quality.wording import count, listed, measured, quantile, share

AGE = {"column": "age"}
PRO = {"type": "comparison", "column": {"name": "plan"}, "operator": "==", "parameter": "pro"}
LEFT = {"type": "nullity", "column": {"name": "left"}, "is_null": True}


@pytest.mark.parametrize(
    ("kind", "kwargs", "words"),
    [
        ("values_to_be_between", {"min_value": 0, "max_value": 1200}, "age lies between 0 and 1,200"),
        ("values_to_be_between", {"min_value": 0}, "age is at least 0"),
        (
            "values_to_be_between",
            {"min_value": 0, "max_value": 9, "strict_min": True, "mostly": 0.95},
            "age is more than 0 and at most 9 in at least 95% of the rows",
        ),
        ("mean_to_be_between", {"min_value": 1.5, "max_value": 2}, "age has a mean between 1.5 and 2"),
        ("max_to_be_between", {"max_value": 2}, "age has a maximum of at most 2"),
        ("values_to_be_in_set", {"value_set": ["a", 1]}, "age is one of a, 1"),
        ("values_to_be_in_set", {"value_set": list(range(20))}, "age is one of 0, 1, 2, 3, 4, 5, 6, 7 and 12 more"),
        (
            "quantile_values_to_be_between",
            {"quantile_ranges": {"quantiles": [0.5, 0.9], "value_ranges": [[1, 2], [None, 9]]}},
            "age has a median between 1 and 2, a 90% quantile of at most 9",
        ),
        (
            "values_to_not_be_null",
            {"row_condition": {"type": "and", "conditions": [PRO, LEFT]}},
            "age has no missing values, where plan == pro and left is missing",
        ),
        (
            "largest_class_share_to_be_between",
            {"max_value": 0.648},
            "age has a share of the most frequent value of at most 64.8%",
        ),
        (
            "proportion_of_non_null_values_to_be_between",
            {"min_value": 0.5, "max_value": 0.95},
            "age has a share of present values between 50% and 95%",
        ),
        ("values_to_be_wonderful", {}, "age should be wonderful"),
        ("values_to_be_wonderful", {"mostly": 0.9, "of": 7}, "age should be wonderful in at least 90% of the rows"),
    ],
)
def test_what_an_expectation_demands_of_a_column(kind: str, kwargs: dict[str, Any], words: str) -> None:
    assert sentence(f"expect_column_{kind}", AGE | kwargs) == words


@pytest.mark.parametrize(
    ("kind", "kwargs", "words"),
    [
        ("table_row_count_to_be_between", {"min_value": 1000, "max_value": 2e4}, "has between 1,000 and 20,000 rows"),
        ("table_row_count_to_equal", {"value": 3}, "has exactly 3 rows"),
        ("multicolumn_sum_to_equal", {"column_list": ["a", "b"], "sum_total": 1}, "has a, b add up to 1"),
        ("table_columns_to_match_ordered_list", {"column_list": ["a", "b"]}, "has the columns a, b, in this order"),
    ],
)
def test_what_an_expectation_demands_of_the_table(kind: str, kwargs: dict[str, Any], words: str) -> None:
    assert sentence(f"expect_{kind}", kwargs) == f"The snapshot {words}"


def test_what_an_expectation_demands_of_several_columns() -> None:
    listed_columns = {"column_list": ["a", "b"]}
    assert sentence("expect_compound_columns_to_be_unique", listed_columns) == "a, b together never repeat"
    pair = {"column_A": "end", "column_B": "start", "or_equal": True}
    words = "end and start are in order: the first is greater or equal"
    assert sentence("expect_column_pair_values_a_to_be_greater_than_b", pair) == words


def test_every_expectation_of_the_library_has_a_sentence_of_its_own() -> None:
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    known = set(list_registered_expectation_implementations())
    assert known - _TEMPLATES.keys() - _NOT_EVALUABLE.keys() == set()


def test_values_of_a_private_column_are_left_out() -> None:
    told = {**AGE, "min_value": 18, "max_value": 77}
    assert sentence("expect_column_values_to_be_between", told, private=True) == "age lies between a limit and a limit"
    assert expected("expect_column_values_to_be_between", told, private=True) is None


@pytest.mark.parametrize(
    ("kind", "kwargs", "words"),
    [
        ("expect_column_mean_to_be_between", {"min_value": 1, "max_value": 2}, "between 1 and 2"),
        ("expect_column_values_to_be_in_set", {"value_set": ["a", "b"]}, "a, b"),
        ("expect_column_values_to_match_regex", {"regex": "^a"}, "^a"),
        ("expect_table_row_count_to_equal", {"value": 9}, "exactly 9"),
        ("expect_column_largest_class_share_to_be_between", {"max_value": 0.5}, "at most 50%"),
        (
            "expect_column_quantile_values_to_be_between",
            {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[1, None]]}},
            "a median of at least 1",
        ),
        ("expect_column_values_to_be_unique", {}, None),
    ],
)
def test_what_should_have_been_observed(kind: str, kwargs: dict[str, Any], words: str | None) -> None:
    assert expected(kind, kwargs) == words


def test_numbers_are_written_as_people_write_them() -> None:
    assert [share(part) for part in (0, 0.00012, 0.05, 0.9999, 1)] == ["0%", "0.012%", "5%", "99.99%", "100%"]
    assert [count(number, "row") for number in (0, 1, 2_000)] == ["0 rows", "1 row", "2,000 rows"]
    assert [measured(value) for value in (1234567, 0.1234567, 3.0)] == ["1,234,567", "0.123457", "3"]
    assert [measured(value) for value in (True, "secret", None, float("nan"))] == [None] * 4
    assert [quantile(part) for part in (0.05, 0.5, 0.999)] == ["5% quantile", "median", "99.9% quantile"]
    assert listed(range(3), 2) == "0, 1 and 1 more"
