"""What long texts look like: how many differ, how long they are, and whether all follow one clear pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.check import Files, Limits
from pipeline.checks.quality.engines.literals import text_literal
from pipeline.checks.quality.engines.sql import VIEW, setup_statements
from pipeline.storage.scratch import temporary_folder

if TYPE_CHECKING:
    import duckdb

_HEX = "[0-9a-f]"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_KNOWN = (
    ("a UUID", f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"),
    ("a date such as 2026-01-14", _DAY),
    ("a moment in ISO 8601", f"{_DAY}[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]+)?)?(Z|[+-][0-9:]+)?"),
    ("a mail address", "[^@\\s]+@[^@\\s]+[.][^@\\s]+"),
    ("a web address", "https?://\\S+"),
)
_MAX_START = 12
_CLASSES = (("digits", "[0-9]"), ("hexadecimal digits", _HEX), ("capital letters and digits", "[0-9A-Z]"))


@dataclass(frozen=True)
class Texts:
    """The values of one column. `pattern` is a regular expression that all of them match, `words` says it to people."""

    values: int
    distinct: int
    pattern: str | None = None
    words: str | None = None


def describe_texts(files: Files, columns: Sequence[str], limits: Limits) -> dict[str, Texts]:
    """Each column of text or whole numbers; patterns for text only. Columns without values are left out."""
    import duckdb

    found: dict[str, Texts] = {}
    with temporary_folder() as spill, duckdb.connect() as connection:
        for statement in setup_statements(files.paths, files.schema, spill, limits.budget_bytes, limits.threads):
            connection.execute(statement)
        for name in columns:
            texts = _describe(connection, f"c{files.schema.get_field_index(name)}")
            if texts is not None:
                found[name] = texts
    return found


def _describe(connection: duckdb.DuckDBPyConnection, column: str) -> Texts | None:
    text = f"{column}::VARCHAR"
    counts = f"count({column}), count(DISTINCT {column})"
    extremes = f"min(length({text})), max(length({text})), min({text}), max({text})"
    values, distinct, shortest, longest, first, last = _row(connection, f"{counts}, {extremes}")
    if not values:
        return None
    for words, pattern in _candidates(_shared_start(first, last), shortest, longest):
        (matching,) = _row(connection, f"count(*) FILTER (WHERE regexp_full_match({text}, {text_literal(pattern)}))")
        if matching == values:
            return Texts(values, distinct, f"^{pattern}$", words)
    return Texts(values, distinct)


def _row(connection: duckdb.DuckDBPyConnection, columns: str) -> tuple[Any, ...]:
    row = connection.execute(f"SELECT {columns} FROM {VIEW}").fetchone()  # noqa: S608 - our own names and literals
    assert row is not None  # noqa: S101 - an aggregate has one row
    return row


def _shared_start(first: str, last: str) -> str:
    """What the first and the last value in order begin with, and so all between; digits at its end may count up."""
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return re.sub("[0-9]+$", "", first[:same])


def _candidates(start: str, shortest: int, longest: int) -> Iterator[tuple[str, str]]:
    """Well-known patterns first, then the shared start followed by characters of one class."""
    yield from _KNOWN
    if len(start) > _MAX_START or re.search(r"\s", start) or shortest <= len(start):
        return
    before = f"{start} and " if start else ""
    for name, characters in _CLASSES:
        if shortest == longest:
            size = longest - len(start)
            yield f"{before}{size} {name}", f"{re.escape(start)}{characters}{{{size}}}"
        elif name == "digits":
            yield f"{before}digits", f"{re.escape(start)}{characters}+"
