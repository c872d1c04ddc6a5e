"""Expectations as sentences that a person understands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Arguments = Mapping[str, Any]
_MAX_LISTED = 8


def sentence(expectation: str, kwargs: Arguments) -> str:
    """What an expectation demands, such as `age lies between 18 and 100`. Unknown ones read as their own name."""
    subject = _subject(kwargs)
    template = _TEMPLATES.get(expectation)
    words = template(kwargs) if template else _from_name(expectation)
    mostly = kwargs.get("mostly")
    share = f" in at least {mostly:.4g} of the rows" if isinstance(mostly, float) and mostly < 1 else ""
    return f"{subject} {words}{share}"


def _subject(kwargs: Arguments) -> str:
    if "column" in kwargs:
        return str(kwargs["column"])
    if "column_A" in kwargs:
        return f"{kwargs['column_A']} and {kwargs.get('column_B')}"
    if "column_list" in kwargs:
        return ", ".join(map(str, kwargs["column_list"]))
    return "The snapshot"


def _range(kwargs: Arguments, low: str = "min_value", high: str = "max_value") -> str:
    least, most = kwargs.get(low), kwargs.get(high)
    if least is not None and most is not None:
        return f"between {least} and {most}"
    return f"at least {least}" if least is not None else f"at most {most}"


def _listed(values: object) -> str:
    items = [str(item) for item in values] if isinstance(values, list | tuple | set) else [str(values)]
    more = f" and {len(items) - _MAX_LISTED} more" if len(items) > _MAX_LISTED else ""
    return ", ".join(items[:_MAX_LISTED]) + more


def _statistic(name: str) -> Callable[[Arguments], str]:
    return lambda kwargs: f"has a {name} of {_range(kwargs)}"


def _from_name(expectation: str) -> str:
    words = expectation.removeprefix("expect_")
    for prefix in ("column_pair_values_", "column_values_", "column_", "multicolumn_", "compound_columns_", "table_"):
        words = words.removeprefix(prefix)
    return "should " + words.removeprefix("to_").replace("_", " ")


_TEMPLATES: dict[str, Callable[[Arguments], str]] = {
    "expect_column_to_exist": lambda _: "is a column of the snapshot",
    "expect_column_values_to_not_be_null": lambda _: "has no missing values",
    "expect_column_values_to_be_null": lambda _: "has only missing values",
    "expect_column_values_to_be_unique": lambda _: "has no value twice",
    "expect_compound_columns_to_be_unique": lambda _: "together never repeat",
    "expect_column_values_to_be_between": lambda kwargs: f"lies {_range(kwargs)}".replace("lies at", "is at"),
    "expect_column_values_to_be_in_set": lambda kwargs: f"is one of {_listed(kwargs.get('value_set'))}",
    "expect_column_values_to_not_be_in_set": lambda kwargs: f"is none of {_listed(kwargs.get('value_set'))}",
    "expect_column_distinct_values_to_be_in_set": lambda kwargs: (
        f"only has values out of {_listed(kwargs.get('value_set'))}"
    ),
    "expect_column_values_to_match_regex": lambda kwargs: f"matches the pattern {kwargs.get('regex')}",
    "expect_column_values_to_be_of_type": lambda kwargs: f"is of type {kwargs.get('type_')}",
    "expect_column_value_lengths_to_be_between": lambda kwargs: f"has a length of {_range(kwargs)}",
    "expect_column_mean_to_be_between": _statistic("mean"),
    "expect_column_median_to_be_between": _statistic("median"),
    "expect_column_stdev_to_be_between": _statistic("standard deviation"),
    "expect_column_min_to_be_between": _statistic("minimum"),
    "expect_column_max_to_be_between": _statistic("maximum"),
    "expect_column_sum_to_be_between": _statistic("sum"),
    "expect_column_unique_value_count_to_be_between": _statistic("number of distinct values"),
    "expect_column_proportion_of_unique_values_to_be_between": _statistic("share of distinct values"),
    "expect_table_row_count_to_be_between": lambda kwargs: f"has {_range(kwargs)} rows",
    "expect_table_row_count_to_equal": lambda kwargs: f"has exactly {kwargs.get('value')} rows",
    "expect_table_columns_to_match_set": lambda kwargs: f"has the columns {_listed(kwargs.get('column_set'))}",
}
