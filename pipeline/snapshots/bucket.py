"""Locations on S3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from pipeline.errors import SnapshotMissing, SourceUnavailable
from pipeline.log_context import Pool
from pipeline.snapshots.listed import Found, Listed
from pipeline.snapshots.patterns import Pattern, States, literal_start
from pipeline.snapshots.tables import TABLE_FORMATS, TableFormat, tables_marked_by
from pipeline.storage import s3

_PARALLEL_QUESTIONS = 8
_MOST_LOG_FILES = 10_000


class Bucket:
    """A bucket: folders are what keys have in common up to a `/`. Remembers which tables a listing came across."""

    def __init__(self, location: str) -> None:
        self._bucket, self.path = s3.split(location)
        self._location = location
        self._seen: str | None = None
        self._tables: dict[str, TableFormat] = {}

    def errors(self) -> AbstractContextManager[None]:
        """Errors of S3 as ours."""
        return s3.asking(
            self._location, SourceUnavailable, gone=lambda text: SnapshotMissing(f"{text}; check the bucket")
        )

    def file(self, path: str) -> Listed | None:
        """The object of just this key. An empty one beside a folder of its name marks the folder."""
        first = next(self._objects(path, 1), None) if path else None
        if first is None or first["Key"] != path or (not first["Size"] and self.has_folder(f"{path}/")):
            return None
        return self._listed(first)

    def has_folder(self, path: str) -> bool:
        """Whether any key starts so."""
        return next(self._objects(path, 1), None) is not None

    def find(self, folder: str, pattern: Pattern) -> Found:
        """What a pattern means of what lies below a folder."""
        found, walked = Found(), {"": pattern.start}
        self._seen = folder + (literal_start(pattern.parts[0]) if pattern.parts else "")
        for item in self._objects(self._seen):
            name = item["Key"].removeprefix(folder)
            self._tables |= {f"{self._uri(folder)}{table}": form for table, form in tables_marked_by(name)}
            above, _, last = name.rpartition("/")
            if not last:  # marks a folder
                continue
            if pattern.chooses(_walk(pattern, above, walked), last, item["Size"]):
                found.chosen.append(self._listed(item))
            else:
                found.others.append(last)
        return found

    def tables(self, folders: Iterable[str]) -> dict[str, TableFormat]:
        """Which of the folders are tables, of which format."""
        folders = list(folders)
        unseen = [(folder, form) for folder in folders for form in TABLE_FORMATS if not self._was_listed(folder)]
        with Pool(_PARALLEL_QUESTIONS) as pool:
            logs = list(pool.map(lambda asked: self._holds_log(*asked), unseen))
        asked = {folder: form for (folder, form), holds in zip(unseen, logs, strict=True) if holds}
        return asked | {folder: self._tables[folder] for folder in folders if folder in self._tables}

    def _was_listed(self, folder: str) -> bool:
        return self._seen is not None and folder.startswith(self._uri(self._seen))

    def _holds_log(self, folder: str, form: TableFormat) -> bool:
        """False also where a policy lets nobody look."""
        from botocore.exceptions import ClientError

        prefix = f"{s3.split(folder)[1]}{form.folder}/"
        try:
            found = self._objects(prefix, 1 if form.file is None else _MOST_LOG_FILES)
            return any(form.is_marked_by(form.folder + "/" + item["Key"].removeprefix(prefix)) for item in found)
        except ClientError as error:
            if s3.is_denied(error):
                return False
            raise

    def _objects(self, prefix: str, most: int | None = None) -> Iterator[dict[str, Any]]:
        limits = {} if most is None else {"MaxItems": most, "PageSize": min(most, 1000)}
        pages = s3.client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, PaginationConfig=limits):
            yield from page.get("Contents", ())

    def _uri(self, key: str) -> str:
        return f"{s3.SCHEME}{self._bucket}/{key}"

    def _listed(self, item: dict[str, Any]) -> Listed:
        modified = item["LastModified"].isoformat(timespec="seconds")
        touched = item["LastModified"].timestamp()
        return Listed(self._uri(item["Key"]), int(item["Size"]), modified, str(item["ETag"]), touched)


def _walk(pattern: Pattern, folder: str, walked: dict[str, States]) -> States:
    """Where a walk is in a folder. `walked` keeps what was asked before."""
    if folder not in walked:
        above, slash, last = folder.rpartition("/")
        walked[folder] = pattern.below(_walk(pattern, above, walked) if slash else pattern.start, last)
    return walked[folder]
