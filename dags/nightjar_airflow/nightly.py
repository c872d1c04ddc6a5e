"""One night of one monitored model: pull the snapshots, check them, decide, publish, ask for retraining if need be.

Drift or a degraded model is a verdict and leaves the run green, and so are too few rows to tell (on a budget of alarms), which
ask for nothing. The run is red when something broke, or when the data failed a critical expectation; in the second case
everything was published before, so read the report first.

**Which date?** The run date is the last whole day (UTC) before the run's data interval ended: the run that starts on
the 15th at 02:00 is about the 14th. A manual run takes the date of its form, else yesterday.

**Run a night again:** clear the run, or trigger a new one with its run date. Files, gauges and the MLflow run are
replaced, an unchanged mail is not sent again, and a retraining is started at most once per date. One run goes on at a
time: while it waits for late data, others queue. A run that is still not over shortly before the next one is due, or after
20 hours, is given up: a task that was lost with its worker would hold up every later night.

**Catch up on past dates**, oldest first. Airflow compares moments: without a time, the last date would be left out.

    airflow backfill create --dag-id nightly_NAME --from-date 2026-01-01 --to-date 2026-01-14T23:59 --max-active-runs 1

A backfilled night starts no retraining, unless the backfill says so: `--dag-run-conf '{"retrain": true}'`.

**When a task is red**, its log ends with the reason, the object concerned and what to do.

| Task | What it means | What to do |
| --- | --- | --- |
| `pull_snapshots` | A snapshot is late, missing, not parquet, or the storage refused. | Late data is waited for (some hours of retries). Else repair what the message names and clear the task. |
| `validate_quality`, `measure_drift`, `measure_performance` | The pinned data was overwritten or removed, or the storage does not answer. | Clear `pull_snapshots` with everything after it. |
| `decide`, `render_report` | A result is missing, or the run store cannot be written. | Clear the run from `pull_snapshots`; check `PIPELINE_STORE`. |
| `log_run`, `push_gauges`, `send_summary`, `send_lineage` | MLflow, the Pushgateway, the mail server or the lineage server did not answer or refused. The night itself is published, and its page names who lacks it. | Repair the outlet, then clear the task; nothing is measured again and nobody is told twice. |
| `watch_champion` | A new champion is worse and a retraining is going on, or somebody could not be told that the champion was moved. | It is tried again for some hours; repair the outlet that the log names, then clear the task: nothing is done twice. |
| `retraining_requested`, `trigger_retraining` | The retraining DAG is paused or missing. | Unpause it, then clear the task. |
| `require_quality` | The data failed a critical expectation, or a measurement, file or page of the night broke: the log names it. Everything else was published; on broken data nothing is retrained. | Read the report, repair the data at its source, the suite or the monitor file, clear the run. |
| `report_failure` | Runs only when another task is red, and tells the Pushgateway, and the lineage server where one is set. | Look at the other red task first. |
| none, and the run failed with tasks skipped | It was given up, as a task never came to an end; the Pushgateway has the failure `overdue`. | Look for the task that was queued or running last, and at its worker; clear the run. |
| `configuration` | The only task when the monitor file is wrong. | Repair the file; the nights come back by themselves. |
"""  # noqa: E501 (Markdown tables do not wrap)

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG, CronDataIntervalTimetable, TriggerRule, get_current_context, task

from nightjar_airflow import assets
from nightjar_airflow.wiring import (
    NIGHTLY,
    RETRAIN,
    START_DATE,
    default_args,
    give_to_team,
    is_held_backfill,
    is_wanted,
    longest_night,
    report_overdue,
    run_date_param,
    running_night,
    take_channels_from_connections,
    tell_failure,
)
from pipeline.config import Monitor, Settings
from pipeline.config.monitor_files import MonitorFiles
from pipeline.errors import ConfigError

DEFAULT_SCHEDULE = "0 2 * * *"
PUBLISHED = "ti.xcom_pull(task_ids='render_report')"
PATIENT: dict[str, Any] = {"retries": 5}  # for data that is late: two to three hours with Airflow's default delay
LONG: dict[str, Any] = {"execution_timeout": timedelta(hours=3)}
OVER = ("success", "failed", "upstream_failed", "skipped")


@task(task_display_name="Pull snapshots", **PATIENT, **LONG)
def pull_snapshots(monitor: str) -> dict[str, int]:
    """Pin the reference and the production snapshot of the date."""
    from pipeline.steps import nightly as steps

    pair = steps.pull_snapshots(running_night(monitor))
    return {"reference_rows": pair.reference.rows, "production_rows": pair.production.rows}


@task(task_display_name="Validate quality", **LONG)
def validate_quality(monitor: str) -> dict[str, Any]:
    """Run the expectation suite. Failed expectations are a result; they turn the run red only at its end."""
    from pipeline.steps import nightly as steps

    quality = steps.validate_quality(running_night(monitor))
    return {"passed": quality.passed, "failed": len(quality.failures), "expectations": len(quality.outcomes)}


@task(task_display_name="Measure drift", **LONG)
def measure_drift(monitor: str) -> dict[str, Any]:
    """Compare every column with the reference."""
    from pipeline.steps import nightly as steps

    drift = steps.measure_drift(running_night(monitor))
    return {"drift_share": drift.drift_share, "drifted": drift.drifted, "evaluated": drift.evaluated}


@task(task_display_name="Measure performance", **LONG)
def measure_performance(monitor: str) -> dict[str, Any]:
    """Judge the model on the labels that have come, and on what is expected without them."""
    from pipeline.steps import nightly as steps

    performance = steps.measure_performance(running_night(monitor))
    verdict = performance.verdict
    return {
        "status": performance.status,
        "realised": performance.realised,
        "verdict": None if verdict is None else verdict.status,
    }


@task(task_display_name="Decide")
def decide(monitor: str) -> dict[str, Any]:
    """Come to the verdict of the night."""
    from pipeline.steps import nightly as steps

    night = running_night(monitor)
    verdict = steps.decide(night, backfill=is_held_backfill())
    return {
        "run_date": night.run_date.isoformat(),
        "status": verdict.status,
        "retrain": verdict.retrain,
        "reason": verdict.reason,
    }


@task(task_display_name="Render report")
def render_report(monitor: str) -> dict[str, Any]:
    """Publish the night whole, and tell whoever waits for its verdict; returns that."""
    from pipeline.steps import nightly as steps
    from pipeline.steps import views

    night = running_night(monitor)
    steps.render_report(night, airflow_run=get_current_context()["run_id"])
    verdict = views.published_verdict(night)
    assets.tell_night(monitor, verdict)
    return verdict


@task(task_display_name="Log run to MLflow", retries=3)
def log_run(monitor: str) -> str:
    """Record the night in MLflow; returns the run's id."""
    from pipeline.steps import nightly as steps

    return steps.log_run(running_night(monitor))


@task(task_display_name="Push gauges", retries=3)
def push_gauges(monitor: str) -> str:
    """Push the night's gauges; returns where to."""
    from pipeline.steps import nightly as steps

    return steps.push_gauges(running_night(monitor))


@task(task_display_name="Send summary", retries=3)
def send_summary(monitor: str) -> str:
    """Tell the night by mail and chat, once; returns what was done."""
    from pipeline.steps import nightly as steps

    take_channels_from_connections(monitor)
    return steps.send_summary(running_night(monitor))


@task(task_display_name="Send lineage", retries=3)
def send_lineage(monitor: str) -> str:
    """Send the night's OpenLineage events; returns what was done."""
    from pipeline.steps import lineage as steps

    night = running_night(monitor)
    return steps.send_lineage(night) if steps.is_wanted(night) else "OPENLINEAGE_URL is not set"


@task(task_display_name="Watch champion", **PATIENT, **LONG)
def watch_champion(monitor: str) -> str:
    """Let the champion before a new one answer the same rows, roll back where it is better; returns what was found."""
    from pipeline.steps import probation as steps

    take_channels_from_connections(monitor)
    night = running_night(monitor)
    found = steps.watch_champion(night)
    if found.probation is not None and found.rolled_back:
        version = found.probation.against
        assets.tell_champion(
            monitor, {"run_date": night.run_date.isoformat(), "version": version, "event": "rolled_back"}
        )
    return found.words


# Without the argument it would skip `require_quality` too, and a night of broken data would end green.
@task.short_circuit(task_display_name="Retraining requested?", ignore_downstream_trigger_rules=False)
def retraining_requested() -> bool:
    """Go on to the trigger only when the published verdict asks for it, and not in a backfill: a night that asked
    when it was new still says so, and what it asked for was started then.
    """
    return bool(get_current_context()["ti"].xcom_pull(task_ids="render_report")["retrain"]) and not is_held_backfill()


@task(task_display_name="Require quality", trigger_rule=TriggerRule.NONE_FAILED, retries=0)
def require_quality(monitor: str) -> None:
    """End the run as failed when a critical expectation failed, or (by its rule) when an earlier task did."""
    from pipeline.steps import nightly as steps

    steps.require_quality(running_night(monitor))


# A sensor, because its rule starts it at the first failure, and gauges pushed after that would wipe the failure out.
@task.sensor(
    task_display_name="Report failure", trigger_rule=TriggerRule.ONE_FAILED, mode="reschedule", poke_interval=15
)
def report_failure(monitor: str) -> bool:
    """Tell the Pushgateway that this night broke, and where, once `push_gauges` is over."""
    states = _task_states()
    if states.get("push_gauges") not in OVER:
        return False
    failed = (task_id for task_id, state in states.items() if state == "failed")
    tell_failure(running_night(monitor), next(failed, "unknown"))
    return True


def _task_states() -> dict[str, str | None]:
    """The state of every task of this run, in the order of the walk."""
    context = get_current_context()
    dag, run_id = context["dag"], context["run_id"]
    states = context["ti"].get_task_states(dag_id=dag.dag_id, run_ids=[run_id])[run_id]
    return {task_id: states.get(task_id) for task_id in dag.task_ids}


def _trigger_retraining(monitor: Monitor) -> TriggerDagRunOperator:
    """Starts the retraining DAG at most once per monitor and date.

    The fixed run id makes the second try a skip. Without a logical date, as two nights could share one. A run behind
    a paused DAG would only queue, unseen, so that is a failure.
    """
    return TriggerDagRunOperator(
        task_id="trigger_retraining",
        task_display_name="Trigger retraining",
        trigger_dag_id=f"{RETRAIN}{monitor.name}",
        trigger_run_id=f"retrain__{monitor.name}__{{{{ {PUBLISHED}['run_date'] }}}}",
        logical_date=None,
        conf={"run_date": f"{{{{ {PUBLISHED}['run_date'] }}}}", "reason": f"{{{{ {PUBLISHED}['reason'] }}}}"},
        skip_when_already_exists=True,
        fail_when_dag_is_paused=True,
    )


def _walk(monitor: Monitor) -> None:
    """The steps of a night in their order; call it inside the DAG."""
    name = monitor.name
    pulled = pull_snapshots(name)
    measured = [validate_quality(name), measure_drift(name), measure_performance(name)]
    decided = decide(name)
    report = render_report.override(outlets=[assets.nights(name)])(name)
    watched = watch_champion.override(outlets=[assets.champions(name)])(name)
    outlets = [log_run(name), push_gauges(name), send_summary(name), watched]
    if os.environ.get("OPENLINEAGE_URL"):
        outlets.append(send_lineage(name))
    requested = retraining_requested()
    triggered = _trigger_retraining(monitor)

    pulled >> measured >> decided >> report >> [*outlets, requested]
    requested >> triggered  # not behind the outlets: a mail server that is down does not stop retraining
    # Leaves decide the run's state: whatever failed before, `require_quality` is then upstream_failed, and so the run
    # is red although `report_failure` succeeds.
    [*outlets, triggered] >> require_quality(name)
    [*outlets, triggered] >> report_failure(name)


def _facts(monitor: Monitor) -> str:
    """Where this monitor's data comes from and who is told."""
    rows = {
        "Model": monitor.description,
        "Owner": monitor.owner,
        "Team": monitor.team or "",
        "Reference": monitor.snapshots.reference_words(),
        "Production": monitor.snapshots.production,
        "Labels": monitor.snapshots.labels or "",
        "Suite": f"expectations/{monitor.quality.suite}.json",
        "Retraining": monitor.due_words,
        "Mail": ", ".join(monitor.notify.email),
    }
    lines = [f"* {key}: `{value.replace('`', ' ')}`" for key, value in rows.items() if value]
    return "\n".join([f"### Monitor {monitor.name}", "", *lines, "", "### Runbook", "", ""])


def _build(monitor: Monitor, settings: Settings) -> DAG:
    with DAG(
        f"{NIGHTLY}{monitor.name}",
        dag_display_name=f"Nightly: {monitor.name}",
        description=monitor.description or f"Nightly monitor of {monitor.name}",
        schedule=CronDataIntervalTimetable(monitor.schedule, timezone="UTC"),
        start_date=START_DATE,
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=longest_night(monitor.schedule),
        on_failure_callback=report_overdue(monitor.name),
        is_paused_upon_creation=False,
        params={"run_date": run_date_param("The day to look at. Empty: the last whole day (UTC) before the run.")},
        default_args=default_args(monitor.owner),
        tags=["nightjar", "nightly"],
        doc_md=_facts(monitor) + (__doc__ or "").replace("nightly_NAME", f"{NIGHTLY}{monitor.name}"),
    ) as dag:
        _walk(monitor)
    give_to_team(dag, monitor, settings)
    return dag


def _build_broken(dag_id: str, name: str, error: ConfigError) -> DAG:
    """Stands in for a monitor whose file is wrong, so that it is red instead of missing."""
    problems = "\n".join(f"    {line}" for problem in error.problems for line in problem.splitlines())
    with DAG(
        dag_id,
        dag_display_name=f"Nightly: {name} (broken configuration)",
        description="The monitor file is wrong: see the documentation of this DAG",
        schedule=CronDataIntervalTimetable(DEFAULT_SCHEDULE, timezone="UTC"),
        start_date=START_DATE,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["nightjar", "nightly", "broken-configuration"],
        doc_md=f"The monitor file is wrong, and nothing is monitored until it is repaired:\n\n{problems}\n",
    ) as dag:

        @task(task_display_name="Configuration", retries=0)
        def configuration() -> None:
            """Fail with every problem of the monitor file."""
            raise error

        configuration()
    return dag


def _free_id(stem: str, taken: set[str]) -> str:
    """A valid DAG id for a file whose name may not be one, and that no other monitor has."""
    dag_id = NIGHTLY + re.sub(r"[^A-Za-z0-9_-]", "_", stem)[:200]
    while dag_id in taken:
        dag_id += "_broken"
    return dag_id


def build(found: MonitorFiles, settings: Settings) -> list[DAG]:
    """The nights of all monitors that are wanted, and a stand-in for each file that is wrong."""
    taken = {f"{NIGHTLY}{monitor.name}" for monitor in found.monitors}
    built = [_build(monitor, settings) for monitor in found.monitors if is_wanted(f"{NIGHTLY}{monitor.name}")]
    for name, error in sorted(found.errors.items()):
        dag_id = _free_id(Path(name).stem, taken)
        taken.add(dag_id)
        if is_wanted(dag_id):
            built.append(_build_broken(dag_id, name, error))
    return built
