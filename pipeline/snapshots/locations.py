"""Which objects lie behind a location of a monitor file: a file, a directory, a glob, an S3 key or prefix."""

from __future__ import annotations

import fnmatch
import glob
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import SnapshotMissing, SourceUnavailable
from pipeline.storage import s3

_GLOB_CHARACTERS = "*?["


@dataclass(frozen=True)
class Listed:
    """One object as the listing showed it. `size` in bytes, `modified` in ISO 8601 UTC.

    `state` changes whenever the content may have: the ETag on S3; inode, size and change time on a local disk (the
    change time, unlike the modification time, cannot be set back).
    """

    uri: str
    size: int
    modified: str
    state: str


def list_objects(location: str) -> list[Listed]:
    """Every parquet object behind a location, sorted by address. Names that start with `_` or `.` are skipped.

    Raises:
        SnapshotMissing: nothing is there.
        SourceUnavailable: the storage did not answer, or refused.
    """
    found = _list_s3(location) if s3.is_s3(location) else _list_local(location)
    if not found:
        raise SnapshotMissing(
            f"{location}: no parquet file there; check the path, and that the job that writes this snapshot has run"
        )
    return sorted(found, key=lambda item: item.uri)


def _list_local(location: str) -> list[Listed]:
    path = Path(location)
    try:
        if path.is_dir():
            paths = [item for item in path.rglob("*.parquet") if _visible(item.relative_to(path).as_posix())]
        elif path.is_file():
            paths = [path]
        else:
            paths = _expand_glob(location)
        return [listed_file(item) for item in paths if item.is_file()]
    except OSError as error:
        raise SourceUnavailable(f"{location}: cannot be listed: {error.strerror}; check its permissions") from error


def _expand_glob(location: str) -> list[Path]:
    if not any(char in location for char in _GLOB_CHARACTERS):
        return []
    matches = [Path(item) for item in glob.glob(location, recursive=True)]
    below = [found for item in matches if item.is_dir() for found in item.rglob("*.parquet")]
    files = [item for item in matches if item.is_file()] + below
    return [item for item in dict.fromkeys(files) if _visible(item.name)]


def listed_file(path: Path) -> Listed:
    """A local file as it is now."""
    from datetime import UTC, datetime

    status = os.stat(path)
    modified = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
    return Listed(str(path), status.st_size, modified, file_state(status))


def file_state(status: os.stat_result) -> str:
    """What changes when a local file is written or replaced."""
    return f"{status.st_dev}-{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"


def _list_s3(location: str) -> list[Listed]:
    bucket, key = s3.split(location)
    with s3.asking(location, SourceUnavailable, gone=lambda text: SnapshotMissing(f"{text}; check the bucket")):
        if any(char in key for char in _GLOB_CHARACTERS):
            fixed = key[: min(key.index(char) for char in _GLOB_CHARACTERS if char in key)]
            return [item for item in _list_prefix(bucket, fixed) if fnmatch.fnmatchcase(s3.split(item.uri)[1], key)]
        if not key.endswith("/"):
            exact = [item for item in _list_prefix(bucket, key) if s3.split(item.uri)[1] == key]
            if exact:
                return exact
        prefix = key.rstrip("/") + "/"
        return [item for item in _list_prefix(bucket, prefix) if _is_parquet(item.uri, f"s3://{bucket}/{prefix}")]


def _list_prefix(bucket: str, prefix: str) -> list[Listed]:
    pages = s3.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [_listed_key(bucket, item) for page in pages for item in page.get("Contents", ())]


def _listed_key(bucket: str, item: dict[str, Any]) -> Listed:
    modified = item["LastModified"].isoformat(timespec="seconds")
    return Listed(f"s3://{bucket}/{item['Key']}", int(item["Size"]), modified, str(item["ETag"]))


def _is_parquet(uri: str, prefix: str) -> bool:
    return uri.endswith(".parquet") and _visible(uri.removeprefix(prefix))


def _visible(relative: str) -> bool:
    """Writers leave `_SUCCESS`, `_temporary/` and `.part` files beside the data."""
    return not any(part.startswith(("_", ".")) for part in PurePosixPath(relative).parts)
