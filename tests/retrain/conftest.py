"""An embedded registry per test, copied from one that was set up once: setting one up takes seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.retrain.champion.registry import Registry
from tests.project import Project
from tests.retrain.world import World


@pytest.fixture(scope="session")
def _empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    Registry("nobody", f"sqlite:///{path}")
    return path


@pytest.fixture
def tracking_uri(tmp_path: Path, _empty_database: Path) -> str:
    """An empty registry."""
    shutil.copyfile(_empty_database, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def world(project: Project, tracking_uri: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """A project with a reference, a monitor and a registry, without nights."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return World(project)
