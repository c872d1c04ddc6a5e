"""Parquet files as a DuckDB of their own, that can read nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import numpy.typing as npt

from pipeline.checks.quality.engines import sql
from pipeline.checks.quality.engines.filters import where
from pipeline.checks.quality.engines.sql import MOST_HELD_BYTES, NAMED_VIEW, VIEW, can_be_named, named_columns
from pipeline.checks.quality.suite.arguments import Unsuitable
from pipeline.storage.scratch import temporary_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.checks.quality.check import Files, Limits
    from pipeline.checks.quality.conditions import Condition


@dataclass(frozen=True)
class Database:
    """Parquet files as two views.

    `VIEW` calls its columns c0, c1, ...: no name in the data can break a query, or differ from another in case only.
    `NAMED_VIEW` has the names of the files, for SQL that a person wrote; only where `named`. With `held`, the rows are
    in memory.
    """

    connection: duckdb.DuckDBPyConnection
    schema: pa.Schema
    rows: int
    aliases: Mapping[str, str]
    named: bool
    held: bool

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement; its rows, where it has any.

        Raises:
            duckdb.Error: it failed.
        """
        return self.connection.execute(statement).fetchall()

    def filtered(self, condition: Condition, *, by_name: bool = False) -> str:
        """A view of the rows that meet a condition; `by_name` of `NAMED_VIEW`.

        Raises:
            Unsuitable: the condition does not suit the columns.
        """
        clause = where(condition, self.schema, named_columns(self.schema) if by_name else self.aliases)
        view = f"{'named' if by_name else 'some'}_rows_{secrets.token_hex(4)}"
        with _words_for_conditions():
            self.execute(f"CREATE VIEW {view} AS SELECT * FROM {NAMED_VIEW if by_name else VIEW} WHERE {clause}")  # noqa: S608 - ours
        return view

    def mask(self, condition: Condition) -> npt.NDArray[np.bool_]:
        """Of each row, in the order of the files, whether it meets a condition.

        Raises:
            Unsuitable: the condition does not suit the columns.
        """
        clause = where(condition, self.schema, self.aliases)
        with _words_for_conditions():
            found = self.connection.execute(f"SELECT {clause} AS chosen FROM {VIEW}").fetchnumpy()  # noqa: S608 - ours
        return np.asarray(found["chosen"], dtype=bool)

    @contextmanager
    def narrowed(self, view: str, columns: Sequence[str]) -> Iterator[str]:
        """Some columns of a view, until the context ends: each query of a table looks up every column of it."""
        narrow, kind = f"few_columns_{secrets.token_hex(4)}", "TABLE" if self.held else "VIEW"
        listed = ", ".join(self.aliases[name] for name in columns)
        self.execute(f"CREATE {kind} {narrow} AS SELECT {listed} FROM {view}")  # noqa: S608 - ours
        try:
            yield narrow
        finally:
            self.execute(f"DROP {kind} {narrow}")


@contextmanager
def _words_for_conditions() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        kind = type(error).__name__
        raise Unsuitable(f"row_condition cannot be evaluated on these columns ({kind})") from error


@contextmanager
def open_database(files: Files, limits: Limits) -> Iterator[Database]:
    """The files as a database, until the context ends.

    Args:
        files: the snapshot.
        limits: memory for DuckDB, which goes to disk rather than beyond it, and cores.

    Raises:
        duckdb.Error: a file cannot be read.
    """
    paths, schema = files.paths, files.schema
    with temporary_folder() as spill, duckdb.connect() as connection:
        aliases = {field.name: f"c{place}" for place, field in enumerate(schema)}
        held = sql.is_worth_holding(paths, schema)
        _run(connection, sql.settings(spill, limits.budget_bytes, limits.threads))
        try:
            _run(connection, sql.views(paths, schema, spill, held=held))
        except (duckdb.Error, _TakesTooMuch):
            if not held:
                raise
            held = False
            connection.execute(f"DROP TABLE IF EXISTS {VIEW}")
            _run(connection, sql.views(paths, schema, spill))
        _run(connection, sql.locks(paths, spill))
        yield Database(connection, schema, files.rows, aliases, can_be_named(schema), held)


class _TakesTooMuch(Exception):
    """The rows that are held leave too little memory for queries: a short file may repeat a long text."""


def _run(connection: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement)
        if statement.startswith("CREATE TABLE"):
            sizes = "sum(memory_usage_bytes + temporary_storage_bytes)"
            (row,) = connection.execute(f"SELECT {sizes} FROM duckdb_memory()").fetchall()  # noqa: S608 - ours
            if row[0] > MOST_HELD_BYTES:
                raise _TakesTooMuch
