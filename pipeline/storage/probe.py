"""Whether a place takes what is written to it, gives it back, lists and removes it: all that Nightjar asks of one."""

from __future__ import annotations

import uuid
from contextlib import suppress

from pipeline.errors import NightjarError, OutletUnavailable
from pipeline.storage import s3
from pipeline.storage.files import Files, files_at

_CONTENT = b"Written by `doctor`, and removed by it.\n"


def probe(uri: str, *, own: bool = False) -> None:
    """Write a small file, read it, list the place and remove the file; of S3 also whether it writes on conditions.

    Args:
        uri: a folder, or an s3:// address.
        own: nothing of it is published, see `pipeline.storage.files.files_at`.

    Raises:
        OutletUnavailable: something of it failed; says what.
    """
    files, key = files_at(uri, own=own), f".doctor-{uuid.uuid4().hex}"
    try:
        _use(files, key, uri)
    except NightjarError:
        with suppress(NightjarError):  # what went wrong first says more
            files.remove(key)
        raise
    files.remove(key)
    if files.read(key) is not None:
        raise OutletUnavailable(f"{uri}: a file that was removed is still there")


def _use(files: Files, key: str, uri: str) -> None:
    if not s3.is_s3(uri):
        files.write(key, _CONTENT)
    elif s3.write_if(files.uri(key), _CONTENT, None) is None or s3.write_if(files.uri(key), b"other", None):
        raise OutletUnavailable(f"{uri}: the store does not heed conditions of writes, on which leases rest")
    if files.read(key) != _CONTENT:
        raise OutletUnavailable(f"{uri}: a file reads otherwise than it was written")
    files.folders("")
