"""Rows of a pinned snapshot as a pandas frame, for the parts that need rows side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import SnapshotUnreadable
from pipeline.snapshots.rows import read_file

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_WHOLE = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
_NO_WAY_TO_PANDAS = (ArithmeticError, LookupError, TypeError, ValueError, NotImplementedError)  # Arrow's are of these


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

    tables = [read_file(path, columns) for path in paths]
    return _to_pandas(pa.concat_tables(tables, promote_options="permissive"), paths[0])


def _to_pandas(table: pa.Table, path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return _at_once(table)
    except _NO_WAY_TO_PANDAS:
        columns = [_one_column(table.select([name]), path) for name in table.column_names]
        return pd.concat(columns, axis=1)


def _at_once(table: pa.Table) -> pd.DataFrame:
    """As floats, whole numbers beyond 2**53 would become others, and keys would not find each other."""
    import pandas as pd
    import pyarrow as pa

    nullable = {getattr(pa, name.lower())(): getattr(pd, f"{name}Dtype")() for name in _WHOLE}
    columns = zip(table.column_names, table.columns, strict=True)
    gaps = [name for name, column in columns if column.type in nullable and column.null_count]
    frame: pd.DataFrame = table.drop_columns(gaps).to_pandas(ignore_metadata=True)
    if gaps:
        whole = table.select(gaps).to_pandas(ignore_metadata=True, types_mapper=nullable.get)
        frame = pd.concat([frame, whole], axis=1)[table.column_names]
    return frame


def _one_column(table: pa.Table, path: Path) -> pd.DataFrame:
    """One that Arrow itself may know no way for: a zone that nobody knows, times to the nanosecond, lists of bytes."""
    import pandas as pd
    import pyarrow as pa

    (name,), (column,) = table.column_names, table.columns
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        ways = [column.type, pa.timestamp(column.type.unit, "UTC")]
    else:
        ways = [column.type, *([pa.time64("us")] if pa.types.is_time64(column.type) else ())]
    for way in ways:
        try:
            return _at_once(pa.table([column.cast(way, safe=False)], names=[name]))
        except _NO_WAY_TO_PANDAS:
            continue
    try:
        return pd.DataFrame({name: pd.Series(column.to_pylist(), dtype=object)})
    except _NO_WAY_TO_PANDAS as error:
        raise SnapshotUnreadable(
            f"{path}: column {name!r} ({column.type}) holds values that Python has no type for; write them otherwise"
        ) from error
