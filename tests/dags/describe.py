"""Reads DAG files as Airflow does and writes what came of it as JSON: `python describe.py RESULT FOLDER`.

A program of its own, because importing Airflow sets up logging and reads its configuration for the whole process.
Warnings are errors here too, apart from those named below.
"""

from __future__ import annotations

import json
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HEAVY = (
    "boto3", "duckdb", "evidently", "great_expectations", "mlflow", "numpy", "pandas", "pyarrow", "scipy", "skops",
    "sklearn",
)  # fmt: skip


def main() -> None:
    """Describe all DAGs, and what reading them imported."""
    warnings.simplefilter("error")
    # Airflow reads .airflowignore with a class that pathspec has renamed.
    warnings.filterwarnings("ignore", "GitWildMatchPattern", DeprecationWarning, module=r"pathspec\.pattern")
    # Airflow's sensor decorator imports a function from its old place.
    sensors = r"airflow\.providers\.standard\.sensors\.python"
    warnings.filterwarnings("ignore", r".*operator_helpers\.determine_kwargs", module=sensors)

    from airflow.dag_processing.dagbag import DagBag

    result, folder = map(Path, sys.argv[1:])
    bag = DagBag(folder, bundle_path=folder, bundle_name="dags-folder")
    described = {
        "files": [stat.file for stat in bag.dagbag_stats],
        "errors": bag.import_errors,
        "dags": {dag_id: _describe(dag) for dag_id, dag in bag.dags.items()},
        "heavy": [name for name in HEAVY if name in sys.modules],
    }
    result.write_text(json.dumps(described), encoding="utf-8")


def _describe(dag: Any) -> dict[str, Any]:
    from airflow.serialization.serialized_objects import DagSerialization

    serialized = DagSerialization.to_dict(dag)
    return {
        "serialized": json.dumps(serialized, sort_keys=True),  # as Airflow compares two versions of a DAG
        "file": dag.fileloc,
        "display_name": dag.dag_display_name,
        "description": dag.description,
        "doc": dag.doc_md,
        "tags": sorted(dag.tags),
        "access_control": _rights(dag.access_control),
        "timetable": serialized["dag"]["timetable"],
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "timeout_hours": dag.dagrun_timeout.total_seconds() / 3600 if dag.dagrun_timeout else None,
        "tells_failure": bool(dag.on_failure_callback),
        "paused": dag.is_paused_upon_creation,
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "tasks": {task.task_id: _describe_task(task) for task in dag.tasks},
        "backfill": _backfill(serialized),
    }


def _describe_task(task: Any) -> dict[str, Any]:
    return {
        "display_name": task.task_display_name,
        "after": sorted(task.upstream_task_ids),
        "owner": task.owner,
        "outlets": [outlet.name for outlet in task.outlets],
        "rule": str(task.trigger_rule.value),
        "retries": task.retries,
        "backoff": task.retry_exponential_backoff,
        "timeout_minutes": task.execution_timeout and task.execution_timeout.total_seconds() / 60,
        "retried": _retried(task),
        "trigger": {
            name: getattr(task, name)
            for name in (
                "trigger_dag_id", "trigger_run_id", "logical_date", "conf", "skip_when_already_exists",
                "fail_when_dag_is_paused", "wait_for_completion", "reset_dag_run",
            )
            if hasattr(task, name)
        },
    }  # fmt: skip


def _rights(by_role: Any) -> Any:
    """Who may do what, as JSON can say it."""
    if by_role is None:
        return None
    return {role: {place: sorted(actions) for place, actions in rights.items()} for role, rights in by_role.items()}


def _retried(task: Any) -> list[str]:
    """The errors of Nightjar after which the task is tried again."""
    from airflow.sdk import RetryAction

    from pipeline import errors

    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.NightjarError)
    ]
    special: dict[type[Exception], tuple[Any, ...]] = {
        errors.ConfigError: (["a problem"],),
        errors.Unexpected: ("a part", KeyError()),
        errors.NightIncomplete: ("a problem", errors.ExitCode.UNEXPECTED),
    }
    instances = [kind(*special.get(kind, ("a problem",))) for kind in kinds]
    if task.retries == 0 or task.retry_policy is None:
        return []
    decisions = {type(error).__name__: task.retry_policy.evaluate(error, 1, 2).action for error in instances}
    return sorted(name for name, action in decisions.items() if action is not RetryAction.FAIL)


def _backfill(serialized: dict[str, Any]) -> list[str]:
    """The run dates of `airflow backfill create --from-date 2026-01-05 --to-date 2026-01-14T23:59`."""
    from airflow.serialization.serialized_objects import DagSerialization

    from nightjar_airflow.wiring import run_date_of

    dag = DagSerialization.from_dict(serialized)
    if not dag.timetable.periodic:
        return []
    infos = dag.iter_dagrun_infos_between(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 14, 23, 59, tzinfo=UTC))
    intervals = [info.data_interval for info in infos if info.data_interval is not None]
    dates = [run_date_of({"run_date": None}, interval.end, interval.end) for interval in intervals]
    return [day.isoformat() for day in dict.fromkeys(dates)]


if __name__ == "__main__":
    main()
