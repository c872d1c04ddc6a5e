"""The way into MLflow: a client with bounded patience, one process at a time on an embedded store, typed errors."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from pipeline.errors import NightjarError, OutletRefused, OutletUnavailable
from pipeline.storage import addresses
from pipeline.storage.causes import certificate_advice, disk_words, distrusted, no_answer, sqlite_words
from pipeline.storage.mlflow_database import LOCK_SECONDS, database_of, held, is_made
from pipeline.storage.patience import WHOLE, outlet
from pipeline.storage.retries import worth_another_try
from pipeline.storage.time_limit import Limit
from pipeline.wording import clip, seconds

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Set where the user has not: MLflow's own would retry a dead server for minutes, print addresses and report usage.
_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Files go through the server. It would have its client read its bucket, which perhaps only the server can reach.
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
}
_ARTIFACTS = "mlflow-artifacts"
# Whatever these raise comes from the outlet; anything else is a mistake of ours and stays what it is.
_OUTLET_LIBRARIES = frozenset(
    {"mlflow", "requests", "urllib3", "sqlalchemy", "alembic", "sqlite3", "filelock", "boto3", "botocore", "s3transfer"}
)
_MAX_CAUSE = 300
_TOLD = re.compile(r"^API request to endpoint \S+ failed with error code (\d{3})\b")
_DENIED = (
    "access denied",
    "check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, and the permissions there",
)
_ANSWERS = {
    401: _DENIED,
    403: _DENIED,
    404: ("not found", "check that MLFLOW_TRACKING_URI is an MLflow server's, and who removed what is missing"),
    407: ("a proxy asks for a login", "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY"),
    413: ("too much for it", "let the server, or the proxy before it, take larger requests"),
}


@contextmanager
def open_store(tracking_uri: str | None) -> Iterator[MlflowClient]:
    """A client for a tracking server or database; None for what MLflow's own variables say.

    An embedded SQLite database is created where it is missing, and held for this process alone until the block ends.

    Raises:
        OutletUnavailable: no answer, an answer that says try again, no end in time, or a database that cannot be used.
        OutletRefused: the answer was a final no.
    """
    with _environment(), _quiet():
        from mlflow import MlflowClient, get_tracking_uri

        uri = tracking_uri or get_tracking_uri()
        database = database_of(uri)
        alone = held(database) if database else nullcontext()
        with _explained(uri):
            if database and is_made(database):
                MlflowClient(tracking_uri=uri)  # reads the schema, for which nobody has to wait
            with alone, within(uri), _explained(uri):
                yield MlflowClient(tracking_uri=uri)


def within(tracking_uri: str, part: float = WHOLE) -> AbstractContextManager[Limit]:
    """A block that asks MLflow, perhaps several times, and a part of an outlet's time for all of it.

    Raises:
        OutletUnavailable: see `pipeline.storage.patience.outlet`.
    """
    with _quiet():
        import mlflow  # noqa: F401 - takes seconds, which are not the server's
    return outlet(_place(tracking_uri), part)


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        explained = _explain(error, uri)
        if explained is None:
            raise
        raise explained from (error if addresses.shown(uri) == uri else None)


def _place(uri: str) -> str:
    return f"MLflow at {addresses.shown(uri)}"


def experiment_id(client: MlflowClient, name: str) -> str:
    """The id of an experiment, created where it is missing. Inside the block of `open_store`.

    Raises:
        OutletRefused: somebody deleted it, and with it the runs that are to be found again.
    """
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, _artifact_location(client.tracking_uri, name)))
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another process may have been faster
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise OutletRefused(
            f"MLflow at {addresses.shown(client.tracking_uri)}: the experiment {name!r} was deleted; bring it back "
            f"with `mlflow experiments restore --experiment-id {found.experiment_id}`, or erase it with `mlflow gc`"
        )
    return str(found.experiment_id)


def _artifact_location(tracking_uri: str, experiment: str) -> str | None:
    """Where a new experiment keeps its files: beside an embedded database, elsewhere what the server says."""
    database = database_of(tracking_uri)
    return (database.parent / _ARTIFACTS / experiment).as_uri() if database else None


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


def _explain(error: Exception, uri: str) -> NightjarError | None:
    """The error as one of ours, without credentials; None when the outlet is not to blame."""
    library = type(error).__module__.partition(".")[0]
    if isinstance(error, NightjarError) or not (library in _OUTLET_LIBRARIES or isinstance(error, OSError)):
        return None
    kind, words = _words(error, library, _status(error), embedded=database_of(uri) is not None)
    return kind(f"{_place(uri)}: {words}")


def _words(error: Exception, library: str, status: int, *, embedded: bool) -> tuple[type[NightjarError], str]:
    """What happened and what to do: what a disk or a network did, else what was answered."""
    cause, distrust = _cause(error), distrusted(error)
    if library == "filelock":
        return (
            OutletUnavailable,
            f"another process has held the database for {seconds(LOCK_SECONDS)}; wait for it or end it",
        )
    if "db upgrade" in cause:
        return OutletRefused, f"refused: {cause}"
    if distrust is not None:
        return OutletRefused, f"{distrust}; {certificate_advice('REQUESTS_CA_BUNDLE')}"
    network = None if embedded else no_answer(error, "MLFLOW_TRACKING_URI")
    if network is not None:
        return OutletUnavailable, network
    disk = disk_words(error) or sqlite_words(str(error))
    if disk is not None:
        return OutletUnavailable, disk if library == "builtins" else f"{cause}; {disk}"
    return _answered(status, cause, embedded=embedded)


def _answered(status: int, cause: str, *, embedded: bool) -> tuple[type[NightjarError], str]:
    if status in _ANSWERS and not embedded:
        said, advice = _ANSWERS[status]
        return OutletRefused, f"{said} ({status}): {cause}; {advice}"
    if status >= 400 and not worth_another_try(status):
        return OutletRefused, f"refused: {cause}"
    return OutletUnavailable, f"no usable answer: {cause}; see the log of the server, then run again"


def _cause(error: Exception) -> str:
    """The first line of the error, or its kind when it says nothing."""
    lines = addresses.without_credentials(str(error)).strip().splitlines() or [type(error).__name__]
    return clip(lines[0], _MAX_CAUSE)


def _status(error: Exception) -> int:
    """The HTTP status behind an error; 503 where there was no answer."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        told = _TOLD.search(str(error))  # of an answer that is not MLflow's own, it knows no better
        return int(told[1]) if told else int(error.get_http_status_code())
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        response_status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        response_status = getattr(response, "status_code", None)
    return response_status if isinstance(response_status, int) else 503
