"""Who is told of which night, and chat channels against a real HTTP server."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.config import Monitor, load_settings
from pipeline.errors import NightjarError, OutletRefused, OutletUnavailable
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.night import NightView
from pipeline.publish.messages import chat as channels
from pipeline.publish.messages.chat import due, harmless, night_message, not_due_words
from pipeline.results import Decision, QualityResult, Status
from pipeline.steps import nightly as steps
from pipeline.steps import telling
from tests.project import Project
from tests.publish import budgets, samples
from tests.publish.nights import past
from tests.publish.performances import VIEWS
from tests.publish.samples import HOSTILE
from tests.servers.faulty import run_faulty
from tests.servers.processes import LOOPBACK
from tests.servers.smtp import Flavour, SmtpServer
from tests.servers.webhook import Webhook

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise's modules, when it loads them

StartServer = Callable[[Flavour], SmtpServer]
MESSAGE = channels.ChatMessage("title", "body")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", LOOPBACK)
    monkeypatch.setenv("no_proxy", LOOPBACK)


def no_sleep(seconds: float) -> None:
    """Instead of waiting between attempts."""


def address(webhook: Webhook, secret: str = "hunter2") -> str:
    return webhook.url.replace("http://", "json://") + f"/{secret}"


def test_a_degraded_night_says_in_what_first() -> None:
    message = night_message(VIEWS["degraded-drifted"])
    assert message.title.startswith("[churn] degraded: ROC AUC 0.47, at least 0.81 expected; 9 of 18 columns")
    assert message.body.startswith("The model is worse than it may be: ROC AUC 0.471")
    assert due("trouble", "degraded", "degraded", 0)
    assert due("change", "degraded", "drifted", 0)
    assert not due("change", "degraded", "degraded", 0)


@pytest.mark.parametrize(
    ("when", "status", "before", "serious", "expected"),
    [
        ("always", "healthy", "healthy", 0, True),
        ("always", "drifted", None, 0, True),
        ("change", "healthy", None, 0, True),
        ("change", "healthy", "healthy", 0, False),
        ("change", "healthy", "healthy", 1, False),
        ("change", "drifted", "healthy", 0, True),
        ("change", "drifted", "drifted", 0, False),
        ("change", "healthy", "data_broken", 0, True),
        ("trouble", "healthy", None, 0, False),
        ("trouble", "healthy", "drifted", 0, False),
        ("trouble", "healthy", "healthy", 1, True),
        ("trouble", "too_few_rows", "healthy", 0, False),
        ("trouble", "too_few_rows", "healthy", 1, True),
        ("change", "too_few_rows", "healthy", 0, True),
        ("change", "too_few_rows", "too_few_rows", 0, False),
        ("trouble", "drifted", "drifted", 0, True),
        ("trouble", "data_broken", "healthy", 1, True),
    ],
)
def test_when_people_are_told(when: str, status: Status, before: Status | None, serious: int, expected: bool) -> None:
    assert due(when, status, before, serious) is expected


def told(when: str, view: NightView) -> NightView:
    notify = view.monitor.notify.model_copy(update={"when": when})
    return dataclasses.replace(view, monitor=view.monitor.model_copy(update={"notify": notify}))


def test_a_later_night_does_not_change_whether_an_old_one_is_told() -> None:
    view = samples.view()
    drifted: PastNight = view.tonight
    yesterday = drifted.model_copy(update={"run_date": samples.RUN_DATE - timedelta(days=1)})
    tomorrow = drifted.model_copy(update={"run_date": samples.RUN_DATE + timedelta(days=1), "status": "healthy"})
    words = "not due: notify.when is change, and the verdict is drifted, like the night before"
    assert not_due_words(told("change", dataclasses.replace(view, history=(yesterday,)))) == words
    assert not_due_words(told("change", dataclasses.replace(view, history=(tomorrow, yesterday)))) == words
    assert not_due_words(told("change", dataclasses.replace(view, history=(tomorrow,)))) is None


def test_a_chat_has_one_line_about_chance() -> None:
    lines = night_message(budgets.VIEWS["budget"]).body.splitlines()
    said = "On unchanged data this happens once in 4,000 nights (budget: one false alarm in 365)"
    assert lines[1] == f"{said}; no column drifted from {budgets.SINCE_LAST_MONTH}"
    assert len(lines) == len(night_message(samples.view()).body.splitlines()) + 1
    few = night_message(budgets.VIEWS["few-rows"])
    assert few.title == "[churn] too few rows: 24 instead of at least 310 on 2026-01-14"
    assert few.body.startswith(
        "Too few rows to tell a change from chance: 24 instead of at least 310\nJudged on a budget"
    )


def test_data_that_turns_stale_is_a_change_and_stays_told_once() -> None:
    calm = dataclasses.replace(samples.view(), drift=samples.drift(drifted=0), decision=samples.decision(drifted=False))
    late = dataclasses.replace(calm, quality=samples.stale())
    before = calm.tonight.model_copy(update={"run_date": samples.RUN_DATE - timedelta(days=1)})
    assert not_due_words(told("change", dataclasses.replace(late, history=(before,)))) is None
    still = dataclasses.replace(late, history=(before.model_copy(update={"stale": True}),))
    words = "not due: notify.when is change, and the verdict is stale data, like the night before"
    assert not_due_words(told("change", still)) == words


def test_an_expectation_of_severity_info_is_no_trouble() -> None:
    outcomes = (
        samples.outcome("e", "age", "info", "age is whole").model_copy(update={"passed": False}),
        samples.outcome("e", "age", "warning", "age is sane"),
    )
    quality = QualityResult(snapshots="", suite="churn", passed=True, outcomes=outcomes)
    calm = Decision(snapshots="", status="healthy", retrain=False, reason="")
    view = told("trouble", dataclasses.replace(samples.view(), quality=quality, decision=calm))
    assert not_due_words(view) == "not due: notify.when is trouble, and the verdict is healthy, without trouble"
    warned = quality.model_copy(update={"outcomes": (outcomes[1].model_copy(update={"passed": False}),)})
    assert not_due_words(dataclasses.replace(view, quality=warned)) is None


def test_the_message_is_the_subject_three_lines_and_a_link() -> None:
    view = dataclasses.replace(samples.view(), history=past())
    message = night_message(view)
    assert message.title == view.subject
    assert message.body.splitlines() == [
        *view.changed,
        "https://reports.example.com/nightjar/churn/2026-01-14/index.html",
    ]
    assert night_message(dataclasses.replace(view, report_base_url=None)).body.splitlines() == [*view.changed]


@pytest.mark.parametrize("name", [*HOSTILE, "@everyone", "<!channel>", "<@U123>"])
def test_names_from_data_stay_on_their_line_and_call_nobody(name: str) -> None:
    columns = (samples.column(0, True, name),)
    view = dataclasses.replace(samples.view(), drift=samples.drift().model_copy(update={"columns": columns}))
    body = night_message(view).body
    assert len(body.splitlines()) == 4
    assert len(body) < 1_200
    for call in ("@everyone", "<!channel", "<@U"):
        assert call not in body


def test_a_share_below_a_limit_is_written_as_it_is() -> None:
    assert harmless("<0.1% of the rows, a < b") == "<0.1% of the rows, a < b"


def test_a_message_arrives(webhook: Webhook) -> None:
    channels.deliver("team", address(webhook), channels.ChatMessage("[churn] drifted", "<b>one</b>\ntwo"))
    (received,) = webhook.requests
    assert (received.method, received.path) == ("POST", "/hunter2")
    assert received.json()["title"] == "[churn] drifted"
    assert received.json()["message"] == "<b>one</b>\ntwo"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_no_is_final_and_names_the_channel_but_not_its_address(webhook: Webhook, status: int) -> None:
    webhook.respond(status)
    with pytest.raises(OutletRefused, match=f"the channel team-chat refused the message .HTTP {status}.") as raised:
        channels.deliver("team-chat", address(webhook), MESSAGE, no_sleep)
    assert "PIPELINE_CHANNEL_TEAM_CHAT" in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert LOOPBACK not in str(raised.value)
    assert len(webhook.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_is_busy_is_asked_again(webhook: Webhook, status: int) -> None:
    webhook.respond(status, times=2)
    channels.deliver("team", address(webhook), MESSAGE, no_sleep)
    assert len(webhook.requests) == 3


def test_a_service_that_stays_down_is_unavailable(webhook: Webhook) -> None:
    webhook.respond(503, times=9)
    with pytest.raises(OutletUnavailable, match=r"the channel team cannot take the message now .HTTP 503."):
        channels.deliver("team", address(webhook), MESSAGE, no_sleep)
    assert len(webhook.requests) == 4


def test_a_service_that_has_the_message_and_says_nothing_is_not_sent_it_a_second_time(webhook: Webhook) -> None:
    with run_faulty(webhook.url) as proxy:
        proxy.cut()
        with pytest.raises(OutletUnavailable, match="was sent the message and did not say that it takes it") as raised:
            channels.deliver("team", f"json://{LOOPBACK}:{proxy.port}/hunter2", MESSAGE, no_sleep)
        assert len(webhook.requests) == 1
        assert "hunter2" not in str(raised.value)
        proxy.refuse()
        with pytest.raises(OutletUnavailable, match="no connection"):
            channels.deliver("team", f"json://{LOOPBACK}:{proxy.port}/hunter2", MESSAGE, no_sleep)
        proxy.well()
        channels.deliver("team", f"json://{LOOPBACK}:{proxy.port}/hunter2", MESSAGE, no_sleep)
        assert len(webhook.requests) == 2


def test_no_connection_is_unavailable_and_says_no_address() -> None:
    with pytest.raises(OutletUnavailable, match="no connection") as raised:
        channels.deliver("team", f"json://{LOOPBACK}:9/hunter2", MESSAGE, no_sleep)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "has no address: set PIPELINE_CHANNEL_TEAM"),
        ("hunter2://x", "cannot read: correct PIPELINE_CHANNEL_TEAM"),
    ],
)
def test_an_address_that_is_missing_or_wrong_is_refused(url: str | None, words: str) -> None:
    with pytest.raises(OutletRefused, match=words) as raised:
        channels.deliver("team", url, MESSAGE, no_sleep)
    assert "hunter2" not in str(raised.value)


def test_addresses_come_from_the_environment_and_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_CHANNEL_TEAM_CHAT", "slack://hunter2")
    settings = load_settings(["PIPELINE_CHANNEL_TEAM_CHAT"])
    assert settings.channels["PIPELINE_CHANNEL_TEAM_CHAT"].get_secret_value() == "slack://hunter2"
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_a_monitor_file_names_channels_and_holds_no_address(project: Project) -> None:
    project.write_suite()
    project.write_monitor(notify={"channels": ["slack://hunter2"]})
    with pytest.raises(NightjarError, match=r"notify.channels.0: found 'slack://...'; allowed: 1 to 63"):
        project.night()


class Team:
    """A night of a monitor with people to tell, and the steps up to telling them done."""

    def __init__(self, project: Project, **notify: Any) -> None:
        project.write_suite()
        project.write_monitor(notify=notify)
        self.night = project.night()
        monitor: Monitor = self.night.monitor
        self.view = dataclasses.replace(samples.view(), monitor=monitor)

    def send(self) -> str:
        from pipeline.publish.messages import mail

        summary = mail.build_summary(self.view, "nightjar@example.com")
        return telling.send(self.night, self.view, None if summary is None else summary.as_bytes())


def test_a_night_is_told_once_and_again_when_its_content_changed(
    project: Project, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_CHANNEL_TEAM", address(webhook))
    team = Team(project, channels=["team"])
    assert [team.send(), team.send()] == ["team: sent", "team: already sent"]
    assert len(webhook.requests) == 1
    team.view = dataclasses.replace(team.view, performance=samples.performance(measured=False))
    assert team.send() == "team: sent"


def test_one_channel_down_does_not_stop_the_others(
    project: Project, webhook: Webhook, smtp_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    monkeypatch.setenv("PIPELINE_CHANNEL_FIRST", address(webhook))
    monkeypatch.setenv("PIPELINE_CHANNEL_THIRD", address(webhook))
    webhook.respond(403)
    team = Team(project, email=["team@example.com"], channels=["first", "second", "third"])
    with pytest.raises(OutletRefused) as raised:
        team.send()
    assert "the channel first refused" in str(raised.value)
    assert "the channel second has no address" in str(raised.value)
    assert len(server.mails) == 1
    assert len(webhook.requests) == 2
    with pytest.raises(OutletRefused, match="second"):
        team.send()
    assert len(server.mails) == 1
    assert len(webhook.requests) == 3


def test_a_night_that_is_not_due_tells_nobody(
    project: Project, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_CHANNEL_TEAM", address(webhook))
    team = Team(project, channels=["team"], when="change")
    yesterday = team.view.tonight.model_copy(update={"run_date": samples.RUN_DATE - timedelta(days=1)})
    team.view = dataclasses.replace(team.view, history=(yesterday,))
    assert team.send().startswith("not due: notify.when is change")
    assert webhook.requests == []


def test_nobody_to_tell_is_said(project: Project) -> None:
    assert Team(project).send() == "no recipients in notify.email, no channels in notify.channels"


def test_a_test_message_goes_through_every_outlet(
    project: Project,
    webhook: Webhook,
    smtp_server: StartServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = smtp_server("plain")
    monkeypatch.setenv("PIPELINE_SMTP_URL", server.url)
    monkeypatch.setenv("PIPELINE_CHANNEL_TEAM", address(webhook))
    Team(project, email=["team@example.com"], channels=["team"])
    assert main(["notify", "--test", "people"]) == 0
    assert capsys.readouterr().out.splitlines() == ["mail: sent to team@example.com", "team: sent"]
    assert len(server.mails) == 1
    assert webhook.requests[0].json()["title"] == "[people] TEST message from Nightjar"
    webhook.respond(404)
    assert main(["notify", "--test", "people"]) == 5
    said = capsys.readouterr().out
    assert "mail: sent" in said
    assert "team: failed: the channel team refused the message (HTTP 404)" in said
    assert "hunter2" not in said


def test_check_says_which_channels_have_no_address(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIPELINE_CHANNEL_TEAM", "slack://hunter2")
    Team(project, channels=["team", "on-call"])
    assert main(["check", "people"]) == 0
    said = capsys.readouterr().out
    assert "chat to team, on-call (PIPELINE_CHANNEL_ON_CALL is not set)" in said
    assert "hunter2" not in said


def test_without_the_extra_the_error_and_check_name_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.setenv("PIPELINE_CHANNEL_TEAM", "slack://hunter2")
    Team(project, channels=["team"])

    with pytest.raises(OutletRefused, match=r"channel team cannot be told, as .* install Nightjar's extra 'chat'"):
        channels.deliver("team", "slack://hunter2", MESSAGE, no_sleep)
    assert main(["check", "people"]) == 0
    assert "chat to team (the extra 'chat' is not installed)" in capsys.readouterr().out


@pytest.mark.slow
def test_the_step_tells_the_night_it_has_published(
    project: Project, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.steps.walk import run_night

    monkeypatch.setenv("PIPELINE_CHANNEL_TEAM", address(webhook))
    night = project.complete(drifted=True, notify={"channels": ["team"], "when": "change"})
    assert run_night(night, lambda _: None).errors == ()
    assert steps.send_summary(night) == "team: already sent"
    (received,) = webhook.requests
    assert received.json()["title"].startswith("[people] drifted: ")
