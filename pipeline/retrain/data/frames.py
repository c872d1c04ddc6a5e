"""Rows as frames for trainers: from Arrow, without losing what pandas would round, and ready to be written again."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from pipeline.errors import TrainingFailed

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


_NO_WAY_TO_PANDAS = (ArithmeticError, LookupError, TypeError, ValueError, NotImplementedError)  # Arrow's are of these


def frame_of(table: pa.Table, exact: Collection[str | None]) -> pd.DataFrame:
    """A table as pandas' own types, without an index; columns whose numbers must stay exact as objects where they have
    gaps: pandas would make whole numbers floats, in which long ids collapse into each other.

    Args:
        table: rows.
        exact: such columns, as far as the table has them.

    Raises:
        TrainingFailed: a column holds values that Python has no type for.
    """
    import pandas as pd
    import pyarrow as pa

    frame = _to_pandas(table)
    for name in exact:
        if name in table.column_names and table[name].null_count and pa.types.is_integer(table[name].type):
            frame[name] = pd.Series(table[name].to_pylist(), index=frame.index, dtype=object)
    return frame


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    import pandas as pd

    try:
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
        return frame
    except _NO_WAY_TO_PANDAS:
        return pd.concat([_one_column(table, name) for name in table.column_names], axis=1)


def _one_column(table: pa.Table, name: str) -> pd.Series:
    """One that Arrow itself may know no way for: a zone that nobody knows, times to the nanosecond, lists of bytes."""
    import pandas as pd
    import pyarrow as pa

    column = table[name]
    ways = [column.type]
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        ways.append(pa.timestamp(column.type.unit, "UTC"))
    elif pa.types.is_time64(column.type):
        ways.append(pa.time64("us"))
    for way in ways:
        try:
            found: pd.Series = column.cast(way, safe=False).to_pandas()
            return found.rename(name)
        except _NO_WAY_TO_PANDAS:
            continue
    try:
        return pd.Series(column.to_pylist(), dtype=object, name=name)
    except _NO_WAY_TO_PANDAS as error:
        raise TrainingFailed(
            f"column {name!r} ({column.type}) holds values that Python has no type for; write them otherwise, or list "
            "the column under columns.ignore"
        ) from error


def writable(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with text where a column mixes types, as nights of different types do: a file has one type a column."""
    import pandas as pd

    objects = [name for name in frame if frame[name].dtype == object]
    mixed = [name for name in objects if pd.api.types.infer_dtype(frame[name], skipna=True).startswith("mixed")]
    texts = {str(name): frame[name].map(str, na_action="ignore") for name in mixed if not _nested(frame[name])}
    return frame.assign(**texts) if texts else frame


def _nested(column: pd.Series) -> bool:
    return bool(column.map(lambda value: hasattr(value, "__len__") and not isinstance(value, str | bytes)).any())
