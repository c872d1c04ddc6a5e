"""What an installation is called (`PIPELINE_ENVIRONMENT`): on every page, in every mail, in MLflow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import mlflow
import pytest

from pipeline.publish import old_runs
from pipeline.publish.messages import mail
from pipeline.publish.messages.chat import ChatMessage
from pipeline.steps import pages as site
from pipeline.steps import telling
from pipeline.steps import walk as steps
from pipeline.steps.rebuilding import rebuild
from tests.project import Project
from tests.publish.reading import Page
from tests.publish.retrainings import retraining
from tests.servers.smtp import Flavour, SmtpServer

StartServer = Callable[[Flavour], SmtpServer]
DAY = date(2026, 1, 14)
TOLD: dict[str, Any] = {"notify": {"email": ["team@example.com"], "channels": ["team"]}}


@pytest.fixture
def staging(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PIPELINE_ENVIRONMENT", "staging")
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    return project


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ChatMessage, str | None]]:
    said: list[tuple[ChatMessage, str | None]] = []

    def deliver(_channel: str, _url: str | None, message: ChatMessage, *, environment: str | None) -> None:
        said.append((message, environment))

    monkeypatch.setattr("pipeline.publish.messages.chat.deliver", deliver)
    return said


def pages_of(project: Project) -> dict[str, bytes]:
    """All but Evidently's own."""
    found = {path for path in project.store.rglob("*.html") if path.name != "drift_report.html"}
    shown = {path for path in found if not path.resolve().relative_to(project.store).parts[0].startswith(".")}
    return {str(path.relative_to(project.store)): path.read_bytes() for path in shown}


@pytest.mark.slow
def test_every_page_and_every_mail_says_where_it_comes_from(
    staging: Project, smtp_server: StartServer, chat: list[tuple[ChatMessage, str | None]], monkeypatch: Any
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    monkeypatch.setenv("PIPELINE_DIGEST_TO", "all@example.com")
    night = staging.complete(drifted=True, **TOLD)
    steps.run_night(night, lambda _: None)
    result = retraining().model_copy(update={"monitor": night.name})
    site.publish_retraining(night, result)
    telling.send_retraining(night, result)
    telling.send_check(night, datetime.now(UTC))
    telling.send_digest(night.settings, DAY)
    assert [str(one.message["Subject"]).split()[0] for one in server.mails] == ["[staging]"] * 4
    assert {environment for _, environment in chat} == {"staging"}
    rebuild(staging.settings, lambda _: None)
    pages = pages_of(staging)
    assert {name.rpartition("/")[2] for name in pages} == {"index.html", "columns.html"}
    assert len(pages) >= 6  # fleet, monitor, columns, night, retraining, incident
    for name, page in pages.items():
        assert "Environment: staging" in Page(page).text, name
        assert b"<title>[staging] " in page, name


@pytest.mark.slow
def test_a_name_that_is_given_later_tells_nobody_twice(
    staging: Project, smtp_server: StartServer, chat: list[tuple[ChatMessage, str | None]], monkeypatch: Any
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    monkeypatch.delenv("PIPELINE_ENVIRONMENT")
    steps.run_night(staging.complete(drifted=True, **TOLD), lambda _: None)
    monkeypatch.setenv("PIPELINE_ENVIRONMENT", "staging")
    steps.run_night(staging.night(), lambda _: None)
    assert len(server.mails) == 1
    assert len(chat) == 1
    assert mail.parse((staging.store / f"people/{DAY}/summary.eml").read_bytes())["Subject"].startswith("[staging] ")


@pytest.mark.slow
def test_two_installations_share_an_mlflow_and_leave_each_others_runs_alone(
    staging: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = f"sqlite:///{tmp_path}/shared.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    staging.write_suite()
    staging.complete(drifted=True)
    night = staging.night()
    steps.run_night(night, lambda _: None)
    monkeypatch.setenv("PIPELINE_ENVIRONMENT", "production")
    monkeypatch.setenv("PIPELINE_STORE", str(tmp_path / "production"))
    for _ in range(2):
        steps.run_night(staging.night(), lambda _: None)
    client = mlflow.MlflowClient(tracking)
    experiment = client.get_experiment_by_name("monitoring/people")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.data.tags["environment"] for run in runs) == ["production", "staging"]
    (mine,) = old_runs.runs_before("people", date.max, (), tracking, "staging")
    old_runs.delete([mine], tracking)
    (left,) = client.search_runs([experiment.experiment_id])
    assert left.data.tags["environment"] == "production"
