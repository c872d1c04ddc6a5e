"""Both engines on the same data say the same: every expectation that DuckDB may answer, on every kind of column."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.checks.quality.check import Check, Evaluation, Limits
from pipeline.checks.quality.engines.evaluate import evaluate
from pipeline.checks.quality.engines.questions import ASKED
from pipeline.checks.quality.outcomes import outcome_of
from pipeline.checks.quality.validate import open_files
from tests.checks.quality.samples import write_parts

ROWS, MISSING = 2_001, 200
START = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = ("f64", "f32", "whole", "gaps", "u8", "coded", "dec", "empty")
TEXTS = ("id", "dup", "cat", "txt", "digits")
MOMENTS = ("ts", "naive", "day")
ALL = (*NUMBERS, *TEXTS, *MOMENTS, "flag", "nothing")


def snapshot() -> pa.Table:
    """Nulls, NaN, dictionaries, moments with and without a zone, dates, decimals, an empty column."""
    rng = np.random.default_rng(1)
    gaps = np.zeros(ROWS, dtype=bool)
    gaps[rng.choice(ROWS, MISSING, replace=False)] = True
    floats = rng.normal(5, 2, ROWS)
    nulls = gaps.copy()
    some = np.flatnonzero(gaps)[:5]
    floats[some], nulls[some] = math.nan, False
    moments = [START + timedelta(seconds=row) for row in range(ROWS)]
    cents = [Decimal(int(value)).scaleb(-2) for value in rng.integers(0, 10_000, ROWS)]
    return pa.table(
        {
            "f64": pa.array(floats, mask=nulls),
            "f32": pa.array(rng.random(ROWS).astype("float32")),
            "whole": pa.array(rng.integers(0, 50, ROWS)),
            "gaps": pa.array(rng.integers(0, 50, ROWS), mask=gaps),
            "u8": pa.array(rng.integers(0, 200, ROWS).astype("uint8")),
            "coded": pa.array(rng.integers(0, 4, ROWS)).dictionary_encode(),
            "dec": pa.array(cents, pa.decimal128(12, 2), mask=gaps),
            "empty": pa.array([None] * ROWS, pa.float64()),
            "nothing": pa.nulls(ROWS),
            "id": pa.array([f"C{row:05d}" for row in range(ROWS)]),
            "dup": pa.array([f"C{row // 2 if row < 10 else row:05d}" for row in range(ROWS)], mask=gaps),
            "cat": pa.array(rng.choice(["a", "b", "ü"], ROWS), mask=gaps).dictionary_encode(),
            "digits": pa.array([str(digit) for digit in rng.integers(0, 50, ROWS)]),
            "txt": pa.array(rng.choice(["x", "yy", "zzz"], ROWS), mask=gaps),
            "flag": pa.array(rng.random(ROWS) < 0.5, mask=gaps),
            "ts": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "naive": pa.array([moment.replace(tzinfo=None) for moment in moments], pa.timestamp("ns"), mask=gaps),
            "day": pa.array([date(2026, 1, 1) + timedelta(days=row % 30) for row in range(ROWS)], pa.date32()),
        }
    )


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """(expectation, arguments), each written so that some columns pass and others fail."""
    for name in ALL:
        yield from _anything(name)
    for name in NUMBERS:
        yield from _numbers(name)
    for name in (*TEXTS, "flag"):
        yield from _texts(name, [True] if name == "flag" else ["a", "b", "x"])
    for name in MOMENTS:
        yield from _moments(name)
    yield from _several_columns()
    yield from _conditions()


def _anything(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("not_be_null", "be_null", "be_unique"):
        yield f"expect_column_values_to_{kind}", {"column": name}
    yield "expect_column_unique_value_count_to_be_between", {"column": name, "min_value": 1, "max_value": 60}
    yield "expect_column_proportion_of_unique_values_to_be_between", {"column": name, "max_value": 0.5}
    yield "expect_column_proportion_of_non_null_values_to_be_between", {"column": name, "min_value": 0.95}
    yield "expect_column_largest_class_share_to_be_between", {"column": name, "max_value": 0.35}


def _numbers(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    column = {"column": name}
    for statistic in ("min", "max", "mean", "median", "stdev", "sum"):
        yield f"expect_column_{statistic}_to_be_between", {**column, "min_value": 0, "max_value": 30}
    between: dict[str, Any] = {**column, "min_value": 1, "max_value": 40}
    yield "expect_column_values_to_be_between", between
    yield "expect_column_values_to_be_between", {**between, "strict_min": True, "strict_max": True, "mostly": 0.9}
    ranges = {
        "quantiles": [0.0333, 0.25, 0.5, 0.75, 0.95],
        "value_ranges": [[0, 9], [0, None], [None, 99], [0, 9], [0, 9]],
    }
    yield "expect_column_quantile_values_to_be_between", {**column, "quantile_ranges": ranges}
    yield "expect_column_value_z_scores_to_be_less_than", {**column, "threshold": 2, "double_sided": True}
    yield "expect_column_value_z_scores_to_be_less_than", {**column, "threshold": -0.5, "double_sided": False}
    bins = {"bins": [0, 10, 20, 30, 100], "weights": [0.25] * 4}
    open_ends = {"bins": [-math.inf, 10, 20, math.inf], "weights": [0.25, 0.5, 0.25]}
    for partition in (bins, open_ends):
        yield "expect_column_kl_divergence_to_be_less_than", {**column, "partition_object": partition, "threshold": 0.1}
    yield from _sets(name, [1, 2, 3])


def _texts(name: str, values: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from _sets(name, values)
    yield "expect_column_value_lengths_to_be_between", {"column": name, "min_value": 1, "max_value": 2}
    yield "expect_column_value_lengths_to_equal", {"column": name, "value": 6}
    if name != "flag":
        yield from _patterns(name)
    shares = {"values": ["a", "b", "ü"], "weights": [0.3, 0.3, 0.4]}
    yield (
        "expect_column_kl_divergence_to_be_less_than",
        {"column": name, "partition_object": shares, "threshold": 0.1},
    )


def _patterns(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those of RE2, the ones that need texts of ASCII, one that looks ahead, and one that Python alone reads."""
    for pattern in ("^[a-z]{1,2}$", r"^C\d{4}[0-4]$", "(?i)A|x", "^(?!C)", "[^0-9]$", "^(?P<one>.)(?P=one)"):
        yield "expect_column_values_to_match_regex", {"column": name, "regex": pattern, "mostly": 0.5}
        yield "expect_column_values_to_not_match_regex", {"column": name, "regex": pattern}
    for match_on in ("any", "all"):
        several = {"column": name, "regex_list": ["^x", "[by]", "0"], "match_on": match_on}
        yield "expect_column_values_to_match_regex_list", several
    yield "expect_column_values_to_not_match_regex_list", {"column": name, "regex_list": ["^x", r"\s"]}


def _sets(name: str, values: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in (
        "values_to_be_in_set", "values_to_not_be_in_set", "distinct_values_to_be_in_set",
        "distinct_values_to_contain_set", "distinct_values_to_equal_set", "most_common_value_to_be_in_set",
    ):  # fmt: skip
        yield f"expect_column_{kind}", {"column": name, "value_set": values}


def _moments(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    bounds = {"column": name, "min_value": "2026-01-01T00:10:00", "max_value": "2026-01-20T00:00:00"}
    for kind in ("values", "max", "min"):
        yield f"expect_column_{kind}_to_be_between", bounds


def _several_columns() -> Iterator[tuple[str, dict[str, Any]]]:
    pairs: list[tuple[str, str]] = [("whole", "gaps"), ("whole", "u8"), ("f64", "f64"), ("cat", "txt")]
    for first, second in pairs:
        for ignored in ("both_values_are_missing", "either_value_is_missing", "neither"):
            columns = {"column_A": first, "column_B": second, "ignore_row_if": ignored}
            yield "expect_column_pair_values_to_be_equal", columns
            if first != "cat":
                yield "expect_column_pair_values_a_to_be_greater_than_b", {**columns, "or_equal": True}
    allowed = [["a", "x"], ["b", "yy"]]
    yield "expect_column_pair_values_to_be_in_set", {"column_A": "cat", "column_B": "txt", "value_pairs_set": allowed}
    for first, second in (("whole", "digits"), ("day", "ts"), ("flag", "whole")):  # of two kinds
        yield "expect_column_pair_values_to_be_equal", {"column_A": first, "column_B": second}
        yield "expect_multicolumn_values_to_be_equal", {"column_list": [first, second]}
        if first != "day":  # pandas finds a date equal to its midnight in a pair, and different from it here
            yield "expect_select_column_values_to_be_unique_within_record", {"column_list": [first, second]}
    for ignored in ("all_values_are_missing", "any_value_is_missing", "never"):
        listing: dict[str, Any] = {"column_list": ["gaps", "f64"], "ignore_row_if": ignored}
        for kind in ("compound_columns_to_be_unique", "multicolumn_values_to_be_equal"):
            yield f"expect_{kind}", listing
        yield "expect_select_column_values_to_be_unique_within_record", listing
        yield "expect_multicolumn_sum_to_equal", {**listing, "sum_total": 50}
    lists = (["whole", "gaps"], ["id", "whole"], ["whole", "u8", "coded"], ["whole", "u8"])
    for listed in lists:
        yield "expect_compound_columns_to_be_unique", {"column_list": listed}
        yield "expect_select_column_values_to_be_unique_within_record", {"column_list": listed}
        yield "expect_multicolumn_values_to_be_equal", {"column_list": listed}
        if "id" not in listed:
            yield "expect_multicolumn_sum_to_equal", {"column_list": listed, "sum_total": 50}
    yield "expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 10}
    yield "expect_table_row_count_to_equal", {"value": ROWS}


def _conditions() -> Iterator[tuple[str, dict[str, Any]]]:
    over = {"type": "comparison", "column": {"name": "f64"}, "operator": ">", "parameter": 5}
    missing = {"type": "nullity", "column": {"name": "gaps"}, "is_null": True}
    of_a = {"type": "comparison", "column": {"name": "cat"}, "operator": "==", "parameter": "a"}
    among = {"type": "comparison", "column": {"name": "cat"}, "operator": "IN", "parameter": ["a", "b"]}
    both = {"type": "and", "conditions": [over, missing]}
    either = {"type": "or", "conditions": [over, of_a]}
    for condition in (over, missing, of_a, among, both, either):
        yield "expect_table_row_count_to_equal", {"value": 5, "row_condition": condition}
        yield "expect_column_values_to_be_between", {"column": "whole", "min_value": 9, "row_condition": condition}
        yield "expect_column_mean_to_be_between", {"column": "whole", "min_value": 99, "row_condition": condition}


# Great Expectations' pandas engine cannot answer, DuckDB does.
ONLY_DUCKDB = {
    ("expect_column_mean_to_be_between", "dec"),
    ("expect_column_stdev_to_be_between", "dec"),
    ("expect_column_sum_to_be_between", "dec"),
    ("expect_column_value_z_scores_to_be_less_than", "dec"),
}
# The sum of no values: SQL says there is none, pandas says 0.
DIFFERENT = {("expect_column_sum_to_be_between", "empty")}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Check, Evaluation, Evaluation]]:
    """Every case in both engines."""
    files = open_files(write_parts(tmp_path_factory.mktemp("parity"), snapshot(), parts=3))
    checks = [Check(kind, kwargs, "critical", "") for kind, kwargs in cases()]
    limits = Limits(threads=2, examples=3)
    routed = evaluate(checks, files, limits)
    pandas = evaluate(checks, files, limits, pandas_only=True)
    return list(zip(checks, routed, pandas, strict=True))


@pytest.mark.slow
def test_success_and_observed_values_agree(answers: list[tuple[Check, Evaluation, Evaluation]]) -> None:
    wrong = []
    for check, first, second in answers:
        key = (check.type, check.kwargs.get("column"))
        if key in DIFFERENT or (key in ONLY_DUCKDB and second.error):
            continue
        if told(first) != told(second):
            wrong.append(
                f"{check.type} {dict(check.kwargs)}\n  {first.engine}: {told(first)}\n  pandas: {told(second)}"
            )
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_what_people_read_agrees(answers: list[tuple[Check, Evaluation, Evaluation]]) -> None:
    wrong = []
    for check, *evaluations in answers:
        if (check.type, check.kwargs.get("column")) not in DIFFERENT and not any(item.error for item in evaluations):
            first, second = (outcome_of(check, item).model_dump(exclude={"engine", "examples"}) for item in evaluations)
            if first != second:
                wrong.append((first, second))
    assert wrong == []


@pytest.mark.slow
def test_the_examples_are_the_same_where_rows_have_an_order(
    answers: list[tuple[Check, Evaluation, Evaluation]],
) -> None:
    """Which of many repeated or distinct values come first is no question of rows."""
    compared = [
        (first.examples, tuple(text.replace(".000000", "") for text in second.examples), check)  # moments beside dates
        for check, first, second in answers
        if first.engine == "duckdb" and second.error is None and len(set(check.columns)) == len(_named(check))
        if not check.type.endswith("_be_unique") and "distinct" not in check.type
    ]
    assert [item for item in compared if item[0] != item[1]] == []
    assert sum(len(first) > 1 for first, _, _ in compared) > 40
    assert not any("nan" in text or "None" in text for first, _, _ in compared for text in first)


def _named(check: Check) -> list[str]:
    return [check.kwargs[key] for key in ("column", "column_A", "column_B") if key in check.kwargs] or [*check.columns]


@pytest.mark.slow
def test_what_pandas_cannot_answer_duckdb_does(answers: list[tuple[Check, Evaluation, Evaluation]]) -> None:
    found = {
        (check.type, check.kwargs.get("column"))
        for check, first, second in answers
        if second.error and first.engine == "duckdb"
    }
    assert found == ONLY_DUCKDB


@pytest.mark.slow
def test_every_expectation_that_duckdb_may_answer_is_among_the_cases(
    answers: list[tuple[Check, Evaluation, Evaluation]],
) -> None:
    pushed = {check.type for check, first, _ in answers if first.engine == "duckdb"}
    assert pushed == ASKED - {"unexpected_rows_expectation"}  # SQL by definition
    assert sum(first.engine == "duckdb" for _, first, _ in answers) > 250


@pytest.mark.slow
def test_the_cases_pass_and_fail_in_about_equal_parts(answers: list[tuple[Check, Evaluation, Evaluation]]) -> None:
    passed = [first.success for _, first, _ in answers if first.error is None]
    assert 0.3 < sum(map(bool, passed)) / len(passed) < 0.7


def test_both_engines_agree_on_a_few_cases(tmp_path: Path) -> None:
    files = open_files(write_parts(tmp_path, snapshot().slice(0, 41)))
    wanted = [case for case in cases() if case[1].get("column") == "gaps"]
    checks = [Check(kind, kwargs, "critical", "") for kind, kwargs in wanted]
    answered = [evaluate(checks, files, Limits(threads=1), pandas_only=alone) for alone in (False, True)]
    assert [told(item) for item in answered[0]] == [told(item) for item in answered[1]]
    assert {item.engine for item in answered[0]} == {"duckdb"}


def told(evaluation: Evaluation) -> tuple[object, ...]:
    """What a result says, with numbers to six digits, lists sorted and moments to the second."""
    details = evaluation.details
    if evaluation.error is not None:
        return ("error",)
    return (
        evaluation.success,
        plain(details.get("observed_value")),
        details.get("element_count"),
        details.get("unexpected_count") or 0,  # of no rows at all SQL says None
        plain(details.get("unexpected_percent")),
    )


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, date):
        return str(value)[:19]
    if isinstance(value, str) or value is None:
        return value
    number = float(value)
    return None if math.isnan(number) else float(f"{number:.6g}")
