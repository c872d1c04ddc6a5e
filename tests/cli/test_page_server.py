"""The server of pages on this machine: what it shows, what it keeps to itself, and to whom it talks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.cli.page_server import LOOPBACK, server
from pipeline.errors import ConfigError


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a page, and with things that are nobody's business."""
    for name in (
        "index.html", "churn/index.html", "churn/.work/2026-01-14/drift.json", "churn/.receipts/2026-01-14/mail",
        ".fleet/2026-01-14/digest.eml",
    ):  # fmt: skip
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}")
    (tmp_path / "outside.txt").write_text("secret")
    return tmp_path / "store"


@pytest.fixture
def running(store: Path) -> Iterator[ThreadingHTTPServer]:
    """The server on a free port."""
    with server(str(store), 0) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def get(running: ThreadingHTTPServer, path: str, method: str = "GET") -> tuple[int, str]:
    connection = HTTPConnection(LOOPBACK, running.server_port, timeout=5)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/index.html", "/churn/", "/churn/index.html"])
def test_pages_are_shown(running: ThreadingHTTPServer, path: str) -> None:
    status, text = get(running, path)
    assert status == 200
    assert text.startswith("this is ")


@pytest.mark.parametrize(
    "path",
    [
        "/churn/.work/2026-01-14/drift.json",
        "/churn/.work/",
        "/churn/.receipts/2026-01-14/mail",
        "/.fleet/2026-01-14/digest.eml",
        "/churn/%2ework/2026-01-14/drift.json",
        "/churn/%2Ereceipts/2026-01-14/mail",
        "/churn%2F.work/2026-01-14/drift.json",
        "/%2efleet/2026-01-14/digest.eml",
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/churn/..%2f..%2foutside.txt",
    ],
)
def test_folders_with_a_dot_and_files_outside_are_hidden(running: ThreadingHTTPServer, path: str) -> None:
    status, text = get(running, path)
    assert status == 404
    assert "this is" not in text
    assert "secret" not in text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written(running: ThreadingHTTPServer, method: str) -> None:
    assert get(running, "/index.html", method)[0] == 501


def test_it_listens_on_loopback_only(running: ThreadingHTTPServer) -> None:
    assert LOOPBACK == "127.0.0.1"
    assert running.server_address[0] == LOOPBACK


def test_an_s3_store_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"found s3://bucket/store; allowed: a local store"):
        server("s3://bucket/store", 0)


def test_a_store_without_pages_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no pages yet; run a night first"):
        server(str(tmp_path), 0)


def test_a_port_that_is_taken_is_named(running: ThreadingHTTPServer, store: Path) -> None:
    with pytest.raises(ConfigError, match=f"--port: {running.server_port} cannot be used"):
        server(str(store), running.server_port)
