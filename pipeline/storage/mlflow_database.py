"""The embedded MLflow database: one SQLite file, which one process at a time creates whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.parts import part_prefix, sweep_parts

LOCK_SECONDS = 600.0
_LOOK_AGAIN_SECONDS = 0.01  # most hold it for less than filelock's own 0.05
_SQLITE = "sqlite:///"


def database_of(uri: str) -> Path | None:
    """The file of an SQLite address; None for every other address."""
    if not uri.startswith(_SQLITE):
        return None
    name = uri.removeprefix(_SQLITE).partition("?")[0]
    return Path(name).resolve() if name and name != ":memory:" else None


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Hold a database for this process alone until the block ends; made where it is not there yet.

    SQLite has one writer at a time, and two processes that initialise it break each other.

    Raises:
        filelock.Timeout: another process has held it for too long.
        OSError, mlflow.exceptions.MlflowException: it cannot be made.
    """
    from filelock import FileLock

    database.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{database}.lock", timeout=LOCK_SECONDS).acquire(poll_interval=_LOOK_AGAIN_SECONDS):
        if not is_made(database):
            _make(database)
        yield


def is_made(database: Path) -> bool:
    """Whether it is there, so that reading it changes nothing; an empty file is taken for none."""
    return database.exists() and database.stat().st_size > 0


def _make(database: Path) -> None:
    """Beside its place, and moved there whole: MLflow cannot go on with tables that a killed process half made."""
    from mlflow import MlflowClient

    sweep_parts(database)
    with tempfile.NamedTemporaryFile(dir=database.parent, prefix=part_prefix(database), delete=False) as stream:
        made = Path(stream.name)
    try:
        MlflowClient(tracking_uri=f"{_SQLITE}{made}").search_experiments(max_results=1)  # any request makes the tables
        os.replace(made, database)
    finally:
        for left in (made, made.with_name(f"{made.name}-journal")):
            left.unlink(missing_ok=True)
