"""Parquet files as DuckDB views that show columns as pandas would, in a database that can read nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

VIEW = "snapshot"
NAMED_VIEW = "snapshot_by_name"


def setup_statements(
    paths: Sequence[Path], schema: pa.Schema, spill: str, budget_bytes: int, threads: int
) -> Iterator[str]:
    """Settings and views. At the end the database can read these files and no others, and nobody can change that.

    Args:
        paths: local parquet files with the same columns, in any order.
        schema: of the first file.
        spill: a folder for what does not fit into memory.
        budget_bytes: memory for DuckDB.
        threads: how many cores it may use.
    """
    files = f"[{', '.join(text_literal(path) for path in _readable(paths, spill))}]"
    aliases = [f"c{place}" for place in range(len(schema))]
    # Names are ours, quoted, or quoted by _identifier and text_literal.
    options = f"hive_partitioning = false{_nan_option()}"
    source = f"read_parquet({files}, {options}) AS files({', '.join(aliases)})"
    values = [_plain(alias, field.type) for alias, field in zip(aliases, schema, strict=True)]
    named = [f"{value} AS {name}" for value, name in zip(values, named_columns(schema).values(), strict=True)]
    aliased = [f"{value} AS {alias}" for value, alias in zip(values, aliases, strict=True)]
    yield f"SET memory_limit = '{budget_bytes}B'"
    yield f"SET threads = {threads}"
    yield f"SET temp_directory = {text_literal(spill)}"
    yield "SET TimeZone = 'UTC'"
    yield "SET enable_progress_bar = false"
    yield f"CREATE VIEW {VIEW} AS SELECT {', '.join(aliased)} FROM {source}"  # noqa: S608
    if can_be_named(schema):
        yield f"CREATE VIEW {NAMED_VIEW} AS SELECT {', '.join(named)} FROM {source}"  # noqa: S608
    yield f"SET allowed_paths = {files}"
    yield "SET enable_external_access = false"
    yield "SET lock_configuration = true"


def _readable(paths: Sequence[Path], folder: str) -> Iterator[str]:
    """DuckDB takes `*`, `?` and `[` in a path for a pattern, and knows no way around it but another path."""
    for place, path in enumerate(paths):
        if any(character in str(path) for character in "*?["):
            link = Path(folder) / f"part-{place}.parquet"
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


def text_literal(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
