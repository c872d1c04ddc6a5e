"""A night end to end in one process, everything embedded: what is published, and that it is published once."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ExitCode, NightjarError, OutletUnavailable, ResultMissing, SnapshotMissing
from pipeline.results import Decision, DriftResult
from pipeline.steps import nightly as steps
from pipeline.steps import views
from pipeline.steps.night import Night
from pipeline.steps.walk import Outcome, exit_code, run_night
from tests.project import Project, people

pytestmark = pytest.mark.slow

PUBLISHED = {
    "snapshots.json",
    "quality.json",
    "drift.json",
    "profile.json",
    "performance.json",
    "decision.json",
    "history.json",
    "runs.json",
    "drift_report.html",
    "index.html",
    "gauges.prom",
    "night.json",
}


def silent(_: str) -> None:
    pass


def walk(night: Night) -> Outcome:
    return run_night(night, silent)


def files(project: Project, day: str = "2026-01-14") -> dict[str, bytes]:
    folder = project.store / "people" / day
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def runs(project: Project) -> list[Any]:
    import mlflow

    client = mlflow.MlflowClient(project.settings.embedded_mlflow_uri)
    experiment = client.get_experiment_by_name("monitoring/people")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def test_a_quiet_night_is_published_with_every_promised_file(project: Project) -> None:
    outcome = walk(project.complete())
    assert outcome.errors == ()
    assert outcome.decision is not None
    assert (outcome.decision.status, outcome.decision.retrain) == ("healthy", False)
    published = files(project)
    assert set(published) == PUBLISHED
    drift = json.loads(published["drift.json"])
    assert {"drift_share", "limit", "drifted", "columns"} <= drift.keys()
    column = drift["columns"][0]
    assert {"name", "kind", "method", "score", "threshold", "drifted", "status"} <= column.keys()
    decision = json.loads(published["decision.json"])
    assert {"status", "retrain", "reason"} <= decision.keys()


def test_the_same_night_twice_gives_the_same_files_and_one_run(project: Project) -> None:
    night = project.complete(drifted=True, notify={"email": ["team@example.com"]})
    walk(night)
    first = files(project)
    assert walk(night).errors == ()
    assert files(project) == first
    assert "summary.eml" in first
    assert len(runs(project)) == 1


def test_a_drifted_night_asks_for_retraining(project: Project) -> None:
    project.write_labels()
    outcome = walk(project.complete(drifted=True))
    assert outcome.decision is not None
    assert (outcome.decision.status, outcome.decision.retrain) == ("drifted", True)
    assert exit_code([outcome], strict=False) == 0
    assert exit_code([outcome], strict=True) == 6


def test_a_drifted_night_without_labels_to_learn_from_is_held(project: Project) -> None:
    outcome = walk(project.complete(drifted=True))
    assert outcome.decision is not None
    assert (outcome.decision.status, outcome.decision.retrain) == ("drifted", False)
    assert outcome.decision.hold == "too_few_labels"


def test_a_backfilled_night_never_asks_for_retraining_unless_told_to(project: Project) -> None:
    project.write_labels()
    outcome = run_night(project.complete(drifted=True), silent, backfill=True)
    assert outcome.decision is not None
    assert (outcome.decision.retrain, outcome.decision.hold) == (False, "backfill")


def test_broken_data_is_published_then_fails_and_asks_for_nothing(project: Project) -> None:
    night = project.complete(drifted=True)
    broken = people(1_500, 1, older=30)
    broken.loc[0, "id"] = None
    project.write_parquet("production/dt=2026-01-14/part-0.parquet", broken)
    outcome = walk(night)
    assert [type(error).__name__ for error in outcome.errors] == ["QualityGateFailed"]
    assert "id has no missing values" in str(outcome.errors[0])
    assert set(files(project)) == PUBLISHED
    assert outcome.decision is not None
    assert (outcome.decision.status, outcome.decision.retrain) == ("data_broken", False)
    assert exit_code([outcome], strict=True) == 4


def test_performance_is_measured_on_the_newest_day_with_labels(project: Project) -> None:
    night = project.complete()
    project.write_parquet("production/dt=2026-01-07/part-0.parquet", people(500, 5))
    project.write_parquet("labels/dt=2026-01-07/part-0.parquet", people(500, 5)[["id", "label"]].head(400))
    walk(night)
    found = json.loads(files(project)["performance.json"])
    assert (found["status"], found["labels_date"], found["labelled_rows"]) == ("measured", "2026-01-07", 400)
    assert 0.5 < found["realised"]["roc_auc"] < 1
    assert found["reference"].keys() == found["realised"].keys()


def test_a_missing_snapshot_ends_the_night_with_exit_code_3(project: Project) -> None:
    project.complete()
    outcome = walk(project.night("2026-01-15"))
    assert outcome.decision is None
    assert isinstance(outcome.errors[0], SnapshotMissing)
    assert "dt=2026-01-15" in str(outcome.errors[0])
    assert exit_code([outcome], strict=False) == 3
    assert not (project.store / "people" / "2026-01-15").exists()


def test_one_outlet_down_does_not_stop_the_others(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.publish.gauges import night as gauges

    def refused(*_: object, **__: object) -> None:
        raise OutletUnavailable("http://127.0.0.1:9: no answer")

    monkeypatch.setenv("PIPELINE_PUSHGATEWAY_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(gauges, "push", refused)
    monkeypatch.setattr(gauges, "push_failure", refused)
    outcome = walk(project.complete())
    # The night's gauges, those of its champion, and that this failed.
    assert [type(error) for error in outcome.errors] == [OutletUnavailable] * 3
    assert len(runs(project)) == 1
    assert exit_code([outcome], strict=False) == 5


def test_results_of_other_snapshots_are_never_mixed(project: Project) -> None:
    night = project.complete()
    steps.pull_snapshots(night)
    steps.validate_quality(night)
    steps.measure_drift(night)
    steps.measure_performance(night)
    project.write_parquet("production/dt=2026-01-14/part-0.parquet", people(1_000, 9))
    steps.pull_snapshots(night)
    with pytest.raises(ResultMissing, match="run the night again from pull_snapshots"):
        steps.decide(night)


def test_a_step_can_run_again_on_its_own(project: Project) -> None:
    night = project.complete()
    walk(night)
    again = steps.measure_drift(night)
    assert again == night.store.load("people", night.run_date, "drift", DriftResult)
    steps.decide(night)
    assert night.store.load("people", night.run_date, "decision", Decision).status == "healthy"


def test_a_night_knows_those_before_it_and_the_next_one(project: Project) -> None:
    for day in ("2026-01-12", "2026-01-13", "2026-01-14", "2026-01-15"):
        walk(project.complete(day))
    view = views.measured_night(project.night("2026-01-13"))
    assert [past.run_date for past in view.history] == [date(2026, 1, 12), date(2026, 1, 14)]
    assert [past.run_date for past in view.before] == [date(2026, 1, 12)]


def failing(code: ExitCode) -> NightjarError:
    error: NightjarError = type("Failing", (NightjarError,), {"exit_code": code})("broken")
    return error


@pytest.mark.parametrize(
    ("codes", "status", "strict", "expected"),
    [
        ([], "healthy", False, 0),
        ([], "drifted", False, 0),
        ([], "drifted", True, 6),
        ([], "healthy", True, 0),
        ([], "too_few_rows", True, 0),
        ([ExitCode.OUTLET], "drifted", True, 5),
        ([ExitCode.OUTLET, ExitCode.QUALITY], "data_broken", False, 4),
        ([ExitCode.SNAPSHOT], None, True, 3),
        ([ExitCode.OUTLET, ExitCode.SNAPSHOT, ExitCode.QUALITY, ExitCode.USAGE], None, False, 2),
    ],
)
def test_exit_codes(codes: list[ExitCode], status: Any, strict: bool, expected: int) -> None:
    decision = None if status is None else Decision(snapshots="s", status=status, retrain=False, reason="")
    night: Any = None
    assert exit_code([Outcome(night, decision, tuple(map(failing, codes)))], strict) == expected


def test_the_walk_leaves_nothing_in_the_current_folder(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = project.complete()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    walk(night)
    assert list(elsewhere.iterdir()) == []
