"""The servers themselves: each is used once the way the tests of the pipeline use it, faults included."""

from __future__ import annotations

import json
import os
import smtplib
import socket
import ssl
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit

import pytest

from tests.servers import processes
from tests.servers.processes import ServerFailed, free_port, request, require, serving, wait_until

if TYPE_CHECKING:
    from tests.servers.browser import BrowserWindows
    from tests.servers.prometheus import Prometheus
    from tests.servers.pushgateway import Pushgateway
    from tests.servers.s3 import S3, FlakyS3
    from tests.servers.smtp import Flavour, SmtpServer
    from tests.servers.webhook import Webhook

    StartSmtp = Callable[[Flavour], SmtpServer]

# --- programs


def test_a_missing_program_skips_and_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install no-such-package"):
        require("no-such-program", "no-such-package")


def test_a_missing_program_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises((pytest.fail.Exception, pytest.skip.Exception), match="apt-get install no-such-package") as end:
        require("no-such-program", "no-such-package")
    assert isinstance(end.value, pytest.fail.Exception)


def test_a_program_that_cannot_start_shows_what_it_wrote(tmp_path: Path) -> None:
    def command(port: int) -> list[str]:
        return [sys.executable, "-c", "import sys; sys.exit('the disk is on fire')"]

    with (
        pytest.raises(ServerFailed, match=r"code 1(.|\n)*the disk is on fire"),
        serving(command, health="/", log=tmp_path / "log"),
    ):
        pass


def test_a_program_that_never_answers_is_stopped_with_its_children(tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    stubborn = "import os, pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    child = f"{stubborn}pathlib.Path({str(lives)!r}).write_text(str(os.getpid())); time.sleep(60)"
    code = f"import subprocess, sys; print('thinking', flush=True); subprocess.run([sys.executable, '-c', {child!r}])"
    started = time.monotonic()
    with (
        pytest.raises(ServerFailed, match=r"waited 2 s(.|\n)*thinking"),
        serving(lambda port: [sys.executable, "-c", code], health="/", log=tmp_path / "log", timeout=2),
    ):
        pass
    assert time.monotonic() - started < 8
    wait_until(lambda: not _lives(int(lives.read_text())), "the child to end", timeout=5)


def test_a_port_taken_in_between_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((processes.LOOPBACK, 0)) as taken:
        ports = iter([taken.getsockname()[1], free_port()])
        monkeypatch.setattr(processes, "free_port", lambda: next(ports))

        def command(port: int) -> list[str]:
            return [sys.executable, "-m", "http.server", "--bind", processes.LOOPBACK, str(port)]

        with serving(command, health="/", log=tmp_path / "log") as url:
            assert urlsplit(url).port != taken.getsockname()[1]
            assert request("GET", url).status == 200
    with pytest.raises(ConnectionRefusedError):
        request("GET", url)


# --- Pushgateway and Prometheus


def _push(gateway: Pushgateway, monitor: str, share: float) -> None:
    from prometheus_client import CollectorRegistry, Gauge, push_to_gateway

    registry = CollectorRegistry()
    Gauge("model_monitor_drift_share_ratio", "Share of drifted columns", registry=registry).set(share)
    push_to_gateway(gateway.url, job="nightjar", grouping_key={"monitor": monitor}, registry=registry, timeout=5)


def test_prometheus_scrapes_what_was_pushed(pushgateway: Pushgateway, prometheus: Prometheus) -> None:
    _push(pushgateway, "churn", 0.4)
    assert pushgateway.value("model_monitor_drift_share_ratio", monitor="churn") == 0.4
    [sample] = prometheus.wait_for('model_monitor_drift_share_ratio{job="nightjar"} == 0.4')
    assert (sample.labels["monitor"], sample.labels["job"], sample.value) == ("churn", "nightjar", 0.4)
    assert "exported_job" not in sample.labels  # honor_labels: what was pushed wins over the scrape's own


def test_every_test_gets_a_prometheus_without_history(pushgateway: Pushgateway, prometheus: Prometheus) -> None:
    assert prometheus.query('last_over_time(model_monitor_drift_share_ratio{monitor="churn"}[1h])') == []
    _push(pushgateway, "fraud", 0.2)
    prometheus.wait_for('last_over_time(model_monitor_drift_share_ratio{monitor="fraud"}[1h]) == 0.2')


def test_waiting_for_a_value_that_never_comes_says_what_was_asked(prometheus: Prometheus) -> None:
    with pytest.raises(AssertionError, match=r"no_such_metric: empty for 0\.2 s"):
        prometheus.wait_for("no_such_metric", timeout=0.2)
    with pytest.raises(AssertionError, match="parse error"):
        prometheus.query("no_such_metric{")


@pytest.mark.parametrize("monitor", ["first", "second"])
def test_every_test_gets_an_empty_gateway(pushgateway: Pushgateway, monitor: str) -> None:
    assert pushgateway.groups() == []
    assert pushgateway.samples("model_monitor_") == []
    _push(pushgateway, monitor, 0.1)
    assert pushgateway.groups() == [{"job": "nightjar", "monitor": monitor}]
    with pytest.raises(AssertionError, match="expected one series"):
        pushgateway.value("model_monitor_drift_share_ratio", monitor="other")


# --- mail


def _mail(*recipients: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "nightjar@example.com"
    message["To"] = ", ".join(recipients or ("team@example.com",))
    message["Subject"] = "churn: 40% drifted"
    message.set_content("Köln\n.a line that starts with a dot\n")
    return message


def _send(
    server: SmtpServer, *recipients: str, url: str | None = None, ca_file: Path | None = None
) -> dict[str, tuple[int, bytes]]:
    parts = urlsplit(url or server.url)
    context = ssl.create_default_context(cafile=ca_file or server.ca_file)
    if parts.scheme == "smtps":
        client: smtplib.SMTP = smtplib.SMTP_SSL(parts.hostname or "", parts.port or 0, timeout=5, context=context)
    else:
        client = smtplib.SMTP(parts.hostname or "", parts.port or 0, timeout=5)
    try:
        if server.flavour == "starttls":
            client.starttls(context=context)
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
        return client.send_message(_mail(*recipients))
    finally:
        client.close()


@pytest.mark.parametrize(
    ("flavour", "encrypted", "user"),
    [("plain", False, None), ("starttls", True, "nightjar"), ("tls", True, "nightjar")],
)
def test_mail_arrives_with_its_envelope_and_bytes(
    smtp_server: StartSmtp, flavour: Flavour, encrypted: bool, user: str | None
) -> None:
    server = smtp_server(flavour)
    assert _send(server, "team@example.com", "boss@example.com") == {}
    [mail] = server.mails
    assert mail.sender == "nightjar@example.com"
    assert mail.recipients == ("team@example.com", "boss@example.com")
    assert (mail.encrypted, mail.user) == (encrypted, user)
    assert mail.message["Subject"] == "churn: 40% drifted"
    assert mail.message.get_content().splitlines() == ["Köln", ".a line that starts with a dot"]
    assert mail.raw.startswith(b"From: nightjar@example.com\r\n")


@pytest.mark.parametrize("flavour", ["starttls", "tls"])
def test_a_wrong_password_is_refused(smtp_server: StartSmtp, flavour: Flavour) -> None:
    server = smtp_server(flavour)
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        _send(server, url=server.url_for("nightjar", "wrong"))
    assert refused.value.smtp_code == 535
    assert server.mails == []


@pytest.mark.parametrize("flavour", ["starttls", "tls"])
def test_mail_without_logging_in_is_refused(smtp_server: StartSmtp, flavour: Flavour) -> None:
    server = smtp_server(flavour)
    parts = urlsplit(server.url)
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        _send(server, url=f"{parts.scheme}://{parts.hostname}:{parts.port}")
    assert refused.value.smtp_code == 530


def test_logging_in_without_encryption_is_not_possible(smtp_server: StartSmtp) -> None:
    server = smtp_server("starttls")
    with smtplib.SMTP(processes.LOOPBACK, server.port, timeout=5) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        assert client.docmd("MAIL FROM:<a@example.com>") == (530, b"Must issue a STARTTLS command first")


@pytest.mark.parametrize("flavour", ["starttls", "tls"])
def test_a_client_that_does_not_know_the_authority_hangs_up(
    smtp_server: StartSmtp, flavour: Flavour, tmp_path: Path
) -> None:
    import trustme

    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    server = smtp_server(flavour)
    with pytest.raises(ssl.SSLCertVerificationError):
        _send(server, ca_file=other)
    assert _send(server) == {}


def test_the_authority_is_trusted_through_ssl_cert_file(
    smtp_server: StartSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("tls")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    context = ssl.create_default_context()
    with smtplib.SMTP_SSL(processes.LOOPBACK, server.port, timeout=5, context=context) as client:
        assert client.noop()[0] == 250


def test_a_mail_refused_twice_is_taken_the_third_time(smtp_server: StartSmtp) -> None:
    server = smtp_server("plain")
    server.refuse("451 4.7.1 Greylisted", times=2)
    for _ in range(2):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            _send(server)
        assert refused.value.smtp_code == 451
    assert _send(server) == {}
    assert (server.attempts, len(server.mails)) == (3, 1)


def test_a_mail_refused_for_good_is_never_taken(smtp_server: StartSmtp) -> None:
    server = smtp_server("tls")
    server.refuse("550 5.7.1 Not here", at="MAIL")
    for _ in range(3):
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            _send(server)
        assert refused.value.smtp_code == 550
    assert server.mails == []


def test_one_of_two_recipients_is_refused(smtp_server: StartSmtp) -> None:
    server = smtp_server("plain")
    server.reject_recipient("gone@example.com")
    refused = _send(server, "team@example.com", "gone@example.com")
    assert refused == {"gone@example.com": (550, b"5.1.1 No such mailbox")}
    assert server.mails[0].recipients == ("team@example.com",)


@pytest.mark.parametrize("flavour", ["plain", "starttls", "tls"])
@pytest.mark.parametrize("stage", ["CONNECT", "MAIL", "RCPT", "DATA"])
def test_a_connection_is_dropped_once(smtp_server: StartSmtp, flavour: Flavour, stage: Any) -> None:
    server = smtp_server(flavour)
    server.drop(at=stage)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError, ssl.SSLError)):
        _send(server)
    assert server.mails == []
    assert _send(server) == {}
    assert (len(server.mails), server.connections) == (1, 2)


def test_a_server_that_is_busy_says_so_when_greeting(smtp_server: StartSmtp) -> None:
    server = smtp_server("plain")
    server.refuse("421 4.3.2 Too busy", at="CONNECT", times=1)
    with pytest.raises(smtplib.SMTPConnectError) as refused:
        _send(server)
    assert refused.value.smtp_code == 421
    assert _send(server) == {}


def test_the_server_stops_while_a_client_is_connected(tmp_path: Path) -> None:
    from tests.servers.smtp import make_certificates, run_smtp

    with socket.socket() as client:
        client.settimeout(5)
        with run_smtp("plain", make_certificates(tmp_path)) as server:
            client.connect((processes.LOOPBACK, server.port))
            assert client.recv(1024).startswith(b"220")
        assert client.recv(1024) == b""


# --- S3


def _environment_client(attempts: int = 1) -> Any:
    """A client as the pipeline makes one: everything from the environment."""
    import boto3
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": attempts}
    return boto3.session.Session().client("s3", config=Config(retries=retries))


def _code(error: Any) -> str:
    return str(error.value.response["Error"]["Code"])


def test_the_environment_leads_to_the_bucket(s3: S3) -> None:
    assert s3.put("dt=2026-01-01/part-0.parquet", b"rows") == "s3://snapshots/dt=2026-01-01/part-0.parquet"
    client = _environment_client()
    answer = client.get_object(Bucket=s3.bucket, Key="dt=2026-01-01/part-0.parquet")
    assert answer["Body"].read() == b"rows"
    client.close()


def test_a_listing_comes_in_pages(s3: S3) -> None:
    keys = [f"day/{number:02}" for number in range(8)]
    for key in keys:
        s3.put(key, b"x")
    s3.put("other/00", b"x")
    first = s3.client.list_objects_v2(Bucket=s3.bucket, Prefix="day/")
    assert ([entry["Key"] for entry in first["Contents"]], first["IsTruncated"]) == (keys[:3], True)
    asked = s3.client.list_objects_v2(Bucket=s3.bucket, Prefix="day/", MaxKeys=2)
    assert len(asked["Contents"]) == 2
    assert s3.keys("day/") == keys


@pytest.mark.parametrize("name", ["first", "second"])
def test_every_test_gets_an_empty_bucket(s3: S3, name: str) -> None:
    assert s3.keys() == []
    s3.put(name, b"x")
    assert s3.keys() == [name]


def test_a_get_can_insist_on_an_etag(s3: S3) -> None:
    from botocore.exceptions import ClientError

    s3.put("a", b"old")
    etag = s3.client.head_object(Bucket=s3.bucket, Key="a")["ETag"]
    assert s3.client.get_object(Bucket=s3.bucket, Key="a", IfMatch=etag)["Body"].read() == b"old"
    s3.put("a", b"new")
    with pytest.raises(ClientError) as changed:
        s3.client.get_object(Bucket=s3.bucket, Key="a", IfMatch=etag)
    assert _code(changed) == "PreconditionFailed"


def test_a_put_can_insist_on_being_first_or_on_an_etag(s3: S3) -> None:
    from botocore.exceptions import ClientError

    first = s3.client.put_object(Bucket=s3.bucket, Key="a", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError) as exists:
        s3.client.put_object(Bucket=s3.bucket, Key="a", Body=b"second", IfNoneMatch="*")
    assert _code(exists) == "PreconditionFailed"
    s3.client.put_object(Bucket=s3.bucket, Key="a", Body=b"third", IfMatch=first["ETag"])
    with pytest.raises(ClientError) as changed:
        s3.client.put_object(Bucket=s3.bucket, Key="a", Body=b"fourth", IfMatch=first["ETag"])
    assert _code(changed) == "PreconditionFailed"
    assert s3.get("a") == b"third"


def test_a_get_can_take_a_range_of_a_pinned_object(s3: S3) -> None:
    from botocore.exceptions import ClientError

    s3.put("a", b"0123456789")
    etag = s3.client.head_object(Bucket=s3.bucket, Key="a")["ETag"]
    answer = s3.client.get_object(Bucket=s3.bucket, Key="a", Range="bytes=4-", IfMatch=etag)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (answer["ContentRange"], answer["Body"].read()) == ("bytes 4-9/10", b"456789")
    with pytest.raises(ClientError) as beyond:
        s3.client.get_object(Bucket=s3.bucket, Key="a", Range="bytes=10-")
    assert _code(beyond) == "InvalidRange"
    s3.put("a", b"9876543210")
    with pytest.raises(ClientError) as changed:
        s3.client.get_object(Bucket=s3.bucket, Key="a", Range="bytes=4-", IfMatch=etag)
    assert _code(changed) == "PreconditionFailed"


def test_an_old_version_can_still_be_read(s3: S3) -> None:
    from botocore.exceptions import ClientError

    s3.enable_versioning()
    s3.put("a", b"old")
    version = s3.client.head_object(Bucket=s3.bucket, Key="a")["VersionId"]
    s3.put("a", b"new")
    assert s3.client.get_object(Bucket=s3.bucket, Key="a", VersionId=version)["Body"].read() == b"old"
    assert s3.get("a") == b"new"
    with pytest.raises(ClientError) as missing:
        s3.client.get_object(Bucket=s3.bucket, Key="a", VersionId="no-such-version")
    assert _code(missing) in {"NoSuchVersion", "InvalidArgument"}


def test_the_proxy_passes_everything_on(s3_flaky: FlakyS3) -> None:
    client = _environment_client()
    body = os.urandom(300_000)
    client.put_object(Bucket="snapshots", Key="a b/ü+1", Body=body)
    assert client.head_object(Bucket="snapshots", Key="a b/ü+1")["ContentLength"] == len(body)
    assert client.get_object(Bucket="snapshots", Key="a b/ü+1")["Body"].read() == body
    assert client.list_objects_v2(Bucket="snapshots")["KeyCount"] == 1
    client.delete_object(Bucket="snapshots", Key="a b/ü+1")
    client.close()
    assert s3_flaky.s3.keys() == []
    assert [exchange.method for exchange in s3_flaky.exchanges] == ["PUT", "HEAD", "GET", "GET", "DELETE"]
    [get] = s3_flaky.gets("a b/ü+1")
    assert (get.status, get.sent, get.range) == (200, len(body), None)


@pytest.mark.parametrize(("reset", "told"), [(False, "70000 read, but total bytes expected"), (True, "reset by peer")])
def test_a_body_is_cut_once_and_the_rest_can_be_fetched(s3_flaky: FlakyS3, reset: bool, told: str) -> None:
    from botocore.exceptions import IncompleteReadError, ResponseStreamingError

    body = os.urandom(200_000)
    s3_flaky.s3.put("day 1/other", body)
    s3_flaky.s3.put("day 1/big", body)
    s3_flaky.drop(after=70_000, key="day 1/big", reset=reset)
    client = _environment_client()
    assert client.get_object(Bucket="snapshots", Key="day 1/other")["Body"].read() == body

    chunks: list[bytes] = []
    with pytest.raises((IncompleteReadError, ResponseStreamingError), match=told):
        chunks.extend(client.get_object(Bucket="snapshots", Key="day 1/big")["Body"].iter_chunks(10_000))
    got = b"".join(chunks)
    assert len(got) <= 70_000
    rest = client.get_object(Bucket="snapshots", Key="day 1/big", Range=f"bytes={len(got)}-")["Body"].read()
    client.close()
    assert got + rest == body
    assert [(get.status, get.range, get.sent) for get in s3_flaky.gets("day 1/big")] == [
        (200, None, 70_000),
        (206, f"bytes={len(got)}-", len(body) - len(got)),
    ]


def test_a_slow_down_is_retried_by_the_client(s3_flaky: FlakyS3) -> None:
    from botocore.exceptions import ClientError

    s3_flaky.s3.put("a", b"rows")
    client = _environment_client()
    s3_flaky.fail(times=1)
    with pytest.raises(ClientError) as slow:
        client.get_object(Bucket="snapshots", Key="a")
    assert _code(slow) == "SlowDown"
    client.close()

    patient = _environment_client(attempts=3)
    s3_flaky.fail(times=2)
    assert patient.get_object(Bucket="snapshots", Key="a")["Body"].read() == b"rows"
    patient.close()
    assert [get.status for get in s3_flaky.gets("a")] == [503, 503, 503, 200]


def test_a_write_may_be_done_although_its_answer_was_lost(s3_flaky: FlakyS3) -> None:
    from botocore.exceptions import ClientError

    client = _environment_client(attempts=2)
    s3_flaky.lose_answers(key="a")
    with pytest.raises(ClientError) as again:
        client.put_object(Bucket="snapshots", Key="a", Body=b"rows", IfNoneMatch="*")
    client.close()
    assert _code(again) == "PreconditionFailed"  # it met itself
    assert s3_flaky.s3.get("a") == b"rows"


def test_of_many_conditional_writes_at_once_one_is_done(s3: S3) -> None:
    from botocore.exceptions import ClientError

    def write(number: int) -> bool:
        try:
            s3.client.put_object(Bucket=s3.bucket, Key="a", Body=b"%d" % number, IfNoneMatch="*")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as writers:
        assert sum(writers.map(write, range(32))) == 1


def test_the_pipeline_uses_the_proxy_after_it_used_the_bucket(s3: S3, request: pytest.FixtureRequest) -> None:
    from pipeline.storage import s3 as storage

    assert storage.client().meta.endpoint_url == s3.url
    proxy: FlakyS3 = request.getfixturevalue("s3_flaky")
    assert storage.client().meta.endpoint_url == proxy.url != s3.url


# --- MLflow


def test_a_run_is_logged_and_found_again(mlflow_server: str, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=mlflow_server)
    experiment = client.create_experiment("test_servers/churn")
    run = client.create_run(experiment, tags={"monitor_key": "churn/2026-01-01"})
    client.log_metric(run.info.run_id, "drift_share", 0.4)
    report = tmp_path / "report.html"
    report.write_text("<h1>churn</h1>")
    client.log_artifact(run.info.run_id, str(report))
    client.set_terminated(run.info.run_id)

    [found] = client.search_runs([experiment], filter_string="tags.monitor_key = 'churn/2026-01-01'")
    assert (found.info.run_id, found.data.metrics) == (run.info.run_id, {"drift_share": 0.4})
    assert found.info.artifact_uri.startswith("mlflow-artifacts:")
    served = client.download_artifacts(run.info.run_id, "report.html", str(tmp_path))
    assert Path(served).read_text() == "<h1>churn</h1>"
    assert client.search_runs([experiment], filter_string="tags.monitor_key = 'other/2026-01-01'") == []


# --- webhook


def test_a_webhook_records_and_answers_as_told(webhook: Webhook) -> None:
    webhook.respond(500)
    post = urllib.request.Request(
        f"{webhook.url}/hook?id=1",
        data=json.dumps({"text": "churn drifted"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with pytest.raises(HTTPError) as failed:
        urllib.request.urlopen(post, timeout=5)
    failed.value.close()
    assert failed.value.code == 500
    with urllib.request.urlopen(post, timeout=5) as answer:
        assert answer.status == 200
    first, second = webhook.requests
    assert (first.method, first.path, first.json()) == ("POST", "/hook?id=1", {"text": "churn drifted"})
    assert second.headers["content-type"] == "application/json"


def test_an_idle_client_does_not_hold_a_server_up() -> None:
    from tests.servers.webhook import run_webhook

    with socket.socket() as idle:
        idle.settimeout(5)
        with run_webhook() as webhook:
            idle.connect((processes.LOOPBACK, urlsplit(webhook.url).port))
            assert request("GET", webhook.url).status == 200
            started = time.monotonic()
        assert time.monotonic() - started < 2
        assert idle.recv(1) == b""


# --- browser

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>churn</title>
<style>body {margin: 0; background: white} @media (prefers-color-scheme: dark) {body {background: black}}</style>
</head><body><h1>Köln</h1>%s</body></html>
"""


def _page(tmp_path: Path, body: str = "") -> Path:
    path = tmp_path / "a page.html"
    path.write_text(PAGE % body, encoding="utf-8")
    return path


def test_a_quiet_page_opens_without_errors_and_without_requests(browser: BrowserWindows, tmp_path: Path) -> None:
    opened = browser(_page(tmp_path))
    assert opened.page.title() == "churn"
    assert opened.page.inner_text("h1") == "Köln"
    assert opened.errors == []
    assert opened.requests == [(tmp_path / "a page.html").as_uri()]
    assert opened.outside_requests == []


@pytest.mark.parametrize(("scheme", "colour"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(0, 0, 0)")])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_opens_at_a_width_and_in_a_colour_scheme(
    browser: BrowserWindows, tmp_path: Path, width: int, scheme: Any, colour: str
) -> None:
    opened = browser(_page(tmp_path), width=width, color_scheme=scheme)
    assert opened.page.evaluate("innerWidth") == width
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == colour


def test_errors_of_a_page_are_recorded(browser: BrowserWindows, tmp_path: Path) -> None:
    opened = browser(
        _page(tmp_path, "<script>alert(1); console.error('lost'); console.log('fine'); nowhere()</script>")
    )
    assert opened.errors == ["dialog: 1", "lost", "uncaught: nowhere is not defined"]


def test_a_page_cannot_reach_the_network_and_its_attempt_is_recorded(
    browser: BrowserWindows, tmp_path: Path, webhook: Webhook
) -> None:
    outside = ["https://cdn.example.com/style.css", "http://192.0.2.1/pixel.png"]
    images = "".join(f'<img src="{url}" alt="">' for url in (outside[1], f"{webhook.url}/pixel.png"))
    opened = browser(_page(tmp_path, f'<link rel="stylesheet" href="{outside[0]}">{images}'))
    assert sorted(opened.outside_requests) == sorted(outside)
    assert sum("ERR_NAME_NOT_RESOLVED" in error for error in opened.errors) == 2
    assert [received.path for received in webhook.requests] == ["/pixel.png"]


def test_a_page_is_opened_by_its_url(browser: BrowserWindows, webhook: Webhook) -> None:
    opened = browser(f"{webhook.url}/night")
    assert opened.page.inner_text("body") == "ok"
    assert webhook.requests[0].path == "/night"


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
