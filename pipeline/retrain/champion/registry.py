"""The model registry: one registered model per monitor in MLflow, and what each version remembers.

A version's tags say what it was trained on (`training_uri`, `training_sha256`), what its files are (`model_sha256`) and
what became of it. The alias `champion` is the single thing that a promotion moves: the champion's tags say which
reference goes with it, so the two cannot get out of step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ModelTampered
from pipeline.results import RetrainResult
from pipeline.retrain.champion.records import Records
from pipeline.retrain.model import model_files
from pipeline.storage.mlflow_client import experiment_id, open_store
from pipeline.storage.scratch import temporary_folder
from pipeline.wording import listed

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from pipeline.storage.run_store import RunStore

log = logging.getLogger(__name__)

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
KEY_TAG = "retrain_key"
_RESULT_FILE = "retrain.json"
_MODEL_FOLDER = "model"
_LONGEST_PARAM = 6000
_NO_SUCH = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"})  # the second for a missing alias


@dataclass(frozen=True)
class Version:
    """A version of the registered model, as the registry knows it. `source` is where MLflow keeps its files."""

    number: str
    run_id: str | None
    source: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """What is registered: the model's folder and everything that is told about it. `key` is monitor and date."""

    key: str
    folder: Path
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


class Registry:
    """The registered model of one monitor. Every method raises OutletUnavailable or OutletRefused when MLflow does.

    With a run store, a version is one only where the store knows it, see `records`.
    """

    def __init__(self, name: str, tracking_uri: str, store: RunStore | None = None) -> None:
        """Connect, so that a registry that is down is known before any work is done.

        Args:
            name: the monitor's.
            tracking_uri: of MLflow.
            store: the run store; without one, whatever the registry says is told.
        """
        self.name = name
        self.tracking_uri = tracking_uri
        self._records = None if store is None else Records(name, store)
        with open_store(tracking_uri) as mlflow:
            mlflow.search_registered_models(max_results=1)

    def version(self, number: str) -> Version | None:
        """A version by its number.

        Raises:
            ModelTampered: somebody else registered it.
        """
        return self._own(self._unless_missing(lambda mlflow: mlflow.get_model_version(self.name, number)))

    def at(self, alias: str) -> Version | None:
        """The version that an alias points to.

        Raises:
            ModelTampered: somebody else registered it.
        """
        return self._own(self._unless_missing(lambda mlflow: mlflow.get_model_version_by_alias(self.name, alias)))

    def _own(self, version: Version | None) -> Version | None:
        if version is None or self._records is None or self._is_own(version):
            return version
        who = f"{self.name} version {version.number}"
        if self._records.none_yet():  # nothing can depend on it, so nobody has to wait until it is removed
            log.warning("%s: Nightjar did not register it, and has trained nothing yet: it is passed over", who)
            return None
        raise ModelTampered(
            f"{who}: Nightjar did not register it as it is now, so it is neither loaded nor promoted, and its training "
            "set is no reference. Find out who did; then delete the version, or point the alias back"
        )

    def _is_own(self, version: Version) -> bool:
        return self._records is None or self._records.agree(version.number, version.run_id, version.tags)

    def _unless_missing(self, ask: Callable[[MlflowClient], Any]) -> Version | None:
        with open_store(self.tracking_uri) as mlflow:
            from mlflow.exceptions import MlflowException

            try:
                return _version(ask(mlflow))
            except MlflowException as error:
                # To an account that is not its administrator, a server with sign-in forbids what is not there.
                if error.error_code in _NO_SUCH or (error.get_http_status_code() == 403 and self._create(mlflow)):
                    return None
                raise

    def _create(self, mlflow: MlflowClient) -> bool:
        """Make the registered model; whether it was not there before."""
        from mlflow.exceptions import MlflowException

        try:
            mlflow.create_registered_model(self.name, tags={"monitor": self.name})
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return False
        return True

    def find(self, key: str) -> Version | None:
        """The newest version of a monitor and date that is Nightjar's own."""
        with open_store(self.tracking_uri) as mlflow:
            found = mlflow.search_model_versions(f"name = '{self.name}' and tags.{KEY_TAG} = '{key}'")
        return max(filter(self._is_own, map(_version, found)), key=lambda item: int(item.number), default=None)

    def numbers(self) -> list[str]:
        """All versions, oldest first."""
        with open_store(self.tracking_uri) as mlflow:
            found = mlflow.search_model_versions(f"name = '{self.name}'")
        return sorted((str(item.version) for item in found), key=int)

    def prepare(self) -> None:
        """Make sure that a run can be recorded, before anything is trained for it.

        Raises:
            OutletRefused: somebody deleted the experiment of the runs.
        """
        with open_store(self.tracking_uri) as mlflow:
            self._experiment(mlflow)

    def _experiment(self, mlflow: MlflowClient) -> str:
        """Retraining runs lie apart from those of the nights."""
        return experiment_id(mlflow, f"retraining/{self.name}")

    def record(self, entry: Entry) -> tuple[str, str]:
        """Log a training run with its files, for `register`; the run's id, and where the model's files lie.

        A run of the same key without a version was left by a process that was killed, and is removed.
        """
        with open_store(self.tracking_uri) as mlflow:
            experiment = self._experiment(mlflow)
            registered = {item.run_id for item in mlflow.search_model_versions(f"name = '{self.name}'")}
            for left in mlflow.search_runs([experiment], f"tags.{KEY_TAG} = '{entry.key}'"):
                if left.info.run_id not in registered:
                    self._forget(left.info.run_id)
                    mlflow.delete_run(left.info.run_id)
            run = mlflow.create_run(experiment, tags={KEY_TAG: entry.key, **entry.tags}, run_name=entry.key)
            run_id = str(run.info.run_id)
            for name, value in entry.params.items():
                mlflow.log_param(run_id, name, value[:_LONGEST_PARAM])
            for name, number in entry.metrics.items():
                mlflow.log_metric(run_id, name, number)
            mlflow.log_artifacts(run_id, str(entry.folder), _MODEL_FOLDER)
            return run_id, f"{run.info.artifact_uri}/{_MODEL_FOLDER}"

    def _forget(self, run_id: str) -> None:
        if self._records is not None:
            self._records.forget(run_id)

    def register(self, run_id: str, source: str, tags: Mapping[str, str], result: bytes) -> Version:
        """Make a recorded run a version, whose tags are there from its first moment on."""
        with open_store(self.tracking_uri) as mlflow, temporary_folder() as folder:
            (folder / _RESULT_FILE).write_bytes(result)
            mlflow.log_artifact(run_id, str(folder / _RESULT_FILE))
            mlflow.set_terminated(run_id)
            self._create(mlflow)
            if self._records is not None:
                self._records.note(run_id, tags)
            version = _version(mlflow.create_model_version(self.name, source, run_id, tags=dict(tags)))
        if self._records is not None:
            self._records.note(run_id, tags, version.number)
        return version

    def complete(self, version: Version) -> None:
        """Keep the number of a version of ours whose process was killed before it could."""
        if self._records is not None and version.run_id is not None:
            self._records.note(version.run_id, version.tags, version.number)

    def result_of(self, version: Version) -> bytes | None:
        """The retraining result that was recorded with a version; None when there is none."""
        if version.run_id is None:
            return None
        with open_store(self.tracking_uri) as mlflow, temporary_folder() as folder:
            if not any(item.path == _RESULT_FILE for item in mlflow.list_artifacts(version.run_id)):
                return None
            return Path(mlflow.download_artifacts(version.run_id, _RESULT_FILE, str(folder))).read_bytes()

    def fetch(self, version: Version, folder: Path) -> Path:
        """The model's files, checked against the digest that was registered with them.

        Raises:
            ModelTampered: they are not the registered ones, or nothing was registered to check them by.
        """
        who = f"{self.name} version {version.number}"
        expected = version.tags.get("model_sha256")
        if expected is None or version.run_id is None:
            raise ModelTampered(f"{who}: Nightjar did not register it, so there is no digest to check its files by")
        with open_store(self.tracking_uri) as mlflow:
            if not any(item.path == _MODEL_FOLDER for item in mlflow.list_artifacts(version.run_id)):
                raise ModelTampered(f"{who}: its files are gone")
            found = Path(mlflow.download_artifacts(version.run_id, _MODEL_FOLDER, str(folder)))
        differing = model_files.differing(found, self._registered_files(version), expected)
        if differing:
            raise ModelTampered(
                f"{who}: its files are not the ones that were registered ({listed(differing)} differs). Find out who "
                "changed them; until then it is neither loaded nor promoted"
            )
        return found

    def _registered_files(self, version: Version) -> dict[str, str]:
        """The digest of each file as it is told with the version; whether that is true, the version's tag says."""
        content = self.result_of(version)
        try:
            lineage = None if content is None else RetrainResult.model_validate_json(content).lineage
        except ValueError:
            return {}
        return {} if lineage is None else lineage.model_files

    def tag(self, version: Version, name: str, value: str) -> None:
        """Set a tag of a version."""
        with open_store(self.tracking_uri) as mlflow:
            mlflow.set_model_version_tag(self.name, version.number, name, value)

    def point(self, alias: str, version: Version | None) -> None:
        """Let an alias point to a version, or to none."""
        with open_store(self.tracking_uri) as mlflow:
            if version is None:
                mlflow.delete_registered_model_alias(self.name, alias)
            else:
                mlflow.set_registered_model_alias(self.name, alias, version.number)

    def model_uri(self, version: Version) -> str:
        """How MLflow names a version."""
        return f"models:/{self.name}/{version.number}"


def _version(found: Any) -> Version:
    return Version(str(found.version), found.run_id or None, str(found.source), dict(found.tags))
