"""An entry says the same alone and in company: alike but for an argument, on the same column, in either engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.checks.quality.check import Check, Limits
from pipeline.checks.quality.engines.evaluate import evaluate
from pipeline.checks.quality.outcomes import outcome_of
from pipeline.checks.quality.validate import open_files
from tests.checks.quality.samples import entry, run, write_parts
from tests.checks.quality.test_parity import cases, snapshot


def alike() -> Iterator[tuple[str, dict[str, Any]]]:
    """Entries that differ in one argument only."""
    yield from _distributions()
    yield from _limits_and_sets()
    yield from _patterns()
    yield from _orders()
    yield from _several_columns()


def _distributions() -> Iterator[tuple[str, dict[str, Any]]]:
    for part in (0.05, 0.5, 0.95):
        ranges = {"quantiles": [part], "value_ranges": [[4, 6]]}
        yield "expect_column_quantile_values_to_be_between", {"column": "f64", "quantile_ranges": ranges}
        yield "expect_column_quantile_values_to_be_between", {
            "column": "f64", "quantile_ranges": ranges, "allow_relative_error": "linear",
        }  # fmt: skip
    for weights in ([0.25] * 4, [0.1, 0.2, 0.3, 0.4]):
        bins = {"bins": [0, 10, 20, 30, 100], "weights": weights}
        yield "expect_column_kl_divergence_to_be_less_than", {
            "column": "f64", "partition_object": bins, "threshold": 0.1,
        }  # fmt: skip


def _limits_and_sets() -> Iterator[tuple[str, dict[str, Any]]]:
    for strict in (False, True):
        for limit in (1, 40, 49):
            bounds = {"column": "whole", "max_value": limit, "strict_max": strict}
            yield "expect_column_values_to_be_between", bounds
            yield "expect_column_max_to_be_between", bounds
    for members in ([1], ["1"], [True], [1, 2], [2, 1], []):
        for kind in ("values_to_be_in_set", "values_to_not_be_in_set", "distinct_values_to_contain_set"):
            yield f"expect_column_{kind}", {"column": "whole", "value_set": members}


def _patterns() -> Iterator[tuple[str, dict[str, Any]]]:
    for pattern in ("^x$", "^y", "z"):
        yield "expect_column_values_to_match_regex", {"column": "txt", "regex": pattern}
        yield "expect_column_values_to_not_match_regex", {"column": "txt", "regex": pattern}
        for match_on in ("any", "all"):
            yield "expect_column_values_to_match_regex_list", {
                "column": "txt", "regex_list": [pattern, "x"], "match_on": match_on,
            }  # fmt: skip


def _orders() -> Iterator[tuple[str, dict[str, Any]]]:
    for threshold in (0.5, 2):
        for sides in (True, False):
            yield "expect_column_value_z_scores_to_be_less_than", {
                "column": "f64", "threshold": threshold, "double_sided": sides,
            }  # fmt: skip
    for method, multiplier in (("iqr", 0.5), ("iqr", 1.5), ("std", 1.5)):
        yield "expect_column_values_to_not_be_outliers", {
            "column": "f64", "method": method, "multiplier": multiplier,
        }  # fmt: skip
    for strictly in (True, False):
        yield "expect_column_values_to_be_increasing", {"column": "whole", "strictly": strictly}


def _several_columns() -> Iterator[tuple[str, dict[str, Any]]]:
    for pairs in ([["a", "x"]], [["b", "yy"]]):
        for ignored in ("neither", "either_value_is_missing"):
            yield "expect_column_pair_values_to_be_in_set", {
                "column_A": "cat", "column_B": "txt", "value_pairs_set": pairs, "ignore_row_if": ignored,
            }  # fmt: skip
    for equal in (True, False):
        yield "expect_column_pair_values_a_to_be_greater_than_b", {
            "column_A": "whole", "column_B": "gaps", "or_equal": equal,
        }  # fmt: skip
    for total in (50, 51):
        yield "expect_multicolumn_sum_to_equal", {"column_list": ["whole", "gaps"], "sum_total": total}
    for condition in (None, "whole > 10", "whole > 20", "whole != 3 and gaps.isnull()"):
        told = {} if condition is None else {"row_condition": condition}
        yield "expect_column_mean_to_be_between", {"column": "f64", "min_value": 6, **told}
        yield "expect_table_row_count_to_equal", {"value": 7, **told}
        yield "expect_compound_columns_to_be_unique", {"column_list": ["whole", "gaps"], **told}
        yield "expect_column_pair_values_to_be_in_set", {
            "column_A": "cat", "column_B": "txt", "value_pairs_set": [["a", "x"]], **told,
        }  # fmt: skip


def told(check: Check, evaluation: Any) -> Any:
    return outcome_of(check, evaluation).model_dump()


@pytest.mark.parametrize("pandas_only", [False, True])
def test_entries_alike_but_for_an_argument_are_told_apart(tmp_path: Path, pandas_only: bool) -> None:
    files = open_files(write_parts(tmp_path, snapshot().slice(0, 101), parts=2))
    checks = [Check(kind, kwargs, "info", "") for kind, kwargs in alike()]
    limits = Limits(threads=1)
    together = evaluate(checks, files, limits, pandas_only=pandas_only)
    alone = [evaluate([check], files, limits, pandas_only=pandas_only)[0] for check in checks]
    wrong = [
        (dict(check.kwargs), told(check, first), told(check, second))
        for check, first, second in zip(checks, together, alone, strict=True)
        if told(check, first) != told(check, second)
    ]
    assert wrong == []
    assert len({str(told(check, found)) for check, found in zip(checks, together, strict=True)}) > 40


@pytest.mark.slow
def test_every_case_of_the_two_engines_says_the_same_alone(tmp_path: Path) -> None:
    files = open_files(write_parts(tmp_path, snapshot().slice(0, 101), parts=2))
    checks = [Check(kind, kwargs, "info", "") for kind, kwargs in cases()][::5]
    together = evaluate(checks, files, Limits(threads=1))
    for check, found in zip(checks, together, strict=True):
        (alone,) = evaluate([check], files, Limits(threads=1))
        assert told(check, found) == told(check, alone)


def test_two_quantiles_of_one_column_are_two_quantiles(tmp_path: Path) -> None:
    ranges = [{"quantiles": [part], "value_ranges": [[150, 250]]} for part in (0.5, 0.95)]
    kind = "expect_column_quantile_values_to_be_between"
    result = run(
        tmp_path,
        pa.table({"x": range(400)}),
        *(entry(kind, column="x", quantile_ranges=item) for item in ranges),
    )
    assert [(item.passed, item.observed) for item in result.outcomes[1:]] == [
        (True, "a median of 200"),
        (False, "a 95% quantile of 379"),
    ]
