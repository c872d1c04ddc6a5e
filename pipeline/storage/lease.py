"""One at a time, on whatever machine: a publication, the writing of pages, a retraining.

The lease lies in the run store. On a local disk it is a file lock, which ends with its process, however that ends. On
S3 it is an object that its holder renews; written conditionally, so that of two who take it one fails, and its age is
read off the server's own clock. A holder that was killed stops renewing, and after `EXPIRES_SECONDS` another may take
its place. That is soon, as nothing depends on it: a holder that only stood still, or could not reach the store, still
has its lease while nobody took it, and asks the store before every change that counts.

A lease that was given back stays where it is, a few bytes: whoever removed it could remove the next holder's.
"""

from __future__ import annotations

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import OutletUnavailable, StoreBusy
from pipeline.log_context import beside
from pipeline.storage import s3
from pipeline.wording import seconds

log = logging.getLogger(__name__)

EXPIRES_SECONDS = 45.0
_RENEW_SECONDS = 10.0
_ASK_AGAIN_SECONDS = 1.0
_SOONEST_SECONDS = 0.05
_LOOK_AGAIN_SECONDS = 0.01  # for a local lease, which most hold for less than filelock's own 0.05
_FREE = b"free"


class Lease:
    """Held while its block runs. On a local disk nobody can take it over."""

    def __init__(self, renew: Callable[[], bool] = lambda: True) -> None:
        """`renew` asks the store whether the lease is still held, and makes it last longer."""
        self._renew = renew
        self._lost = threading.Event()

    def lose(self) -> None:
        """Note that another holder took over."""
        self._lost.set()

    def require(self) -> None:
        """Call right before a change that nobody else may make meanwhile.

        Raises:
            StoreBusy: the lease ran out while this process stood still, and another one took its place.
            OutletUnavailable: the run store did not answer, so nobody knows.
        """
        if self._lost.is_set() or not self._renew():
            self.lose()
            raise StoreBusy("this run stood still for too long, and another one took its place: try again")


@contextmanager
def hold_file(path: Path, wait_seconds: float, holder: str) -> Iterator[Lease]:
    """Hold the lease of a local store for the block; whoever holds it is waited for.

    Args:
        path: the lock file, which stays.
        wait_seconds: for how long.
        holder: who may be holding it, for the error.

    Raises:
        StoreBusy: it was not free within that time.
        OutletUnavailable: the file cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=max(wait_seconds, 0), mode=0o600, fallback_to_soft=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(poll_interval=_LOOK_AGAIN_SECONDS)
    except Timeout:
        raise _busy(str(path), holder) from None
    except OSError as error:
        raise OutletUnavailable(f"{path}: cannot be locked: {error.strerror or error}; see PIPELINE_STORE") from error
    try:
        yield Lease()
    finally:
        lock.release()


@contextmanager
def hold_object(uri: str, wait_seconds: float, holder: str) -> Iterator[Lease]:
    """The same on S3, where `uri` is the address of the object.

    Raises:
        StoreBusy: it was not free within that time.
        OutletUnavailable: the run store did not answer, or does not know conditional writes.
    """
    held = _take_in_time(uri, time.monotonic() + wait_seconds, holder)
    lease, stop = Lease(held.renew), threading.Event()
    renewing = beside(_keep, held, lease, stop)
    try:
        yield lease
    finally:
        stop.set()
        renewing.join()
        held.give_back()


def file_silence(path: Path) -> float | None:
    """For how long the holder of a local lease has been silent: 0 while it lives; None where nobody holds it."""
    from filelock import FileLock, Timeout

    if not path.exists():
        return None
    lock = FileLock(path, timeout=0, mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        return 0.0
    except OSError as error:
        raise OutletUnavailable(f"{path}: cannot be locked: {error.strerror or error}; see PIPELINE_STORE") from error
    lock.release()
    return None


def object_silence(uri: str) -> float | None:
    """For how many seconds the holder of a lease on S3 has not renewed it; None where nobody holds it."""
    there = s3.read(uri)
    return None if there is None or there.content == _FREE else max(there.age_seconds, 0.0)


class _Held:
    """A lease object of ours: every renewal changes its content and so its ETag, which the next one is bound to."""

    def __init__(self, uri: str, owner: str, etag: str) -> None:
        self._uri = uri
        self._owner = owner
        self._etag: str | None = etag
        self._turn = 0
        self._one_at_a_time = threading.Lock()

    def renew(self) -> bool:
        """Make it last longer; whether it is still ours."""
        with self._one_at_a_time:
            self._turn += 1
            self._write(f"{self._owner} {self._turn}".encode())
            return self._etag is not None

    def give_back(self) -> None:
        """Let the next one have it. Where the store does not answer, that one has to wait until the lease runs out."""
        with self._one_at_a_time:
            try:
                self._write(_FREE)
            except OutletUnavailable as error:
                log.warning("%s; the lease runs out in %s", error, seconds(EXPIRES_SECONDS))

    def _write(self, content: bytes) -> None:
        if self._etag is None:
            return
        found = s3.write_if(self._uri, content, self._etag)
        if found is None:  # unless an earlier renewal came through whose answer did not
            there = s3.read(self._uri)
            if there is not None and there.content.startswith(self._owner.encode()):
                found = s3.write_if(self._uri, content, there.etag)
        self._etag = found


def _take_in_time(uri: str, deadline: float, holder: str) -> _Held:
    owner, pause = uuid.uuid4().hex, _SOONEST_SECONDS
    while True:
        held = _take(uri, owner)
        if held is not None:
            return held
        left = deadline - time.monotonic()
        if left <= 0:
            raise _busy(uri, holder)
        time.sleep(min(pause * random.uniform(0.5, 1), left))  # not in step with others who wait
        pause = min(2 * pause, _ASK_AGAIN_SECONDS)


def _take(uri: str, owner: str) -> _Held | None:
    """The lease if it is free, or its holder has not renewed it for too long."""
    there = s3.read(uri)
    if there is not None and there.content != _FREE:
        if there.age_seconds <= EXPIRES_SECONDS:
            return None
        log.warning("%s: its holder has not renewed it; taken over", uri)
    etag = s3.write_if(uri, f"{owner} 0".encode(), None if there is None else there.etag)
    return None if etag is None else _Held(uri, owner, etag)


def _keep(held: _Held, lease: Lease, stop: threading.Event) -> None:
    """Renew a lease again and again, until another one has it."""
    while not stop.wait(_RENEW_SECONDS):
        with suppress(OutletUnavailable):  # nobody knows; others may not reach the store either
            if not held.renew():
                return lease.lose()
    return None


def _busy(place: str, holder: str) -> StoreBusy:
    return StoreBusy(f"{place}: held by {holder}; try again when it has ended")
