"""Folders for work that is thrown away: training sets and models, private columns included. However a process ends,
what it leaves is gone when the next one starts.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FOLDER, _LOCK, _INNER = "work", ".lock", "own"
_TEMPORARY = "nightjar-work-"


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """An empty folder below `parent`, for this user alone, gone when the block ends; and so are those of processes that
    were killed.
    """
    with _alone(parent) as place:
        _sweep(place)
        folder = Path(tempfile.mkdtemp(dir=place))
        descriptor = _lock(folder)  # ends with this process, and says until then that the folder is in use
        (folder / _INNER).mkdir()
    try:
        yield folder / _INNER
    finally:
        _remove(parent, folder, descriptor)


def _remove(parent: Path, folder: Path, descriptor: int) -> None:
    """Many files go while nobody waits; the folder itself, which a sweep may be looking at, while nobody looks."""
    try:
        shutil.rmtree(folder / _INNER, ignore_errors=True)
        with suppress(OSError), _alone(parent):  # the next one removes what cannot be removed now
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """The same among the system's temporary files: for who knows of no cache, or needs little room."""
    with scratch_folder(_among_temporary_files()) as folder:
        yield folder


def _among_temporary_files() -> Path:
    """A folder of this user's, found again by every process. Others can write there, too, and guess names."""
    root = Path(tempfile.gettempdir())
    own = [found for found in sorted(root.glob(f"{_TEMPORARY}*")) if _is_own(found)]
    for other in own[1:]:  # those who began at once made one each, of which the others are not begun in again
        with suppress(OSError):
            sweep(other)
    return own[0] if own else Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=root))


def _is_own(folder: Path) -> bool:
    with suppress(FileNotFoundError):
        status = folder.lstat()
        is_private = status.st_uid == os.getuid() and stat.S_IMODE(status.st_mode) == 0o700
        return stat.S_ISDIR(status.st_mode) and is_private
    return False


def sweep(parent: Path) -> None:
    """Remove what killed processes left below `parent`."""
    if (parent / _FOLDER).is_dir():
        with _alone(parent) as place:
            _sweep(place)


def _sweep(place: Path) -> None:
    for folder in place.iterdir():
        if folder.is_dir():
            with suppress(BlockingIOError):  # it is in use
                descriptor = _lock(folder, fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                os.close(descriptor)


@contextmanager
def _alone(parent: Path) -> Iterator[Path]:
    """The folder of all of them, in which nobody else makes or removes one meanwhile."""
    place = parent / _FOLDER
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = _lock(place)
    try:
        yield place
    finally:
        os.close(descriptor)


def _lock(folder: Path, options: int = 0) -> int:
    """Hold the lock of a folder until what this gives is closed.

    Raises:
        BlockingIOError: somebody else holds it, and the options say not to wait.
    """
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | options)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
