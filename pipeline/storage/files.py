"""What a run store asks of the place it lies in: a local disk or S3, told apart by its address."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from pipeline.storage import s3
from pipeline.storage.lease import Lease
from pipeline.storage.local_files import LocalFiles
from pipeline.storage.manifest import Manifest
from pipeline.storage.s3_files import S3Files


class Files(Protocol):
    """Whole files by key, `/` between parts. Every method raises OutletUnavailable when the place fails."""

    def uri(self, key: str) -> str:
        """Where a file or folder lies: a path or an s3:// address."""
        ...

    def read(self, key: str) -> bytes | None:
        """A file; None where there is none."""
        ...

    def write(self, key: str, content: bytes) -> None:
        """Put a file in place of whatever is there, in one step."""
        ...

    def add(self, key: str, path: Path) -> None:
        """Keep a file of any size, unless there is one of that key already."""
        ...

    def remove(self, key: str) -> None:
        """Remove a file, if it is there."""
        ...

    def remove_folder(self, key: str) -> None:
        """Remove a folder with all that is in it, if it is there; first what makes it one that is published."""
        ...

    def bytes_of(self, key: str) -> int:
        """What the files of a folder take, with those of its folders; of what it links to nothing."""
        ...

    def names(self, key: str) -> list[str]:
        """Names of the files right in a folder."""
        ...

    def folders(self, key: str) -> list[str]:
        """Names of the folders in a folder."""
        ...

    def alone(self, key: str, wait_seconds: float, holder: str) -> AbstractContextManager[Lease]:
        """Hold the lease of a key; see `pipeline.storage.lease`."""
        ...

    def silence(self, key: str) -> float | None:
        """For how many seconds the holder of a lease has given no sign of life; None where nobody holds it."""
        ...

    def publish(self, key: str, files: Mapping[str, bytes], manifest: Manifest, lease: Lease) -> None:
        """Put a folder in place of the one of that key, whole: these files, and of those there now what it names, too.

        Raises:
            StoreBusy: the lease was lost. The folder is as others left it.
        """
        ...

    def settle(self, key: str, lease: Lease) -> None:
        """Complete what a publisher of the folder left undone when it was killed."""
        ...


def files_at(uri: str, *, own: bool = False) -> Files:
    """The place that an address means; `own`: nothing of it is published, see `LocalFiles`."""
    return S3Files(uri) if s3.is_s3(uri) else LocalFiles(Path(uri), own=own)
