"""Entries of suites for the columns of a table: every expectation, with limits, sets and conditions near its values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from tests.fuzz.tables import COLUMNS, NUMBERS, TEXT, TIMES

Entry = tuple[str, dict[str, Any]]
IGNORED_PAIRS = ("both_values_are_missing", "either_value_is_missing", "neither")
IGNORED_ROWS = ("all_values_are_missing", "any_value_is_missing", "never")
PATTERNS = [r"^\d{5}$", "^[a-z]", "1", "", r"\.0$", "ü|'"]


def entries(random: Random, names: list[str], most: int = 10) -> list[Entry]:
    """Several entries, some of them alike but for an argument, about a third of them on some of the rows."""
    found: list[Entry] = []
    while len(found) < most:
        kind, kwargs = random.choice(_MAKERS)(random, names)
        if not kind:
            continue
        if random.random() < 0.35:
            kwargs["row_condition"] = condition(random, names)
        if "mostly" not in kwargs and kind.startswith(("expect_column_values", "expect_column_pair")):
            kwargs["mostly"] = random.choice([1.0, 0.5])
        found.append((kind, kwargs))
    return found


def value(random: Random, name: str) -> Any:
    """A value of a column as JSON has it: one that it may hold, or one beside it."""
    _, pool = COLUMNS[name]
    present = [item for item in pool if item is not None and item == item]
    if name in TIMES:
        return _moment(random, random.choice(present))
    if name in NUMBERS:
        found = random.choice(present)
        plain = float(found) if isinstance(found, Decimal) else found
        return random.choice([plain, plain, 0, 1, 1.5, 2, -1])
    return random.choice(present) if name in TEXT or name == "flag" else 1


def _moment(random: Random, found: date) -> str:
    if not isinstance(found, datetime):
        return random.choice([found.isoformat(), f"{found.isoformat()}T12:00:00"])
    plain = found.replace(tzinfo=None)
    return random.choice([plain.isoformat(), f"{plain.isoformat()}Z", f"{plain.isoformat()}+00:00", str(plain.date())])


def _bounds(random: Random, name: str) -> dict[str, Any]:
    low, high = value(random, name), value(random, name)
    kwargs: dict[str, Any] = {"min_value": low} if random.random() < 0.7 else {}
    if not kwargs or random.random() < 0.7:
        kwargs["max_value"] = high
    for key in ("strict_min", "strict_max"):
        if random.random() < 0.3:
            kwargs[key] = True
    return kwargs


def _of(names: list[str], among: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in among]


def _presence(random: Random, names: list[str]) -> Entry:
    name = random.choice(names)
    kind = random.choice(["not_be_null", "be_null"])
    return f"expect_column_values_to_{kind}", {"column": name, "mostly": random.choice([1.0, 0.5, 0.9])}


def _share(random: Random, names: list[str]) -> Entry:
    kind = random.choice(["proportion_of_non_null_values", "proportion_of_unique_values", "unique_value_count"])
    found = {"column": random.choice(names), "min_value": random.choice([0, 0.5, 1, 2])}
    return f"expect_column_{kind}_to_be_between", found


def _ordered(random: Random, names: list[str]) -> Entry:
    usable = _of(names, (*NUMBERS, *TIMES))
    if not usable:
        return "", {}
    name = random.choice(usable)
    kind = random.choice(["values", "values", "max", "min"])
    return f"expect_column_{kind}_to_be_between", {"column": name, **_bounds(random, name)}


def _computed(random: Random, names: list[str]) -> Entry:
    usable = _of(names, NUMBERS)
    if not usable:
        return "", {}
    kind = random.choice(["mean", "median", "stdev", "sum"])
    limits = {"min_value": random.choice([0, 0.5, -3]), "max_value": random.choice([1, 5, 1e6])}
    return f"expect_column_{kind}_to_be_between", {"column": random.choice(usable), **limits}


def _quantiles(random: Random, names: list[str]) -> Entry:
    usable = _of(names, NUMBERS)
    if not usable:
        return "", {}
    name = random.choice(usable)
    parts = sorted(random.sample([0.0, 0.05, 0.25, 0.5, 0.9, 1.0], random.randint(1, 2)))
    ranges = [[random.choice([None, 0, -5]), random.choice([None, 2, 1e6])] for _ in parts]
    return (
        "expect_column_quantile_values_to_be_between",
        {"column": name, "quantile_ranges": {"quantiles": parts, "value_ranges": ranges}},
    )


def _members(random: Random, names: list[str]) -> Entry:
    usable = _of(names, (*NUMBERS, *TEXT, *TIMES, "flag"))
    if not usable:
        return "", {}
    name = random.choice(usable)
    kind = random.choice([
        "values_to_be_in_set", "values_to_not_be_in_set", "distinct_values_to_be_in_set",
        "distinct_values_to_equal_set", "distinct_values_to_contain_set", "most_common_value_to_be_in_set",
    ])  # fmt: skip
    members = [value(random, name) for _ in range(random.randint(1, 4))]
    if random.random() < 0.1 and name not in TIMES:
        members.append(random.choice(["x", 5]))
    return f"expect_column_{kind}", {"column": name, "value_set": members}


def _unique(random: Random, names: list[str]) -> Entry:
    usable = [name for name in names if name not in ("list", "struct")]
    return ("expect_column_values_to_be_unique", {"column": random.choice(usable)}) if usable else ("", {})


def _lengths(random: Random, names: list[str]) -> Entry:
    usable = _of(names, (*TEXT, "i64", "big"))
    if not usable:
        return "", {}
    name = random.choice(usable)
    if random.random() < 0.5:
        return "expect_column_value_lengths_to_equal", {"column": name, "value": random.choice([0, 1, 2, 5])}
    return "expect_column_value_lengths_to_be_between", {"column": name, "min_value": 1, "max_value": 2}


def _patterns(random: Random, names: list[str]) -> Entry:
    usable = _of(names, (*TEXT, "i64", "big", "code"))
    if not usable:
        return "", {}
    kind = random.choice(["match", "not_match"])
    return (
        f"expect_column_values_to_{kind}_regex",
        {"column": random.choice(usable), "regex": random.choice(PATTERNS)},
    )


def _pairs(random: Random, names: list[str]) -> Entry:
    kin = [name for among in (NUMBERS, TEXT) if len(_of(names, among)) > 1 for name in _of(names, among)]
    if not kin:
        return "", {}
    first = random.choice(kin)
    second = random.choice([name for name in kin if (name in TEXT) == (first in TEXT)])
    columns = {"column_A": first, "column_B": second, "ignore_row_if": random.choice(IGNORED_PAIRS)}
    kind = random.choice(["equal", "greater", "set"])
    if kind == "set" or first == second:
        pairs = [[value(random, first), value(random, second)] for _ in range(random.randint(1, 3))]
        return "expect_column_pair_values_to_be_in_set", {**columns, "value_pairs_set": pairs}
    if kind == "equal" or first in TEXT:
        return "expect_column_pair_values_to_be_equal", columns
    return "expect_column_pair_values_a_to_be_greater_than_b", {**columns, "or_equal": random.choice([True, False])}


def _several(random: Random, names: list[str]) -> Entry:
    usable = _of(names, (*NUMBERS, *TEXT, *TIMES, "flag"))
    if len(usable) < 2:
        return "", {}
    columns = random.sample(usable, random.randint(2, min(3, len(usable))))
    kwargs: dict[str, Any] = {"column_list": columns, "ignore_row_if": random.choice(IGNORED_ROWS)}
    numeric = all(name in NUMBERS for name in columns)
    kind = random.choice(["compound", "record", *(["sum", "equal"] if numeric else [])])
    if kind == "sum":
        return "expect_multicolumn_sum_to_equal", {**kwargs, "sum_total": random.choice([0, 1, 2, 3, 3.5])}
    if kind == "equal":
        return "expect_multicolumn_values_to_be_equal", kwargs
    if kind == "record":
        alike = [name for name in columns if (name in NUMBERS) == (columns[0] in NUMBERS) and name not in TIMES]
        if len(alike) < 2 or "flag" in alike:
            return "", {}
        return "expect_select_column_values_to_be_unique_within_record", {**kwargs, "column_list": alike}
    return "expect_compound_columns_to_be_unique", kwargs


def _scores(random: Random, names: list[str]) -> Entry:
    usable = _of(names, ("f64", "f32", "i8", "i64", "u8"))
    if not usable:
        return "", {}
    return (
        "expect_column_value_z_scores_to_be_less_than",
        {
            "column": random.choice(usable),
            "threshold": random.choice([0.5, 1, 2]),
            "double_sided": random.random() < 0.5,
        },
    )


def _rows(random: Random, names: list[str]) -> Entry:
    if random.random() < 0.5:
        return "expect_table_row_count_to_equal", {"value": random.choice([0, 1, 2, 3, 5])}
    return "expect_table_row_count_to_be_between", {"min_value": random.choice([1, 3, 6])}


_MAKERS: tuple[Callable[[Random, list[str]], Entry], ...] = (
    _presence, _share, _ordered, _ordered, _computed, _quantiles, _members, _members, _unique, _lengths, _patterns,
    _pairs, _pairs, _several, _several, _scores, _rows,
)  # fmt: skip


def condition(random: Random, names: list[str], depth: int = 0) -> Any:
    """A condition as Great Expectations takes it: alternatives of conditions that hold together."""
    if depth == 0 and random.random() < 0.25:
        return {"type": "or", "conditions": [condition(random, names, 1) for _ in range(2)]}
    if depth < 2 and random.random() < 0.25:
        return {"type": "and", "conditions": [condition(random, names, 2) for _ in range(2)]}
    usable = _of(names, (*NUMBERS, *TEXT, *TIMES))
    name = random.choice(names)
    if not usable or random.random() < 0.3:
        return {"type": "nullity", "column": {"name": name}, "is_null": random.random() < 0.5}
    name = random.choice(usable)
    operators = ["==", "!=", *([] if name in TEXT else ["<", "<=", ">", ">="])]
    operator = random.choice([*operators, *([] if name in TIMES else ["IN", "NOT_IN"])])
    parameter: Any = value(random, name)
    if operator in ("IN", "NOT_IN"):
        parameter = [value(random, name) for _ in range(random.randint(1, 3))]
    return {"type": "comparison", "column": {"name": name}, "operator": operator, "parameter": parameter}
