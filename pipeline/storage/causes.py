"""Why an outlet gave no answer, and what to do about that: said for what happened, and not for all that might have."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from http.client import RemoteDisconnected

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LOCKED_OUT = frozenset({errno.EACCES, errno.EPERM})
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})
# Libraries tell of time that is over in types of their own.
_TIMEOUTS = frozenset({"ConnectTimeout", "ReadTimeout", "ConnectTimeoutError", "ReadTimeoutError"})
_BROKEN_OFF = frozenset({"ProtocolError", "ConnectionClosedError", "IncompleteRead", "IncompleteReadError"})
# What SQLite says, and what to do about it.
_SQLITE = (
    ("unable to open database file", "check that its folder is there and can be written to"),
    ("database or disk is full", "make room on its disk, then run again"),
    ("readonly database", "check who may write the file and its folder, and that the disk is not mounted read-only"),
    ("database is locked", "another process holds it: wait for it or end it"),
    ("not a database", "the file is no SQLite database: restore it, or move it away to begin a new one"),
    ("malformed", "the file is damaged: restore it, or move it away to begin a new one"),
    ("disk I/O error", "look after the disk, and for room on it"),
)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from, the outermost first; also what libraries keep in `reason` alone."""
    waiting, seen = [error], set[int]()
    while waiting:
        found = waiting.pop(0)
        if id(found) not in seen:
            seen.add(id(found))
            yield found
            below = (found.__cause__, found.__context__, getattr(found, "reason", None))
            waiting += [item for item in below if isinstance(item, BaseException)]


def distrusted(error: BaseException) -> str | None:
    """What is wrong with a server's certificate, where that is what is wrong."""
    found = next((item for item in chain(error) if isinstance(item, ssl.SSLCertVerificationError)), None)
    return None if found is None else f"its certificate is not trusted ({found.verify_message})"


def certificate_advice(variable: str) -> str:
    """What to do about a certificate that is not trusted. `variable` names the file with authorities."""
    return f"check the host's name, renew the certificate where it is too old, or name its authority in {variable}"


def no_answer(error: BaseException, variable: str) -> str | None:
    """Why a network gave no answer and what to do, such as `refused: ...; check ...`; None where that is not it.

    Args:
        error: what a library raised.
        variable: that has the server's address.
    """
    for kind, words in _NETWORK:
        if any(kind(item) for item in chain(error)):
            return words.format(variable=variable)
    return None


def _is(*kinds: type[BaseException]) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, kinds)


def _named(names: frozenset[str]) -> Callable[[BaseException], bool]:
    return lambda error: type(error).__name__ in names


def _numbered(numbers: frozenset[int]) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, OSError) and error.errno in numbers


_TLS = "no encrypted connection; check that {variable} says http or https as the server does"
_GONE = "the connection broke off; see the server's log, and whether a proxy between closes it"
_NETWORK: tuple[tuple[Callable[[BaseException], bool], str], ...] = (
    (_is(ConnectionRefusedError), "connection refused; check that it runs, and host and port in {variable}"),
    (_is(socket.gaierror), "its host name is not known; check {variable} and the name server"),
    (_numbered(_UNREACHABLE), "no way to its host; check the network and {variable}"),
    (_is(ssl.SSLError), _TLS),
    (_is(TimeoutError), "no answer in time; check that it is not overloaded, and the network"),
    (_named(_TIMEOUTS), "no answer in time; check that it is not overloaded, and the network"),
    (_is(ConnectionError, RemoteDisconnected), _GONE),
    (_named(_BROKEN_OFF), _GONE),
)


def disk_words(error: BaseException) -> str | None:
    """What a file of this machine refused and what to do; None where no file did."""
    found = next((item for item in chain(error) if isinstance(item, OSError) and _is_of_a_disk(item)), None)
    if found is None:
        return None
    said = ": ".join(str(part) for part in (found.filename or "a file, perhaps in TMPDIR", found.strerror))
    if found.errno in _FULL:
        return f"{said}; make room there, then run again"
    if found.errno == errno.EROFS:
        return f"{said}; mount it so that it can be written to"
    if found.errno in _LOCKED_OUT:
        return f"{said}; check who may write there"
    return f"{said}; check that the folder is there and can be written to"


def _is_of_a_disk(error: OSError) -> bool:
    return error.filename is not None or error.errno in _FULL or error.errno == errno.EROFS


def sqlite_words(said: str) -> str | None:
    """What to do about something that SQLite said; None where it is not known to say so."""
    return next((advice for words, advice in _SQLITE if words in said), None)
