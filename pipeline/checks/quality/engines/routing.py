"""Which engine can evaluate a check so that both would say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.check import Check

if TYPE_CHECKING:
    import pyarrow as pa

_FROM_SCHEMA = frozenset({
    "expect_column_to_exist",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_columns_to_match_ordered_list",
    "expect_table_columns_to_match_set",
})  # fmt: skip

_ABOUT_TYPES = frozenset({
    "expect_column_type_to_be",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_of_type",
})  # fmt: skip

# tests/checks/quality/test_parity.py runs each of these through both engines. Not among them: what SQL lacks (regular
# expressions in Python's dialect, Python types, the order of rows, JSON, dates in text).
_IN_SQL = frozenset({
    "expect_column_distinct_values_to_be_in_set",
    "expect_column_distinct_values_to_contain_set",
    "expect_column_distinct_values_to_equal_set",
    "expect_column_kl_divergence_to_be_less_than",
    "expect_column_largest_class_share_to_be_between",
    "expect_column_max_to_be_between",
    "expect_column_mean_to_be_between",
    "expect_column_median_to_be_between",
    "expect_column_min_to_be_between",
    "expect_column_most_common_value_to_be_in_set",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_column_pair_values_to_be_in_set",
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
    "expect_column_quantile_values_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_unique_value_count_to_be_between",
    "expect_column_value_lengths_to_be_between",
    "expect_column_value_lengths_to_equal",
    "expect_column_value_z_scores_to_be_less_than",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_null",
    "expect_column_values_to_be_unique",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_not_be_null",
    "expect_compound_columns_to_be_unique",
    "expect_multicolumn_sum_to_equal",
    "expect_multicolumn_values_to_be_equal",
    "expect_select_column_values_to_be_unique_within_record",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
    "unexpected_rows_expectation",
})  # fmt: skip

# Where a value is missing in one of several columns, SQL passes over the row and pandas compares with NaN.
_COMPARING_COLUMNS = frozenset({
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_compound_columns_to_be_unique",
    "expect_multicolumn_sum_to_equal",
})  # fmt: skip


def tells_from_schema(expectation: str) -> bool:
    """Whether the names of the columns are enough."""
    return expectation in _FROM_SCHEMA


def needs_specimens_only(check: Check) -> bool:
    """Whether the check asks for the type of values, which all rows of a column share."""
    return check.type in _ABOUT_TYPES and not check.kwargs.get("row_condition")


def needs_complete_rows(check: Check) -> bool:
    """Whether both engines agree only where none of the columns has a missing value."""
    return check.type in _COMPARING_COLUMNS


def suits_sql(check: Check, schema: pa.Schema) -> bool:
    """Whether DuckDB may answer.

    It would compare a number with the text "1" by turning one into the other, where pandas finds them different: values
    of another kind than the column's go to pandas.
    """
    if check.type not in _IN_SQL or check.filter_text is not None:
        return False
    return all(_comparable(schema.field(name).type, _values(check.kwargs)) for name in check.columns)


def _values(kwargs: Mapping[str, Any]) -> Iterable[object]:
    listed = kwargs.get("value_set")
    return listed if isinstance(listed, list | tuple | set) else ()


def _comparable(arrow_type: pa.DataType, values: Iterable[object]) -> bool:
    from pipeline.checks.scan import FAMILIES
    from pipeline.checks.scan.types import form_of

    family = FAMILIES.get(form_of(arrow_type) or "")
    kinds: dict[str | None, tuple[type, ...]] = {"number": (int, float), "text": (str,), "boolean": (bool,)}
    allowed = kinds.get(family)
    if allowed is None:
        return family is not None or not list(values)
    return all(isinstance(value, allowed) and (family == "boolean") == isinstance(value, bool) for value in values)
