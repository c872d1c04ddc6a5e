"""The MLflow service of docker-compose.yml, with its own command, on databases of other versions, in a real PostgreSQL.

A later version is the installed one with a migration more, one that adds no table: of those MLflow runs none by itself.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from alembic import command
from mlflow.store.db.utils import InitialBase, _get_alembic_config, _get_latest_schema_revision
from mlflow.tracking import MlflowClient
from sqlalchemy import Engine, create_engine, text

from tests.servers.mlflow import ENVIRONMENT, START_SECONDS
from tests.servers.postgres import run_postgres
from tests.servers.processes import serving

ROOT = Path(__file__).parents[2]
COMMAND: list[str] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["mlflow"]["command"]
SECRETS = {
    "airflow_database_password": "one-1",
    "mlflow_database_password": "two-2",
    "mlflow_admin_password": "administrator-1",
}
EARLIER = "1b5f0d9ad7c1"
"""Of January 2026, when many of today's tables were not there yet."""
LATER = "ffffffffffff"
MIGRATION = f"""
import sqlalchemy as sa
from alembic import op

revision = "{LATER}"
down_revision = "{{head}}"

def upgrade():
    op.add_column("experiments", sa.Column("of_a_later_version", sa.String(8)))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # MLflow's models use old names of SQLAlchemy
]


@dataclass(frozen=True)
class Service:
    """The database, and what the service is given."""

    folder: Path
    database: Engine
    environment: dict[str, str]

    def start(self, port: int) -> list[str]:
        script = COMMAND[-1].replace("$$", "$").replace("/run/secrets", str(self.folder))
        script = script.replace("s3://nightjar/mlflow", str(self.folder / "artifacts"))
        for ours, here in (("--host=0.0.0.0", "--host=127.0.0.1"), ("--port=5000", f"--port={port}")):
            assert ours in script
            script = script.replace(ours, here)
        return [*COMMAND[:-1], script]

    def fill(self, revision: str) -> None:
        """An empty database as of a version, with an experiment in it."""
        with self.database.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
            InitialBase.metadata.create_all(connection)
        settings = _get_alembic_config(str(self.database.url))
        with self.database.begin() as connection:
            settings.attributes["connection"] = connection
            command.upgrade(settings, revision)
        with self.database.begin() as connection:
            kept = "INSERT INTO experiments (name, lifecycle_stage, artifact_location) VALUES ('kept', 'active', 'x:/')"
            connection.execute(text(kept))

    def revision(self) -> str:
        with self.database.connect() as connection:
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())

    def experiments(self, monkeypatch: pytest.MonkeyPatch, **more: str) -> set[str]:
        """What its administrator sees once it is up."""
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "nightjar")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRETS["mlflow_admin_password"])
        environment, log = self.environment | more, self.folder / "log"
        with serving(self.start, health="/health", log=log, env=environment, timeout=START_SECONDS) as url:
            return {found.name for found in MlflowClient(url).search_experiments()}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("upgrade")
    derived: dict[str, Any] = runpy.run_path(str(ROOT / "deploy" / "make-secrets.py"))["derived"](SECRETS)
    passwords = {name: SECRETS[f"{name}_database_password"] for name in ("airflow", "mlflow")}
    with run_postgres(passwords) as reach:
        for name in ("mlflow_pg_service.conf", "mlflow_basic_auth.ini"):
            (folder / name).write_text(
                derived[name]().replace("host=postgres", f"host=127.0.0.1\nport={reach['PGPORT']}")
            )
        (folder / "mlflow_flask_secret_key").write_text("for this test alone")
        address = f"postgresql+psycopg2://mlflow:{passwords['mlflow']}@127.0.0.1:{reach['PGPORT']}/mlflow"
        engine = create_engine(address)
        yield Service(
            folder,
            engine,
            {
                **ENVIRONMENT,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PGSERVICEFILE": str(folder / "mlflow_pg_service.conf"),
                "MLFLOW_AUTH_CONFIG_PATH": str(folder / "mlflow_basic_auth.ini"),
            },
        )
        engine.dispose()


@pytest.fixture
def later(tmp_path: Path) -> str:
    """A folder for PYTHONPATH with a later MLflow."""
    installed, package = Path(mlflow.__file__).parent, tmp_path / "mlflow"
    for folder, own in ((Path(), "store"), (Path("store"), "db_migrations")):
        (package / folder).mkdir()
        for path in (installed / folder).iterdir():
            if path.name != own:
                (package / folder / path.name).symlink_to(path)
    migrations = package / "store" / "db_migrations"
    shutil.copytree(installed / "store" / "db_migrations", migrations)
    (migrations / "versions" / "later.py").write_text(MIGRATION.format(head=_get_latest_schema_revision()))
    return str(tmp_path)


def test_mlflow_brings_the_database_of_an_earlier_version_up_to_date(
    service: Service, later: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.fill(EARLIER)
    assert service.experiments(monkeypatch) >= {"kept"}
    assert service.revision() == _get_latest_schema_revision()
    # The accounts are in the same database by now.
    assert service.experiments(monkeypatch, PYTHONPATH=later) >= {"kept"}
    assert service.revision() == LATER

    # Back to the earlier version without its database: refused, and nothing is changed.
    back = subprocess.run(
        service.start(0), env=os.environ | service.environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert back.returncode != 0
    assert LATER in back.stderr
    assert not any(secret in back.stdout + back.stderr for secret in SECRETS.values())
    assert service.revision() == LATER
