"""What the columns of a snapshot hold, as far as their roles show in it: how many values differ, from where to where.

Counted by DuckDB on every row, with bounded memory; a column that it cannot read is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.check import Files, Limits
from pipeline.checks.quality.engines.sql import VIEW, setup_statements
from pipeline.checks.quality.validate import open_files
from pipeline.storage.scratch import temporary_folder

if TYPE_CHECKING:
    import duckdb

    from pipeline.checks.scan import Table

_COUNTED = ("integer", "float", "decimal", "text", "boolean")
_NUMBERS = ("integer", "float", "decimal")
_TIMES = ("date", "timestamp")


@dataclass(frozen=True)
class Seen:
    """One column of one snapshot.

    `values` are the rows that have one, `distinct` how many of these differ. `low` and `high` are of numbers, and of
    dates and moments in seconds since 1970; `mean` and `deviation` of numbers.
    """

    form: str
    rows: int
    values: int
    distinct: int
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    deviation: float | None = None
    whole: bool = False

    @property
    def unique(self) -> bool:
        """Whether every row has a value of its own."""
        return 0 < self.rows == self.values == self.distinct

    @property
    def moment(self) -> bool:
        """Whether it holds dates or moments."""
        return self.form in _TIMES


@dataclass(frozen=True)
class Night:
    """A production snapshot that is there already; `paths` are its files, while they are at hand.

    `columns` are all that it has, `seen` those that could be looked at.
    """

    day: date
    rows: int
    seen: Mapping[str, Seen]
    paths: tuple[Path, ...] = ()
    columns: tuple[str, ...] = ()


def observe(paths: Sequence[Path], limits: Limits) -> tuple[int, dict[str, Seen]]:
    """Rows of local parquet files, and their columns.

    Raises:
        SnapshotUnreadable: a file is damaged.
    """
    from pipeline.checks.scan import open_table

    table, files = open_table([str(path) for path in paths]), open_files(paths)
    found: dict[str, Seen] = {}
    if not files.rows:
        return 0, found
    with database(files, limits) as connection:
        for name, place in readable(table, files):
            seen = _seen(connection, f"c{place}", table.form_of(name) or "", files.rows)
            if seen is not None:
                found[name] = seen
    return files.rows, found


@contextmanager
def database(files: Files, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that reads these files; the column at place 3 is `c3`."""
    import duckdb

    with temporary_folder() as spill, duckdb.connect() as connection:
        for statement in setup_statements(files.paths, files.schema, spill, limits.budget_bytes, limits.threads):
            connection.execute(statement)
        yield connection


def readable(table: Table, files: Files, names: Iterable[str] | None = None) -> Iterator[tuple[str, int]]:
    """Columns that can be looked at, with their place."""
    for name in table.column_names if names is None else names:
        place = files.schema.get_field_index(name)
        if place >= 0 and table.problem_with(name) is None:
            yield name, place


def answer(connection: duckdb.DuckDBPyConnection, columns: str, rest: str = "") -> tuple[Any, ...] | None:
    """The one row of a query; None where the values do not suit it."""
    import duckdb

    try:
        return connection.execute(f"SELECT {columns} FROM {VIEW} {rest}").fetchone()  # noqa: S608 - names of ours
    except duckdb.Error:
        return None


def _seen(connection: duckdb.DuckDBPyConnection, column: str, form: str, rows: int) -> Seen | None:
    if form in _TIMES:
        seconds = f"epoch({column}::TIMESTAMP)"
        row = answer(connection, f"count({column}), count(DISTINCT {column}), min({seconds}), max({seconds})")
        return None if row is None else Seen(form, rows, row[0], row[1], _finite(row[2]), _finite(row[3]))
    if form not in _COUNTED:
        return None
    counts = answer(connection, f"count({column}), count(DISTINCT {column})")
    if counts is None or form not in _NUMBERS:
        return None if counts is None else Seen(form, rows, *counts)
    number = f"{column}::DOUBLE"
    finite, span = f"WHERE isfinite({number})", f"min({number}), max({number}), bool_and({number} = floor({number}))"
    row = answer(connection, f"{span}, avg({number}), stddev_pop({number})", finite)
    if row is None:  # too large for squares
        row = answer(connection, f"{span}, NULL, NULL", finite)
    low, high, whole, mean, deviation = row or (None, None, False, None, None)
    return Seen(
        form, rows, counts[0], counts[1], _finite(low), _finite(high), _finite(mean), _finite(deviation), bool(whole)
    )


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)


def by_day(paths: Sequence[Path], column: str, limits: Limits) -> tuple[Night, ...]:
    """Rows of local parquet files as if each day of a column of dates or moments were a night: counts and means alone.

    Raises:
        SnapshotUnreadable: a file is damaged.
    """
    from pipeline.checks.scan import open_table

    table, files = open_table([str(path) for path in paths]), open_files(paths)
    numbers = [(name, place) for name, place in readable(table, files) if table.form_of(name) in _NUMBERS]
    wanted = ["count(*)"] + [f"count(c{at}), avg(c{at}::DOUBLE)" for _, at in numbers]
    day = f"c{files.schema.get_field_index(column)}::DATE"
    query = f"SELECT {day}, {', '.join(wanted)} FROM {VIEW} WHERE {day} IS NOT NULL GROUP BY 1 ORDER BY 1"  # noqa: S608
    with database(files, limits) as connection:
        return tuple(_day(row, [name for name, _ in numbers]) for row in connection.execute(query).fetchall())


def _day(row: tuple[Any, ...], names: Sequence[str]) -> Night:
    day, rows, *found = row
    pairs = zip(names, found[::2], found[1::2], strict=True)
    return Night(day, rows, {name: Seen("float", rows, many, 0, mean=_finite(mean)) for name, many, mean in pairs})
