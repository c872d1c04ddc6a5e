"""A monitor that is not watched any more: its file, its gauges, its nights; again and again to the same end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode
from pipeline.publish.gauges import gateway, retired
from pipeline.steps.retiring import tasks
from pipeline.storage import s3 as s3_storage
from tests.project import Project
from tests.servers.processes import LOOPBACK, free_port
from tests.servers.pushgateway import Pushgateway
from tests.servers.s3 import S3
from tests.steps.publishing import DAY, publish

ROOT = Path(__file__).parents[2]


@pytest.fixture
def watched(project: Project, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two monitors with a night each, whose gauges are at the gateway, with those of every flow."""
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    project.write_suite()
    for name in ("people", "people-2"):
        project.write_monitor(name)
    for name in ("people", "people-2"):
        publish(project, name)
        for flow in retired.FLOWS[1:]:
            gateway.send("PUT", b"up 1\n", gateway.group_of(name, flow=flow), pushgateway.url, lambda _: None)
    return project


def groups(pushgateway: Pushgateway) -> list[str]:
    """Whose groups are there, but for the one of all monitors."""
    return sorted(group["monitor"] for group in pushgateway.groups() if "monitor" in group)


def configured(pushgateway: Pushgateway) -> set[str]:
    """The monitors that have a file, as the group of all monitors says."""
    return {sample.labels["monitor"] for sample in pushgateway.samples("model_monitor_configured")}


def fleet(project: Project) -> set[str]:
    return set(re.findall(r'href="([\w-]+)/index.html"', (project.store / "index.html").read_text()))


def test_its_file_and_its_gauges_go_and_its_nights_where_that_is_asked_for(
    watched: Project, pushgateway: Pushgateway, capsys: pytest.CaptureFixture[str]
) -> None:
    file, store = watched.root / "monitors/people.yaml", watched.store / "people"
    before = file.read_text()
    assert main(["retire", "people", "--store"]) == ExitCode.SOUND
    said = capsys.readouterr().out
    assert f"delete {store} with 1 night and everything else in it" in said
    assert "nothing was done" in said
    assert file.exists()
    assert store.exists()
    assert groups(pushgateway) == ["people"] * 3 + ["people-2"] * 3
    assert configured(pushgateway) == {"people", "people-2"}

    assert main(["retire", "people", "--yes"]) == ExitCode.SOUND
    assert "airflow dags delete --yes nightly_people" in capsys.readouterr().out
    assert not file.exists()
    assert (watched.root / "monitors/retired/people.yaml").read_text() == before
    assert groups(pushgateway) == ["people-2"] * 3
    assert configured(pushgateway) == {"people-2"}
    assert (store / str(DAY) / "index.html").exists()
    assert fleet(watched) == {"people-2"}
    assert main(["check", "--without-data"]) == ExitCode.SOUND

    for _ in range(2):
        assert main(["retire", "people", "--store", "--yes"]) == ExitCode.SOUND
        assert not store.exists()
    assert (watched.store / "people-2" / str(DAY) / "index.html").exists()
    assert groups(pushgateway) == ["people-2"] * 3


def test_one_outlet_that_is_down_keeps_nothing_else_and_the_next_time_makes_up_for_it(
    watched: Project, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.storage.retries.ATTEMPTS", 1)
    with monkeypatch.context() as down:
        down.setenv("PIPELINE_PUSHGATEWAY_URL", f"http://{LOOPBACK}:{free_port()}")
        assert main(["retire", "people", "--store", "--yes"]) == ExitCode.OUTLET
    assert "failed: the Pushgateway at" in capsys.readouterr().out
    assert not (watched.store / "people").exists()
    assert fleet(watched) == {"people-2"}
    assert main(["retire", "people", "--yes"]) == ExitCode.SOUND
    assert groups(pushgateway) == ["people-2"] * 3


def test_a_wrong_file_is_put_aside_too_and_one_that_was_put_aside_before_is_kept(watched: Project) -> None:
    for text in ("name: [", "name: people\n"):
        watched.write_text("monitors/people.yaml", text)
        assert main(["retire", "people", "--yes"]) == ExitCode.SOUND
    aside = watched.root / "monitors/retired"
    assert {path.name: path.read_text() for path in aside.iterdir()} == {
        "people.yaml": "name: [",
        "people.1.yaml": "name: people\n",
    }


@pytest.mark.parametrize("name", ["nobody", "", "..", "people/2026-01-14", "_evidently", ".", "people*"])
def test_what_nobody_knows_is_refused_and_nothing_is_touched(project: Project, name: str) -> None:
    project.write_suite()
    project.write_monitor()
    project.write_text("var/store/_evidently/ab.js", "//")
    before = sorted(path for path in project.root.rglob("*"))
    assert main(["retire", name, "--store", "--yes"]) == ExitCode.USAGE
    assert sorted(path for path in project.root.rglob("*")) == before


def test_on_s3_its_nights_go_as_well(project: Project, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    project.write_suite()
    for name in ("people", "people-2"):
        project.write_monitor(name)
        publish(project, name)
    assert main(["retire", "people", "--store", "--yes"]) == ExitCode.SOUND
    assert s3_storage.names(s3.uri("store/people/")) == []
    assert f"{DAY}/index.html" in s3_storage.names(s3.uri("store/people-2/"))


def test_every_group_that_anything_pushes_to_is_among_those_that_go() -> None:
    pushed = {
        flow
        for path in (ROOT / "pipeline/publish/gauges").glob("*.py")
        for flow in re.findall(r'group_of\(monitor(?:, flow="(\w+)")?, environment', path.read_text())
    }
    assert pushed == set(retired.FLOWS)


def test_of_two_who_retire_a_monitor_at_once_the_second_finds_it_done(project: Project) -> None:
    path = project.write_monitor("people")
    text = path.read_text()
    first, second = (tasks("people", project.settings, with_store=True) for _ in range(2))
    for task in (*first, *second):
        if task.do is not None:
            task.do()
    assert not path.exists()
    assert (path.parent / "retired/people.yaml").read_text() == text
