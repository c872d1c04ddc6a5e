"""A TCP proxy on loopback that can be told to fail, in front of any server: it knows no protocol.

refuse   nobody listens             hang   takes the connection and says nothing
answer   says one thing, whoever asks       drip   passes the server's answer on a byte at a time
cut      passes the request on, and of the answer its first bytes only
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from tests.servers.processes import LOOPBACK

Mode = Literal["pass", "refuse", "hang", "answer", "drip", "cut"]
DRIP_SECONDS = 0.4
CHUNK = 65_536


def http(status: int, body: bytes = b"ordered by the test") -> bytes:
    """An answer to any request."""
    return b"HTTP/1.1 %d Ordered\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body)


@dataclass
class Faulty:
    """The proxy: its `port`, and what it does now. `times`: to so many connections, and then it passes on again."""

    upstream: tuple[str, int]
    port: int = 0
    connections: int = 0
    _mode: Mode = "pass"
    _answer: bytes = b""
    _keep: int = 0
    _only: bytes = b""
    _times: float = float("inf")
    _context: ssl.SSLContext | None = None
    _listener: socket.socket | None = None
    _threads: list[threading.Thread] = field(default_factory=list)
    _open: list[socket.socket] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Its address, as that of an HTTP server."""
        return f"{'http' if self._context is None else 'https'}://{LOOPBACK}:{self.port}"

    def well(self) -> None:
        """Pass everything on."""
        self._be("pass")

    def refuse(self) -> None:
        """Listen no more, and hang up on whoever is there."""
        self._be("refuse")

    def hang(self) -> None:
        """Take connections, and say nothing."""
        self._be("hang")

    def answer(self, content: bytes, times: float = float("inf")) -> None:
        """Say this to whoever has said something."""
        self._be("answer", times)
        self._answer = content

    def drip(self) -> None:
        """Pass answers on a byte at a time."""
        self._be("drip")

    def cut(self, keep: int = 10, only: bytes = b"", times: float = float("inf")) -> None:
        """Pass requests on, and of each answer so many bytes; where `only` is given, of requests that contain it."""
        self._be("cut", times)
        self._keep, self._only = keep, only

    def with_certificate(self, context: ssl.SSLContext | None) -> None:
        """Speak TLS from now on, as this server, or no more."""
        self._context = context

    def _be(self, mode: Mode, times: float = float("inf")) -> None:
        self.hang_up()
        if mode == "refuse":
            self._close()
        elif self._listener is None:
            self._listen()
        self._mode, self._times = mode, times

    def hang_up(self) -> None:
        """Close every connection, as those that clients keep were made under another fault."""
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _listen(self) -> None:
        self._listener = socket.create_server((LOOPBACK, self.port))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, self._listener)

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _start(self, work: object, *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, name="faulty")  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection = listener.accept()[0]
                self.connections += 1
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            spoken = connection
            if self._context is not None:
                spoken = self._context.wrap_socket(connection, server_side=True)
            self._open.append(spoken)
            with spoken:
                self._treat(spoken)

    def _treat(self, connection: socket.socket) -> None:
        if self._mode == "hang":
            while connection.recv(CHUNK):
                pass
        elif self._mode == "answer" and self._times > 0:
            self._times -= 1
            connection.recv(CHUNK)
            connection.sendall(self._answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(CHUNK):
                pass
        else:
            self._pass(connection)

    def _pass(self, connection: socket.socket) -> None:
        with socket.create_connection(self.upstream) as server:
            self._open.append(server)
            meant = threading.Event()
            back = self._start(self._pass_back, server, connection, meant)
            with suppress(OSError):
                while chunk := connection.recv(CHUNK):
                    if self._mode == "cut" and self._only in chunk:
                        meant.set()
                    server.sendall(chunk)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join()

    def _pass_back(self, server: socket.socket, connection: socket.socket, meant: threading.Event) -> None:
        with suppress(OSError):
            while chunk := server.recv(CHUNK):
                if meant.is_set() and self._times > 0:
                    self._times -= 1
                    connection.sendall(chunk[: self._keep])
                    break
                self._send(connection, chunk)
        for end in (connection, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _send(self, connection: socket.socket, chunk: bytes) -> None:
        if self._mode != "drip":
            return connection.sendall(chunk)
        for byte in chunk:
            connection.sendall(bytes([byte]))
            if self._stopping.wait(DRIP_SECONDS):
                break
        return None

    def end(self) -> None:
        """Stop, and wait for all threads."""
        self._stopping.set()
        self._close()
        while any(thread.is_alive() for thread in self._threads):
            self.hang_up()
            for thread in list(self._threads):
                thread.join(0.05)


@contextmanager
def run_faulty(url: str) -> Iterator[Faulty]:
    """Run a proxy in front of the server at an address."""
    parts = urlsplit(url)
    proxy = Faulty((parts.hostname or LOOPBACK, parts.port or 0))
    proxy.well()
    try:
        yield proxy
    finally:
        proxy.end()
