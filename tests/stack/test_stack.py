"""The whole of docker-compose.yml by hand: its services, secrets, networks and order, and a night through all of them.

`make stack` runs it: as root on Linux, with Debian's servers, and the image's packages in an environment of their own.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from demo import churn
from tests.stack.compose import ROOT, services
from tests.stack.programs import needed
from tests.stack.running import Stack

DAY = "2026-01-02"
PROGRAMS = os.environ.get("NIGHTJAR_STACK_PROGRAMS")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAMS is None, reason="the whole stack by hand: make stack (as root)"),
]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    missing = [name for name in needed() if shutil.which(name) is None]
    if missing:
        pytest.fail(f"not installed: {', '.join(missing)}; see .ci/run, and apt-get install netcat-openbsd iproute2")
    folder = Path(tempfile.mkdtemp(prefix="nightjar-stack-"))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    churn.write(folder / "data" / "churn")
    runpy.run_path(str(ROOT / "deploy" / "make-secrets.py"))["write_secrets"](folder / "secrets", {})
    mounted = {"./data": folder / "data", "./certs": folder / "certs"}
    running = Stack(services(), folder, Path(str(PROGRAMS)), mounted)
    try:
        running.up(420)
        yield running
    finally:
        running.down()
        shutil.rmtree(folder)


def secret(stack: Stack, name: str) -> str:
    return (stack.folder / "secrets" / name).read_text()


def ask(
    stack: Stack, port: int, path: str, *, account: str = "", token: str = "", body: Any = None, method: str = ""
) -> tuple[int, str]:
    """Status and body from the proxy, whose certificate is checked, as somebody outside would ask."""
    authority = stack.folder / "volumes" / "proxy" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    command = ["curl", "--silent", "--cacert", str(authority), "--write-out", "\n%{http_code}"]
    command += ["--resolve", f"localhost:{port}:{stack.hosts.address('front', 'proxy')}"]
    if method:
        command += ["--request", method]
    if account:
        command += ["--user", f"{account}:{secret(stack, f'{account}_password')}"]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    if body is not None:
        command += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
    done = subprocess.run([*command, f"https://localhost:{port}{path}"], capture_output=True, check=True, timeout=60)
    answer, _, status = done.stdout.decode(errors="replace").rpartition("\n")
    return int(status), answer


def test_a_service_reaches_those_that_it_shares_a_network_with_and_no_other(stack: Stack) -> None:
    ports = {"postgres": 5432, "s3": 9000, "mlflow": 5000, "pushgateway": 9091, "mailpit": 1025, "reports": 8080}
    ports |= {"grafana": 3000, "prometheus": 9090}
    known = stack.services
    for name, service in known.items():
        for other, port in ports.items():
            shared = name == other or bool(set(service.networks) & set(known[other].networks))
            reached = stack.inside(name, "nc", "-z", "-w", "2", other, str(port)).returncode == 0
            assert reached == shared, f"{name} to {other}"


def test_a_night_goes_through_all_of_it(stack: Stack) -> None:
    account = {"username": "admin", "password": secret(stack, "airflow_admin_password")}
    _, answer = ask(stack, 8080, "/auth/token", body=account)
    token = json.loads(answer)["access_token"]
    runs = "/api/v2/dags/nightly_churn/dagRuns"
    deadline = time.monotonic() + 300
    while ask(stack, 8080, "/api/v2/dags/nightly_churn", token=token)[0] != 200:
        assert time.monotonic() < deadline, stack.log("airflow-dag-processor")[-3000:]
        time.sleep(2)
    # The schedule began a night of yesterday, of which there are no data: it would be tried again, and this one wait.
    for begun in json.loads(ask(stack, 8080, runs, token=token)[1])["dag_runs"]:
        path = f"{runs}/{begun['dag_run_id'].replace('+', '%2B')}"
        assert ask(stack, 8080, path, token=token, body={"state": "failed"}, method="PATCH")[0] == 200
    status, answer = ask(stack, 8080, runs, token=token, body={"logical_date": None, "conf": {"run_date": DAY}})
    assert status == 200, answer
    run = json.loads(answer)["dag_run_id"].replace("+", "%2B")
    while (state := json.loads(ask(stack, 8080, f"{runs}/{run}", token=token)[1])["state"]) in ("queued", "running"):
        assert time.monotonic() < deadline, stack.log("airflow-scheduler")[-3000:]
        time.sleep(2)
    tasks = json.loads(ask(stack, 8080, f"{runs}/{run}/taskInstances", token=token)[1])["task_instances"]
    assert state == "success", {task["task_id"]: task["state"] for task in tasks}

    status, page = ask(stack, 8081, f"/churn/{DAY}/", account="reader")
    assert status == 200
    assert "<title>" in page
    assert ask(stack, 8081, f"/churn/{DAY}/")[0] == 401
    assert ask(stack, 8081, "/.format", account="reader")[0] == 404
    assert ask(stack, 9090, "/", account="reader")[0] == 401
    assert ask(stack, 3000, "/api/health")[0] == 200
    assert "Nightjar" in ask(stack, 3000, "/runbooks/NightjarNeverRan.md")[1]
    query = "/api/v1/query?query=model_monitor_info"
    while not (found := json.loads(ask(stack, 9090, query, account="operator")[1])["data"]["result"]):
        assert time.monotonic() < deadline, "Prometheus has not scraped the night"  # it does every 30 s
        time.sleep(2)
    (series,) = found
    assert series["metric"]["environment"] == "production"
    assert series["metric"]["page"] == "https://localhost:8081/churn/index.html"
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in stack.own("mailpit").glob("*.eml")]
    assert any(DAY in str(mail["Subject"]) or "churn" in str(mail["Subject"]) for mail in mails)


def test_a_drill_comes_out_where_people_are(stack: Stack) -> None:
    command = ("python", "-m", "pipeline", "drill", "churn")
    done = stack.inside("airflow-scheduler", *command, with_volumes=True, seconds=900)
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in stack.own("mailpit").glob("*.eml")]
    assert any(str(mail["Subject"]).startswith("Critical: Production data of drill-churn") for mail in mails)


def test_doctor_finds_airflow_well_from_inside_with_its_own_account(stack: Stack) -> None:
    command = ("python", "-m", "pipeline", "doctor", "--json")
    done = stack.inside("airflow-scheduler", *command, with_volumes=True, seconds=120)
    grades = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert grades["Airflow"]["grade"] == "ok", grades["Airflow"]


def test_no_secret_is_in_an_environment_a_command_or_a_log(stack: Stack) -> None:
    values = {path.name: path.read_text() for path in (stack.folder / "secrets").iterdir()}
    single = {name: value for name, value in values.items() if "\n" not in value}
    processes = [path for path in Path("/proc").glob("[0-9]*") if _is_of(stack, path)]
    assert len(processes) >= len([service for service in stack.services.values() if not service.ends])
    said = {f"command of {path.name}": _read(path / "cmdline") for path in processes}
    said |= {f"environment of {path.name} {_read(path / 'comm')}": _read(path / "environ") for path in processes}
    said |= {f"log of {name}": stack.log(name) for name in stack.services}
    allowed = {"mlflow_flask_secret_key"}  # MLflow takes it from its environment only
    for where, text in said.items():
        assert [name for name, value in single.items() if value in text and name not in allowed] == [], where


def _is_of(stack: Stack, process: Path) -> bool:
    return str(stack.folder) in _read(process / "mountinfo")


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except OSError:  # it has ended
        return ""
