"""The digest over all monitors of a date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.config import Monitor
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.history import History, PastNight
from pipeline.publish.facts.retraining import PastRetraining
from pipeline.publish.messages import digest
from pipeline.results import RetrainStatus, Status
from tests.project import Project
from tests.publish import budgets, probations, samples
from tests.publish.performances import VIEWS
from tests.publish.reading import Page, part
from tests.servers.smtp import Flavour, SmtpServer

TODAY = samples.RUN_DATE
StartServer = Callable[[Flavour], SmtpServer]


def night(status: Status = "healthy", day: date = TODAY, retrain: bool = False, failures: int = 0) -> PastNight:
    drifted = ("age", "income") if status == "drifted" else ()
    return PastNight(
        run_date=day,
        status=status,
        drift_share=len(drifted) / 4,
        limit=0.3,
        passed_share=1.0,
        critical_failures=int(status == "data_broken"),
        failures=failures,
        rows=1_000,
        retrain=retrain,
        strengths=dict.fromkeys(("age", "income", "city", "score"), 1.0),
        drifted=drifted,
    )


def monitor(name: str, schedule: str = "0 2 * * *", owner: str = "team@example.com") -> Monitor:
    return samples.monitor(name).model_copy(update={"schedule": schedule, "owner": owner})


def build(
    watched: Sequence[Watched],
    problems: dict[str, str] | None = None,
    base: str | None = None,
) -> EmailMessage:
    return digest.build(
        watched,
        problems or {},
        TODAY,
        mail_from="nightjar@example.com",
        recipients=["lead@example.com", "ops@example.com"],
        report_base_url=base,
    )


def test_too_few_rows_need_nobody_and_say_what_it_takes() -> None:
    few = budgets.few_night().tonight
    watched = [*mixed(), Watched(monitor("small"), [night(day=TODAY - timedelta(days=1)), few])]
    text = part(build(watched), "plain")
    assert "- Too few rows: 1" in text
    assert text.index("Nobody needs to act") < text.index("  small (too few rows)")
    assert "small (too few rows): Too few rows: 24 instead of at least 310; healthy on 2026-01-13; 1 expect" in text


def mixed() -> list[Watched]:
    yesterday = TODAY - timedelta(days=1)
    return [
        Watched(monitor("calm"), [night(day=yesterday), night()]),
        Watched(monitor("late"), [night(day=yesterday)]),
        Watched(monitor("moved"), [night(day=yesterday), night("drifted", retrain=True)]),
        Watched(monitor("held"), [night("drifted", day=yesterday), night("drifted")]),
        Watched(monitor("broken"), [night("data_broken")]),
        Watched(monitor("never")),
        Watched(monitor("weekly", "0 2 * * 1"), [night(day=yesterday - timedelta(days=2))]),
        Watched(monitor("warned"), [night(failures=2)]),
    ]


def test_those_that_need_attention_come_first_and_those_that_did_not_run_are_listed() -> None:
    text = part(build(mixed()), "plain")
    places = [text.index(f"\n  {name} (") for name in ("broken", "late", "never", "held", "moved", "warned", "calm")]
    assert places == sorted(places)
    assert text.index("Needs attention") < places[0]
    assert places[3] < text.index("\nNobody needs to act\n") < places[4]
    assert "late (not run): No night of 2026-01-14; the last one is of 2026-01-13" in text
    assert "never (not run): Has not run yet" in text
    assert "moved (drifted): Drifted: 2 of 4 columns (50%); healthy on 2026-01-13; retraining requested" in text
    assert "1 monitor was not due on this date" in text
    assert "weekly" not in text


def retrained(status: RetrainStatus, day: date = TODAY, since: str | None = None) -> PastRetraining:
    return PastRetraining.model_validate({"run_date": day, "status": status, "version": "3", "since": since})


def told(night_of_today: PastNight, *retrainings: PastRetraining) -> str:
    """The line about a monitor, with the heading it is under."""
    text = part(build([Watched(monitor("model"), [night_of_today], retrainings)]), "plain")
    heading = "attention" if "Needs attention" in text else "calm"
    return f"{heading}: {next(line for line in text.splitlines() if line.startswith('  model'))}"


def test_it_tells_what_came_of_a_retraining() -> None:
    drifted = night("drifted", retrain=True)
    assert "calm:" in told(drifted, retrained("promoted"))
    assert "Drifted: 2 of 4 columns (50%); retraining promoted version 3." in told(drifted, retrained("promoted"))
    assert "retraining rejected version 3" in told(drifted, retrained("rejected"))
    assert "calm:" in told(drifted, retrained("rejected"))
    assert told(drifted, retrained("failed")).startswith("attention:")
    assert "retraining failed" in told(drifted, retrained("failed"))
    assert told(drifted).startswith("calm:")
    held = night("drifted").model_copy(update={"hold": "cooldown"})
    assert "retraining held: cooldown" in told(held)
    assert told(held).startswith("attention:")


def test_a_proposal_needs_somebody_until_a_person_has_decided() -> None:
    before = TODAY - timedelta(days=3)
    waiting = told(night(), retrained("proposed", before))
    assert waiting.startswith("attention:")
    assert "retraining proposes version 3 on 2026-01-11" in waiting
    decided = told(night(), retrained("proposed", before, "promoted by hand"))
    assert decided.startswith("calm:")
    assert "retraining" not in decided
    assert "retraining" not in told(night(), retrained("promoted", before))


def test_stale_data_needs_somebody() -> None:
    late = told(night().model_copy(update={"stale": True}))
    assert late.startswith("attention:   model (stale data): Stale data: none of 4 columns drifted")


def test_a_degraded_model_needs_somebody_unless_its_retraining_starts_and_the_main_metric_is_told() -> None:
    for name, needed in (("degraded", False), ("degraded-drifted", True), ("guessed", True)):
        text = told(VIEWS[name].tonight)
        assert text.startswith("attention") == needed, name
        assert VIEWS[name].headline[1:] in text
    assert "ROC AUC 0.855, at least 0.813 expected." in told(VIEWS["healthy"].tonight)
    assert "Estimated ROC AUC 0.851, at least 0.813 expected." in told(VIEWS["estimated"].tonight)


def test_the_subject_counts() -> None:
    assert build(mixed())["Subject"] == "[nightjar] 7 monitors, 4 need attention on 2026-01-14"
    assert build([Watched(monitor("calm"), [night()])])["Subject"] == (
        "[nightjar] 1 monitor, none needs attention on 2026-01-14"
    )


def test_equal_nights_give_equal_bytes_whatever_came_later() -> None:
    tomorrow = TODAY + timedelta(days=1)
    retrained = PastRetraining(run_date=tomorrow, status="failed")
    later = [Watched(item.monitor, [*item.nights, night("drifted", tomorrow)], [retrained]) for item in mixed()]
    assert build(mixed()).as_bytes() == build(list(reversed(later))).as_bytes()
    assert build(mixed())["Message-ID"] != build(mixed()[1:])["Message-ID"]


@pytest.mark.parametrize("status", ["data_broken", "healthy"])
def test_with_500_monitors_it_stays_small_and_says_what_it_left_out(status: Status) -> None:
    names = [f"model-{place:03d}".ljust(63, "x") for place in range(500)]
    fleet = [Watched(monitor(name, owner="o" * 200), [night(status)]) for name in names]
    problems = {f"wrong-{place}" * 9: "y" * 5_000 for place in range(100)}
    message = build(fleet, problems, "https://reports.example.com/" + "a" * 60)
    assert len(message.as_bytes()) < 80_000
    text = part(message, "plain")
    more = "460 of them need attention" if status == "data_broken" else "none of them needs attention"
    assert f"and 460 more monitors, {more}: see the fleet's page" in text
    assert f"and 460 more monitors, {more}" in part(message, "html")
    assert "and 90 more" in text


def test_links_lead_to_the_pages() -> None:
    addresses = Page(part(build(mixed(), base="https://reports.example.com/n/"), "html")).addresses
    assert "https://reports.example.com/n/broken/2026-01-14/index.html" in addresses
    assert "https://reports.example.com/n/late/index.html" in addresses
    assert "https://reports.example.com/n/index.html" in addresses
    assert Page(part(build(mixed()), "html")).addresses == []


def test_owners_and_problems_are_text_not_markup() -> None:
    hostile = "<script>alert(1)</script>{{ 7*7 }}\u202e\r\nBcc: x@example.com"
    message = build([Watched(monitor("churn", owner=hostile), [night()])], {hostile: hostile})
    assert "script" not in Page(part(message, "html")).tags
    assert "{{ 7*7 }}" in part(message, "html")
    assert "Bcc" not in message
    assert "\u202e" not in part(message, "plain")


def write_history(project: Project, name: str = "people") -> None:
    project.write_suite()
    project.write_monitor(name)
    path: Path = project.store / name / "history.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(History(nights=(night(),)).to_json())


def test_it_is_mailed_once_for_its_content(
    project: Project,
    smtp_server: StartServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    monkeypatch.setenv("PIPELINE_DIGEST_TO", "lead@example.com, ops@example.com")
    write_history(project)
    assert [main(["digest", "--date", str(TODAY)]), main(["digest", "--date", str(TODAY)])] == [0, 0]
    assert capsys.readouterr().out.splitlines() == ["sent", "already sent"]
    write_history(project, "others")
    assert main(["digest", "--date", str(TODAY)]) == 0
    assert capsys.readouterr().out.splitlines() == ["sent"]
    assert len(server.mails) == 2


def test_without_a_mail_server_it_is_a_file_in_the_store(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIPELINE_DIGEST_TO", "lead@example.com")
    write_history(project)
    assert main(["digest", "--date", str(TODAY)]) == 0
    written = Path(capsys.readouterr().out.strip().removeprefix("written to "))
    assert b"[nightjar] 1 monitor, none needs attention" in written.read_bytes()


def test_without_an_address_it_says_which_variable_to_set(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["digest", "--date", str(TODAY)]) == 2
    assert "PIPELINE_DIGEST_TO: not set" in capsys.readouterr().err


def test_a_rollback_that_is_asked_for_needs_somebody_and_one_that_was_done_is_told() -> None:
    asked, done = (
        night().model_copy(update={"probation": probations.nights(outcome)[-1].probation})
        for outcome in ("proposed", "rolled_back")
    )
    text = part(build([Watched(monitor("asked"), [asked]), Watched(monitor("done"), [done])]), "plain")
    assert "2 monitors, 1 needs attention" in text
    needing, calm = text.split("Nobody needs to act")
    assert "version 3 is worse than version 2 in its probation: a person decides whether to roll back" in needing
    assert "version 3 was worse in its probation: rolled back to version 2" in calm
