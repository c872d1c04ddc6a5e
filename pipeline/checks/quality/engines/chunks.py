"""Columns of a snapshot as pandas frames, as many at a time as a budget allows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.check import Check, Files
from pipeline.checks.quality.suite.arguments import Unsuitable
from pipeline.errors import SnapshotUnreadable
from pipeline.wording import cause, size

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from pipeline.checks.scan import Table

# Bytes per row of a column while pandas works on it, with one temporary copy: measured on 1,000,000 rows.
_TEXT_BYTES = 200
_OTHER_BYTES = 40
_TEXT_OVERHEAD = 56  # of a text in Python
_LARGEST_EXACT = 2**53


def chunks(
    wanted: Mapping[int, Check], names: Sequence[str], are_too_many: Callable[[Collection[str]], bool]
) -> Iterator[tuple[list[str], list[int]]]:
    """Columns to look at together, with the checks that need no others. A check that needs more gets what it needs.

    Args:
        wanted: checks by place.
        names: of all columns.
        are_too_many: whether these columns are more than may be looked at together.
    """
    order = {name: place for place, name in enumerate(names)}
    held: dict[str, None] = {}
    places: list[int] = []
    for place, check in sorted(wanted.items(), key=lambda item: item[1].columns):
        needed = dict.fromkeys(sorted(columns_of(check, names), key=order.__getitem__))
        if places and not needed.keys() <= held.keys() and are_too_many(held | needed):
            yield list(held), places
            held, places = {}, []
        held.update(needed)
        places.append(place)
    if places:
        yield list(held), places


def take_more_than(budget_bytes: int, files: Files) -> Callable[[Collection[str]], bool]:
    """Whether columns take more than that while pandas works on them."""
    return lambda columns: _size(columns, files) > budget_bytes


def columns_of(check: Check, names: Sequence[str]) -> set[str]:
    """Columns the check names; all where its arguments name none."""
    return set(check.columns) or set(names)


def _size(columns: Collection[str], files: Files) -> int:
    import pyarrow as pa

    numbers = sum(pa.types.is_primitive(files.schema.field(name).type) for name in columns)
    size: int = files.rows * (numbers * _OTHER_BYTES + (len(columns) - numbers) * _TEXT_BYTES)
    return size


def read_columns(
    files: Files, columns: Sequence[str], *, rows: bool = True, whole: bool = False, budget_bytes: int | None = None
) -> pd.DataFrame:
    """The rows of all files, in order, as pandas' own types.

    Dictionaries become their values and moments UTC without saying so, as the other engine sees them. Whole numbers of
    which some are missing become floats as everywhere in pandas, but only where floats hold them exactly.

    Args:
        files: the snapshot.
        columns: which of its columns.
        rows: False for no rows.
        whole: leave them integers, with which pandas can do less: a float reads `10001.0` as text.
        budget_bytes: how much different text of a column may take.

    Raises:
        SnapshotUnreadable: the content of a file is damaged although its footer is sound.
        Unsuitable: a column of text takes more than the budget.
    """
    import pandas as pd
    import pyarrow as pa

    from pipeline.checks.scan.types import form_of

    text = [name for name in columns if rows and form_of(files.schema.field(name).type) == "text"]
    others = [name for name in columns if name not in text]
    tables = [_read(path, others) for path in files.paths] if rows else [files.schema.empty_table()]
    plain = [_plain(table.select(others)) for table in tables]
    frame = _frame(pa.concat_tables(plain, promote_options="permissive"), whole)
    if not text:
        return frame
    read = {name: pd.Series(_texts(files, name, budget_bytes), dtype=object) for name in text}
    return pd.DataFrame({name: read[name] if name in read else frame[name] for name in columns}, copy=False)


def _texts(files: Files, name: str, budget_bytes: int | None) -> npt.NDArray[np.object_]:
    """The texts of a column, None where one is missing; shape (rows,). Rows that say the same share one text, as far as
    the file does: a short file may repeat a long one millions of times.
    """
    import numpy as np

    from pipeline.checks.scan import open_table

    parts, taken = [np.empty(0, dtype=object)], 0
    for batch in open_table([str(path) for path in files.paths]).batches(name):
        coded = _coded(batch)
        taken += coded.dictionary.nbytes + _TEXT_OVERHEAD * len(coded.dictionary)
        if budget_bytes is not None and taken > budget_bytes:
            raise Unsuitable(f"its text takes more than {size(budget_bytes)} of memory (PIPELINE_MEMORY_BUDGET_BYTES)")
        values = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
        parts.append(values[coded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)])
    return np.concatenate(parts)


def _coded(batch: pa.Array) -> pa.DictionaryArray:
    import pyarrow as pa

    if isinstance(batch, pa.ExtensionArray):
        batch = batch.storage
    if batch.type == pa.string_view():
        batch = batch.cast(pa.string())
    return batch if pa.types.is_dictionary(batch.type) else batch.dictionary_encode()


def _read(path: Path, columns: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, columns=list(columns), partitioning=None, coerce_int96_timestamp_unit="us")
    except (pa.ArrowException, OSError) as error:
        raise SnapshotUnreadable(f"{path}: cannot be decoded: {cause(error)}; write it again") from error


def read_specimens(files: Files, columns: Sequence[str]) -> pd.DataFrame:
    """Two rows that have every type the columns have: a value, and a gap where there is one anywhere.

    All values of a column are of one type, so an expectation about types says of two rows what it would say of all.
    Whole numbers are whole numbers, whether some are missing or not: no gap here, or they would be floats.

    Raises:
        SnapshotUnreadable: a file is damaged.
    """
    import pyarrow as pa

    from pipeline.checks.scan import open_table

    table = open_table([str(path) for path in files.paths])
    arrays = [_specimen(table, name, files.schema.field(name).type) for name in columns]
    return _frame(_plain(pa.table(arrays, names=list(columns))), whole=False)


def _frame(table: pa.Table, whole: bool) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    series = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not pa.types.is_integer(column.type) or not column.null_count:
            series[name] = column.to_pandas()
        elif whole:
            series[name] = column.to_pandas(types_mapper=_with_gaps)
        elif _exact_as_floats(column):
            series[name] = column.to_pandas().astype("float64")
        else:
            listed = [float("nan") if item is None else item for item in column.to_pylist()]
            series[name] = pd.Series(listed, dtype=object)
    return pd.DataFrame(series, copy=False)


def _exact_as_floats(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    extremes = pc.min_max(column).as_py()
    return all(found is None or abs(found) <= _LARGEST_EXACT for found in extremes.values())


def _with_gaps(arrow_type: pa.DataType) -> Any:
    """`Int64` for int64, `UInt8` for uint8."""
    import pandas as pd

    name = str(arrow_type)
    return pd.api.types.pandas_dtype(name.replace("ui", "UI") if name.startswith("u") else name.capitalize())


def _specimen(table: Table, name: str, arrow_type: pa.DataType) -> pa.Array:
    import pyarrow as pa

    value, gap = None, False
    for batch in table.batches(name):
        gap = gap or batch.null_count > 0
        if value is None and batch.null_count < len(batch):
            value = batch[batch.is_valid().index(True).as_py()].as_py()
        if value is not None and gap:
            break
    plain = _value_type(arrow_type)
    return pa.array([value, None if gap and not pa.types.is_integer(plain) else value], plain)


def _value_type(arrow_type: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def _plain(table: pa.Table) -> pa.Table:
    import pyarrow as pa

    columns: list[Any] = []
    for field, column in zip(table.schema, table.columns, strict=True):
        plain = column
        if isinstance(field.type, pa.BaseExtensionType):
            storage = field.type.storage_type
            plain = pa.chunked_array([chunk.storage for chunk in column.chunks], storage)
        elif pa.types.is_dictionary(field.type):
            plain = column.cast(field.type.value_type)
        elif pa.types.is_timestamp(field.type) and field.type.tz is not None:
            plain = column.cast(pa.timestamp(field.type.unit, "UTC")).cast(pa.timestamp(field.type.unit))
        columns.append(plain)
    return pa.table(columns, names=table.schema.names)
