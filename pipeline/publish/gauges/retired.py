"""The gauges of a monitor that is not watched any more, or of an installation that has another name now."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.publish.gauges.gateway import group_of, send

FLOWS = ("", "retraining", "probation")
"""The flows of a monitor's groups."""


def remove(
    monitor: str, gateway_url: str, sleep: Callable[[float], None] = time.sleep, *, environment: str | None = None
) -> None:
    """Remove every group of a monitor; those that are not there are as good as removed.

    Raises:
        OutletUnavailable, OutletRefused: as for `pipeline.publish.gauges.night.push`.
    """
    for flow in FLOWS:
        send("DELETE", b"", group_of(monitor, flow=flow, environment=environment), gateway_url, sleep)


def remove_fleet(
    gateway_url: str, sleep: Callable[[float], None] = time.sleep, *, environment: str | None = None
) -> None:
    """Remove the group of all monitors. Raises: as `remove`."""
    send("DELETE", b"", group_of(flow="fleet", environment=environment), gateway_url, sleep)
