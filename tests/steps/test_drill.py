"""A drill through Debian's Pushgateway, Prometheus and Alertmanager with the rules and routes of deploy/, to a mail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode
from pipeline.steps.auditing import audit
from pipeline.steps.drill import last_drill
from pipeline.steps.night import open_workspace
from tests.project import Project
from tests.servers.alertmanager import Alertmanager, run_alertmanager
from tests.servers.processes import LOOPBACK, free_port, request
from tests.servers.prometheus import run_whole_prometheus
from tests.servers.pushgateway import Pushgateway
from tests.servers.s3 import S3
from tests.servers.smtp import Flavour, SmtpServer

OWNER = "owner@example.com"


@pytest.fixture
def server(smtp_server: Callable[[Flavour], SmtpServer]) -> SmtpServer:
    return smtp_server("plain")


@pytest.fixture
def alertmanager(server: SmtpServer, tmp_path: Path) -> Iterator[Alertmanager]:
    with run_alertmanager(tmp_path, f"{LOOPBACK}:{server.port}") as running:
        yield running


@pytest.fixture
def watched(
    project: Project, pushgateway: Pushgateway, alertmanager: Alertmanager, server: SmtpServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Project:  # fmt: skip
    """A monitor with a night, whose parts are all there but Prometheus."""
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    project.complete()
    project.write_monitor(owner=OWNER, notify={"email": ["team@example.com"]})
    for variable, url in (
        ("PIPELINE_PUSHGATEWAY_URL", pushgateway.url),
        ("PIPELINE_ALERTMANAGER_URL", alertmanager.url),
        ("PIPELINE_SMTP_URL", server.url),
        ("PIPELINE_PROMETHEUS_URL", f"http://{LOOPBACK}:{free_port()}"),
    ):
        monkeypatch.setenv(variable, url)
    return project


def files(project: Project) -> set[str]:
    """Every file of the store, but those of leases and what is written anew."""
    found = (path.relative_to(project.store) for path in project.store.rglob("*") if path.is_file())
    return {str(path) for path in found if path.suffix != ".lock"}


@pytest.mark.slow
def test_a_planted_fault_comes_out_where_people_are_and_nothing_of_it_is_left(
    watched: Project, pushgateway: Pushgateway, alertmanager: Alertmanager, server: SmtpServer,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with run_whole_prometheus(tmp_path, pushgateway.url, alertmanager.url) as prometheus:
        monkeypatch.setenv("PIPELINE_PROMETHEUS_URL", prometheus.url)
        assert main(["drill", "people", "--wait", "90"]) == ExitCode.SOUND, capsys.readouterr().out
        said = capsys.readouterr().out
        mails = [(mail.recipients, str(mail.message["Subject"])) for mail in server.mails]
        night, *alerts = [to for to, subject in mails if "drill-people" in subject]
        # The planted fault rings by several rules: one that Prometheus is slow to evaluate is a mail of its own.
        assert (night, set(alerts)) == (("team@example.com",), {(OWNER,)})
        for words in (
            "planted: 2,000 rows of the reference without the column age",
            "the night: 2 critical expectations failed",
            "its rule NightjarQualityFailed rings",
            "has told owner by email",
        ):
            assert words in said
        assert not prometheus.query('model_monitor_drift_share_ratio{monitor="people"}')
    assert not [group for group in pushgateway.groups() if group.get("monitor") == "drill-people"]
    assert not {name for name in files(watched) if name.startswith("drill-people")}
    assert "drill-people" not in (watched.store / "index.html").read_text()
    workspace = open_workspace("people")
    drill = last_drill(workspace)
    assert drill is not None
    assert drill.missed is None
    answers = audit(workspace, drill.moment).answers
    assert {answer.question: answer.passed for answer in answers}["Has a drill been passed this quarter?"]


@pytest.mark.slow
def test_where_the_fault_stops_is_said_and_kept(
    watched: Project, pushgateway: Pushgateway, alertmanager: Alertmanager, server: SmtpServer,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Prometheus is down; then somebody has silenced the alert."""
    assert main(["drill", "people", "--wait", "1"]) == ExitCode.UNEXPECTED
    assert "is not passed: Prometheus at http://127.0.0.1" in capsys.readouterr().out
    silence(alertmanager)
    with run_whole_prometheus(tmp_path, pushgateway.url, alertmanager.url) as prometheus:
        monkeypatch.setenv("PIPELINE_PROMETHEUS_URL", prometheus.url)
        assert main(["drill", "people", "--wait", "90"]) == ExitCode.UNEXPECTED
    assert "Alertmanager keeps it from people: a silence" in capsys.readouterr().out
    drill = last_drill(open_workspace("people"))
    assert drill is not None
    assert drill.missed is not None
    assert not [group for group in pushgateway.groups() if group.get("monitor") == "drill-people"]


def silence(alertmanager: Alertmanager) -> None:
    now = datetime.now(UTC)
    body = {
        "matchers": [{"name": "monitor", "value": "drill-people", "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "a test",
        "comment": "a test",
    }
    address = f"{alertmanager.url}/api/v2/silences"
    answer = request("POST", address, body=json.dumps(body).encode(), content="application/json")
    assert answer.status == 200, answer.body


def test_a_drill_needs_to_know_its_parts_and_a_name_of_its_own(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.complete()
    assert main(["drill", "people"]) == ExitCode.USAGE
    said = capsys.readouterr().err
    for variable in ("PIPELINE_PUSHGATEWAY_URL", "PIPELINE_PROMETHEUS_URL", "PIPELINE_ALERTMANAGER_URL"):
        assert f"{variable}: not set" in said
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    kept = project.store / "drill-people" / "2026-01-01" / "index.html"
    kept.parent.mkdir(parents=True)
    kept.write_text("of a monitor that was retired")
    assert main(["drill", "people"]) == ExitCode.USAGE
    assert "drill-people: a drill of people takes this name" in capsys.readouterr().err
    assert kept.exists()
    kept.unlink()
    kept.parent.rmdir()
    kept.parent.parent.rmdir()
    (project.root / "monitors" / "drill-people.yaml").write_text("name: [")
    assert main(["drill", "people"]) == ExitCode.USAGE
    assert "a monitor has it or had it" in capsys.readouterr().err


def test_what_a_drill_could_not_take_back_the_next_one_does(
    watched: Project, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", f"http://{LOOPBACK}:{free_port()}")
    assert main(["drill", "people", "--wait", "1"]) == ExitCode.UNEXPECTED
    said = capsys.readouterr().out
    assert "the drill is not passed: the night did not come to its end: the Pushgateway" in said
    assert "gauges of drill-people could not be taken back" in said
    assert (watched.store / "drill-people").exists()
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    assert main(["drill", "people", "--wait", "1"]) == ExitCode.UNEXPECTED
    assert not (watched.store / "drill-people").exists()


@pytest.mark.slow
def test_on_s3_nothing_of_a_drill_is_left_either(
    watched: Project, pushgateway: Pushgateway, s3: S3, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("PIPELINE_STORE", f"s3://{s3.bucket}/store")
    for _ in range(2):
        assert main(["drill", "people", "--wait", "1"]) == ExitCode.UNEXPECTED
        assert "is not passed: Prometheus at http://127.0.0.1" in capsys.readouterr().out
        assert not s3.keys("store/drill-people/")
