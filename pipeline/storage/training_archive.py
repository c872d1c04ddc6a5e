"""Training sets: `<archive>/<monitor>/<sha256>.parquet`, written once, never changed and never published.

They hold every row and column that was trained on, so they lie outside of the run store, whose pages are for many.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigError, SnapshotChanged
from pipeline.storage.files import files_at
from pipeline.wording import clip, value

_SUFFIX = ".parquet"


@dataclass(frozen=True)
class Archived:
    """Where a training set lies, and the SHA-256 of its bytes, in hex."""

    uri: str
    sha256: str


class Archive:
    """The training sets of all monitors.

    Every method raises OutletUnavailable when the archive or the run store does not answer, or the disk is full.
    """

    def __init__(self, uri: str, store_uri: str) -> None:
        """`store_uri` is the run store, where earlier versions kept them.

        Raises:
            ConfigError: nobody said where the archive is.
        """
        if not uri:
            words = f"not set, and PIPELINE_STORE is a whole bucket, {store_uri}"
            raise ConfigError([f"PIPELINE_ARCHIVE: {words}; allowed: a place outside of it, for training sets"])
        self._files = files_at(uri, own=True)
        self._store = files_at(store_uri)

    def keep(self, monitor: str, path: Path) -> Archived:
        """Copy a parquet file into the archive under its digest; the same content is kept once."""
        with open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self._files.add(_key(monitor, digest), path)
        return Archived(self.uri(monitor, digest), digest)

    def uri(self, monitor: str, sha256: str) -> str:
        """Where the training set with a digest lies, if there is one.

        Raises:
            SnapshotChanged: that is no digest, so nothing Nightjar has registered.
        """
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise SnapshotChanged(f"{monitor}: {clip(value(sha256), 80)} is no digest of a training set")
        return self._files.uri(_key(monitor, sha256))

    def adopt(self, monitor: str) -> None:
        """Move what earlier versions kept among the pages, `<store>/<monitor>/training/`; but nothing that was changed.

        Whoever is interrupted leaves a set in both places, and the next one goes on.
        """
        for name in self._store.names(f"{monitor}/training"):
            content, digest = self._store.read(f"{monitor}/training/{name}"), name.removesuffix(_SUFFIX)
            if content is None or hashlib.sha256(content).hexdigest() != digest:
                continue
            with tempfile.NamedTemporaryFile(suffix=_SUFFIX) as copy:
                copy.write(content)
                copy.flush()
                self._files.add(_key(monitor, digest), Path(copy.name))
            self._store.remove(f"{monitor}/training/{name}")


def _key(monitor: str, sha256: str) -> str:
    return f"{monitor}/{sha256}{_SUFFIX}"
