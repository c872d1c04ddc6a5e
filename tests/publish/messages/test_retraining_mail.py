"""The mail about a retraining."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from pipeline.publish.messages.retraining_mail import build_retraining, chat_message
from pipeline.results import RetrainResult, RetrainStatus
from tests.publish import samples
from tests.publish.reading import part
from tests.publish.retrainings import COMMANDS, STATUSES, SUBJECTS, hostile, retraining


def built(result: RetrainResult, base: str | None = "https://reports.example.com/nightjar/") -> EmailMessage:
    message = build_retraining(samples.monitor(), result, "nightjar@example.com", base)
    assert message is not None
    return message


@pytest.mark.parametrize("status", STATUSES)
def test_every_outcome_has_a_mail_in_the_thread_of_the_nights(status: RetrainStatus) -> None:
    message = built(retraining(status))
    assert message["Subject"] == SUBJECTS[status]
    assert message["References"] == message["In-Reply-To"] == "<nights.churn@example.com>"
    text, html = part(message, "plain"), part(message, "html")
    assert retraining(status).verdict[1:] in text
    assert (COMMANDS[status] or "Nothing to do") in text
    assert "https://reports.example.com/nightjar/churn/retraining/2026-01-14/index.html" in text
    assert len(html) < 80_000
    assert chat_message(samples.monitor(), retraining(status)).title == SUBJECTS[status]


def test_equal_results_give_equal_bytes() -> None:
    assert built(retraining()).as_bytes() == built(retraining()).as_bytes()


def test_hostile_text_adds_no_element() -> None:
    html = part(built(hostile()), "html")
    assert "<script" not in html
    assert "\u202e" not in html
