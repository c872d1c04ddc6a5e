"""A real `mlflow server` with its own database, serving artifacts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def run_mlflow(directory: Path) -> Iterator[str]:
    """Run a server with an empty store; yields its tracking URI."""

    def command(port: int) -> list[str]:
        return [
            *(sys.executable, "-m", "mlflow", "server"),
            *("--host", LOOPBACK, "--port", str(port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{directory / 'mlflow.db'}"),
            *("--artifacts-destination", str(directory / "mlflow-artifacts"), "--serve-artifacts"),
        ]

    log = directory / "mlflow.log"
    with serving(command, health="/health", log=log, env=ENVIRONMENT, timeout=START_SECONDS) as url:
        yield url
