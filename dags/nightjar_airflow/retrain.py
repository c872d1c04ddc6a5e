"""Retrain one monitored model on its reference and the labelled production data up to a date.

Started by the nightly DAG when more columns drifted than the monitor's limit allows, or the model is degraded, at most
once per date (its run id is `retrain__<monitor>__<run date>`), or by hand with the form of a manual run. Runs of one
monitor queue up.

A new model that is no better than the champion, or labels that are too few, are a result: the run is green, and the
task returns it in a sentence. **When the task is red**, its log ends with the reason and what to do:

| What the log says | What to do |
| --- | --- |
| Storage, MLflow or the run store did not answer, or another retraining goes on | Nothing at first: it is tried again. |
| The training set failed a critical expectation, or is not parquet | Repair the data at its source, then clear the task. |
| The trainer raised, took too long, or a model's files are not the registered ones | Read its message; after the repair trigger the DAG by hand with the same run date and *force*. |
| The monitor file or a variable is wrong | Repair it, then clear the task. |

The nightly DAG does not start the same date a second time, so clear or trigger here.
"""  # noqa: E501 (Markdown tables do not wrap)

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, get_current_context, task

from nightjar_airflow import assets
from nightjar_airflow.wiring import (
    RETRAIN,
    START_DATE,
    default_args,
    give_to_team,
    is_wanted,
    run_date_param,
    running_night,
    take_channels_from_connections,
)
from pipeline.config import Monitor, Settings
from pipeline.config.monitor_files import MonitorFiles


@task(task_display_name="Retrain")
def retrain(monitor: str) -> str:
    """Train a challenger and let the gate decide; returns what came of it."""
    from pipeline.steps import retraining as retraining_steps

    take_channels_from_connections(monitor)
    params = get_current_context()["params"]
    result = retraining_steps.retrain(running_night(monitor), params["reason"], params["force"])
    retraining_steps.require_sound(result)
    if result.status == "promoted" and result.lineage is not None:
        told = {"run_date": result.run_date.isoformat(), "version": result.lineage.version, "event": "promoted"}
        assets.tell_champion(monitor, told)
    return result.words


def _timeout(monitor: Monitor) -> timedelta:
    """Room for another retraining that goes on (a manual one, say), for this one, and an hour for everything around."""
    return timedelta(minutes=2 * monitor.retrain.time_limit_minutes, hours=1)


def _build(monitor: Monitor, settings: Settings) -> DAG:
    with DAG(
        f"{RETRAIN}{monitor.name}",
        dag_display_name=f"Retrain: {monitor.name}",
        description=f"Retraining of {monitor.name}, started by its nightly DAG or by hand",
        schedule=None,
        start_date=START_DATE,
        max_active_runs=1,
        dagrun_timeout=3 * _timeout(monitor) + timedelta(hours=6),
        is_paused_upon_creation=False,
        params={
            "run_date": run_date_param("Train on data up to this day. Empty: yesterday (UTC)."),
            "reason": Param("requested by hand", type="string", title="Reason", description="Kept with the model."),
            "force": Param(False, type="boolean", title="Force", description="Train although the date has a model."),
        },
        default_args=default_args(monitor.owner),
        tags=["nightjar", "retrain"],
        doc_md=__doc__,
    ) as dag:
        retrain.override(execution_timeout=_timeout(monitor), outlets=[assets.champions(monitor.name)])(monitor.name)
    give_to_team(dag, monitor, settings)
    return dag


def build(found: MonitorFiles, settings: Settings) -> list[DAG]:
    """The retraining of all monitors that are wanted."""
    return [_build(monitor, settings) for monitor in found.monitors if is_wanted(f"{RETRAIN}{monitor.name}")]
