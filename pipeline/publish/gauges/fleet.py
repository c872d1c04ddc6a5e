"""All monitors of an installation as Prometheus gauges: a monitor that has never run has none of its own.

They have a group of their own at the Pushgateway, `job="nightjar", flow="fleet"`, which every night replaces.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from pipeline.config import Monitor
from pipeline.plain_text import visible
from pipeline.publish.gauges.families import Gauges
from pipeline.publish.gauges.gateway import send


def exposition(monitors: Sequence[Monitor], wrong: int, environment: str | None) -> bytes:
    """The gauges in the Prometheus text format.

    Args:
        monitors: of all files that are sound.
        wrong: how many files are not.
        environment: the name of the installation.
    """
    gauges = Gauges()
    labels = [
        {"monitor": monitor.name, "owner": visible(monitor.owner), "environment": environment or ""}
        for monitor in monitors
    ]
    gauges.add("configured", [(told, 1.0) for told in labels])
    gauges.one("wrong_monitor_files", wrong)
    return gauges.text()


def push(text: bytes, gateway_url: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Replace the group of the fleet; arguments and errors are those of `gauges.push`."""
    send("PUT", text, "flow/fleet", gateway_url, sleep)
