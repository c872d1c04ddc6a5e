"""Pinned objects on the local disk, by the SHA-256 of their content; shared by all processes of a machine.

The cache is bounded: least recently used objects make room. An object that some process has leased is never removed,
so the bound may be passed while it is in use. Leases are `flock` locks: they end with their process, however it ends.

Objects belong to the user who runs Nightjar alone, whoever may read their sources, and readers cannot write them. Each
has a seal beside it: the state in which the file was when its content was known to be right. An object in another state
is hashed again before anybody reads it. When it was last used, the seal's own time says.

What was made of objects has a place among them, by another name than its content's, and a note of what it was made of:
it goes where these are forgotten.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.errors import SourceUnavailable
from pipeline.snapshots.disk import file_state
from pipeline.wording import seconds

log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 3600.0
_OWN_FOLDER, _OWN_FILE = 0o700, 0o400
_SHARE_UNLOOKED = 8  # a look at the objects is good for this part of the room that it found


@dataclass(frozen=True)
class Lease:
    """A cached object that will not be removed until the lease is closed."""

    path: Path
    sha256: str
    _descriptor: int

    def is_in_place(self) -> bool:
        """Whether its path still leads to it."""
        there = _stat(self.path)
        return there is not None and os.path.samestat(there, os.fstat(self._descriptor))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


@dataclass(frozen=True)
class Known:
    """What an object in a certain state turned out to be; `version_id` where its bucket keeps versions."""

    sha256: str
    version_id: str | None = None


class Cache:
    """Content-addressed files under one folder, at most `max_bytes` of them (in use ones excepted)."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._objects = folder / "objects"
        self._seals = folder / "seals"
        self._known = folder / "known"
        self._made_of = folder / "made_of"
        self._partial = folder / "partial"
        self._max_bytes = max_bytes
        self._unlooked = 0  # bytes that may come before the objects are looked at again
        with self._explained():
            for part in (self._objects, self._seals, self._known, self._made_of, self._partial):
                part.mkdir(parents=True, exist_ok=True)
                if part.stat().st_mode & 0o777 != _OWN_FOLDER:  # it is new, or of an earlier version
                    part.chmod(_OWN_FOLDER)

    def lease(self, sha256: str) -> Lease | None:
        """The object with this content, or None when it is not here, or has another one by now.

        Raises:
            SourceUnavailable: the cache cannot be read or written.
        """
        with self._explained():
            return self._lease(sha256, self._remove_damaged)

    def _lease(self, sha256: str, on_damaged: Callable[[Lease], None]) -> Lease | None:
        try:
            descriptor = os.open(self._objects / sha256, os.O_RDONLY)
        except FileNotFoundError:
            return None
        lease = Lease(self._objects / sha256, sha256, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)  # also waits for its seal
            if self._is_sound(descriptor, sha256):
                return lease
            on_damaged(lease)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def _is_sound(self, descriptor: int, name: str) -> bool:
        """Whether an object is the one that was moved in."""
        status = os.fstat(descriptor)
        if status.st_nlink == 0:  # removed between open and lock
            return False
        seal = self._seals / name
        if _read(seal) == file_state(status):
            os.utime(seal)
            return True
        with open(descriptor, "rb", closefd=False) as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() == name:
                self._seal(descriptor, name)
                return True
        return False

    def _remove_damaged(self, lease: Lease) -> None:
        """Remove it, and not the one that somebody may have put in its place while it was hashed."""
        with self._alone("add", str(lease.path)):
            if lease.is_in_place():
                log.warning("%s has other bytes than when it was written: it is fetched again", lease.path)
                lease.path.unlink()

    def _seal(self, descriptor: int, name: str) -> None:
        os.fchmod(descriptor, _OWN_FILE)
        (self._seals / name).write_text(file_state(os.fstat(descriptor)))

    def known(self, uri: str, state: str) -> Known | None:
        """What this object was when it was fetched in this very state before.

        Raises:
            SourceUnavailable: the cache cannot be read.
        """
        with self._explained():
            return _read_known(self._known / _name(uri, state))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = error.strerror or error
            raise SourceUnavailable(f"{self._folder}: cannot be used: {why}; see PIPELINE_CACHE_DIR") from error

    @contextmanager
    def partial(self, uri: str, state: str, patience: float | None = None) -> Iterator[Path]:
        """A file to fetch an object into; what an interrupted fetch left there is kept. One process at a time: whoever
        had to wait should look first whether the object is here now. It waits for `patience` seconds at most, or for
        an hour.

        Raises:
            SourceUnavailable: another process has been fetching it for too long.
        """
        path = self._partial / _name(uri, state)
        with self._alone(path.name, uri, patience, passing=True):
            yield path

    def add(self, partial: Path, found: Known, uri: str, state: str, made_of: Collection[str] = ()) -> Lease:
        """Move a completely fetched and verified file in, and make room for it.

        An object with this content that is here already stays, and the file goes: a reader's lease is of that object,
        and would not keep another one at its path. `made_of`: the SHA-256 of the objects that it was made of.
        """
        with self._alone("add", uri):
            if made_of:
                self._write(self._made_of / found.sha256, "\n".join(made_of))
            self._write(self._known / _name(uri, state), f"{found.sha256} {found.version_id or ''}")
            lease = self._lease(found.sha256, lambda damaged: None)  # another one takes its place
            if lease is None:
                lease = self._move_in(partial, found.sha256)
            else:
                partial.unlink()
            self._unlooked -= os.stat(lease.path).st_size
            if self._unlooked < 0:
                self._make_room()
        return lease

    @contextmanager
    def _alone(self, what: str, uri: str, patience: float | None = None, *, passing: bool = False) -> Iterator[None]:
        """One thread of one process at a time. `passing`: the lock file goes with whoever held it, as there is one for
        each object. Who gets a lock whose file is gone takes the next one's: filelock looks at that.
        """
        from filelock import FileLock, Timeout

        patience = _PATIENCE_SECONDS if patience is None else patience
        path = self._partial / f"{what}.lock"
        lock = FileLock(path, timeout=patience, fallback_to_soft=False)
        with self._explained():
            try:
                lock.acquire()
            except Timeout:
                raise SourceUnavailable(
                    f"{uri}: another process has held {self._partial} for {seconds(patience)}; wait for it or end it"
                ) from None
        try:
            yield
        finally:
            if passing:
                with suppress(OSError):
                    path.unlink()
            lock.release()

    def _move_in(self, partial: Path, sha256: str) -> Lease:
        descriptor = os.open(partial, os.O_RDWR)  # a volume of a network locks only what is open for writing
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # nobody looks at it before it is sealed
        os.replace(partial, self._objects / sha256)
        self._seal(descriptor, sha256)  # only now: moving changes the state
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return Lease(self._objects / sha256, sha256, descriptor)

    def _write(self, target: Path, text: str) -> None:
        temporary = self._partial / "known"  # always this one: what a kill leaves there is written over
        temporary.write_text(text)
        os.replace(temporary, target)

    def bytes_of(self, names: Collection[str]) -> int:
        """What those of some objects take that are here, by the SHA-256 of their content, and what was made of them."""
        with self._explained():
            found = (_stat(self._objects / name) for name in self._with_made(names))
            return sum(status.st_size for status in found if status is not None)

    def _with_made(self, names: Collection[str]) -> set[str]:
        of_these = set(names)
        made = {path.name for path in self._made_of.iterdir() if not of_these.isdisjoint((_read(path) or "").split())}
        return of_these | made

    def forget(self, names: Collection[str]) -> None:
        """Remove objects and what was made of them, but those that somebody reads just now.

        Raises:
            SourceUnavailable: the cache cannot be written, or another process has held it for too long.
        """
        if not names:
            return
        with self._alone("add", str(self._objects)), self._explained():
            for name in self._with_made(names):
                _remove_unless_leased(self._objects / name)
            self._forget_removed()

    def drop(self, name: str) -> None:
        """Remove one object that was made of others, unless somebody reads it just now; however many there are.

        Raises:
            SourceUnavailable: the cache cannot be written, or another process has held it for too long.
        """
        with self._alone("add", str(self._objects)), self._explained():
            if _remove_unless_leased(self._objects / name):
                for note in (self._seals / name, self._made_of / name):
                    note.unlink(missing_ok=True)

    def _make_room(self) -> None:
        status = [(path, found) for path in self._objects.iterdir() if (found := self._used(path)) is not None]
        total = sum(size for _, (_, size) in status)
        # Looking at all objects for each new one would take minutes for thousands. Other processes add some, too.
        self._unlooked = (self._max_bytes - total) // _SHARE_UNLOOKED
        if total <= self._max_bytes:
            return
        for path, (_, size) in sorted(status, key=lambda item: item[1]):
            if total <= self._max_bytes:
                break
            total -= size if _remove_unless_leased(path) else 0
        self._forget_removed()

    def _used(self, path: Path) -> tuple[int, int] | None:
        """When an object was used last, and its size; None where it is gone."""
        status, seal = _stat(path), _stat(self._seals / path.name)
        return None if status is None else ((seal or status).st_mtime_ns, status.st_size)

    def _forget_removed(self) -> None:
        for note in chain(self._seals.iterdir(), self._made_of.iterdir()):
            if not (self._objects / note.name).exists():
                note.unlink(missing_ok=True)
        for path in self._known.iterdir():
            known = _read_known(path)
            if known is not None and not (self._objects / known.sha256).exists():
                path.unlink(missing_ok=True)


def _read_known(path: Path) -> Known | None:
    found = _read(path)
    if found is None:
        return None
    sha256, _, version_id = found.partition(" ")
    return Known(sha256, version_id or None)


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _remove_unless_leased(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)


def _name(uri: str, state: str) -> str:
    return hashlib.sha256(f"{uri}\n{state}".encode()).hexdigest()
