"""Values of rows that an expectation did not expect, in words: the same from both engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.wording import clip, value

ROWS_PER_EXAMPLE = 50
"""Unexpected rows that are looked through for values that differ, for each example that is wanted."""
_MAX_LENGTH = 80
_EXACT_WHOLE = 2**53


def shown(found: object, names: Mapping[str, str]) -> str:
    """A value, or the values of several columns, on one line: the same from both engines.

    Args:
        found: of one column, a tuple for a pair, or a mapping by column.
        names: what the columns of the mapping are called in the data, where it is otherwise.
    """
    if isinstance(found, Mapping):
        text = ", ".join(f"{names.get(name, name)} {_plain(item)}" for name, item in found.items())
    elif isinstance(found, tuple):
        text = " with ".join(map(_plain, found))
    else:
        text = _plain(found)
    return clip(text, _MAX_LENGTH)


def examples_of(found: Iterable[object], most: int, names: Mapping[str, str]) -> tuple[str, ...]:
    """As many different values as are wanted, in words; what is missing is no example."""
    return tuple(dict.fromkeys(shown(item, names) for item in found if not is_missing(item)))[:most]


def _plain(item: object) -> str:
    """A value on one line; a whole number that pandas made a float, because others are missing, is one again."""
    if is_missing(item):
        return "missing"
    if isinstance(item, float) and item.is_integer() and abs(item) < _EXACT_WHOLE:
        item = int(item)
    return " ".join(str(item).split()) if isinstance(item, str) else value(item)


def is_missing(value: object) -> bool:
    """None, NaN or NaT; of a list pandas says it item by item, so that it is none of them."""
    import pandas as pd

    told: object = pd.isna(value)  # type: ignore[call-overload]
    return told is True
