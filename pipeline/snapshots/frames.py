"""Rows of a pinned snapshot as a pandas frame, for the parts that need rows side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import SnapshotUnreadable
from pipeline.snapshots.form import is_index

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_WHOLE = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")


def read_frame(paths: list[Path], columns: list[str] | None = None) -> pd.DataFrame:
    """The rows of all objects, in order, as pandas' own types; whole numbers with gaps as its nullable ones.

    An index that pandas wrote is no index here: a named one is a column like any other, and one without a name is
    left out.

    Args:
        paths: local parquet files in one form.
        columns: which to read; all by default. Columns that are absent are left out.

    Raises:
        SnapshotUnreadable: the content of a file is damaged although its footer is sound.
    """
    import pyarrow as pa

    tables = [_read(path, columns) for path in paths]
    return _to_pandas(pa.concat_tables(tables, promote_options="permissive"))


def _read(path: Path, columns: list[str] | None) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            present = [name for name in file.schema_arrow.names if not is_index(name)]
            wanted = present if columns is None else [name for name in columns if name in present]
            return file.read(wanted)
    except (pa.ArrowException, OSError) as error:
        raise SnapshotUnreadable(f"{path}: cannot be decoded: {error}; write it again") from error


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    """As floats, whole numbers beyond 2**53 would become others, and keys would not find each other."""
    import pandas as pd
    import pyarrow as pa

    nullable = {getattr(pa, name.lower())(): getattr(pd, f"{name}Dtype")() for name in _WHOLE}
    gaps = [
        name
        for name, column in zip(table.column_names, table.columns, strict=True)
        if column.type in nullable and column.null_count
    ]
    plain = _objects_where_needed(table.drop_columns(gaps))
    if not gaps:
        return plain
    whole: pd.DataFrame = table.select(gaps).to_pandas(ignore_metadata=True, types_mapper=nullable.get)
    together: pd.DataFrame = pd.concat([plain, whole], axis=1)[table.column_names]
    return together


def _objects_where_needed(table: pa.Table) -> pd.DataFrame:
    """Arrow knows no way to pandas for some nested types, such as lists of fixed bytes."""
    import pandas as pd
    import pyarrow as pa

    try:
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    except pa.ArrowNotImplementedError:
        frame = pd.concat([_series(table, name) for name in table.column_names], axis=1)
    return frame


def _series(table: pa.Table, name: str) -> pd.Series:
    import pandas as pd
    import pyarrow as pa

    try:
        series: pd.Series = table.select([name]).to_pandas(ignore_metadata=True)[name]
    except pa.ArrowNotImplementedError:
        series = pd.Series(table[name].to_pylist(), name=name, dtype=object)
    return series
