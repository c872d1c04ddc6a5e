"""The MLflow runs of nights that are not kept any more.

MLflow's own deletion hides a run and leaves its files, so these go first: a kill in between leaves a run that is found
again. What is left of a run is its numbers in the database, until whoever runs MLflow calls `mlflow gc`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pipeline.publish.mlflow_run import KEY_TAG, is_of
from pipeline.storage.mlflow_client import open_store

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PER_REQUEST = 1_000


@dataclass(frozen=True)
class OldRun:
    """A run of a night, and what its files take."""

    run_id: str
    run_date: date
    files_uri: str
    bytes: int


def runs_before(
    monitor: str, first: date, kept: Collection[date], tracking_uri: str, environment: str | None = None
) -> list[OldRun]:
    """The runs of nights before a date, but of those that are kept, and of other installations; oldest first.

    Raises:
        OutletUnavailable, OutletRefused: see `pipeline.publish.mlflow_run.log_night`.
    """
    with open_store(tracking_uri) as client:
        found = ((_day_of(run), run) for run in _runs(client, monitor) if is_of(run, environment))
        old = [(day, run.info) for day, run in found if day is not None and day < first and day not in kept]
        runs = [OldRun(info.run_id, day, info.artifact_uri, _bytes(client, info.run_id)) for day, info in old]
    return sorted(runs, key=lambda run: (run.run_date, run.run_id))


def delete(runs: Iterable[OldRun], tracking_uri: str) -> None:
    """Delete the files of runs, then the runs.

    Raises:
        OutletUnavailable, OutletRefused: as above.
    """
    with open_store(tracking_uri) as client:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        for run in runs:
            get_artifact_repository(run.files_uri, tracking_uri=tracking_uri).delete_artifacts()
            client.delete_run(run.run_id)


def _runs(client: MlflowClient, monitor: str) -> Iterator[Any]:
    experiment = client.get_experiment_by_name(f"monitoring/{monitor}")
    if experiment is None or experiment.lifecycle_stage != "active":
        return
    token = None
    while True:
        page = client.search_runs([experiment.experiment_id], max_results=_PER_REQUEST, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _day_of(run: Any) -> date | None:
    """The date of a night's run; None of a run that somebody else made there."""
    with suppress(ValueError):
        return date.fromisoformat(run.data.tags.get(KEY_TAG, "").rpartition("/")[2])
    return None


def _bytes(client: MlflowClient, run_id: str) -> int:
    return sum(item.file_size or 0 for item in client.list_artifacts(run_id))
