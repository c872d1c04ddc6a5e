"""A reference of the season: the same month of a year before, by its address."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.cli import main
from pipeline.results import Decision, DriftResult, PerformanceResult, QualityResult
from pipeline.steps import nightly as steps
from pipeline.steps.night import Night
from tests.project import Project, people

HISTORY = "data/history/dt=2025-{date:%m}-*/"
OLDER = {"01": 0, "02": 15, "07": 30}
"""By how many years customers are older in some months: every year."""


@pytest.fixture
def seasons(project: Project) -> Project:
    project.write_suite()
    for month, older in OLDER.items():
        for day in (5, 12, 19):
            project.write_parquet(
                f"history/dt=2025-{month}-{day:02d}/part-0.parquet",
                people(600, seed=int(month) * 100 + day, older=older),
            )
    for night in ("2026-02-03", "2026-02-10", "2026-07-08"):
        scored = people(800, seed=int(night[-2:]), older=OLDER[night[5:7]])
        project.write_parquet(f"production/dt={night}/part-0.parquet", scored.drop(columns="label"))
        project.write_parquet(f"labels/dt={night}/part-0.parquet", scored[["id", "label"]])
    return project


def run(project: Project, day: str, reference: str = HISTORY, **changes: Any) -> Night:
    places = {"production": "data/production/dt={date}/", "labels": "data/labels/dt={date}/"}
    project.write_monitor(snapshots={"reference": reference, **places}, **changes)
    night = project.night(day)
    steps.pull_snapshots(night)
    steps.validate_quality(night)
    steps.measure_drift(night)
    steps.measure_performance(night)
    steps.decide(night)
    return night


def test_a_night_is_held_against_the_same_month_of_the_year_before_with_suite_and_labels(seasons: Project) -> None:
    for day in ("2026-02-10", "2026-07-08"):
        night = run(seasons, day)
        drift, quality, performance = night.load(DriftResult), night.load(QualityResult), night.load(PerformanceResult)
        assert night.load(Decision).status == "healthy"
        assert "dt" not in {column.name for column in drift.columns}  # it says which day, and is no column
        assert drift.drift_share == 0
        assert quality.passed
        assert any(outcome.check for outcome in quality.outcomes)  # the checks against the reference, too
        assert performance.status == ("measured" if day == "2026-02-10" else "awaiting_labels")
    labelled = run(seasons, "2026-02-10").load(PerformanceResult)
    assert labelled.labelled_rows == 800
    assert labelled.reference["accuracy"] == pytest.approx(labelled.realised["accuracy"], abs=0.08)


def test_one_month_alone_would_call_the_season_a_drift(seasons: Project) -> None:
    assert run(seasons, "2026-02-10", "data/history/dt=2025-01-*/").load(Decision).status == "drifted"


def test_a_budget_of_alarms_has_nights_held_against_the_season_too(seasons: Project) -> None:
    night = run(seasons, "2026-07-08", drift={"alarms": {"per_nights": 30}})
    assert night.load(Decision).status == "healthy"
    assert night.load(DriftResult).alarms is not None


def test_init_takes_such_an_address(seasons: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(seasons.root)
    places = ["--production", "data/production/dt={date}/", "--labels", "data/labels/dt={date}/", "--champion", "no"]
    assert main(["init", "seasonal", "--reference", HISTORY, *places]) == 0
    assert f'reference: "{HISTORY}"' in (seasons.root / "monitors/seasonal.yaml").read_text()
    assert main(["check", "seasonal"]) == 0
