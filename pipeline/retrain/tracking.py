"""The way into MLflow: bounded patience, one process at a time on an embedded database, errors as ours."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import OutletRefused, OutletUnavailable

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

# Set where the user has not: MLflow's own would retry a dead server for minutes, print addresses and report usage.
_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_LOCK_SECONDS = 600.0
_SQLITE = "sqlite:///"
_ARTIFACTS = "mlflow-artifacts"
_CREDENTIALS = re.compile(r"://(?!/)\S*@")
_LONGEST_CAUSE = 300
_NO_SUCH = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})  # the second for a missing alias


@contextmanager
def client(tracking_uri: str) -> Iterator[MlflowClient]:
    """A client for the block. An embedded database is held for this process alone until the block ends.

    Raises:
        OutletUnavailable: no answer, or one that says try again.
        OutletRefused: the answer was a final no.
    """
    with _environment(), _quiet():
        import requests
        import sqlalchemy.exc
        from filelock import FileLock, Timeout
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        place = f"MLflow at {_shown(tracking_uri)}"
        lock = _lock_path(tracking_uri)
        try:
            with FileLock(lock, timeout=_LOCK_SECONDS) if lock else nullcontext():
                yield MlflowClient(tracking_uri=tracking_uri)
        except MlflowException as error:
            raise _explain(error, place) from None
        except Timeout as error:
            raise OutletUnavailable(f"{place}: another process has held the database for too long") from error
        except (requests.RequestException, sqlalchemy.exc.SQLAlchemyError) as error:
            words = f"{place}: no usable answer ({type(error).__name__}); check MLFLOW_TRACKING_URI"
            raise OutletUnavailable(words) from None


def is_missing(error: MlflowException) -> bool:
    """Whether what was asked for simply is not there."""
    return error.error_code in _NO_SUCH


def artifact_location(tracking_uri: str, experiment: str) -> str | None:
    """Where a new experiment keeps its files: beside an embedded database, elsewhere what the server says."""
    database = _database(tracking_uri)
    return (database.parent / _ARTIFACTS / experiment).as_uri() if database else None


def _explain(error: MlflowException, place: str) -> OutletUnavailable | OutletRefused:
    """No cause is chained where it may repeat a password of the address."""
    status = int(error.get_http_status_code())
    cause = _CREDENTIALS.sub("://", (str(error).strip().splitlines() or [""])[0])[:_LONGEST_CAUSE]
    if status in (401, 403):
        hint = "check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        return OutletRefused(f"{place}: access denied ({status}); {hint}")
    if 400 <= status < 500 and status not in (408, 425, 429):
        return OutletRefused(f"{place}: refused: {cause}")
    return OutletUnavailable(f"{place}: no usable answer: {cause}; check MLFLOW_TRACKING_URI and that the server runs")


def _shown(tracking_uri: str) -> str:
    """An address as it may be shown: no user, no password, no query."""
    return _CREDENTIALS.sub("://", tracking_uri).partition("?")[0]


def _database(tracking_uri: str) -> Path | None:
    """The file of an SQLite address; None for every other address."""
    if not tracking_uri.startswith(_SQLITE):
        return None
    name = tracking_uri.removeprefix(_SQLITE).partition("?")[0]
    return Path(name).resolve() if name and name != ":memory:" else None


def _lock_path(tracking_uri: str) -> str | None:
    """Two processes that initialise an SQLite database break each other, and it has one writer at a time."""
    database = _database(tracking_uri)
    if database is None:
        return None
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutletUnavailable(f"{database}: cannot be created: {error.strerror}") from error
    return f"{database}.lock"


@contextmanager
def _environment() -> Iterator[None]:
    """MLflow reads its variables at every request, and has no other way to be told."""
    missing = {name: value for name, value in _DEFAULTS.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            os.environ.pop(name, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Libraries below MLflow warn of each other's old names, and MLflow tells of every table it makes."""
    loggers = [logging.getLogger(name) for name in ("mlflow.store.db.utils", "alembic")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
