"""The embedded Airflow shares nothing with another one, says why it failed, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo import airflow_client, embedded_airflow
from demo.airflow_client import AirflowFailed
from demo.embedded_airflow import EmbeddedAirflow

STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setpgid(0, 0)  # as Airflow does for every task
os.write(1, b"up\\n")  # in one piece: both write into the same pipe
time.sleep(600)
"""


def test_variables_of_another_airflow_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production/airflow")
    monkeypatch.setenv("AIRFLOW_HOME", "/srv/airflow")
    monkeypatch.setenv("KEPT", "yes")

    environment = EmbeddedAirflow(tmp_path, environment={"PIPELINE_STORE": "/store"}).environment

    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{tmp_path}/airflow.db"
    assert environment["AIRFLOW_HOME"] == str(tmp_path)
    assert environment["KEPT"] == "yes"
    assert environment["PIPELINE_STORE"] == "/store"


def test_a_proxy_is_not_asked_for_loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "example.com")

    assert EmbeddedAirflow(tmp_path).environment["no_proxy"] == "127.0.0.1,example.com"


def test_two_of_them_share_no_secret(tmp_path: Path) -> None:
    one, two = (EmbeddedAirflow(tmp_path).environment for _ in range(2))

    for name in ("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__FERNET_KEY"):
        assert one[name] != two[name]


def test_whatever_a_process_started_dies_with_it() -> None:
    process = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    with process.stdout:
        assert [process.stdout.readline(), process.stdout.readline()] == [b"up\n", b"up\n"]
    assert len(embedded_airflow._members({process.pid})) == 2

    embedded_airflow._kill_sessions([process])

    assert embedded_airflow._members({process.pid}) == []
    assert process.wait(5) == -signal.SIGKILL


def test_nobody_else_dies() -> None:
    embedded_airflow._kill_sessions([])

    assert embedded_airflow._members({os.getsid(0)})


def _airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> EmbeddedAirflow:
    """One whose command line is `command`, and which knows no run."""
    (tmp_path / "airflow.py").write_text(command, encoding="utf-8")
    monkeypatch.setattr(EmbeddedAirflow, "list_runs", lambda self, dag_id: [])
    monkeypatch.setattr(airflow_client, "POLL_SECONDS", 0)
    return EmbeddedAirflow(tmp_path, environment={"PYTHONPATH": str(tmp_path)})


def test_a_backfill_that_met_a_lock_of_sqlite_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = "import pathlib\nasked = pathlib.Path('asked')\nn = asked.stat().st_size if asked.exists() else 0\n"
    command += "asked.write_text('x' * (n + 1))\nif n < 2: raise SystemExit('(OperationalError) database is locked')\n"

    _airflow(tmp_path, monkeypatch, command).backfill("nightly_churn", "2026-01-13", "2026-01-14")

    assert (tmp_path / "asked").read_text(encoding="utf-8") == "xxx"


def test_a_backfill_that_is_refused_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = "print('x', file=open('asked', 'a'))\nraise SystemExit('no such DAG')\n"

    with pytest.raises(AirflowFailed, match="no such DAG"):
        _airflow(tmp_path, monkeypatch, command).backfill("nightly_churn", "2026-01-13", "2026-01-14")

    assert (tmp_path / "asked").read_text(encoding="utf-8") == "x\n"


@pytest.mark.slow
def test_a_component_that_ends_by_itself_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_airflow, "COMPONENTS", {"scheduler": ("no-such-command",)})
    started = time.monotonic()

    with pytest.raises(AirflowFailed, match=r"airflow scheduler ended by itself\n(.|\n)*no-such-command"):
        EmbeddedAirflow(tmp_path / "airflow").__enter__()

    assert time.monotonic() - started < 60
