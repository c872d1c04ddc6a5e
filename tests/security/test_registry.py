"""The registry is believed only where the run store agrees: who may write it cannot say what Nightjar trained."""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import ModelTampered
from pipeline.retrain.champion.records import Records
from pipeline.retrain.champion.registry import CHAMPION, Registry
from pipeline.steps import retraining as retrain_steps
from pipeline.steps import standing
from pipeline.storage.mlflow_client import open_store
from pipeline.storage.run_store import RunStore
from tests.retrain.world import World

pytestmark = pytest.mark.slow

QUICK = "tests.retrain.trainers:quick"
NOW = datetime(2026, 1, 20, 9, tzinfo=UTC)
DAY = "2026-01-03"
TAGS = {"model_sha256": "a" * 64, "training_sha256": "b" * 64, "run_date": DAY}


@pytest.fixture
def trained(world: World) -> World:
    """A monitor with a champion."""
    world.write_monitor(trainer=QUICK, probation_days=0)
    world.write_nights(0, 0, 0)
    result = retrain_steps.retrain(world.night(3), "tested", progress=lambda _: None)
    assert result.status == "promoted", result.words
    return world


def forge(name: str, tracking: str, **tags: str) -> str:
    """A version that somebody else registers and makes champion; its number."""
    with open_store(tracking) as mlflow:
        known = mlflow.search_registered_models(filter_string=f"name = '{name}'")
        if not known:
            mlflow.create_registered_model(name)
        experiment = mlflow.create_experiment("forged")
        run = mlflow.create_run(experiment)
        version = mlflow.create_model_version(name, "file:///forged", run.info.run_id, tags=tags)
        mlflow.set_registered_model_alias(name, CHAMPION, version.version)
        return str(version.version)


def reference(world: World) -> str:
    night = world.night(4)
    return standing.reference(night, night.cache()).uri


def test_a_night_takes_its_training_set_from_the_archive_whatever_address_the_registry_names(
    trained: World, tracking_uri: str
) -> None:
    before = reference(trained)
    other = trained.project.root / "data/production/dt=2026-01-01/part-0.parquet"
    with open_store(tracking_uri) as mlflow:
        mlflow.set_model_version_tag("people", "1", "training_uri", str(other))
    assert reference(trained) == before
    assert Path(before).is_relative_to(trained.store.with_name("store-archive") / "people")


@pytest.mark.parametrize("tag", ["training_sha256", "model_sha256"])
def test_a_version_whose_digests_were_changed_counts_no_more(trained: World, tracking_uri: str, tag: str) -> None:
    other = trained.project.root / "data/production/dt=2026-01-01/part-0.parquet"
    digest = hashlib.sha256(other.read_bytes()).hexdigest()
    with open_store(tracking_uri) as mlflow:
        mlflow.set_model_version_tag("people", "1", tag, digest)
        mlflow.set_model_version_tag("people", "1", "training_uri", str(other))
    with pytest.raises(ModelTampered, match="people version 1: Nightjar did not register it as it is now"):
        reference(trained)
    with pytest.raises(ModelTampered, match="did not register it"):
        retrain_steps.promote(trained.night(4), "1", NOW)


def test_a_version_of_somebody_else_is_neither_reference_nor_promoted_nor_told(
    trained: World, tracking_uri: str
) -> None:
    with open_store(tracking_uri) as mlflow:
        own = dict(mlflow.get_model_version("people", "1").tags)
    number = forge("people", tracking_uri, **own)
    for act in (
        lambda: reference(trained),
        lambda: retrain_steps.promote(trained.night(4), number, NOW),
        lambda: retrain_steps.rollback(trained.night(4), NOW),
        lambda: retrain_steps.tell_untold(trained.night(4), NOW),
        lambda: retrain_steps.score(trained.night(4), trained_rows(trained)),
    ):
        with pytest.raises(ModelTampered, match=f"people version {number}: Nightjar did not register it"):
            act()


def trained_rows(world: World) -> pd.DataFrame:
    return pd.read_parquet(world.project.root / "data/production/dt=2026-01-01/part-0.parquet").head(5)


def test_a_champion_that_somebody_plants_before_the_first_retraining_is_passed_over(
    world: World, tracking_uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.write_nights(0, 0, 0)
    forge("people", tracking_uri, **TAGS, training_uri="/etc/passwd", outcome="promoted")
    assert reference(world) == str(world.project.root / "data/reference/")
    assert "Nightjar did not register it, and has trained nothing yet" in caplog.text


def test_versions_of_before_such_records_are_known_by_their_published_retraining(
    trained: World, tracking_uri: str
) -> None:
    before = reference(trained)
    shutil.rmtree(trained.store / "people" / ".versions")
    assert reference(trained) == before
    assert retrain_steps.promote(trained.night(4), "1", NOW).event == "unchanged"


def test_a_forced_second_training_of_a_date_leaves_the_first_one_known(trained: World, tracking_uri: str) -> None:
    retrain_steps.retrain(trained.night(3), "tested", force=True, progress=lambda _: None)
    for number in ("2", "1"):
        assert retrain_steps.promote(trained.night(4), number, NOW).version == number
    assert retrain_steps.rollback(trained.night(4), NOW).version == "2"


def test_the_reigning_champion_is_not_confirmed_once_its_files_were_changed(trained: World, tracking_uri: str) -> None:
    found = Registry("people", tracking_uri).at(CHAMPION)
    assert found is not None
    with (Path(found.source.removeprefix("file://")) / "model.skops").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(ModelTampered, match="its files are not the ones that were registered"):
        retrain_steps.promote(trained.night(4), found.number, NOW)


def test_a_record_agrees_with_its_own_version_and_with_no_other(tmp_path: Path) -> None:
    records = Records("people", RunStore(str(tmp_path)))
    assert records.none_yet()
    records.note("run1", TAGS)
    assert records.agree("7", "run1", TAGS)  # killed before the number was known
    records.note("run1", TAGS, "7")
    assert records.agree("7", "run1", TAGS)
    for number, run_id, tags in (
        ("8", "run1", TAGS),
        ("7", "run2", TAGS),
        ("7", None, TAGS),
        ("7", "../../people/.versions/run1", TAGS),
        ("7", "run1", {**TAGS, "model_sha256": "c" * 64}),
        ("7", "run1", {**TAGS, "training_sha256": "c" * 64}),
        ("7", "run1", {"run_date": "no date"}),
    ):
        assert not records.agree(number, run_id, tags)
