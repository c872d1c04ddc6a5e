"""What the fleet's page and the digest say of a monitor, and which of them need somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.config import Monitor, Mute
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.probation import is_answered
from pipeline.publish.facts.retraining import PastRetraining
from pipeline.wording import count

BROKEN, ABSENT, DEGRADED, HELD, RETRAINING, WARNED, CALM = range(7)  # ranks; the lowest needs attention most
_FOR_A_PERSON = ("proposed", "superseded", "no_labels", "too_few_labels", "quality_failed", "failed")
_WAITING = ("proposed", "superseded")


@dataclass(frozen=True)
class Watched:
    """A monitor with its published nights, its retrainings, and when it is muted, each in any order."""

    monitor: Monitor
    nights: Sequence[PastNight] = ()
    retrainings: Sequence[PastRetraining] = ()
    mutes: Sequence[Mute] = ()

    def known(self, until: date | None = None) -> list[PastNight]:
        """The nights up to a date, oldest first."""
        nights = (night for night in self.nights if until is None or night.run_date <= until)
        return sorted(nights, key=lambda night: night.run_date)

    def outcome(self, newest: date | None, until: date | None = None) -> PastRetraining | None:
        """The last retraining, if it is of the newest night or came after it, or still waits for a person."""
        found = [item for item in self.retrainings if until is None or item.run_date <= until]
        last = max(found, key=lambda item: item.run_date, default=None)
        if last is None:
            return None
        return last if newest is None or last.run_date >= newest or _waits(last) else None

    def probation(self, night: PastNight) -> str:
        """What has to be told of a champion on probation; empty where nothing has, or a person has answered."""
        return "" if night.probation is None or is_answered(night.probation, self.retrainings) else night.probation.told


def rank(night: PastNight, outcome: PastRetraining | None, probation: str = "") -> int:
    """How much a night needs somebody: fewer for more. `probation` is what has to be told of one."""
    if night.status == "data_broken":
        return BROKEN
    waits = outcome is not None and _needs_a_person(outcome)
    settled = not waits and ((night.retrain and night.starts) or (outcome is not None and outcome.promoted))
    if night.status == "degraded" and not settled:
        return DEGRADED
    asks = bool(probation) and not night.rolled_back
    if night.stale or waits or asks:
        return HELD
    if night.status in ("drifted", "degraded"):
        return RETRAINING if settled else HELD
    return WARNED if night.failures or night.status == "too_few_rows" else CALM


def needs_attention(a_rank: int) -> bool:
    """Whether somebody has to do something, as opposed to Nightjar."""
    return a_rank < RETRAINING


def action(night: PastNight, outcome: PastRetraining | None) -> str:
    """What became of retraining: `retraining promoted version 3`, `retraining held: cooldown`, or nothing."""
    if outcome is None:
        return night.action
    day = "" if outcome.run_date == night.run_date else f" on {outcome.run_date}"
    words = f"retraining {outcome.headline}{day}"
    return f"{night.action}, {words}" if day and night.action else words


def title(monitors: int, needing: int) -> str:
    """`12 monitors, 3 need attention`."""
    words = count(monitors, "monitor")
    if not needing:
        return f"{words}, none needs attention"
    return f"{words}, {count(needing)} {'needs' if needing == 1 else 'need'} attention"


def _waits(outcome: PastRetraining) -> bool:
    return outcome.status in _WAITING and outcome.since is None


def _needs_a_person(outcome: PastRetraining) -> bool:
    return outcome.status in _FOR_A_PERSON and outcome.since is None
