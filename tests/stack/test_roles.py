"""Who sees and may do what in a real Airflow with accounts: two teams, a monitor of neither, and doctor's own account.

`make stack` runs it: the provider with accounts is among the packages of the image alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import load_settings
from pipeline.steps.doctor import airflow as doctor
from tests.project import Project
from tests.servers.processes import LOOPBACK, free_port, stop
from tests.stack.compose import ROOT

PROGRAMS = os.environ.get("NIGHTJAR_STACK_PROGRAMS")
PASSWORD = "a-password-of-these-tests"
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAMS is None, reason="Airflow with accounts: make stack (as root)"),
]


@dataclass
class World:
    """An Airflow with accounts, whose database is a file."""

    project: Project
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def environment(self, teams: str) -> dict[str, str]:
        home = self.folder / "airflow"
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return kept | self.project.environment() | {
            "HOME": str(self.folder),
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__AUTH_MANAGER": FAB,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__API__SECRET_KEY": PASSWORD,
            "AIRFLOW__API_AUTH__JWT_SECRET": PASSWORD * 4,
            "AIRFLOW__FAB__CACHE_TTL": "0",
            "DOCTOR_PASSWORD_FILE": str(self.folder / "password"),
            "PIPELINE_AIRFLOW_TEAMS": teams,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'dags'}",
        }  # fmt: skip

    def run(self, *command: str, teams: str = "alpha,beta", typed: str = "") -> str:
        done = subprocess.run(
            [f"{PROGRAMS}/{command[0]}", *command[1:]], cwd=ROOT, env=self.environment(teams), input=typed,
            capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def parse(self, teams: str = "alpha,beta") -> None:
        """Read the DAG file once, as the DAG processor does."""
        self.run("airflow", "dag-processor", "--num-runs", "1", teams=teams)

    def ask(self, user: str, path: str, body: Any = None, method: str | None = None) -> tuple[int, Any]:
        """Status and answer of Airflow's REST API."""
        login = {"username": user, "password": PASSWORD}
        _, found = self._send("/auth/token", {}, login)
        return self._send(path, {"Authorization": f"Bearer {found['access_token']}"}, body, method)

    def _send(self, path: str, headers: dict[str, str], body: Any, method: str | None = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        all_headers = headers | {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=all_headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def seen(self, user: str) -> set[str]:
        """The DAGs that an account is shown."""
        status, found = self.ask(user, "/api/v2/dags?limit=100")
        assert status == 200, found
        return {dag["dag_id"] for dag in found["dags"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("roles")
    project = Project(folder / "project")
    project.write_suite()
    for name, team in (("one", "alpha"), ("two", "beta"), ("none", None), ("late", "gamma")):
        project.write_monitor(name, **({"team": team} if team else {}))
    (folder / "password").write_text(PASSWORD)
    (folder / "login").write_text(f"doctor:{PASSWORD}\n")
    made = World(project, folder, free_port())
    made.run("airflow", "db", "migrate")
    account(made, "admin", "Admin")
    for _ in range(2):  # the second time changes nothing
        made.run("python", "deploy/set-up-airflow.py")
    for team in ("alpha", "beta"):
        account(made, team, team)
    made.parse()
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(
            [f"{PROGRAMS}/airflow", "api-server", "--port", str(made.port), "--host", LOOPBACK],
            cwd=ROOT, env=made.environment("alpha,beta"), stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(made, server)
        yield made
    finally:
        stop(server)


def account(world: World, user: str, role: str) -> None:
    names = ("--firstname", user, "--lastname", user, "--email", f"{user}@example.com")
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    world.run("airflow", "users", "create", "--role", role, "--username", user, *names, typed=typed)


def wait_for(world: World, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(f"{world.url}/api/v2/monitor/health", timeout=5).close()
            return
        except OSError:
            said = (world.folder / "log").read_text()[-3000:]
            assert server.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.5)


def test_a_team_sees_and_starts_its_own_monitors_and_no_other(world: World) -> None:
    assert world.seen("alpha") == {"nightly_one", "retrain_one"}
    assert world.seen("beta") == {"nightly_two", "retrain_two"}
    for user, own, other in (("alpha", "one", "two"), ("beta", "two", "one")):
        for dag in ("nightly", "retrain"):
            runs = "/api/v2/dags/{}/dagRuns"
            wanted = {"logical_date": None, "conf": {"run_date": "2026-01-02"}}
            status, answer = world.ask(user, runs.format(f"{dag}_{own}"), wanted)
            assert status == 200, answer
            assert world.ask(user, runs.format(f"{dag}_{own}"))[1]["total_entries"] == 1
            assert world.ask(user, f"/api/v2/dags/{dag}_{own}", {"is_paused": True}, "PATCH")[0] == 200
            assert world.ask(user, f"/api/v2/dags/{dag}_{own}", {"is_paused": False}, "PATCH")[0] == 200
            for path, body, method in (
                (f"/api/v2/dags/{dag}_{other}", None, None),
                (runs.format(f"{dag}_{other}"), None, None),
                (runs.format(f"{dag}_{other}"), wanted, None),
                (f"/api/v2/dags/{dag}_{other}", {"is_paused": True}, "PATCH"),
            ):
                assert world.ask(user, path, body, method)[0] == 403, path
    for place in ("connections", "variables", "pools", "importErrors", "assets", "config"):
        assert world.ask("alpha", f"/api/v2/{place}")[0] == 403, place


def test_a_team_without_a_role_takes_no_dag_down_and_the_administrator_sees_all(world: World) -> None:
    names = {f"{kind}_{name}" for kind in ("nightly", "retrain") for name in ("one", "two", "none", "late")}
    assert world.seen("admin") == names | {"nightjar_digest"}
    assert world.ask("admin", "/api/v2/importErrors")[1]["total_entries"] == 0


def test_doctor_asks_with_an_account_of_its_own_that_may_do_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINE_AIRFLOW_URL", "https://people.example.com")
    monkeypatch.setenv("PIPELINE_AIRFLOW_API_URL", world.url)
    monkeypatch.setenv("PIPELINE_AIRFLOW_LOGIN_FILE", str(world.folder / "login"))
    (finding,) = doctor.dags(load_settings())
    assert (finding.grade, finding.words) == ("ok", "runs 9 DAGs of Nightjar")
    wanted: dict[str, Any] = {"logical_date": None, "conf": {}}
    assert world.ask("doctor", "/api/v2/dags/nightly_one/dagRuns", wanted)[0] == 403
    assert world.ask("doctor", "/api/v2/dags/nightly_one/dagRuns")[0] == 403
    assert world.ask("doctor", "/api/v2/dags/nightly_one", {"is_paused": True}, "PATCH")[0] == 403
    for place in ("connections", "variables", "pools", "assets", "config"):
        assert world.ask("doctor", f"/api/v2/{place}")[0] == 403, place


def test_a_monitor_that_changes_hands_is_taken_from_the_team_before(world: World) -> None:
    """The last, as it changes what the others look at."""
    world.project.write_monitor("one", team="beta")
    world.project.write_monitor("two")
    world.parse()
    assert world.ask("alpha", "/api/v2/dags")[0] == 403  # a role without any DAG may not even list them
    assert world.seen("beta") == {"nightly_one", "retrain_one"}
