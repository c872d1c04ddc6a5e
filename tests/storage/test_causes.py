"""What is said of an outlet that cannot be used: what happened, and what to do about that; never a password."""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from pipeline.errors import OutletRefused, OutletUnavailable
from pipeline.publish.gauges.night import push_failure
from pipeline.storage import s3
from pipeline.storage.mlflow_client import open_store
from tests.servers.loopback import LoopbackServer, QuietHandler, serving_thread
from tests.servers.processes import LOOPBACK, free_port
from tests.servers.s3 import S3, FlakyS3

Speak = Callable[[socket.socket], None]
slow = pytest.mark.slow


@contextmanager
def listening(speak: Speak, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that does one thing to whoever connects."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection = listener.accept()[0]
                with suppress(OSError), connection:
                    speak(connection if context is None else context.wrap_socket(connection, server_side=True))

    listener = socket.create_server((LOOPBACK, 0))
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def hang_up(connection: socket.socket) -> None:
    connection.recv(10_000)


@pytest.fixture
def foreign() -> ssl.SSLContext:
    """A certificate of an authority that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(LOOPBACK).configure_cert(context)
    return context


@pytest.fixture(autouse=True)
def _short_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("time.sleep", lambda _: None)


def ask_mlflow(url: str) -> None:
    with open_store(url) as client:
        client.search_registered_models(max_results=1)


def push(url: str) -> None:
    push_failure("churn", url, "run", 0.0, lambda _: None)


def read_store(url: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            patch.setenv(name, "eu-central-1")
        s3.client.cache_clear()
        try:
            s3.read("s3://bucket/key")
        finally:
            s3.client.cache_clear()


ASK = {"MLFLOW_TRACKING_URI": ask_mlflow, "PIPELINE_PUSHGATEWAY_URL": push, "AWS_ENDPOINT_URL_S3": read_store}
AUTHORITIES = {
    "MLFLOW_TRACKING_URI": "REQUESTS_CA_BUNDLE",
    "PIPELINE_PUSHGATEWAY_URL": "SSL_CERT_FILE",
    "AWS_ENDPOINT_URL_S3": "AWS_CA_BUNDLE",
}


def said(variable: str, url: str) -> str:
    with pytest.raises((OutletUnavailable, OutletRefused)) as caught:
        ASK[variable](url)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


@slow
@pytest.mark.parametrize("variable", ASK)
def test_each_fault_of_a_network_is_called_what_it_is(variable: str, foreign: ssl.SSLContext) -> None:
    port = free_port()
    refused = said(variable, f"http://me:s3cret@{LOOPBACK}:{port}")
    assert "connection refused; check that it runs" in refused
    assert variable in refused
    assert "its host name is not known; check" in said(variable, "http://me:s3cret@nowhere.invalid:80")
    with listening(hang_up) as port:
        assert "the connection broke off" in said(variable, f"http://me:s3cret@{LOOPBACK}:{port}")
        assert "no encrypted connection" in said(variable, f"https://me:s3cret@{LOOPBACK}:{port}")
    with listening(hang_up, foreign) as port:
        distrusted = said(variable, f"https://me:s3cret@{LOOPBACK}:{port}")
    assert "its certificate is not trusted (unable to get local issuer certificate)" in distrusted
    assert AUTHORITIES[variable] in distrusted


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.read_body()
            self.answer(status, {"Content-Type": "application/json"}, body)

        do_POST = do_PUT = do_GET

    with ExitStack() as running:
        server = LoopbackServer(Handler)
        running.enter_context(serving_thread(server))
        yield server.url


@slow
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "access denied (401): "),
        (403, "MLFLOW_TRACKING_USERNAME"),
        (404, "check that MLFLOW_TRACKING_URI is an MLflow server's"),
        (407, "check HTTP_PROXY"),
        (413, "take larger requests"),
        (500, "see the log of the server, then run again"),
    ],
)
def test_each_answer_of_mlflow_says_what_to_do(status: int, words: str) -> None:
    with answering(status, b"no") as url:
        assert words in said("MLFLOW_TRACKING_URI", url)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "see its log for what it does not take"),
        (401, "check user and password in PIPELINE_PUSHGATEWAY_URL"),
        (404, "check PIPELINE_PUSHGATEWAY_URL"),
        (502, "see its log"),
    ],
)
def test_each_answer_of_a_pushgateway_says_what_to_do(status: int, words: str) -> None:
    with answering(status, b"no") as url:
        assert words in said("PIPELINE_PUSHGATEWAY_URL", url)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "InvalidAccessKeyId", "check the AWS credentials"),
        (400, "ExpiredToken", "no longer valid: get new ones"),
        (403, "RequestTimeTooSkewed", "the clocks of this machine and of the store differ"),
        (404, "NoSuchBucket", "check the name, and who removed it"),
        (500, "InternalError", "failed (InternalError), again and again; see its log, then run again"),
        (503, "SlowDown", "is too busy (SlowDown), again and again; run again later"),
        (507, "XMinioStorageFull", "make room there"),
    ],
)
def test_each_answer_of_a_store_says_what_to_do(s3_flaky: FlakyS3, status: int, code: str, words: str) -> None:
    s3_flaky.fail(times=9, status=status, code=code)
    with pytest.raises(OutletUnavailable, match=re.escape(words)) as caught:
        s3.write(s3_flaky.s3.uri("a"), b"x")
    assert s3_flaky.s3.uri("a") in str(caught.value)


def test_a_store_without_credentials_says_which_are_missing(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.storage import s3 as objects

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    objects.client.cache_clear()
    with pytest.raises(OutletUnavailable, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        objects.read(s3.uri("a"))


def _no_folder(place: Path) -> None:
    place.write_text("a file")


def _no_database(place: Path) -> None:
    place.mkdir()
    (place / "mlflow.db").write_text("no database at all, but a text that is long enough to be looked at" * 20)


@slow
@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (_no_folder, "check that the folder is there and can be written to"),
        (_no_database, "the file is no SQLite database: restore it, or move it away to begin a new one"),
    ],
)
def test_each_fault_of_an_embedded_database_is_called_what_it_is(
    tmp_path: Path, prepare: Callable[[Path], None], words: str
) -> None:
    place = tmp_path / "var"
    prepare(place)
    with pytest.raises(OutletUnavailable, match=re.escape(words)):
        ask_mlflow(f"sqlite:///{place}/mlflow.db")


@slow
def test_what_mlflow_refuses_on_an_embedded_database_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    with (
        pytest.raises(OutletRefused, match="refused: Run with id") as caught,
        open_store(f"sqlite:///{tmp_path}/m.db") as client,
    ):
        client.log_param("0" * 32 + "/", "a", "b")
    assert "room" not in str(caught.value)


@slow
def test_a_full_disk_is_called_full(tmp_path: Path) -> None:
    def fill() -> None:
        with open_store(f"sqlite:///{tmp_path}/m.db"), open("/dev/full", "wb", buffering=0) as full:
            full.write(b"x")

    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with pytest.raises(OutletUnavailable, match="No space left on device; make room there"):
        fill()
