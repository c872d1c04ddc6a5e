"""All monitors of an installation as Prometheus gauges: a monitor that has never run has none of its own.

They have a group of their own at the Pushgateway, which every night replaces: `job="nightjar", flow="fleet"`, and the
`environment` where the installation has a name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from pipeline.config import Monitor
from pipeline.config.schedule import first_due
from pipeline.plain_text import visible
from pipeline.publish.gauges.families import Gauges
from pipeline.publish.gauges.gateway import group_of, send


def exposition(monitors: Sequence[Monitor], wrong: int, environment: str | None, now: datetime) -> bytes:
    """The gauges in the Prometheus text format.

    Args:
        monitors: of all files that are sound.
        wrong: how many files are not.
        environment: the name of the installation.
        now: from when on a monitor without a night is waited for.
    """
    gauges = Gauges()
    labels = [
        {"monitor": monitor.name, "owner": visible(monitor.owner), "environment": environment or ""}
        for monitor in monitors
    ]
    gauges.add("configured", [(told, 1.0) for told in labels])
    due = [({"monitor": monitor.name}, first_due(monitor.schedule, now).timestamp()) for monitor in monitors]
    gauges.add("first_night_due_timestamp_seconds", due)
    gauges.one("wrong_monitor_files", wrong)
    return gauges.text()


def push(
    text: bytes, gateway_url: str, sleep: Callable[[float], None] = time.sleep, *, environment: str | None = None
) -> None:
    """Replace the group of the fleet; arguments and errors are those of `gauges.push`."""
    send("PUT", text, group_of(flow="fleet", environment=environment), gateway_url, sleep)
