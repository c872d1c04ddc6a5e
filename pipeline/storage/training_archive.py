"""Training sets in the run store: `<store>/<monitor>/training/<sha256>.parquet`, written once and never changed."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import OutletUnavailable
from pipeline.storage import s3


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
    key = f"{monitor}/training/{digest}.parquet"
    if s3.is_s3(store_uri):
        return Archived(_upload(store_uri.rstrip("/") + "/" + key, path), digest)
    return Archived(_copy(Path(store_uri) / key, path), digest)


def _copy(target: Path, path: Path) -> str:
    if not target.exists():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.{os.getpid()}")
            shutil.copyfile(path, temporary)
            temporary.chmod(0o444)
            os.replace(temporary, target)
        except OSError as error:
            raise OutletUnavailable(f"{target}: cannot be written: {error.strerror}; see PIPELINE_STORE") from error
    return str(target.resolve())


def _upload(uri: str, path: Path) -> str:
    bucket, key = s3.split(uri)
    with s3.asking(uri, OutletUnavailable), open(path, "rb") as stream:
        s3.client().upload_fileobj(stream, bucket, key)
    return uri
