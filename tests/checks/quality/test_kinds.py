"""Rows of columns that hold different kinds of value: a date is its midnight, true is 1, what is missing is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.checks.quality.check import Check, Evaluation, Limits
from pipeline.checks.quality.engines.evaluate import evaluate
from pipeline.checks.quality.validate import open_files
from tests.checks.quality.samples import write_parts

DAYS = [date(2026, 1, 1), date(2026, 1, 2), None, date(9999, 12, 31), date(1, 1, 1), date(2026, 1, 1), None, None]
MOMENTS = [
    datetime(2026, 1, 1), datetime(2026, 1, 1, 7), datetime(2026, 1, 2), datetime(2026, 1, 1), datetime(1999, 1, 1),
    None, None, datetime(2026, 1, 1),
]  # fmt: skip
SNAPSHOT = pa.table(
    {
        "day": pa.array(DAYS, pa.date32()),
        "coded day": pa.array(DAYS, pa.date32()).dictionary_encode(),
        "moment": pa.array(MOMENTS, pa.timestamp("us")),
        "fine": pa.array(MOMENTS, pa.timestamp("ns")),
        "zoned": pa.array([item and item.replace(tzinfo=UTC) for item in MOMENTS], pa.timestamp("us", "Europe/Berlin")),
        "whole": pa.array([0, 1, 2, None, 1, 0, None, 2]),
        "float": pa.array([1.0, 0.0, None, 2.5, 1.0, 0.0, None, float("nan")]),
        "flag": pa.array([True, True, False, None, False, None, None, True]),
        "text": pa.array(["1", "0", None, "2026-01-01", "True", "b", None, ""]),
        "nothing": pa.nulls(8),
    }
)
KINDS = {datetime: "moment", int: "number", float: "number", str: "text"}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Check, Evaluation]]:
    """Every pair of columns, in both orders, in two files."""
    paths = write_parts(tmp_path_factory.mktemp("kinds"), SNAPSHOT, 2)
    checks = [Check(kind, kwargs, "info", "") for kind, kwargs in cases()]
    return list(zip(checks, evaluate(checks, open_files(paths), Limits(threads=1, examples=2)), strict=True))


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """What can be asked of two columns: only of what is alike, which of two is greater."""
    for first, second in permutations(SNAPSHOT.column_names, 2):
        listed: dict[str, Any] = {"column_list": [first, second]}
        for ignored in ("all_values_are_missing", "any_value_is_missing", "never"):
            kwargs = {**listed, "ignore_row_if": ignored}
            yield "expect_select_column_values_to_be_unique_within_record", kwargs
        if len(kinds_of(first) | kinds_of(second)) > 1:
            continue
        yield "expect_multicolumn_values_to_be_equal", {**listed, "ignore_row_if": "never"}
        for ignored in ("both_values_are_missing", "either_value_is_missing", "neither"):
            pair = {"column_A": first, "column_B": second, "ignore_row_if": ignored}
            yield "expect_column_pair_values_to_be_equal", pair
            for or_equal in (False, True):
                yield "expect_column_pair_values_a_to_be_greater_than_b", {**pair, "or_equal": or_equal}


def test_each_pair_is_compared_as_what_it_is(answers: list[tuple[Check, Evaluation]]) -> None:
    wrong = [
        f"{check.type} {dict(check.kwargs)}: {found.error or found.details.get('unexpected_count')}, not {right}"
        for check, found in answers
        if found.error or found.details.get("unexpected_count") != (right := unexpected(check))
    ]
    assert not wrong, "\n".join(wrong)


def test_examples_show_what_the_file_has(answers: list[tuple[Check, Evaluation]]) -> None:
    shown = [
        found.examples
        for check, found in answers
        if check.kwargs.get("column_list") == ["flag", "nothing"] and check.kwargs["ignore_row_if"] == "never"
    ]
    assert ("flag missing, nothing missing",) in shown


def test_a_sum_of_columns_of_which_one_holds_nothing(tmp_path: Path) -> None:
    """It is missing in every row, which is what the night has to say; not that it cannot be evaluated."""
    paths = write_parts(tmp_path, SNAPSHOT, 1)
    wanted = Check("expect_multicolumn_sum_to_equal", {"column_list": ["whole", "nothing"], "sum_total": 3}, "info", "")
    (found,) = evaluate([wanted], open_files(paths), Limits(threads=1))
    assert (found.error, found.details["unexpected_count"]) == (None, 6)  # both are missing in the other two


def value_of(item: Any) -> Any:
    """As Python compares it; None where it is missing."""
    if item is None or item != item:
        return None
    if isinstance(item, datetime):
        plain = item if item.tzinfo is None else item.astimezone(UTC)  # nanoseconds come as pandas' own
        return datetime(plain.year, plain.month, plain.day, plain.hour)
    if isinstance(item, date):
        return datetime(item.year, item.month, item.day)
    return int(item) if isinstance(item, bool) else item


def column(name: str) -> list[Any]:
    return [value_of(item) for item in SNAPSHOT[name].to_pylist()]


def kinds_of(name: str) -> set[str]:
    return {KINDS[type(item)] for item in column(name) if item is not None}


def unexpected(check: Check) -> int:
    """Rows, by Python alone."""
    kwargs = check.kwargs
    names = kwargs.get("column_list") or [kwargs["column_A"], kwargs["column_B"]]
    rows = zip(*map(column, names), strict=True)
    return sum(not skipped(kwargs["ignore_row_if"], row) and not holds(check, *row) for row in rows)


def skipped(ignored: str, row: tuple[Any, ...]) -> bool:
    missing = [item is None for item in row]
    return (
        any(missing) if ignored.startswith(("any", "either")) else all(missing) and ignored.startswith(("all", "both"))
    )


def holds(check: Check, first: Any, second: Any) -> bool:
    """Of two missing values neither is greater nor equal in a pair; in a list they are the same."""
    if check.type == "expect_select_column_values_to_be_unique_within_record":
        return bool(first != second)
    if check.type == "expect_multicolumn_values_to_be_equal":
        return bool(first == second)
    if first is None or second is None:
        return False
    if check.type == "expect_column_pair_values_to_be_equal":
        return bool(first == second)
    return bool(first >= second if check.kwargs["or_equal"] else first > second)
