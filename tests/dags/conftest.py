"""Reads DAG files in a process of their own, with monitors from a temporary project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.project import Project

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "dags"
DESCRIBE = Path(__file__).with_name("describe.py")


@dataclass(frozen=True)
class Parsed:
    """What came of reading DAG files: see `describe.py` for what is told of a DAG."""

    files: list[str]
    dags: dict[str, Any]
    errors: dict[str, str]
    heavy: list[str]


Parse = Callable[..., Parsed]


@pytest.fixture(scope="session")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Parse:
    """`parse(project, folder, PIPELINE_STORE="...")` reads DAG files, those of `dags/` by default, for a project."""
    home = tmp_path_factory.mktemp("airflow")

    def read(project: Project, folder: Path = DAGS, **variables: str) -> Parsed:
        result = home / "described.json"
        result.unlink(missing_ok=True)
        done = run_python(home, project.environment() | variables, str(DESCRIBE), str(result), str(folder))
        assert result.exists(), done.stdout + done.stderr
        return Parsed(**json.loads(result.read_text(encoding="utf-8")))

    return read


def run_python(home: Path, variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with an Airflow of its own, and none of the variables of this machine's."""
    foreign = ("AIRFLOW", "_AIRFLOW", "PIPELINE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{DAGS}",  # in place of an installed package
    }
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="session")
def parsed(parse: Parse, tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    """One daily, one hourly and one weekly monitor."""
    project = Project(tmp_path_factory.mktemp("monitors") / "project")
    project.write_suite()
    project.write_monitor("daily", description="Scores people", notify={"email": ["team@example.com"]})
    project.write_monitor("hourly", schedule="0 * * * *")
    following = {"reference": "champion", "initial": "data/first/", "production": "data/production/dt={date}/"}
    project.write_monitor("weekly", schedule="30 3 * * 1", snapshots=following)
    project.write_monitor("midnight", schedule="0 0 * * *")
    return parse(project)
