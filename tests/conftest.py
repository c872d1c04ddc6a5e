"""What all tests share: no settings from the developer's machine, a project of their own, the servers on loopback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.project import Project

pytest_plugins = ["tests.servers.fixtures", "tests.wheel", "tests.purity"]

# The same examples each time, however slow the machine is.
settings.register_profile("nightjar", deadline=None, derandomize=True, database=None)
settings.load_profile("nightjar")


def pytest_configure(config: pytest.Config) -> None:
    """Great Expectations imports modules that Python has renamed: the one warning that every test may meet."""
    config.addinivalue_line(
        "filterwarnings", "ignore:module 'sre_(constants|parse|compile)' is deprecated:DeprecationWarning"
    )


@pytest.fixture(autouse=True)
def _no_foreign_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in list(os.environ):
        if name.startswith(("PIPELINE_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIPELINE_HOME", str(tmp_path_factory.getbasetemp() / "home"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in a temporary folder, with the environment pointing at it."""
    made = Project(tmp_path / "project")
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made
