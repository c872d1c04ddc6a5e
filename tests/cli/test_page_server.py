"""The server of pages on this machine: what it shows, what it keeps to itself, and to whom it talks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from email.message import Message
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
        "index.html", "churn/index.html", "churn/history.json", "churn/.nights/2026-01-14/one/index.html",
        "churn/.work/2026-01-14/drift.json", "churn/.receipts/2026-01-14/mail", ".fleet/2026-01-14/digest.eml",
        "churn/training/ab.parquet", "churn/notes.txt", "bare/drift.json", "_evidently/ab.js",
    ):  # fmt: skip
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}")
    (tmp_path / "outside.txt").write_text("secret")
    (tmp_path / "outside.html").write_text("secret")
    (tmp_path / "store" / "churn" / "2026-01-14").symlink_to(".nights/2026-01-14/one")
    (tmp_path / "store" / "churn" / "linked.html").symlink_to(tmp_path / "outside.html")
    (tmp_path / "store" / "churn" / "own.json").symlink_to(".work/2026-01-14/drift.json")
    (tmp_path / "store" / "elsewhere").symlink_to(tmp_path)
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


def ask(
    running: ThreadingHTTPServer, path: str, method: str = "GET", host: str | None = None
) -> tuple[int, str, Message]:
    """Status, text and headers of an answer; `host` is the name that the server is called by, `{}` its port."""
    connection = HTTPConnection(LOOPBACK, running.server_port, timeout=5)
    try:
        connection.putrequest(method, path, skip_host=True)
        if host != "":
            connection.putheader("Host", (host or f"{LOOPBACK}:{{}}").format(running.server_port))
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


def get(running: ThreadingHTTPServer, path: str, method: str = "GET") -> tuple[int, str]:
    return ask(running, path, method)[:2]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/index.html",
        "/churn/",
        "/churn/index.html",
        "/churn/history.json",
        "/churn/2026-01-14/",
        "/?a=b",
        "/_evidently/ab.js",
    ],
)
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
        "/churn/linked.html",
        "/churn/own.json",
        "/elsewhere/outside.html",
        "/churn/.nights/2026-01-14/one/index.html",
        "/churn/%00index.html",
        "/%00",
        "/churn/training/ab.parquet",
        "/churn/notes.txt",
        "/churn/training/",
        "/bare/",
        "/bare",
        "/_evidently/",
    ],
)
def test_what_is_no_page_of_the_store_is_hidden(running: ThreadingHTTPServer, path: str) -> None:
    status, text = get(running, path)
    assert status == 404
    assert "this is" not in text
    assert "secret" not in text


@pytest.mark.parametrize("path", ["/%00", "/churn/%00index.html", "/%ff%fe", "/" + "a" * 5_000, "/bare/"])
def test_what_cannot_be_a_page_is_no_fault_of_the_server(
    running: ThreadingHTTPServer, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert get(running, path)[0] == 404
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("host", ["127.0.0.1:{}", "localhost:{}"])
def test_it_answers_to_its_own_names(running: ThreadingHTTPServer, host: str) -> None:
    assert ask(running, "/index.html", host=host)[:2] == (200, "this is index.html")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{}", "127.0.0.1", "localhost:1", "127.0.0.1.evil:{}", ""]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_it_answers_to_no_other_name(running: ThreadingHTTPServer, host: str, method: str) -> None:
    status, text, _ = ask(running, "/index.html", method, host=host)
    assert status in (400, 421)
    assert "this is" not in text


def test_a_browser_is_told_what_a_page_is_and_to_show_it_in_no_frame(running: ThreadingHTTPServer) -> None:
    for path, kind in (("/index.html", "text/html; charset=utf-8"), ("/churn/history.json", "application/json")):
        headers = ask(running, path)[2]
        assert headers["Content-Type"] == kind
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"


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
