"""Kills in the middle of a night, in the real Airflow: a task's process, the scheduler with all that it started."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from tests.e2e.conftest import SECOND, World
from tests.faults.kills import records_of

pytestmark = pytest.mark.slow

NIGHTLY = f"nightly_{SECOND}"
DAY, STUCK, NEXT = "2026-01-06", "2026-02-05", "2026-02-06"
LONGER_THAN_ALLOWED = timedelta(hours=21)
SECONDS = 300.0
WORKER, IDLE = b"airflow worker -- LocalExecutor", b"<idle>"
T = TypeVar("T")


def wait(found: Callable[[], T | None], seconds: float = SECONDS, pause: float = 0.05) -> T:
    """What is found before so many seconds have passed."""
    deadline = time.monotonic() + seconds
    while True:
        result = found()
        if result is not None:
            return result
        assert time.monotonic() < deadline
        time.sleep(pause)


def process_of(world: World, run_id: str, task_id: str) -> int | None:
    """The process in which the code of a task runs, once it does."""
    tasks = {item["task_id"]: item["id"] for item in world.airflow._task_instances(NIGHTLY, run_id)}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and (entry / "cmdline").read_bytes().startswith(
                f"airflow worker -- {tasks[task_id]}".encode()
            ):
                return int(entry.name)
        except OSError:
            continue
    return None


def test_a_night_whose_task_and_then_whose_scheduler_was_killed_ends_right(world: World) -> None:
    mails = len(world.mail.mails)
    run_id = world.airflow.trigger(NIGHTLY, {"run_date": DAY})

    os.kill(wait(lambda: process_of(world, run_id, "measure_drift")), signal.SIGKILL)
    wait(lambda: process_of(world, run_id, "render_report"))
    world.restart_scheduler()

    assert world.airflow.wait_run(NIGHTLY, run_id, SECONDS) == "success"
    assert world.airflow.task_tries(NIGHTLY, run_id)["measure_drift"] == 2
    night = world.store.read_night(SECOND, date.fromisoformat(DAY))
    assert night is not None
    assert night.keys() >= {"index.html", "drift.json", "runs.json", "summary.eml"}
    assert len(world.mail.mails) == mails + 1
    tags = records_of(world.root / "mlflow.db")["mlflow tags"].decode().splitlines()
    assert [line for line in tags if line.endswith(f"monitor_key\t{SECOND}/{DAY}")] == [
        f"{DAY}\tmonitor_key\t{SECOND}/{DAY}"
    ]


def test_a_task_that_is_queued_for_ever_holds_up_no_later_night_and_is_told(world: World) -> None:
    """As its worker was killed when it picked it up, of which Airflow takes no notice; hours have passed."""
    folder = world.root / "data" / "churn" / "production" / f"dt={NEXT}"
    folder.mkdir()
    (folder / "part-0.parquet").write_bytes(b"no parquet, so that this night is over soon")
    stuck = kill_at_pick_up(world, lambda: world.airflow.trigger(NIGHTLY, {"run_date": STUCK}))
    later = world.airflow.trigger(NIGHTLY, {"run_date": NEXT})
    time.sleep(5)  # several turns of the scheduler, in which nothing may happen
    assert (world.airflow.run(NIGHTLY, stuck).state, world.airflow.run(NIGHTLY, later).state) == ("running", "queued")
    assert world.airflow.task_states(NIGHTLY, stuck)["pull_snapshots"] == "queued"
    sent = len(world.gateway.requests)

    began = datetime.now(UTC).replace(tzinfo=None) - LONGER_THAN_ALLOWED
    words = "update dag_run set start_date = ? where dag_id = ? and run_id = ?"
    assert change(world, words, str(began), NIGHTLY, stuck)

    assert world.airflow.wait_run(NIGHTLY, stuck, SECONDS) == "failed"
    assert set(world.airflow.task_states(NIGHTLY, stuck).values()) == {"skipped"}
    assert world.airflow.wait_run(NIGHTLY, later, SECONDS) == "failed"
    assert world.airflow.task_tries(NIGHTLY, later)["pull_snapshots"] == 1
    overdue = b'last_failure_timestamp_seconds{task="overdue"}'
    wait(lambda: any(overdue in request.body for request in world.gateway.requests[sent:]) or None)
    world.restart_scheduler()  # its executor still counts the lost task as one that runs


def kill_at_pick_up(world: World, trigger: Callable[[], str]) -> str:
    """Trigger a run, and kill the executor's worker that takes its first task before it has begun with it."""
    workers = workers_of(world)
    for pid in workers:
        os.setpriority(os.PRIO_PROCESS, pid, 19)  # on a busy machine, too, it is seen before it gets far
    run_id = trigger()
    taken = wait(lambda: next((pid for pid in workers if IDLE not in title_of(pid)), None), pause=0.001)
    os.kill(taken, signal.SIGKILL)
    return run_id


def workers_of(world: World) -> list[int]:
    """The processes of the executor, all of them without work, once they are."""
    scheduler = world.airflow._components["scheduler"].pid

    def idle() -> list[int] | None:
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
        found = [pid for pid in found if title_of(pid).startswith(WORKER) and os.getsid(pid) == scheduler]
        return found if found and all(IDLE in title_of(pid) for pid in found) else None

    return wait(idle)


def title_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def change(world: World, statement: str, *values: str) -> bool:
    """Change Airflow's database behind its back; whether that changed something."""
    database = sqlite3.connect(world.root / "airflow" / "airflow.db", timeout=30, isolation_level=None)
    with closing(database):
        return database.execute(statement, values).rowcount == 1
