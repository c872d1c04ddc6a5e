"""The columns of what lies at an address, from one footer: no rows are fetched, and nothing is pinned or cached."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from pipeline.errors import SnapshotUnreadable, SourceUnavailable
from pipeline.snapshots.form import Part, form_of
from pipeline.snapshots.listed import Listed
from pipeline.snapshots.locations import list_objects
from pipeline.snapshots.partitions import partition_of
from pipeline.storage import s3
from pipeline.wording import cause

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_BUFFER_BYTES = 1 << 16


def schema_at(location: str, dates: Collection[str] = (), complete: str | None = None) -> pa.Schema:
    """Names and types of the columns as readers see them, by the file that was written last and by all folders.

    Args:
        location: a file, a directory, a glob, or an S3 key or prefix, without `{date}`.
        dates: names of folders that say which night it is, see `pipeline.snapshots.pin`.
        complete: see `pipeline.snapshots.pin`.

    Raises:
        SnapshotMissing: nothing is there, or not all of it.
        SnapshotUnreadable: the file is no parquet file.
        SourceUnavailable: the storage did not answer, or refused.
    """
    import pyarrow as pa

    found = list_objects(location, complete)
    newest = max(found, key=lambda item: (item.modified, item.uri))
    try:
        footer = _footer(newest)
    except (pa.ArrowException, OSError) as error:
        raise SnapshotUnreadable(f"{newest.uri}: not a readable parquet file: {cause(error)}") from error
    schema, rows = footer.schema.to_arrow_schema(), footer.num_rows
    return form_of([Part(item.uri, schema, rows, partition_of(item.uri, location, dates)) for item in found])


def _footer(newest: Listed) -> pq.FileMetaData:
    import pyarrow.parquet as pq

    if not s3.is_s3(newest.uri):
        return pq.read_metadata(newest.uri)
    with s3.asking(newest.uri, SourceUnavailable):
        return pq.read_metadata(io.BufferedReader(_Object(newest), _BUFFER_BYTES))


class _Object(io.RawIOBase):
    """An S3 object of which only the parts that are read are fetched."""

    def __init__(self, listed: Listed) -> None:
        self._bucket, self._key = s3.split(listed.uri)
        self._size, self._place = listed.size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        end = min(self._place + len(buffer), self._size)
        if end <= self._place:
            return 0
        wanted = f"bytes={self._place}-{end - 1}"
        body: bytes = s3.client().get_object(Bucket=self._bucket, Key=self._key, Range=wanted)["Body"].read()
        buffer[: len(body)] = body
        self._place += len(body)
        return len(body)
