"""Rows of a pinned snapshot as an Arrow table: every value as it was written, unlike in a pandas frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import SnapshotUnreadable
from pipeline.results import Snapshot
from pipeline.results.snapshots import is_index
from pipeline.snapshots.cache import Cache
from pipeline.snapshots.copies import open_parquet
from pipeline.snapshots.pin import open_snapshot
from pipeline.wording import cause

if TYPE_CHECKING:
    import pyarrow as pa

_SEED = 7
_BATCH_ROWS = 65_536


def read_table(
    snapshot: Snapshot, cache: Cache, columns: Sequence[str] | None = None, part: int | None = None
) -> pa.Table:
    """The rows of all objects, in order, or those of one object.

    Args:
        snapshot: pinned.
        cache: where its objects are kept.
        columns: which to read; all by default. Columns that are absent are left out.
        part: the position of an object, to read only that.

    Raises:
        SnapshotUnreadable: an object is damaged although its footer is sound; names the object at its source.
        SnapshotChanged, SourceUnavailable: see `pipeline.snapshots.pin.open_snapshot`.
    """
    import pyarrow as pa

    wanted = snapshot if part is None else snapshot.model_copy(update={"objects": (snapshot.objects[part],)})
    with open_snapshot(wanted, cache) as paths:
        tables = [_without_views(read_file(path, columns)) for path in paths]
    return pa.concat_tables(tables, promote_options="permissive")


def read_sample(snapshot: Snapshot, cache: Cache, columns: Sequence[str], most: int) -> pa.Table:
    """All rows of a pinned snapshot, or where there are more, so many of them in order; always the same ones.

    Drawn evenly. Bounded in memory: a batch at a time, of which only the drawn rows stay.

    Args:
        snapshot: pinned.
        cache: where its objects are kept.
        columns: which to read. Columns that are absent are left out.
        most: rows at most.

    Raises:
        SnapshotUnreadable, SnapshotChanged, SourceUnavailable: see `read_table`.
    """
    import numpy as np
    import pyarrow as pa

    if snapshot.rows <= most:
        return read_table(snapshot, cache, columns)
    drawn = np.sort(np.random.default_rng(_SEED).choice(snapshot.rows, most, replace=False, shuffle=False))
    parts, first = [], 0
    with open_snapshot(snapshot, cache) as paths:
        for path in paths:
            for batch in _batches(path, columns):
                low, high = np.searchsorted(drawn, [first, first + len(batch)])
                parts.append(batch.take(pa.array(drawn[low:high] - first)))
                first += len(batch)
    return pa.concat_tables([_without_views(part) for part in parts], promote_options="permissive").combine_chunks()


def _batches(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    import pyarrow as pa

    try:
        with open_parquet(path) as file:
            present = [name for name in columns if name in file.schema_arrow.names]
            for batch in file.iter_batches(_BATCH_ROWS, columns=present):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise SnapshotUnreadable(f"{path}: cannot be decoded: {cause(error)}; write it again") from error


def read_file(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a local parquet file, without the index that pandas wrote beside its columns.

    Args:
        path: of the file.
        columns: which to read; all by default. Columns that are absent are left out.

    Raises:
        SnapshotUnreadable: the content is damaged although the footer is sound.
    """
    import pyarrow as pa

    try:
        with open_parquet(path) as file:
            present = [name for name in file.schema_arrow.names if not is_index(name)]
            return file.read(present if columns is None else [name for name in columns if name in present])
    except (pa.ArrowException, OSError) as error:
        raise SnapshotUnreadable(f"{path}: cannot be decoded: {cause(error)}; write it again") from error


def _without_views(table: pa.Table) -> pa.Table:
    """Text and bytes as Arrow computes with them; and without what pandas noted of an index."""
    import pyarrow as pa

    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    for place, field in enumerate(table.schema):
        if field.type in plain:
            kind = plain[field.type]
            table = table.set_column(place, field.with_type(kind), table.column(place).cast(kind))
    return table.replace_schema_metadata(None)
