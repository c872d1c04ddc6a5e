"""Numbers and lists as people write them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

_MAX_LISTED = 8


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def share(fraction: float) -> str:
    """A fraction in [0, 1] as percent, with as many digits as tell it from 0% and 100%."""
    percent = fraction * 100
    if 0 < percent < 0.05:
        return f"{percent:.2g}%"
    if 99.95 < percent < 100:
        return f"{math.floor(percent * 1_000) / 1_000:g}%"
    return f"{percent:.1f}".removesuffix(".0") + "%"


def quantile(part: float) -> str:
    """`median`, `95% quantile`."""
    return "median" if part == 0.5 else f"{share(part)} quantile"


def listed(items: Sequence[object], most: int = _MAX_LISTED) -> str:
    """The first items and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(map(str, items[:most])) + more


def measured(value: object) -> str | None:
    """A number or a moment as text; None for NaN and anything else, which may be a value of a row."""
    if isinstance(value, date):  # datetime is one too
        return value.isoformat()
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return f"{value:,}"
    try:
        number = float(value)  # type: ignore[arg-type]  # numpy, Decimal
    except (TypeError, ValueError):
        return None
    if math.isnan(number):
        return None
    return f"{int(number):,}" if number.is_integer() and abs(number) < 1e15 else f"{number:.6g}"
