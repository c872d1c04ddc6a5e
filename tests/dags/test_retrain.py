"""The shape of a retraining DAG."""

from __future__ import annotations

import pytest

from tests.dags.conftest import Parsed

pytestmark = pytest.mark.slow


def test_it_runs_when_triggered_and_never_twice_at_once(parsed: Parsed) -> None:
    dag = parsed.dags["retrain_daily"]

    assert dag["timetable"]["__type"].endswith("NullTimetable")
    assert dag["max_active_runs"] == 1
    assert dag["paused"] is False
    assert dag["tags"] == ["nightjar", "retrain"]


def test_it_is_one_task_that_is_given_time(parsed: Parsed) -> None:
    tasks = parsed.dags["retrain_daily"]["tasks"]

    assert list(tasks) == ["retrain"]
    assert tasks["retrain"]["owner"] == "team@example.com"
    assert tasks["retrain"]["timeout_minutes"] == 2 * 60 + 60  # twice the limit of training, and an hour


def test_it_is_tried_again_only_when_that_can_help(parsed: Parsed) -> None:
    retrain = parsed.dags["retrain_daily"]["tasks"]["retrain"]

    assert retrain["retries"] == 2
    assert retrain["retried"] == ["OutletUnavailable", "SnapshotMissing", "SourceUnavailable", "StoreBusy"]


def test_its_form_asks_for_a_date_a_reason_and_force(parsed: Parsed) -> None:
    params = parsed.dags["retrain_daily"]["params"]

    assert list(params) == ["run_date", "reason", "force"]
    assert params["run_date"]["format"] == "date"
    assert params["force"]["type"] == "boolean"
