"""`make up`, `down`, `logs` and `seed`, with a stand-in for Docker that writes down what it is told."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from demo import churn

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Checkout:
    """What the targets need of one."""

    folder: Path

    def make(self, *arguments: str) -> str:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        told = {name: value for name, value in os.environ.items() if not name.startswith(("NIGHTJAR_", "MAKE"))}
        command = ["make", "--no-print-directory", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=told | {"PATH": path}, check=True, capture_output=True, text=True
        ).stdout

    @property
    def asked(self) -> list[str]:
        """What Docker was told."""
        return (self.folder / "asked").read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    (tmp_path / "deploy").mkdir()
    for name in ("Makefile", "docker-compose.yml", "deploy/make-secrets.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\nexit ${{DOCKER_ENDS:-0}}\n')
    docker.chmod(0o755)
    return Checkout(tmp_path)


def test_up_makes_the_secrets_once_and_says_where_everything_is(checkout: Checkout) -> None:
    said = checkout.make("up")
    assert checkout.asked == ["compose up --detach --build"]
    secrets = {path.name: path.read_text() for path in (checkout.folder / ".secrets").iterdir()}
    assert "airflow_admin_password" in secrets
    assert not any(len(value) > 8 and value.strip() in said for value in secrets.values())
    assert "  Airflow    https://localhost:8080   admin     airflow_admin_password\n" in said
    assert said.count("https://localhost:") == 9
    checkout.make("up")
    assert {path.name: path.read_text() for path in (checkout.folder / ".secrets").iterdir()} == secrets


def test_up_names_the_host_that_was_chosen(checkout: Checkout) -> None:
    (checkout.folder / ".env").write_text("NIGHTJAR_BIND=0.0.0.0\nNIGHTJAR_HOST=nightjar.example.com\n")
    assert "  Reports    https://nightjar.example.com:8081 " in checkout.make("up")


def test_down_stops_every_profile_and_keeps_the_volumes(checkout: Checkout) -> None:
    checkout.make("down")
    assert checkout.asked == ["compose --profile * down"]


def test_logs_are_of_all_or_of_one(checkout: Checkout) -> None:
    checkout.make("logs")
    checkout.make("logs", "SERVICE=mlflow")
    assert checkout.asked == ["compose logs --follow --tail 100", "compose logs --follow --tail 100 mlflow"]


@pytest.mark.parametrize("status", [0, 3, 4])
def test_seed_writes_the_demos_data_and_runs_its_nights_of_which_one_is_broken(
    checkout: Checkout, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("requirements.txt", "pyproject.toml", ".venv/bin/python", ".venv/.runtime"):  # the last is the newest
        (checkout.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout.folder / name).write_text(f'#!/bin/sh\necho "$*" >> {checkout.folder}/asked\n')
    (checkout.folder / ".venv/bin/python").chmod(0o755)
    monkeypatch.setenv("DOCKER_ENDS", str(status))
    with pytest.raises(subprocess.CalledProcessError) if status == 3 else nullcontext():
        checkout.make("seed")
    first, last = churn.FIRST_NIGHT, churn.FIRST_NIGHT + timedelta(days=len(churn.SCENES) - 1)
    nights = f"backfill churn --from {first} --to {last} --retrain"
    assert checkout.asked == ["-m demo.churn", f"compose exec -T airflow-scheduler python -m pipeline {nights}"]
