"""What an audit asks of a monitor: each question turned by what it rests on, and the level that follows."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from pipeline.publish.facts.audit import Evidence, audit
from pipeline.publish.facts.retraining import remember
from pipeline.results import Told
from tests.publish import performances, retrainings, samples
from tests.publish.pages.samples import NOW, evidence

WHOLE = evidence(samples.monitor())
ON_TIME, MEASURED, TOLD, REFUSES = range(4)
LABELS, OBJECTIVE, BUDGET, REACHED, DESCRIBED = range(4, 9)
RETRAINED, REFUSED, DRILLED = range(9, 12)


def changed(**changes: Any) -> Evidence:
    return dataclasses.replace(WHOLE, **changes)


def of_monitor(**changes: Any) -> Evidence:
    return changed(monitor=WHOLE.monitor.model_copy(update=changes))


def of_night(**changes: Any) -> Evidence:
    return changed(nights=[WHOLE.nights[-1].model_copy(update=changes)])


def sent(days_ago: int, said: str = "sent") -> list[Told]:
    moment = NOW - timedelta(days=days_ago)
    return [
        Told(run_date=samples.RUN_DATE, about="night", outlet="mail", moment=moment, said=said, identity="<1@example>")
    ]


def trained(*statuses: Any) -> list[Any]:
    return [remember(retrainings.retraining(status)) for status in statuses]


def milder() -> Any:
    quality = samples.quality(False)
    outcomes = tuple(one.model_copy(update={"severity": "warning"}) for one in quality.outcomes)
    return quality.model_copy(update={"outcomes": outcomes})


def built_in() -> Any:
    quality = samples.quality(False)
    return quality.model_copy(
        update={"outcomes": tuple(one.model_copy(update={"check": "x"}) for one in quality.outcomes)}
    )


def test_a_monitor_that_lacks_nothing_but_a_drill_is_judged() -> None:
    found = audit(WHOLE)
    assert [answer.question for answer in found.open] == ["Has a drill been passed this quarter?"]
    assert (found.level, found.words) == (2, "level 2 of 3, judged; 1 of 12 is open")


@pytest.mark.parametrize(
    ("found", "place", "level"),
    [
        (changed(nights=[]), ON_TIME, 0),
        (changed(due=samples.RUN_DATE + timedelta(days=1)), ON_TIME, 0),
        (of_night(broken=("drift",)), MEASURED, 0),
        (changed(outlets=()), TOLD, 0),
        (changed(lacking=("PIPELINE_CHANNEL_X is not set",)), TOLD, 0),
        (changed(quality=None), REFUSES, 0),
        (changed(quality=milder()), REFUSES, 0),
        (changed(quality=built_in()), REFUSES, 0),
        (of_night(performance={}, basis="estimated"), LABELS, 1),
        (of_night(performance={}, basis=None), LABELS, 1),
        (of_night(metric_limit=None), OBJECTIVE, 1),
        (of_monitor(drift=samples.monitor().drift), BUDGET, 1),
        (changed(told=()), REACHED, 1),
        (changed(told=sent(32)), REACHED, 1),
        (changed(told=sent(1, "muted until 2026-02-01")), REACHED, 1),
        (of_monitor(description=""), DESCRIBED, 1),
        (changed(retrainings=()), RETRAINED, 2),
        (changed(retrainings=trained("no_labels", "failed")), RETRAINED, 2),
        (changed(retrainings=trained("promoted")), REFUSED, 2),
    ],
)
def test_a_question_is_open_where_what_it_rests_on_is_missing(found: Evidence, place: int, level: int) -> None:
    made = audit(found)
    assert not made.answers[place].passed
    assert made.answers[place].advice
    assert made.level == level
    assert made.level < 3


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (changed(told=sent(30)), REACHED),
        (changed(due=samples.RUN_DATE - timedelta(days=1)), ON_TIME),
        (of_night(performance={"roc_auc": 0.8}, basis=None), LABELS),
        (changed(retrainings=trained("superseded")), RETRAINED),
        (
            changed(
                nights=[*WHOLE.nights, performances.healthy_view().tonight.model_copy(update={"metric_limit": None})]
            ),
            OBJECTIVE,
        ),
    ],
)
def test_it_is_answered_by_what_is_enough(found: Evidence, place: int) -> None:
    assert audit(found).answers[place].passed


def test_questions_of_a_monitor_that_has_only_a_file_say_what_to_do_first() -> None:
    bare = Evidence(monitor=samples.monitor(), due=samples.RUN_DATE, now=NOW)
    made = audit(bare)
    assert made.level == 0
    assert made.answers[ON_TIME].words == "no night is published"
    assert "run churn --date 2026-01-14" in made.answers[ON_TIME].advice
    assert made.answers[TOLD].words == "nobody is named"
