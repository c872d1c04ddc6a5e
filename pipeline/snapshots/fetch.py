"""Brings one object into the cache: streamed, verified, resumed where an earlier attempt stopped, retried."""

from __future__ import annotations

import errno
import hashlib
import os
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from pipeline.errors import SnapshotChanged, SnapshotUnreadable, SourceUnavailable
from pipeline.results import PinnedObject
from pipeline.snapshots.cache import Cache, Known, Lease
from pipeline.snapshots.disk import file_state, listed_file
from pipeline.snapshots.listed import Listed
from pipeline.storage import s3
from pipeline.storage.time_limit import over, require_time

_BLOCK = 4 * 2**20
_ATTEMPTS = 6
_MAGIC = b"PAR1"
_MAGICS = (_MAGIC, b"PARE")  # with an encrypted footer: whoever reads it says that it is


@dataclass(frozen=True)
class Fetched:
    """A listed object and its content in the cache; `version_id` where the bucket keeps versions."""

    listed: Listed
    lease: Lease
    version_id: str | None


def fetch(
    listed: Listed, cache: Cache, leases: ExitStack, version_id: str | None = None, sha256: str | None = None
) -> Fetched:
    """The object's content, from the cache where it is known there, else from its source; leased until `leases` ends.

    Args:
        listed: the object.
        cache: where its content is kept.
        leases: what holds it there.
        version_id: read this version of it, where its bucket keeps versions.
        sha256: the content that it should have, where that is known; the cache may have it from elsewhere.

    Raises:
        SnapshotChanged: the object is no longer in the state that was listed.
        SnapshotUnreadable: it is no parquet file.
        SourceUnavailable: the storage did not answer after retries, or the disk is full.
    """
    found = _at_hand(listed, cache, sha256)
    if found is None:
        with cache.partial(listed.uri, listed.state) as partial:
            # Whoever was here before may have fetched just this.
            found = _at_hand(listed, cache, sha256) or _bring(listed, cache, partial, version_id)
    leases.enter_context(found.lease)
    return found


def _at_hand(listed: Listed, cache: Cache, sha256: str | None) -> Fetched | None:
    """What the cache has: the content that it should have, or else what it was in this state before."""
    for found in (Known(sha256) if sha256 else None, cache.known(listed.uri, listed.state)):
        if found is not None and (lease := cache.lease(found.sha256)) is not None:
            return Fetched(listed, lease, found.version_id)
    return None


def _bring(listed: Listed, cache: Cache, partial: Path, version_id: str | None) -> Fetched:
    try:
        if s3.is_s3(listed.uri):
            version_id = _download(listed, partial, version_id)
        else:
            _copy(listed, partial)
        _require_size(listed, partial)
        _require_parquet(listed, partial)
        lease = cache.add(partial, Known(sha256_of(partial), version_id), listed.uri, listed.state)
    except OSError as error:
        raise disk_error(error, listed.uri, listed.size) from error
    return Fetched(listed, lease, version_id)


def fetch_pinned(pinned: PinnedObject, cache: Cache, leases: ExitStack) -> Lease:
    """The very bytes that were pinned, wherever this machine finds them.

    Raises:
        SnapshotChanged: the source now holds other bytes, and the cache no longer has the pinned ones.
        SourceUnavailable: the storage did not answer after retries.
    """
    lease = cache.lease(pinned.sha256)
    if lease is not None:
        return leases.enter_context(lease)
    if s3.is_s3(pinned.uri):
        listed = Listed(pinned.uri, pinned.size, pinned.modified or "", pinned.etag or "")
    else:
        listed = _pinned_file(pinned)
    lease = fetch(listed, cache, leases, pinned.version_id, pinned.sha256).lease
    if lease.sha256 != pinned.sha256:
        raise _changed(pinned.uri, "its content is not the one that was pinned")
    return lease


def _pinned_file(pinned: PinnedObject) -> Listed:
    try:
        return listed_file(Path(pinned.uri))
    except FileNotFoundError:
        raise _changed(pinned.uri, "it was removed") from None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _changed(uri: str, how: str) -> SnapshotChanged:
    return SnapshotChanged(
        f"{uri}: changed after it was pinned ({how}). Results would mix two versions: run the night again from "
        "pull_snapshots, and let writers create new files instead of overwriting"
    )


def _require_size(listed: Listed, partial: Path) -> None:
    size = partial.stat().st_size
    if size != listed.size:
        partial.unlink()
        raise _changed(listed.uri, f"{size} bytes instead of {listed.size}")


def _require_parquet(listed: Listed, path: Path) -> None:
    """Nothing that is no parquet file stays in the cache, whatever a name or a link makes of it.

    Raises:
        SnapshotUnreadable: it does not start and end as one.
    """
    with open(path, "rb") as stream:
        is_parquet = _is_parquet(stream, listed.size)
    if not is_parquet:
        path.unlink()
        raise _no_parquet(listed)


def _is_parquet(stream: IO[bytes], size: int) -> bool:
    """Leaves the stream at its start."""
    start = stream.read(len(_MAGIC))
    stream.seek(max(size - len(_MAGIC), 0))
    end = stream.read(len(_MAGIC))
    stream.seek(0)
    return size > 2 * len(_MAGIC) and start in _MAGICS and end in _MAGICS


def _no_parquet(listed: Listed) -> SnapshotUnreadable:
    return unreadable(listed, "it does not start and end with PAR1")


def unreadable(listed: Listed, why: str) -> SnapshotUnreadable:
    """A file that is no parquet file, or not all of one."""
    return SnapshotUnreadable(
        f"{listed.uri}: not a readable parquet file ({listed.size} bytes): {why}; "
        "it may be cut off or still being written: write it again, or remove it"
    )


def _copy(listed: Listed, partial: Path) -> None:
    try:
        with open(listed.uri, "rb") as source:
            _require_state(listed, os.fstat(source.fileno()))
            if not _is_parquet(source, listed.size):  # before anything of it is written anywhere
                raise _no_parquet(listed)
            _copy_all(source, partial)
            _require_state(listed, os.fstat(source.fileno()))
        _require_state(listed, os.stat(listed.uri))
    except FileNotFoundError:
        raise _changed(listed.uri, "it was removed") from None


def _copy_all(source: IO[bytes], partial: Path) -> None:
    with open(partial, "wb") as target:
        while block := source.read(_BLOCK):
            target.write(block)


def _require_state(listed: Listed, status: os.stat_result) -> None:
    if file_state(status) != listed.state:
        raise _changed(listed.uri, "the file was written to or replaced")


def disk_error(error: OSError, uri: str, size: int) -> SourceUnavailable:
    """What an error of this machine's disk means for an object of so many bytes."""
    if error.errno == errno.ENOSPC:
        return SourceUnavailable(f"{uri}: no space left in PIPELINE_CACHE_DIR for {size} bytes")
    return SourceUnavailable(f"{uri}: cannot be read: {error.strerror or error}")


def _download(listed: Listed, partial: Path, version_id: str | None) -> str | None:
    """Retries what breaks in the middle of a body; boto3 itself retries requests that fail at the start."""
    retrying = Retrying(
        retry=retry_if_exception(lambda error: s3.may_pass(error) and not over()),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.2, max=20),
        reraise=True,
    )
    with s3.asking(listed.uri, SourceUnavailable, gone=lambda _: _changed(listed.uri, "it was overwritten or removed")):
        return retrying(_download_rest, listed, partial, version_id)


def _download_rest(listed: Listed, partial: Path, version_id: str | None) -> str | None:
    """What is not in the partial file yet, only if the object is still the listed one."""
    require_time()
    offset = partial.stat().st_size if partial.exists() else 0
    if offset >= listed.size and listed.size > 0:
        if offset == listed.size:
            return version_id
        partial.unlink()
        offset = 0
    bucket, key = s3.split(listed.uri)
    request: dict[str, Any] = {"Bucket": bucket, "Key": key}
    if version_id is not None:
        request["VersionId"] = version_id
    elif listed.state:
        request["IfMatch"] = listed.state
    if offset:
        request["Range"] = f"bytes={offset}-"
    response = s3.client().get_object(**request)
    with open(partial, "ab") as target, closing(response["Body"]) as body:
        target.writelines(body.iter_chunks(_BLOCK))
    found = response.get("VersionId")
    return str(found) if found not in (None, "null") else None
