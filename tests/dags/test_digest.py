"""The DAG that mails the digest: its shape, and that it does nothing while nobody is to get one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.dags.conftest import Parse, Parsed, run_python
from tests.project import Project
from tests.servers.smtp import Flavour, SmtpServer

pytestmark = pytest.mark.slow

RUN_TASK = (
    "from unittest import mock\n"
    "from datetime import date\n"
    "from nightjar_airflow import digest\n"
    "with mock.patch.object(digest, 'current_run_date', lambda: date(2026, 1, 14)):\n"
    "    print('RETURNED', digest.send_digest.function())\n"
)


def test_it_is_one_task_a_day_and_runs_from_now_on(parsed: Parsed) -> None:
    dag = parsed.dags["nightjar_digest"]

    assert list(dag["tasks"]) == ["send_digest"]
    assert dag["timetable"]["__var"]["expression"] == "0 7 * * *"
    assert dag["catchup"] is False
    assert dag["paused"] is False
    assert dag["max_active_runs"] == 1
    assert dag["tags"] == ["digest", "nightjar"]


def test_a_backfill_tells_of_each_day_it_was_asked_for(parsed: Parsed) -> None:
    days = [(date(2026, 1, 5) + timedelta(days=offset)).isoformat() for offset in range(10)]

    assert parsed.dags["nightjar_digest"]["backfill"] == days


def test_it_is_tried_again_only_when_that_can_help(parsed: Parsed) -> None:
    task = parsed.dags["nightjar_digest"]["tasks"]["send_digest"]

    assert task["retried"] == ["OutletUnavailable", "SnapshotMissing", "SourceUnavailable", "StoreBusy"]
    assert task["owner"] == "nightjar"


def test_the_hour_is_a_setting(parse: Parse, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")

    found = parse(project, PIPELINE_DIGEST_SCHEDULE="30 11 * * 1-5")
    wrong = parse(project, PIPELINE_DIGEST_SCHEDULE="at noon")

    assert found.dags["nightjar_digest"]["timetable"]["__var"]["expression"] == "30 11 * * 1-5"
    assert "PIPELINE_DIGEST_SCHEDULE: allowed: five cron fields" in wrong.errors["nightjar.py"]


def test_without_an_address_it_is_skipped_and_says_so(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")

    done = run_python(tmp_path, project.environment(), "-c", RUN_TASK)

    assert "AirflowSkipException: nobody gets a digest: PIPELINE_DIGEST_TO is not set" in done.stderr
    assert "RETURNED" not in done.stdout
    assert not project.store.exists()


def test_with_an_address_it_mails_the_digest_of_the_date(
    tmp_path: Path, smtp_server: Callable[[Flavour], SmtpServer]
) -> None:
    server = smtp_server("plain")
    project = Project(tmp_path / "project")
    project.write_suite()
    project.write_monitor()
    variables = {"PIPELINE_DIGEST_TO": "lead@example.com", "PIPELINE_SMTP_URL": server.url}

    done = run_python(tmp_path, project.environment() | variables, "-c", RUN_TASK)

    assert "RETURNED sent" in done.stdout, done.stderr
    assert len(server.mails) == 1
    assert server.mails[0].message["Subject"] == "[nightjar] 1 monitor, 1 needs attention on 2026-01-14"
