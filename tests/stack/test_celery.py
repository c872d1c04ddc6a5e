"""The stack with several workers by hand: two nights through both, a worker that is killed, a broker that is killed.

`make stack` runs it, with Debian's Redis in the place of Valkey. What takes minutes or a day in the stack, before a
lost task is tried again or sent a second time, takes seconds here.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from demo import churn
from tests.stack.compose import ROOT, Service, services
from tests.stack.programs import needed
from tests.stack.running import Stack

PROGRAMS = os.environ.get("NIGHTJAR_STACK_PROGRAMS")
MONITORS = ("churn", "churn-eu")
WORKERS = {"airflow-worker-1", "airflow-worker-2"}
NOT_NEEDED = {"airflow-triggerer", "proxy", "reports", "prometheus", "alertmanager", "grafana"}
"""What no night talks to; tests/stack/test_stack.py has it."""
REDELIVERED = 45
SMALL = {
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "40",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
    "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": str(REDELIVERED),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAMS is None, reason="the stack with several workers by hand: make stack (as root)"),
]


@dataclass
class Fleet:
    """A running stack, and Airflow's REST API in it."""

    stack: Stack
    token: str = ""

    def ask(self, path: str, body: Any = None) -> Any:
        """What the API answers, asked on its own host: no door leads there without the proxy."""
        command = ["curl", "--silent", "--fail-with-body", "--header", "Content-Type: application/json"]
        command += ["--header", f"Authorization: Bearer {self.token}"] if self.token else []
        command += [] if body is None else ["--data", json.dumps(body)]
        done = self.stack.inside("airflow-api-server", *command, f"http://localhost:8080{path}")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def sign_in(self) -> None:
        password = (self.stack.folder / "secrets" / "airflow_admin_password").read_text()
        self.token = self.ask("/auth/token", {"username": "admin", "password": password})["access_token"]

    def begin(self, day: str) -> dict[str, str]:
        """Start the night of each monitor; the run's address by its monitor."""
        runs = {}
        for name in MONITORS:
            path = f"/api/v2/dags/nightly_{name}/dagRuns"
            run = self.ask(path, {"logical_date": None, "conf": {"run_date": day}})["dag_run_id"]
            runs[name] = f"{path}/{run.replace('+', '%2B')}"
        return runs

    def tasks(self, run: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(f"{run}/taskInstances")["task_instances"]
        return found

    def end(self, runs: Mapping[str, str]) -> list[dict[str, Any]]:
        """Wait until all nights have ended well; the tasks that were run."""
        for run in runs.values():
            self.until(lambda run=run: self.ask(run)["state"] not in ("queued", "running"), 240)  # type: ignore[misc]
        tasks = [task for run in runs.values() for task in self.tasks(run)]
        assert {self.ask(run)["state"] for run in runs.values()} == {"success"}, {
            (task["dag_id"], task["task_id"]): (task["state"], task["try_number"]) for task in tasks
        }
        return [task for task in tasks if task["state"] == "success"]

    def until(self, holds: Callable[[], Any], seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < deadline, self.stack.log("airflow-scheduler")[-4000:]
            time.sleep(0.5)
        return found

    def busy(self, runs: Mapping[str, str], worker: str) -> bool:
        """Whether a worker measures something at this moment."""
        steps = ("validate_quality", "measure_drift", "measure_performance")
        tasks = [task for run in runs.values() for task in self.tasks(run)]
        return any(
            task["state"] == "running" and task["hostname"] == worker and task["task_id"] in steps for task in tasks
        )


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    missing = [name for name in (*needed(), "redis-server", "curl") if shutil.which(name) is None]
    if missing:
        pytest.fail(f"not installed: {', '.join(missing)}; apt-get install redis-server netcat-openbsd iproute2 curl")
    folder = Path(tempfile.mkdtemp(prefix="nightjar-celery-"))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    churn.write(folder / "data" / "churn")
    runpy.run_path(str(ROOT / "deploy" / "make-secrets.py"))["write_secrets"](folder / "secrets", {})
    shutil.copytree(ROOT / "monitors", folder / "monitors")
    text = (ROOT / "monitors" / "churn.yaml").read_text().replace("\nname: churn ", "\nname: churn-eu ")
    (folder / "monitors" / "churn-eu.yaml").write_text(text)
    mounted = {"./data": folder / "data", "./monitors": folder / "monitors"}
    known = services(["celery"], {"NIGHTJAR_EXECUTOR": "CeleryExecutor"})
    wanted = {name: with_small(known[name]) for name in known if name not in NOT_NEEDED}
    stack = Stack(wanted, folder, Path(str(PROGRAMS)), mounted)
    try:
        stack.up(420)
        fleet = Fleet(stack)
        fleet.sign_in()
        dags = {f"nightly_{name}" for name in MONITORS}
        fleet.until(lambda: dags <= {dag["dag_id"] for dag in fleet.ask("/api/v2/dags?limit=100")["dags"]}, 120)
        yield fleet
    finally:
        stack.down()
        shutil.rmtree(folder)


def with_small(service: Service) -> Service:
    small = SMALL if service.name.startswith("airflow-") else {}
    return replace(service, environment=service.environment | small)


def told(fleet: Fleet, day: str) -> Counter[str]:
    """How many mails there are about a day's nights, by subject."""
    found = [message_from_bytes(path.read_bytes(), policy=default) for path in fleet.stack.own("mailpit").glob("*.eml")]
    subjects = Counter(str(mail["Subject"]) for mail in found)
    return Counter({subject: count for subject, count in subjects.items() if day in subject})


def test_nights_go_through_all_workers(fleet: Fleet) -> None:
    tasks = fleet.end(fleet.begin("2026-01-02"))
    assert {task["hostname"] for task in tasks} == WORKERS
    assert {task["try_number"] for task in tasks} == {1}
    assert list(told(fleet, "2026-01-02").values()) == [1, 1]


def runs_in_mlflow(fleet: Fleet, day: str) -> Counter[str]:
    """How many runs of MLflow there are for each monitor's night, as a worker sees them."""
    program = (
        "import json, mlflow; names = [e.experiment_id for e in mlflow.search_experiments()];"
        f"""runs = mlflow.search_runs(names, "tags.monitor_key LIKE '%/{day}'", output_format='list');"""
        "print(json.dumps([run.data.tags['monitor_key'] for run in runs]))"
    )
    done = fleet.stack.inside("airflow-worker-2", "python", "-c", program)
    assert done.returncode == 0, done.stderr
    return Counter(json.loads(done.stdout.splitlines()[-1]))


def assert_told_once(fleet: Fleet, day: str) -> None:
    assert sorted(told(fleet, day).values()) == [1, 1]
    assert runs_in_mlflow(fleet, day) == {f"{name}/{day}": 1 for name in MONITORS}


def test_workers_have_imported_what_their_tasks_need(fleet: Fleet) -> None:
    """Also while no task runs: Celery's own process, and the two that it forked."""
    for worker in WORKERS:
        maps = [Path(f"/proc/{pid}/maps").read_text() for pid in fleet.stack.hosts.processes(worker)]
        assert sum("duckdb" in found for found in maps) >= 3


def test_what_a_task_logged_is_shown_whichever_worker_ran_it(fleet: Fleet) -> None:
    """Of the nights of the test before: the API server reads the volume that all share."""
    for name in MONITORS:
        run = fleet.ask(f"/api/v2/dags/nightly_{name}/dagRuns")["dag_runs"][0]["dag_run_id"].replace("+", "%2B")
        path = f"/api/v2/dags/nightly_{name}/dagRuns/{run}/taskInstances/decide/logs/1"
        assert "healthy" in json.dumps(fleet.ask(path)["content"])


def test_doctor_is_run_in_a_worker_and_its_health_check_asks_itself(fleet: Fleet) -> None:
    done = fleet.stack.inside(
        "airflow-worker-1", "python", "-m", "pipeline", "doctor", "--json", with_volumes=True, seconds=120
    )
    grades = {finding["what"]: finding["grade"] for finding in json.loads(done.stdout)}
    assert {grades[what] for what in ("Airflow", "MLflow", "Pushgateway")} == {"ok"}, grades
    check = fleet.stack.services["airflow-worker-1"].health or []
    assert fleet.stack.inside("airflow-worker-1", *check).returncode == 0
    said = fleet.stack.inside("airflow-scheduler", *check)  # no worker is there
    assert (said.returncode, said.stderr) == (1, "celery@airflow-scheduler does not answer within 5 s\n")


def test_the_password_of_the_broker_is_in_no_environment_command_or_log(fleet: Fleet) -> None:
    password = (fleet.stack.folder / "secrets" / "broker_password").read_text()
    for name in fleet.stack.services:
        assert password not in fleet.stack.log(name), name
    for name in ("broker", "airflow-scheduler", *WORKERS):
        running = fleet.stack.hosts.processes(name)
        assert running
        for path in (Path(f"/proc/{pid}/{what}") for pid in running for what in ("cmdline", "environ")):
            with suppress(OSError):  # it has ended
                assert password.encode() not in path.read_bytes(), (name, path.name)


def test_a_worker_that_is_killed_in_mid_task_loses_no_night_and_nothing_is_told_twice(fleet: Fleet) -> None:
    day = "2026-01-03"
    runs = fleet.begin(day)
    fleet.until(lambda: fleet.busy(runs, "airflow-worker-1"), 120)
    fleet.stack.kill("airflow-worker-1")
    assert {task["try_number"] for task in fleet.end(runs)} == {1, 2}
    assert_told_once(fleet, day)
    fleet.stack.wait(120)


def test_a_worker_that_is_stopped_ends_what_it_has_begun(fleet: Fleet) -> None:
    day = "2026-01-05"
    runs = fleet.begin(day)
    fleet.until(lambda: fleet.busy(runs, "airflow-worker-2"), 120)
    fleet.stack.stop("airflow-worker-2", 120)
    assert {task["try_number"] for task in fleet.end(runs)} == {1}
    assert sorted(told(fleet, day).values()) == [1, 1]
    fleet.stack.wait(120)


def taken(fleet: Fleet, became: str) -> set[str]:
    """The tasks that the logs of workers say this of, by Celery's names."""
    said = "".join(fleet.stack.log(worker) for worker in WORKERS)
    return set(re.findall(rf"Task execute_workload\[([\w-]+)\] {became}", said))


def test_what_a_killed_worker_had_taken_is_handed_out_once_more_and_nobody_begins_with_it(fleet: Fleet) -> None:
    """The worker of two tests before: nights have gone on meanwhile, while the broker waited for it to acknowledge."""
    lost = taken(fleet, "received") - taken(fleet, "succeeded")
    assert lost
    fleet.until(lambda: lost <= taken(fleet, "raised unexpected: ServerResponseError"), REDELIVERED + 120)
    assert_told_once(fleet, "2026-01-03")


def test_a_broker_that_is_killed_with_all_it_held_loses_no_night(fleet: Fleet) -> None:
    day = "2026-01-04"
    runs = fleet.begin(day)
    fleet.until(lambda: fleet.busy(runs, "airflow-worker-1"), 120)
    fleet.stack.kill("broker")
    time.sleep(15)
    said = fleet.stack.inside("airflow-worker-1", *(fleet.stack.services["airflow-worker-1"].health or []))
    assert (said.returncode, said.stderr) == (1, "the broker does not answer (ConnectionError)\n")
    fleet.stack.wait(120)
    assert {task["try_number"] for task in fleet.end(runs)} == {1}
    assert_told_once(fleet, day)


def test_nights_wait_for_workers_that_are_all_away(fleet: Fleet) -> None:
    """Longer than Airflow has of itself: it gives a task up that it has sent again twice."""
    day = "2026-01-06"
    for worker in WORKERS:
        fleet.stack.kill(worker)
    before = fleet.stack.log("airflow-scheduler").count("will try to requeue")
    runs = fleet.begin(day)
    fleet.until(
        lambda: fleet.stack.log("airflow-scheduler").count("will try to requeue") >= before + 3 * len(runs), 240
    )
    fleet.stack.wait(120)
    fleet.end(runs)
    assert_told_once(fleet, day)
