"""What the doctor finds of real servers and places, well and not; nobody is told anything, and nothing is left."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from importlib import metadata
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from pipeline.cli import main
from pipeline.config import load_settings
from pipeline.errors import ExitCode
from pipeline.steps.doctor import airflow, examine, machine, places
from pipeline.steps.doctor.finding import Finding
from pipeline.storage import run_store
from pipeline.storage import s3 as s3_storage
from pipeline.storage.run_store import RunStore
from tests.project import Project
from tests.servers.faulty import http, run_faulty
from tests.servers.processes import LOOPBACK, free_port
from tests.servers.pushgateway import Pushgateway
from tests.servers.s3 import S3, FlakyS3
from tests.servers.smtp import PASSWORD, Flavour, SmtpServer
from tests.servers.webhook import Webhook

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise's modules
StartServer = Callable[[Flavour], SmtpServer]
SECRET = "a-secret-that-nobody-reads"


@pytest.fixture
def watched(project: Project) -> Project:
    project.write_suite()
    project.write_monitor(notify={"channels": ["team-chat"]})
    return project


def found() -> dict[str, Finding]:
    """The last finding of each thing."""
    return {one.what: one for one in examine(load_settings())}


def test_where_all_is_well_it_says_so_tells_nobody_and_leaves_nothing(
    watched: Project,
    s3: S3,
    pushgateway: Pushgateway,
    smtp_server: StartServer,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = smtp_server("starttls")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    for name, value in {
        "PIPELINE_STORE": s3.uri("store"),
        "PIPELINE_PUSHGATEWAY_URL": pushgateway.url,
        "PIPELINE_SMTP_URL": server.url,
        "PIPELINE_CHANNEL_TEAM_CHAT": f"json{webhook.url.removeprefix('http')}/chat",
        "OPENLINEAGE_URL": f"http://someone:{SECRET}@{LOOPBACK}:{urlsplit(webhook.url).port}",
        "NO_PROXY": LOOPBACK,
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["doctor", "--json"]) == ExitCode.SOUND
    said = capsys.readouterr().out
    told = {one["what"]: one for one in json.loads(said)}
    assert {what: one["grade"] for what, one in told.items()} == {
        **dict.fromkeys(("versions", "monitor files", "disk", "store", "archive", "cache", "leases", "MLflow"), "ok"),
        **dict.fromkeys(("Pushgateway", "mail", "chat", "lineage", "clock"), "ok"),
        "Airflow": "not asked",
    }
    assert "takes the login" in told["mail"]["words"]
    assert PASSWORD not in said
    assert SECRET not in said
    assert server.mails == []
    assert [(request.method, request.body) for request in webhook.requests] == [("GET", b"")]  # of the lineage server
    assert pushgateway.groups() == []
    assert s3_storage.names(s3.uri("")) == []
    assert list(watched.root.rglob(".doctor*")) == []


def test_what_is_down_or_wrong_is_told_and_keeps_nothing_else_from_being_asked(
    watched: Project, smtp_server: StartServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = smtp_server("starttls")
    watched.write_text("monitors/broken.yaml", "name: [")
    watched.write_text("var/store", "a file in its place")
    with run_faulty(f"http://{LOOPBACK}:{free_port()}") as silent:
        silent.hang()
        for name, value in {
            "SSL_CERT_FILE": str(server.ca_file),
            "PIPELINE_OUTLET_SECONDS": "1",
            "PIPELINE_PUSHGATEWAY_URL": silent.url.replace("//", f"//nightjar:{SECRET}@"),
            "PIPELINE_SMTP_URL": server.url.partition("://")[0] + f"://nightjar:{SECRET}@{LOOPBACK}:{server.port}",
            "PIPELINE_CHANNEL_TEAM_CHAT": f"nothing://{SECRET}",
            "PIPELINE_AIRFLOW_URL": f"http://{LOOPBACK}:{free_port()}",
            "PIPELINE_AIRFLOW_LOGIN": f"nightjar:{SECRET}",
            "MLFLOW_TRACKING_URI": f"http://nightjar:{SECRET}@{LOOPBACK}:{free_port()}",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        }.items():
            monkeypatch.setenv(name, value)
        assert main(["doctor"]) == ExitCode.UNEXPECTED
    said = capsys.readouterr().out
    assert SECRET not in said
    lines = {line[11:].partition(":")[0]: line for line in said.splitlines()}
    wrong = {what for what, line in lines.items() if line.startswith("wrong ")}
    assert wrong == {"monitor files", "store", "MLflow", "Pushgateway", "mail", "chat", "Airflow"}
    assert {"versions", "disk", "archive", "cache"} <= {what for what, line in lines.items() if line.startswith("ok ")}
    assert "broken.yaml" in lines["monitor files"]
    assert "see PIPELINE_STORE" in lines["store"]
    assert "did not finish within 1" in lines["Pushgateway"]
    assert "check user and password in PIPELINE_SMTP_URL" in lines["mail"]
    assert "correct PIPELINE_CHANNEL_TEAM_CHAT" in lines["chat"]
    assert "check that it runs" in lines["Airflow"]


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_a_right_that_is_missing_in_a_bucket_is_found(
    watched: Project, s3_flaky: FlakyS3, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setenv("PIPELINE_STORE", s3_flaky.s3.uri("store"))
    s3_flaky.fail(times=2, status=403, code="AccessDenied", method=method)
    (finding,) = [one for one in examine(load_settings()) if one.what == "store"]
    assert finding.grade == "wrong"
    assert "check the AWS credentials and the bucket policy" in finding.words


@pytest.mark.parametrize(("ahead", "grade"), [(0, "ok"), (-60, "warning"), (60, "warning"), (400, "wrong")])
def test_a_clock_that_is_off_is_found(
    watched: Project, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch, ahead: int, grade: str
) -> None:
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    monkeypatch.setattr(machine, "time", SimpleNamespace(time=lambda: time.time() + ahead))
    (finding,) = machine.clock(load_settings())
    assert finding.grade == grade
    assert ("ahead of the Pushgateway" in finding.words) == (ahead > 0)
    assert ("behind the Pushgateway" in finding.words) == (ahead < 0)


@pytest.mark.parametrize(("free", "grade"), [(10**12, "ok"), (3 * 2**30, "warning"), (2**29, "wrong")])
def test_a_disk_that_fills_up_is_found(
    watched: Project, monkeypatch: pytest.MonkeyPatch, free: int, grade: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert {one.grade for one in machine.disks(load_settings())} == {grade}


def test_libraries_of_other_versions_and_missing_ones_are_named(
    watched: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = "; extra == 'chat'"
    needs = ["numpy>=99", "no-such-library>=1", "pandas>=1", f"no-extra>=1{chat}", f"duckdb<1{chat}"]
    monkeypatch.setattr(metadata, "requires", lambda _: needs)
    (finding,) = machine.versions(load_settings())
    assert finding.grade == "wrong"
    assert "numpy is " in finding.words
    assert "no-such-library is not installed" in finding.words
    assert "duckdb is " in finding.words
    assert "no-extra" not in finding.words
    assert "pandas" not in finding.words


def test_secrets_that_others_may_read_are_found(watched: Project) -> None:
    path = watched.write_text(".env", "PIPELINE_MAIL_FROM=nightjar@example.com\n")
    for mode, grade in ((0o644, "warning"), (0o600, "ok")):
        path.chmod(mode)
        assert found()["secrets"].grade == grade


def test_a_lease_is_told_as_held_and_on_s3_as_left_by_a_killed_holder(
    watched: Project, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for store in (str(watched.store), s3.uri("store")):
        monkeypatch.setenv("PIPELINE_STORE", store)
        with RunStore(store).alone("people"):
            (held,) = places.leases(load_settings())
        assert (held.grade, "people/.lock: held by a process that is at work" in held.words) == ("ok", True)
        assert [one.words for one in places.leases(load_settings())] == ["nobody holds one"]
    s3.put("store/people/.retraining.lock", b"somebody 7")
    monkeypatch.setattr(run_store, "EXPIRES_SECONDS", -1.0)
    (left,) = places.leases(load_settings())
    assert left.grade == "warning"
    assert "whoever comes next takes it over" in left.words


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(401), "PIPELINE_AIRFLOW_LOGIN"),
        (http(403), "PIPELINE_AIRFLOW_LOGIN"),
        (http(200, b"<html>"), "answers no JSON"),
        (http(200, b"[]"), "answers something else"),
        (http(200, b"{}"), "answers something else"),
    ],
)
def test_an_airflow_that_answers_otherwise_is_told(
    watched: Project, monkeypatch: pytest.MonkeyPatch, answer: bytes, words: str
) -> None:
    with run_faulty(f"http://{LOOPBACK}:{free_port()}") as other:
        other.answer(answer)
        monkeypatch.setenv("PIPELINE_AIRFLOW_URL", other.url)
        finding = found()["Airflow"]
    assert finding.grade == "wrong"
    assert words in finding.words


def test_the_login_is_read_from_a_file_and_asked_for_at_an_address_of_its_own(
    watched: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = watched.root / "login"
    monkeypatch.setenv("PIPELINE_AIRFLOW_URL", "https://people.example.com")
    monkeypatch.setenv("PIPELINE_AIRFLOW_LOGIN_FILE", str(login))
    with run_faulty(f"http://{LOOPBACK}:{free_port()}") as other:
        monkeypatch.setenv("PIPELINE_AIRFLOW_API_URL", other.url)
        assert "PIPELINE_AIRFLOW_LOGIN_FILE" in found()["Airflow"].words
        login.write_text(f"doctor:{SECRET}\n")
        other.answer(http(401))
        finding = found()["Airflow"]
    assert other.url in finding.words
    assert SECRET not in finding.words


def dag(name: str, *, paused: bool = False, tag: str = "nightly") -> dict[str, Any]:
    return {"dag_id": name, "is_paused": paused, "tags": [{"name": "nightjar"}, {"name": tag}]}


@pytest.mark.parametrize(
    ("known", "errors", "grades"),
    [
        ([dag("nightly_a")], [], ["ok"]),
        ([], [], ["wrong"]),
        ([dag("nightly_a", paused=True)], [], ["warning"]),
        ([dag("nightly_a", tag="broken-configuration")], [], ["wrong"]),
        ([dag("nightly_a")], [{"filename": "nightjar.py", "stack_trace": "x\nImportError: no"}], ["wrong"]),
        ([dag("nightly_a", paused=True)], [{"filename": "nightjar.py", "stack_trace": None}], ["wrong", "warning"]),
    ],
)
def test_dags_that_do_not_run_are_told(
    known: list[dict[str, Any]], errors: list[dict[str, Any]], grades: list[str]
) -> None:
    assert [one.grade for one in airflow.judged(known, errors)] == grades
