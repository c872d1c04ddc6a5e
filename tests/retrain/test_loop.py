"""The whole loop on small data: real trainers, a real registry, a real store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.errors import (
    ConfigError,
    ModelTampered,
    OutletUnavailable,
    QualityGateFailed,
    SnapshotChanged,
    TrainingFailed,
)
from pipeline.results import DriftResult, RetrainResult
from pipeline.retrain import challenge
from pipeline.retrain.champion import conclusion
from pipeline.retrain.champion.registry import Registry, Version
from pipeline.snapshots import Cache
from pipeline.steps import nightly as steps
from pipeline.steps import retraining as retrain_steps
from pipeline.steps import standing
from pipeline.steps.night import Night
from pipeline.steps.walk import run_night
from tests.retrain.world import World, is_gone, people, retrained, wait_for
from tests.servers.processes import free_port
from tests.servers.s3 import S3
from tests.servers.webhook import Webhook

pytestmark = pytest.mark.slow

QUICK = "tests.retrain.trainers:quick"
NOW = datetime(2026, 1, 20, 9, tzinfo=UTC)


def retrain(world: World, number: int, force: bool = False) -> RetrainResult:
    return retrain_steps.retrain(world.night(number), "tested", force)


def cache_of(night: Night) -> Cache:
    return Cache(night.settings.cache_dir, night.settings.cache_max_bytes)


def drift(night: Night) -> DriftResult:
    """The night against the reference that its monitor has now, by the steps of a night."""
    steps.pull_snapshots(night)
    return steps.measure_drift(night)


def aliases(tracking_uri: str) -> dict[str, str]:
    registry = Registry("people", tracking_uri)
    found = {name: registry.at(name) for name in ("champion", "challenger", "previous")}
    return {name: version.number for name, version in found.items() if version is not None}


def version(tracking_uri: str, number: str) -> Version:
    found = Registry("people", tracking_uri).version(number)
    assert found is not None
    return found


def model_file(tracking_uri: str, number: str) -> Path:
    """The serialised model of a version, where an embedded registry keeps it."""
    source = version(tracking_uri, number).source
    return Path(source.removeprefix("file://")) / "model.skops"


def never_train(monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(*_: Any) -> Any:
        raise AssertionError("trained a second time")

    monkeypatch.setattr(challenge, "run_trial", trained)


def test_a_drifted_population_is_learnt_and_does_not_fire_again(world: World, tracking_uri: str) -> None:
    world.write_nights(0, 0, 0)
    first = retrain(world, 4)
    for number in range(4, 10):
        world.write_night(number, abroad=0.9)
    before = drift(world.night(9))
    second = retrain(world, 9)

    assert first.status == "promoted", first.words
    assert before.drifted
    assert second.status == "promoted", second.words
    assert second.evaluation is not None
    assert second.evaluation.against == "version"
    assert second.evaluation.main is not None
    assert (second.evaluation.main.low or 0) > 0
    assert aliases(tracking_uri) == {"champion": "2", "previous": "1"}

    for number in (10, 11, 12):  # from now on the new champion scores, and the world stays as it is
        world.write_night(number, abroad=0.9, score=partial(retrain_steps.score, world.night(number)))
        after = drift(world.night(number))
        assert not after.drifted, [column.name for column in after.drifted_columns]

    change = retrain_steps.rollback(world.night(12), NOW)

    assert (change.version, change.previous_version) == ("1", "2")
    assert drift(world.night(9)) == before
    with pytest.raises(ConfigError, match="version 1 is the first champion"):
        retrain_steps.rollback(world.night(12), NOW)


def test_the_training_set_is_kept_as_it_was(world: World, tracking_uri: str) -> None:
    world.write_nights(0, 0, 0)
    result = retrain(world, 4)
    assert result.counts is not None
    assert result.lineage is not None
    counts, path = result.counts, Path(result.lineage.training_uri)
    kept = pd.read_parquet(path)
    production = pq.read_schema(world.project.root / "data/production/dt=2026-01-01/part-0.parquet")
    newest = pd.read_parquet(world.project.root / "data/production/dt=2026-01-03/part-0.parquet")

    assert path.parent == world.store.with_name("store-archive") / "people"
    assert path.stem == result.lineage.training_sha256
    assert path.stat().st_mode & 0o222 == 0
    assert (counts.labelled_rows, counts.reference_rows) == (1200, 800)
    assert (counts.holdout_rows, counts.training_rows) == (240, 1760) == (2000 - len(kept), len(kept))
    assert pq.read_schema(path).remove(len(production)).equals(production.remove_metadata())
    assert not set(newest["id"].tail(240)) & set(kept["id"])  # the newest rows were held out
    assert set(newest["id"].head(160)) <= set(kept["id"])
    tags = version(tracking_uri, "1").tags
    assert tags["retrain_key"] == "people/2026-01-04"
    assert (tags["monitor"], tags["run_date"], tags["reason"]) == ("people", "2026-01-04", "tested")
    assert (tags["training_uri"], tags["training_sha256"]) == (str(path), result.lineage.training_sha256)


def test_a_date_is_trained_once_unless_forced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write_monitor(trainer=QUICK)
    world.write_nights(0, 0)
    first = retrain(world, 3)
    with monkeypatch.context() as patch:
        never_train(patch)
        assert retrain(world, 3) == first == retrained(world.night(3))
    forced = retrain(world, 3, force=True)

    assert forced.lineage is not None
    assert forced.lineage.version == "2"


def test_broken_data_is_not_trained_on(world: World, tracking_uri: str) -> None:
    world.write_nights(0, 0)
    for number in (1, 2):
        world.spoil_night(number)

    result = retrain(world, 3)

    assert result.status == "quality_failed"
    assert [item.why for item in result.counts.left_out if item.run_date.year == 2026] == ["quality_failed"] * 2  # type: ignore[union-attr]
    assert aliases(tracking_uri) == {}
    with pytest.raises(QualityGateFailed):
        retrain_steps.require_sound(result)


def test_a_broken_night_is_left_out_and_the_others_are_learnt_from(world: World) -> None:
    world.write_monitor(trainer=QUICK)
    world.write_nights(0, 0, 0)
    world.spoil_night(2)

    result = retrain(world, 4)

    assert result.status == "promoted", result.words
    assert result.counts is not None
    assert result.counts.nights == 2
    assert [item.run_date.day for item in result.counts.left_out if item.why == "quality_failed"] == [2]


def test_a_broken_reference_is_not_trained_on(world: World) -> None:
    world.write_nights(0, 0)
    path = world.project.root / "data/reference/part-1.parquet"
    pd.read_parquet(path).assign(age=500.0).to_parquet(path)

    result = retrain(world, 3)

    assert result.status == "quality_failed"
    assert "age lies between 0 and 120" in result.verdict


def test_without_labels_nothing_is_trained(world: World, tracking_uri: str) -> None:
    for number in (1, 2):
        world.write_night(number, labels=False)
    none = retrain(world, 3)
    world.write_night(3, rows=60)
    few = retrain(world, 4)

    assert none.status == "no_labels"
    assert none.counts is not None
    assert none.counts.unlabelled_rows == 800
    assert few.status == "too_few_labels"
    assert "60 labelled rows" in few.verdict
    assert aliases(tracking_uri) == {}
    retrain_steps.require_sound(few)


def test_a_retraining_keeps_the_reason_of_its_night_s_decision(world: World) -> None:
    world.write_night(1, labels=False)
    before = retrain(world, 1)
    night = run_night(world.night(1), lambda _: None)
    after = retrain(world, 1)

    assert before.night_reason is None
    assert night.decision is not None
    assert (after.reason, after.night_reason) == ("tested", night.decision.reason)


def test_a_worse_challenger_leaves_everything_as_it_was(world: World, tracking_uri: str) -> None:
    world.write_monitor(trainer=QUICK)
    world.write_nights(0, 0, 0)
    retrain(world, 3)
    before = standing.reference(world.night(5), cache_of(world.night(5)))
    world.write_monitor(trainer="tests.retrain.trainers:ignorant", segments=["city"])

    result = retrain(world, 4)

    assert result.status == "rejected"
    assert result.verdict.startswith("the champion stays: ROC AUC 0.500 against 0.8")
    assert aliases(tracking_uri) == {"champion": "1"}
    assert standing.reference(world.night(5), cache_of(world.night(5))) == before
    assert result.evaluation is not None
    assert {item.value for item in result.evaluation.segments} == {"Bern", "Graz", "Lyon"}
    retrain_steps.require_sound(result)


def test_a_proposed_model_waits_for_a_person(world: World, tracking_uri: str) -> None:
    world.write_monitor(trainer=QUICK, mode="propose")
    world.write_nights(0, 0)

    proposed = retrain(world, 3)

    assert proposed.status == "proposed"
    assert aliases(tracking_uri) == {"challenger": "1"}
    assert retrain_steps.promote(world.night(3), "1", NOW).words == "people: promoted: version 1 is champion"
    assert aliases(tracking_uri) == {"champion": "1"}
    assert retrain(world, 3).since == "promoted by hand"


def test_a_trainer_that_raises_is_named_without_its_data(world: World, tracking_uri: str) -> None:
    world.write_monitor(trainer="tests.retrain.trainers:raising")
    world.write_nights(0, 0)

    result = retrain(world, 3)

    assert result.status == "failed"
    assert result.verdict.startswith("ValueError at trainers.py:")
    assert "secret" not in result.to_json().decode()
    assert aliases(tracking_uri) == {}
    with pytest.raises(TrainingFailed):
        retrain_steps.require_sound(result)


def test_a_trainer_that_never_ends_is_stopped(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINER_ENDLESS_PIDS", str(tmp_path / "pids"))
    world.write_monitor(trainer="tests.retrain.trainers:endless", time_limit_minutes=0.2)
    world.write_nights(0, 0)

    result = retrain(world, 3)

    assert result.status == "failed"
    assert result.verdict == "stopped after 0.2 minutes, retrain.time_limit_minutes of the monitor file"
    for pid in (tmp_path / "pids").read_text().split():
        assert is_gone(int(pid)), pid


def test_a_pickle_is_used_only_where_the_monitor_says_so(world: World, tracking_uri: str) -> None:
    world.write_monitor(trainer="tests.retrain.trainers:own", allow_pickle=True)
    world.write_nights(0, 0)
    first = retrain(world, 3)
    world.write_monitor(trainer=QUICK)

    second = retrain(world, 3, force=True)

    assert first.status == "promoted", first.words
    assert first.lineage is not None
    assert first.lineage.serialization == "pickle"
    assert second.status == "failed"  # the champion is a pickle, and pickles are no longer allowed
    assert "allow_pickle is not set" in second.verdict
    assert aliases(tracking_uri) == {"champion": "1"}


def test_a_model_that_was_tampered_with_is_neither_loaded_nor_promoted(world: World, tracking_uri: str) -> None:
    world.write_monitor(trainer=QUICK, mode="propose")
    world.write_nights(0, 0)
    retrain(world, 3)
    path = model_file(tracking_uri, "1")
    sound = path.read_bytes()
    path.write_bytes(sound + b"more")

    with pytest.raises(ModelTampered, match=r"not the ones that were registered \(model.skops differs\)"):
        retrain_steps.promote(world.night(3), "1", NOW)
    assert aliases(tracking_uri) == {"challenger": "1"}

    path.write_bytes(sound)
    retrain_steps.promote(world.night(3), "1", NOW)
    path.write_bytes(b"other" + sound)
    result = retrain(world, 3, force=True)
    assert result.status == "failed"
    assert aliases(tracking_uri) == {"champion": "1"}


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # MLflow, of its own types, when it is imported
def test_a_champion_that_mlflow_loaded_is_still_the_registered_one(
    world: World, tracking_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    world.write_monitor(trainer=QUICK)
    world.write_nights(0, 0)
    retrain(world, 3)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri)  # MLflow's own setter would outlive this test
    mlflow.pyfunc.load_model("models:/people@champion")
    beside = model_file(tracking_uri, "1").parent / "registered_model_meta"
    assert beside.is_file()

    assert retrain(world, 3, force=True).status != "failed"
    assert retrain_steps.promote(world.night(3), "1", NOW).event == "unchanged"
    assert beside.is_file()  # what MLflow wrote is MLflow's


def test_a_crash_before_the_promotion_is_made_good(
    world: World, tracking_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write_monitor(trainer=QUICK)
    world.write_nights(0, 0)

    def crash(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(conclusion, "promote", crash)
        with pytest.raises(KeyboardInterrupt):
            retrain(world, 3)
    assert aliases(tracking_uri) == {}
    never_train(monkeypatch)

    result = retrain(world, 3)

    assert result.status == "promoted"
    assert aliases(tracking_uri) == {"champion": "1"}


def start(world: World, number: int) -> subprocess.Popen[str]:
    """A retraining in a process of its own."""
    night = world.night(number)
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "pipeline", "retrain", "people", "--date", str(night.run_date)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_two_triggers_at_once_train_once(world: World, tracking_uri: str) -> None:
    world.write_monitor(trainer=QUICK)
    world.write_nights(0, 0)

    both = [start(world, 3), start(world, 3)]
    told = [process.communicate(timeout=300)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0], told
    assert sorted("was trained for 2026-01-03 before" in text for text in told) == [False, True]
    assert Registry("people", tracking_uri).numbers() == ["1"]


def test_a_run_that_was_killed_is_done_again_and_leaves_one_version(
    world: World, tracking_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINER_ENDLESS_PIDS", str(tmp_path / "pids"))
    world.write_monitor(trainer="tests.retrain.trainers:endless")
    world.write_nights(0, 0)
    killed = start(world, 3)
    wait_for((tmp_path / "pids").is_file)
    killed.kill()
    killed.communicate()
    world.write_monitor(trainer=QUICK)

    assert retrain(world, 3).status == "promoted"
    assert Registry("people", tracking_uri).numbers() == ["1"]


def test_a_champion_that_changed_meanwhile_is_not_overrun(
    world: World, tracking_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write_monitor(trainer=QUICK)
    world.write_nights(0, 0, 0)
    retrain(world, 3)
    kept = conclusion.conclude

    def meanwhile(registry: Registry, *others: Any, **named: Any) -> Any:
        champion = registry.at("champion")
        assert champion is not None
        registry.point("champion", None)
        return kept(registry, *others, **named)

    monkeypatch.setattr(conclusion, "conclude", meanwhile)
    world.write_monitor(trainer=QUICK, policy="not_worse")

    result = retrain(world, 4)

    assert result.status == "superseded"
    assert aliases(tracking_uri) == {"challenger": "2"}


def test_serving_is_told_once_and_again_when_it_did_not_hear(
    world: World, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.storage.retries.ATTEMPTS", 1)
    monkeypatch.setenv("PROMOTED_URL", webhook.url)
    world.write_monitor(trainer=QUICK, after_promotion={"webhook": "PROMOTED_URL"})
    world.write_nights(0, 0)
    webhook.respond(503)

    deaf = retrain(world, 3)

    assert deaf.status == "promoted"
    with pytest.raises(OutletUnavailable, match="not told"):
        retrain_steps.require_sound(deaf)
    heard = retrain(world, 3)
    assert heard.told == "told PROMOTED_URL"
    retrain(world, 3)
    assert len(webhook.requests) == 2
    body = webhook.requests[-1].json()
    assert (body["event"], body["version"], body["model_uri"]) == ("promoted", "1", "models:/people/1")


def test_a_registry_that_is_down_is_known_before_anything_is_trained(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    never_train(monkeypatch)
    world.write_nights(0, 0)

    with pytest.raises(OutletUnavailable, match="host and port in MLFLOW_TRACKING_URI"):
        retrain(world, 3)


def test_on_a_server_with_the_store_on_s3(
    world: World, mlflow_server: str, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    world.write_monitor(trainer=QUICK)
    world.write_nights(0, 0, 0)

    first = retrain(world, 3)
    second = retrain(world, 4)

    assert first.status == "promoted", first.words
    assert second.status in ("promoted", "rejected"), second.words
    assert first.lineage is not None
    reference = standing.reference(world.night(5), cache_of(world.night(5)))
    assert first.lineage.training_uri.startswith(s3.uri("store-archive/people/"))
    assert reference.objects[0].sha256 in first.lineage.training_uri + (second.lineage or first.lineage).training_uri
    assert s3.get("store/people/.retraining.lock") == b"free"
    assert retrain_steps.promote(world.night(4), "2", NOW).event in ("promoted", "unchanged")
    assert retrain_steps.rollback(world.night(4), NOW).version == "1"
    assert {"store/people/retraining/2026-01-03/retrain.json"} <= set(s3.keys())


def test_a_reference_that_was_changed_is_refused(world: World) -> None:
    world.write_monitor(trainer=QUICK)
    world.write_nights(0, 0)
    result = retrain(world, 3)
    assert result.lineage is not None
    path = Path(result.lineage.training_uri)
    path.chmod(0o600)
    pd.read_parquet(path).head(10).to_parquet(path)

    with pytest.raises(SnapshotChanged, match="registered with"):
        standing.reference(world.night(4), cache_of(world.night(4)))


def test_the_drift_share_can_count_columns_by_what_the_champion_relies_on(world: World) -> None:
    world.write_monitor(drift={"share": "importance", "limit": 0.1})
    world.write_nights(0, 0)
    result = retrain(world, 3)
    assert result.lineage is not None
    relied_on = {name: max(value, 0.0) for name, value in result.lineage.importances.items()}
    world.write_night(4, score=lambda rows: retrain_steps.score(world.night(4), rows.assign(city="Oslo")))

    found = drift(world.night(4))

    assert relied_on.keys() == {"age", "income", "city"}
    assert max(relied_on, key=lambda name: relied_on[name]) == "age"
    assert [column.name for column in found.drifted_columns] == ["city"]
    assert found.drift_share == 0.2
    assert found.decisive == "importance"
    assert found.weighted_drift_share == pytest.approx(relied_on["city"] / sum(relied_on.values()))
    assert not found.drifted


def test_counts_are_learnt_and_measured_as_numbers(world: World) -> None:
    def visits(rows: int, seed: int) -> pd.DataFrame:
        found = people(rows, seed)
        return found.assign(label=(found["age"] * 2).round().astype("int64"), prediction=found["age"] * 2 + 1)

    world.write_monitor(columns={"score": None, "numerical": ["age", "income"], "categorical": ["city"]})
    for part in (0, 1):
        world.project.write_parquet(f"reference/part-{part}.parquet", visits(600, part))
    for day in ("2026-01-01", "2026-01-02"):
        found = visits(300, 7)
        world.project.write_parquet(f"production/dt={day}/part-0.parquet", found.drop(columns="label"))
        world.project.write_parquet(f"labels/dt={day}/part-0.parquet", found[["id", "label"]])

    steps.pull_snapshots(world.night(2))
    performance = steps.measure_performance(world.night(2))
    result = retrain(world, 3)

    assert {"mean_absolute_error", "root_mean_squared_error", "r2"} < set(performance.realised)
    assert result.evaluation is not None, result.words
    assert (result.evaluation.task, result.status) == ("regression", "promoted")


def test_the_score_stays_that_of_the_positive_class(world: World, tracking_uri: str) -> None:
    """Labels bad and good, and the score is the probability of bad, which comes first in order."""

    def risks(rows: int, seed: int) -> pd.DataFrame:
        found = people(rows, seed)
        return found.assign(label=found["label"].map({1: "bad", 0: "good"}), prediction="good")

    world.write_monitor(trainer=QUICK, columns={"positive": "bad"})
    for part in (0, 1):
        world.project.write_parquet(f"reference/part-{part}.parquet", risks(600, part))
    for day in ("2026-01-01", "2026-01-02"):
        found = risks(300, int(day[-1]) + 10)
        world.project.write_parquet(f"production/dt={day}/part-0.parquet", found.drop(columns="label"))
        world.project.write_parquet(f"labels/dt={day}/part-0.parquet", found[["id", "label"]])

    result = retrain(world, 3)

    assert result.status == "promoted", result.words
    assert result.evaluation is not None
    assert result.lineage is not None
    assert result.cost is not None
    assert set(result.lineage.importances) == {"age", "income", "city"}  # no answer of a model
    assert min(item.challenger or 0 for item in result.evaluation.metrics if item.name == "roc_auc") > 0.7
    kept = pd.read_parquet(result.lineage.training_uri).groupby("label")["score"].mean()
    assert kept["bad"] > kept["good"] + 0.2
    scored = retrain_steps.score(world.night(4), risks(200, 99).drop(columns=["score", "prediction"]))
    by_class = scored.groupby("label")["score"].mean()
    assert by_class["bad"] > by_class["good"] + 0.2


def test_private_columns_are_in_no_example(world: World, tracking_uri: str) -> None:
    world.write_monitor(columns={"private": ["income"]})
    world.write_nights(0, 0)
    retrain(world, 3)
    folder = model_file(tracking_uri, "1").parent

    example = json.loads((folder / "input_example.json").read_text())

    assert example["columns"] == ["age", "city"]
    assert "income" in (folder / "MLmodel").read_text()  # it is a feature all the same


def test_a_regression(world: World, tracking_uri: str) -> None:
    world.write_monitor(columns={"label": "income", "numerical": ["age"], "score": None, "prediction": None})
    for number in (1, 2, 3):
        world.write_night(number, 0.5, label="income")

    result = retrain(world, 4)

    assert result.status == "promoted", result.words
    assert result.evaluation is not None
    assert result.evaluation.main_metric == "root_mean_squared_error"
    assert result.evaluation.against == "nobody"
