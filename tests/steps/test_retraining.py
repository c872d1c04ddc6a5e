"""A retraining that is published: its pages, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.errors import OutletUnavailable
from pipeline.publish.gauges import retraining as retrain_gauges
from pipeline.results import RetrainResult
from pipeline.steps import nightly as steps
from pipeline.steps import pages as site
from pipeline.steps import telling
from pipeline.steps.night import Workspace
from pipeline.steps.rebuilding import rebuild
from pipeline.steps.walk import run_night
from pipeline.storage.run_store import RunStore
from tests.project import Project
from tests.publish import samples
from tests.publish.retrainings import SUBJECTS, retraining
from tests.servers.smtp import Flavour, SmtpServer


def publish(project: Project, result: RetrainResult, **settings: Any) -> Workspace:
    changed = project.settings.model_copy(update=settings)
    workspace = Workspace(samples.monitor(), changed, RunStore(str(project.store)))
    site.publish_retraining(workspace, result)
    return workspace


def test_the_monitors_page_is_the_same_when_rebuilt(project: Project) -> None:
    workspace = publish(project, retraining())
    publish(project, retraining("no_labels", samples.RUN_DATE.replace(day=21)))
    project.write_text("monitors/churn.yaml", _monitor_file())
    before = {path: path.read_bytes() for path in pages_of(project)}
    rebuild(workspace.settings, lambda _: None)
    after = {path: path.read_bytes() for path in pages_of(project)}
    changed = [path for path in before if before[path] != after[path]]
    assert len(before) == 3
    assert not changed
    assert workspace.retrainings() == [samples.RUN_DATE, samples.RUN_DATE.replace(day=21)]


@pytest.mark.slow
def test_the_night_that_asked_is_published_again_with_a_link_and_only_its_page_changes(project: Project) -> None:
    night = project.complete(drifted=True, notify={"email": ["team@example.com"]})
    run_night(night, lambda _: None)
    before = night.store.read_night(night.name, night.run_date)
    result = retraining().model_copy(update={"monitor": night.name})
    site.publish_retraining(night, result)
    after = night.store.read_night(night.name, night.run_date)
    assert before is not None
    assert after is not None
    assert [name for name in after if after[name] != before.get(name)] == ["index.html"]
    assert b"../retraining/2026-01-14/index.html" in after["index.html"]
    steps.render_report(night)
    assert night.store.read_night(night.name, night.run_date) == after
    monitor = project.store / night.name / "index.html"
    shown = monitor.read_bytes()
    assert b"retraining/2026-01-14/index.html" in shown
    (project.store / night.name / "retraining" / "history.json").unlink()
    (project.store / night.name / "history.json").unlink()
    rebuild(night.settings, lambda _: None)
    assert night.store.read_night(night.name, night.run_date) == after
    assert monitor.read_bytes() == shown


def pages_of(project: Project) -> list[Path]:
    root = project.store / "churn"
    return [root / "index.html", *sorted(root.glob("retraining/2026-*/index.html"))]


def _monitor_file() -> str:
    import yaml

    return yaml.safe_dump(samples.monitor().model_dump(mode="json", exclude_unset=True), sort_keys=False)


def test_a_retraining_is_mailed_once_and_again_only_when_it_ended_otherwise(
    project: Project, smtp_server: Callable[[Flavour], SmtpServer]
) -> None:
    server = smtp_server("plain")
    workspace = publish(project, retraining("proposed"), smtp_url=SecretStr(server.url))
    assert "mail: sent" in telling.send_retraining(workspace, retraining("proposed"))
    assert "mail: already sent" in telling.send_retraining(workspace, retraining("proposed"))
    publish(project, retraining("promoted"))
    assert "mail: sent" in telling.send_retraining(workspace, retraining("promoted"))
    assert [mail.message["Subject"] for mail in server.mails] == [SUBJECTS["proposed"], SUBJECTS["promoted"]]


def test_one_outlet_down_does_not_stop_the_others(
    project: Project, smtp_server: Callable[[Flavour], SmtpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **_named: object) -> None:
        raise OutletUnavailable("the Pushgateway does not answer")

    monkeypatch.setattr(retrain_gauges, "push", refuse)
    server = smtp_server("plain")
    addresses = {"smtp_url": SecretStr(server.url), "pushgateway_url": SecretStr("http://127.0.0.1:9")}
    workspace = publish(project, retraining(), **addresses)
    with pytest.raises(OutletUnavailable, match="Pushgateway"):
        telling.send_retraining(workspace, retraining())
    assert len(server.mails) == 1


def test_without_outlets_everything_is_a_file(project: Project) -> None:
    workspace = publish(project, retraining())
    said = telling.send_retraining(workspace, retraining())
    assert "gauges: written to" in said
    assert "mail: written to" in said
    files = workspace.store.read_night("churn/retraining", samples.RUN_DATE)
    assert files is not None
    assert set(files) == {"retrain.json", "index.html", "gauges.prom", "summary.eml"}
