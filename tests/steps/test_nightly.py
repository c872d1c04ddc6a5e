"""Single steps of a night, on files of a project."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.results import PerformanceResult
from pipeline.steps import nightly as steps
from tests.project import Project, people


def counted(rows: int, seed: int) -> pd.DataFrame:
    """People whose label is a count, of which the model knows all but two."""
    found = people(rows, seed)
    found["label"] = [row % 70 for row in range(rows)]
    found["prediction"] = found["label"] + 2.0
    return found


def measured(project: Project, labelled: int, task: str) -> PerformanceResult:
    """Performance of a night with so many labelled rows, of a monitor whose `task` says this."""
    night = project.complete(retrain={"task": task})
    night_before = counted(40, 5)
    project.write_parquet("reference/part-0.parquet", counted(200, 0))
    project.write_parquet("production/dt=2026-01-07/part-0.parquet", night_before)
    project.write_parquet("labels/dt=2026-01-07/part-0.parquet", night_before[["id", "label"]].head(labelled))
    steps.pull_snapshots(night)
    return steps.measure_performance(night)


@pytest.mark.parametrize("labelled", [1, 12, 40])
def test_whole_number_targets_are_measured_as_numbers_on_a_night_of_any_size(labelled: int, project: Project) -> None:
    found = measured(project, labelled, "auto")
    assert (found.status, found.labelled_rows) == ("measured", labelled)
    assert found.realised["mean_absolute_error"] == found.reference["mean_absolute_error"] == 2.0
    assert ("r2" in found.realised) == (labelled > 1)


def test_the_task_of_the_monitor_counts_for_nights_too(project: Project) -> None:
    assert set(measured(project, 40, "classification").realised) == {"accuracy"}
