"""An audit by command: what it finds in a run store, its page and its exit code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.config.schedule import day_that_ended, last_moment
from pipeline.errors import ExitCode
from pipeline.steps import nightly as steps
from pipeline.steps.auditing import audit
from pipeline.steps.unmeasured import no_profile
from tests.project import Project
from tests.publish import samples
from tests.publish.reading import Page
from tests.servers.smtp import Flavour, SmtpServer

NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)


def test_a_monitor_that_has_only_a_file_is_not_watched_and_the_exit_code_says_so(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write_suite()
    for name in ("people", "people-2"):
        project.write_monitor(name)
    page = project.root / "audit.html"
    assert main(["audit", "-o", str(page)]) == ExitCode.UNEXPECTED
    said = capsys.readouterr().out
    assert "people: level 0 of 3, not watched" in said
    assert "people-2: level 0 of 3, not watched" in said
    assert "1  no   Do nights run on time? no night is published; to do: one of " in said
    assert "0 of 2 monitors are fit for production" in Page(page.read_bytes()).text
    assert main(["audit", "people", "--level", "0"]) == ExitCode.SOUND


def test_what_nights_and_mails_have_left_answers_its_questions(
    project: Project, smtp_server: Callable[[Flavour], SmtpServer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    monkeypatch.setenv("PIPELINE_SMTP_URL", smtp_server("plain").url)
    project.write_suite()
    project.write_monitor(
        description="Who will leave",
        notify={"email": ["team@example.com"]},
        drift={"alarms": {"per_nights": 365}},
    )
    night, view = project.night("2026-01-14"), samples.view("people")
    night.save(no_profile(view.pair))
    for result in (view.pair, view.quality, view.drift, view.performance, view.decision):
        night.save(result if result is view.pair else result.model_copy(update={"snapshots": view.pair.digest}))
    steps.render_report(night)
    steps.send_summary(night)
    answered = {answer.question for answer in audit(night, datetime.now(UTC)).answers if answer.passed}
    assert {
        "Can somebody be told?",
        "Is everything measured?",
        "Is there data that it refuses?",
        "Have false alarms a budget?",
        "Has somebody been reached this month?",
        "Does whoever is woken learn what the model is for?",
    } <= answered
    assert audit(night, NOW).answers[0].passed
    assert not audit(night, NOW + timedelta(days=3)).answers[0].passed
    assert (
        main(["mute", "people", "--until", str(datetime.now(UTC).date() + timedelta(days=3)), "--why", "moving"]) == 0
    )
    told = audit(night, datetime.now(UTC)).answers[2]
    assert (told.passed, "muted: moving" in told.words) == (False, True)


def test_a_night_is_due_once_the_one_after_it_has_begun() -> None:
    cron = "0 2 * * *"
    last = last_moment(cron, NOW)
    assert (last, day_that_ended(last_moment(cron, last))) == (
        datetime(2026, 1, 15, 2, tzinfo=UTC),
        datetime(2026, 1, 13, tzinfo=UTC).date(),
    )
