"""Addresses of chat channels out of Airflow's connections."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.dags.conftest import run_python
from tests.project import Project

pytestmark = pytest.mark.slow

TAKE = (
    "import os\n"
    "from nightjar_airflow.wiring import take_channels_from_connections\n"
    "take_channels_from_connections('people')\n"
    "print('TOOK', {name: url for name, url in sorted(os.environ.items()) if name.startswith('PIPELINE_CHANNEL_')})\n"
)


def take(project: Project, home: Path, **variables: str) -> str:
    done = run_python(home, project.environment() | variables, "-c", TAKE)
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("TOOK ")[2].strip()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path / "project")
    found.write_suite()
    found.write_monitor(notify={"channels": ["team-chat", "ops"]})
    return found


def connection(url: str) -> str:
    return json.dumps({"conn_type": "generic", "password": url})


def test_a_channel_without_a_variable_is_taken_from_its_connection(project: Project, tmp_path: Path) -> None:
    took = take(project, tmp_path, AIRFLOW_CONN_NIGHTJAR_TEAM_CHAT=connection("json://127.0.0.1/a?b=c%20d"))

    assert took == "{'PIPELINE_CHANNEL_TEAM_CHAT': 'json://127.0.0.1/a?b=c%20d'}"


def test_a_variable_wins_over_a_connection(project: Project, tmp_path: Path) -> None:
    variables = {"PIPELINE_CHANNEL_OPS": "json://127.0.0.1/variable"}

    took = take(project, tmp_path, AIRFLOW_CONN_NIGHTJAR_OPS=connection("json://127.0.0.1/connection"), **variables)

    assert took == "{'PIPELINE_CHANNEL_OPS': 'json://127.0.0.1/variable'}"


def test_without_either_nothing_is_set_and_nothing_breaks(project: Project, tmp_path: Path) -> None:
    assert take(project, tmp_path, AIRFLOW_CONN_NIGHTJAR_OPS=connection("")) == "{}"
