"""A DAG of another team: it starts when the night of `churn` is published, and goes on where the model may be used.

It needs nothing of Nightjar but the name of the asset: what the night came to is in the event.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import Asset, dag, get_current_context, task

NIGHTS = Asset("nightjar/churn/night")
USABLE = ("healthy", "drifted")  # drifted data is news for those who own the model; broken data and a bad model are not


@dag(
    dag_id="after_the_night",
    schedule=[NIGHTS],
    start_date=datetime(2000, 1, 1, tzinfo=UTC),
    catchup=False,
    is_paused_upon_creation=False,
    doc_md=__doc__,
)
def after_the_night() -> None:
    """Wait for the verdict, then use the scores."""

    @task.short_circuit
    def usable() -> list[str]:
        """The days whose scores may be used; where there is none, nothing follows."""
        return _usable_days()

    @task
    def use_scores() -> list[str]:
        """In place of real work."""
        return _usable_days()

    usable() >> use_scores()


def _usable_days() -> list[str]:
    """Of a day that was run again the last verdict counts. Airflow gives all events since this DAG ran before."""
    events = get_current_context()["triggering_asset_events"][NIGHTS]
    verdicts = {event.extra["run_date"]: event.extra["status"] for event in events}
    return sorted(day for day, status in verdicts.items() if status in USABLE)


after_the_night()
