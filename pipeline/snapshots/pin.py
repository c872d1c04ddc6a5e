"""Pins a snapshot: from here on a night knows exactly which bytes it is about."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from pipeline.errors import SnapshotMissing, SnapshotUnreadable
from pipeline.log_context import Pool
from pipeline.results import ColumnType, Kept, PinnedObject, Snapshot
from pipeline.snapshots.alike import local_file
from pipeline.snapshots.cache import Cache
from pipeline.snapshots.copies import dense_columns, open_parquet
from pipeline.snapshots.fetch import Fetched, fetch, unreadable
from pipeline.snapshots.footers import require_true_counts, require_true_pages
from pipeline.snapshots.form import Part, ends_alike, form_of, has_form, packed
from pipeline.snapshots.listed import Listed
from pipeline.snapshots.locations import list_objects
from pipeline.snapshots.partitions import partition_of
from pipeline.storage import patience, s3
from pipeline.wording import cause, seconds

_PARALLEL_FETCHES = 8
K = TypeVar("K", bound=Kept)
T = TypeVar("T")
R = TypeVar("R")


def pin(
    location: str, cache: Cache, dates: Collection[str] = (), settle: int = 0, complete: str | None = None
) -> Snapshot:
    """List, fetch and describe every parquet object behind a location.

    Args:
        location: as `resolve_location` gives it.
        cache: where the objects are kept.
        dates: names of folders (`dt` of `dt=2026-01-14/`) that say which night it is, and are no columns.
        settle: for how many seconds no object may have changed.
        complete: the name of a file that says that all objects are there, see `list_objects`.

    Raises:
        SnapshotMissing: nothing is there, or it is still being written.
        SnapshotUnreadable: an object is not parquet, is cut off, or does not fit to the others.
        SnapshotChanged: an object changed while it was being fetched.
        SourceUnavailable: the storage did not answer after retries, or took too long for all of it.
    """
    with patience.snapshot(location), ExitStack() as leases:
        listed = list_objects(location, complete)
        _require_settled(location, listed, settle)
        fetched = _in_parallel(lambda item: fetch(item, cache, leases), listed)
        parts = [_part(item, partition_of(item.listed.uri, location, dates)) for item in fetched]
        form = form_of(parts)
        alike = ends_alike(parts) and all(has_form(part, form) for part in parts)
        snapshot = Snapshot(
            uri=location,
            objects=tuple(map(_pinned, fetched, parts)),
            fields=tuple(ColumnType(name=field.name, type=str(field.type)) for field in form),
            rows=sum(part.rows for part in parts),
            form=None if alike else packed(form),
        )
        _local_files(snapshot, cache, leases)  # what does not fit is told now, and copies are made once
    return snapshot


def _require_settled(location: str, found: Sequence[Listed], settle: int) -> None:
    """A time far in the future is a clock that is wrong, and nothing to wait for."""
    newest = max(found, key=lambda item: item.touched)
    age = time.time() - newest.touched
    if abs(age) < settle:
        raise SnapshotMissing(
            f"{location}: still being written: {newest.uri} changed {seconds(max(age, 0))} ago, and snapshots.settle "
            f"asks for {seconds(settle)} without a change; run the night again then"
        )


@contextmanager
def open_snapshot(snapshot: Snapshot, cache: Cache) -> Iterator[list[Path]]:
    """Local parquet files with the rows of the pinned objects, in order, all in one form; fetched again by digest where
    the cache lacks them. What readers say of one of these files is said of its source.

    Raises:
        SnapshotChanged: the pinned bytes are no longer to be had.
        SnapshotUnreadable: a reader found a file to be damaged.
        SourceUnavailable: the storage did not answer after retries, or took too long for all of it.
    """
    with ExitStack() as leases:
        with patience.snapshot(snapshot.uri):
            paths = _local_files(snapshot, cache, leases)
        try:
            yield paths
        except SnapshotUnreadable as error:
            raise SnapshotUnreadable(_by_sources(str(error), snapshot, paths, str)) from error


def told_by_sources(result: K, *opened: tuple[Snapshot, Sequence[Path]]) -> K:
    """A result in which the sources stand where readers named local files: people know those, not the cache.

    Args:
        result: of steps that read the files.
        opened: snapshots with the files that `open_snapshot` gave.
    """
    before = text = result.to_json().decode()
    for snapshot, paths in opened:
        text = _by_sources(text, snapshot, paths, lambda name: json.dumps(name, ensure_ascii=False)[1:-1])
    return result if text == before else type(result).model_validate_json(text)


def _by_sources(text: str, snapshot: Snapshot, paths: Sequence[Path], written: Callable[[str], str]) -> str:
    if not any(written(str(folder)) in text for folder in {path.parent for path in paths}):
        return text
    for path, item in zip(paths, snapshot.objects, strict=True):
        text = text.replace(written(str(path)), written(item.uri))
    return text


def _local_files(snapshot: Snapshot, cache: Cache, leases: ExitStack) -> list[Path]:
    return _in_parallel(partial(local_file, form=snapshot.form, cache=cache, leases=leases), snapshot.objects)


def _in_parallel(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Results in order; the first error is raised once all work has ended."""
    with Pool(_PARALLEL_FETCHES) as pool:
        return list(pool.map(work, items))


def _part(fetched: Fetched, partition: tuple[tuple[str, str | None], ...]) -> Part:
    import pyarrow as pa

    listed = fetched.listed
    try:
        with open_parquet(fetched.lease.path) as file:
            footer = file.metadata
            require_true_counts(footer, listed)
            require_true_pages(footer, listed, fetched.lease.path)
            schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise unreadable(listed, cause(error)) from error
    return Part(listed.uri, schema, footer.num_rows, partition, dense_columns(footer, schema))


def _pinned(fetched: Fetched, part: Part) -> PinnedObject:
    listed = fetched.listed
    return PinnedObject(
        uri=listed.uri,
        size=listed.size,
        sha256=fetched.lease.sha256,
        rows=part.rows,
        modified=listed.modified,
        etag=listed.state if s3.is_s3(listed.uri) else None,
        version_id=fetched.version_id,
        partition=part.partition,
    )
