"""One snapshot on local disk: its parquet files seen as one table, read one column at a time.

Nothing here reads more than one column, or more of it at once than a batch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.checks.scan.types import IntArray, form_of, is_whole, joint_form
from pipeline.errors import SnapshotUnreadable
from pipeline.results.snapshots import is_index
from pipeline.wording import cause, count

BATCH_ROWS = 1 << 17
# Reading through a buffer keeps a row group of any size from being loaded whole.
_READ_BUFFER_BYTES = 1 << 20
# Each thread has them open, of two snapshots; a process may have a thousand files.
_KEPT_OPEN = 16
# Moments of 96 bits, as Spark writes them, reach beyond the year 2262, where nanoseconds wrap around.
_INT96_UNIT = "us"


@dataclass(frozen=True, slots=True, eq=False)
class Picks:
    """Some rows that are kept aside while columns are read: their places in file order, shape (n,), ascending, and by
    column their values in parts.
    """

    rows: IntArray
    values: dict[str, list[pa.Array]] = field(default_factory=dict)

    def see(self, name: str, start: int, batch: pa.Array) -> None:
        """Keep what is wanted of a batch whose first row is at `start`; a column that is read again starts anew."""
        if start == 0:
            self.values[name] = []
        first, last = np.searchsorted(self.rows, [start, start + len(batch)])
        if first < last:
            self.values[name].append(batch.take(pa.array(self.rows[first:last] - start)))


class Readers:
    """Files that stay open from column to column, in each thread: to open one takes as long as it has columns."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    @contextmanager
    def reading(self, place: int, open_file: Callable[[], pq.ParquetFile]) -> Iterator[pq.ParquetFile]:
        """A file by its place. The first few stay open; where it cannot be read, it is opened anew the next time."""
        opened: dict[int, pq.ParquetFile] = self._of_thread.__dict__.setdefault("opened", {})
        if place >= _KEPT_OPEN:
            with open_file() as file:
                yield file
            return
        try:
            yield opened.get(place) or opened.setdefault(place, open_file())
        except Exception:
            opened.pop(place, None)
            raise


@dataclass(frozen=True, slots=True)
class Table:
    """The files of one snapshot, with their footers already read. `places`: where a footer has which flat column.
    `picks`: rows to keep aside while columns are read.
    """

    paths: tuple[str, ...]
    footers: tuple[pq.FileMetaData, ...]
    schemas: tuple[pa.Schema, ...]
    places: tuple[Mapping[str, int], ...]
    picks: Picks | None = None
    readers: Readers = field(default_factory=Readers, compare=False)

    @property
    def rows(self) -> int:
        return sum(footer.num_rows for footer in self.footers)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Every column of any file, in the order of first appearance."""
        return tuple(dict.fromkeys(name for schema in self.schemas for name in schema.names))

    def has(self, name: str) -> bool:
        """Whether any file has the column; without the list of all, which to make for each column takes long."""
        return any(schema.get_all_field_indices(name) for schema in self.schemas)

    def picking(self, rows: IntArray) -> Table:
        """The same, which keeps rows aside while columns are read. `rows`: shape (n,), places in file order."""
        return replace(self, picks=Picks(rows))

    def picked(self, name: str) -> list[pa.Array]:
        """The values of the rows kept aside, of a column that was read, in order."""
        return [] if self.picks is None else self.picks.values.pop(name, [])

    def types_of(self, name: str) -> tuple[pa.DataType, ...]:
        """The arrow types of one column, one per file that has it, each type once."""
        types = [schema.field(name).type for schema in self.schemas if len(schema.get_all_field_indices(name)) == 1]
        return tuple(dict.fromkeys(types))

    def batches(self, name: str, *, batch_rows: int = BATCH_ROWS) -> Iterator[pa.Array]:
        """The values of one column, batch by batch, file by file.

        Raises:
            SnapshotUnreadable: a file is damaged or gone.
        """
        start = 0
        for place, path in enumerate(self.paths):
            try:
                with self.readers.reading(place, partial(self._open, place)) as file:
                    for batch in file.iter_batches(batch_size=batch_rows, columns=[name], use_threads=False):
                        column = batch.column(name)
                        if self.picks is not None:
                            self.picks.see(name, start, column)
                        start += len(column)
                        yield column
            except (OSError, pa.ArrowException) as error:
                raise SnapshotUnreadable(
                    f"{path}: column {name!r} cannot be read: {cause(error)}; write it again"
                ) from error

    def _open(self, place: int) -> pq.ParquetFile:
        footer = self.footers[place]
        return pq.ParquetFile(
            self.paths[place],
            coerce_int96_timestamp_unit=_INT96_UNIT,
            metadata=footer,
            # Text decoded as dictionary codes is counted several times faster than as text.
            read_dictionary=_encodable(footer, self.schemas[place], self.places[place]),
            buffer_size=_READ_BUFFER_BYTES,
            pre_buffer=False,
        )

    def problem_with(self, name: str) -> str | None:
        """Why a column cannot be scanned at all, in plain language, or None."""
        holders = [schema.get_all_field_indices(name) for schema in self.schemas]
        absent = sum(not indices for indices in holders)
        if absent == len(holders):
            return "the column is missing"
        if absent:
            return f"the column is missing in {count(absent)} of {count(len(holders), 'file')}"
        if any(len(indices) > 1 for indices in holders):
            return "the column appears more than once"
        types = self.types_of(name)
        unknown = [str(arrow_type) for arrow_type in types if form_of(arrow_type) is None]
        if unknown:
            what = "nested values" if any(pa.types.is_nested(t) for t in types) else "values of an unsupported type"
            return f"the column holds {what} ({', '.join(unknown)[:80]})"
        if self.form_of(name) is None:
            return f"the files disagree on its type ({self.type_label(name)[:80]})"
        return None

    def form_of(self, name: str) -> str | None:
        """What the column holds over all files ("null" when no file says); None when they cannot be one column."""
        return joint_form(form for form in map(form_of, self.types_of(name)) if form is not None)

    def is_whole(self, name: str) -> bool:
        return all(is_whole(arrow_type) for arrow_type in self.types_of(name))

    def type_label(self, name: str) -> str:
        return ", ".join(map(str, self.types_of(name)))


def _encodable(footer: pq.FileMetaData, schema: pa.Schema, places: Mapping[str, int]) -> list[str]:
    """Columns of text that Arrow can decode as dictionary codes: those without one of the DELTA encodings."""
    text = {
        field.name: places[field.name] for field in schema if field.name in places and form_of(field.type) == "text"
    }
    groups = [footer.row_group(group) for group in range(footer.num_row_groups)]
    return [name for name, place in text.items() if not any(_has_deltas(group.column(place)) for group in groups)]


def _has_deltas(chunk: pq.ColumnChunkMetaData) -> bool:
    return any("DELTA" in encoding for encoding in chunk.encodings)


def _places(footer: pq.FileMetaData) -> dict[str, int]:
    return {footer.schema.column(place).path: place for place in range(footer.num_columns)}


def _without_index(schema: pa.Schema) -> pa.Schema:
    """Without the row numbers of a pandas frame: nobody put them there as data."""
    return pa.schema([field for field in schema if not is_index(field.name)], schema.metadata)


def open_table(paths: Sequence[str]) -> Table:
    """Reads the footers of the parquet files of one snapshot.

    Raises:
        SnapshotUnreadable: a file is not parquet or is gone; the message names it. Also when there are no files.
    """
    if not paths:
        raise SnapshotUnreadable("a snapshot without files cannot be scanned")
    footers, schemas = [], []
    for path in paths:
        try:
            with pq.ParquetFile(path, coerce_int96_timestamp_unit=_INT96_UNIT) as file:
                footers.append(file.metadata)
                schemas.append(_without_index(file.schema_arrow))
        except (OSError, pa.ArrowException) as error:
            raise SnapshotUnreadable(f"{path}: not a readable parquet file: {cause(error)}") from error
    return Table(tuple(paths), tuple(footers), tuple(schemas), tuple(map(_places, footers)))
