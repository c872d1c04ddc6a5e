"""What happens after a night, and who acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.publish.facts.together import columns_changed
from pipeline.publish.facts.verdict import HOLDS
from pipeline.wording import count

if TYPE_CHECKING:
    from pipeline.publish.facts.night import NightView


def next_step(view: NightView) -> str:
    """What happens next and who acts, in a sentence or two."""
    late = "The data is older than it should be. " if view.stale and view.decision.status != "data_broken" else ""
    if view.state == "stale":
        return f"{late}{view.actor} finds out why the newest is late, then runs the night again."
    if view.decision.retrain:
        return late + _retraining_step(view)
    if view.decision.status == "data_broken":
        return f"Nothing is retrained on broken data. {view.actor} has the source repaired, then runs the night again."
    if view.decision.status in ("drifted", "degraded"):
        return late + _held_step(view)
    return _few_step(view) if view.state == "too_few_rows" else _calm_step(view)


def _calm_step(view: NightView) -> str:
    """Of a healthy night, which a warning leaves healthy."""
    if view.together is None or not view.together.changed:
        return "Nothing to do."
    rests = "Nothing is retrained: no verdict rests on"
    if not columns_changed(view.together):
        return f"{rests} columns of lists. {view.actor} finds out why they are no longer as before."
    return f"{rests} how columns go together. {view.actor} finds out why they no longer do as before."


def _few_step(view: NightView) -> str:
    """What helps where so few rows come every night."""
    if view.drift.alarms is None:
        return (
            "Nothing to do tonight, and nothing is retrained. Where rows are always this few, a budget of alarms "
            "(`drift.alarms` in the monitor file) with a `window` looks at several nights together."
        )
    policy, found = view.monitor.drift.alarms, view.drift.alarms
    most, together = (policy.window if policy else 1), (found.window if found else 1)
    calm = "Nothing to do tonight, and nothing is retrained."
    if together < most:
        return f"{calm} As soon as more nights are known, up to {count(most)} are looked at together."
    more = f"more nights than {count(most)}" if most > 1 else "several nights"
    return (
        f"{calm} Where rows are always this few, `drift.alarms.window` in the monitor file lets {more} "
        "be looked at together."
    )


def _held_step(view: NightView) -> str:
    """Who decides, where the night does not ask for a retraining although it found a reason."""
    if view.decision.causes and view.decision.hold is None:
        return (
            "No retraining was started: the monitor's `retrain.on` does not name what was found. "
            f"{view.actor} finds out why, and starts it by hand if the model ought to learn anew."
        )
    held = f": it is held ({HOLDS[view.decision.hold]})" if view.decision.hold else ""
    return f"No retraining was started{held}. {view.actor} decides whether to wait or to start it by hand."


def _retraining_step(view: NightView) -> str:
    """Who starts the retraining that the night asks for."""
    sure, unless = (
        "if this change is one the model ought to learn",
        "this change is not one the model ought to learn",
    )
    if view.decision.status == "degraded":
        by_labels = view.tonight.breach is None or view.tonight.breach.basis == "realised"
        sure = "once the labels are known to be right" if by_labels else "unless the inputs are at fault"
        unless = "the labels are wrong" if by_labels else "the inputs are at fault"
    if not view.runs.starts:
        return f"Retraining is due, and nothing starts it by itself here. {view.actor} starts it, {sure}."
    run = f"the retraining run {view.retraining_run}" if view.runs.airflow else "a retraining"
    return f"Nightjar starts {run}; nobody needs to act. {view.actor} should step in if {unless}."
