"""Debian's Alertmanager with the configuration of deploy/alertmanager, in a hurry."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.servers.processes import LOOPBACK, request, require, serving

FOLDER = Path(__file__).parents[2] / "deploy" / "alertmanager"
SECONDS = {"group_wait": "2s", "group_interval": "1s"}


@dataclass(frozen=True)
class Alertmanager:
    """A running Alertmanager, told through its HTTP API."""

    url: str

    def tell(self, *alerts: dict[str, str]) -> None:
        """Have alerts with these labels ring, as Prometheus would."""
        now = datetime.fromtimestamp(time.time(), UTC).isoformat()
        body = [
            {
                "labels": labels,
                "annotations": {"summary": labels["alertname"], "description": "", "runbook_url": ""},
                "startsAt": now,
            }
            for labels in alerts
        ]
        answer = request(
            "POST", f"{self.url}/api/v2/alerts", body=json.dumps(body).encode(), content="application/json"
        )
        assert answer.status == 200, answer.body


@contextmanager
def run_alertmanager(directory: Path, smtp: str) -> Iterator[Alertmanager]:
    """Run one whose mails go to `smtp`, host and port, and whose groups wait seconds instead of minutes."""
    program = require("prometheus-alertmanager", "prometheus-alertmanager")
    shutil.copytree(FOLDER, directory / "alertmanager")
    config = directory / "alertmanager" / "alertmanager.yml"
    text = config.read_text(encoding="utf-8").replace("mailpit:1025", smtp)
    for key, value in SECONDS.items():
        text = re.sub(rf"\b{key}: \w+", f"{key}: {value}", text)
    config.write_text(text, encoding="utf-8")

    def command(port: int) -> list[str]:
        return [
            program,
            f"--config.file={config}",
            f"--storage.path={directory / 'alertmanager-data'}",
            f"--web.listen-address={LOOPBACK}:{port}",
            "--web.external-url=http://alerts.example.com",
            "--cluster.listen-address=",
        ]

    with serving(command, health="/-/ready", log=directory / "alertmanager.log") as url:
        yield Alertmanager(url)
