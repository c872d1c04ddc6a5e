"""Training sets in the run store: `<store>/<monitor>/training/<sha256>.parquet`, written once and never changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipeline.storage.files import files_at


@dataclass(frozen=True)
class Archived:
    """Where a training set lies, and the SHA-256 of its bytes, in hex."""

    uri: str
    sha256: str


def archive(store_uri: str, monitor: str, path: Path) -> Archived:
    """Copy a parquet file into the run store under its digest; the same content is kept once.

    Raises:
        OutletUnavailable: the run store did not answer, or the disk is full.
    """
    with open(path, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    files, key = files_at(store_uri), f"{monitor}/training/{digest}.parquet"
    files.add(key, path)
    return Archived(files.uri(key), digest)
