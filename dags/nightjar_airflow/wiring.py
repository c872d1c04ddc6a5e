"""What the DAGs share: which monitors to build, the date a run is about, and when trying again can help."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import DagIsPaused
from airflow.sdk import (
    DAG,
    Connection,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    get_current_context,
    get_parsing_context,
)
from airflow.sdk.exceptions import AirflowNotFoundException

from pipeline.config import Monitor, Settings, load_settings
from pipeline.config import monitor_files as monitors
from pipeline.config.environment import channel_variable
from pipeline.config.monitor_files import MonitorFiles
from pipeline.config.schedule import day_that_ended, shortest_gap
from pipeline.config.values import check_run_date
from pipeline.errors import NightjarError

if TYPE_CHECKING:
    from pipeline.steps.night import Night

log = logging.getLogger(__name__)

# The ids of the DAGs: a monitor's name stands behind the first two.
NIGHTLY = "nightly_"
RETRAIN = "retrain_"
DIGEST = "nightjar_digest"

# Older than any data, so that every past day can be backfilled. Fixed: a moving one makes a new DAG version per parse.
START_DATE = datetime(2000, 1, 1, tzinfo=UTC)

_RETRYABLE: list[type[BaseException] | str] = [kind for kind in NightjarError.__subclasses__() if kind.retryable]

# Errors that Nightjar does not know, such as a killed worker, are tried again too.
RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=_RETRYABLE, action=RetryAction.RETRY, reason="may be over later"),
        RetryRule(exception=NightjarError, action=RetryAction.FAIL, reason="cannot get better by trying again"),
        RetryRule(exception=DagIsPaused, action=RetryAction.FAIL, reason="waits for a person to unpause it"),
    ]
)


def default_args(owner: str) -> dict[str, Any]:
    """Task arguments unless a task says otherwise.

    The first delay is Airflow's own `[core] default_task_retry_delay` (5 minutes), so that it can be set per site.
    """
    return {
        "owner": owner,
        "retries": 2,
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(hours=1),
        "retry_policy": RETRY_POLICY,
        "execution_timeout": timedelta(minutes=30),
    }


def give_to_team(dag: DAG, monitor: Monitor, settings: Settings) -> None:
    """Let the people of the monitor's team see its DAG and start it, where Airflow has roles: `PIPELINE_AIRFLOW_TEAMS`.

    A role that does not exist would take all DAGs of the file down, so teams without one are left out. Nobody's DAG has
    an empty mapping rather than none, which would leave it to the team that had it before.
    """
    if settings.airflow_teams:
        rights: dict[str, Collection[str]] = {"DAGs": {"can_read", "can_edit"}, "DAG Runs": {"can_read", "can_create"}}
        # Set afterwards: given to DAG() it warns of a module that nobody here imports.
        dag.access_control = {monitor.team: rights} if monitor.team in settings.airflow_teams else {}


def read_monitors(settings: Settings) -> MonitorFiles:
    """The monitors to build DAGs for: all of them, or while a task starts just the one it belongs to.

    Raises:
        ConfigError: there is no folder of monitors. Airflow shows it as an import error of the DAG file.
    """
    dag_id = get_parsing_context().dag_id
    if dag_id == DIGEST:
        return MonitorFiles((), {})
    for prefix in (NIGHTLY, RETRAIN):
        if dag_id is not None and dag_id.startswith(prefix):
            found = monitors.load_all(settings, only=dag_id.removeprefix(prefix))
            if found.monitors:
                return found
    return monitors.load_all(settings)


def is_wanted(dag_id: str) -> bool:
    """Whether a DAG is needed by whoever reads the DAG file: while a task starts, only its own is."""
    return get_parsing_context().dag_id in (None, dag_id)


def run_date_param(description: str) -> Param:
    """The form field of a manual run."""
    return Param(None, type=["null", "string"], format="date", title="Run date", description=description)


def current_run_date() -> date:
    """The date the running task works on."""
    context = get_current_context()
    return run_date_of(context["params"], context.get("data_interval_end"), context["dag_run"].run_after)


def running_night(monitor: str) -> Night:
    """The night that the running task works on; every line of the task's log says which, and which step of it."""
    from structlog.contextvars import bind_contextvars

    from pipeline.steps.night import open_night

    day = current_run_date()
    bind_contextvars(monitor=monitor, date=day.isoformat(), step=get_current_context()["ti"].task_id)
    return open_night(monitor, day)


def run_date_of(params: Mapping[str, Any], data_interval_end: datetime | None, run_after: datetime) -> date:
    """The date a run is about: the one asked for, else the day that ended before its interval did or before it began.

    Args:
        data_interval_end: None for a run that was started without a logical date.
        run_after: when the run was due.
    """
    wanted = params.get("run_date")
    return check_run_date(date.fromisoformat(wanted)) if wanted else day_that_ended(data_interval_end or run_after)


def longest_night(cron: str) -> timedelta:
    """After how long a night is given up, so that it does not hold up the next one: nine tenths of the time to it, but
    20 hours at most, and six at least, as late data is waited for.
    """
    return min(max(shortest_gap(cron) * 9 / 10, timedelta(hours=6)), timedelta(hours=20))


def tell_failure(night: Night, task: str) -> str:
    """Tell the Pushgateway, and a lineage server where one is set, that a night broke; says what the first was told."""
    from pipeline.steps import lineage, nightly

    try:
        return nightly.report_failure(night, task)
    finally:
        lineage.report_failure(night, task)


def report_overdue(monitor: str) -> Callable[[Mapping[str, Any]], None]:
    """Called by Airflow when a run ended badly: tells the Pushgateway of one that was given up, as no task of it can.

    Such a run waited for a task that never came to an end: its worker was killed as it picked the task up, say.
    """

    def told(context: Mapping[str, Any]) -> None:
        if context.get("reason") != "timed_out":
            return
        from pipeline.steps.night import open_night

        run = context.get("dag_run")
        due = datetime.now(UTC) if run is None else run.run_after
        interval_end = None if run is None else getattr(run, "data_interval_end", None)
        day = run_date_of(context.get("params") or {}, interval_end, due)
        log.error("%s", f"{monitor} on {day} was given up: {tell_failure(open_night(monitor, day), 'overdue')}")

    return told


def take_channels_from_connections(monitor: str) -> None:
    """Give this task the addresses of the monitor's chat channels that no variable holds.

    The channel `team-chat` is the Airflow connection `nightjar_team_chat`, with the apprise URL as its password, which
    Airflow keeps encrypted and masks in logs. Nothing in `pipeline` knows of connections.
    """
    settings = load_settings(os.environ)
    for channel in monitors.load(monitor, settings).notify.channels:
        variable = channel_variable(channel)
        if variable in settings.channels:
            continue
        try:
            url = Connection.get(f"nightjar_{channel.replace('-', '_')}").password
        except AirflowNotFoundException:
            continue
        if url:
            os.environ[variable] = url


def is_held_backfill() -> bool:
    """Whether the running task belongs to a backfill that was not told, by its conf, that it may retrain."""
    run = get_current_context()["dag_run"]
    return run.run_type == "backfill" and not (run.conf or {}).get("retrain", False)
