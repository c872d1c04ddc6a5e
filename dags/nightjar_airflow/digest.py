"""One mail a day over all monitors, for people who watch many: who needs somebody, who did not run, what was retrained.

It goes to the addresses in `PIPELINE_DIGEST_TO`; while there are none, the task is skipped and says so. It starts at
`PIPELINE_DIGEST_SCHEDULE` (cron, UTC; 07:00 by default): later than the last monitor's night, or that one is told as
not run. A digest is sent once for its content, so a run that is cleared sends it again only when something has changed.

**When the task is red**, its log ends with the reason: the mail server did not answer or refused, or a variable is
wrong. Repair it, then clear the task.
"""

from __future__ import annotations

import os

from airflow.sdk import DAG, CronDataIntervalTimetable, task
from airflow.sdk.exceptions import AirflowSkipException

from nightjar_airflow.wiring import DIGEST, START_DATE, current_run_date, default_args, is_wanted, run_date_param
from pipeline.config import Settings, load_settings


@task(task_display_name="Send digest", retries=3)
def send_digest() -> str:
    """Mail the digest of the date; returns what was done."""
    from pipeline.steps import telling

    settings = load_settings(os.environ)
    if not settings.digest_to:
        raise AirflowSkipException("nobody gets a digest: PIPELINE_DIGEST_TO is not set")
    return telling.send_digest(settings, current_run_date())


def build(settings: Settings) -> list[DAG]:
    """The digest, if it is wanted."""
    return [_build(settings)] if is_wanted(DIGEST) else []


def _build(settings: Settings) -> DAG:
    with DAG(
        DIGEST,
        dag_display_name="Digest of all monitors",
        description="One mail a day over all monitors, to PIPELINE_DIGEST_TO",
        schedule=CronDataIntervalTimetable(settings.digest_schedule, timezone="UTC"),
        start_date=START_DATE,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        params={"run_date": run_date_param("The day to tell of. Empty: the last whole day (UTC) before the run.")},
        default_args=default_args("nightjar"),
        tags=["nightjar", "digest"],
        doc_md=__doc__,
    ) as dag:
        send_digest()
    return dag
