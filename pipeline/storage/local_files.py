"""A run store on a local disk, or on a volume that several machines share."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

from pipeline.errors import OutletUnavailable
from pipeline.parts import part_prefix, sweep_parts
from pipeline.storage.lease import Lease, file_silence, hold_file
from pipeline.storage.manifest import MANIFEST, Manifest, aside
from pipeline.storage.modes import OWN, Modes, make_folders, modes_of

_TRIES = 5


class LocalFiles:
    """Files below a folder. A published folder is a symbolic link, switched in one step to one that is complete.

    Pages are for the store's user and group, what is Nightjar's own for the user alone, and so is all of a store of
    which nothing is published (`own`).
    """

    def __init__(self, root: Path, *, own: bool = False) -> None:
        """A relative path means what it means now, also after the process has changed its folder."""
        self._root = root.absolute()
        self._own = own

    def _modes(self, key: str) -> Modes:
        return OWN if self._own else modes_of(key)

    def _make(self, folder: str) -> None:
        make_folders(self._root, folder, own=self._own)

    def _replace(self, key: str, fill: Callable[[IO[bytes]], object], *, fixed: bool = False) -> None:
        """Have a file filled, which then takes the place of the key's, and is gone if that failed."""
        with _explained(self._root / key, "written"):
            _again(lambda: self._replace_once(key, fill, fixed=fixed), errno.ENOENT)

    def _replace_once(self, key: str, fill: Callable[[IO[bytes]], object], *, fixed: bool) -> None:
        target, modes = self._root / key, self._modes(key)
        self._make(_folder_of(key))
        sweep_parts(target)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=part_prefix(target), delete=False) as stream:
            try:
                fill(stream)
                stream.flush()
                os.fsync(stream.fileno())
                os.fchmod(stream.fileno(), modes.fixed if fixed else modes.changing)
                os.replace(stream.name, target)
            except BaseException:
                Path(stream.name).unlink(missing_ok=True)
                raise

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
        self._replace(key, lambda stream: stream.write(content))

    def add(self, key: str, path: Path) -> None:
        """See `Files`."""
        target = self._root / key
        if not target.exists():
            with open(path, "rb") as source:
                self._replace(key, lambda stream: _copy(source, stream), fixed=True)

    def remove(self, key: str) -> None:
        """See `Files`."""
        path = self._root / key
        with _explained(path, "removed"):
            path.unlink(missing_ok=True)

    def remove_folder(self, key: str) -> None:
        """See `Files`."""
        path = self._root / key
        with _explained(path, "removed"):
            if path.is_symlink():
                path.unlink(missing_ok=True)
            elif path.is_dir():
                _again(lambda: shutil.rmtree(path, onerror=_unless_gone), errno.ENOTEMPTY)

    def bytes_of(self, key: str) -> int:
        """See `Files`."""
        found, folder = 0, self._root / key
        if folder.is_symlink():
            return 0
        with _explained(folder, "listed"):
            for place, _, names in os.walk(folder):
                for name in names:
                    with suppress(FileNotFoundError):
                        found += Path(place, name).lstat().st_size
        return found

    def names(self, key: str) -> list[str]:
        """See `Files`."""
        folder = self._root / key
        with _explained(folder, "listed"):
            try:
                return [item.name for item in folder.iterdir() if item.is_file() and not item.name.startswith(".")]
            except (FileNotFoundError, NotADirectoryError):
                return []

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
        with _explained(self._root / key, "locked"):
            self._make(_folder_of(key))
        return hold_file(self._root / key, wait_seconds, holder)

    def silence(self, key: str) -> float | None:
        """See `Files`."""
        return file_silence(self._root / key)

    def publish(self, key: str, files: Mapping[str, bytes], manifest: Manifest, lease: Lease) -> None:
        """See `Files`."""
        link, versions = self._root / key, self._root / aside(key)
        with _explained(link, "written"):
            self._make(aside(key))
            _remove_others(versions, _target(link))
            complete = Path(tempfile.mkdtemp(dir=versions))
            complete.chmod(self._modes(key).folder)
            for name in manifest.files.keys() - files.keys():
                with suppress(FileNotFoundError):  # what somebody removed stays removed
                    os.link(link / name, complete / name)
        for name, content in {**files, MANIFEST: manifest.to_json()}.items():
            self.write(str((complete / name).relative_to(self._root)), content)
        lease.require()
        with _explained(link, "written"):
            new_link = complete.with_suffix(".link")
            new_link.symlink_to(complete.relative_to(link.parent))
            os.replace(new_link, link)

    def settle(self, key: str, lease: Lease) -> None:
        """Nothing: a publisher that was killed has either switched the link or not."""


def _folder_of(key: str) -> str:
    return key.rpartition("/")[0]


def _copy(source: IO[bytes], stream: IO[bytes]) -> None:
    source.seek(0)
    shutil.copyfileobj(source, stream)


def _again(work: Callable[[], None], met: int) -> None:
    """Who removes a folder knows nothing of those who write there, nor they of him. Where they meet, by what the system
    says, it is done again.
    """
    for _ in range(_TRIES - 1):
        try:
            work()
        except OSError as error:
            if error.errno != met:
                raise
        else:
            return
    work()


def _unless_gone(_: object, __: str, raised: tuple[type[BaseException], BaseException, object]) -> None:
    """What somebody else removed meanwhile is removed."""
    if not isinstance(raised[1], FileNotFoundError):
        raise raised[1]


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
def _explained(path: Path, done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise OutletUnavailable(f"{path}: cannot be {done}: {why}; see PIPELINE_STORE") from error
