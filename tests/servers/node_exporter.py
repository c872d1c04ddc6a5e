"""Debian's node exporter, which tells of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import LOOPBACK, require, serving


@contextmanager
def run_node_exporter(directory: Path) -> Iterator[str]:
    """Run one; its address."""
    program = require("prometheus-node-exporter", "prometheus-node-exporter")

    def command(port: int) -> list[str]:
        return [program, f"--web.listen-address={LOOPBACK}:{port}"]

    with serving(command, health="/", log=directory / "node-exporter.log") as url:
        yield url
