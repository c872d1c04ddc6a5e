"""A champion on probation as Prometheus gauges.

It is watched after the night's gauges were pushed, so these have a group of their own at the Pushgateway,
`job="nightjar", monitor="<name>", flow="probation"`. Every night replaces it: a rollback is seen until the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.publish.gauges.families import Gauges, Labels
from pipeline.publish.gauges.gateway import group_of, send
from pipeline.results import ProbationResult


def exposition(found: ProbationResult) -> bytes:
    """The gauges in the Prometheus text format; equal results give equal bytes."""
    gauges, watch = Gauges(), found.probation
    going_on = watch is not None and watch.done in ("watching", "proposed")
    gauges.one("champion_on_probation", going_on)
    gauges.one("champion_rolled_back", found.rolled_back)
    proposed = watch is not None and watch.done == "proposed"
    gauges.one("champion_rollback_proposed", proposed)
    if watch is not None and watch.loss is not None:
        loss = watch.loss
        labels: Labels = {"loss": loss.loss}
        gauges.add("probation_loss_difference", [(labels, loss.difference)])
        for end, value in (("low", loss.low), ("high", loss.high)):
            gauges.add(f"probation_loss_difference_{end}", [] if value is None else [(labels, value)])
    return gauges.text()


def push(
    text: bytes,
    monitor: str,
    gateway_url: str,
    sleep: Callable[[float], None] = time.sleep,
    *,
    environment: str | None = None,
) -> None:
    """Replace the monitor's group of the probation; arguments and errors are those of `gauges.push`."""
    send("PUT", text, group_of(monitor, flow="probation", environment=environment), gateway_url, sleep)
