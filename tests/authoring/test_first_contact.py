"""Four public-shaped data sets from `init` through `check` to a night, with nobody at the terminal."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from pipeline.cli import main
from pipeline.results import Decision, PerformanceResult, QualityResult
from tests.authoring.shapes import BIKES, CREDIT, ORDERS, SHAPES, SURVEY, Shape, day_of
from tests.project import Project

NIGHTS = 7


def begin(project: Project, monkeypatch: pytest.MonkeyPatch, shape: Shape, *flags: str) -> dict[str, Any]:
    monkeypatch.chdir(project.root)
    shape.write(project, range(NIGHTS))
    assert main(["init", shape.name, *shape.addresses(), *flags]) == 0
    read: dict[str, Any] = yaml.safe_load((project.root / f"monitors/{shape.name}.yaml").read_text())
    return read


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_first_night_of_quiet_data_fails_nothing_and_asks_for_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, shape: Shape
) -> None:
    written = begin(project, monkeypatch, shape, "--champion", "no")
    assert main(["check", shape.name]) == 0
    day = str(day_of(NIGHTS - 1))
    assert main(["run", shape.name, "--date", day]) == 0
    night = project.night(day, shape.name)
    quality, decision, performance = (night.read(kind) for kind in (QualityResult, Decision, PerformanceResult))
    assert [item.sentence for item in quality.failures] == []  # type: ignore[union-attr]
    assert (decision.retrain, decision.hold) in ((False, None), (False, "too_few_rows"))  # type: ignore[union-attr]
    measured = performance.status  # type: ignore[union-attr]
    assert measured == ("not_configured" if shape is SURVEY else "measured")
    assert written["columns"].get("label") == shape.label


def test_what_is_left_out_is_said_with_its_reason(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = begin(project, monkeypatch, BIKES, "--alarms", "-")
    said = capsys.readouterr().out
    text = (project.root / "monitors/bikes.yaml").read_text()
    assert "  left out      dteday: moves with the night by nature" in said
    assert "mnth: one value on each night, of several in the reference" in said
    assert "  # one value on each night, of several in the reference" in text
    assert "freshness: {column: dteday}" in text
    assert written["task"] == "regression"
    assert "fewer than min_rows" in said


def test_task_positive_class_and_scores_are_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    credit = begin(project, monkeypatch, CREDIT)
    assert (credit["task"], credit["columns"]["positive"]) == ("classification", "bad")
    assert credit["snapshots"]["reference"] == "champion"
    assert credit["quality"]["checks"]["freshness"] == {"column": False}
    orders = begin(project, monkeypatch, ORDERS, "--alarms", "-")
    assert orders["columns"]["scores"] == {"high": "prob_high", "low": "prob_low", "mid": "prob_mid"}
    assert orders["quality"]["checks"]["freshness"] == {"column": "scored_at"}
    assert orders["retrain"]["min_rows"] >= 200


def test_a_score_that_points_the_other_way_is_questioned(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    turned = CREDIT.reference().assign(outcome=lambda frame: (frame["outcome"] == "good").astype(int))
    monkeypatch.chdir(project.root)
    project.write_parquet("reference/part-0.parquet", turned)
    assert main(["init", "turned", "--reference", "data/reference", "--production", "data/p/dt={date}/"]) == 0
    said = capsys.readouterr().out
    assert "note: score is lower where the label is 1 (ROC AUC 0.2" in said
    assert "is it the probability of 0?" in said
    assert yaml.safe_load((project.root / "monitors/turned.yaml").read_text())["columns"]["positive"] == 0
