"""The night's record in MLflow: names as plain values, then a real database and a real server."""

from __future__ import annotations

import math
import os
import posixpath
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.drift_policy import DriftPolicy
from pipeline.errors import OutletRefused, OutletUnavailable
from pipeline.publish.facts.night import NightView
from pipeline.publish.mlflow_run import MAX_METRIC_NAME, log_night, metric_name, metrics, parameters, tags
from pipeline.storage import mlflow_client as mlflow_store
from tests.publish import budgets, samples
from tests.publish.performances import VIEWS

ROOT = Path(__file__).parents[2]
FILES = {"drift_report.html": b"<!DOCTYPE html>", "drift.json": b"{}\n"}
slow = pytest.mark.slow


# --- names and numbers


@given(st.text(max_size=60), st.text(max_size=60))
def test_metric_names_are_allowed_and_differ_as_the_columns_do(one: str, other: str) -> None:
    first, second = metric_name("score/", one), metric_name("score/", other)
    assert re.fullmatch(r"[/\w.\- :]+", first, re.ASCII)
    assert posixpath.normpath(first) == first.rstrip(" ") == first
    assert len(first) <= MAX_METRIC_NAME
    assert (first == second) == (one == other)


@given(st.text(alphabet=st.characters(codec="utf-8", max_codepoint=0x7F), min_size=1, max_size=70))
def test_metric_names_can_be_read_back(name: str) -> None:
    assert unquote(metric_name("", name).replace(":", "%")) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("age", "score/age"),
        ("user.age in years", "score/user.age in years"),
        ("a/b", "score/a:2Fb"),
        ("a:b", "score/a:3Ab"),
        ("größe", "score/gr:C3:B6:C3:9Fe"),
        ("<b>", "score/:3Cb:3E"),
        ("..", "score/:2E:2E"),
        ("", "score/:"),
        (" ", "score/:20"),
        ("a ", "score/a:20"),
    ],
)
def test_plain_names_stay_readable(name: str, expected: str) -> None:
    assert metric_name("score/", name) == expected


def test_long_names_that_differ_at_their_end_stay_different() -> None:
    first, second = metric_name("score/", "x" * 10_000 + "1"), metric_name("score/", "x" * 10_000 + "2")
    assert first != second
    assert len(first) == len(second) == MAX_METRIC_NAME


def test_every_number_of_the_night_is_a_metric() -> None:
    found = metrics(replace(samples.view(), drift=samples.drift(18, 9, not_evaluable=2)))
    assert (found["drift_share"], found["columns_compared"], found["columns_not_evaluable"]) == (0.5, 18, 2)
    assert (found["rows/reference"], found["rows/production"], found["rows/labelled"]) == (20_000, 3_412, 3_287)
    assert (found["quality/failed_warning"], found["quality/passed_share"]) == (1, 0.9)
    assert (found["performance/roc_auc"], found["reference/roc_auc"]) == (0.8047, 0.8634)
    assert found["score/age"] == pytest.approx(0.12)
    assert sum(name.startswith("score/") for name in found) == 18


def test_performance_comes_with_intervals_estimate_verdict_and_coverage() -> None:
    view = VIEWS["degraded"]
    found = metrics(view)
    assert found["performance_low/roc_auc"] < found["performance/roc_auc"] < found["performance_high/roc_auc"]
    assert found["reference_low/accuracy"] < found["reference/accuracy"]
    assert found["estimated_low/roc_auc"] < found["estimated/roc_auc"] == 0.8512
    assert found["performance_nights_30/roc_auc"] == 0.7334
    assert found["performance_nights_30_low/roc_auc"] < 0.7334 < found["performance_nights_30_high/roc_auc"]
    assert (found["judged"], found["judged_limit"], found["judged_reference"]) == (0.4712, 0.8134, 0.8634)
    assert (found["degraded"], found["breaches"], found["estimator_withdrawn"]) == (1.0, 2.0, 0.0)
    assert found["label_coverage"] == 0.963
    known = tags(view)
    assert (known["status"], known["causes"], known["performance_verdict"]) == ("degraded", "degraded", "degraded")
    assert (known["performance_metric"], known["performance_basis"]) == ("roc_auc", "realised")
    assert known["performance_sentence"].startswith("The model is worse than it may be")
    assert all(re.fullmatch(r"[\w\-. /:]+", name) for name in found)
    assert not {"degraded", "judged"} & metrics(samples.view()).keys()
    assert "performance_verdict" not in tags(samples.view())


def test_where_importances_decide_the_run_has_them_and_the_share_they_give() -> None:
    view = replace(samples.view(), drift=samples.weighed())
    found = metrics(view)
    assert found["drift_share"] == 0.2
    assert found["weighted_drift_share"] == pytest.approx(0.44)
    assert found["decisive_drift_share"] == found["weighted_drift_share"]
    assert found["importance/age"] == 0.37
    assert tags(view)["drift_decided_by"] == "importance"
    known_only = metrics(replace(view, drift=samples.weighed(decisive="columns")))
    assert known_only["decisive_drift_share"] == known_only["drift_share"] == 0.2
    assert "weighted_drift_share" not in metrics(samples.view())


def test_a_night_on_a_budget_has_its_chance_and_what_it_was_held_against() -> None:
    view = budgets.VIEWS["budget"]
    policy = {"per_nights": 365, "window": 7, "against": ["reference", {"trailing": 28}]}
    drift = DriftPolicy.model_validate({"alarms": policy})
    asked = replace(view, monitor=view.monitor.model_copy(update={"drift": drift}))
    assert metrics(asked)["drift.chance"] == pytest.approx(1 / 4_023)
    said = "1 in 365 nights, window 7, against the reference and the quiet nights of the last 28 days"
    assert parameters(asked)["drift_alarms"] == said
    assert tags(budgets.VIEWS["few-rows"])["status"] == "too_few_rows"
    assert "drift.chance" not in metrics(budgets.VIEWS["by-chance"])


def test_parameters_are_what_the_monitor_file_asks_for() -> None:
    assert parameters(samples.view()) == {
        "drift_limit": "0.3",
        "drift_share_by": "columns",
        "drift_critical": "none",
        "quality_suite": "churn",
        "numerical_method": "auto",
        "categorical_method": "auto",
        "column_methods": '{"age": {"method": "psi", "threshold": 0.2}}',
        "label_delay_days": "7",
        "label_window_days": "30",
        "performance_main": "auto",
        "performance_floors": "none",
        "performance_max_drop": "auto",
        "performance_trend_nights": "10",
        "performance_on": "realised, estimated",
    }


def test_tags_carry_the_decision_and_whole_digests() -> None:
    view = samples.view()
    found = tags(view)
    assert (found["monitor_key"], found["status"], found["retrain"]) == ("churn/2026-01-14", "drifted", "true")
    assert found["snapshot.production"] == view.pair.production.digest
    assert found["methods_used"] == "chisquare 1, jensenshannon 5, ks 2, wasserstein 10"


# --- a real database and a real server


@pytest.fixture(params=["sqlite", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A tracking URI of either kind."""
    if request.param == "server":
        return str(request.getfixturevalue("mlflow_server"))
    return f"sqlite:///{tmp_path / 'var' / 'mlflow.db'}"


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A monitor of the test's own, since all tests share one server."""
    return re.sub(r"[^a-z0-9]+", "-", str(request.node.name).lower())[:60].strip("-")


def recorded(uri: str, run_id: str) -> Any:
    with mlflow_store.open_store(uri) as client:
        return client.get_run(run_id)


def runs_of(uri: str, name: str) -> list[str]:
    with mlflow_store.open_store(uri) as client:
        experiment = client.get_experiment_by_name(f"monitoring/{name}")
        query = f"tags.monitor_key = '{name}/2026-01-14'"
        return [run.info.run_id for run in client.search_runs([experiment.experiment_id], query)]


def points(uri: str, run_id: str, metric: str) -> list[float]:
    with mlflow_store.open_store(uri) as client:
        return [point.value for point in client.get_metric_history(run_id, metric)]


def with_drift_share(view: NightView, share: float) -> NightView:
    return replace(view, drift=view.drift.model_copy(update={"drift_share": share}))


@slow
def test_a_night_is_one_finished_run_with_everything_in_it(store: str, name: str) -> None:
    view = samples.view(name)
    run_id = log_night(view, FILES, store)
    run = recorded(store, run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "2026-01-14")
    assert run.data.metrics == metrics(view)
    assert run.data.params == parameters(view)
    assert tags(view).items() <= run.data.tags.items()
    inputs = {item.dataset.name: item for item in run.inputs.dataset_inputs}
    assert inputs["production"].dataset.digest == view.pair.production.digest[:32]
    assert inputs["production"].tags[0].value == "production"
    assert inputs.keys() == {"reference", "production"}
    with mlflow_store.open_store(store) as client:
        assert sorted(item.path for item in client.list_artifacts(run_id)) == sorted(FILES)
        assert Path(client.download_artifacts(run_id, "drift.json")).read_bytes() == FILES["drift.json"]


@slow
def test_the_same_night_again_changes_nothing(store: str, name: str) -> None:
    view = samples.view(name)
    run_id = log_night(view, FILES, store)
    before = recorded(store, run_id)
    assert log_night(view, FILES, store) == run_id
    after = recorded(store, run_id)
    assert runs_of(store, name) == [run_id]
    assert points(store, run_id, "drift_share") == [0.5]
    assert len(after.inputs.dataset_inputs) == 2
    assert (after.data.to_dictionary(), after.info.status) == (before.data.to_dictionary(), "FINISHED")


@slow
def test_corrected_numbers_are_shown_whether_they_rose_or_fell(store: str, name: str) -> None:
    view = samples.view(name)
    run_id = log_night(view, FILES, store)
    for share in (0.25, 0.75, 0.125):
        assert log_night(with_drift_share(view, share), FILES, store) == run_id
        assert recorded(store, run_id).data.metrics["drift_share"] == share
    assert points(store, run_id, "score/country") == [pytest.approx(0.2856, abs=0.001)]


@slow
def test_a_score_that_is_gone_does_not_linger(store: str, name: str) -> None:
    view = samples.view(name)
    run_id = log_night(view, FILES, store)
    fewer = replace(view, drift=view.drift.model_copy(update={"columns": view.drift.columns[1:]}))
    for _ in range(2):
        log_night(fewer, FILES, store)
        assert math.isnan(recorded(store, run_id).data.metrics["score/age"])
    assert len(points(store, run_id, "score/age")) == 2
    log_night(view, FILES, store)
    assert recorded(store, run_id).data.metrics == metrics(view)


@slow
def test_a_changed_parameter_is_a_tag_until_it_is_changed_back(
    store: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    view = samples.view(name)
    stricter = replace(view, drift=view.drift.model_copy(update={"limit": 0.1}))
    run_id = log_night(view, FILES, store)
    assert log_night(stricter, FILES, store) == run_id
    run = recorded(store, run_id)
    assert (run.data.params["drift_limit"], run.data.tags["changed.drift_limit"]) == ("0.3", "0.1")
    assert "MLflow keeps drift_limit=0.3" in caplog.text
    log_night(view, FILES, store)
    assert "changed.drift_limit" not in recorded(store, run_id).data.tags


@slow
def test_other_data_on_a_rerun_is_named_by_the_tags(store: str, name: str) -> None:
    view = samples.view(name)
    run_id = log_night(view, FILES, store)
    repaired = replace(view, pair=samples.pair(production="repaired"))
    assert log_night(repaired, FILES, store) == run_id
    run = recorded(store, run_id)
    assert run.data.tags["snapshot.production"] == repaired.pair.production.digest
    digests = {item.dataset.digest for item in run.inputs.dataset_inputs if item.dataset.name == "production"}
    assert repaired.pair.production.digest[:32] in digests


@slow
def test_a_deleted_run_stays_deleted_and_a_new_one_is_made(store: str, name: str) -> None:
    view = samples.view(name)
    first = log_night(view, FILES, store)
    with mlflow_store.open_store(store) as client:
        client.delete_run(first)
    second = log_night(view, FILES, store)
    assert second != first
    assert runs_of(store, name) == [second]
    assert recorded(store, first).info.lifecycle_stage == "deleted"


@slow
def test_of_two_runs_the_oldest_is_taken_and_the_log_says_so(
    store: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    view = samples.view(name)
    first = log_night(view, FILES, store)
    with mlflow_store.open_store(store) as client:
        experiment = client.get_run(first).info.experiment_id
        client.create_run(experiment, tags={"monitor_key": f"{name}/2026-01-14"})
    assert log_night(view, FILES, store) == first
    assert f"2 MLflow runs have the tag monitor_key={name}/2026-01-14" in caplog.text


@slow
def test_a_deleted_experiment_is_not_brought_back_behind_its_owners_back(store: str, name: str) -> None:
    view = samples.view(name)
    log_night(view, FILES, store)
    with mlflow_store.open_store(store) as client:
        experiment = client.get_experiment_by_name(f"monitoring/{name}").experiment_id
        client.delete_experiment(experiment)
    with pytest.raises(OutletRefused, match=f"mlflow experiments restore --experiment-id {experiment}"):
        log_night(view, FILES, store)


@slow
def test_thousands_of_columns_with_any_name_are_recorded(store: str, name: str) -> None:
    odd = ("</script>", "x" * 10_000, "größe", "..", "a b", "a:b", "\x00")
    columns = [samples.column(position, drifted=False) for position in range(2_500)]
    columns += [samples.column(position, drifted=True, name=text) for position, text in enumerate(odd)]
    view = samples.view(name)
    wide = replace(view, drift=view.drift.model_copy(update={"columns": tuple(columns)}))
    run = recorded(store, log_night(wide, FILES, store))
    assert sum(metric.startswith("score/") for metric in run.data.metrics) == 2_507
    assert run.data.metrics == metrics(wide)


# --- the embedded database


@slow
def test_files_of_an_embedded_store_lie_beside_its_database(tmp_path: Path) -> None:
    log_night(samples.view(), FILES, f"sqlite:///{tmp_path}/with space/mlflow.db")
    found = sorted(path.relative_to(tmp_path / "with space") for path in tmp_path.rglob("drift*"))
    assert [str(path) for path in found if path.parts[:3] == ("mlflow-artifacts", "monitoring", "churn")] == [
        str(path) for path in found
    ]
    assert len(found) == 2


@slow
def test_two_processes_can_use_an_embedded_store_for_the_first_time_at_once(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    code = (
        "import sys; from tests.publish import samples; from pipeline.publish.mlflow_run import log_night; "
        "print(log_night(samples.view(), {'drift.json': b'{}'}, sys.argv[1]))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, uri],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=240) for process in started]
    assert [process.returncode for process in started] == [0, 0], ended
    assert [noise for _, noise in ended] == ["", ""]
    assert {ids for ids, _ in ended} == {runs_of(uri, "churn")[0] + "\n"}


@slow
def test_a_database_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutletUnavailable, match=r"sqlite:///.*/file/mlflow.db.*check that the folder is there"):
        log_night(samples.view(), FILES, f"sqlite:///{tmp_path}/file/mlflow.db")


class Killed(BaseException):
    """As a kill: nothing catches it."""


@slow
def test_metrics_that_never_came_count_as_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.publish.mlflow_run._batches", killed)
        with pytest.raises(Killed):
            log_night(samples.view(), FILES, uri)
    run_id = log_night(samples.view(), FILES, uri)
    assert recorded(uri, run_id).data.tags["nightjar.revision"] == "0"
