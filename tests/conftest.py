"""What all tests share: no settings from the developer's machine, a project of their own, the servers on loopback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.config import Settings
from tests.project import Project

pytest_plugins = ["tests.servers.fixtures"]


@pytest.fixture(autouse=True)
def _no_foreign_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("PIPELINE_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in a temporary folder, with the environment pointing at it."""
    made = Project(tmp_path / "project")
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made
