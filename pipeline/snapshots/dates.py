"""For which dates there is data behind an address with `{date}`."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from string import Formatter

from pipeline.errors import SnapshotMissing
from pipeline.snapshots.locations import list_objects

_DIGITS = {"Y": r"\d{4}", "m": r"\d{2}", "d": r"\d{2}"}


def newest_date(template: str, root: Path) -> date | None:
    """The latest date with data; None where the address has no date, or there is no data yet.

    Args:
        template: an address of a monitor file; `{date}` may have a format of `%Y`, `%m` and `%d`.
        root: where a relative path starts.

    Raises:
        SourceUnavailable: the storage did not answer, or refused.
    """
    parts = [(text, field, spec or "%Y-%m-%d") for text, field, spec, _ in Formatter().parse(template)]
    if not any(field for _, field, _ in parts):
        return None
    told: set[str] = set()
    pattern = re.compile("".join(re.escape(text) + _pattern(field, spec, told) for text, field, spec in parts))
    try:
        objects = list_objects(_with_wildcards(parts, root))
    except SnapshotMissing:
        return None
    found = (_date_in(pattern, item.uri) for item in objects)
    return max((day for day in found if day is not None), default=None)


def _with_wildcards(parts: list[tuple[str, str | None, str]], root: Path) -> str:
    location = "".join(text + ("*" if field else "") for text, field, _ in parts)
    if not location.startswith("s3://"):
        return str(root / location)
    return location + "*" if location.endswith("/") else location


def _pattern(field: str | None, spec: str, told: set[str]) -> str:
    """A date may be told in parts, and a part more than once."""
    pattern = ""
    for text in re.split("(%[A-Za-z])", spec) if field else ():
        letter = text[1:]
        if not text.startswith("%"):
            pattern += re.escape(text)
        elif letter not in _DIGITS:
            pattern += "[^/]*"
        else:
            pattern += f"(?P={letter})" if letter in told else f"(?P<{letter}>{_DIGITS[letter]})"
            told.add(letter)
    return pattern


def _date_in(pattern: re.Pattern[str], uri: str) -> date | None:
    match = pattern.search(uri)
    if match is None:
        return None
    try:
        return date(int(match["Y"]), int(match["m"]), int(match["d"]))
    except (IndexError, ValueError):
        return None
