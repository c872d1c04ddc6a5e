"""A limit for all of some work, against servers that drip, hang and answer too late."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import pytest
import trustme

from pipeline.errors import OutletRefused, OutletUnavailable, StoreBusy
from pipeline.storage import time_limit as limits
from pipeline.storage.time_limit import time_limit
from tests.servers.processes import LOOPBACK

PATIENCE = 30.0  # of the tests, where a limit would not work
WHAT = "the Pushgateway at http://gateway"


@contextmanager
def dripping(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that answers one byte at a time, for ever."""
    stopping = threading.Event()

    def drip(connection: socket.socket) -> None:
        with suppress(OSError), closing(connection):
            spoken = connection if context is None else context.wrap_socket(connection, server_side=True)
            with closing(spoken):
                spoken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not stopping.wait(0.05):
                    spoken.sendall(b".")

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=drip, args=(listener.accept()[0],)))
                threads[-1].start()

    listener = socket.create_server((LOOPBACK, 0))
    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield listener.getsockname()[1]
    finally:
        stopping.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join()


def read(port: int, scheme: str = "http", context: ssl.SSLContext | None = None) -> None:
    with urllib.request.urlopen(f"{scheme}://{LOOPBACK}:{port}/", timeout=PATIENCE, context=context) as answer:
        answer.read()


def read_to_its_end(connection: socket.socket) -> None:
    while connection.recv(1_000):
        pass
    raise ConnectionError("it hung up")


def fail_after(limit: limits.Limit, error: Exception) -> None:
    while not limit.over:
        time.sleep(0.01)
    raise error


def elapsed(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def test_a_server_that_drips_is_given_up_when_its_time_is_over() -> None:
    def ask() -> None:
        with pytest.raises(OutletUnavailable, match=rf"{WHAT} did not finish within 0\.3 s"), time_limit(0.3, WHAT):
            read(port)

    with dripping() as port:
        assert elapsed(ask) < PATIENCE


def test_one_that_drips_encrypted_as_well(tmp_path: Path) -> None:
    authority, server = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOOPBACK).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    with dripping(server) as port, pytest.raises(OutletUnavailable, match="did not finish"), time_limit(0.5, WHAT):
        read(port, "https", client)


def test_a_connection_that_was_there_before_is_under_the_limit_too() -> None:
    with dripping() as port, closing(socket.create_connection((LOOPBACK, port))) as kept:
        kept.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(OutletUnavailable, match="did not finish"), time_limit(0.3, WHAT):
            read_to_its_end(kept)


def test_threads_that_the_work_starts_are_under_its_limit_and_others_are_not() -> None:
    def ask(port: int) -> None:
        with suppress(OSError, HTTPException):
            read(port)

    with dripping() as port, closing(socket.create_connection((LOOPBACK, port))) as own:
        ended, others = threading.Event(), list[socket.socket]()
        other = threading.Thread(target=lambda: connect_until(port, others, ended))
        other.start()
        while not others:
            time.sleep(0.01)
        with time_limit(0.3, WHAT) as limit, ThreadPoolExecutor(2) as pool:
            list(pool.map(ask, [port, port]))
        assert limit.over
        with closing(others[0]) as kept:
            kept.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert kept.recv(17) == b"HTTP/1.1 200 OK\r\n"
        ended.set()
        other.join()
        with pytest.raises(ConnectionError):
            read_to_its_end(own)


def connect_until(port: int, made: list[socket.socket], ended: threading.Event) -> None:
    made.append(socket.create_connection((LOOPBACK, port)))
    ended.wait(PATIENCE)


def test_a_connection_whose_maker_has_ended_is_under_the_limit_of_who_uses_it() -> None:
    """Clients keep connections, and pools of threads end."""
    with dripping() as port:
        with ThreadPoolExecutor(1) as pool:
            kept = pool.submit(socket.create_connection, (LOOPBACK, port)).result()
        with closing(kept):
            kept.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with pytest.raises(OutletUnavailable, match="did not finish"), time_limit(0.3, WHAT):
                read_to_its_end(kept)


def test_who_tries_again_after_the_end_connects_to_nothing() -> None:
    def again_and_again() -> None:
        for _ in range(20):
            with suppress(OSError, HTTPException):
                read(port)
                pytest.fail("it never ends")
            ends.append(time.monotonic())
        raise ConnectionError("given up")

    ends: list[float] = []
    with dripping() as port:
        with pytest.raises(OutletUnavailable, match="did not finish"), time_limit(0.2, WHAT):
            again_and_again()
        assert len(ends) == 20
        assert ends[-1] - ends[0] < PATIENCE / 3
        read_one(port)  # the next one is free to


def read_one(port: int) -> None:
    with closing(socket.create_connection((LOOPBACK, port))) as connection:
        assert connection.recv(4) == b"HTTP"


def test_of_two_limits_the_shorter_one_counts() -> None:
    with dripping() as port:
        with (
            pytest.raises(OutletUnavailable, match=r"outer did not finish within 0\.2 s"),
            time_limit(0.2, "outer"),
            time_limit(PATIENCE, "inner"),
        ):
            read(port)
        with (
            pytest.raises(OutletUnavailable, match=r"inner did not finish within 0\.2 s"),
            time_limit(PATIENCE, "outer"),
            time_limit(0.2, "inner"),
        ):
            read(port)


def test_time_can_be_added_while_it_is_not_over() -> None:
    with time_limit(0.3, WHAT) as limit:
        limit.allow(PATIENCE)
        time.sleep(0.5)
        assert not limit.over
        assert limits.limits() == [limit]
    assert limits.limits() == []


def test_what_ends_in_time_or_says_something_special_stays_as_it_is() -> None:
    with time_limit(PATIENCE, WHAT):
        pass
    with pytest.raises(KeyError), time_limit(PATIENCE, WHAT):
        raise KeyError("ours")
    with pytest.raises(StoreBusy, match="held"), time_limit(0.01, WHAT) as limit:
        fail_after(limit, StoreBusy("held"))


def test_half_of_an_answer_that_was_taken_for_a_no_is_none() -> None:
    with pytest.raises(OutletUnavailable, match="did not finish"), time_limit(0.01, WHAT) as limit:
        fail_after(limit, OutletRefused("no"))


def test_a_fork_shuts_down_none_of_the_connections_it_came_with() -> None:
    with dripping() as port, closing(socket.create_connection((LOOPBACK, port))) as connection:
        child = os.fork()
        if child == 0:
            with time_limit(0.05, WHAT) as limit:
                while not limit.over:
                    time.sleep(0.01)
                time.sleep(0.2)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(4) == b"HTTP"


def test_no_limit_is_lost_or_stays_where_threads_begin_and_end_theirs_at_once() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Meeting(tuple[limits.Limit, ...]):
        """The limits that there are. While somebody goes through them, another thread begins one, or ends it."""

        def __iter__(self) -> Iterator[limits.Limit]:
            found = tuple(super().__iter__())
            limits._sockets.active = found
            met.pop()()
            return iter(found)

    def work() -> None:
        with time_limit(PATIENCE, "theirs"):
            begun.set()
            go_on.wait(PATIENCE)

    def begins() -> None:
        other.start()
        begun.wait(0.2)  # it cannot begin while we are at it, and does right after

    def ends() -> None:
        go_on.set()
        other.join(0.2)

    other, met, before = threading.Thread(target=work), [ends, begins], limits._sockets.active
    limits._sockets.active = Meeting(before)
    with time_limit(PATIENCE, "mine"):
        assert begun.wait(PATIENCE)
        assert len(limits._sockets.active) == len(before) + 2
        limits._sockets.active = Meeting(limits._sockets.active)
    other.join()
    assert limits._sockets.active == before
