"""Rows as frames for trainers: from Arrow, without losing what pandas would round, and ready to be written again."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def frame_of(table: pa.Table, exact: Collection[str | None]) -> pd.DataFrame:
    """A table as pandas' own types, without an index; columns whose numbers must stay exact as objects where they have
    gaps: pandas would make whole numbers floats, in which long ids collapse into each other.

    Args:
        table: rows.
        exact: such columns, as far as the table has them.
    """
    import pandas as pd
    import pyarrow as pa

    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    for name in exact:
        if name in table.column_names and table[name].null_count and pa.types.is_integer(table[name].type):
            frame[name] = pd.Series(table[name].to_pylist(), index=frame.index, dtype=object)
    return frame


def writable(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with text where a column mixes types, as nights of different types do: a file has one type a column."""
    import pandas as pd

    objects = [name for name in frame if frame[name].dtype == object]
    mixed = [name for name in objects if pd.api.types.infer_dtype(frame[name], skipna=True).startswith("mixed")]
    texts = {str(name): frame[name].map(str, na_action="ignore") for name in mixed if not _nested(frame[name])}
    return frame.assign(**texts) if texts else frame


def _nested(column: pd.Series) -> bool:
    return bool(column.map(lambda value: hasattr(value, "__len__") and not isinstance(value, str | bytes)).any())
