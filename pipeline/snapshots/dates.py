"""Dates in addresses: for which there is data, and where an address could have `{date}`."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from string import Formatter

from pipeline.errors import SnapshotMissing
from pipeline.snapshots.locations import list_objects

_DIGITS = {"Y": r"\d{4}", "m": r"\d{2}", "d": r"\d{2}"}
_USUAL = ("%Y-%m-%d", "year=%Y/month=%m/day=%d", "%Y/%m/%d", "%Y%m%d")
_WILDCARD = r"(\*\*/|\*|\?|\[[^]/]+\])"
_COLUMN_FOLDER = re.compile(r"(?<=/)(?P<name>[^/=]+)=[^/]*(?=/)")
_ALONE = r"(?<![0-9A-Za-z]){}(?![0-9A-Za-z])"


def newest_date(template: str, root: Path) -> date | None:
    """The latest date with data; None where the address has no date, or there is no data yet.

    Arguments and errors are those of `dates_with_data`.
    """
    return max(dates_with_data(template, root), default=None)


def dates_with_data(template: str, root: Path) -> dict[date, int]:
    """Every date with data, and how many bytes; none where the address has no date, or there is no data yet.

    Args:
        template: an address of a monitor file, also a glob; `{date}` may have a format of `%Y`, `%m` and `%d`.
        root: where a relative path starts.

    Raises:
        SourceUnavailable: the storage did not answer, or refused.
    """
    parts = [(text, field, spec or "%Y-%m-%d") for text, field, spec, _ in Formatter().parse(template)]
    if not any(field for _, field, _ in parts):
        return {}
    told: set[str] = set()
    pattern = re.compile("".join(_literal(text) + _pattern(field, spec, told) for text, field, spec in parts))
    try:
        objects = list_objects(_with_wildcards(parts, root))
    except SnapshotMissing:
        return {}
    sizes: dict[date, int] = {}
    for item in objects:
        day = _date_in(pattern, item.uri)
        if day is not None:
            sizes[day] = sizes.get(day, 0) + item.size
    return sizes


def dated_address(location: str, root: Path) -> str | None:
    """The address with `{date}` of data that lies in a folder or file for each date; None where it does not.

    Args:
        location: an address without `{date}` or pattern: the folder above the dates, or that of one date.
        root: where a relative path starts.

    Raises:
        SourceUnavailable: the storage did not answer, or refused.
    """
    if any(character in location for character in "{}*?["):
        return None
    start = location if location.startswith("s3://") else str(root / location)
    try:
        below = [item.uri.removeprefix(start.rstrip("/")) for item in list_objects(start)]
    except SnapshotMissing:
        return None
    above, _, last = location.rstrip("/").rpartition("/")
    above += "/" if above or location.startswith("/") else ""
    found = [told for path in below if (told := _dated(last + path)) is not None]
    return above + max(found, key=lambda told: told[0])[1] if found else None


def _dated(path: str) -> tuple[date, str] | None:
    """The first date in a path, and the path with `{date}` in its place, down to the folder or files of that date."""
    for spec in _USUAL if not {"{", "}"} & set(path) else ():
        pattern = re.compile(_ALONE.format(_pattern("date", spec, set())))
        match, day = pattern.search(path), _date_in(pattern, path)
        if match is None or day is None:
            continue
        placeholder = "{date}" if spec == "%Y-%m-%d" else f"{{date:{spec}}}"
        rest, slash, _ = path[match.end() :].partition("/")
        ending = rest[rest.rindex(".") :] if "." in rest else ""
        if not slash and rest != ending:  # several files of one date
            rest = f"*{ending}"
        above = _COLUMN_FOLDER.sub(r"\g<name>=*", path[: match.start()])  # each country has its dates
        return day, above + placeholder + rest + slash
    return None


def _with_wildcards(parts: list[tuple[str, str | None, str]], root: Path) -> str:
    location = "".join(text + ("*" if field else "") for text, field, _ in parts)
    return location if location.startswith("s3://") else f"{root / location}{'/' if location.endswith('/') else ''}"


def _literal(text: str) -> str:
    """As it is, except for what a glob leaves open."""
    found = ""
    for part in re.split(_WILDCARD, text):
        if part == "**/":
            found += "(?:.*/)?"
        elif part in ("*", "?"):
            found += "[^/]*" if part == "*" else "[^/]"
        elif re.fullmatch(_WILDCARD, part):  # `[ab]`, which may also be just that name
            found += f"(?:{re.escape(part)}|[^/])"
        else:
            found += re.escape(part)
    return found


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
