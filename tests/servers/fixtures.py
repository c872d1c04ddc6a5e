"""The servers as pytest fixtures; `tests/conftest.py` loads this module as a plugin.

Processes that take long to start live for the session and are emptied for each test; everything else is
started for the test that asks. Only what a test asks for is imported and started.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers.browser import BrowserWindows, run_browser
from tests.servers.mlflow import run_mlflow
from tests.servers.processes import LOOPBACK
from tests.servers.prometheus import Prometheus, run_prometheus
from tests.servers.pushgateway import Pushgateway, run_pushgateway
from tests.servers.s3 import CREDENTIALS, FOREIGN_VARIABLES, S3, FlakyS3, empty_bucket, run_flaky, run_s3
from tests.servers.webhook import Webhook, run_webhook

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.servers.smtp import Certificates, Flavour, SmtpServer


# Fixtures that start a program: tests that use one belong to the slow ones.
SLOW_FIXTURES = frozenset({"pushgateway", "prometheus", "s3", "s3_flaky", "mlflow_server", "browser", "wheel"})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need a program as slow, before `-m "not slow"` chooses."""
    for item in items:
        if SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def _servers_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def _pushgateway_process(_servers_directory: Path) -> Iterator[Pushgateway]:
    with run_pushgateway(_servers_directory) as gateway:
        yield gateway


@pytest.fixture
def pushgateway(_pushgateway_process: Pushgateway) -> Pushgateway:
    """An empty Pushgateway: `.url`, `.samples(prefix)`, `.value(name, **labels)`, `.groups()`."""
    _pushgateway_process.wipe()
    return _pushgateway_process


@pytest.fixture(scope="session")
def _prometheus_process(_servers_directory: Path, _pushgateway_process: Pushgateway) -> Iterator[Prometheus]:
    with run_prometheus(_servers_directory, _pushgateway_process.url) as server:
        yield server


@pytest.fixture
def prometheus(pushgateway: Pushgateway, _prometheus_process: Prometheus) -> Prometheus:
    """A Prometheus without history that scrapes `pushgateway` every second: `.query(promql)`, `.wait_for(promql)`.

    It takes up to 5 s to the first scrape of the session, and 1 s to any other.
    """
    _prometheus_process.forget()
    return _prometheus_process


@pytest.fixture(scope="session")
def _certificates(_servers_directory: Path) -> Certificates:
    from tests.servers.smtp import make_certificates

    return make_certificates(_servers_directory)


@pytest.fixture
def smtp_server(_certificates: Certificates) -> Iterator[Callable[[Flavour], SmtpServer]]:
    """Starts SMTP servers: `smtp_server("plain")`, `("starttls")` with AUTH, `("tls")` implicit with AUTH.

    Each has `.url`, `.ca_file` (set SSL_CERT_FILE to it), `.mails`, `.attempts`, and faults to order:
    `.refuse("451 ...", times=2)`, `.drop()`, `.reject_recipient(address)`.
    """
    from tests.servers.smtp import run_smtp

    with ExitStack() as running:
        yield lambda flavour: running.enter_context(run_smtp(flavour, _certificates))


@pytest.fixture(scope="session")
def _s3_process(_servers_directory: Path) -> Iterator[str]:
    with run_s3(_servers_directory) as url:
        yield url


@pytest.fixture
def s3(_s3_process: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """One empty bucket, and the environment pointing at it: `.bucket`, `.uri(key)`, `.put(key, body)`, `.client`."""
    for name in FOREIGN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", LOOPBACK)
    bucket = empty_bucket(_s3_process)
    _point_at(bucket.url, monkeypatch)
    yield bucket
    _forget_client()
    bucket.client.close()


@pytest.fixture
def s3_flaky(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlakyS3]:
    """A proxy in front of `s3`, and the environment pointing at the proxy; `.s3` still reaches the bucket directly.

    Faults to order: `.drop(after=bytes, times=1)`, `.fail(times=1, status=503, code="SlowDown")`,
    `.lose_answers(times=1)`; what was asked is in `.exchanges` and `.gets(key)`.
    """
    with run_flaky(s3) as proxy:
        _point_at(proxy.url, monkeypatch)
        yield proxy
        _forget_client()


@pytest.fixture(scope="session")
def mlflow_server(_servers_directory: Path) -> Iterator[str]:
    """The tracking URI of an `mlflow server` that the whole session shares: name experiments and models by test."""
    with run_mlflow(_servers_directory) as url:
        yield url


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """An endpoint that records: `.url`, `.requests`, `.respond(status, times=1)`."""
    with run_webhook() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def _chromium() -> Iterator[Browser]:
    with run_browser() as browser:
        yield browser


@pytest.fixture
def browser(_chromium: Browser) -> Iterator[BrowserWindows]:
    """Opens pages: `browser(path_or_url, width=390, color_scheme="dark")` gives `.page`, `.errors`, `.requests`.

    Chromium lives for the module. It reaches only files and 127.0.0.1 (not by name); what a page asked for outside
    is in `.outside_requests`.
    """
    windows = BrowserWindows(_chromium)
    yield windows
    windows.close()


def _point_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
    _forget_client()


def _forget_client() -> None:
    """The pipeline keeps one S3 client for the process, made from the environment of its first use."""
    from pipeline.storage import s3

    s3.client.cache_clear()
