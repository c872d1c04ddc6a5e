"""Values as SQL writes them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

_DIGITS = 38  # of DuckDB's largest decimals


def literal(found: object) -> str:
    """A text, number, truth, date or moment as a constant of its own type.

    Raises:
        TypeError: it is none of them.
    """
    if isinstance(found, str):
        return text_literal(found)
    if isinstance(found, bool):
        return "TRUE" if found else "FALSE"
    if isinstance(found, datetime):
        return f"TIMESTAMP '{found.isoformat(' ')}'"
    if isinstance(found, date):
        return f"DATE '{found.isoformat()}'"
    if isinstance(found, int | float | Decimal):
        return _number(found)
    raise TypeError(f"a {type(found).__name__} is nothing that SQL could compare")


def _number(found: float | Decimal) -> str:
    if isinstance(found, Decimal) and found.is_finite():
        places = max(0, -int(found.as_tuple().exponent))
        if places <= _DIGITS and abs(found) < Decimal(10) ** (_DIGITS - places):
            return f"'{found}'::DECIMAL({_DIGITS}, {places})"
    if isinstance(found, int) and abs(found) < 10**_DIGITS:
        return str(found)
    number = float(found)
    return f"'{number!r}'::DOUBLE"


def text_literal(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"
