"""What is said of the outlets that a published night has not reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.wording import listed

if TYPE_CHECKING:
    from pipeline.publish.facts.night import NightView


@dataclass(frozen=True)
class Missing:
    """Which outlets lack the night and what makes up for that, and the command line that goes with it."""

    words: str
    command: str


def missing_of(view: NightView) -> Missing | None:
    """The same of a night; None where it has reached all."""
    if not view.runs.missing:
        return None
    again = (
        "clear the red tasks of its run in Airflow, or type" if view.runs.airflow else "deliver what is missing with"
    )
    words = f"Not reached: {listed(view.runs.missing)}. Once they are well, {again}"
    return Missing(words, f"python -m pipeline run {view.monitor.name} --date {view.run_date} --deliver")
