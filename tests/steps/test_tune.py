"""Settings for a wanted rate of alarms: each proposal is borne out by a backtest of the file that has it."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from pipeline.cli import main
from pipeline.errors import ConfigError, ResultMissing
from pipeline.results import Tuned
from pipeline.steps.backtest import Asked, Span, backtest
from pipeline.steps.night import open_workspace
from pipeline.steps.tune import Wanted, tune, written
from tests.project import Project
from tests.steps.restless import FIRST, NAMES, day, distances, publish


@pytest.fixture
def people(project: Project) -> Project:
    project.write_suite()
    project.write_monitor(columns={"id": "id"}, retrain={"cooldown_days": 0, "min_labelled_rows": 0})
    return project


def proposed(nights: int, per_nights: int, *incidents: Span) -> Tuned:
    return tune(open_workspace("people"), Wanted(FIRST, day(nights - 1), per_nights, incidents))


def apply(tuned: Tuned) -> None:
    path, _, after = written(open_workspace("people"), tuned)
    path.write_bytes(after.encode())


def require_borne_out(tuned: Tuned, *incidents: Span) -> None:
    """The file as proposed, asked again, comes to the figures that were told."""
    found = tuned.backtest
    apply(tuned)
    workspace = open_workspace("people")
    spans = (*incidents, *tuned.known)
    again = backtest(workspace, Asked(found.first, found.last, workspace.monitor, incidents=spans))
    assert again.after == found.after
    assert [item.after for item in again.incidents] == [item.after for item in found.incidents]
    assert [night.after for night in again.nights] == [night.after for night in found.nights]
    once_more = tune(workspace, Wanted(found.first, found.last, tuned.per_nights, incidents))
    assert (once_more.proposal, once_more.changes) == ("as_it_is", ())


def test_thresholds_are_those_that_enough_quiet_nights_would_have_kept(people: Project) -> None:
    publish(people, distances(60, restless=4))

    found = proposed(60, 20)

    assert found.backtest.before.alarms > 10
    assert found.proposal == "thresholds"
    assert {key[2] for key, _ in found.changes} == {"age", "income", "city", "plan"}
    assert all(value > 0.1 for _, value in found.changes)
    assert found.chance is not None
    assert found.chance <= 1 / 20
    assert found.backtest.after.alarms <= 2
    require_borne_out(found)


def test_one_more_percent_is_better_than_many_thresholds(people: Project) -> None:
    scores = np.full((30, len(NAMES)), 0.05)
    for place in range(0, 30, 3):  # any two of the columns, now and then
        scores[place, [place // 3 % 6, (place // 3 + 1) % 6]] = 0.15
    publish(people, scores)

    found = proposed(30, 20)

    assert found.changes == ((("drift", "limit"), 0.34),)
    assert found.backtest.after.alarms == 0
    require_borne_out(found)


def test_an_incident_that_was_found_stays_found_and_its_days_are_told(people: Project) -> None:
    scores = distances(60)
    scores[40:44, 2:5] = [[0.11], [0.12], [0.14], [0.2]]
    publish(people, scores)
    span = (day(40), day(43))

    found = proposed(60, 20, span)

    assert found.quiet_nights == 56
    assert (found.backtest.incidents[0].before, found.backtest.incidents[0].after) == (0, 0)
    require_borne_out(found, span)


def test_an_incident_that_is_not_found_now_is_looked_for_by_looser_thresholds(people: Project) -> None:
    scores = distances(60) * 0.5
    scores[40:44, 2:5] = 0.09
    publish(people, scores)
    span = (day(40), day(43))

    found = proposed(60, 20, span)

    assert found.proposal == "thresholds"
    assert (found.backtest.incidents[0].before, found.backtest.incidents[0].after) == (None, 0)
    assert all(dict(found.changes)["drift", "columns", name, "threshold"] < 0.09 for name in NAMES[2:5])
    require_borne_out(found, span)


def test_of_too_few_nights_a_budget_is_proposed_which_states_its_rate_without_them(people: Project) -> None:
    people.write_monitor(columns={"id": "id"}, drift={"limit": 0.3, "columns": {"age": {"threshold": 0.1}}})
    publish(people, distances(40), moved={30: 0.5, 31: 0.5})
    span = (day(30), day(31))

    found = proposed(40, 365, span)

    assert (found.proposal, found.needed, found.chance) == ("budget", 364, None)
    assert found.changes == ((("drift", "alarms"), {"per_nights": 365}),)
    assert found.backtest.after.false_alarms == 0
    assert found.backtest.incidents[0].after == 0
    require_borne_out(found, span)
    drift = yaml.safe_load((people.root / "monitors/people.yaml").read_text())["drift"]
    assert drift == {"limit": 0.3, "alarms": {"per_nights": 365}}


def test_a_budget_that_would_lose_an_incident_is_not_proposed(people: Project) -> None:
    scores = distances(12) * 0.1
    scores[10:, :3] = 0.3  # the scores say so, the counts do not
    publish(people, scores)
    span = (day(10), day(11))

    found = proposed(12, 365, span)

    assert found.proposal == "none"
    assert found.rejected == (
        "a budget of one alarm in 365 nights: no longer finds what was wrong on 2026-01-11..2026-01-12",
    )
    assert found.backtest.before == found.backtest.after


def test_where_alarms_have_to_stay_more_nights_are_asked_for_before_a_retraining(people: Project) -> None:
    scores = np.full((40, len(NAMES)), 0.02)
    scores[[5, 15, 25], :3] = 0.3  # single nights, with profiles in which nothing moved
    scores[30:34, :3] = 0.3
    publish(people, scores)
    span = (day(30), day(33))

    found = proposed(40, 100, span)

    assert found.proposal == "nights_over"
    assert found.changes == ((("retrain", "nights_over"), {"at_least": 2, "of": 3}),)
    assert found.backtest.after.alarms == found.backtest.before.alarms
    assert (found.backtest.before.retrainings, found.backtest.after.retrainings) == (7, 3)
    apply(found)
    workspace = open_workspace("people")
    again = backtest(workspace, Asked(FIRST, day(39), workspace.monitor))
    assert again.after.retrainings == 3


def test_what_people_acknowledged_is_neither_quiet_nor_has_to_be_found(people: Project) -> None:
    scores = np.full((30, len(NAMES)), 0.05)
    scores[10:13, :3] = 0.5
    publish(people, scores)
    assert proposed(30, 20).proposal != "as_it_is"
    assert main(["ack", "people", str(day(10)), "--until", str(day(12))]) == 0

    found = proposed(30, 20)

    assert found.known == ((day(10), day(12)),)
    assert (found.proposal, found.quiet_nights) == ("as_it_is", 27)


def test_nights_whose_data_was_broken_tell_nothing(people: Project) -> None:
    scores = np.full((25, len(NAMES)), 0.05)
    scores[3] = 0.5
    publish(people, scores, broken=[3])
    found = proposed(25, 20)
    assert (found.proposal, found.quiet_nights) == ("as_it_is", 24)


def test_a_budget_that_is_there_gets_another_rate(people: Project) -> None:
    budget = {"per_nights": 50, "against": ["reference", {"trailing": 28}]}
    people.write_monitor(columns={"id": "id"}, drift={"alarms": budget})
    publish(people, distances(20))

    found = proposed(20, 100)

    assert found.changes == ((("drift", "alarms", "per_nights"), 100),)
    require_borne_out(found)
    drift = yaml.safe_load((people.root / "monitors/people.yaml").read_text())["drift"]
    assert drift["alarms"] == budget | {"per_nights": 100}


def test_it_reads_no_snapshot_and_writes_nothing(people: Project) -> None:
    publish(people, distances(30))
    before = {path: path.stat().st_mtime_ns for path in people.root.rglob("*")}
    proposed(30, 20)
    proposed(30, 365)
    assert {path: path.stat().st_mtime_ns for path in people.root.rglob("*")} == before


def test_without_a_night_there_is_nothing_to_tune_by(people: Project) -> None:
    with pytest.raises(ResultMissing, match="no night from 2026-01-01 to 2026-01-05 is published"):
        proposed(5, 20)


def test_a_file_that_cannot_be_changed_in_place_names_the_settings(people: Project) -> None:
    publish(people, distances(30, restless=4))
    path = people.root / "monitors/people.yaml"
    text = path.read_text() + "drift:\n  numerical: &same {threshold: 0.1}\n  columns: {age: *same, income: *same}\n"
    path.write_text(text)
    found = proposed(30, 20)
    with pytest.raises(ConfigError, match=r"is laid out so .* set by hand: drift\.columns\.age\.threshold: 0\."):
        written(open_workspace("people"), found)
