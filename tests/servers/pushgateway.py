"""Debian's Prometheus Pushgateway."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.servers.processes import LOOPBACK, request, require, serving, wait_until


@dataclass(frozen=True)
class Sample:
    """One value of one series."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Pushgateway:
    """A running gateway, read the way Prometheus reads it."""

    url: str

    def samples(self, prefix: str = "") -> list[Sample]:
        """What `/metrics` exposes, of metrics whose name starts with `prefix`."""
        text = request("GET", f"{self.url}/metrics").body.decode()
        return [
            Sample(sample.name, dict(sample.labels), sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name.startswith(prefix)
        ]

    def value(self, name: str, **labels: str) -> float:
        """The value of the one series that has this name and at least these labels."""
        found = [
            sample for sample in self.samples(name) if sample.name == name and labels.items() <= sample.labels.items()
        ]
        if len(found) != 1:
            raise AssertionError(f"{name} {labels}: expected one series, found {found}")
        return found[0].value

    def groups(self) -> list[Mapping[str, str]]:
        """The grouping key of every group the gateway keeps."""
        answer = json.loads(request("GET", f"{self.url}/api/v1/metrics").body)
        return [group["labels"] for group in answer["data"]]

    def wipe(self) -> None:
        """Delete every group. The gateway does it in the background: wait for the last one to go."""
        answer = request("PUT", f"{self.url}/api/v1/admin/wipe")
        if answer.status != 202:
            raise AssertionError(f"wiping the gateway answered {answer.status}: {answer.body!r}")
        wait_until(lambda: not self.groups(), "an empty gateway", timeout=10)


@contextmanager
def run_pushgateway(directory: Path) -> Iterator[Pushgateway]:
    """Run a gateway that keeps its groups in memory."""
    program = require("prometheus-pushgateway", "prometheus-pushgateway")

    def command(port: int) -> list[str]:
        return [
            program,
            f"--web.listen-address={LOOPBACK}:{port}",
            "--web.enable-admin-api",
            "--persistence.file=",
        ]

    with serving(command, health="/-/ready", log=directory / "pushgateway.log") as url:
        yield Pushgateway(url)
