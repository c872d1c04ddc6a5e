"""deploy/backup.py against a real PostgreSQL and an S3 API that asks who is there; only docker is a stand-in.

The stand-in runs what `docker compose exec` and `run` are told to, with the environment of the service.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from pipeline.storage.mlflow_client import open_store
from pipeline.storage.run_store import RunStore
from tests.deploy.test_set_up_mlflow import SIGN_IN
from tests.servers.mlflow import run_mlflow
from tests.servers.postgres import ROOT_PASSWORD, run_postgres
from tests.servers.s3_accounts import run_s3_with_accounts

ROOT = Path(__file__).parents[2]
OBJECTS: dict[str, Any] = runpy.run_path(str(ROOT / "deploy" / "objects.py"))
PASSWORDS = {"airflow": "one-1", "mlflow": "two-2"}
KEYS = ("root-key", "root-secret")
DAY = date(2026, 1, 14)
DOCKER = """#!{python}
import os, pathlib, sys, time
words = sys.argv[1:]
trouble = pathlib.Path({trouble!r})
if trouble.exists():
    program, database, what = trouble.read_text().split()
    if program in words and "--dbname=" + database in words:
        time.sleep(60) if what == "hangs" else sys.exit("no room left")
if words[:2] == ["compose", "ps"]:
    print(pathlib.Path({running!r}).read_text())
    sys.exit()
if words[:4] == ["compose", "exec", "-T", "postgres"]:
    os.execvpe(words[4], words[4:], {postgres!r})
assert words[:6] == ["compose", "run", "--rm", "--no-deps", "-T", "set-up-s3"], words
if words[6:]:
    assert words[6] == "python"
    os.execve({python!r}, [{python!r}, *words[7:]], {s3!r})
"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Servers:
    """What there is to lose, and how the script is run."""

    folder: Path
    s3: Any
    postgres: dict[str, str]
    environment: dict[str, str]

    def sql(self, database: str, statement: str, role: str) -> str:
        command = ["psql", "-qtAX", f"--username={role}", f"--dbname={database}", f"--command={statement}"]
        given = self.postgres | {"PGPASSWORD": PASSWORDS.get(role, ROOT_PASSWORD)}
        return subprocess.run(command, env=given, check=True, capture_output=True, text=True).stdout.strip()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "deploy" / "backup.py"), *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=60)

    @contextmanager
    def trouble(self, program: str, database: str, what: str) -> Iterator[None]:
        """Meanwhile a program hangs or fails, for one database."""
        (self.folder / "trouble").write_text(f"{program} {database} {what}")
        yield
        (self.folder / "trouble").unlink()

    def runs(self, *services: str) -> None:
        (self.folder / "running").write_text("\n".join(services))

    def objects(self) -> set[str]:
        return set(OBJECTS["list_objects"](self.s3, "nightjar", [""]))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("backup")
    for part, key in zip(("access", "secret"), KEYS, strict=True):
        (folder / f"s3_root_{part}_key").write_text(key)
    with run_postgres(PASSWORDS) as postgres, run_s3_with_accounts(folder, *KEYS) as url:
        s3 = boto3.session.Session(*KEYS, region_name="us-east-1").client(
            "s3", endpoint_url=url, config=Config(proxies={})
        )
        for bucket in ("nightjar", "snapshots"):
            s3.create_bucket(Bucket=bucket)
        as_root = postgres | {"PGPASSWORD": ROOT_PASSWORD}
        in_s3 = {"SECRETS": str(folder), "AWS_ENDPOINT_URL_S3": url, "AWS_DEFAULT_REGION": "us-east-1"}
        docker = folder / "bin" / "docker"
        docker.parent.mkdir()
        running = str(folder / "running")
        trouble = str(folder / "trouble")
        words = {"python": sys.executable, "running": running, "trouble": trouble, "postgres": as_root, "s3": in_s3}
        docker.write_text(DOCKER.format(**words))
        docker.chmod(0o755)
        environment = {**os.environ, "PATH": f"{docker.parent}:{os.environ['PATH']}", "COVERAGE_PROCESS_CONFIG": ""}
        yield Servers(folder, s3, postgres, environment)


@pytest.fixture
def servers(place: Servers, monkeypatch: pytest.MonkeyPatch) -> Servers:
    """With a night, an artifact, a training set, and a table in each database."""
    for name, value in zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), KEYS, strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", place.s3.meta.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    place.runs("postgres", "s3", "reports")
    lose(place)
    for role in PASSWORDS:
        place.sql(role, f"CREATE TABLE kept AS SELECT '{role} was here' AS words", role)
    publish(b"first")
    for key in ("mlflow/1/artifacts/ä model.skops", "store-archive/churn/0123.parquet", "store/.lock"):
        place.s3.put_object(Bucket="nightjar", Key=key, Body=key.encode())
    return place


def publish(content: bytes) -> None:
    RunStore("s3://nightjar/store").publish_night("churn", DAY, {"index.html": content, "drift.json": content})


def lose(servers: Servers) -> None:
    """Everything, as on a new machine: new databases, empty buckets."""
    for role in PASSWORDS:
        servers.sql("postgres", f"DROP DATABASE {role}", "postgres")
        servers.sql("postgres", f"CREATE DATABASE {role} OWNER {role}", "postgres")
    for key in [*servers.objects(), "store/.lock"]:
        servers.s3.delete_object(Bucket="nightjar", Key=key)


def saved(servers: Servers, folder: Path, *more: str) -> Path:
    done = servers.run("save", str(folder), *more)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip().splitlines()[-1].removesuffix(": written"))


def test_what_was_lost_is_there_again_and_belongs_to_whom_it_did(servers: Servers, tmp_path: Path) -> None:
    before = servers.objects()
    backup = saved(servers, tmp_path)
    lose(servers)
    done = servers.run("restore", str(backup))
    assert done.returncode == 0, done.stderr
    for role in PASSWORDS:
        assert servers.sql(role, "SELECT words FROM kept", role) == f"{role} was here"
        assert servers.sql(role, "SELECT tableowner FROM pg_tables WHERE tablename = 'kept'", role) == role
    with pytest.raises(subprocess.CalledProcessError):
        servers.sql("mlflow", "SELECT 1", "airflow")
    assert servers.objects() == before
    night = RunStore("s3://nightjar/store").read_night("churn", DAY)
    assert night is not None
    assert night["drift.json"] == b"first"
    page = servers.s3.get_object(Bucket="nightjar", Key=f"store/churn/{DAY}/index.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert all(key not in done.stdout + done.stderr for key in [*KEYS, *PASSWORDS.values(), ROOT_PASSWORD])
    assert servers.run("verify", str(backup)).returncode == 0


@pytest.mark.filterwarnings("ignore")  # as in test_set_up_mlflow
def test_mlflow_has_its_runs_its_models_and_its_accounts_again(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real MLflow with sign-in, on the stack's PostgreSQL and S3 server, lost with all that it has."""
    from mlflow.server import get_app_client

    @contextmanager
    def mlflow_server(user: str, password: str) -> Iterator[MlflowClient]:
        port, environment = servers.postgres["PGPORT"], {"AWS_ENDPOINT_URL_S3": servers.s3.meta.endpoint_url}
        database = f"postgresql+psycopg2://mlflow:{PASSWORDS['mlflow']}@127.0.0.1:{port}/mlflow"
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", user)
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
        with run_mlflow(
            tmp_path, SIGN_IN, database=database, artifacts="s3://nightjar/mlflow", environment=environment
        ) as url:
            yield MlflowClient(url)

    servers.sql("mlflow", "DROP TABLE kept", "mlflow")
    with mlflow_server(SIGN_IN.name, SIGN_IN.password) as client:
        get_app_client("basic-auth", client.tracking_uri).create_user("airflow", "a long password")
        run = client.create_run(client.create_experiment("monitoring/churn"), tags={"monitor_key": "churn/2026-01-14"})
        client.log_metric(run.info.run_id, "drift_share", 0.5)
        client.log_text(run.info.run_id, "as it was", "model/weights.txt")
        client.create_registered_model("churn")
        version = client.create_model_version("churn", f"runs:/{run.info.run_id}/model", run.info.run_id)
        client.set_registered_model_alias("churn", "champion", version.version)
    backup = saved(servers, tmp_path / "backups")
    lose(servers)
    done = servers.run("restore", str(backup))
    assert done.returncode == 0, done.stderr
    with mlflow_server("airflow", "a long password") as client:
        champion = client.get_model_version_by_alias("churn", "champion")
        found = client.get_run(str(champion.run_id))
        assert (found.data.metrics, found.data.tags["monitor_key"]) == ({"drift_share": 0.5}, "churn/2026-01-14")
        with open_store(client.tracking_uri) as by_nightjar:
            weights = by_nightjar.download_artifacts(found.info.run_id, "model/weights.txt", str(tmp_path))
        assert Path(weights).read_text() == "as it was"
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "another one")
        with pytest.raises(MlflowException, match="not authenticated"):
            client.get_run(found.info.run_id)


def airflow(servers: Servers, *arguments: str) -> str:
    """What a command of Airflow says, with its database in this PostgreSQL."""
    at = f"{servers.postgres['PGHOST']}:{servers.postgres['PGPORT']}/airflow"
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(servers.folder / "airflow"),
        "AIRFLOW__CORE__FERNET_KEY": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI=",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow:{PASSWORDS['airflow']}@{at}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"sqlite+aiosqlite:///{servers.folder}/nobody-asks.db",
    }
    command = [sys.executable, "-m", "airflow", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    return done.stdout


def test_airflow_has_its_connections_and_variables_again(servers: Servers, tmp_path: Path) -> None:
    """What Airflow keeps encrypted, too, and its own migration finds nothing to do in what was restored."""
    servers.sql("airflow", "DROP TABLE kept", "airflow")
    airflow(servers, "db", "migrate")
    airflow(
        servers, "connections", "add", "nightjar_team", "--conn-type", "generic", "--conn-password", "slack://token"
    )
    airflow(servers, "variables", "set", "kept", "as it was")
    backup = saved(servers, tmp_path)
    lose(servers)
    done = servers.run("restore", str(backup))
    assert done.returncode == 0, done.stderr
    airflow(servers, "db", "check-migrations", "--migration-wait-timeout", "0")
    assert airflow(servers, "variables", "get", "kept").splitlines()[-1] == "as it was"
    assert "slack://token" in airflow(servers, "connections", "get", "nightjar_team", "--output", "json")


def test_nothing_is_written_over_what_is_there_unless_told(servers: Servers, tmp_path: Path) -> None:
    backup = saved(servers, tmp_path)
    publish(b"second")
    servers.sql("airflow", "CREATE TABLE of_a_later_version ()", "airflow")
    servers.s3.put_object(Bucket="nightjar", Key="store/later.json", Body=b"{}")
    refused = servers.run("restore", str(backup))
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    assert (RunStore("s3://nightjar/store").read_night("churn", DAY) or {})["drift.json"] == b"second"

    assert servers.run("restore", str(backup), "--replace").returncode == 0
    assert (RunStore("s3://nightjar/store").read_night("churn", DAY) or {})["drift.json"] == b"first"
    assert "store/later.json" not in servers.objects()
    assert servers.sql("airflow", "SELECT to_regclass('of_a_later_version') IS NULL", "airflow") == "t"


def test_nothing_is_restored_while_something_writes(servers: Servers, tmp_path: Path) -> None:
    backup = saved(servers, tmp_path)
    servers.runs("postgres", "s3", "airflow-scheduler", "mlflow")
    refused = servers.run("restore", str(backup), "--replace")
    assert "docker compose stop airflow-scheduler mlflow" in refused.stderr


def test_a_backup_that_is_not_whole_is_none(servers: Servers, tmp_path: Path) -> None:
    backup = saved(servers, tmp_path)
    (backup / "store.tar.gz").write_bytes((backup / "store.tar.gz").read_bytes()[:-1])
    for command in ("verify", "restore"):
        refused = servers.run(command, str(backup))
        assert (refused.returncode, "store.tar.gz" in refused.stderr) == (1, True)
    (backup / "manifest.json").unlink()
    assert "was written to its end" in servers.run("verify", str(backup)).stderr


def test_a_backup_that_fails_leaves_nothing_and_old_ones_go(servers: Servers, tmp_path: Path) -> None:
    for name in ("nightjar-20250101T000000Z", "nightjar-20250102T000000Z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps({"files": {}}))
    backup = saved(servers, tmp_path, "--keep", "2")
    kept = {"nightjar-20250102T000000Z", backup.name}
    servers.sql("postgres", "DROP DATABASE mlflow", "postgres")
    try:
        assert servers.run("save", str(tmp_path), "--keep", "1").returncode == 1
    finally:
        servers.sql("postgres", "CREATE DATABASE mlflow OWNER mlflow", "postgres")
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_a_backup_that_is_killed_is_none_and_the_next_one_takes_its_room_back(servers: Servers, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "deploy" / "backup.py"), "save", str(tmp_path)]
    with servers.trouble("pg_dump", "mlflow", "hangs"):
        killed = subprocess.Popen(command, env=servers.environment, stdout=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".*.part/mlflow.dump")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = servers.run("save", str(tmp_path))
        assert (second.returncode, "another backup is being written here" in second.stderr) == (1, True)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
    (left,) = tmp_path.iterdir()
    assert "was written to its end" in servers.run("verify", str(left)).stderr
    assert list(tmp_path.iterdir()) == [left]
    backup = saved(servers, tmp_path)
    assert list(tmp_path.iterdir()) == [backup]


def test_a_restore_that_broke_off_is_made_whole_by_the_next(servers: Servers, tmp_path: Path) -> None:
    backup, before = saved(servers, tmp_path), servers.objects()
    lose(servers)
    with servers.trouble("pg_restore", "mlflow", "fails"):
        broken = servers.run("restore", str(backup))
    assert (broken.returncode, "no room left" in broken.stderr) == (1, True)
    assert "--replace" in servers.run("restore", str(backup)).stderr
    servers.s3.delete_object(Bucket="nightjar", Key=min(before))
    assert servers.run("restore", str(backup), "--replace").returncode == 0
    assert servers.objects() == before
    assert [servers.sql(role, "SELECT words FROM kept", role) for role in PASSWORDS] == [
        f"{role} was here" for role in PASSWORDS
    ]


@pytest.mark.parametrize("key", ["store/a.json", "mlflow/1/a.json", "store-archive/churn/a.parquet"])
def test_a_restore_that_is_refused_has_changed_nothing(servers: Servers, tmp_path: Path, key: str) -> None:
    """Whichever part is not empty, also the last one that would be put back."""
    backup = saved(servers, tmp_path)
    lose(servers)
    servers.s3.put_object(Bucket="nightjar", Key=key, Body=b"mine")
    refused = servers.run("restore", str(backup))
    assert (refused.returncode, "--replace" in refused.stderr) == (1, True)
    assert servers.objects() == {key}
    assert [servers.sql(role, "SELECT to_regclass('kept') IS NULL", role) for role in PASSWORDS] == ["t", "t"]


def test_a_night_that_is_published_meanwhile_is_copied_whole(servers: Servers, tmp_path: Path) -> None:
    """Published again after some of its files were copied: the copy has the new one, and no mixture."""

    class Meanwhile:
        """The client, in whose second read the night is published again."""

        reads = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(servers.s3, name)

        def get_object(self, **asked: Any) -> Any:
            self.reads += 1
            if self.reads == 2:
                publish(b"second")
            return servers.s3.get_object(**asked)

    with (tmp_path / "store.tar.gz").open("wb") as out:
        OBJECTS["save"](Meanwhile(), "nightjar", ["store/"], out)
    lose(servers)
    with (tmp_path / "store.tar.gz").open("rb") as source:
        OBJECTS["load"](servers.s3, "nightjar", ["store/"], source, replace=False)
    night = RunStore("s3://nightjar/store").read_night("churn", DAY)
    assert night is not None
    assert {name: content for name, content in night.items() if name != "night.json"} == {
        "index.html": b"second",
        "drift.json": b"second",
    }


def test_what_never_stands_still_is_no_backup(servers: Servers, tmp_path: Path) -> None:
    class Restless:
        """The client of a store that changes with each read."""

        def __getattr__(self, name: str) -> Any:
            return getattr(servers.s3, name)

        def get_object(self, **asked: Any) -> Any:
            servers.s3.put_object(Bucket="nightjar", Key=asked["Key"], Body=os.urandom(8))
            return servers.s3.get_object(**asked)

    with (tmp_path / "store.tar.gz").open("wb") as out, pytest.raises(OBJECTS["NotSaved"], match="store/churn"):
        OBJECTS["save"](Restless(), "nightjar", ["store/"], out)
