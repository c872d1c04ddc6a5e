"""The embedded MLflow database is made whole, whoever is killed meanwhile."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow.store.db.utils
import pytest
import sqlalchemy

from pipeline.storage.mlflow_client import open_store
from pipeline.storage.mlflow_database import held

ROOT = Path(__file__).parents[2]
# MLflow makes its tables in dozens of migrations; the one of them before which the process is killed.
KILLED = """
import os, signal, sys
from alembic.runtime.migration import RevisionStep
from pipeline.storage.mlflow_client import open_store
from pipeline.storage.mlflow_database import held

made, begun = RevisionStep.__init__, []
def make(step, *arguments):
    made(step, *arguments)
    migrate = step.migration_fn
    def counted(**options):
        begun.append(step)
        if len(begun) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        migrate(**options)
    step.migration_fn = counted
RevisionStep.__init__ = make
with open_store(f"sqlite:///{sys.argv[1]}"):
    pass
"""


@pytest.mark.slow
def test_a_kill_while_the_database_is_made_leaves_none_and_the_next_one_makes_it(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    done = subprocess.run([sys.executable, "-c", KILLED, str(database), "20"], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not database.exists()
    with open_store(f"sqlite:///{database}") as client:
        assert client.create_experiment("found") == "1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db", "mlflow.db.lock"]


def test_an_empty_file_is_no_database_yet_and_one_that_is_there_stays(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    database.touch()
    for number in ("1", "2"):
        with open_store(f"sqlite:///{database}") as client:
            assert client.create_experiment(f"number {number}") == number
    with closing(sqlite3.connect(database)) as found:
        assert found.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_who_only_reads_the_schema_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow looks through its migrations in each process: half of the time that a night asks it for."""
    with open_store(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        pass
    copy = shutil.copy(tmp_path / "mlflow.db", tmp_path / "copy.db")  # which this process has not opened yet
    done: list[str] = []
    verify = mlflow.store.db.utils._verify_schema

    def verified(engine: sqlalchemy.Engine) -> None:
        done.append("read")
        verify(engine)

    @contextmanager
    def told(database: Path) -> Iterator[None]:
        with held(database):
            done.append("held")
            yield

    monkeypatch.setattr(mlflow.store.db.utils, "_verify_schema", verified)
    monkeypatch.setattr("pipeline.storage.mlflow_client.held", told)
    with open_store(f"sqlite:///{copy}") as client:
        assert client.search_experiments()
    assert done == ["read", "held"]
