"""A champion on probation as Prometheus gauges.

It is watched after the night's gauges were pushed, so these have a group of their own at the Pushgateway,
`job="nightjar", monitor="<name>", flow="probation"`. Every night replaces it: a rollback is seen until the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.publish.gauges.families import Gauges, Labels
from pipeline.publish.gauges.gateway import send
from pipeline.results import ProbationResult


def exposition(found: ProbationResult) -> bytes:
    """The gauges in the Prometheus text format; equal results give equal bytes."""
    gauges, watch = Gauges(), found.probation
    going_on = watch is not None and watch.done in ("watching", "proposed")
    gauges.one("champion_on_probation", "Whether the champion before answers beside a new one.", going_on)
    gauges.one("champion_rolled_back", "Whether the night undid the champion, as it was worse.", found.rolled_back)
    proposed = watch is not None and watch.done == "proposed"
    gauges.one("champion_rollback_proposed", "Whether a person is asked to undo the champion.", proposed)
    if watch is not None and watch.loss is not None:
        loss = watch.loss
        labels: Labels = {"loss": loss.loss}
        meaning = "What the new champion loses on a row less what the one before does: positive where it is worse."
        gauges.add("probation_loss_difference", meaning, [(labels, loss.difference)])
        for end, value in (("low", loss.low), ("high", loss.high)):
            meaning = f"The {end} end of its interval, which holds over all nights with 95%."
            gauges.add(f"probation_loss_difference_{end}", meaning, [] if value is None else [(labels, value)])
    return gauges.text()


def push(text: bytes, monitor: str, gateway_url: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Replace the monitor's group of the probation; arguments and errors are those of `gauges.push`."""
    send("PUT", text, f"monitor/{monitor}/flow/probation", gateway_url, sleep)
