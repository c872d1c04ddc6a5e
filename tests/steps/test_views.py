"""Whoever is told of a night is told what is published, whatever its steps have found since."""

from __future__ import annotations

from typing import Any

import mlflow
import pytest

from pipeline.config import load_settings
from pipeline.errors import ResultMissing
from pipeline.publish.messages.chat import ChatMessage
from pipeline.results import Decision, DriftResult
from pipeline.steps import lineage, nightly, views
from pipeline.steps.night import Night, open_night
from tests.project import Project
from tests.servers.processes import LOOPBACK
from tests.servers.webhook import Webhook
from tests.steps.published import AS_FAR_AS_PUBLICATION


@pytest.fixture
def night(project: Project, monkeypatch: pytest.MonkeyPatch) -> Night:
    """Published as drifted, and measured again since then, as healthy."""
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    night = project.complete(drifted=True, notify={"channels": ["team"]})
    for step in AS_FAR_AS_PUBLICATION:
        step(night)
    drift, decision = night.load(DriftResult), night.load(Decision)
    assert (drift.drifted, decision.status, decision.retrain) == (True, "drifted", False)
    night.save(drift.model_copy(update={"drift_share": 0.0, "drifted": False}))
    night.save(decision.model_copy(update={"status": "healthy", "retrain": True, "reason": "nothing"}))
    return night


@pytest.mark.slow
def test_every_outlet_tells_what_is_published(night: Night, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    published = night.read(DriftResult)
    assert published is not None
    said: list[ChatMessage] = []
    monkeypatch.setattr(
        "pipeline.publish.messages.chat.deliver", lambda _name, _url, message, **_environment: said.append(message)
    )
    monkeypatch.setenv("OPENLINEAGE_URL", webhook.url)
    monkeypatch.setenv("NO_PROXY", LOOPBACK)

    nightly.send_summary(night)
    lineage.send_lineage(night)
    nightly.log_run(night)
    client = mlflow.MlflowClient(tracking_uri=night.tracking_uri)
    (run,) = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])

    told: dict[str, Any] = webhook.requests[-1].json()["run"]["facets"]["nightjar_verdict"]
    assert (told["status"], told["driftShare"], told["retrain"]) == ("drifted", published.drift_share, False)
    assert run.data.tags["status"] == "drifted"
    assert run.data.metrics["drift_share"] == published.drift_share
    assert ["drift" in message.title for message in said] == [True]


@pytest.mark.slow
def test_whoever_waits_for_a_night_has_the_verdict_of_its_page(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = views.published_verdict(night)
    decision = night.read(Decision)
    assert decision is not None
    assert verdict == {
        "run_date": "2026-01-14",
        "status": "drifted",
        "drift_share": verdict["drift_share"],
        "retrain": False,
        "reason": decision.reason,
        "page": night.uri("index.html"),
    }
    assert verdict["drift_share"] > 0.3
    monkeypatch.setenv("PIPELINE_REPORT_BASE_URL", "https://reports.example.com/")
    readable = open_night(night.name, night.run_date)
    assert load_settings().report_base_url == readable.settings.report_base_url
    assert views.published_verdict(readable)["page"] == "https://reports.example.com/people/2026-01-14/index.html"


def test_a_night_that_is_not_published_has_no_verdict(project: Project) -> None:
    night = project.complete()
    with pytest.raises(ResultMissing, match="run it again from pull_snapshots"):
        views.published_verdict(night)
