"""Expectations as sentences that a person understands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

from pipeline.checks.quality.conditions import ConditionError, condition_words, parse_condition
from pipeline.wording import count, exact_share, listed, member, quantile, value

Arguments = Mapping[str, Any]

SHARES = frozenset({
    "expect_column_largest_class_share_to_be_between",
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
})  # fmt: skip
"""Expectations about a fraction in [0, 1], which people read as percent."""

COUNTS = frozenset({
    "expect_column_unique_value_count_to_be_between",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
})  # fmt: skip
"""Expectations about how many there are of something. Every other number may be a code or a year."""


def sentence(expectation: str, kwargs: Arguments, *, private: bool = False) -> str:
    """What an expectation demands, such as `age lies between 18 and 100`. Unknown ones read as their own name.

    Args:
        expectation: the type as Great Expectations calls it.
        kwargs: its arguments.
        private: leave out values that the arguments name, because they are values of a private column.
    """
    told = {**kwargs, **_withheld(kwargs)} if private else kwargs
    template = _TEMPLATES.get(expectation)
    words = template(told) if template else _from_name(expectation)
    part = " ".join(filter(None, (words, _part(kwargs))))
    return f"{_subject(expectation, kwargs)} {part}{_condition(kwargs, private)}"


def expected(expectation: str, kwargs: Arguments, *, private: bool = False) -> str | None:
    """What an expectation demands of the value that it observes; None where only its sentence says it."""
    limits = None if private else _limits(expectation, kwargs)
    return " ".join(filter(None, (limits, _part(kwargs)))) or None


def mostly(kwargs: Arguments) -> float | None:
    """The fraction of the rows that have to comply, where it is less than all of them."""
    part = kwargs.get("mostly")
    if isinstance(part, str):  # which Great Expectations takes as well
        part = float(part) if re.fullmatch(r"[0-9.]+", part) else None
    return float(part) if isinstance(part, Real) and part < 1 else None


def _part(kwargs: Arguments) -> str:
    part = mostly(kwargs)
    return "" if part is None else f"in at least {exact_share(part)} of the rows"


def _limits(expectation: str, kwargs: Arguments) -> str | None:
    if _any_limit(kwargs):
        return _range(kwargs, _words_for(expectation))
    if "quantile_ranges" in kwargs:
        return _quantiles(kwargs).removeprefix("has ")
    if expectation.startswith("expect_table_") and kwargs.get("value") is not None:
        return f"exactly {_count(kwargs['value'])}"
    for key in ("value_set", "type_list", "column_set"):
        if key in kwargs:
            return _set(kwargs, key)
    words = kwargs.get("regex") or kwargs.get("type_") or kwargs.get("strftime_format")
    return str(words) if words else None


_WITHHELD = {
    "value_set": "the allowed values",
    "value_pairs_set": "the allowed pairs",
    "min_value": "a limit",
    "max_value": "a limit",
    "sum_total": "a total",
    "regex": "of the suite",
    "regex_list": "of the suite",
}
"""What stands in the place of arguments that are, or quote, values of rows."""


def _withheld(kwargs: Arguments) -> dict[str, object]:
    found: dict[str, object] = {key: words for key, words in _WITHHELD.items() if kwargs.get(key) is not None}
    ranges = kwargs.get("quantile_ranges")
    if isinstance(ranges, Mapping):
        limits = [["a limit" if end is not None else None for end in pair] for pair in ranges.get("value_ranges", ())]
        found["quantile_ranges"] = {**ranges, "value_ranges": limits}
    return found


def _subject(expectation: str, kwargs: Arguments) -> str:
    if "column" in kwargs:
        return str(kwargs["column"])
    if "column_A" in kwargs:
        return f"{kwargs['column_A']} and {kwargs.get('column_B')}"
    table = "sum_total" in kwargs or expectation.startswith("expect_table_")
    if "column_list" in kwargs and not table:
        return listed(list(kwargs["column_list"]))
    return "The snapshot"


def _condition(kwargs: Arguments, private: bool) -> str:
    try:
        condition = parse_condition(kwargs.get("row_condition"))
    except ConditionError:
        return " for some of the rows"
    if condition is None:
        return ""
    return " for some of the rows" if private else f", where {condition_words(condition)}"


def _words_for(expectation: str) -> Callable[[object], str]:
    return _share if expectation in SHARES else _count if expectation in COUNTS else value


def _share(limit: object) -> str:
    return exact_share(limit) if isinstance(limit, int | float) else value(limit)


def _count(limit: object) -> str:
    return count(int(limit)) if isinstance(limit, int | float) and limit == int(limit) else value(limit)


def _range(kwargs: Arguments, words: Callable[[object], str] = value) -> str:
    least, most = kwargs.get("min_value"), kwargs.get("max_value")
    over = "more than " if kwargs.get("strict_min") else ""
    under = "less than " if kwargs.get("strict_max") else ""
    if least is not None and most is not None:
        if over or under:
            return f"{over or 'at least '}{words(least)} and {under or 'at most '}{words(most)}"
        return f"between {words(least)} and {words(most)}"
    if least is not None:
        return f"{over or 'at least '}{words(least)}"
    return f"{under or 'at most '}{words(most)}" if most is not None else "any size"


def _set(kwargs: Arguments, key: str = "value_set") -> str:
    values = kwargs.get(key)
    if not isinstance(values, list | tuple | set):
        return str(values)
    return listed([member(item) for item in values]) or "no values"


def _pairs(kwargs: Arguments) -> str:
    pairs = kwargs.get("value_pairs_set")
    if not isinstance(pairs, list | tuple):
        return str(pairs)
    return listed([" with ".join(map(member, pair)) for pair in pairs if isinstance(pair, list | tuple)]) or "no pairs"


def _quantiles(kwargs: Arguments) -> str:
    ranges = kwargs.get("quantile_ranges") or {}
    pairs = zip(ranges.get("quantiles", ()), ranges.get("value_ranges", ()), strict=False)
    limits = [(part, {"min_value": low, "max_value": high}) for part, (low, high) in pairs]
    limited = [_of(quantile(part), _range(limit)) for part, limit in limits if _any_limit(limit)]
    return "has " + (listed(limited) or "quantiles of any size")


def _any_limit(kwargs: Arguments) -> bool:
    return kwargs.get("min_value") is not None or kwargs.get("max_value") is not None


def _of(name: str, limits: str) -> str:
    return f"a {name} {limits if limits.startswith('between') else 'of ' + limits}"


def _statistic(name: str, words: Callable[[object], str] = value) -> Callable[[Arguments], str]:
    return lambda kwargs: f"has {_of(name, _range(kwargs, words))}"


def _from_name(expectation: str) -> str:
    words = expectation.removeprefix("expect_")
    for prefix in ("column_pair_values_", "column_values_", "column_", "multicolumn_", "compound_columns_", "table_"):
        words = words.removeprefix(prefix)
    return "should " + words.removeprefix("to_").replace("_", " ")


def _between(kwargs: Arguments) -> str:
    both = kwargs.get("min_value") is not None and kwargs.get("max_value") is not None
    plain = both and not kwargs.get("strict_min") and not kwargs.get("strict_max")
    return f"{'lies' if plain else 'is'} {_range(kwargs)}"


_TEMPLATES: dict[str, Callable[[Arguments], str]] = {
    "expect_column_to_exist": lambda kwargs: (
        "is a column of the snapshot"
        if kwargs.get("column_index") is None
        else f"is the column of the snapshot with {count(int(kwargs['column_index']))} before it"
    ),
    "expect_column_values_to_not_be_null": lambda _: "has no missing values",
    "expect_column_values_to_be_null": lambda _: "has only missing values",
    "expect_column_proportion_of_non_null_values_to_be_between": _statistic("share of present values", _share),
    "expect_column_values_to_be_unique": lambda _: "has no value twice",
    "expect_compound_columns_to_be_unique": lambda _: "together never repeat",
    "expect_select_column_values_to_be_unique_within_record": lambda _: "differ from each other in every row",
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": lambda kwargs: f"is one of {_set(kwargs)}",
    "expect_column_values_to_not_be_in_set": lambda kwargs: f"is none of {_set(kwargs)}",
    "expect_column_distinct_values_to_be_in_set": lambda kwargs: f"only has values out of {_set(kwargs)}",
    "expect_column_distinct_values_to_contain_set": lambda kwargs: f"has every one of {_set(kwargs)}",
    "expect_column_distinct_values_to_equal_set": lambda kwargs: f"has exactly the values {_set(kwargs)}",
    "expect_column_most_common_value_to_be_in_set": lambda kwargs: f"most often is one of {_set(kwargs)}",
    "expect_column_values_to_match_regex": lambda kwargs: f"matches the pattern {kwargs.get('regex')}",
    "expect_column_values_to_not_match_regex": lambda kwargs: f"does not match the pattern {kwargs.get('regex')}",
    "expect_column_values_to_match_regex_list": lambda kwargs: (
        f"matches {'every one' if kwargs.get('match_on') == 'all' else 'one'} of the patterns "
        f"{_set(kwargs, 'regex_list')}"
    ),
    "expect_column_values_to_not_match_regex_list": lambda kwargs: (
        f"matches none of the patterns {_set(kwargs, 'regex_list')}"
    ),
    "expect_column_values_to_match_strftime_format": lambda kwargs: (
        f"is a date in the format {kwargs.get('strftime_format')}"
    ),
    "expect_column_values_to_be_dateutil_parseable": lambda _: "can be read as a date",
    "expect_column_values_to_be_json_parseable": lambda _: "is JSON",
    "expect_column_values_to_match_json_schema": lambda _: "is JSON that follows its schema",
    "expect_column_values_to_be_of_type": lambda kwargs: f"is of type {kwargs.get('type_')}",
    "expect_column_type_to_be": lambda kwargs: f"is of type {kwargs.get('type_')}",
    "expect_column_values_to_be_in_type_list": lambda kwargs: f"is of one of the types {_set(kwargs, 'type_list')}",
    "expect_column_value_lengths_to_be_between": _statistic("length"),
    "expect_column_value_lengths_to_equal": lambda kwargs: f"has a length of {value(kwargs.get('value'))}",
    "expect_column_values_to_be_increasing": lambda kwargs: (
        f"{'grows' if kwargs.get('strictly') else 'never falls'} from row to row"
    ),
    "expect_column_values_to_be_decreasing": lambda kwargs: (
        f"{'falls' if kwargs.get('strictly') else 'never grows'} from row to row"
    ),
    "expect_column_value_z_scores_to_be_less_than": lambda kwargs: (
        f"is less than {value(kwargs.get('threshold'))} standard deviations "
        f"{'from' if kwargs.get('double_sided', True) else 'above'} its mean"
    ),
    "expect_column_values_to_not_be_outliers": lambda kwargs: (
        f"has no outliers, by {value(kwargs.get('multiplier', 1.5))} times its "
        f"{'standard deviation' if kwargs.get('method') == 'std' else 'interquartile range'}"
    ),
    "expect_column_mean_to_be_between": _statistic("mean"),
    "expect_column_median_to_be_between": _statistic("median"),
    "expect_column_stdev_to_be_between": _statistic("standard deviation"),
    "expect_column_min_to_be_between": _statistic("minimum"),
    "expect_column_max_to_be_between": _statistic("maximum"),
    "expect_column_sum_to_be_between": _statistic("sum"),
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_unique_value_count_to_be_between": _statistic("number of distinct values", _count),
    "expect_column_proportion_of_unique_values_to_be_between": _statistic("share of distinct values", _share),
    "expect_column_largest_class_share_to_be_between": _statistic("share of the most frequent value", _share),
    "expect_column_kl_divergence_to_be_less_than": lambda kwargs: (
        f"is distributed as given, with a divergence below {value(kwargs.get('threshold'))}"
    ),
    "expect_column_pair_values_to_be_equal": lambda _: "are equal",
    "expect_column_pair_values_a_to_be_greater_than_b": lambda kwargs: (
        f"are in order: the first is greater{' or equal' if kwargs.get('or_equal') else ''}"
    ),
    "expect_column_pair_values_to_be_in_set": lambda kwargs: f"form one of the pairs {_pairs(kwargs)}",
    "expect_multicolumn_sum_to_equal": lambda kwargs: (
        f"has {listed(list(kwargs.get('column_list', ())))} add up to {value(kwargs.get('sum_total'))}"
    ),
    "expect_multicolumn_values_to_be_equal": lambda _: "are equal",
    "expect_table_row_count_to_be_between": lambda kwargs: f"has {_range(kwargs, _count)} rows",
    "expect_table_row_count_to_equal": lambda kwargs: f"has exactly {_count(kwargs.get('value'))} rows",
    "expect_table_column_count_to_be_between": lambda kwargs: f"has {_range(kwargs, _count)} columns",
    "expect_table_column_count_to_equal": lambda kwargs: f"has exactly {_count(kwargs.get('value'))} columns",
    "expect_table_columns_to_match_set": lambda kwargs: (
        f"has {'' if kwargs.get('exact_match', True) else 'at least '}the columns {_set(kwargs, 'column_set')}"
    ),
    "expect_table_columns_to_match_ordered_list": lambda kwargs: (
        f"has the columns {_set(kwargs, 'column_list')}, in this order"
    ),
    "unexpected_rows_expectation": lambda kwargs: str(
        kwargs.get("description") or "has no row that its query looks for"
    ),
}
