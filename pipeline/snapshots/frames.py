"""Rows of a pinned snapshot as a pandas frame, for the parts that need rows side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import SnapshotUnreadable

if TYPE_CHECKING:
    import pandas as pd


def read_frame(paths: list[Path], columns: list[str] | None = None) -> pd.DataFrame:
    """The rows of all objects, in order, as pandas' own types.

    Args:
        paths: local parquet files with the same columns.
        columns: which to read; all by default. Columns that are absent are left out.

    Raises:
        SnapshotUnreadable: the content of a file is damaged although its footer is sound.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        present = pq.read_schema(paths[0]).names
        wanted = present if columns is None else [name for name in columns if name in present]
        tables = [pq.read_table(path, columns=wanted, partitioning=None) for path in paths]
        frame: pd.DataFrame = pa.concat_tables(tables, promote_options="permissive").to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise SnapshotUnreadable(f"{paths[0].parent}: a cached snapshot cannot be decoded: {error}") from error
    return frame
