"""A real `mlflow server` with its own database, serving artifacts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.processes import LOOPBACK, serving

START_SECONDS = 120.0  # imports and migrations of the database; about 10 s on two idle cores
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_TRACKING_URI": "",
    "MLFLOW_REGISTRY_URI": "",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True)
class SignIn:
    """The administrator of a server that asks who is there, and where its accounts are kept."""

    name: str
    password: str
    settings: str
    """MLflow's file for it, with `{database}` for the address of the accounts."""


@contextmanager
def run_mlflow(
    directory: Path,
    sign_in: SignIn | None = None,
    *,
    database: str | None = None,
    artifacts: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Run a server; yields its tracking URI.

    Args:
        directory: for its files.
        sign_in: for one that asks who is there.
        database: address of the one that it uses, for accounts too; by default new SQLite files.
        artifacts: where its files go; by default a folder.
        environment: what these need.
    """
    accounts = database or f"sqlite:///{directory / 'accounts.db'}"

    def command(port: int) -> list[str]:
        return [
            *(sys.executable, "-m", "mlflow", "server"),
            *("--host", LOOPBACK, "--port", str(port), "--workers", "1"),
            *("--backend-store-uri", database or f"sqlite:///{directory / 'mlflow.db'}"),
            *("--artifacts-destination", artifacts or str(directory / "mlflow-artifacts"), "--serve-artifacts"),
            *([] if sign_in is None else ["--app-name", "basic-auth"]),
        ]

    environment = {**ENVIRONMENT, **(environment or {})}
    if sign_in is not None:
        settings = directory / "basic_auth.ini"
        settings.write_text(sign_in.settings.format(database=accounts))
        environment |= {
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "for this test alone",
        }

    log = directory / "mlflow.log"
    with serving(command, health="/health", log=log, env=environment, timeout=START_SECONDS) as url:
        yield url
