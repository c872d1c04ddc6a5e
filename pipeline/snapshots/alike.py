"""A pinned object as a local file in the form of its snapshot: itself where it has that form, else a copy."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from pipeline.errors import SnapshotUnreadable
from pipeline.results import PinnedObject
from pipeline.results.snapshots import is_index
from pipeline.snapshots.cache import Cache, Known, Lease
from pipeline.snapshots.copies import address, dense_columns, open_parquet, write_copy
from pipeline.snapshots.fetch import disk_error, fetch_pinned
from pipeline.snapshots.form import Part, has_form, unpacked

if TYPE_CHECKING:
    import pyarrow as pa

_one_at_a_time = Lock()  # a copy holds a batch of all columns, and is decoded on all cores


def local_file(pinned: PinnedObject, *, form: str | None, cache: Cache, leases: ExitStack) -> Path:
    """Where this machine has the rows of an object, leased until `leases` ends.

    Args:
        pinned: the object.
        form: of its snapshot; None where all objects have it anyway.
        cache: where objects and copies are kept.
        leases: what holds them there.

    Raises:
        SnapshotChanged: the source now holds other bytes, and the cache no longer has the pinned ones.
        SnapshotUnreadable: a value has no exact place in its column's type, or the object is damaged.
        SourceUnavailable: the storage did not answer after retries, or the disk is full.
    """
    if form is None:
        return fetch_pinned(pinned, cache, leases).path
    name = address(pinned.sha256, form, pinned.partition)
    copy = cache.lease(name)
    if copy is None:
        source = fetch_pinned(pinned, cache, leases).path
        schema = unpacked(form)
        if _is_alike(source, schema):
            return source
        copy = _copied(source, pinned, schema, name, cache)
    return leases.enter_context(copy).path


def _is_alike(source: Path, form: pa.Schema) -> bool:
    with open_parquet(source) as file:
        schema = file.schema_arrow
        part = Part(str(source), schema, 0, dense=dense_columns(file.metadata, schema))
    return has_form(part, form) and not any(map(is_index, schema.names))


def _copied(source: Path, pinned: PinnedObject, form: pa.Schema, name: str, cache: Cache) -> Lease:
    state = f"copy {name}"
    with _one_at_a_time, cache.partial(pinned.uri, state) as partial:
        copy = cache.lease(name)  # whoever was here before may have made just this
        if copy is not None:
            return copy
        try:
            write_copy(source, pinned.uri, partial, form, pinned.partition)
            return cache.add(partial, Known(name), pinned.uri, state, [pinned.sha256])
        except SnapshotUnreadable:
            partial.unlink(missing_ok=True)
            raise
        except OSError as error:
            raise disk_error(error, pinned.uri, pinned.size) from error
