"""The small programs that the services of docker-compose.yml run, each against the real thing on loopback."""

from __future__ import annotations

import json
import runpy
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from tests.servers.loopback import LoopbackServer, QuietHandler, serving_thread
from tests.servers.postgres import run_postgres
from tests.servers.processes import free_port
from tests.servers.s3 import S3

DEPLOY = Path(__file__).parents[2] / "deploy"


# health.py


HEALTH = {"triggerer": {"status": "healthy"}, "dag_processor": {"status": "unhealthy"}, "scheduler": {"status": None}}
problem: Callable[..., str | None] = runpy.run_path(str(DEPLOY / "health.py"))["problem"]


@pytest.fixture
def airflow() -> Iterator[str]:
    """A server that answers like Airflow's monitor/health."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            found = self.path == "/health"
            self.answer(200 if found else 503, {"Content-Type": "application/json"}, json.dumps(HEALTH).encode())

    server = LoopbackServer(Handler)
    with serving_thread(server):
        yield server.url


def test_an_answer_is_healthy_and_an_error_or_silence_is_not(airflow: str) -> None:
    assert problem(f"{airflow}/health") is None
    assert "503" in str(problem(f"{airflow}/broken"))
    assert "refused" in str(problem(f"http://127.0.0.1:{free_port()}/health"))


def test_a_component_is_healthy_only_when_airflow_says_so(airflow: str) -> None:
    assert problem(f"{airflow}/health", "triggerer") is None
    assert problem(f"{airflow}/health", "dag_processor") == "dag_processor: unhealthy"
    assert problem(f"{airflow}/health", "scheduler") == "scheduler: None"
    assert problem(f"{airflow}/health", "unheard_of") == "unheard_of: None"


# set-up-s3.py


def test_buckets_are_created_once(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")  # as docker-compose.yml sets it
    create_buckets = runpy.run_path(str(DEPLOY / "set-up-s3.py"))["create_buckets"]
    client = boto3.client("s3", endpoint_url=s3.url)
    client.delete_bucket(Bucket="snapshots")
    assert list(create_buckets(client)) == ["bucket nightjar: created", "bucket snapshots: created"]
    client.put_object(Bucket="nightjar", Key="store/index.html", Body=b"kept")
    assert list(create_buckets(client)) == ["bucket nightjar: already there", "bucket snapshots: already there"]
    assert client.get_object(Bucket="nightjar", Key="store/index.html")["Body"].read() == b"kept"


# create-databases.sh


PASSWORDS = {"airflow": "it's one", "mlflow": "another"}


@pytest.fixture(scope="module")
def postgres() -> Iterator[dict[str, str]]:
    with run_postgres(PASSWORDS) as reach:
        yield reach


def connect(postgres: dict[str, str], role: str, password: str, database: str) -> subprocess.CompletedProcess[str]:
    command = [
        "psql",
        f"--username={role}",
        "--no-psqlrc",
        "--tuples-only",
        f"--dbname={database}",
        "--command=CREATE TABLE t ()",
    ]
    return subprocess.run(command, env=postgres | {"PGPASSWORD": password}, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_airflow_and_mlflow_each_own_a_database(postgres: dict[str, str]) -> None:
    assert connect(postgres, "airflow", PASSWORDS["airflow"], "airflow").returncode == 0
    assert connect(postgres, "mlflow", PASSWORDS["mlflow"], "mlflow").returncode == 0


@pytest.mark.slow
def test_neither_reaches_the_other_one_nor_gets_in_with_another_password(postgres: dict[str, str]) -> None:
    assert "permission denied" in connect(postgres, "airflow", PASSWORDS["airflow"], "mlflow").stderr
    assert "permission denied" in connect(postgres, "mlflow", PASSWORDS["mlflow"], "airflow").stderr
    assert "authentication failed" in connect(postgres, "airflow", "airflow", "airflow").stderr
