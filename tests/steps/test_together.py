"""Columns together, through the real steps: what a night keeps, tells and withstands."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.results import Decision, DriftResult, TogetherResult
from pipeline.steps import nightly
from pipeline.steps.night import Night
from tests.project import Project, people
from tests.steps.published import publish

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 5)
TOGETHER: dict[str, Any] = {"together": {"per_nights": 365}}


@pytest.fixture(autouse=True)
def _quick_drift_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")


def paired(rows: int, seed: int, correlation: float = 0.8) -> pd.DataFrame:
    """People whose income goes with their age as told."""
    frame = people(rows, seed)
    noise = np.random.default_rng(seed + 1_000).normal(size=rows)
    scaled = (frame["age"] - 40) / 10
    both = correlation * scaled + np.sqrt(1 - correlation**2) * noise
    return frame.assign(income=np.exp(10 + 0.5 * both))


def watched(project: Project, **drift: Any) -> Project:
    project.write_suite()
    project.write_monitor(drift=TOGETHER | drift)
    project.write_parquet("reference/part-0.parquet", paired(20_000, seed=0))
    return project


def run(project: Project, number: int, correlation: float = 0.8) -> Night:
    """The night so many days after the first, on data of its own."""
    return publish(project, FIRST + timedelta(number), paired(3_000, 100 + number, correlation))


def published(night: Night, name: str) -> str:
    return (Path(night.uri("index.html")).parent / name).read_text()


def test_a_pair_that_changed_is_named_on_the_page_in_the_mail_and_in_gauges_and_no_verdict_changes(
    project: Project,
) -> None:
    watched(project)
    project.write_monitor(drift=TOGETHER, notify={"email": ["team@example.com"]})
    night = run(project, 0, correlation=-0.8)
    found = night.read(TogetherResult)
    assert found is not None
    assert found.changed
    assert {"age", "income"} <= {name for one in found.pairs if one.changed for name in (one.first, one.second)}
    assert found.pairs[0].chance < 1 / 365
    assert night.load(DriftResult).drifted_columns == ()
    assert night.load(Decision).status == "healthy"
    assert not night.load(Decision).retrain
    page = published(night, "index.html")
    assert "Together and in pairs" in page
    assert "columns no longer go together as they did" in page
    assert "No column that has a part in it drifted by itself" in page
    assert "columns no longer go together as they did" in published(night, "summary.eml").replace("=\n", "")
    assert "model_monitor_together_changed 1.0" in published(night, "gauges.prom")


def test_quiet_nights_say_that_nothing_is_unusual_and_teach_the_next_ones(project: Project) -> None:
    watched(project)
    nights = [run(project, number) for number in range(3)]
    found = [night.read(TogetherResult) for night in nights]
    assert [one is not None and one.changed for one in found] == [False] * 3
    assert [one is not None and one.nights for one in found] == [0, 1, 2]
    assert "Columns go together as they did" in published(nights[-1], "index.html")


def test_a_night_that_is_run_again_keeps_the_same(project: Project) -> None:
    watched(project)
    before = [published(run(project, number), "together.json") for number in range(2)]
    assert [published(run(project, number), "together.json") for number in range(2)] == before


@pytest.mark.parametrize("alarms", [None, {"per_nights": 365}])
def test_thresholds_and_budgets_go_with_it_alike(project: Project, alarms: dict[str, Any] | None) -> None:
    watched(project, **({} if alarms is None else {"alarms": alarms}))
    found = run(project, 0, correlation=-0.8).read(TogetherResult)
    assert found is not None
    assert found.changed


def test_a_monitor_that_does_not_ask_keeps_nothing_and_says_nothing(project: Project) -> None:
    watched(project)
    run(project, 0, correlation=-0.8)
    project.write_monitor()
    night = run(project, 0, correlation=-0.8)
    assert night.read(TogetherResult) is None
    assert "Together and in pairs" not in published(night, "index.html")
    assert "together" not in published(night, "gauges.prom")


def test_a_fault_in_it_is_named_and_takes_nothing_else_down(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("made up")

    watched(project)
    monkeypatch.setattr("pipeline.checks.together.measure.measure", broken)
    night = run(project, 0)
    assert night.load(Decision).status == "healthy"
    assert night.load(DriftResult).evaluated > 0
    assert "Columns could not be looked at together" in published(night, "index.html")
    assert [failure.part for failure in nightly.broken_parts(night)] == ["together"]


def test_no_value_of_a_column_is_kept_only_names_and_numbers(project: Project) -> None:
    watched(project)
    night = run(project, 0, correlation=-0.8)
    text = published(night, "together.json")
    assert not any(city in text for city in ("Bern", "Graz", "Lyon"))


def with_lists(frame: pd.DataFrame, seed: int, moved: float = 0.0) -> pd.DataFrame:
    """Lists of eight numbers, one in a hundred missing."""
    source = np.random.default_rng(seed)
    rows = list(source.normal(size=(len(frame), 8)) + moved)
    return frame.assign(embedding=pd.Series([None if source.random() < 0.01 else row for row in rows], dtype=object))


@pytest.mark.parametrize("listed", [True, False])
def test_lists_of_numbers_are_looked_at_as_a_whole_and_are_no_part_of_the_share(project: Project, listed: bool) -> None:
    project.write_suite()
    kinds = {"numerical": ["age", "income", "embedding"]} if listed else {}
    project.write_monitor(drift=TOGETHER, columns={"id": "customer_id", **kinds})
    project.write_parquet("reference/part-0.parquet", with_lists(paired(5_000, seed=0), 0))
    nights = [
        publish(project, FIRST + timedelta(number), with_lists(paired(3_000, 100 + number), 7 + number, moved))
        for number, moved in enumerate((0.0, 0.5))
    ]
    found = [night.read(TogetherResult) for night in nights]
    assert [one is not None and one.changed for one in found] == [False, True]
    assert found[1] is not None
    assert [one.name for one in found[1].vectors if one.changed] == ["embedding"]
    assert [one.name for one in found[1].vectors] == ["embedding"]
    assert nights[1].load(Decision).status == "healthy"
    reasons = [item.reason for item in nights[1].load(DriftResult).columns if item.name == "embedding"]
    assert (
        reasons == ["the column holds lists of numbers, which are looked at as a whole under drift.together"] * listed
    )
    assert "embedding is no longer as it was: its mean moved" in published(nights[1], "index.html")
    assert 'model_monitor_lists_changed{column="embedding"' in published(nights[1], "gauges.prom")


def test_lists_that_are_ignored_are_not_looked_at_and_without_the_line_the_reason_names_it(project: Project) -> None:
    project.write_suite()
    project.write_parquet("reference/part-0.parquet", with_lists(paired(5_000, seed=0), 0))
    tonight = with_lists(paired(3_000, 100), 7)
    project.write_monitor(drift=TOGETHER, columns={"id": "customer_id", "ignore": ["embedding"]})
    found = publish(project, FIRST, tonight).read(TogetherResult)
    assert found is not None
    assert found.vectors == ()
    project.write_monitor(columns={"id": "customer_id", "numerical": ["age", "embedding"]})
    drift = publish(project, FIRST, tonight).load(DriftResult)
    reason = next(item.reason for item in drift.columns if item.name == "embedding")
    assert reason is not None
    assert reason.endswith("where the monitor file has drift: {together: {per_nights: 365}}")
