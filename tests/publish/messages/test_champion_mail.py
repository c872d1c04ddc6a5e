"""What people are told when a champion is moved without a retraining, or should be."""

from __future__ import annotations

from datetime import UTC, date, datetime

from pipeline.publish.messages.champion_mail import build_change, change_message
from pipeline.results import AliasChange, Watch
from tests.publish import samples

NOW = datetime(2026, 1, 15, 3, tzinfo=UTC)
EVIDENCE = Watch(
    kind="probation",
    version="3",
    against="2",
    since=date(2026, 1, 10),
    until=date(2026, 1, 16),
    night=date(2026, 1, 14),
    done="rolled_back",
    answered="both answered 2,000 rows of 5 nights, with the same prediction for 71%",
    sentence="version 3 against version 2 on 900 labelled rows of 3 nights: error rate 0.31 against 0.12",
    notes=("2026-01-12: left out, its production fails the suite",),
)


def change(event: str, version: str, before: str) -> AliasChange:
    return AliasChange(
        monitor="churn",
        event=event,
        by="probation",
        version=version,
        previous_version=before,
        model_uri=f"models:/churn/{version}",
        model_source="file:///models",
        training_uri=None,
        training_sha256=None,
        evidence=EVIDENCE,
    )


def text(told: AliasChange) -> tuple[str, str]:
    message = build_change(samples.monitor(), told, NOW, "nightjar@example.com")
    assert message is not None
    body = message.get_body(("plain",))
    assert body is not None
    return str(message["Subject"]), str(body.get_content())


def test_a_rollback_by_itself_is_told_with_its_evidence_and_the_way_back() -> None:
    subject, body = text(change("rolled_back", "2", "3"))

    assert subject == "[churn] rolled back to version 2: version 3 was worse in its probation"
    assert "Version 2 is the champion, in place of version 3: Nightjar moved it" in body
    assert "Version 3 against version 2 on 900 labelled rows of 3 nights: error rate 0.31 against 0.12" in body
    assert "Both answered 2,000 rows of 5 nights" in body
    assert "2026-01-12: left out, its production fails the suite" in body
    assert "python -m pipeline promote churn 3" in body
    assert "a person moved it" not in body


def test_a_question_names_who_decides_and_the_command_that_is_safe_to_repeat() -> None:
    subject, body = text(change("rollback_proposed", "3", "2"))

    assert subject == "[churn] version 3 is worse than version 2 in its probation: roll back?"
    assert "The champion stays until a person decides." in body
    assert "python -m pipeline rollback churn --from 3" in body
    assert "0.31 against 0.12" in change_message(samples.monitor(), change("rollback_proposed", "3", "2")).body
