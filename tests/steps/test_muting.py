"""A monitor that is muted, through the real commands, steps, mail server and pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.publish.messages import mail
from pipeline.results import Decision
from pipeline.steps import nightly as steps
from pipeline.steps import pages as site
from pipeline.steps import telling
from pipeline.steps.night import Night
from pipeline.steps.rebuilding import rebuild
from tests.project import Project, people
from tests.publish.reading import Page, read_gauges
from tests.publish.retrainings import retraining
from tests.servers.smtp import Flavour, SmtpServer
from tests.steps.published import publish

pytestmark = pytest.mark.slow

StartServer = Callable[[Flavour], SmtpServer]
FIRST = date(2026, 1, 14)
NOT_SENT = "not sent: muted until 2026-01-15"


@pytest.fixture
def server(smtp_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> SmtpServer:
    found = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", found.url)
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    return found


@pytest.fixture
def watched(project: Project) -> Project:
    project.write_suite()
    project.write_monitor(notify={"email": ["team@example.com"]})
    project.write_parquet("reference/part-0.parquet", people(2_000, seed=0))
    return project


def run(project: Project, number: int = 0, older: float = 30.0, **columns: Any) -> Night:
    """The night so many days after the first, published."""
    return publish(project, FIRST + timedelta(number), people(1_500, seed=100 + number, older=older).assign(**columns))


def mute(until: int = 1, why: str = "we repair the source") -> int:
    return main(["mute", "people", "--from", str(FIRST), "--until", str(FIRST + timedelta(until)), "--why", why])


def text(project: Project, name: str) -> str:
    return Page((project.store / name).read_bytes()).text


def test_a_muted_night_is_held_back_from_the_first_to_the_last_day_and_never_sent_late(
    watched: Project, server: SmtpServer
) -> None:
    assert mute() == 0
    nights = [run(watched, number) for number in range(3)]
    said = [steps.send_summary(night) for night in nights]
    assert said == [NOT_SENT, NOT_SENT, "sent"]
    assert len(server.mails) == 1
    subjects = [mail.parse(Path(night.uri("summary.eml")).read_bytes())["Subject"] for night in nights]
    assert subjects[0].startswith("[people] drifted: 3 of 5 columns (60%) on 2026-01-14")
    assert subjects[1:] == [f"Re: {subjects[0]}"] * 2  # one incident, whoever heard of it
    receipt = (watched.store / f"people/.receipts/{FIRST}/mail").read_text()
    assert receipt.splitlines()[1:] == [NOT_SENT]
    assert main(["unmute", "people", "--from", str(FIRST)]) == 0
    assert [steps.send_summary(night) for night in nights] == [NOT_SENT, NOT_SENT, "already sent"]
    assert len(server.mails) == 1


def test_a_night_that_runs_again_after_the_mute_and_finds_something_else_is_told(
    watched: Project, server: SmtpServer
) -> None:
    mute()
    assert steps.send_summary(run(watched)) == NOT_SENT
    main(["unmute", "people", "--from", str(FIRST)])
    assert steps.send_summary(run(watched, older=0.0)) == "sent"
    assert len(server.mails) == 1


def test_a_mute_never_hides_a_critical_quality_failure(watched: Project, server: SmtpServer) -> None:
    mute()
    night = run(watched, id=None)
    assert night.load(Decision).status == "data_broken"
    assert steps.send_summary(night) == "sent"
    assert "People are told of this night all the same, as its data is broken." in text(
        watched, f"people/{FIRST}/index.html"
    )


def test_a_mute_never_hides_a_night_that_was_not_measured(
    watched: Project, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mute()
    monkeypatch.setattr("pipeline.steps.performing.measure", lambda *_: 1 / 0)
    assert steps.send_summary(run(watched, older=0.0)) == "sent"
    assert "as a part of it could not be measured" in text(watched, f"people/{FIRST}/index.html")


def test_retraining_gauges_and_the_verdict_go_on_and_every_page_says_that_the_monitor_is_muted(
    watched: Project, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud = run(watched)
    verdict = loud.load(Decision)
    mute()
    night = run(watched)
    assert night.load(Decision) == verdict
    words = "uted until 2026-01-15: we repair the source"
    assert f"M{words}. Mail and messages about this night are held back." in text(watched, f"people/{FIRST}/index.html")
    assert f"M{words}." in text(watched, "people/index.html")
    assert f"m{words}" in text(watched, "index.html")
    assert read_gauges(Path(night.uri("gauges.prom")).read_bytes())["muted"] == [({}, 1.0)]
    monkeypatch.setenv("PIPELINE_DIGEST_TO", "lead@example.com")
    assert main(["digest", "--date", str(FIRST)]) == 0
    assert f"m{words}" in (watched.store / f".fleet/{FIRST}/digest.eml").read_text()
    run(watched, 1), run(watched, 2)
    assert words not in text(watched, "people/index.html") + text(watched, "index.html")


def test_pages_follow_a_mute_that_is_noted_or_ended_after_a_night_was_published(
    watched: Project, server: SmtpServer
) -> None:
    night = run(watched)
    names = [f"people/{FIRST}/index.html", "people/index.html", "index.html"]
    loud = [(watched.store / name).read_bytes() for name in names]
    mute()
    muted = [(watched.store / name).read_bytes() for name in names]
    assert all("uted until" in text(watched, name) for name in names)
    rebuild(night.settings, lambda _: None)
    assert [(watched.store / name).read_bytes() for name in names] == muted
    main(["unmute", "people", "--from", str(FIRST)])
    assert [(watched.store / name).read_bytes() for name in names] == loud


def test_a_retraining_is_held_back_unless_it_broke(watched: Project, server: SmtpServer) -> None:
    mute()
    night = watched.night(str(FIRST))
    for status, said in (("promoted", NOT_SENT), ("failed", "sent"), ("quality_failed", "sent")):
        result = retraining(status).model_copy(update={"monitor": "people"})  # type: ignore[arg-type]
        site.publish_retraining(night, result)
        assert f"mail: {said}" in telling.send_retraining(night, result)
    assert len(server.mails) == 2


def test_notes_that_cannot_be_read_mute_nobody_and_are_named_as_what_broke(
    watched: Project, server: SmtpServer
) -> None:
    path = watched.store / "people/muted.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([{"from": str(FIRST), "until": "soon", "why": "x"}]))
    night = run(watched)
    assert steps.send_summary(night) == "sent"
    (failure,) = steps.broken_parts(night)
    assert (failure.part, failure.exit_code) == ("mute", 2)
    assert f"{path}: cannot be read: 0.until: " in failure.error


def test_why_a_monitor_is_muted_is_text_on_every_page(watched: Project, server: SmtpServer) -> None:
    mute(why="</script><script>alert(1)</script>")
    run(watched)
    for name in (f"people/{FIRST}/index.html", "people/index.html", "index.html"):
        page = Page((watched.store / name).read_bytes())
        assert page.tags.count("script") <= 1
        assert "</script><script>alert(1)</script>" in page.text
