"""What a person does to the champion is told like everything else: pages, mail, gauge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from pipeline.errors import OutletRefused, OutletUnavailable
from pipeline.results import RetrainResult
from pipeline.retrain.champion.registry import CHAMPION, Registry
from pipeline.steps import retraining as retrain_steps
from pipeline.steps.probation import watch_champion
from tests.retrain.world import World, retrained
from tests.servers.pushgateway import Pushgateway
from tests.servers.smtp import Flavour, SmtpServer
from tests.servers.webhook import Webhook

pytestmark = pytest.mark.slow

MOMENTS = [datetime(2026, 1, 9, hour, tzinfo=UTC) for hour in range(8, 12)]
QUICK = "tests.retrain.trainers:quick"
NOTIFY = {"email": ["team@example.com"]}


def retrain(world: World, number: int) -> RetrainResult:
    return retrain_steps.retrain(world.night(number), "tested", progress=lambda _: None)


def monitor_page(world: World) -> str:
    return (world.store / "people" / "index.html").read_text(encoding="utf-8")


def retraining_page(world: World, day: str) -> str:
    return (world.store / "people" / "retraining" / day / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def proposed(world: World) -> World:
    """Two versions that wait for a person."""
    world.write_monitor(trainer=QUICK, mode="propose", notify=NOTIFY)
    world.write_nights(0, 0, 0)
    for number in (3, 4):
        assert retrain(world, number).status == "proposed"
    return world


def test_a_promotion_and_a_rollback_are_on_the_pages(proposed: World) -> None:
    retrain_steps.promote(proposed.night(9), "1", MOMENTS[0])
    retrain_steps.promote(proposed.night(9), "2", MOMENTS[1])
    before = monitor_page(proposed)
    retrain_steps.rollback(proposed.night(9), MOMENTS[2])

    assert "Proposes version 2, promoted by hand since" in before
    assert "Proposes version 2, rolled back since" in monitor_page(proposed)
    assert "Proposes version 1, promoted by hand since" in monitor_page(proposed)
    assert "pipeline promote" not in retraining_page(proposed, "2026-01-03")
    published = retrained(proposed.night(4))
    assert published is not None
    assert published.since == "rolled back"


def test_each_change_is_one_mail_and_no_change_is_none(
    proposed: World, smtp_server: Callable[[Flavour], SmtpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)

    for moment, number in zip(MOMENTS, ("1", "2", "2"), strict=False):
        retrain_steps.promote(proposed.night(9), number, moment)
    retrain_steps.rollback(proposed.night(9), MOMENTS[3])

    assert [str(mail.message["Subject"]) for mail in server.mails] == [
        "[people] version 1 promoted by hand",
        "[people] version 2 promoted by hand",
        "[people] rolled back to version 1",
    ]
    text = str(server.mails[-1].message)
    assert "Version 1 is the champion, in place of version 2" in text
    assert "python -m pipeline promote people 2" in text
    assert len({mail.message["Message-ID"] for mail in server.mails}) == 3


def test_the_gateway_knows_the_champion(
    proposed: World, pushgateway: Pushgateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", pushgateway.url)
    champion = "model_monitor_retraining_champion_version"

    retrain_steps.promote(proposed.night(9), "1", MOMENTS[0])
    retrain_steps.promote(proposed.night(9), "2", MOMENTS[1])
    assert pushgateway.value(champion, monitor="people") == 2
    retrain_steps.rollback(proposed.night(9), MOMENTS[2])
    assert pushgateway.value(champion, monitor="people") == 1


def test_an_outlet_that_refuses_does_not_hide_that_the_champion_moved(
    proposed: World, smtp_server: Callable[[Flavour], SmtpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("plain")
    server.refuse("554 5.7.1 No thanks")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)

    with pytest.raises(OutletRefused, match=r"version 1 is champion\. Not everybody could be told"):
        retrain_steps.promote(proposed.night(9), "1", MOMENTS[0])

    assert "Proposes version 1, promoted by hand since" in monitor_page(proposed)


def subjects(server: SmtpServer) -> list[str]:
    return [str(mail.message["Subject"]) for mail in server.mails]


def champion(world: World) -> str:
    found = Registry("people", world.night(1).tracking_uri).at(CHAMPION)
    assert found is not None
    return found.number


def test_a_rollback_that_could_not_be_told_is_told_when_it_is_repeated_and_steps_back_once(
    proposed: World, smtp_server: Callable[[Flavour], SmtpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment, number in zip(MOMENTS, ("1", "2", "1"), strict=False):
        retrain_steps.promote(proposed.night(9), number, moment)
    refusing, server = smtp_server("plain"), smtp_server("plain")
    refusing.refuse("554 5.7.1 No thanks")
    monkeypatch.setenv("PIPELINE_SMTP_URL", refusing.url)
    with pytest.raises(OutletRefused):
        retrain_steps.rollback(proposed.night(9), MOMENTS[3])
    assert champion(proposed) == "2"
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)

    again = retrain_steps.rollback(proposed.night(9), MOMENTS[3])

    assert (again.event, again.version) == ("rolled_back", "2")
    assert champion(proposed) == "2"
    assert subjects(server) == ["[people] rolled back to version 2"]
    assert retrain_steps.rollback(proposed.night(9), MOMENTS[3], "1").event == "unchanged"
    assert retrain_steps.rollback(proposed.night(9), MOMENTS[3]).version == "1"  # everybody knows: one further back


def test_a_promotion_of_which_serving_or_people_did_not_hear_is_told_when_it_is_repeated(
    proposed: World, smtp_server: Callable[[Flavour], SmtpServer], webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.storage.retries.ATTEMPTS", 1)
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    monkeypatch.setenv("PROMOTED_URL", webhook.url)
    proposed.write_monitor(trainer=QUICK, mode="propose", notify=NOTIFY, after_promotion={"webhook": "PROMOTED_URL"})
    webhook.respond(503)

    with pytest.raises(OutletUnavailable, match="not told"):
        retrain_steps.promote(proposed.night(9), "1", MOMENTS[0])
    again = retrain_steps.promote(proposed.night(9), "1", MOMENTS[1])
    third = retrain_steps.promote(proposed.night(9), "1", MOMENTS[2])

    assert (again.event, again.told) == ("promoted", "told PROMOTED_URL")
    assert third.event == "unchanged"
    assert len(webhook.requests) == 2
    assert subjects(server) == ["[people] version 1 promoted by hand"]  # people had heard at once


def test_what_an_interrupted_promotion_left_untold_is_told_by_whoever_comes_next(
    proposed: World, smtp_server: Callable[[Flavour], SmtpServer], webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    monkeypatch.setenv("PROMOTED_URL", webhook.url)
    proposed.write_monitor(trainer=QUICK, mode="propose", notify=NOTIFY, after_promotion={"webhook": "PROMOTED_URL"})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.retrain.champion.by_hand.tell_serving", killed)
        with pytest.raises(KeyboardInterrupt):
            retrain_steps.promote(proposed.night(9), "1", MOMENTS[0])
    made_up = retrain_steps.tell_untold(proposed.night(9), MOMENTS[1])

    assert made_up is not None
    assert (made_up.version, made_up.event) == ("1", "promoted")
    assert [request.json()["version"] for request in webhook.requests] == ["1"]
    assert subjects(server) == ["[people] version 1 promoted by hand"]
    assert retrain_steps.tell_untold(proposed.night(9), MOMENTS[2]) is None
    assert "promoted by hand since" in monitor_page(proposed)


def test_a_retraining_that_was_killed_after_it_promoted_is_told_by_the_next_night(
    world: World, smtp_server: Callable[[Flavour], SmtpServer], webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    monkeypatch.setenv("PROMOTED_URL", webhook.url)
    world.write_monitor(trainer=QUICK, notify=NOTIFY, after_promotion={"webhook": "PROMOTED_URL"})
    world.write_nights(0, 0, 0)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.retrain.champion.conclusion.tell_serving", killed)
        with pytest.raises(KeyboardInterrupt):
            retrain(world, 3)
    found = watch_champion(world.night(4), lambda _: None)

    assert found.words == "version 1 is the first champion, so no other one can answer beside it"
    assert [request.json()["version"] for request in webhook.requests] == ["1"]
    assert len(server.mails) == 1
    assert "[people] retraining promoted version 1" in str(server.mails[0].message["Subject"])
    assert retrain(world, 3).told == "told PROMOTED_URL"
    assert (len(webhook.requests), len(server.mails)) == (1, 1)
