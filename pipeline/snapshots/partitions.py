"""Columns that the folders of a snapshot say: `country=DE/` is one called country."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import unquote

_NULL = "__HIVE_DEFAULT_PARTITION__"


def partition_of(uri: str, location: str, dates: Collection[str] = ()) -> tuple[tuple[str, str | None], ...]:
    """Name and value of the columns that the folders of an object say, in order; None for no value.

    A folder that the location itself names is no column: all rows would have its value, and it often is the date.

    Args:
        uri: the object.
        location: what it was found by.
        dates: names of folders that say which night it is, and so are no columns either.
    """
    named = set(location.split("/"))
    folders = [part.partition("=") for part in uri.split("/")[:-1] if part not in named]
    said = {unquote(name): unquote(value) for name, equals, value in folders if equals and name}
    return tuple((name, None if value == _NULL else value) for name, value in said.items() if name not in dates)
