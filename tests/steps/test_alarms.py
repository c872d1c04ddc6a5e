"""Nights on a budget of alarms, through the real steps: what past nights teach, and what they must not."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.results import Decision, DriftResult, NightProfile
from pipeline.steps.night import Night
from pipeline.steps.past_nights import past_nights
from tests.project import Project, people
from tests.steps.published import publish

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 5)
BUDGET: dict[str, Any] = {"per_nights": 365}


@pytest.fixture(autouse=True)
def _quick_drift_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")


def watched(project: Project, **alarms: Any) -> Project:
    """A project with a budget of alarms and a reference."""
    project.write_suite()
    project.write_monitor(drift={"alarms": BUDGET | alarms})
    project.write_parquet("reference/part-0.parquet", people(20_000, seed=0))
    return project


def run(project: Project, number: int, older: float = 0.0, rows: int = 1_500) -> Night:
    """The night so many days after the first, on data of its own."""
    day = FIRST + timedelta(number)
    return publish(project, day, people(rows, seed=100 + number, older=older))


def status(night: Night) -> str:
    return night.load(Decision).status


def published(night: Night, name: str) -> bytes:
    return Path(night.uri(name)).read_bytes()


def test_quiet_nights_are_healthy_and_a_change_is_found_and_said_to_be_rare(project: Project) -> None:
    watched(project)
    quiet = [run(project, number) for number in range(7)]
    changed = run(project, 7, older=4)
    assert [status(night) for night in quiet] == ["healthy"] * 7
    assert b"still learning what is usual" in published(quiet[-1], "index.html")
    assert b"still learning what is usual" not in published(changed, "index.html")
    drift = changed.load(DriftResult)
    assert status(changed) == "drifted"
    assert [item.name for item in drift.drifted_columns if item.name in ("age", "score")] != []
    assert drift.alarms is not None
    assert (drift.alarms.nights, drift.alarms.per_nights, drift.alarms.too_few_rows) == (7, 365, False)
    assert drift.alarms.chance < 1 / 365
    for item in drift.columns:
        assert item.score is not None
        assert item.threshold is not None
        assert item.chance is not None
        assert item.usual is not None
        assert item.drifted == (item.score >= item.threshold)
        assert item.usual < item.threshold
        assert (item.reason is not None) == item.drifted


def test_a_night_that_is_run_again_decides_the_same_whatever_came_after_it(project: Project) -> None:
    watched(project)
    nights = [run(project, number, older=4 * (number == 4)) for number in range(6)]
    before = {name: [published(night, name) for night in nights] for name in ("drift.json", "profile.json")}
    for number in (5, 2, 4):
        run(project, number, older=4 * (number == 4))
    assert before == {name: [published(night, name) for night in nights] for name in before}


def test_profiles_of_nights_add_up_to_the_profile_of_their_rows(project: Project) -> None:
    watched(project)
    frames = [people(700, seed=1), people(900, seed=2, older=1)]
    parts = [publish(project, FIRST + timedelta(number), frame) for number, frame in enumerate(frames)]
    whole = publish(project, FIRST + timedelta(2), pd.concat(frames)).load(NightProfile)
    for column in whole.columns:
        sides = [part.load(NightProfile).by_name[column.name].production for part in parts]
        assert tuple(map(sum, zip(*(side.cells for side in sides), strict=True))) == column.production.cells
        assert sum(side.missing for side in sides) == column.production.missing


@pytest.mark.parametrize("damage", [b"", b"{", b'{"columns": 3}', None])
def test_a_profile_that_is_damaged_or_was_never_kept_costs_no_night(project: Project, damage: bytes | None) -> None:
    watched(project)
    first = run(project, 0)
    run(project, 1)
    place = Path(first.uri("profile.json"))
    place.unlink() if damage is None else place.write_bytes(damage)
    night = run(project, 2)
    assert status(night) == "healthy"
    assert [past.run_date for past in past_nights(night)] == [FIRST + timedelta(1)]


def test_broken_nights_do_not_say_what_is_usual(project: Project) -> None:
    watched(project)
    run(project, 0)
    broken = people(1_500, seed=7)
    broken.loc[:9, "id"] = None
    assert status(publish(project, FIRST + timedelta(1), broken)) == "data_broken"
    assert [past.run_date for past in past_nights(project.night(str(FIRST + timedelta(2))))] == [FIRST]


def test_a_change_that_lasts_is_called_so_as_long_as_it_lasts(project: Project) -> None:
    watched(project)
    quiet = [run(project, number) for number in range(8)]
    changed = [run(project, number, older=4) for number in range(8, 16)]
    assert [status(night) for night in quiet] == ["healthy"] * 8
    assert [status(night) for night in changed] == ["drifted"] * 8


def test_what_changed_long_ago_is_told_apart_from_what_changed_now(project: Project) -> None:
    watched(project, against=["reference", {"trailing": 14}])
    nights = [run(project, number, older=4) for number in range(8)]
    alarms = nights[-1].load(DriftResult).alarms
    assert alarms is not None
    assert [bool(item.drifted) for item in alarms.comparisons] == [True, False]
    page = published(nights[-1], "index.html").decode()
    assert "the quiet nights of the last 14 days" in page


def test_a_night_of_few_rows_says_so_and_several_are_looked_at_together(project: Project) -> None:
    watched(project)
    nights = [run(project, number, rows=8) for number in range(4)]
    assert [status(night) for night in nights] == ["too_few_rows"] * 4
    found = nights[-1].load(DriftResult).alarms
    assert found is not None
    assert found.rows == 8
    assert found.rows_needed is not None
    assert found.rows_needed > 8
    watched(project, window=7)
    together = run(project, 3, rows=8)
    alarms = together.load(DriftResult).alarms
    assert alarms is not None
    assert 1 < alarms.window <= 4
    assert alarms.rows == 8 * alarms.window >= found.rows_needed
    assert status(together) == "healthy"


def test_a_column_that_comes_or_goes_takes_no_other_along(project: Project) -> None:
    watched(project)
    run(project, 0)
    other = people(1_500, seed=3).drop(columns="income").assign(fresh=1.0)
    drift = publish(project, FIRST + timedelta(1), other).load(DriftResult)
    found = {item.name: item.status for item in drift.columns}
    assert (found["income"], found["fresh"], found["age"]) == ("not_evaluable", "not_evaluable", "evaluated")
    back = run(project, 2)
    assert {item.name: item.status for item in back.load(DriftResult).columns}["income"] == "evaluated"


def test_a_reference_that_is_another_every_night_is_no_reason_to_forget_what_is_usual(project: Project) -> None:
    watched(project)
    for number in range(8):
        project.write_parquet("reference/part-0.parquet", people(20_000, seed=number))
        night = run(project, number, older=2 * (number % 2))
    alarms = night.load(DriftResult).alarms
    assert status(night) == "healthy"
    assert alarms is not None


def test_the_profile_of_a_night_is_strict_json_of_a_few_kilobytes_a_column(project: Project) -> None:
    watched(project)
    content = published(run(project, 0), "profile.json")
    columns = json.loads(content, parse_constant=pytest.fail)["columns"]
    assert len(content) < 3_000 * len(columns)
    assert NightProfile.model_validate_json(content).to_json() == content
