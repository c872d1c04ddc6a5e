"""The gauges of a monitor that is not watched any more."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.publish.gauges.gateway import send

FLOWS = ("", "/flow/retraining", "/flow/probation")
"""What follows `monitor/<name>` in the grouping keys of a monitor's groups."""


def remove(monitor: str, gateway_url: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Remove every group of a monitor; those that are not there are as good as removed.

    Raises:
        OutletUnavailable, OutletRefused: as for `pipeline.publish.gauges.night.push`.
    """
    for flow in FLOWS:
        send("DELETE", b"", f"monitor/{monitor}{flow}", gateway_url, sleep)
