"""Which objects lie behind a location of a monitor file: a file, a directory, a glob, an S3 key or prefix.

`pipeline.snapshots.patterns` says what a location means, `disk` and `bucket` look for it. Each part of a location is
taken literally where something of just that name is there, and as a pattern otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from pipeline.errors import SnapshotMissing, SnapshotUnreadable
from pipeline.snapshots.bucket import Bucket
from pipeline.snapshots.disk import Disk
from pipeline.snapshots.listed import Found, Listed
from pipeline.snapshots.patterns import COUNTS, Pattern, has_wildcard
from pipeline.snapshots.tables import TableFormat, folders_above
from pipeline.storage import s3
from pipeline.wording import clip, count, listed

_MOST_OTHERS = 3
_NAME_LENGTH = 80
_ADDRESS_LENGTH = 1000


class Storage(Protocol):
    """Where a location is looked for. `path` is the location's own; those of folders end with `/`."""

    path: str

    def errors(self) -> AbstractContextManager[None]:
        """Raises what goes wrong inside as one of our errors."""
        ...

    def file(self, path: str) -> Listed | None:
        """The file of just this name."""
        ...

    def has_folder(self, path: str) -> bool:
        """Whether a folder of just this name is there."""
        ...

    def find(self, folder: str, pattern: Pattern) -> Found:
        """What a pattern means of what lies below a folder."""
        ...

    def tables(self, folders: Iterable[str]) -> dict[str, TableFormat]:
        """Which of the folders (addresses) are tables, of which format."""
        ...


def list_objects(location: str, complete: str | None = None) -> list[Listed]:
    """Every parquet object behind a location, sorted by address: the same for the same tree on disk and on S3.

    Args:
        location: a file, a directory, a glob, or an S3 key or prefix, without `{date}`.
        complete: the name of a file that whoever writes a snapshot puts into its folder last. Each object needs one
            beside it, or in a folder above it within the location.

    Raises:
        SnapshotMissing: nothing is there, or not all of it yet.
        SnapshotUnreadable: it is a table that has to be read as one, or a file name is not UTF-8.
        SourceUnavailable: the storage did not answer, or refused.
    """
    storage = _storage(location)
    if complete is None:
        return _list(location, storage)
    found = _list(location, storage)
    with storage.errors():
        lacking = _without(complete, found, storage)
    if lacking is None and _list(location, storage) != found:  # files that came after the first look
        lacking = location
    if lacking is not None:
        raise SnapshotMissing(
            f"{location}: not complete yet: {clip(lacking, _ADDRESS_LENGTH)} has no {complete} (snapshots.complete), "
            "which is written when all files are there; run the night again then"
        )
    return found


def _storage(location: str) -> Storage:
    return Bucket(location) if s3.is_s3(location) else Disk(location)


def _without(name: str, found: Iterable[Listed], storage: Storage) -> str | None:
    """The first folder of these objects that has no file of this name, nor has one above it in the location."""
    path = storage.path
    is_file = not path.endswith("/") and storage.file(path) is not None
    top = _folder_of(path) if is_file else _cut(path, storage)[0]
    known: dict[str, bool] = {}

    def holds(folder: str) -> bool:
        if folder not in known:
            above = _folder_of(folder.removesuffix("/"))
            inside = folder != top and above.startswith(top)
            known[folder] = (inside and holds(above)) or storage.file(folder + name) is not None
        return known[folder]

    for item in found:
        if not holds(_folder_of(s3.split(item.uri)[1] if s3.is_s3(item.uri) else item.uri)):
            return _folder_of(item.uri)
    return None


def _folder_of(path: str) -> str:
    """Up to and with the last `/`; empty without one."""
    return path[: path.rfind("/") + 1]


def _list(location: str, storage: Storage) -> list[Listed]:
    with storage.errors():
        found = _find(storage)
        above = {folder for item in found.chosen for folder in folders_above(item.uri)}
        tables = storage.tables(above)
    if not found.chosen:
        raise SnapshotMissing(
            f"{location}: no parquet file there{_instead(found)}; check the path, and that the job that writes this "
            "snapshot has run"
        )
    for folder in sorted(tables):
        raise SnapshotUnreadable(_not_as_files(location, folder, tables[folder]))
    for item in found.chosen:
        _require_utf8(item.uri)
    return sorted(found.chosen, key=lambda item: item.uri)


def state_at(location: str) -> str:
    """SHA-256 of a listing: it changes whenever the objects behind a location may have, and no object is read for it.

    Raises:
        SnapshotMissing, SnapshotUnreadable, SourceUnavailable: see `list_objects`.
    """
    seen = [(item.uri, item.size, item.state) for item in list_objects(location)]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def _find(storage: Storage) -> Found:
    path = storage.path
    file = None if path.endswith("/") else storage.file(path)
    return Found([file]) if file is not None else storage.find(*_cut(path, storage))


def _cut(path: str, storage: Storage) -> tuple[str, Pattern]:
    """A path as the folder that is certain, and what may vary below it."""
    parts = path.removesuffix("/").split("/") if path else []
    fixed, folder = 0, ""
    for part in parts:
        if has_wildcard(part) and not storage.has_folder(f"{folder}{part}/"):
            break
        fixed, folder = fixed + 1, f"{folder}{part}/"
    return folder, Pattern(tuple(parts[fixed:]), path.endswith("/"))


def _instead(found: Found) -> str:
    if not found.others:
        return ""
    names = listed([clip(name, _NAME_LENGTH) for name in sorted(found.others)], _MOST_OTHERS)
    return f", but {count(len(found.others), 'other file')} ({names}): {COUNTS}"


def _not_as_files(location: str, folder: str, form: TableFormat) -> str:
    return (
        f"{location}: {folder} is {form.name} (it holds {form.folder}/), whose folder also keeps rows that were "
        "replaced or removed: read file by file, its rows would be wrong. Export the version that is meant to a "
        f"folder of plain parquet files elsewhere, such as with {form.export}, and name that folder"
    )


def _require_utf8(uri: str) -> None:
    try:
        uri.encode()
    except UnicodeEncodeError:
        shown = clip(uri, _ADDRESS_LENGTH)
        raise SnapshotUnreadable(f"{shown}: its name is not UTF-8, so no result can say it; rename the file") from None
