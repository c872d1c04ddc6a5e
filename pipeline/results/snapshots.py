"""Pinned snapshots: which bytes a night is about."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from typing import ClassVar

from pipeline.results.base import Kept, Result

_INDEX = re.compile(r"__index_level_\d+__")


class PinnedObject(Result):
    """One parquet object as it was when the snapshot was pinned.

    `etag` and `version_id` come from S3, where the store offers them; `sha256` is of the content, in hex. `partition`
    are columns that its folders say, such as `country=DE/`: names and values, None for no value.
    """

    uri: str
    size: int
    sha256: str
    rows: int
    modified: str | None = None
    etag: str | None = None
    version_id: str | None = None
    partition: tuple[tuple[str, str | None], ...] = ()


class ColumnType(Result):
    """A column of a snapshot: its name and its Arrow type, as Arrow writes it."""

    name: str
    type: str


class Snapshot(Result):
    """All parquet objects behind one location on one date, pinned. Row order is the order of `objects`.

    `form` is the Arrow schema that all objects are read in, as Arrow serialises it, in base64; None where they have it
    as they are.
    """

    uri: str
    objects: tuple[PinnedObject, ...]
    fields: tuple[ColumnType, ...]
    rows: int
    form: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the objects, in order: equal content, equal digest, wherever it lies."""
        return hashlib.sha256("\n".join(map(_identity, self.objects)).encode()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all objects together."""
        return sum(item.size for item in self.objects)


def _identity(item: PinnedObject) -> str:
    """What an object's rows depend on: its content, and what its folders say."""
    return item.sha256 + (json.dumps(item.partition) if item.partition else "")


class SnapshotPair(Kept):
    """What one night compares. `labels` and `labelled` are of `labels_date`, once the labels have arrived.

    `labels_problem`: why they cannot be read, although they are there; a night goes on without them.
    """

    file: ClassVar[str] = "snapshots"

    monitor: str
    run_date: date
    reference: Snapshot
    production: Snapshot
    labels_date: date | None = None
    labels: Snapshot | None = None
    labelled: Snapshot | None = None
    labels_problem: str | None = None

    @property
    def digest(self) -> str:
        """Identifies the data of this night; every later result carries it as `snapshots`."""
        present = [item for item in (self.reference, self.production, self.labels, self.labelled) if item is not None]
        return hashlib.sha256("\n".join(item.digest for item in present).encode()).hexdigest()


def is_index(name: str) -> bool:
    """Whether a column is the row numbers of a pandas frame, which pandas stores under names of its own: it is none."""
    return _INDEX.fullmatch(name) is not None
