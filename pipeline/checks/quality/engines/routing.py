"""Which engine can evaluate a check so that both would say the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.check import Check
from pipeline.checks.quality.engines.questions import ASKED
from pipeline.checks.quality.engines.sql import is_too_deep
from pipeline.checks.quality.suite.arguments import family_of_type

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

# One column of values as they are, or as text. What computes with numbers needs pandas' own.
_READING_VALUES = (
    "expect_column_value_lengths_", "expect_column_values_to_be_", "expect_column_values_to_match_",
    "expect_column_values_to_not_be_in_set", "expect_column_values_to_not_match_", "expect_column_distinct_values_",
)  # fmt: skip

_DISTINCT_SETS = "expect_column_distinct_values_to_"


def tells_from_schema(expectation: str) -> bool:
    """Whether the names of the columns are enough."""
    return expectation in _FROM_SCHEMA


def needs_specimens_only(check: Check) -> bool:
    """Whether the check asks for the type of values, which all rows of a column share."""
    return check.type in _ABOUT_TYPES


def reads_values(check: Check) -> bool:
    """Whether the check looks at values one by one, so that a whole number must be one, whatever else is missing."""
    return check.type.startswith(_READING_VALUES)


def suits_sql(check: Check, schema: pa.Schema) -> bool:
    """Whether DuckDB may answer a check whose arguments suit their columns.

    It would compare a number with the text "1" by turning one into the other, where pandas finds them different: values
    of another kind than the column's go to pandas. So does what Great Expectations takes for a date in text.
    """
    if check.type not in ASKED or check.kwargs.get("allow_relative_error"):
        return False
    if any(is_too_deep(schema.field(name).type) for name in check.columns):
        return False
    name = check.kwargs.get("column")
    if isinstance(name, str):
        members = list(_listed(check.kwargs.get("value_set")))
        if check.type.startswith(_DISTINCT_SETS) and any(map(_like_a_date, members)):
            return False
        if not _comparable(schema.field(name).type, members):
            return False
    pairs = [pair for pair in _listed(check.kwargs.get("value_pairs_set")) if isinstance(pair, tuple)]
    sides = (check.kwargs.get("column_A"), check.kwargs.get("column_B"))
    return not pairs or all(
        _comparable(schema.field(side).type, [item for item in members if item is not None])
        for side, members in zip(sides, zip(*pairs, strict=True), strict=True)
    )


def _listed(found: object) -> Iterable[Any]:
    return found if isinstance(found, list | tuple | set) else ()


def _like_a_date(found: object) -> bool:
    return isinstance(found, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", found) is not None


def _comparable(arrow_type: pa.DataType, values: Iterable[object]) -> bool:
    family = family_of_type(arrow_type)
    kinds: dict[str | None, tuple[type, ...]] = {
        "number": (int, float, Decimal), "text": (str,), "boolean": (bool,), "date": (date,), "timestamp": (datetime,),
    }  # fmt: skip
    allowed = kinds.get(family)
    if allowed is None:
        return family is not None or not list(values)
    return all(isinstance(value, allowed) and (family == "boolean") == isinstance(value, bool) for value in values)
