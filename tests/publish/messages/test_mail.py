"""The mail about a night, and handing it to real mail servers on loopback."""

from __future__ import annotations

import dataclasses
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage

import pytest

from pipeline.config.monitor import NotifyPolicy
from pipeline.errors import ConfigError, OutletRefused, OutletUnavailable
from pipeline.publish.facts.night import NightView
from pipeline.publish.messages import mail
from pipeline.results import DriftResult, ExpectationOutcome, QualityResult, strength
from tests.publish import budgets, samples
from tests.publish.performances import VIEWS
from tests.publish.reading import Page, part
from tests.publish.samples import HOSTILE
from tests.servers.smtp import Flavour, SmtpServer

SENDER = "nightjar@example.com"
TEAM = ("ml-team@example.com", "ops@example.com", "risk@example.com")
StartServer = Callable[[Flavour], SmtpServer]


def built(view: NightView | None = None) -> EmailMessage:
    message = mail.build_summary(view or samples.view(), SENDER)
    assert message is not None
    return message


def to_team(view: NightView | None = None) -> EmailMessage:
    night = view or samples.view()
    monitor = night.monitor.model_copy(update={"notify": NotifyPolicy(email=TEAM)})
    return built(dataclasses.replace(night, monitor=monitor))


def test_a_mail_has_one_line_about_chance_and_names_methods_in_words() -> None:
    text = part(built(budgets.VIEWS["budget"]), "plain")
    said = (
        "- On unchanged data this happens once in 4,000 nights (budget: one false alarm in 365); no column drifted from"
    )
    assert f"{said} {budgets.SINCE_LAST_MONTH}\n" in text
    assert "support_tickets_90d: 0.625 > 0.101 (missing values)" in text
    fixed = part(built(budgets.VIEWS["by-chance"]), "plain")
    assert "- By chance alone 2.6 of 18 columns pass their threshold on an unchanged night of 3,412 rows" in fixed
    assert "chance" not in part(built(), "plain")


def test_a_mail_about_too_few_rows_asks_nobody_for_anything() -> None:
    message = built(budgets.VIEWS["few-rows"])
    assert message["Subject"] == "[churn] too few rows: 24 instead of at least 310 on 2026-01-14"
    text, html = part(message, "plain"), part(message, "html")
    assert "Nothing to do tonight, and nothing is retrained." in text
    assert "python -m pipeline" not in text
    assert re.search(r'class="act too_few_rows_ink" style="[^"]*color: #5a6272', html)
    assert re.search(r'class="rule too_few_rows" style="[^"]*background: #5a6272', html)


def hostile_view(names: tuple[str, ...] = HOSTILE) -> NightView:
    """Names, reasons and sentences that somebody chose with care."""
    columns = tuple(
        samples.column(2 * place, True, name).model_copy(update={"reason": name * 2, "method": "psi"})
        for place, name in enumerate(names)
    )
    outcomes = tuple(
        ExpectationOutcome(
            expectation="e", column=name, severity="critical", passed=False, sentence=name, observed=name, error=error
        )
        for name, error in zip(names, (*names[1:], None), strict=True)
    )
    decision = samples.decision().model_copy(update={"retrain": False, "reason": "held: " + names[0]})
    return dataclasses.replace(
        samples.view(),
        drift=DriftResult(snapshots="", drift_share=1.0, limit=0.3, drifted=True, columns=columns),
        quality=QualityResult(snapshots="", suite="churn", passed=False, outcomes=outcomes),
        decision=decision,
    )


def no_sleep(seconds: float) -> None:
    """Instead of waiting between attempts."""


def test_the_subject_carries_the_verdict() -> None:
    subject = "[churn] drifted: 9 of 18 columns (50%) on 2026-01-14, retraining requested"
    assert built()["Subject"] == subject
    assert f"Subject: {subject}\r\n".encode() in built().as_bytes()


def test_nobody_to_tell_means_no_mail() -> None:
    monitor = samples.monitor().model_copy(update={"notify": NotifyPolicy()})
    assert mail.build_summary(dataclasses.replace(samples.view(), monitor=monitor), SENDER) is None


def test_both_parts_tell_verdict_columns_failures_performance_next_step_and_links() -> None:
    message = built()
    assert message.get_content_type() == "multipart/alternative"
    for kind in ("plain", "html"):
        content = re.sub(r"\s+", " ", part(message, kind))
        for said in (
            "Drifted: 9 of 18 columns (50%)",
            "over the limit of 30%",
            "support_tickets_90d",
            "age has a mean of between 38 and 47",
            "ROC AUC",
            "retrain__churn__2026-01-14",
            "ml-team@example.com",
            "https://reports.example.com/nightjar/churn/2026-01-14/index.html",
            "https://reports.example.com/nightjar/churn/2026-01-14/drift_report.html",
        ):
            assert said in content, (kind, said)


def test_a_degraded_night_tells_the_main_metric_before_the_columns() -> None:
    message = built(VIEWS["degraded-drifted"])
    assert message["Subject"] == (
        "[churn] degraded: ROC AUC 0.47, at least 0.81 expected; 9 of 18 columns drifted (50%) on 2026-01-14, "
        "retraining held: cooldown"
    )
    for kind in ("plain", "html"):
        content = part(message, kind) if kind == "plain" else Page(part(message, kind)).text
        order = ["0.471", "0.863 on the reference; at least 0.813 expected", "0.473", "support_tickets_90d: 0.618"]
        order[3] = order[3] if kind == "plain" else "Drifted columns"
        places = [content.index(said) for said in order]
        assert places == sorted(places)
    assert "ROC AUC: 0.473 (95% interval 0.456 to 0.490), reference 0.863 (worse)" in part(message, "plain")


def test_a_metric_within_the_noise_is_neither_better_nor_worse() -> None:
    text = part(built(VIEWS["healthy"]), "plain")
    assert re.search(r"ROC AUC: 0\.855 \(95% interval [\d. to]+\), reference 0\.863\n", text)


def test_without_an_address_the_mail_says_where_the_page_lies() -> None:
    message = built(dataclasses.replace(samples.view(), report_base_url=None))
    for kind in ("plain", "html"):
        assert "churn/2026-01-14/index.html in the run store" in part(message, kind)
        assert "http" not in part(message, kind)


def test_broken_data_is_the_verdict_and_names_who_acts() -> None:
    view = dataclasses.replace(samples.view(), quality=samples.quality(True), decision=samples.decision(failed=True))
    message = built(view)
    assert message["Subject"] == "[churn] data broken: 1 critical expectation failed on 2026-01-14"
    assert "Not so in 12.4% of the rows" in part(message, "plain")
    assert "python -m pipeline run churn --date 2026-01-14" in part(message, "plain")


def test_equal_nights_give_equal_bytes_and_other_content_another_identity() -> None:
    assert built().as_bytes() == built().as_bytes()
    other = built(dataclasses.replace(samples.view(), performance=samples.performance(measured=False)))
    assert other["Message-ID"] != built()["Message-ID"]


def test_headers_thread_by_monitor_and_say_that_a_program_wrote() -> None:
    first, second = built(), built(samples.view(run_date=samples.RUN_DATE.replace(day=15)))
    assert first["References"] == first["In-Reply-To"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f]{32}\.churn\.2026-01-14@example\.com>", first["Message-ID"])
    assert built(samples.view("fraud"))["References"] != first["References"]
    assert first["List-Id"] == "<churn.nightjar.example.com>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Date"] == "Thu, 15 Jan 2026 00:00:00 +0000"


def test_hostile_names_stay_text_in_the_html_part() -> None:
    plain, hostile = (Page(part(built(view), "html")) for view in (samples.view(), hostile_view()))
    assert set(hostile.tags) <= set(plain.tags)
    assert "script" not in hostile.tags
    assert all(address.startswith("https://reports.example.com/") for address in hostile.addresses)
    assert "&lt;script&gt;" in part(built(hostile_view()), "html")
    assert "{{ 7 * 7 }}" in part(built(hostile_view()), "html")


def test_hostile_names_stay_on_their_line_of_the_text_part_and_out_of_headers() -> None:
    message = built(hostile_view())
    text = part(message, "plain")
    assert "line\\r\\nbreak" in text
    assert "\u202e" not in text
    assert "\x00" not in text
    assert not [value for _, value in message.items() if "script" in value or "break" in value]


def test_surrogates_from_data_do_not_break_the_mail() -> None:
    assert "\\ud800" in part(built(hostile_view(("\ud800",))), "plain")


@pytest.mark.parametrize("name", ["x" * 10_000, "<&\"'>" * 2_000, "\U0001f9ff" * 10_000])
def test_the_html_part_stays_under_what_mail_clients_clip(name: str) -> None:
    long = tuple(name + str(place) for place in range(500))
    html = part(to_team(hostile_view(long)), "html")
    assert len(html.encode()) < 80_000


def test_a_mail_asks_for_nothing_from_the_network() -> None:
    html = part(built(), "html")
    assert not {"img", "link", "script", "iframe"} & set(Page(html).tags)
    assert "url(" not in html
    assert "@import" not in html


def test_styles_are_inline_and_dark_clients_have_their_own() -> None:
    html = part(built(), "html")
    assert html.count("style=") > 40
    assert "prefers-color-scheme: dark" in html


def test_the_bars_grow_with_the_strength_and_have_a_gap_where_the_threshold_is() -> None:
    bars = [
        [(look, int(width)) for look, width in re.findall(r'class="(bar|threshold)"[^>]*width="(\d+)%"', found)]
        for found in re.findall(r'class="bars".*?</table>', part(built(), "html"))
    ]
    widths = [sum(width for _, width in found) for found in bars]
    assert widths[0] == 100
    assert widths == sorted(widths, reverse=True)
    assert len(widths) == mail.MAX_COLUMNS
    most = samples.view().drift
    strongest = max(strength(column) for column in most.drifted_columns)
    assert bars[0] == [("bar", round(100 / strongest)), ("threshold", 1), ("bar", 99 - round(100 / strongest))]
    assert {found[0][1] for found in bars if len(found) > 1} == {round(100 / strongest)}


def test_columns_without_a_score_need_no_bar() -> None:
    broken = samples.without_score(0)
    drift = DriftResult(snapshots="", drift_share=0.0, limit=0.3, drifted=False, columns=(broken,))
    message = built(dataclasses.replace(samples.view(), drift=drift, decision=samples.decision(drifted=False)))
    assert "No column could be compared" in part(message, "plain")


def test_a_plain_server_takes_the_mail_as_it_was_built(smtp_server: StartServer) -> None:
    server = smtp_server("plain")
    mail.deliver(to_team(), server.url)
    (received,) = server.mails
    assert received.recipients == TEAM
    assert received.sender == SENDER
    assert received.raw.rstrip() == to_team().as_bytes().rstrip()


@pytest.mark.parametrize("flavour", ["starttls", "tls"])
def test_a_login_travels_encrypted(smtp_server: StartServer, flavour: Flavour, monkeypatch: pytest.MonkeyPatch) -> None:
    server = smtp_server(flavour)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    mail.deliver(built(), server.url)
    (received,) = server.mails
    assert received.encrypted
    assert received.user == "nightjar"
    assert received.message["Subject"] == built()["Subject"]


@pytest.mark.parametrize("flavour", ["starttls", "tls"])
def test_an_unknown_certificate_is_refused_before_the_password(smtp_server: StartServer, flavour: Flavour) -> None:
    server = smtp_server(flavour)
    with pytest.raises(OutletRefused, match=r"certificate is not trusted .* SSL_CERT_FILE"):
        mail.deliver(built(), server.url, no_sleep)
    assert server.connections == 1
    assert not server.mails


def test_a_wrong_password_is_final_and_not_repeated(smtp_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server = smtp_server("starttls")
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    with pytest.raises(OutletRefused, match="refused the login") as caught:
        mail.deliver(built(), server.url_for("nightjar", "s3cret"), no_sleep)
    assert "s3cret" not in str(caught.value)
    assert server.connections == 1


def test_a_server_that_asks_for_time_gets_the_mail_once(smtp_server: StartServer) -> None:
    server, waits = smtp_server("plain"), list[float]()
    server.refuse("451 4.7.1 Try again later", times=2)
    mail.deliver(built(), server.url, waits.append)
    assert len(server.mails) == 1
    assert [int(wait) for wait in waits] == [1, 2]


def test_a_server_that_never_has_time_is_unavailable(smtp_server: StartServer) -> None:
    server = smtp_server("plain")
    server.refuse("451 4.7.1 Try again later")
    with pytest.raises(OutletUnavailable, match=f"smtp://127.0.0.1:{server.port} .*451 4.7.1 Try again later"):
        mail.deliver(built(), server.url, no_sleep)
    assert server.attempts == 4


@pytest.mark.parametrize("stage", ["CONNECT", "MAIL", "RCPT"])
def test_a_dropped_connection_is_tried_again(smtp_server: StartServer, stage: str) -> None:
    server = smtp_server("plain")
    server.drop(at=stage, times=1)  # type: ignore[arg-type]
    mail.deliver(built(), server.url, no_sleep)
    assert len(server.mails) == 1


def test_a_server_that_has_the_whole_mail_and_says_nothing_is_not_given_it_a_second_time(
    smtp_server: StartServer,
) -> None:
    server = smtp_server("plain")
    server.drop(at="DATA", times=1)
    with pytest.raises(OutletUnavailable, match="did not say that it takes it"):
        mail.deliver(built(), server.url, no_sleep)
    assert server.attempts == 1


@pytest.mark.parametrize("flavour", ["plain", "starttls", "tls"])
def test_a_mail_is_noted_as_delivered_before_the_server_is_told_goodbye(
    smtp_server: StartServer, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = smtp_server(flavour)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    seen: list[tuple[int, int]] = []
    mail.deliver(built(), server.url, no_sleep, taken=lambda: seen.append((len(server.mails), server.goodbyes)))
    assert (seen, server.goodbyes) == ([(1, 0)], 1)


def test_a_greeting_of_421_is_tried_again(smtp_server: StartServer) -> None:
    server = smtp_server("plain")
    server.refuse("421 4.3.2 Too many connections", at="CONNECT", times=1)
    mail.deliver(built(), server.url, no_sleep)
    assert len(server.mails) == 1


def test_a_refused_recipient_is_named_and_not_tried_again(smtp_server: StartServer) -> None:
    server = smtp_server("plain")
    server.reject_recipient("ml-team@example.com")
    with pytest.raises(OutletRefused, match=r"ml-team@example.com: 550 5.1.1 No such mailbox") as caught:
        mail.deliver(built(), server.url, no_sleep)
    assert not isinstance(caught.value, mail.PartlyDelivered)
    assert server.connections == 1


def test_one_refused_recipient_leaves_the_others_their_mail(smtp_server: StartServer) -> None:
    server = smtp_server("plain")
    server.reject_recipient("ops@example.com")
    with pytest.raises(mail.PartlyDelivered, match=r"ops@example.com: 550") as caught:
        mail.deliver(to_team(), server.url, no_sleep)
    assert caught.value.delivered == ("ml-team@example.com", "risk@example.com")
    assert [received.recipients for received in server.mails] == [caught.value.delivered]


def test_a_recipient_refused_for_now_is_tried_again_alone(smtp_server: StartServer) -> None:
    server = smtp_server("plain")
    server.refuse("450 4.2.0 Greylisted", at="RCPT", times=1)
    mail.deliver(to_team(), server.url, no_sleep)
    assert [received.recipients for received in server.mails] == [TEAM[1:], TEAM[:1]]


def test_a_refused_message_names_its_recipient(smtp_server: StartServer) -> None:
    server = smtp_server("plain")
    server.refuse("554 5.7.1 Message looks like spam")
    with pytest.raises(OutletRefused, match=r"refused the mail to ml-team@example.com .554 5.7.1"):
        mail.deliver(built(), server.url, no_sleep)
    assert server.attempts == 1


def test_nobody_listening_is_told_without_the_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        port = taken.getsockname()[1]
        with pytest.raises(OutletUnavailable, match=f"smtp://127.0.0.1:{port} .*connection refused; check") as caught:
            mail.deliver(built(), f"smtp://nightjar:s3cret@127.0.0.1:{port}", no_sleep)
    assert "s3cret" not in str(caught.value)


def test_a_password_never_travels_in_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server([b"250-here\r\n250 AUTH PLAIN\r\n"]) as (port, heard):
        real = socket.create_connection
        monkeypatch.setattr(
            socket, "create_connection", lambda address, *args, **more: real(("127.0.0.1", address[1]), *args, **more)
        )
        with pytest.raises(OutletRefused, match="offers no encryption"):
            mail.deliver(built(), f"smtp://nightjar:s3cret@mail.example.com:{port}", no_sleep)
    assert b"AUTH" not in b"".join(heard)


def test_a_server_that_repeats_the_password_does_not_get_it_into_the_message() -> None:
    answers = [b"250-here\r\n250 AUTH PLAIN\r\n", b"535 no such user nightjar with s3cret\r\n"]
    with scripted_server(answers) as (port, heard), pytest.raises(OutletRefused, match=r"with \*\*\*") as caught:
        mail.deliver(built(), f"smtp://nightjar:s3cret@localhost:{port}", no_sleep)
    assert b"AUTH" in b"".join(heard)
    assert "s3cret" not in str(caught.value)


def test_a_strange_goodbye_does_not_send_a_delivered_mail_again() -> None:
    fine = [b"250 here\r\n", b"250 sender\r\n", b"250 recipient\r\n", b"354 go on\r\n"]
    message_lines = len(built().as_bytes().splitlines())
    answers = [*fine, *[b""] * message_lines, b"250 taken\r\n", b"421 rather not\r\n"]
    with scripted_server(answers) as (port, heard):
        mail.deliver(built(), f"smtp://localhost:{port}", no_sleep)
    assert heard[-1].upper() == b"QUIT\r\n"


@pytest.mark.parametrize("url", ["smtp://", "smtp://user:s3/cret@host", "http://host", "smtp://host:cret"])
def test_an_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="PIPELINE_SMTP_URL") as caught:
        mail.deliver(built(), url, no_sleep)
    assert "cret" not in str(caught.value)


@contextmanager
def scripted_server(answers: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """A mail server that greets, answers command by command from a list, and then 221; it keeps what it heard."""
    heard: list[bytes] = []

    def run() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 here\r\n")
            replies = iter(answers)
            for line in lines:
                heard.append(line)
                connection.sendall(next(replies, b"221 bye\r\n"))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1], heard
        thread.join(10)


def test_a_published_mail_comes_back_byte_for_byte() -> None:
    message = mail.build_summary(samples.view(), "nightjar@example.com")
    assert message is not None
    assert mail.parse(message.as_bytes()).as_bytes() == message.as_bytes()


def test_where_importances_decide_the_mail_says_so() -> None:
    message = built(dataclasses.replace(samples.view(), drift=samples.weighed()))
    assert message["Subject"] == (
        "[churn] drifted: 2 of 10 columns, 44% by importance on 2026-01-14, retraining requested"
    )
    for kind in ("plain", "html"):
        text = part(message, kind)
        assert "44% of what the champion relies on" in text
        assert "wasserstein, importance 37%" in text


def test_where_they_decide_nothing_the_mail_is_the_same_whether_or_not_they_are_known() -> None:
    plain = samples.weighed(decisive="columns")
    unknown = tuple(item.model_copy(update={"importance": None}) for item in plain.columns)
    first = built(dataclasses.replace(samples.view(), drift=plain))
    second = built(dataclasses.replace(samples.view(), drift=plain.model_copy(update={"columns": unknown})))
    assert first.as_bytes() == second.as_bytes()


def test_stale_data_is_told_first() -> None:
    message = built(dataclasses.replace(samples.view(), quality=samples.stale()))
    assert message["Subject"] == (
        "[churn] drifted on stale data: 9 of 18 columns (50%) on 2026-01-14, retraining requested"
    )
    lines = part(message, "plain").splitlines()
    assert "found 73 hours before" in next(line for line in lines if line.startswith("- "))
