"""Great Expectations pushed down to DuckDB: expectations become SQL over the parquet files, no row becomes Python.

Great Expectations finds a data source class by its `type` literal and its metrics by the class name of the execution
engine, so the engine's subclass keeps its parent's name. Importing this module registers the data source, once per
process; it costs as much as importing Great Expectations.
"""

from __future__ import annotations

import atexit
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine as _SqlEngine

from pipeline.checks.quality.engines import sql
from pipeline.checks.quality.engines.filters import where
from pipeline.checks.quality.engines.own_metrics import UNKNOWN_FAILS
from pipeline.checks.quality.engines.sql import MOST_HELD_BYTES, NAMED_VIEW, VIEW, can_be_named, named_columns
from pipeline.checks.quality.suite.arguments import Unsuitable
from pipeline.storage.scratch import temporary_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.checks.quality.conditions import Condition


class SqlAlchemyExecutionEngine(_SqlEngine):  # type: ignore[misc]
    """Keeps one connection open, because DuckDB's results die with theirs, and usable after a query failed.

    What SQL leaves open about a row because a value is missing, it decides as pandas does.
    """

    _connection: sa.Connection | None

    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        """The one connection; rolled back when a query fails, or every later one would fail with it."""
        if self._connection is None:
            self._connection = self.engine.connect()
        try:
            yield self._connection
        except Exception:
            self._connection.rollback()
            raise

    def _process_direct_and_bundled_metric_computation_configurations(
        self, metric_fn_direct_configurations: Any, metric_fn_bundle_configurations: Any
    ) -> Any:
        """A row whose condition is unknown counts as unexpected: the library counts only those where it is true.

        For values of which none is wanted it would ask with a query for each check.
        """
        direct = [item for item in metric_fn_direct_configurations if not _wants_no_values(item.metric_configuration)]
        none = [item for item in metric_fn_direct_configurations if _wants_no_values(item.metric_configuration)]
        found = super()._process_direct_and_bundled_metric_computation_configurations(
            direct, metric_fn_bundle_configurations
        )
        found |= {item.metric_configuration.id: [] for item in none}
        for key, metric in found.items():
            if key.metric_name.startswith(UNKNOWN_FAILS) and key.metric_name.endswith(".condition"):
                unexpected, *domains = metric
                found[key] = (sa.func.coalesce(unexpected, sa.true()), *domains)
        return found

    def close(self) -> None:
        """Close the connection, then the database, which lives in memory."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        super().close()
        _forget(type(self.engine.dialect))


def _wants_no_values(metric: Any) -> bool:
    shape = metric.metric_value_kwargs.get("result_format")
    wanted = shape.get("partial_unexpected_count") if isinstance(shape, Mapping) else None
    return wanted == 0 and metric.metric_name.endswith(".unexpected_values")


class DuckDBDatasource(SQLDatasource):  # type: ignore[misc]
    """`context.data_sources.add_duckdb(name, connection_string="duckdb:///:memory:<a name of its own>")`."""

    type: Literal["duckdb"] = "duckdb"
    _execution_engine: Any

    @property
    def execution_engine_type(self) -> Any:
        """Which engine evaluates expectations."""
        return SqlAlchemyExecutionEngine

    def get_execution_engine(self) -> Any:
        """One engine on the data source's own database: two would not see the same memory."""
        engine: Any = self._execution_engine
        if engine is None:
            engine = SqlAlchemyExecutionEngine(engine=self.get_engine(), create_temp_table=False)
            engine.engine.dialect.supports_native_decimal = True  # else limits on decimals become floats
            self._execution_engine = engine
        return engine


def _forget(dialect: type[sa.Dialect]) -> None:
    """SQLAlchemy caches queries by dialect for as long as the process lives, and a dialect knows DuckDB's types."""
    for base in dialect.__mro__:
        for member in vars(base).values():
            clear = getattr(member, "cache_clear", None)
            if callable(clear):
                clear()


def _let_go_of_duckdb() -> None:
    """DuckDB's bindings print a page to stderr at exit while anything refers to them, and Great Expectations keeps
    SQLAlchemy alive, which keeps the dialect's module.
    """
    for name in [name for name in sys.modules if name.split(".")[0] == "duckdb_engine"]:
        vars(sys.modules[name]).clear()


atexit.register(_let_go_of_duckdb)


@dataclass(frozen=True)
class Database:
    """Parquet files as two views in a DuckDB of their own.

    `VIEW` calls its columns c0, c1, ...: no name in the data can break a query, or differ from another in case only.
    `NAMED_VIEW` has the names of the files, for SQL that a person wrote; only where `named`.
    """

    datasource: DuckDBDatasource
    schema: pa.Schema
    aliases: Mapping[str, str]
    named: bool
    held: bool

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement; its rows, where it has any."""
        with self.datasource.get_execution_engine().get_connection() as connection:
            result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result.fetchall()]

    def filtered(self, condition: Condition, *, by_name: bool = False) -> str:
        """A view of the rows that meet a condition; `by_name` of `NAMED_VIEW`.

        Raises:
            Unsuitable: the condition does not suit the columns.
        """
        names = named_columns(self.schema) if by_name else self.aliases
        clause = where(condition, self.schema, names)
        view = f"{'named' if by_name else 'some'}_rows_{secrets.token_hex(4)}"
        source = NAMED_VIEW if by_name else VIEW
        with self._connected() as connection:
            _commit(connection, f"CREATE VIEW {view} AS SELECT * FROM {source} WHERE {clause}")  # noqa: S608 - ours
        return view

    def mask(self, condition: Condition) -> npt.NDArray[np.bool_]:
        """Of each row, in the order of the files, whether it meets a condition.

        Raises:
            Unsuitable: the condition does not suit the columns.
        """
        clause = where(condition, self.schema, self.aliases)
        with self._connected() as connection:
            raw = connection.connection.driver_connection
            result = raw.execute(f"SELECT {clause} AS chosen FROM {VIEW}")  # noqa: S608 - ours
            return np.asarray(result.fetchnumpy()["chosen"], dtype=bool)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        try:
            with self.datasource.get_execution_engine().get_connection() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, duckdb.Error) as error:
            kind = type(getattr(error, "orig", error)).__name__
            raise Unsuitable(f"row_condition cannot be evaluated on these columns ({kind})") from error

    @contextmanager
    def narrowed(self, view: str, columns: Sequence[str]) -> Iterator[str]:
        """Some columns of a view, until the context ends: each query of a table looks up every column of it."""
        narrow, kind = f"few_columns_{secrets.token_hex(4)}", "TABLE" if self.held else "VIEW"
        listed = ", ".join(self.aliases[name] for name in columns)
        engine = self.datasource.get_execution_engine()
        with engine.get_connection() as connection:
            _commit(connection, f"CREATE {kind} {narrow} AS SELECT {listed} FROM {view}")  # noqa: S608 - ours
        try:
            yield narrow
        finally:
            with engine.get_connection() as connection:
                _commit(connection, f"DROP {kind} {narrow}")

    def batch(self, view: str) -> Any:
        """A view as a Great Expectations batch."""
        asset = self.datasource.add_table_asset(view, table_name=view)
        return asset.add_batch_definition_whole_table(view).get_batch()


def _commit(connection: Any, statement: str) -> None:
    """Great Expectations looks for a table by another connection, which sees only what is committed."""
    connection.exec_driver_sql(statement)
    connection.commit()


@contextmanager
def open_database(
    context: Any, paths: Sequence[Path], schema: pa.Schema, budget_bytes: int, threads: int
) -> Iterator[Database]:
    """The files as a database, until the context ends.

    Args:
        context: the Great Expectations context to add the data source to.
        paths: local parquet files with the same columns, in any order.
        schema: of the first file.
        budget_bytes: memory for DuckDB, which goes to disk rather than beyond it.
        threads: how many cores DuckDB may use.
    """
    name = f"snapshot_{secrets.token_hex(8)}"
    with ExitStack() as closing:
        spill = closing.enter_context(temporary_folder())
        datasource = context.data_sources.add_duckdb(name, connection_string=f"duckdb:///:memory:{name}")
        engine = datasource.get_execution_engine()
        closing.callback(engine.close)
        aliases = {field.name: f"c{place}" for place, field in enumerate(schema)}
        held = sql.is_worth_holding(paths, schema)
        with engine.get_connection() as connection:
            _run(connection, sql.settings(spill, budget_bytes, threads))
            try:
                _run(connection, sql.views(paths, schema, spill, held=held))
            except (sa.exc.SQLAlchemyError, duckdb.Error, _TakesTooMuch):
                connection.rollback()
                held = False
                _run(connection, sql.views(paths, schema, spill))
            _run(connection, sql.locks(paths, spill))
        yield Database(datasource, schema, aliases, can_be_named(schema), held)


class _TakesTooMuch(Exception):
    """The rows that are held leave too little memory for queries: a short file may repeat a long text."""


def _run(connection: Any, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)
        if statement.startswith("CREATE TABLE"):
            sizes = "sum(memory_usage_bytes + temporary_storage_bytes)"
            (taken,) = connection.exec_driver_sql(f"SELECT {sizes} FROM duckdb_memory()").fetchone()  # noqa: S608 - ours
            if taken > MOST_HELD_BYTES:
                raise _TakesTooMuch
    connection.commit()
