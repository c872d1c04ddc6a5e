"""The embedded MLflow database is made whole, whoever is killed meanwhile."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.storage.mlflow_client import open_store

ROOT = Path(__file__).parents[2]
# MLflow makes its tables in dozens of migrations; the one of them before which the process is killed.
KILLED = """
import os, signal, sys
from alembic.runtime.migration import RevisionStep
from pipeline.storage.mlflow_client import open_store

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
