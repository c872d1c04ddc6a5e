"""A failing expectation reads as a sentence a person understands."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.checks.quality.suite.problems import _NOT_EVALUABLE
from pipeline.checks.quality.suite.sentences import _TEMPLATES, expected, sentence

AGE = {"column": "age"}
PRO = {"type": "comparison", "column": {"name": "plan"}, "operator": "==", "parameter": "pro"}
LEFT = {"type": "nullity", "column": {"name": "left"}, "is_null": True}


@pytest.mark.parametrize(
    ("kind", "kwargs", "words"),
    [
        ("values_to_be_between", {"min_value": 0, "max_value": 1200}, "age lies between 0 and 1200"),
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
        ("values_to_be_in_set", {"value_set": ["01067", "1,067", True]}, "age is one of 01067, '1,067', true"),
        (
            "values_to_be_in_set",
            {"value_set": ["true", True, None, "missing", "", "a, b", " a", "it's"]},
            "age is one of 'true', true, missing, 'missing', '', 'a, b', ' a', it's",
        ),
        ("values_to_be_in_set", {"value_set": ["x" * 90]}, f"age is one of {'x' * 59}…"),
        ("values_to_be_in_set", {"value_set": []}, "age is one of no values"),
        ("values_to_match_regex_list", {"regex_list": ["^a", "b"]}, "age matches one of the patterns ^a, b"),
        (
            "values_to_match_regex_list",
            {"regex_list": ["^a", "b"], "match_on": "all"},
            "age matches every one of the patterns ^a, b",
        ),
        ("values_to_be_increasing", {}, "age never falls from row to row"),
        ("values_to_be_increasing", {"strictly": True}, "age grows from row to row"),
        ("values_to_be_decreasing", {"strictly": False}, "age never grows from row to row"),
        ("value_z_scores_to_be_less_than", {"threshold": 3}, "age is less than 3 standard deviations from its mean"),
        (
            "value_z_scores_to_be_less_than",
            {"threshold": 3, "double_sided": False},
            "age is less than 3 standard deviations above its mean",
        ),
        (
            "values_to_not_be_outliers",
            {"method": "std", "multiplier": 3},
            "age has no outliers, by 3 times its standard deviation",
        ),
        (
            "quantile_values_to_be_between",
            {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[None, None]]}},
            "age has quantiles of any size",
        ),
        ("max_to_be_between", {"max_value": "2026-02-01"}, "age has a maximum of at most 2026-02-01"),
        ("values_to_be_between", {"max_value": 9007199254740993}, "age is at most 9007199254740993"),
        ("values_to_not_be_null", {"row_condition": "zip == '01067'"}, "age has no missing values, where zip == 01067"),
        ("values_to_not_be_null", {"row_condition": "zip =="}, "age has no missing values for some of the rows"),
        ("values_to_be_in_set", {"value_set": [2023, 2024.0]}, "age is one of 2023, 2024"),
        ("max_to_be_between", {"min_value": 2023, "max_value": 2024}, "age has a maximum between 2023 and 2024"),
        ("value_lengths_to_equal", {"value": 1200}, "age has a length of 1200"),
        (
            "unique_value_count_to_be_between",
            {"min_value": 2000},
            "age has a number of distinct values of at least 2,000",
        ),
        ("values_to_be_in_set", {"value_set": ["a"], "mostly": 0.5}, "age is one of a in at least 50% of the rows"),
        ("values_to_be_in_set", {"value_set": ["a"], "mostly": "0.5"}, "age is one of a in at least 50% of the rows"),
        ("values_to_be_in_set", {"value_set": ["a"], "mostly": 0}, "age is one of a in at least 0% of the rows"),
        (
            "values_to_be_in_set",
            {"value_set": ["a"], "mostly": 0.9999},
            "age is one of a in at least 99.99% of the rows",
        ),
        ("values_to_be_in_set", {"value_set": ["a"], "mostly": 1}, "age is one of a"),
        (
            "values_to_not_be_null",
            {"row_condition": {"type": "comparison", "column": {"name": "zip"}, "operator": "==", "parameter": 10115}},
            "age has no missing values, where zip == 10115",
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
        ("table_column_count_to_equal", {"value": 1200}, "has exactly 1,200 columns"),
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
    most = {**told, "mostly": 0.5}
    assert expected("expect_column_values_to_be_between", most, private=True) == "in at least 50% of the rows"
    assert sentence("expect_column_values_to_be_between", told, private=True) == "age lies between a limit and a limit"
    assert expected("expect_column_values_to_be_between", told, private=True) is None


def test_no_argument_of_any_expectation_tells_a_value_of_a_private_column() -> None:
    told = {
        "column": "age", "column_A": "age", "column_B": "age", "column_list": ["age", "income"],
        "min_value": 987, "max_value": 9876, "sum_total": 98765, "value_set": [987], "value_pairs_set": [[987, 9876]],
        "regex": "^987$", "regex_list": ["^987$"],
        "quantile_ranges": {"quantiles": [0.5, 0.9], "value_ranges": [[987, 9876], [None, 98765]]},
    }  # fmt: skip
    shown = [sentence(kind, told) for kind in _TEMPLATES]
    assert sum("987" in words for words in shown) > 15
    assert [words for kind in _TEMPLATES if "987" in (words := sentence(kind, told, private=True))] == []
    assert sentence("expect_column_values_to_match_regex", told, private=True) == "age matches the pattern of the suite"


@pytest.mark.parametrize(
    ("kind", "kwargs", "words"),
    [
        ("expect_column_mean_to_be_between", {"min_value": 1, "max_value": 2}, "between 1 and 2"),
        ("expect_column_values_to_be_in_set", {"value_set": ["a", "b"]}, "a, b"),
        ("expect_column_values_to_be_in_set", {"value_set": ["a"], "mostly": 0.5}, "a in at least 50% of the rows"),
        ("expect_column_values_to_not_be_null", {"mostly": 0.5}, "in at least 50% of the rows"),
        ("expect_column_values_to_be_between", {"min_value": 2020, "max_value": 2024}, "between 2020 and 2024"),
        ("expect_column_values_to_match_regex", {"regex": "^a"}, "^a"),
        ("expect_table_row_count_to_equal", {"value": 9000}, "exactly 9,000"),
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
