"""Rows of a pinned snapshot as an Arrow table: every value as it was written, unlike in a pandas frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.errors import SnapshotUnreadable
from pipeline.results import Snapshot
from pipeline.snapshots.cache import Cache
from pipeline.snapshots.pin import open_snapshot

if TYPE_CHECKING:
    import pyarrow as pa


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
        SnapshotUnreadable: an object is damaged although its footer is sound, or the objects do not fit together;
            names the object at its source.
        SnapshotChanged, SourceUnavailable: see `pipeline.snapshots.pin.open_snapshot`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = snapshot if part is None else snapshot.model_copy(update={"objects": (snapshot.objects[part],)})
    tables = []
    with open_snapshot(wanted, cache) as paths:
        for item, path in zip(wanted.objects, paths, strict=True):
            try:
                present = pq.read_schema(path).names
                names = present if columns is None else [name for name in columns if name in present]
                tables.append(_without_views(pq.read_table(path, columns=names, partitioning=None)))
            except (pa.ArrowException, OSError) as error:
                raise SnapshotUnreadable(f"{item.uri}: cannot be decoded: {error}; write it again") from error
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise SnapshotUnreadable(f"{snapshot.uri}: its files do not fit together: {error}") from error


def _without_views(table: pa.Table) -> pa.Table:
    """Text and bytes as Arrow computes with them; and without what pandas noted of an index."""
    import pyarrow as pa

    plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    for place, field in enumerate(table.schema):
        if field.type in plain:
            kind = plain[field.type]
            table = table.set_column(place, field.with_type(kind), table.column(place).cast(kind))
    return table.replace_schema_metadata(None)
