"""Code that a monitor file names: which may be, and what it is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.config import load_settings
from pipeline.config import monitor_files as monitors
from pipeline.errors import ConfigError, TrainingFailed
from pipeline.retrain.model import process
from pipeline.retrain.trainer import TrainingData
from tests.project import Project

TOKEN = "T0KENT0KENT0KEN"
SECRETS = (
    "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_URI",
    "PIPELINE_SMTP_URL", "PIPELINE_CHANNEL_TEAM", "PIPELINE_PUSHGATEWAY_URL", "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "SERVING_URL", "GITHUB_TOKEN", "KUBECONFIG", "DATABASE_URL",
)  # fmt: skip


def listing(data: TrainingData) -> object:
    """A trainer that tells its environment, and then fails."""
    data.log(" ".join(f"{name}={value}" for name, value in os.environ.items()))
    raise ValueError


@pytest.mark.slow
def test_a_trainer_is_given_no_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.retrain.model.test_worker import job_folder

    for name in SECRETS:
        monkeypatch.setenv(name, TOKEN)
    monkeypatch.setenv("TRAINER_FEATURES", "where my features are")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    said: list[str] = []
    with pytest.raises(TrainingFailed, match="ValueError"):
        process.run("train", job_folder(tmp_path, "listing", "tests.security.test_code"), 120, 2, said.append)
    told = "\n".join(said)
    assert "TRAINER_FEATURES=where my features are" in told
    assert "OMP_NUM_THREADS=1" in told
    assert "PATH=" in told
    assert TOKEN not in told
    assert not [name for name in SECRETS if f"{name}=" in told]


@pytest.mark.parametrize(
    ("allowed", "trainer", "sound"),
    [
        (None, "examples.trainers:forest", True),
        (None, "pipeline.retrain.trainer:train", True),
        (None, "os:system", False),
        (None, "examplesother.trainers:forest", False),
        (None, "subprocess:run", False),
        ("acme", "acme:train", True),
        ("acme", "acme.churn.trainer:train", True),
        ("acme", "acmeother:train", False),
        ("acme.", "pipeline.retrain.trainer:train", False),
    ],
)
@pytest.mark.parametrize("key", ["trainer", "call"])
def test_code_that_a_monitor_file_names_is_of_packages_that_whoever_runs_nightjar_allows(
    project: Project, monkeypatch: pytest.MonkeyPatch, allowed: str | None, trainer: str, sound: bool, key: str
) -> None:
    monkeypatch.delenv("PIPELINE_CALLABLES")
    if allowed:
        monkeypatch.setenv("PIPELINE_CALLABLES", allowed)
    retrain = {"trainer": trainer} if key == "trainer" else {"after_promotion": {"call": trainer}}
    project.write_suite()
    project.write_monitor(retrain=retrain)
    if sound:
        assert monitors.load("people", load_settings())
        return
    told = rf"people\.yaml:\d+: retrain\..*{key}: found '{trainer}'; allowed: modules of"
    with pytest.raises(ConfigError, match=told):
        monitors.load("people", load_settings())


@pytest.mark.parametrize("value", ["os;", "..", "a b", "acme:train"])
def test_a_package_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PIPELINE_CALLABLES", value)
    with pytest.raises(ConfigError, match="PIPELINE_CALLABLES: allowed: names of modules or packages"):
        load_settings()


@pytest.mark.slow
def test_what_a_trainer_raises_is_logged_without_its_words(tmp_path: Path) -> None:
    from tests.retrain.model.test_worker import job_folder

    said: list[str] = []
    with pytest.raises(TrainingFailed, match=r"ValueError at trainers\.py:\d+"):
        process.run("train", job_folder(tmp_path, "raising"), 120, 2, said.append)
    assert [line for line in said if "in raising" in line]
    assert not [line for line in said if "secret of" in line and "raise ValueError" not in line]
