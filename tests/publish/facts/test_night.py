"""The words of a night: one set for every page, mail and gauge."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest

from pipeline.config import Monitor
from pipeline.publish.facts import words
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.night import NightView, Runs
from pipeline.publish.facts.retraining import remember
from pipeline.publish.facts.retraining_words import next_step
from pipeline.results import ColumnDrift, Decision
from tests.publish import samples
from tests.publish.nights import past
from tests.publish.retrainings import retraining


def decided(status: str, retrain: bool) -> Decision:
    return Decision.model_validate({"snapshots": "", "status": status, "retrain": retrain, "reason": "because"})


def healthy(drifted: int) -> NightView:
    drift = samples.drift(drifted=drifted)
    return dataclasses.replace(samples.view(), drift=drift, decision=samples.decision(drifted=False))


def test_the_subject_of_a_drifted_night() -> None:
    assert samples.view().headline == "drifted: 9 of 18 columns (50%)"
    assert samples.view().subject == "[churn] drifted: 9 of 18 columns (50%) on 2026-01-14, retraining requested"


def test_the_subject_when_retraining_is_held() -> None:
    view = dataclasses.replace(samples.view(), decision=decided("drifted", False))
    assert view.subject.endswith("on 2026-01-14, retraining held")
    assert view.command == "python -m pipeline retrain churn --date 2026-01-14"


def test_the_subject_of_broken_data_counts_critical_expectations() -> None:
    view = dataclasses.replace(samples.view(), quality=samples.quality(True), decision=samples.decision(failed=True))
    assert view.subject == "[churn] data broken: 1 critical expectation failed on 2026-01-14"
    assert view.changed[0].startswith("2 of 10 expectations failed, 1 of them critical: not so in 12.4%")
    assert "ml-team@example.com has the source repaired" in view.next_step


def test_the_subject_when_no_column_could_be_compared() -> None:
    drift = samples.drift(columns=0, drifted=0, not_evaluable=3)
    view = dataclasses.replace(samples.view(), drift=drift, decision=decided("data_broken", False))
    assert view.headline == "data broken: no column could be compared"


def test_where_importances_decide_every_word_says_so() -> None:
    view = dataclasses.replace(samples.view(), drift=samples.weighed())
    assert view.subject == "[churn] drifted: 2 of 10 columns, 44% by importance on 2026-01-14, retraining requested"
    assert view.changed[0].startswith(
        "2 of 10 columns drifted (20%), 44% of what the champion relies on, over the limit of 30%; most: "
    )
    assert view.tonight.decisive_share == pytest.approx(0.44)
    assert view.tonight.over
    calm = dataclasses.replace(
        view, drift=samples.weighed(decisive="columns"), decision=samples.decision(drifted=False)
    )
    assert calm.headline == "healthy: 2 of 10 columns drifted (20%)"
    assert not calm.tonight.over


def test_a_quiet_night_on_stale_data_is_not_called_healthy() -> None:
    view = dataclasses.replace(healthy(0), quality=samples.stale())
    assert view.state == "stale"
    assert view.subject == "[churn] stale data: none of 18 columns drifted on 2026-01-14"
    assert view.changed[0].endswith(
        "found 73 hours before: The newest file was not written more than 48 hours before the end of the run date"
    )
    assert "ml-team@example.com finds out why the newest is late" in view.next_step
    assert view.command == "python -m pipeline run churn --date 2026-01-14"


def test_drift_on_stale_data_says_both() -> None:
    view = dataclasses.replace(samples.view(), quality=samples.stale())
    assert view.state == "drifted"
    assert view.headline == "drifted on stale data: 9 of 18 columns (50%)"
    assert view.next_step.startswith("The data is older than it should be. Nightjar starts the retraining run")


def test_a_freshness_check_that_is_only_info_makes_no_night_stale() -> None:
    assert dataclasses.replace(healthy(0), quality=samples.stale("info")).state == "healthy"
    broken = dataclasses.replace(
        samples.view(), quality=samples.stale("critical"), decision=decided("data_broken", False)
    )
    assert broken.headline == "data broken and stale: 1 critical expectation failed"


@pytest.mark.parametrize(
    ("drifted", "headline"),
    [
        (0, "healthy: none of 18 columns drifted"),
        (1, "healthy: 1 of 18 columns drifted (5.6%)"),
        (5, "healthy: 5 of 18 columns drifted (27.8%)"),
    ],
)
def test_the_headline_of_a_healthy_night(drifted: int, headline: str) -> None:
    assert healthy(drifted).headline == headline


def test_a_night_and_its_memory_have_the_same_headline() -> None:
    broken = dataclasses.replace(samples.view(), quality=samples.quality(True), decision=samples.decision(failed=True))
    for view in (samples.view(), healthy(0), healthy(3), broken):
        remembered = PastNight.model_validate_json(view.tonight.to_json())
        assert remembered == view.tonight
        assert remembered.headline == view.headline


def test_what_changed_is_told_against_the_night_before() -> None:
    view = dataclasses.replace(samples.view(), history=past())
    assert "over the limit of 30%" in view.changed[0]
    assert "the night before" in view.changed[0]
    assert "than the night before" in view.changed[2] or "as many as the night before" in view.changed[2]


def test_a_night_before_that_lies_further_back_is_named_by_its_date() -> None:
    view = dataclasses.replace(samples.view(), history=past(until=samples.RUN_DATE - timedelta(days=9)))
    assert "on 2026-01-04" in view.changed[0]


def test_history_is_split_by_the_date_of_the_night() -> None:
    later = past(3, until=samples.RUN_DATE + timedelta(days=4))
    view = dataclasses.replace(samples.view(), history=(*later, *reversed(past(3))))
    assert [night.run_date.day for night in view.before] == [11, 12, 13]
    assert [night.run_date.day for night in view.after] == [15, 16, 17]


def test_columns_are_ranked_drifted_first_and_without_a_score_last() -> None:
    view = dataclasses.replace(samples.view(), drift=samples.drift(not_evaluable=2))
    kinds = [(item.drifted, item.status) for item in view.ranked]
    assert kinds == [(True, "evaluated")] * 9 + [(False, "evaluated")] * 9 + [(False, "not_evaluable")] * 2
    assert [item.name for item in view.ranked[:9]] == [item.name for item in view.drift.drifted_columns]


@pytest.mark.parametrize("base", ["https://reports.example.com/n", "https://reports.example.com/n/"])
def test_links_are_addresses_below_the_base(base: str) -> None:
    view = dataclasses.replace(samples.view(), report_base_url=base)
    assert view.link() == "https://reports.example.com/n/churn/2026-01-14/index.html"
    assert view.monitor_link() == "https://reports.example.com/n/churn/index.html"


def test_without_a_base_there_are_no_links() -> None:
    view = dataclasses.replace(samples.view(), report_base_url=None)
    assert view.link() is None
    assert view.monitor_link() is None


def test_a_score_just_past_its_threshold_does_not_look_equal_to_it() -> None:
    column = samples.column(0, True).model_copy(update={"score": 0.10000049, "threshold": 0.1})
    score, threshold = words.score_words(column)
    assert score != threshold
    assert float(score) > float(threshold)


def test_a_column_without_a_score_says_so() -> None:
    assert words.score_words(samples.without_score(0))[0] == "no score"


def test_an_infinitely_strong_drift_has_bounded_words() -> None:
    column = samples.column(4, True).model_copy(update={"score": 0.0})
    assert isinstance(column, ColumnDrift)
    view = dataclasses.replace(samples.view(), drift=samples.drift().model_copy(update={"columns": (column,)}))
    assert words.strength_words(view.tonight.strengths[column.name]) == "1,000+ times its threshold"


def test_words_do_not_depend_on_the_day_they_are_said() -> None:
    assert samples.view(run_date=date(2020, 2, 29)).subject.count("2020-02-29") == 1


def by_hand(view: NightView) -> NightView:
    return dataclasses.replace(view, runs=Runs())


def test_without_airflow_retraining_is_due_and_a_person_starts_it() -> None:
    view = by_hand(samples.view())
    assert view.subject.endswith("on 2026-01-14, retraining due")
    assert view.consequence == "Retraining due"
    assert view.next_step == (
        "Retraining is due, and nothing starts it by itself here. "
        "ml-team@example.com starts it, if this change is one the model ought to learn."
    )
    assert view.command == "python -m pipeline retrain churn --date 2026-01-14"
    assert view.tonight.action == "retraining due"
    assert samples.view().command is None


def test_a_backfill_that_retrains_says_so() -> None:
    view = dataclasses.replace(samples.view(), runs=Runs(retrains=True))
    assert view.subject.endswith("retraining requested")
    assert view.next_step.startswith("Nightjar starts a retraining; nobody needs to act.")
    assert view.command is None


def test_who_has_to_act_is_somebody_where_nobody_is_named() -> None:
    unknown = samples.monitor().model_copy(update={"owner": "unknown"})
    for view in (samples.view(), by_hand(samples.view())):
        assert "unknown" not in dataclasses.replace(view, monitor=unknown).next_step
        assert "Somebody " in dataclasses.replace(view, monitor=unknown).next_step


def test_a_night_of_an_older_version_was_requested() -> None:
    written = by_hand(samples.view()).tonight.model_dump(mode="json", exclude={"starts", "critical"})
    assert PastNight.model_validate(written).action == "retraining requested"


def test_a_critical_column_is_named_and_the_headline_stays_free_of_data() -> None:
    drift = samples.drift(drifted=3)
    named = drift.drifted_columns[0].name
    drift = drift.model_copy(update={"critical": (named,), "drifted": True})
    view = dataclasses.replace(samples.view(), drift=drift)
    assert view.headline == "drifted: 1 critical column, 3 of 18 columns (16.7%)"
    assert view.changed[0].startswith(
        f"{named} drifted, which decides alone; 3 of 18 columns drifted (16.7%), within the limit of 30%"
    )
    assert (view.tonight.critical, view.tonight.over) == ((named,), False)
    assert view.tonight.headline == view.headline


def test_what_a_promotion_means_depends_on_whether_the_reference_follows() -> None:
    promoted = remember(retraining())
    fixed = dataclasses.replace(samples.view(), retraining=promoted)
    assert fixed.meaning.startswith("It is the champion. The reference stays what the monitor file names")
    sources = {"reference": "champion", "initial": "data/churn/reference/", "production": "p/dt={date}/"}
    follows = Monitor.model_validate(samples.monitor().model_dump() | {"snapshots": sources})
    follower = dataclasses.replace(fixed, monitor=follows)
    assert follower.meaning == "It is the champion, and what it learnt from is the new reference."
    assert "what it learnt from" in next_step(follows, retraining())
    assert "what it learnt from" not in next_step(samples.monitor(), retraining())


def test_what_became_of_a_night_that_a_person_followed() -> None:
    view = dataclasses.replace(samples.view(), retraining=remember(retraining()))
    assert view.became == "Retraining requested, promoted version 3"
    assert by_hand(view).became == "Retraining promoted version 3"
