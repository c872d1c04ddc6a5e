"""Changes that people expect, through the real commands and steps: what they keep quiet, and what they do not."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.results import Decision, DriftResult, NightProfile, QualityResult
from pipeline.steps.night import Night
from tests.project import Project, people
from tests.steps.published import publish

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 14)
MOVED = {"age", "score", "prediction"}
"""What `people(older=30)` moves, of five compared columns."""
FIXED: dict[str, Any] = {"limit": 0.3}
BUDGET: dict[str, Any] = {"alarms": {"per_nights": 365}}


@pytest.fixture(autouse=True)
def _quick_drift_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")


def watched(project: Project, drift: dict[str, Any] = FIXED, **changes: Any) -> Project:
    project.write_suite()
    project.write_monitor(drift=drift, notify={"email": ["team@example.com"], "when": "trouble"}, **changes)
    project.write_parquet("reference/part-0.parquet", people(4_000, seed=0))
    return project


def run(project: Project, number: int = 0, older: float = 30.0, **columns: Any) -> Night:
    """The night so many days after the first, on data of its own, with some columns put in place."""
    return run_on(project, number, people(1_500, seed=100 + number, older=older).assign(**columns))


def run_on(project: Project, number: int, frame: pd.DataFrame) -> Night:
    return publish(project, FIRST + timedelta(number), frame)


def expect(project: Project, columns: str, first: int, until: int, why: str = "price change") -> int:
    days = [str(FIRST + timedelta(number)) for number in (first, until)]
    return main(["expect", "people", "--from", days[0], "--until", days[1], "--columns", columns, "--why", why])


def drifted(night: Night) -> set[str]:
    return {item.name for item in night.load(DriftResult).drifted_columns}


def expected(night: Night) -> dict[str, str | None]:
    return {item.name: item.expected for item in night.load(DriftResult).expected_columns}


def status(night: Night) -> str:
    return night.load(Decision).status


def published(night: Night, name: str) -> bytes:
    return Path(night.uri(name)).read_bytes()


@pytest.mark.parametrize("drift", [FIXED, BUDGET])
def test_an_expected_change_asks_for_nothing_from_its_first_to_its_last_night(
    project: Project, drift: dict[str, Any]
) -> None:
    watched(project, drift)
    assert expect(project, "age,score,prediction", 1, 2) == 0
    nights = [run(project, number) for number in range(4)]
    assert [status(night) for night in nights] == ["drifted", "healthy", "healthy", "drifted"]
    assert [night.load(Decision).causes for night in nights] == [("drift",), (), (), ("drift",)]
    assert [drifted(night) >= MOVED for night in nights] == [True, False, False, True]
    words = f"price change, until {FIRST + timedelta(2)}"
    assert [expected(night) for night in nights] == [{}, dict.fromkeys(MOVED, words), dict.fromkeys(MOVED, words), {}]
    for item in nights[1].load(DriftResult).expected_columns:
        assert (item.drifted, item.status, item.reason is None) == (False, "evaluated", False)
    assert all(set(night.load(NightProfile).drifted["reference"]) >= MOVED for night in nights)


def test_a_change_that_the_monitor_file_expects_is_expected_as_one_that_was_noted(project: Project) -> None:
    change = {"columns": ["age", "score", "gone"], "from": str(FIRST), "until": str(FIRST), "why": "new market"}
    watched(project, expected=[change])
    night = run(project)
    assert (drifted(night), set(expected(night))) == ({"prediction"}, {"age", "score"})
    assert night.load(DriftResult).drift_share == 1 / 3  # of the other three columns
    assert status(night) == "drifted"


@pytest.mark.parametrize("drift", [FIXED, BUDGET])
def test_an_expected_change_never_hides_another_column(project: Project, drift: dict[str, Any]) -> None:
    watched(project, drift | {"critical": ["income"]})
    expect(project, "age,score,prediction", 0, 1)
    calm, moved = run(project, 0), run(project, 1, income=people(1_500, seed=9)["income"] * 3)
    assert (status(calm), status(moved)) == ("healthy", "drifted")
    assert drifted(moved) == {"income"}
    assert moved.load(DriftResult).deciding == ("income",)


def test_a_column_that_decides_alone_decides_nothing_while_its_change_is_expected(project: Project) -> None:
    watched(project, {"limit": 0.9, "critical": ["age"]})
    expect(project, "age", 0, 0)
    within, after = run(project, 0), run(project, 1)
    assert (status(within), status(after)) == ("healthy", "drifted")
    assert within.load(DriftResult).undecided == ()


def test_an_expected_change_hides_no_failure_of_the_data(project: Project) -> None:
    watched(project)
    expect(project, "age,score,prediction,id", 0, 0)
    night = run(project, id=None)
    assert status(night) == "data_broken"
    assert night.load(QualityResult).failed("critical") > 0


def test_on_a_budget_other_columns_are_judged_as_if_the_expected_ones_were_not_there(project: Project) -> None:
    watched(project, BUDGET)
    expect(project, "age,score,prediction", 0, 0)
    with_them = run(project).load(DriftResult)
    columns = {"id": "id", "label": "label", "ignore": ["age", "score", "prediction"]}
    without = run(watched(project, BUDGET, columns=columns)).load(DriftResult)
    assert with_them.alarms == without.alarms
    others = [item for item in with_them.columns if item.name in ("income", "city")]
    assert tuple(others) == without.columns


def test_a_night_on_which_every_column_is_expected_is_judged_and_calm(project: Project) -> None:
    watched(project, BUDGET)
    expect(project, "age,score,prediction,income,city", 0, 0)
    night = run(project)
    assert status(night) == "healthy"
    assert set(expected(night)) == MOVED


def test_an_acknowledged_night_keeps_the_next_ones_quiet_for_its_columns_only(project: Project) -> None:
    watched(project, {"limit": 0.0})
    run(project, 0)
    assert main(["ack", "people", str(FIRST), "--until", str(FIRST + timedelta(2))]) == 0
    calm, other, after = run(project, 1), run(project, 2, city="Bern"), run(project, 3)
    assert [status(night) for night in (calm, other, after)] == ["healthy", "drifted", "drifted"]
    assert set(expected(calm).values()) == {f"acknowledged, until {FIRST + timedelta(2)}"}
    assert drifted(other) == {"city"}
    assert drifted(after) == MOVED


def test_nights_that_run_again_agree_byte_for_byte(project: Project) -> None:
    watched(project)
    expect(project, "age,score,prediction", 0, 1)
    names = ("drift.json", "profile.json", "decision.json", "index.html", "summary.eml", "gauges.prom")
    nights = [run(project, number) for number in range(3)]
    before = {name: [published(night, name) for night in nights] for name in names}
    for number in (2, 0, 1):
        run(project, number)
    assert before == {name: [published(night, name) for night in nights] for name in names}


def test_notes_that_cannot_be_read_are_named_and_nothing_is_taken_for_expected(project: Project) -> None:
    watched(project)
    path = project.store / "people/expected.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([{"columns": ["age"], "from": "2026-01-14", "why": "x"}]))
    night = run(project)
    failure = night.load(DriftResult).failure
    assert failure is not None
    assert f"{path}: cannot be read: 0.until: Field required; repair it" in failure.error
    assert (status(night), night.load(Decision).retrain) == ("data_broken", False)
    assert str(path) in published(night, "index.html").decode()
    path.unlink()
    assert status(run(project)) == "drifted"
