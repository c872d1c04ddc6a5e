"""Incidents through the real steps, commands, mail server and run store: threads, the end, pages, reruns."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.publish.messages import mail
from pipeline.results import Kept, Tellings
from pipeline.steps import expecting
from pipeline.steps import nightly as steps
from pipeline.steps import pages as site
from pipeline.steps.night import Night, open_workspace
from pipeline.steps.notes import name_of
from pipeline.steps.rebuilding import rebuild
from tests.project import Project, people
from tests.publish import samples
from tests.publish.reading import Page, part
from tests.publish.retrainings import retraining
from tests.servers.s3 import S3
from tests.servers.smtp import Flavour, SmtpServer
from tests.servers.webhook import Webhook
from tests.steps.published import publish

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]  # apprise's modules

StartServer = Callable[[Flavour], SmtpServer]
FIRST = date(2026, 1, 14)
HEALTHY, DRIFTED, BROKEN = "healthy", "drifted", "broken"


@pytest.fixture
def server(smtp_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> SmtpServer:
    found = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", found.url)
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    return found


def watched(project: Project, when: str = "trouble", **changes: Any) -> Project:
    project.write_suite()
    project.write_monitor(notify={"email": ["team@example.com"], "when": when} | changes)
    return project


def run(project: Project, number: int, kind: str = DRIFTED) -> Night:
    """The night so many days after the first, with these results, published and told."""
    night = project.night(str(FIRST + timedelta(number)))
    view = samples.view("people", night.run_date)
    drifted = kind == "drifted"
    quality = samples.quality(kind == "broken")
    if kind == HEALTHY:
        quality = quality.model_copy(update={"outcomes": tuple(one for one in quality.outcomes if one.passed)})
    found: list[Kept] = [
        quality,
        samples.drift() if drifted else samples.drift(drifted=0),
        samples.performance(measured=False),
        samples.decision(kind == "broken", drifted),
    ]
    for result in (view.pair, *(one.model_copy(update={"snapshots": view.pair.digest}) for one in found)):
        night.save(result)
    steps.render_report(night)
    steps.send_summary(night)
    return night


def mails(server: SmtpServer) -> list[EmailMessage]:
    return [received.message for received in server.mails]


def page(project: Project, name: str) -> str:
    return Page((project.store / name).read_bytes()).text


def incident(first: int = 0, name: str = "index.html") -> str:
    return f"people/incidents/{FIRST + timedelta(first)}/{name}"


def contents(project: Project) -> dict[str, bytes]:
    """Every file that people or programs read, by its place, through the links that are published."""
    found: dict[str, bytes] = {}
    for path in sorted(project.store.rglob("*")):
        folder = path.relative_to(project.store)
        if path.is_dir() and path.is_symlink():
            found |= {f"{folder}/{item.name}": item.read_bytes() for item in path.iterdir()}
        elif path.is_file() and not any(part.startswith(".") for part in folder.parts):
            found[str(folder)] = path.read_bytes()
    return found


def test_the_mails_of_an_incident_are_one_thread_that_ends_with_the_first_healthy_night(
    project: Project, server: SmtpServer
) -> None:
    watched(project)
    for number, kind in enumerate((HEALTHY, DRIFTED, DRIFTED, HEALTHY, HEALTHY)):
        run(project, number, kind)
    first, second, last = mails(server)
    root = "<incident.2026-01-15.people@localhost>"
    assert (first["In-Reply-To"], first["References"]) == (root, root)
    for answer in (second, last):
        assert answer["In-Reply-To"] == first["Message-ID"]
        assert answer["References"].split() == [root, first["Message-ID"]]
        assert answer["Subject"] == f"Re: {first['Subject']}"
    assert first["Subject"].startswith("[people] drifted: ")
    assert "Night 2 of the incident that began on 2026-01-15." in part(second, "plain")
    assert part(second, "plain").startswith("Drifted: ")
    closing = "Over after 2 nights: the incident from 2026-01-15 to 2026-01-16."
    assert closing in part(last, "plain")
    assert closing in Page(part(last, "html")).text
    assert part(last, "plain").startswith("Healthy: ")


def test_a_worse_night_has_a_subject_of_its_own_in_the_same_thread(project: Project, server: SmtpServer) -> None:
    watched(project)
    run(project, 0), run(project, 1, BROKEN), run(project, 2)
    drifted, broken, after = mails(server)
    assert broken["Subject"] == "[people] data broken: 1 critical expectation failed on 2026-01-15"
    assert broken["In-Reply-To"] == after["In-Reply-To"] == drifted["Message-ID"]
    assert after["Subject"] == f"Re: {broken['Subject']}"


def test_the_end_is_told_once_and_a_calm_night_after_it_is_not(project: Project, server: SmtpServer) -> None:
    watched(project)
    run(project, 0), run(project, 1, HEALTHY)
    assert len(mails(server)) == 2
    run(project, 1, HEALTHY), run(project, 2, HEALTHY)
    assert len(mails(server)) == 2


def test_the_end_of_an_incident_that_nobody_heard_of_is_not_told(project: Project, server: SmtpServer) -> None:
    watched(project)
    main(["mute", "people", "--from", str(FIRST), "--until", str(FIRST), "--why", "we know"])
    run(project, 0), run(project, 1, HEALTHY)
    assert mails(server) == []


def test_nights_of_no_incident_stay_in_the_thread_of_their_monitor(project: Project, server: SmtpServer) -> None:
    watched(project, when="always")
    run(project, 0, HEALTHY)
    (calm,) = mails(server)
    assert calm["In-Reply-To"] == calm["References"] == "<nights.people@localhost>"


def test_a_chat_says_which_night_it_is_and_when_it_is_over(
    project: Project, server: SmtpServer, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_CHANNEL_TEAM", webhook.url.replace("http://", "json://") + "/x")
    watched(project, channels=["team"])
    for number, kind in enumerate((DRIFTED, DRIFTED, HEALTHY)):
        run(project, number, kind)
    first, second, last = (request.json() for request in webhook.requests)
    assert "incident" not in first["message"]
    assert second["message"].startswith("Night 2 of the incident that began on 2026-01-14\n")
    assert last["message"].startswith("Over after 2 nights: the incident from 2026-01-14 to 2026-01-15\n")
    assert last["title"].startswith("[people] healthy: ")


def test_the_page_says_who_was_told_and_when_and_what_people_did(project: Project, server: SmtpServer) -> None:
    watched(project)
    night = run(project, 0)
    log = Tellings.model_validate_json((project.store / "people/.receipts/told.json").read_bytes())
    (told,) = log.tellings
    assert (told.run_date, told.outlet, told.to, told.said) == (FIRST, "mail", ("team@example.com",), "sent")
    assert told.identity == mails(server)[0]["Message-ID"]
    moment = told.moment.strftime("%Y-%m-%d %H:%M UTC")
    assert f"{moment}: Mail to team@example.com about the night of 2026-01-14" in page(project, incident())
    assert main(["ack", "people", str(FIRST), "--why", "new market"]) == 0
    assert main(["mute", "people", "--from", str(FIRST), "--until", "2026-01-20", "--why", "at work"]) == 0
    result = retraining("rejected").model_copy(update={"monitor": "people", "run_date": FIRST})
    site.publish_retraining(night, result)
    text = page(project, incident())
    assert "Expected to change from 2026-01-14 to 2026-01-28" in text
    assert "New market" in text
    assert "Muted from 2026-01-14 to 2026-01-20" in text
    assert "Retraining rejected version" in text
    (noted,) = expecting.noted(open_workspace("people"))
    assert main(["expect", "people", "--withdraw", name_of(noted)]) == 0
    assert "Expected to change" not in page(project, incident())


def test_what_was_held_back_is_told_as_not_sent(project: Project, server: SmtpServer) -> None:
    watched(project)
    main(["mute", "people", "--from", str(FIRST), "--until", "2026-01-20", "--why", "at work"])
    run(project, 0)
    words = "Mail to team@example.com about the night of 2026-01-14; not sent: muted until 2026-01-20"
    assert words in page(project, incident())
    assert words in (project.store / incident(name="incident.md")).read_text()


def test_an_acknowledged_change_ends_the_incident_with_the_next_night(project: Project, server: SmtpServer) -> None:
    watched(project)
    project.write_parquet("reference/part-0.parquet", people(2_000, seed=0))
    days = [FIRST + timedelta(number) for number in range(2)]
    for number, day in enumerate(days):
        steps.send_summary(publish(project, day, people(1_500, seed=number + 1, older=30)))
        main(["ack", "people", str(FIRST)])
    assert "Over after 1 night" in page(project, incident())
    assert len(mails(server)) == 2


def test_a_night_that_runs_again_and_is_healthy_parts_an_incident_in_two_and_joins_it_again(
    project: Project, server: SmtpServer
) -> None:
    watched(project)
    for number in range(3):
        run(project, number)
    one = contents(project)
    assert incident(0) in one
    assert incident(2) not in one
    run(project, 1, HEALTHY)
    assert "Over after 1 night" in page(project, incident(0))
    assert "Open, 1 night so far" in page(project, incident(2))
    assert "Incident of 2026-01-16" in page(project, "people/2026-01-16/index.html")
    run(project, 1)
    assert incident(2) not in contents(project)
    assert "Night 3 of the incident that began on 2026-01-14" in page(project, "people/2026-01-16/index.html")
    assert "Open, 3 nights so far" in page(project, incident(0))


def test_nights_in_another_order_and_a_rebuild_end_in_the_same_bytes(
    project: Project, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIPELINE_SMTP_URL")  # so that no moment is in it
    watched(project)
    kinds = (HEALTHY, DRIFTED, DRIFTED, HEALTHY, DRIFTED)
    for number, kind in enumerate(kinds):
        run(project, number, kind)
    straight = contents(project)
    assert {incident(1), incident(4)} <= straight.keys()
    other = Project(project.root.parent / "other")
    monkeypatch.setenv("PIPELINE_HOME", str(other.root))
    watched(other)
    for number in (4, 1, 3, 0, 2):
        run(other, number, kinds[number])
    crooked = contents(other)
    assert crooked.keys() == straight.keys()
    told = ("summary.eml", "night.json")  # a mail says what was known when it was written, and that is its digest
    pages = [name for name in straight if not name.endswith(told)]
    assert [name for name in pages if crooked[name] != straight[name]] == []
    rebuild(other.settings, lambda _: None)
    assert contents(other) == crooked


def test_a_rebuild_makes_lost_pages_again_and_removes_those_of_no_incident(
    project: Project, server: SmtpServer
) -> None:
    watched(project)
    night = run(project, 0)
    before = contents(project)
    (project.store / incident()).unlink()
    stray = project.store / "people/incidents/2025-01-01/index.html"
    stray.parent.mkdir()
    stray.write_text("once one")
    rebuild(night.settings, lambda _: None)
    assert contents(project) == before


def test_a_rerun_that_finds_the_same_is_the_same_mail_in_the_same_thread(project: Project, server: SmtpServer) -> None:
    watched(project)
    nights = [run(project, number) for number in range(3)]
    before = [Path(night.uri("summary.eml")).read_bytes() for night in nights]
    for number in (2, 0, 1):
        run(project, number)
    assert [Path(night.uri("summary.eml")).read_bytes() for night in nights] == before
    assert len(mails(server)) == 3


def test_a_retraining_is_told_in_the_thread_of_its_incident(project: Project, server: SmtpServer) -> None:
    watched(project)
    night = run(project, 0)
    result = retraining("rejected").model_copy(update={"monitor": "people", "run_date": FIRST})
    site.publish_retraining(night, result)
    content = night.store.read_night(night.retraining_place, FIRST)
    assert content is not None
    assert mail.parse(content["summary.eml"])["References"] == "<incident.2026-01-14.people@localhost>"


def test_no_value_of_a_private_column_is_on_the_page_of_an_incident(project: Project, server: SmtpServer) -> None:
    project.write_suite()
    project.write_monitor(
        columns={"id": "id", "label": "label", "private": ["city"]},
        notify={"email": ["team@example.com"]},
        drift={"limit": 0.0},
    )
    project.write_parquet("reference/part-0.parquet", people(2_000, seed=0))
    publish(project, FIRST, people(1_500, seed=1).assign(city="Secretville"))
    text = page(project, incident()) + (project.store / incident(name="incident.md")).read_text()
    assert "city" in text
    assert not re.search("Secretville|Bern|Graz|Lyon", text)


def test_a_log_that_cannot_be_read_is_left_and_the_night_is_told(project: Project, server: SmtpServer) -> None:
    watched(project)
    path = project.store / "people/.receipts/told.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{")
    run(project, 0)
    assert len(mails(server)) == 1
    assert path.read_bytes() == b"{"
    assert "Nobody, as far as the run store knows." in page(project, incident())


def test_on_s3_an_incident_is_told_and_parted_as_on_a_disk(
    project: Project, server: SmtpServer, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    watched(project)
    nights = [run(project, number) for number in range(2)]
    store = nights[0].store
    content = store.read_page(incident())
    assert content is not None
    assert Page(content).text.count("Mail to team@example.com about the night") == 2
    run(project, 0, HEALTHY)
    assert store.read_page(incident()) is None
    assert store.read_page(incident(1)) is not None
