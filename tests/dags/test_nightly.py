"""The shape of a nightly DAG: its walk, its rules, its dates, and the trigger of a retraining."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import Parse, Parsed, run_python
from tests.project import Project
from tests.servers.pushgateway import Pushgateway

pytestmark = pytest.mark.slow

RETRYABLE = ["OutletUnavailable", "SnapshotMissing", "SourceUnavailable", "StoreBusy"]
OUTLETS = ["log_run", "push_gauges", "send_summary", "watch_champion"]
WALK = {
    "pull_snapshots": [],
    "validate_quality": ["pull_snapshots"],
    "measure_drift": ["pull_snapshots"],
    "measure_performance": ["pull_snapshots"],
    "decide": ["measure_drift", "measure_performance", "validate_quality"],
    "render_report": ["decide"],
    "log_run": ["render_report"],
    "push_gauges": ["render_report"],
    "send_summary": ["render_report"],
    "watch_champion": ["render_report"],
    "retraining_requested": ["render_report"],
    "trigger_retraining": ["retraining_requested"],
    "require_quality": ["log_run", "push_gauges", "send_summary", "trigger_retraining", "watch_champion"],
    "report_failure": ["log_run", "push_gauges", "send_summary", "trigger_retraining", "watch_champion"],
}
RUN_DATES = [
    # asked for, end of the data interval, due at, run date
    (None, "2026-01-15T02:00+00:00", "2026-01-15T02:00+00:00", "2026-01-14"),
    (None, "2026-01-15T00:00+00:00", "2026-01-15T00:00+00:00", "2026-01-14"),
    (None, "2026-01-15T23:59+00:00", "2026-01-16T08:00+00:00", "2026-01-14"),
    (None, "2026-01-15T00:30+02:00", "2026-01-15T00:30+02:00", "2026-01-13"),
    (None, None, "2026-01-15T09:30+00:00", "2026-01-14"),
    (None, None, "2026-03-01T00:00+00:00", "2026-02-28"),
    ("", None, "2026-01-15T09:30+00:00", "2026-01-14"),
    ("2026-01-03", "2026-01-15T02:00+00:00", "2026-01-15T02:00+00:00", "2026-01-03"),
    ("2026-01-03", None, "2026-01-15T09:30+00:00", "2026-01-03"),
]


@pytest.fixture(scope="module")
def daily(parsed: Parsed) -> dict[str, Any]:
    dag: dict[str, Any] = parsed.dags["nightly_daily"]
    return dag


def test_the_walk_is_one_task_per_step_in_order(daily: dict[str, Any]) -> None:
    assert {name: task["after"] for name, task in daily["tasks"].items()} == WALK


def test_whoever_waits_for_a_verdict_or_a_champion_has_assets_to_wait_for(parsed: Parsed) -> None:
    tasks = {**parsed.dags["nightly_daily"]["tasks"], **parsed.dags["retrain_daily"]["tasks"]}
    assert {name: task["outlets"] for name, task in tasks.items() if task["outlets"]} == {
        "render_report": ["nightjar/daily/night"],
        "watch_champion": ["nightjar/daily/champion-changed"],
        "retrain": ["nightjar/daily/champion-changed"],
    }


def test_a_lineage_server_is_an_outlet_like_others_where_one_is_set(project: Project, parse: Parse) -> None:
    project.write_suite()
    project.write_monitor()
    tasks = parse(project, OPENLINEAGE_URL="http://lineage:5000").dags["nightly_people"]["tasks"]
    assert tasks["send_lineage"]["after"] == ["render_report"]
    for last in ("require_quality", "report_failure"):
        assert tasks[last]["after"] == sorted([*WALK[last], "send_lineage"])


def test_the_leaves_fail_the_run_whenever_a_task_failed(daily: dict[str, Any]) -> None:
    """`none_failed` makes `require_quality` upstream_failed, whatever `report_failure` ends as."""
    upstream = {name for task in daily["tasks"].values() for name in task["after"]}

    assert sorted(set(daily["tasks"]) - upstream) == ["report_failure", "require_quality"]
    assert daily["tasks"]["require_quality"]["rule"] == "none_failed"
    assert daily["tasks"]["report_failure"]["rule"] == "one_failed"


def test_all_other_tasks_need_everything_before_them(daily: dict[str, Any]) -> None:
    rules = {name: task["rule"] for name, task in daily["tasks"].items()}

    assert {rule for name, rule in rules.items() if name not in ("require_quality", "report_failure")} == {
        "all_success"
    }


def test_retraining_waits_for_the_report_but_for_no_outlet(daily: dict[str, Any]) -> None:
    before, waiting = set[str](), ["trigger_retraining"]
    while waiting:
        after = daily["tasks"][waiting.pop()]["after"]
        before.update(after)
        waiting += after

    assert "render_report" in before
    assert not before & set(OUTLETS)


def test_a_retraining_is_triggered_once_per_monitor_and_date(daily: dict[str, Any]) -> None:
    assert daily["tasks"]["trigger_retraining"]["trigger"] == {
        "trigger_dag_id": "retrain_daily",
        "trigger_run_id": "retrain__daily__{{ ti.xcom_pull(task_ids='render_report')['run_date'] }}",
        "logical_date": None,
        "conf": {
            "run_date": "{{ ti.xcom_pull(task_ids='render_report')['run_date'] }}",
            "reason": "{{ ti.xcom_pull(task_ids='render_report')['reason'] }}",
        },
        "skip_when_already_exists": True,
        "fail_when_dag_is_paused": True,
        "wait_for_completion": False,
        "reset_dag_run": False,
    }


def test_tasks_are_tried_again_only_after_errors_that_may_pass(daily: dict[str, Any]) -> None:
    retried = {name: task["retried"] for name, task in daily["tasks"].items()}

    assert retried.pop("require_quality") == []
    assert all(kinds == RETRYABLE for kinds in retried.values())


def test_late_data_is_waited_for_longest(daily: dict[str, Any]) -> None:
    retries = {name: task["retries"] for name, task in daily["tasks"].items()}

    assert retries["pull_snapshots"] == max(retries.values()) == 5
    assert all(task["backoff"] == 2.0 for task in daily["tasks"].values())


def test_every_task_has_an_owner_a_name_and_a_limit_in_time(daily: dict[str, Any]) -> None:
    for name, task in daily["tasks"].items():
        assert task["owner"] == "team@example.com"
        assert task["display_name"] != name
        assert 0 < task["timeout_minutes"] <= 180


def test_the_dag_runs_one_night_at_a_time_and_from_now_on(daily: dict[str, Any]) -> None:
    assert daily["max_active_runs"] == 1
    assert daily["catchup"] is False
    assert daily["paused"] is False
    assert daily["tags"] == ["nightjar", "nightly"]
    assert daily["description"] == "Scores people"


def test_a_night_that_never_ends_is_given_up_before_the_next_is_due(parsed: Parsed) -> None:
    found = {name: parsed.dags[f"nightly_{name}"] for name in ("daily", "weekly", "hourly")}
    assert {name: dag["timeout_hours"] for name, dag in found.items()} == {"daily": 20, "weekly": 20, "hourly": 6}
    assert all(dag["tells_failure"] for dag in found.values())


@pytest.mark.parametrize(("reason", "told"), [("timed_out", ["overdue"]), ("task_failure", [])])
def test_a_night_that_was_given_up_is_told_to_the_gateway(
    project: Project, pushgateway: Pushgateway, tmp_path: Path, reason: str, told: list[str]
) -> None:
    project.write_suite()
    project.write_monitor()
    script = f"from nightjar_airflow.wiring import report_overdue; report_overdue('people')({{'reason': {reason!r}}})"
    variables = {"PIPELINE_HOME": str(project.root), "PIPELINE_PUSHGATEWAY_URL": pushgateway.url}
    done = run_python(tmp_path, variables, "-c", script)
    assert done.returncode == 0, done.stderr
    found = pushgateway.samples("model_monitor_last_failure_timestamp_seconds")
    assert [sample.labels["task"] for sample in found] == told


def test_the_documentation_says_where_data_comes_from_and_what_to_do(daily: dict[str, Any]) -> None:
    for fact in ("Scores people", "data/production/dt={date}/", "expectations/people.json", "team@example.com"):
        assert fact in daily["doc"]
    assert "--dag-id nightly_daily" in daily["doc"]
    assert all(f"`{name}`" in daily["doc"] for name in daily["tasks"])


def test_the_documentation_says_which_data_the_reference_is_where_it_follows_the_champion(parsed: Parsed) -> None:
    reference = "* Reference: `what the champion was trained on; until there is one, data/first/`"
    assert reference in parsed.dags["nightly_weekly"]["doc"]


def test_the_form_of_a_manual_run_asks_for_the_date(daily: dict[str, Any]) -> None:
    assert daily["params"]["run_date"]["type"] == ["null", "string"]
    assert daily["params"]["run_date"]["format"] == "date"


@pytest.mark.parametrize("name", ["daily", "midnight"])
def test_a_backfill_looks_at_each_day_it_was_asked_for(parsed: Parsed, name: str) -> None:
    days = [(date(2026, 1, 5) + timedelta(days=offset)).isoformat() for offset in range(10)]

    assert parsed.dags[f"nightly_{name}"]["backfill"] == days


def test_an_hourly_run_looks_at_the_last_whole_day(parsed: Parsed) -> None:
    days = parsed.dags["nightly_hourly"]["backfill"]

    assert days[0] == "2026-01-04"
    assert days[-1] == "2026-01-14"  # the interval that ends at midnight


def test_a_weekly_run_looks_at_the_day_before_it_starts(parsed: Parsed) -> None:
    assert parsed.dags["nightly_weekly"]["backfill"] == ["2026-01-11", "2026-01-18"]  # Sundays; it starts on Mondays


def test_run_dates(tmp_path: Path) -> None:
    script = (
        "import json, sys, warnings\n"
        "warnings.filterwarnings('ignore', '.*determine_kwargs')  # Airflow, of its own old name\n"
        "from datetime import datetime\n"
        "from nightjar_airflow.wiring import run_date_of\n"
        "at = lambda text: text and datetime.fromisoformat(text)\n"
        "cases = json.loads(sys.argv[1])\n"
        "found = [run_date_of({'run_date': wanted}, at(end), at(due)) for wanted, end, due, _ in cases]\n"
        "print(json.dumps([str(day) for day in found]))\n"
    )

    done = run_python(tmp_path, {}, "-W", "error", "-c", script, json.dumps(RUN_DATES))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [expected for *_, expected in RUN_DATES]
