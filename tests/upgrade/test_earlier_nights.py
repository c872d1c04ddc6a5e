"""Nights that an earlier version wrote are read, shown and run again; README.md beside this says what they are."""

from __future__ import annotations

import json
import tarfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode
from pipeline.results import Decision, DriftResult, PerformanceResult, QualityResult, SnapshotPair
from pipeline.steps.night import Night, Workspace, open_workspace
from pipeline.storage.run_store import RunStore
from tests.servers.smtp import SmtpServer

DAYS = [date(2026, 1, day) for day in (10, 11, 12, 13)]
ASKED = DAYS[2]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run store of the earlier version, in a project that is in use."""
    for packed in Path(__file__).parent.glob("nights-*.tar.xz"):
        with tarfile.open(packed) as tar:
            tar.extractall(tmp_path, filter="data")
    for name, value in {
        "PIPELINE_HOME": str(tmp_path),
        "PIPELINE_REPORT_BASE_URL": "https://reports.example.com",
        "PIPELINE_MAIL_FROM": "nightjar@example.com",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "var/store"


@pytest.fixture
def server(smtp_server: Any, monkeypatch: pytest.MonkeyPatch) -> SmtpServer:
    found: SmtpServer = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", found.url)
    return found


@pytest.fixture
def monitor(store: Path) -> Workspace:
    return open_workspace("people")


def stored(store: Path, day: date, name: str) -> Any:
    return json.loads((store / "people" / str(day) / f"{name}.json").read_text())


def agrees(now: Any, before: Any) -> bool:
    """Whether all that was said before is still said, whatever was added."""
    if isinstance(before, dict):
        return isinstance(now, dict) and all(key in now and agrees(now[key], before[key]) for key in before)
    if isinstance(before, list):
        return isinstance(now, list) and len(now) == len(before) and all(map(agrees, now, before))
    return bool(now == before)


@pytest.mark.parametrize("kind", [SnapshotPair, QualityResult, DriftResult, PerformanceResult, Decision])
def test_every_result_is_read_and_none_of_it_is_lost(store: Path, monitor: Workspace, kind: Any) -> None:
    assert monitor.nights() == DAYS
    for day in DAYS:
        found = monitor.on(day).read(kind)
        assert found is not None
        assert agrees(json.loads(found.to_json()), stored(store, day, kind.file))
        assert {"index.html", "summary.eml", "gauges.prom"} <= (monitor.on(day).files() or {}).keys()


def test_the_retraining_is_read(monitor: Workspace) -> None:
    assert monitor.retrainings() == [ASKED]
    found = monitor.retraining_on(ASKED)
    assert found is not None
    assert (found.status, found.lineage and found.lineage.version) == ("promoted", "1")


def test_every_page_is_written_again_and_shows_every_night(store: Path) -> None:
    assert main(["site"]) == ExitCode.SOUND
    history = (store / "people/index.html").read_text()
    for day in DAYS:
        assert f"{day}/index.html" in history
        page = (store / "people" / str(day) / "index.html").read_text()
        assert stored(store, day, "decision")["reason"].partition(" (")[0] in page
    assert "people" in (store / "index.html").read_text()
    assert "promoted" in (store / f"people/retraining/{ASKED}/index.html").read_text()
    assert [item["run_date"] for item in json.loads((store / "people/history.json").read_text())["nights"]] == [
        str(day) for day in DAYS
    ]


def test_a_digest_and_a_backtest_know_them(
    store: Path, server: SmtpServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIPELINE_DIGEST_TO", "team@example.com")
    assert main(["digest", "--date", str(DAYS[-1])]) == ExitCode.SOUND
    (mail,) = server.mails
    assert "people" in mail.message.as_string()
    assert main(["backtest", "people", "--from", str(DAYS[0]), "--to", str(DAYS[-1])]) == ExitCode.SOUND
    assert "2026-01-12" in capsys.readouterr().out


def verdict(night: Night) -> tuple[object, ...]:
    decision, drift = night.read(Decision), night.read(DriftResult)
    assert decision is not None
    assert drift is not None
    return decision.status, decision.retrain, decision.hold, [item.name for item in drift.drifted_columns]


def test_they_are_run_again_to_the_same_verdict_and_nobody_is_mailed_twice(
    store: Path, monitor: Workspace, server: SmtpServer
) -> None:
    before = {day: verdict(monitor.on(day)) for day in DAYS}
    for day in (DAYS[0], *DAYS[2:], ASKED):
        assert main(["run", "people", "--date", str(day)]) == ExitCode.SOUND
    assert {day: verdict(monitor.on(day)) for day in DAYS} == before
    assert server.mails == []
    assert RunStore(str(store)).read_page(".format") == b"1\n"
    assert monitor.nights() == DAYS
    assert monitor.retrainings() == [ASKED]


def test_a_night_that_comes_to_something_else_is_mailed(store: Path, server: SmtpServer) -> None:
    data = store.parents[1] / "data/production"
    drifted = (data / f"dt={DAYS[3]}/part-0.parquet").read_bytes()
    (data / f"dt={DAYS[0]}/part-0.parquet").write_bytes(drifted)
    for _ in range(2):
        assert main(["run", "people", "--date", str(DAYS[0])]) == ExitCode.SOUND
    assert len(server.mails) == 1
