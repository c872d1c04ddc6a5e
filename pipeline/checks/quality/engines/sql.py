"""Parquet files as DuckDB views that show columns as pandas would, in a database that can read nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.checks.quality.engines.literals import text_literal

if TYPE_CHECKING:
    import pyarrow as pa

# With less DuckDB gives up on queries that it could answer on disk, and what it leaves to pandas takes far more.
_LEAST_BYTES = 256 * 2**20
_BYTES_PER_THREAD = 256 * 2**20
# DuckDB reads a column of lists in lists in time that doubles with each level: 25 take 11 s for two rows.
_DEEPEST = 10
_WIDE = 200
"""Columns from which on it takes longer to look them up for each query than to read them once."""
_MOST_HELD = 5_000_000
"""Values that are held: few enough to be read in a moment."""
MOST_HELD_BYTES = _LEAST_BYTES // 2
"""What they may take of the memory that DuckDB has at least."""
VIEW = "snapshot"
NAMED_VIEW = "snapshot_by_name"


def setup_statements(
    paths: Sequence[Path], schema: pa.Schema, spill: Path, budget_bytes: int, threads: int
) -> Iterator[str]:
    """Settings and views. At the end the database can read these files and no others, and nobody can change that.

    Args:
        paths: local parquet files with the same columns, in any order.
        schema: of the first file.
        spill: a folder for what does not fit into memory.
        budget_bytes: memory for DuckDB; it gets 256 MiB at least.
        threads: how many cores it may use, each with as much.
    """
    yield from settings(spill, budget_bytes, threads)
    yield from views(paths, schema, spill)
    yield from locks(paths, spill)


def settings(spill: Path, budget_bytes: int, threads: int) -> Iterator[str]:
    """What comes first: see `setup_statements`."""
    memory = max(budget_bytes, _LEAST_BYTES)
    yield f"SET memory_limit = '{memory}B'"
    yield f"SET threads = {max(min(threads, memory // _BYTES_PER_THREAD), 1)}"
    yield f"SET temp_directory = {text_literal(str(spill))}"
    yield "SET TimeZone = 'UTC'"
    yield "SET enable_progress_bar = false"


def views(paths: Sequence[Path], schema: pa.Schema, spill: Path, *, held: bool = False) -> Iterator[str]:
    """The two views, see `setup_statements`; `held`: the rows are read once, as a table that stands for the first."""
    aliases = [f"c{place}" for place in range(len(schema))]
    # Names are ours, quoted, or quoted by _identifier and text_literal.
    options = f"hive_partitioning = false{_nan_option()}"
    source = f"read_parquet({_files(paths, spill)}, {options}) AS files({', '.join(aliases)})"
    shown = [
        (_plain(alias, field.type), alias, name)
        for alias, field, name in zip(aliases, schema, named_columns(schema).values(), strict=True)
        if not is_too_deep(field.type)
    ]
    aliased = [f"{value} AS {alias}" for value, alias, _ in shown] or ["NULL AS nothing"]
    yield f"CREATE {'TABLE' if held else 'VIEW'} {VIEW} AS SELECT {', '.join(aliased)} FROM {source}"  # noqa: S608
    if can_be_named(schema):
        named = [f"{alias if held else value} AS {name}" for value, alias, name in shown] or ["NULL AS nothing"]
        yield f"CREATE VIEW {NAMED_VIEW} AS SELECT {', '.join(named)} FROM {VIEW if held else source}"  # noqa: S608


def locks(paths: Sequence[Path], spill: Path) -> Iterator[str]:
    """What comes last: see `setup_statements`."""
    yield f"SET allowed_paths = {_files(paths, spill)}"
    yield "SET enable_external_access = false"
    yield "SET lock_configuration = true"


def _files(paths: Sequence[Path], spill: Path) -> str:
    return f"[{', '.join(text_literal(path) for path in _readable(paths, spill))}]"


def is_worth_holding(paths: Sequence[Path], schema: pa.Schema) -> bool:
    """Whether a snapshot is wide and small. Each query of a view binds every column of its files, so that of 5,000
    columns it costs a tenth of a second; a suite asks about each of them.
    """
    import pyarrow.parquet as pq

    if len(schema) < _WIDE:
        return False
    rows: int = sum(pq.read_metadata(path).num_rows for path in paths)
    return rows * len(schema) <= _MOST_HELD


def _readable(paths: Sequence[Path], folder: Path) -> Iterator[str]:
    """DuckDB takes `*`, `?` and `[` in a path for a pattern, and knows no way around it but another path."""
    for place, path in enumerate(paths):
        if any(character in str(path) for character in "*?["):
            link = folder / f"part-{place}.parquet"
            if not link.is_symlink():
                link.symlink_to(path.resolve())
            yield str(link)
        else:
            yield str(path)


def can_be_named(schema: pa.Schema) -> bool:
    """DuckDB has no empty names, and none that differ in case only."""
    return all(schema.names) and len({name.casefold() for name in schema.names}) == len(schema)


def named_columns(schema: pa.Schema) -> dict[str, str]:
    """Each column's own name, as SQL writes it."""
    return {name: _identifier(name) for name in schema.names}


@cache
def _nan_option() -> str:
    """DuckDB 2 takes a column whose statistics hide NaN, as they all do, for one without, unless it is told."""
    import duckdb

    known = "SELECT count(*) FROM duckdb_functions() WHERE list_contains(parameters, 'can_have_nan')"
    with duckdb.connect() as connection:
        row = connection.execute(known).fetchone()
    return ", can_have_nan = true" if row and row[0] else ""


def _plain(alias: str, arrow_type: pa.DataType) -> str:
    """A column as pandas sees it: NaN is missing (see `scan.missing`), moments are in UTC without saying so."""
    import pyarrow as pa

    from pipeline.checks.scan.types import plain_type

    arrow_type = plain_type(arrow_type)
    if pa.types.is_floating(arrow_type):
        return f"CASE WHEN isnan({alias}) THEN NULL ELSE {alias}::DOUBLE END"
    if pa.types.is_timestamp(arrow_type) and arrow_type.tz is not None:
        return f"timezone('UTC', {alias}::TIMESTAMPTZ)"
    return alias


def is_too_deep(arrow_type: pa.DataType) -> bool:
    """Whether a type is nested so deep that the views leave its column out: pandas can say of it what can be said."""
    return _depth(arrow_type) > _DEEPEST


def _depth(arrow_type: pa.DataType) -> int:
    """How many levels of lists, structs and maps a type has."""
    inner = [arrow_type.field(place).type for place in range(arrow_type.num_fields)]
    return 1 + max(map(_depth, inner)) if inner else 0


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
