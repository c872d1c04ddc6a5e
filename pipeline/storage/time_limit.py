"""A limit for all of some work that waits for a network, however little comes however often.

The time limits of sockets start anew with every byte, so a server that sends one every few seconds holds its client for
ever. Here a watchdog shuts the sockets of the work down when its time is over; whatever the work does with them then
fails, and it gets no new ones. Nothing is thrown into running code: an import, or a file that is being written, ends
as it would.

Sockets belong to the thread that made them, so each is noted as it is made; Python tells of that in one place only for
every library: its audit events. Threads that begin while the work goes on count as begun by it, unless they are under a
limit of their own: nothing says who began one. All others keep their sockets.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from pipeline.errors import NightjarError, OutletRefused, OutletUnavailable, SourceUnavailable
from pipeline.wording import seconds as seconds_words

Failed = Callable[[str], NightjarError]
_NO_MORE_THAN_THAT = (OutletUnavailable, OutletRefused, SourceUnavailable)
_INTERNET = (socket.AF_INET, socket.AF_INET6)


class Limit:
    """How long some work may take; `over` once that was too long."""

    def __init__(self, what: str, seconds: float, failed: Failed, variable: str) -> None:
        self.over = False
        self.thread = threading.current_thread()
        self.begun = time.monotonic()
        self._earlier = WeakSet(threading.enumerate())
        self._what = what
        self._failed = failed
        self._variable = variable
        self._seconds = seconds
        self._turn = 0
        self._one_at_a_time = threading.Lock()
        self._timer = threading.Timer(0, lambda: None)
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """From now on so many seconds, whatever was left."""
        with self._one_at_a_time:
            self._timer.cancel()
            self._turn += 1
            self._timer = threading.Timer(seconds, self._expire, (self._turn,))
            self._timer.daemon = True
            self._timer.start()

    def begin_again(self) -> None:
        """All of its time from now on."""
        self.allow(self._seconds)

    def end(self) -> None:
        """Nothing is shut down any more."""
        with self._one_at_a_time:
            self._turn += 1
            self._timer.cancel()

    def covers(self, thread: threading.Thread) -> bool:
        """Whether a thread does this work."""
        if thread is self.thread:
            return True
        return thread not in self._earlier and all(thread is not other.thread for other in _sockets.active)

    def error(self) -> NightjarError:
        """What to say of work that took too long."""
        return self._failed(
            f"{self._what} did not finish within {seconds_words(self._seconds)}: it is slow or silent; check that it "
            f"and the network are well ({self._variable} says how long is waited)"
        )

    def _expire(self, turn: int) -> None:
        with self._one_at_a_time:
            if turn != self._turn:
                return
            self.over = True
        for found in _sockets.of(self):
            with suppress(OSError):  # closed meanwhile, or connected to nobody: one that others connect to stays open
                found.getpeername()
                socket.socket.shutdown(found, socket.SHUT_RDWR)  # of the socket below TLS, which waits for nothing


@contextmanager
def time_limit(
    seconds: float, what: str, failed: Failed = OutletUnavailable, variable: str = "PIPELINE_OUTLET_SECONDS"
) -> Iterator[Limit]:
    """A block whose network may take so many seconds in all. Of limits inside each other the shortest counts.

    Args:
        seconds: for all of it. What waits for something else, such as a lock, is not interrupted.
        what: what is asked, for the error.
        failed: the error.
        variable: which one says how long is waited.

    Raises:
        OutletUnavailable: or what `failed` makes: the time was over, and the block failed; half of an answer may look
            like any other failure. Errors that say more than that somebody is not there, or says no, stay as they are.
    """
    limit = Limit(what, seconds, failed, variable)
    _sockets.begin(limit)
    try:
        yield limit
    except Exception as error:
        special = isinstance(error, NightjarError) and type(error) not in _NO_MORE_THAN_THAT
        if limit.over and not special:
            raise limit.error() from None
        raise
    finally:
        limit.end()
        _sockets.end(limit)


def limits() -> list[Limit]:
    """Those that the work of this thread is under, the innermost last."""
    thread = threading.current_thread()
    return [limit for limit in _sockets.active if limit.covers(thread)]


def over() -> bool:
    """Whether the work of this thread has no time any more."""
    return any(limit.over for limit in limits())


def require_time() -> None:
    """Raises TimeoutError where the work of this thread has none any more."""
    if over():
        raise TimeoutError(errno.ETIMEDOUT, "the time for all of this is over")


class _Sockets:
    """Every socket and who made it, and every limit that there is now."""

    def __init__(self) -> None:
        self.active: tuple[Limit, ...] = ()
        self._makers: WeakKeyDictionary[socket.socket, tuple[threading.Thread, float]] = WeakKeyDictionary()
        self._one_at_a_time = threading.RLock()  # again in the same thread, as making an entry may collect garbage

    def begin(self, limit: Limit) -> None:
        """A limit holds from now on. Other threads begin and end theirs, and none of them may be lost or stay."""
        with self._one_at_a_time:
            self.active = (*self.active, limit)

    def end(self, limit: Limit) -> None:
        """It holds no more."""
        with self._one_at_a_time:
            self.active = tuple(other for other in self.active if other is not limit)

    def of(self, limit: Limit) -> list[socket.socket]:
        """Those that the work of a limit has."""
        with self._one_at_a_time:
            return [found for found, (thread, made) in self._makers.items() if _is_of(limit, thread, made)]

    def note(self, made: Any, family: int, *_: object) -> None:
        """A socket is being made. One of TLS is made from another, whose family it names."""
        if family in _INTERNET and isinstance(made, socket.socket):
            with self._one_at_a_time:
                self._makers[made] = threading.current_thread(), time.monotonic()

    def refuse(self, *_: object) -> None:
        """Nobody connects to anything once the time is over: what tries again finds out at once.

        An `OSError`, so that libraries close what they were about to connect.
        """
        require_time()


def _is_of(limit: Limit, thread: threading.Thread, made: float) -> bool:
    """Whether the work of a limit has this socket: its own thread may have made it earlier, and kept it.

    Clients keep connections for whoever asks next. Of one whose maker has ended nobody knows who that is: whoever else
    it is asks again.
    """
    return thread is limit.thread or not thread.is_alive() or (made >= limit.begun and limit.covers(thread))


_sockets = _Sockets()
_seen: dict[str, Callable[..., None]] = {}


def _watch(event: str, arguments: tuple[Any, ...], seen: dict[str, Callable[..., None]] = _seen) -> None:
    note = seen.get(event)
    if note is not None:
        note(*arguments)


def _begin() -> None:
    """In a fork, too: the sockets of the process it came from are not its to shut down."""
    global _sockets  # noqa: PLW0603
    _sockets = _Sockets()
    _seen.update(
        {
            "socket.__new__": _sockets.note,
            "socket.connect": _sockets.refuse,
            "socket.getaddrinfo": _sockets.refuse,
        }
    )


_begin()
sys.addaudithook(_watch)
os.register_at_fork(after_in_child=_begin)
