"""One real Airflow for all end-to-end tests, watching the demo's model twice, with a mail server and a gateway.

`churn` and `churn-eu` are the same data; a test that breaks something uses the second. The first also tells a chat
channel, whose address is an Airflow connection.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo import churn, embedded_airflow
from demo.embedded_airflow import EmbeddedAirflow
from pipeline.storage.run_store import RunStore
from tests.servers.smtp import Certificates, SmtpServer, run_smtp
from tests.servers.webhook import Webhook, run_webhook

ROOT = Path(__file__).parents[2]
SECOND = "churn-eu"
WAITING = "after_the_night"
"""The DAG of another team, from examples/."""


@dataclass(frozen=True)
class World:
    """A project of two sound monitors and a wrong one, the Airflow that watches it, and what it talks to."""

    airflow: EmbeddedAirflow
    root: Path
    mail: SmtpServer
    gateway: Webhook

    @property
    def chats(self) -> list[str]:
        """The titles of the messages to the chat channel."""
        return [str(found.json()["title"]) for found in self.gateway.requests if found.path.startswith("/chat")]

    @property
    def store(self) -> RunStore:
        return RunStore(str(self.root / "store"))

    def night(self, monitor: str, run_date: str) -> tuple[str, str]:
        """Run a night to its end; its run id and its state."""
        run_id = self.airflow.trigger(f"nightly_{monitor}", {"run_date": run_date})
        return run_id, self.airflow.wait_run(f"nightly_{monitor}", run_id)

    def restart_scheduler(self) -> None:
        """As when its machine goes: with the executor's workers and the tasks in them."""
        components = self.airflow._components
        embedded_airflow._kill_sessions([components["scheduler"]])
        assert components["scheduler"].wait(10) == -signal.SIGKILL
        components["scheduler"] = self.airflow._spawn("scheduler", embedded_airflow.COMPONENTS["scheduler"])

    @contextmanager
    def schedules(self, *only: str) -> Iterator[None]:
        """Have the scheduler start runs by itself, which it does not in these tests, of some DAGs alone."""
        others = [dag["dag_id"] for dag in self.airflow._get_all("/dags", "dags", "dag_id") if not dag["is_paused"]]
        others = [dag_id for dag_id in others if dag_id not in only]
        for dag_id in others:
            self.airflow.set_paused(dag_id, True)
        self.airflow._extra["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] = "True"
        self.restart_scheduler()
        yield
        del self.airflow._extra["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"]
        self.restart_scheduler()
        for dag_id in others:
            self.airflow.set_paused(dag_id, False)

    def retrainings(self, monitor: str) -> list[str]:
        """The run ids of a monitor's retraining runs."""
        return [run.run_id for run in self.airflow.list_runs(f"retrain_{monitor}")]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, _certificates: Certificates) -> Iterator[World]:
    """Takes about half a minute to start."""
    root = tmp_path_factory.mktemp("world")
    _write_project(root)
    with (
        pytest.MonkeyPatch.context() as patch,
        run_smtp("plain", _certificates) as mail,
        run_webhook() as gateway,
    ):
        for name in [name for name in os.environ if name.startswith(("PIPELINE_", "MLFLOW_"))]:
            patch.delenv(name)
        with EmbeddedAirflow(
            root / "airflow", root / "dags", environment=_environment(root, mail, gateway), progress=print
        ) as airflow:
            monitors = ("churn", SECOND)
            airflow.wait_for_dags(*(f"{kind}_{name}" for kind in ("nightly", "retrain") for name in monitors), WAITING)
            airflow.set_paused(WAITING, True)  # it would run after every night of these tests
            yield World(airflow, root, mail, gateway)


def _write_project(root: Path) -> None:
    (root / "dags").mkdir()
    for source in (ROOT / "dags" / "nightjar.py", ROOT / "examples" / "airflow" / f"{WAITING}.py"):
        shutil.copy(source, root / "dags")
    churn.write(root / "data" / "churn")
    shutil.copytree(ROOT / "expectations", root / "expectations")
    monitor = (ROOT / "monitors" / "churn.yaml").read_text(encoding="utf-8")
    (root / "monitors").mkdir()
    (root / "monitors" / "churn.yaml").write_text(f"{monitor.rstrip()}\n  channels: [team-chat]\n", encoding="utf-8")
    second = monitor.replace("\nname: churn ", f"\nname: {SECOND} ")
    (root / "monitors" / f"{SECOND}.yaml").write_text(second, encoding="utf-8")
    (root / "monitors" / "greedy.yaml").write_text("name: greedy\ndrift: {limit: 1.5}\n", encoding="utf-8")


def _environment(root: Path, mail: SmtpServer, gateway: Webhook) -> dict[str, str]:
    chat = gateway.url.removeprefix("http")
    return {
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'dags'}",  # in place of an installed package
        "COVERAGE_PROCESS_CONFIG": "",  # too many processes to be measured
        "AIRFLOW_CONN_NIGHTJAR_TEAM_CHAT": json.dumps({"conn_type": "generic", "password": f"json{chat}/chat"}),
        "PIPELINE_HOME": str(root),
        "PIPELINE_STORE": str(root / "store"),
        "PIPELINE_CACHE_DIR": str(root / "cache"),
        "PIPELINE_SMTP_URL": mail.url,
        "PIPELINE_PUSHGATEWAY_URL": gateway.url,
        "PIPELINE_MAIL_FROM": "nightjar@example.com",
        "PIPELINE_REPORT_BASE_URL": "http://reports.example.com",
    }
