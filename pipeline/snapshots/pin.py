"""Pins a snapshot: from here on a night knows exactly which bytes it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipeline.errors import SnapshotUnreadable
from pipeline.results import ColumnType, PinnedObject, Snapshot
from pipeline.snapshots.cache import Cache
from pipeline.snapshots.fetch import Fetched, fetch, fetch_pinned
from pipeline.snapshots.locations import list_objects
from pipeline.storage import s3
from pipeline.wording import listed

if TYPE_CHECKING:
    import pyarrow as pa

_PARALLEL_FETCHES = 8
T = TypeVar("T")
R = TypeVar("R")


def pin(location: str, cache: Cache) -> Snapshot:
    """List, fetch and describe every parquet object behind a location.

    Raises:
        SnapshotMissing: nothing is there.
        SnapshotUnreadable: an object is not parquet, is cut off, or its columns differ from the first object's.
        SnapshotChanged: an object changed while it was being fetched.
        SourceUnavailable: the storage did not answer after retries.
    """
    listed = list_objects(location)
    with ExitStack() as leases:
        fetched = _in_parallel(lambda item: fetch(item, cache, leases), listed)
        described = [_describe(item) for item in fetched]
    _require_one_schema(described)
    objects = tuple(pinned for pinned, _ in described)
    fields = tuple(ColumnType(name=field.name, type=str(field.type)) for field in described[0][1])
    return Snapshot(uri=location, objects=objects, fields=fields, rows=sum(item.rows for item in objects))


@contextmanager
def open_snapshot(snapshot: Snapshot, cache: Cache) -> Iterator[list[Path]]:
    """Local paths of the pinned objects, in order, fetched again by digest where the cache lacks them.

    Raises:
        SnapshotChanged: the pinned bytes are no longer to be had.
        SourceUnavailable: the storage did not answer after retries.
    """
    with ExitStack() as leases:
        yield _in_parallel(lambda item: fetch_pinned(item, cache, leases).path, snapshot.objects)


def _in_parallel(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Results in order; the first error is raised once all work has ended."""
    with ThreadPoolExecutor(_PARALLEL_FETCHES) as pool:
        return list(pool.map(work, items))


def _describe(fetched: Fetched) -> tuple[PinnedObject, pa.Schema]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    listed = fetched.listed
    try:
        with pq.ParquetFile(fetched.lease.path) as file:
            rows, schema = file.metadata.num_rows, file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise SnapshotUnreadable(
            f"{listed.uri}: not a readable parquet file ({listed.size} bytes): {_first_line(error)}; "
            "it may be cut off or still being written: write it again, or remove it"
        ) from error
    pinned = PinnedObject(
        uri=listed.uri,
        size=listed.size,
        sha256=fetched.lease.sha256,
        rows=rows,
        modified=listed.modified,
        etag=listed.state if s3.is_s3(listed.uri) else None,
        version_id=fetched.version_id,
    )
    return pinned, schema


def _require_one_schema(described: list[tuple[PinnedObject, pa.Schema]]) -> None:
    """Order of columns does not matter; names and types do."""
    first, expected = described[0][0], _types(described[0][0], described[0][1])
    for pinned, schema in described[1:]:
        found = _types(pinned, schema)
        if found != expected:
            differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
            words = [f"{name} ({expected.get(name, 'absent')} / {found.get(name, 'absent')})" for name in differing]
            raise SnapshotUnreadable(
                f"{pinned.uri}: its columns differ from those of {first.uri}: {listed(words, 5)}; "
                "all files of a snapshot need the same columns and types"
            )


def _types(pinned: PinnedObject, schema: pa.Schema) -> dict[str, str]:
    types = {field.name: str(field.type) for field in schema}
    if len(types) != len(schema):
        raise SnapshotUnreadable(f"{pinned.uri}: has several columns of the same name; every name may occur once")
    return types


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
