"""Copies of files in the form of their snapshot, for readers that want all files alike."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import SnapshotUnreadable
from pipeline.snapshots.common_type import plain
from pipeline.snapshots.form import named_range
from pipeline.wording import cause, clip

if TYPE_CHECKING:
    import pyarrow as pa

_VERSION = 1  # of what a copy looks like
_MOST_ROWS = 1 << 17
_BATCH_BYTES = 1 << 26
_READ_BUFFER_BYTES = 1 << 20
_FOOTER_END_BYTES = 8  # the footer's length and PAR1
_ARROW_SCHEMA, _NOBODYS_SCHEMA = b"ARROW:schema", b"arrow:SCHEMA"


def open_parquet(path: Path, **options: Any) -> pa.parquet.ParquetFile:
    """A parquet file with moments as they were meant: those of 96 bits, as Spark writes them, reach beyond the year
    2262, where nanoseconds would wrap around to another century.
    """
    import pyarrow.parquet as pq

    return pq.ParquetFile(path, coerce_int96_timestamp_unit="us", **options)


def address(sha256: str, form: str, partition: Sequence[tuple[str, str | None]]) -> str:
    """What a copy is called in the cache: everything that its content depends on."""
    return hashlib.sha256(repr((_VERSION, sha256, form, tuple(map(tuple, partition)))).encode()).hexdigest()


def write_copy(
    source: Path, uri: str, target: Path, form: pa.Schema, partition: Sequence[tuple[str, str | None]]
) -> None:
    """Write the rows of a file in a form, a batch at a time. No value changes: what does not fit is an error.

    Args:
        source: a local parquet file.
        uri: what errors call it.
        target: where to write.
        form: the columns and their types.
        partition: values of columns that the file itself may lack.

    Raises:
        SnapshotUnreadable: a value has no exact place in its column's type, or the file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    said = dict(partition)
    # Trying dictionaries on numbers, too, takes twice as long and saves nothing.
    text = [field.name for field in form if not pa.types.is_primitive(field.type)]
    try:
        with (
            pq.ParquetWriter(target, form, compression="lz4", use_dictionary=text) as writer,
            _readable(source, target) as file,
        ):
            first, kept = 0, named_range(file.schema_arrow, file.metadata.num_rows)
            for found in file.iter_batches(_batch_rows(file), use_threads=True):
                batch = found if kept is None else _with_range(found, kept, first)
                columns = [_column(batch, field, said, uri) for field in form]
                writer.write_table(pa.table(columns, schema=form))
                first += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's fault
            raise
        raise SnapshotUnreadable(f"{uri}: cannot be decoded: {cause(error)}; write it again") from error


def _with_range(batch: pa.RecordBatch, kept: tuple[str, int, int], first: int) -> pa.RecordBatch:
    """A batch with the index that pandas kept as three numbers; `first` is the batch's first row."""
    import pyarrow as pa

    name, start, step = kept
    numbers = range(start + first * step, start + (first + batch.num_rows) * step, step)
    return batch.append_column(name, pa.array(numbers, pa.int64()))


def _batch_rows(file: pa.parquet.ParquetFile) -> int:
    """As many as stay within some memory, decoded."""
    footer = file.metadata
    written: int = sum(footer.row_group(place).total_byte_size for place in range(footer.num_row_groups))
    row: int = max(8 * footer.num_columns, written // max(footer.num_rows, 1), 1)
    return min(_MOST_ROWS, max(_BATCH_BYTES // row, 1))


def _column(batch: pa.RecordBatch, field: pa.Field, said: dict[str, str | None], uri: str) -> pa.Array:
    import pyarrow as pa

    place = batch.schema.get_field_index(field.name)
    if place < 0:
        value = said.get(field.name)
        return pa.repeat(pa.scalar(value, pa.string()), batch.num_rows).cast(field.type)
    found = batch.column(place)
    if isinstance(found, pa.ExtensionArray):
        found = found.storage
    try:
        return found.cast(field.type)
    except pa.ArrowException as error:  # its words hold a value
        raise SnapshotUnreadable(
            f"{uri}: column {clip(field.name, 60)} ({found.type}) does not fit {field.type}, the type that the files "
            "of this snapshot have together, without changing values; write all of them with one type"
        ) from error


@contextmanager
def _readable(source: Path, target: Path) -> Iterator[pa.parquet.ParquetFile]:
    """The file, or its twin without Arrow's own schema where Arrow cannot decode what it asks for itself."""
    with open_parquet(source, buffer_size=_READ_BUFFER_BYTES, pre_buffer=False) as file:
        if not dense_columns(file.metadata, file.schema_arrow):
            yield file
            return
    twin = target.with_name(f"{target.name}.twin")
    try:
        _without_arrow_schema(source, twin)
        with open_parquet(twin, buffer_size=_READ_BUFFER_BYTES, pre_buffer=False) as file:
            yield file
    finally:
        twin.unlink(missing_ok=True)


def dense_columns(footer: pa.parquet.FileMetaData, schema: pa.Schema) -> frozenset[str]:
    """Columns that some reader cannot decode as they are written.

    Arrow: what its own schema calls a dictionary, in a DELTA encoding; lists of one size, where some are missing.
    DuckDB: bytes of one size (and decimals, which may be such) in BYTE_STREAM_SPLIT.
    """
    found = set()
    wanted = {name: why for name, why in zip(schema.names, map(_why_dense, schema.types), strict=True) if why}
    for chunk in _chunks(footer) if wanted else ():
        name = _column_of(chunk.path_in_schema, wanted)
        if name is not None and wanted[name](chunk):
            found.add(name)
    return frozenset(found)


def _column_of(path: str, names: Collection[str]) -> str | None:
    """Which of the columns a path such as `pair.list.element` belongs to; names may have dots, too."""
    while path not in names and "." in path:
        path = path.rpartition(".")[0]
    return path if path in names else None


def _why_dense(arrow_type: pa.DataType) -> Callable[[Any], bool] | None:
    """What makes a column chunk of a type one that some reader cannot decode; None where nothing does."""
    import pyarrow as pa

    stored = plain(arrow_type)
    if pa.types.is_dictionary(stored):
        return lambda chunk: any("DELTA" in name for name in chunk.encodings)
    if pa.types.is_fixed_size_list(stored):
        return _may_have_gaps
    if pa.types.is_nested(stored) and "fixed_size_list" in str(arrow_type):
        return lambda _: True
    if pa.types.is_fixed_size_binary(stored) or pa.types.is_decimal(stored) or pa.types.is_float16(stored):
        return lambda chunk: "BYTE_STREAM_SPLIT" in chunk.encodings
    return None


def _may_have_gaps(chunk: pa.parquet.ColumnChunkMetaData) -> bool:
    known = chunk.statistics
    return known is None or not known.has_null_count or known.null_count > 0


def _chunks(footer: pa.parquet.FileMetaData) -> Iterator[pa.parquet.ColumnChunkMetaData]:
    for group in range(footer.num_row_groups):
        for column in range(footer.num_columns):
            yield footer.row_group(group).column(column)


def _without_arrow_schema(source: Path, twin: Path) -> None:
    """A copy in which the key of Arrow's schema is another one of the same length, so that nothing else moves."""
    shutil.copyfile(source, twin)
    with open(twin, "r+b") as file:
        file.seek(-_FOOTER_END_BYTES, 2)
        end = file.tell()
        start = end - int.from_bytes(file.read(4), "little")
        file.seek(start)
        footer = file.read(end - start)
        file.seek(start)
        file.write(footer.replace(_ARROW_SCHEMA, _NOBODYS_SCHEMA))
