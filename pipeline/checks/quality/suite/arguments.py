"""Arguments as the type of a column reads them: limits and sets become values of that type, exactly, or an error.

JSON has one kind of number and no dates. Whole numbers stay whole at any size, a limit on decimals is the decimal that
is written, one on a 32-bit float is the 32-bit float nearest to it, as in pandas. Dates and moments are ISO 8601; a
date stands for its midnight, a moment without a zone is UTC, as moments in a snapshot are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.checks.quality.check import Check
from pipeline.wording import value

if TYPE_CHECKING:
    import pyarrow as pa

ORDERED = frozenset({
    "expect_column_max_to_be_between",
    "expect_column_min_to_be_between",
    "expect_column_quantile_values_to_be_between",
    "expect_column_values_to_be_between",
})  # fmt: skip
"""Expectations whose limits are values of the column; those of others are counts, shares and lengths."""

_WORDS = {"number": "numbers", "text": "text", "boolean": "true and false", "date": "dates", "timestamp": "moments"}


class Unsuitable(ValueError):
    """An argument that does not suit its column, with the reason in words that quote no row."""


def family_of_type(arrow_type: pa.DataType) -> str | None:
    """What kind of value a type holds: number, text, boolean, date, timestamp, null; None for others."""
    from pipeline.checks.scan import FAMILIES
    from pipeline.checks.scan.types import form_of

    return FAMILIES.get(form_of(arrow_type) or "")


def suited(check: Check, schema: pa.Schema | None) -> Check:
    """The check with its limits and sets as values of its column's type.

    Args:
        check: its column is in the schema.
        schema: None where the data is not known: then only what is wrong for any column is found.

    Raises:
        Unsuitable: a limit is of another kind than the column, no ISO date, or the smallest is above the largest.
    """
    name = check.kwargs.get("column")
    column_type = schema.field(name).type if schema is not None and isinstance(name, str) else None
    limit_of = _counted
    if check.type in ORDERED:
        limit_of = _any_value if column_type is None else partial(_value_of, column_type)
    kwargs = dict(check.kwargs)
    _bounds(kwargs, limit_of, is_date=column_type is not None and family_of_type(column_type) == "date")
    ranges = kwargs.get("quantile_ranges")
    if isinstance(ranges, Mapping) and check.type in ORDERED:
        kwargs["quantile_ranges"] = {**ranges, "value_ranges": [_range(pair, limit_of) for pair in _pairs(ranges)]}
    for key in ("value_set", "value_pairs_set"):
        if isinstance(kwargs.get(key), Mapping):  # which the library would take for a parameter
            raise Unsuitable(f"{key} must be a list")
    if column_type is not None and isinstance(kwargs.get("value_set"), list | tuple | set):
        kwargs["value_set"] = _distinct(member_of(item, column_type) for item in kwargs["value_set"])
    if schema is not None and isinstance(kwargs.get("value_pairs_set"), list | tuple):
        kwargs["value_pairs_set"] = [_pair(pair, check, schema) for pair in kwargs["value_pairs_set"]]
    if schema is not None and "sum_total" in kwargs:
        kwargs["sum_total"] = _total(kwargs["sum_total"], [schema.field(name).type for name in check.columns])
    return replace(check, kwargs=kwargs)


_Limit = Callable[[str, object], Any]


def _bounds(kwargs: dict[str, Any], limit_of: _Limit, *, is_date: bool) -> None:
    for key, strict in (("min_value", "strict_min"), ("max_value", "strict_max")):
        if kwargs.get(key) is None:
            continue
        bound = limit_of(key, kwargs[key])
        if is_date and isinstance(bound, datetime):
            # No date lies within a day: after noon of the 1st begins with the 2nd, up to noon ends with the 1st.
            if bound.time() != time():
                kwargs[strict] = key == "min_value"
            bound = bound.date()
        kwargs[key] = bound
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is not None and high is not None and _above(low, high):
        raise Unsuitable(f"min_value {value(low)} is above max_value {value(high)}")


def _pairs(ranges: Mapping[str, Any]) -> Iterable[Any]:
    parts, found = ranges.get("quantiles"), ranges.get("value_ranges")
    if not isinstance(parts, list | tuple) or not isinstance(found, list | tuple) or len(parts) != len(found):
        raise Unsuitable("quantile_ranges needs 'quantiles' and 'value_ranges', lists of the same length")
    if not all(isinstance(part, int | float) and 0 <= part <= 1 for part in parts):
        raise Unsuitable("quantiles lie between 0 and 1")
    return found


def _range(pair: object, limit_of: _Limit) -> list[Any]:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise Unsuitable("each of value_ranges must be a pair: [smallest, largest], null for none")
    limits: dict[str, Any] = {"min_value": pair[0], "max_value": pair[1]}
    _bounds(limits, limit_of, is_date=False)
    return [limits["min_value"], limits["max_value"]]


def _above(low: Any, high: Any) -> bool:
    try:
        return bool(low > high)
    except TypeError as error:
        raise Unsuitable("min_value and max_value are of different kinds") from error


def _counted(key: str, found: object) -> Any:
    """A limit for a count, a share, a length or something computed."""
    number = _plain_number(found)
    if number is None:
        if isinstance(found, str | date):
            return moment_of(found, key)
        raise Unsuitable(f"{key} is {value(found)}; allowed: a number")
    return number


def _any_value(key: str, found: object) -> Any:
    """A limit for values of a column that is not known: a number, a date or a moment."""
    return _counted(key, found)


def _value_of(arrow_type: pa.DataType, key: str, found: object) -> Any:
    """A limit as a value of its column."""
    family = family_of_type(arrow_type)
    if family in ("date", "timestamp"):
        return moment_of(found, key)
    if family == "text":
        raise Unsuitable(f"{key} is a limit for numbers, dates and moments, but the column holds text ({arrow_type})")
    if family == "null":
        return _counted(key, found)
    number = _plain_number(found)
    if number is None:
        raise Unsuitable(
            f"{key} is no number, but the column holds {_WORDS.get(family or '', 'values')} ({arrow_type})"
        )
    return number_of(number, arrow_type)


def _plain_number(found: object) -> int | float | Decimal | None:
    if isinstance(found, str):
        try:
            return int(found) if found.strip().lstrip("+-").isdigit() else number_written(found)
        except ValueError:
            return None
    if isinstance(found, float) and math.isnan(found):
        return None
    return found if isinstance(found, int | float | Decimal) else None


def number_written(text: str) -> float | Decimal:
    """A number with places: a float where that is the number, else the decimal that is written.

    Raises:
        ValueError: it is no number.
    """
    number = float(text)
    return Decimal(text) if math.isfinite(number) and Decimal(repr(number)) != Decimal(text) else number


def _exact(text: str) -> float | Decimal:
    """A number that is written as text keeps all its digits, for a column of decimals."""
    number = Decimal(text)
    return number if number.is_finite() else float(text)


def number_of(found: float | Decimal, arrow_type: pa.DataType) -> Any:
    """A number as the type of a column holds it, without a loss that the type does not ask for."""
    import pyarrow as pa

    from pipeline.checks.scan.types import plain_type

    plain = plain_type(arrow_type)
    if isinstance(found, bool) or (isinstance(found, float) and not math.isfinite(found)):
        return found
    if pa.types.is_decimal(plain):
        return Decimal(str(found))
    if pa.types.is_integer(plain):
        # Beside a float, SQL would compare whole numbers as floats.
        return int(found) if found == int(found) else Decimal(str(found))
    if pa.types.is_float32(plain) or pa.types.is_float16(plain):
        with np.errstate(over="ignore"):
            narrow = np.float32 if pa.types.is_float32(plain) else np.float16
            return float(narrow(float(found)))
    return float(found) if isinstance(found, Decimal) else found


def moment_of(found: object, key: str = "the value") -> datetime:
    """A date or moment that a suite writes, in UTC without saying so.

    Raises:
        Unsuitable: it is not ISO 8601.
    """
    if isinstance(found, date) and not isinstance(found, datetime):
        return datetime.combine(found, time())
    try:
        moment = found if isinstance(found, datetime) else datetime.fromisoformat(found.strip())  # type: ignore[attr-defined]
    except (AttributeError, ValueError) as error:
        words = f"{key} is {value(found)!r}; dates and moments are ISO 8601"
        raise Unsuitable(f"{words}, such as 2026-02-01 or 2026-02-01T07:00:00Z") from error
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def member_of(found: Any, arrow_type: pa.DataType) -> Any:
    """A value of a set, as a column of that type holds it; what it cannot hold stays as it is.

    Raises:
        Unsuitable: the column holds dates or moments, and it is none that is ISO 8601.
    """
    family = family_of_type(arrow_type)
    if family in ("date", "timestamp") and isinstance(found, str | date):
        moment = moment_of(found, "a value of the set")
        return moment.date() if family == "date" and moment.time() == time() else moment
    if family == "number" and isinstance(found, int | float | Decimal) and not isinstance(found, bool):
        return number_of(found, arrow_type)
    return found


def _distinct(members: Iterable[Any]) -> list[Any]:
    """Each once: SQL counts how many of them a column has."""
    kept: dict[tuple[bool, Any], Any] = {}
    for member in members:
        key = repr(member) if isinstance(member, list | dict) else member
        kept.setdefault((isinstance(member, bool), key), member)
    return list(kept.values())


def _pair(pair: Any, check: Check, schema: pa.Schema) -> Any:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise Unsuitable("each of value_pairs_set must be a pair of values")
    names = check.kwargs["column_A"], check.kwargs["column_B"]
    return tuple(member_of(item, schema.field(name).type) for item, name in zip(pair, names, strict=True))


def _total(found: object, types: Sequence[pa.DataType]) -> Any:
    """Of whole numbers whole, of whole numbers and decimals the decimal that is written, else a float."""
    import pyarrow as pa

    from pipeline.checks.scan.types import plain_type

    number = _plain_number(found)
    if number is None:
        raise Unsuitable(f"sum_total is {value(found)}; allowed: a number")
    plain = [plain_type(arrow_type) for arrow_type in types]
    if all(map(pa.types.is_integer, plain)):
        return number_of(number, pa.int64())
    exact = all(pa.types.is_integer(item) or pa.types.is_decimal(item) for item in plain)
    return (
        Decimal(str(number)) if exact and isinstance(number, int | float) and math.isfinite(number) else float(number)
    )
