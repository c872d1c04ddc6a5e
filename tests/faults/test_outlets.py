"""Outlets when several processes serve them, out of order and at once: real Pushgateway, mail server and MLflow."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.errors import OutletUnavailable
from pipeline.steps import nightly
from pipeline.steps.night import Night
from pipeline.steps.probation import watch_champion
from pipeline.storage.mlflow_client import open_store
from tests.project import Project, people
from tests.servers.pushgateway import Pushgateway
from tests.servers.smtp import Flavour, SmtpServer
from tests.steps.published import publish

pytestmark = pytest.mark.slow

StartServer = Callable[[Flavour], SmtpServer]
FIRST = date(2026, 1, 14)


@pytest.fixture
def watched(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    project.write_suite()
    project.write_monitor(notify={"email": ["team@example.com"]})
    project.write_parquet("reference/part-0.parquet", people(2_000, seed=0))
    return project


def run(project: Project, number: int, older: float = 0.0) -> Night:
    return publish(project, FIRST + timedelta(number), people(1_500, seed=100 + number, older=older))


def test_an_older_night_that_is_run_again_leaves_the_gauges_of_the_newest(
    watched: Project, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    older, newest = run(watched, 0), run(watched, 2, older=30)
    assert nightly.push_gauges(newest) == "pushed"
    before = pushgateway.samples("model_monitor_")
    assert before
    assert nightly.push_gauges(older) == f"not pushed, as {newest.run_date} is newer"
    assert nightly.report_failure(older, "run") == f"not pushed, as {newest.run_date} is newer"
    watch_champion(older)
    assert pushgateway.samples("model_monitor_") == before
    assert nightly.report_failure(newest, "run") == "pushed"
    assert nightly.push_gauges(newest) == "pushed"


def test_two_processes_that_tell_one_night_at_once_send_one_mail(
    watched: Project, smtp_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("plain")
    server.pause = 0.5
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    night = run(watched, 0)
    with ThreadPoolExecutor(4) as pool:
        said = sorted(pool.map(nightly.send_summary, [watched.night(str(night.run_date)) for _ in range(4)]))
    assert said == ["already sent", "already sent", "already sent", "sent"]
    assert len(server.mails) == 1


def test_a_mail_without_an_answer_is_sent_again_by_the_next_run_under_the_same_id(
    watched: Project, smtp_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    server.drop(at="DATA")
    night = run(watched, 0)
    with pytest.raises(OutletUnavailable, match="did not say that it takes it"):
        nightly.send_summary(night)
    assert (nightly.send_summary(night), nightly.send_summary(night)) == ("sent", "already sent")
    assert (server.attempts, len(server.mails)) == (2, 1)


def test_where_nothing_can_be_noted_nothing_is_sent(
    watched: Project, smtp_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    night = run(watched, 0)
    receipts = Path(watched.store / "people/.receipts")
    receipts.write_text("not a folder")
    for _ in range(2):
        with pytest.raises(OutletUnavailable, match="receipts"):
            nightly.send_summary(night)
    assert not server.mails
    receipts.unlink()
    assert nightly.send_summary(night) == "sent"


def test_two_processes_that_log_one_night_at_once_make_one_run(
    watched: Project, mlflow_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    night = run(watched, 0)
    with ThreadPoolExecutor(3) as pool:
        runs = set(pool.map(nightly.log_run, [watched.night(str(night.run_date)) for _ in range(3)]))
    assert len(runs) == 1
    with open_store(mlflow_server) as client:
        experiment = client.get_experiment_by_name("monitoring/people")
        found = client.search_runs([experiment.experiment_id], "tags.monitor_key LIKE '%people%'")
    assert {item.info.run_id for item in found} == runs
