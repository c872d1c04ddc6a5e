"""A command that is killed, at any operation, and run again, gives what an undisturbed one gives.

A few seeded kills with all tests; `make kills KILLS=500` for more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.project import Project
from tests.servers.smtp import Flavour, SmtpServer

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("NIGHTJAR_KILLS", "6"))
ROOT = Path(__file__).parents[2]
StartServer = Callable[[Flavour], SmtpServer]
Ask = Callable[[str], dict[str, Any]]


@contextmanager
def killer(project: Project, template: Path, server: SmtpServer, *command: str) -> Iterator[Ask]:
    """Asks the program that kills, one line at a time."""
    environment = os.environ | project.environment() | {
        "PIPELINE_SMTP_URL": server.url,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    program = [sys.executable, "-m", "tests.faults.kills", str(project.root), str(template), *command]
    with subprocess.Popen(
        program, env=environment, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        lines, answers = process.stdin, process.stdout
        assert lines is not None
        assert answers is not None

        def ask(line: str) -> dict[str, Any]:
            server.mails.clear()
            lines.write(f"{line}\n")
            lines.flush()
            found: dict[str, Any] = json.loads(answers.readline())
            return found

        yield ask
        lines.close()


def differing(one: dict[str, Any], two: dict[str, Any]) -> list[str]:
    """Files that are in one state only, or have other bytes."""
    before, after = one["state"], two["state"]
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


@pytest.fixture
def server(smtp_server: StartServer) -> SmtpServer:
    return smtp_server("plain")


@pytest.fixture
def template(project: Project, tmp_path: Path) -> Path:
    """A monitor whose night is there and has not run."""
    project.complete(drifted=True, notify={"email": ["team@example.com"]})
    kept = tmp_path / "template"
    project.root.rename(kept)
    return kept


@pytest.mark.parametrize(
    ("command", "kills"), [(("run", "people", "--date", "2026-01-14"), KILLS), (("site",), max(2, KILLS // 5))]
)
def test_a_command_that_was_killed_comes_to_the_same_when_it_is_run_again(
    project: Project, template: Path, server: SmtpServer, command: tuple[str, ...], kills: int
) -> None:
    with killer(project, template, server, *command) as ask:
        whole, twice = ask("count"), ask("count")
        assert differing(whole, twice) == []
        mails = [str(item.message["Message-ID"]) for item in server.mails]
        for seed in range(kills):
            found = ask(str(seed))
            told = f"seed {seed}, killed before operation {found['at']} of {found['operations']}"
            assert found["first"] == -9, told
            assert found["again"] == whole["first"], told
            assert differing(found, whole) == [], told
            assert found["runs"] == whole["runs"], told
            assert [*dict.fromkeys(str(item.message["Message-ID"]) for item in server.mails)] == mails, told
            assert len(server.mails) <= len(mails) + 1, told
