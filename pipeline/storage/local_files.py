"""A run store on a local disk, or on a volume that several machines share."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

from pipeline.errors import OutletUnavailable
from pipeline.storage.lease import Lease, hold_file
from pipeline.storage.manifest import MANIFEST, Manifest, aside

_CHANGING, _FIXED = 0o644, 0o444


class LocalFiles:
    """Files below a folder. A published folder is a symbolic link, switched in one step to one that is complete."""

    def __init__(self, root: Path) -> None:
        """A relative path means what it means now, also after the process has changed its folder."""
        self._root = root.absolute()

    def uri(self, key: str) -> str:
        """See `Files`."""
        return str(self._root / key)

    def read(self, key: str) -> bytes | None:
        """See `Files`."""
        path = self._root / key
        with _explained(path, "read"):
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, key: str, content: bytes) -> None:
        """See `Files`."""
        with _replacing(self._root / key, _CHANGING) as stream:
            stream.write(content)

    def add(self, key: str, path: Path) -> None:
        """See `Files`."""
        target = self._root / key
        if not target.exists():
            with open(path, "rb") as source, _replacing(target, _FIXED) as stream:
                shutil.copyfileobj(source, stream)

    def remove(self, key: str) -> None:
        """See `Files`."""
        path = self._root / key
        with _explained(path, "removed"):
            path.unlink(missing_ok=True)

    def folders(self, key: str) -> list[str]:
        """See `Files`."""
        folder = self._root / key
        with _explained(folder, "listed"):
            try:
                return [item.name for item in folder.iterdir() if item.is_dir()]
            except (FileNotFoundError, NotADirectoryError):
                return []

    def alone(self, key: str, wait_seconds: float, holder: str) -> AbstractContextManager[Lease]:
        """See `Files`."""
        return hold_file(self._root / key, wait_seconds, holder)

    def publish(self, key: str, files: Mapping[str, bytes], manifest: Manifest, lease: Lease) -> None:
        """See `Files`."""
        link, versions = self._root / key, self._root / aside(key)
        with _explained(link, "written"):
            versions.mkdir(parents=True, exist_ok=True)
            _remove_others(versions, _target(link))
            complete = Path(tempfile.mkdtemp(dir=versions))
            complete.chmod(0o755)
            for name in manifest.files.keys() - files.keys():
                with suppress(FileNotFoundError):  # what somebody removed stays removed
                    os.link(link / name, complete / name)
        for name, content in {**files, MANIFEST: manifest.to_json()}.items():
            with _replacing(complete / name, _CHANGING) as stream:
                stream.write(content)
        lease.require()
        with _explained(link, "written"):
            new_link = complete.with_suffix(".link")
            new_link.symlink_to(complete.relative_to(link.parent))
            os.replace(new_link, link)

    def settle(self, key: str, lease: Lease) -> None:
        """Nothing: a publisher that was killed has either switched the link or not."""


def _target(link: Path) -> str | None:
    """The name of the folder that a published one is a link to. Compared by name: paths to it can be many."""
    return link.readlink().name if link.is_symlink() else None


def _remove_others(versions: Path, current: str | None) -> None:
    """What failed publications left, and versions before the current one; a reader may be in the current one."""
    for item in versions.iterdir():
        if item.name != current:
            with suppress(OSError):  # the next one tries again
                item.unlink() if item.is_symlink() else shutil.rmtree(item)


@contextmanager
def _replacing(target: Path, mode: int) -> Iterator[IO[bytes]]:
    """A file to fill, which takes the place of the target once the block has ended, and is gone where that failed."""
    with _explained(target, "written"):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as stream:
            try:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
                os.fchmod(stream.fileno(), mode)
                os.replace(stream.name, target)
            except BaseException:
                Path(stream.name).unlink(missing_ok=True)
                raise


@contextmanager
def _explained(path: Path, done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise OutletUnavailable(f"{path}: cannot be {done}: {why}; see PIPELINE_STORE") from error
