"""An S3 API over HTTP (moto in its own process), and a proxy in front of it that fails on demand."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.servers.loopback import LoopbackServer, QuietHandler, serving_thread
from tests.servers.processes import LOOPBACK, request, serving

BUCKET = "snapshots"
REGION = "eu-central-1"
# S3 lists up to 1,000 keys a page unless asked for fewer; here 3, so that a few files already need pages.
PAGE_KEYS = 3
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test-access-key",
    "AWS_SECRET_ACCESS_KEY": "test-secret-key",
    "AWS_DEFAULT_REGION": REGION,
}
# What a developer's own machine may set, and what must not reach a test.
FOREIGN_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}
SAID_BY_THE_PROXY = {"date", "server"}
ERROR_BODY = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>ordered by the test</Message></Error>'


@dataclass(frozen=True)
class S3:
    """One empty bucket of a running S3 API, with a client that reaches it directly."""

    url: str
    bucket: str
    client: Any

    def uri(self, key: str = "") -> str:
        """The s3:// address of a key or prefix."""
        return f"s3://{self.bucket}/{key}"

    def put(self, key: str, body: bytes) -> str:
        """Store an object; returns its s3:// address."""
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body)
        return self.uri(key)

    def get(self, key: str) -> bytes:
        """The bytes of an object."""
        body: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def keys(self, prefix: str = "") -> list[str]:
        """Every key with a prefix, over all pages."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def enable_versioning(self) -> None:
        """Keep old versions of objects from now on."""
        self.client.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})


@contextmanager
def run_s3(directory: Path) -> Iterator[str]:
    """Run an S3 API; yields its endpoint."""

    def command(port: int) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("moto_in_turn.py")), "-H", LOOPBACK, "-p", str(port)]

    env = {"MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE_KEYS), "PYTHONWARNINGS": "ignore"}
    with serving(command, health="/moto-api/data.json", log=directory / "s3.log", env=env) as url:
        yield url


def empty_bucket(url: str) -> S3:
    """Forget everything the S3 API holds and make one bucket."""
    import boto3
    from botocore.config import Config

    answer = request("POST", f"{url}/moto-api/reset", timeout=30)
    if answer.status != 200:
        raise AssertionError(f"resetting S3 answered {answer.status}: {answer.body!r}")
    client = boto3.session.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    ).client("s3", endpoint_url=url, config=Config(proxies={}))
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return S3(url, BUCKET, client)


@dataclass(frozen=True)
class Exchange:
    """One request as the proxy saw it: what was asked, and how many bytes of body went back."""

    method: str
    path: str
    range: str | None
    status: int
    sent: int


@dataclass
class _Fault:
    remaining: int
    key: str | None
    method: str | None = None
    after: int = 0
    reset: bool = False
    status: int = 503
    code: str = "SlowDown"

    def hits(self, method: str, path: str) -> bool:
        meant = self.method in (None, method) and (self.key is None or unquote(path).endswith(f"/{self.key}"))
        return self.remaining > 0 and meant


@dataclass
class FlakyS3:
    """The proxy: the same bucket under another `url`, with faults to order and a record of `exchanges`."""

    url: str
    s3: S3
    exchanges: list[Exchange] = field(default_factory=list)
    _drops: list[_Fault] = field(default_factory=list)
    _errors: list[_Fault] = field(default_factory=list)
    _losses: list[_Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def drop(self, *, after: int, times: int = 1, key: str | None = None, reset: bool = False) -> None:
        """Cut the next `times` GETs of an object after `after` bytes of body: end of file, or a reset.

        Objects of at most `after` bytes, and all keys but `key` when it is given, come whole.
        """
        self._drops.append(_Fault(times, key, after=after, reset=reset))

    def fail(
        self,
        *,
        times: int = 1,
        status: int = 503,
        code: str = "SlowDown",
        key: str | None = None,
        method: str | None = None,
    ) -> None:
        """Answer the next `times` requests with an S3 error instead of passing them on."""
        self._errors.append(_Fault(times, key, method=method, status=status, code=code))

    def lose_answers(self, *, times: int = 1, key: str | None = None) -> None:
        """Pass the next `times` writes on, and answer that S3 was too busy all the same."""
        self._losses.append(_Fault(times, key, method="PUT"))

    def gets(self, key: str) -> list[Exchange]:
        """The GETs of one object, in order."""
        wanted = f"/{self.s3.bucket}/{key}"
        return [
            exchange for exchange in self.exchanges if exchange.method == "GET" and unquote(exchange.path) == wanted
        ]

    def next_error(self, method: str, path: str) -> _Fault | None:
        """Use up one error that applies to this request."""
        return self._use(self._errors, method, path)

    def next_loss(self, method: str, path: str) -> _Fault | None:
        """Use up one lost answer that applies to this request."""
        return self._use(self._losses, method, path)

    def next_drop(self, path: str, length: int) -> _Fault | None:
        """Use up one cut that applies to a body of this length."""
        return self._use([fault for fault in self._drops if fault.after < length], "GET", path)

    def _use(self, faults: list[_Fault], method: str, path: str) -> _Fault | None:
        with self._lock:
            for fault in faults:
                if fault.hits(method, path):
                    fault.remaining -= 1
                    return fault
        return None


@contextmanager
def run_flaky(s3: S3) -> Iterator[FlakyS3]:
    """Run the proxy in front of a bucket."""

    class Handler(QuietHandler):
        def _pass_on(self) -> None:
            body = self.read_body()
            path = urlsplit(self.path).path
            fault = flaky.next_error(self.command, path)
            if fault is not None:
                self._refuse(fault)
                return
            status, headers, content = _forward(s3.url, self.command, self.path, dict(self.headers), body)
            lost = flaky.next_loss(self.command, path)
            if lost is not None:
                self._refuse(lost)
                return
            is_object = path.count("/") > 1 and self.command == "GET" and status in (200, 206)
            cut = flaky.next_drop(path, len(content)) if is_object else None
            self._send(status, headers, content, cut)

        def _refuse(self, fault: _Fault) -> None:
            error = ERROR_BODY.format(code=fault.code).encode()
            self._send(fault.status, {"Content-Type": "application/xml"}, error, None)

        def _send(self, status: int, headers: dict[str, str], content: bytes, cut: _Fault | None) -> None:
            # HEAD and 304 announce the length of a body that does not follow: keep what S3 said.
            headers.setdefault("Content-Length", str(len(content)))
            part = content if cut is None else content[: cut.after]
            flaky.exchanges.append(
                Exchange(self.command, urlsplit(self.path).path, self.headers.get("Range"), status, len(part))
            )
            self.answer(status, headers, b"" if self.command == "HEAD" else part)
            if cut is not None and cut.reset:
                # Closing without lingering sends RST in place of FIN.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on

    server = LoopbackServer(Handler)
    flaky = FlakyS3(server.url, s3)
    with serving_thread(server):
        yield flaky


def _forward(
    url: str, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Pass one request on; the answer's headers keep Content-Length only where no body follows."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or LOOPBACK, parts.port, timeout=30)
    try:
        sent = {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
        connection.request(method, path, body or None, {**sent, "Content-Length": str(len(body))})
        response = connection.getresponse()
        content = response.read()
        answered = {
            name: value for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP | SAID_BY_THE_PROXY
        }
        length = response.getheader("Content-Length")
        if not content and length is not None:
            answered["Content-Length"] = length
        return response.status, answered, content
    finally:
        connection.close()
