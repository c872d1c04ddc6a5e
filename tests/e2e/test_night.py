"""Nights through the real scheduler, on the demo's data."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

import pytest

from demo.airflow_client import AirflowFailed
from pipeline.config import load_settings
from pipeline.publish.facts.night import Runs
from pipeline.steps.doctor.airflow import dags
from tests.e2e.conftest import SECOND, WAITING, World

pytestmark = pytest.mark.slow

QUIET, BROKEN, DRIFTED = "2026-01-02", "2026-01-11", "2026-01-14"
PUBLISHED = {"index.html", "drift_report.html", "summary.eml", "gauges.prom", "decision.json"}


@pytest.fixture(scope="module")
def drifted(world: World) -> tuple[str, str]:
    """A night far over the limit: its run id and its state."""
    return world.night("churn", DRIFTED)


def test_a_quiet_night_succeeds_and_triggers_nothing(world: World) -> None:
    before = world.retrainings("churn")

    run_id, state = world.night("churn", QUIET)

    states = world.airflow.task_states("nightly_churn", run_id)
    assert state == "success"
    assert {name for name, task in states.items() if task == "skipped"} == {"trigger_retraining", "report_failure"}
    assert world.airflow.result("nightly_churn", run_id, "decide")["status"] == "healthy"
    assert world.retrainings("churn") == before
    assert _published(world, "churn", QUIET) >= PUBLISHED
    assert world.chats[-1].startswith(f"[churn] healthy: none of 10 columns drifted on {QUIET}")
    recorded = Runs(airflow=run_id, mlflow=world.airflow.result("nightly_churn", run_id, "log_run"))
    assert world.store.read_result("churn", date.fromisoformat(QUIET), Runs.file, Runs) == recorded


def test_a_drifted_night_is_a_success_and_starts_one_retraining(world: World, drifted: tuple[str, str]) -> None:
    run_id, state = drifted

    retraining = world.airflow.run("retrain_churn", f"retrain__churn__{DRIFTED}")
    assert state == "success"
    assert world.retrainings("churn") == [retraining.run_id]
    assert retraining.conf == {
        "run_date": DRIFTED,
        "reason": world.airflow.result("nightly_churn", run_id, "decide")["reason"],
    }


def test_the_retraining_ends_well(world: World, drifted: tuple[str, str]) -> None:
    assert world.airflow.wait_run("retrain_churn", f"retrain__churn__{DRIFTED}") == "success"


def test_a_second_run_of_a_drifted_night_starts_no_second_retraining(world: World, drifted: tuple[str, str]) -> None:
    mails = len(world.mail.mails)

    run_id, state = world.night("churn", DRIFTED)

    assert state == "success"
    assert world.airflow.task_states("nightly_churn", run_id)["trigger_retraining"] == "skipped"
    assert world.retrainings("churn") == [f"retrain__churn__{DRIFTED}"]
    assert len(world.mail.mails) == mails


def test_clearing_a_drifted_night_starts_no_second_retraining(world: World, drifted: tuple[str, str]) -> None:
    run_id, _ = drifted

    world.airflow.clear("nightly_churn", run_id, "retraining_requested")

    assert world.airflow.wait_run("nightly_churn", run_id) == "success"
    assert world.airflow.task_states("nightly_churn", run_id)["trigger_retraining"] == "skipped"
    assert world.retrainings("churn") == [f"retrain__churn__{DRIFTED}"]


def test_broken_data_ends_the_run_failed_after_everything_was_published(world: World) -> None:
    mails = len(world.mail.mails)

    run_id, state = world.night("churn", BROKEN)

    states = world.airflow.task_states("nightly_churn", run_id)
    assert state == "failed"
    assert {name for name, task in states.items() if task != "success"} == {
        "require_quality", "trigger_retraining", "report_failure",
    }  # fmt: skip
    assert states["require_quality"] == "failed"
    assert world.airflow.task_tries("nightly_churn", run_id)["require_quality"] == 1
    assert world.airflow.result("nightly_churn", run_id, "decide")["status"] == "data_broken"
    assert f"retrain__churn__{BROKEN}" not in world.retrainings("churn")
    assert _published(world, "churn", BROKEN) >= PUBLISHED
    assert len(world.mail.mails) == mails + 1


def test_a_broken_outlet_fails_the_run_but_not_the_retraining(world: World) -> None:
    world.mail.refuse("554 5.7.1 No thanks", times=1)
    sent = len(world.gateway.requests)

    run_id, state = world.night(SECOND, DRIFTED)

    states = world.airflow.task_states(f"nightly_{SECOND}", run_id)
    assert state == "failed"
    assert states["send_summary"] == "failed"
    assert states["require_quality"] == "upstream_failed"
    assert states["report_failure"] == "success"
    assert world.airflow.task_tries(f"nightly_{SECOND}", run_id)["send_summary"] == 1  # a final no
    assert world.retrainings(SECOND) == [f"retrain__{SECOND}__{DRIFTED}"]
    group = f"/metrics/job/nightjar/monitor/{SECOND}"  # and not that of the retraining, which goes on beside
    pushes = [request.body for request in world.gateway.requests[sent:] if request.path == group]
    assert b'last_failure_timestamp_seconds{task="send_summary"}' in pushes[-1]


def test_late_data_is_waited_for(world: World) -> None:
    day = "2026-02-03"
    run_id = world.airflow.trigger(f"nightly_{SECOND}", {"run_date": day})
    deadline = time.monotonic() + 120
    while world.airflow.task_states(f"nightly_{SECOND}", run_id)["pull_snapshots"] != "up_for_retry":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    production = world.root / "data" / "churn" / "production"

    (production / f"dt={QUIET}").rename(production / f"dt={day}")
    try:
        state = world.airflow.wait_run(f"nightly_{SECOND}", run_id)
    finally:
        (production / f"dt={day}").rename(production / f"dt={QUIET}")

    assert state == "success"
    assert world.airflow.task_tries(f"nightly_{SECOND}", run_id)["pull_snapshots"] > 1


def test_data_that_is_not_parquet_is_not_tried_again(world: World) -> None:
    day = "2026-02-04"
    folder = world.root / "data" / "churn" / "production" / f"dt={day}"
    folder.mkdir()
    (folder / "part-0.parquet").write_bytes(b"this is no parquet file")

    run_id, state = world.night(SECOND, day)

    states = world.airflow.task_states(f"nightly_{SECOND}", run_id)
    assert state == "failed"
    assert states.pop("pull_snapshots") == "failed"
    assert states.pop("report_failure") == "success"
    assert set(states.values()) == {"upstream_failed"}
    assert world.airflow.task_tries(f"nightly_{SECOND}", run_id)["pull_snapshots"] == 1
    assert "part-0.parquet" in world.airflow.task_log(f"nightly_{SECOND}", run_id, "pull_snapshots")


def test_a_paused_retraining_dag_fails_the_night(world: World, drifted: tuple[str, str]) -> None:
    run_id, _ = drifted
    world.airflow.set_paused("retrain_churn", True)
    try:
        world.airflow.clear("nightly_churn", run_id, "retraining_requested")
        state = world.airflow.wait_run("nightly_churn", run_id)
    finally:
        world.airflow.set_paused("retrain_churn", False)

    assert state == "failed"
    assert "is paused" in world.airflow.task_log("nightly_churn", run_id, "trigger_retraining")


def test_a_backfill_looks_at_the_days_it_was_asked_for_and_retrains_nothing(world: World) -> None:
    before = world.retrainings(SECOND)
    nightly = f"nightly_{SECOND}"

    run_ids = world.airflow.backfill(nightly, "2026-01-13", DRIFTED)

    assert [world.airflow.wait_run(nightly, run_id) for run_id in run_ids] == ["success", "success"]
    decided = [world.airflow.result(nightly, run_id, "decide") for run_id in run_ids]
    assert [verdict["run_date"] for verdict in decided] == ["2026-01-13", DRIFTED]
    assert decided[-1]["status"] == "degraded"
    assert decided[-1]["retrain"]  # as it did when it was new, and what it asked for was started then
    assert world.airflow.task_states(nightly, run_ids[-1])["trigger_retraining"] == "skipped"
    assert world.retrainings(SECOND) == before


def test_a_wrong_monitor_file_is_a_red_run_that_says_why(world: World) -> None:
    run_id = world.airflow.trigger("nightly_greedy")

    assert world.airflow.wait_run("nightly_greedy", run_id) == "failed"
    assert world.airflow.task_tries("nightly_greedy", run_id) == {"configuration": 1}
    assert "drift.limit: found 1.5" in world.airflow.task_log("nightly_greedy", run_id, "configuration")


def test_a_date_that_is_none_is_refused(world: World) -> None:
    with pytest.raises(AirflowFailed, match=r"(?s)400.*'yesterday' is not a 'date'"):
        world.airflow.trigger("nightly_churn", {"run_date": "yesterday"})


def test_every_line_that_a_task_logs_says_which_night_and_step_it_is_of(world: World) -> None:
    run_id, _ = world.night("churn", QUIET)
    lines = [
        json.loads(line) for line in world.airflow.task_log("nightly_churn", run_id, "pull_snapshots").splitlines()
    ]
    (rows,) = (line for line in lines if line.get("logger") == "pipeline.steps.nightly")
    assert " reference and " in rows["event"]
    assert (rows["monitor"], rows["date"], rows["step"]) == ("churn", QUIET, "pull_snapshots")


def test_the_scheduler_has_imported_what_its_tasks_need(world: World) -> None:
    scheduler = Path(f"/proc/{world.airflow._components['scheduler'].pid}/maps").read_text()
    for library in ("duckdb", "pyarrow", "sklearn"):
        assert library in scheduler


def test_another_teams_dag_waits_for_the_verdict_and_reads_it(world: World) -> None:
    world.airflow.set_paused(WAITING, False)
    world.night("churn", QUIET)
    with world.schedules(WAITING):
        deadline = time.monotonic() + 120
        while not world.airflow.list_runs(WAITING):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        (run,) = world.airflow.list_runs(WAITING)
        assert world.airflow.wait_run(WAITING, run.run_id) == "success"
        world.airflow.set_paused(WAITING, True)
    assert world.airflow.result(WAITING, run.run_id, "use_scores") == [QUIET]
    newest = world.airflow.asset_events("nightjar/churn/night")[-1]
    assert (newest["run_date"], newest["status"], newest["retrain"]) == (QUIET, "healthy", False)
    assert newest["page"].endswith(f"/churn/{QUIET}/index.html")


def test_a_new_champion_is_an_event_and_a_night_that_changes_none_is_not(
    world: World, drifted: tuple[str, str]
) -> None:
    """Neither of the night that asked for the retraining, nor of any before it."""
    assert world.airflow.wait_run("retrain_churn", f"retrain__churn__{DRIFTED}") == "success"
    promoted = {"run_date": DRIFTED, "version": "1", "event": "promoted"}
    assert world.airflow.asset_events("nightjar/churn/champion") == [promoted]


def _published(world: World, monitor: str, day: str) -> set[str]:
    return {path.name for path in (world.root / "store" / monitor / day).iterdir()}


def test_the_doctor_tells_a_paused_dag_and_the_one_of_a_wrong_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_HOME", str(world.root))
    monkeypatch.setenv("PIPELINE_AIRFLOW_URL", world.airflow.url)
    world.airflow.set_paused(f"retrain_{SECOND}", paused=True)
    try:
        told = {finding.grade: finding.words for finding in dags(load_settings())}
    finally:
        world.airflow.set_paused(f"retrain_{SECOND}", paused=False)
    assert told == {
        "warning": f"paused: retrain_{SECOND}; `airflow dags unpause` lets them run",
        "wrong": "of a wrong monitor file: nightly_greedy; `check` says what is wrong",
    }
