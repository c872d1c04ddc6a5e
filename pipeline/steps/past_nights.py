"""The nights before one, as a budget of alarms looks at them: their profiles, out of the run store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.results import Decision, NightProfile
from pipeline.steps.night import Night

if TYPE_CHECKING:
    from pipeline.checks.alarms.past import PastNight


def past_nights(night: Night) -> list[PastNight]:
    """Published nights whose data was not broken and that kept a profile, oldest first; none where no budget is set."""
    from pipeline.checks.alarms.past import PastNight, dates_wanted

    policy = night.monitor.drift.alarms
    if policy is None:
        return []
    before = [night.on(day) for day in dates_wanted(policy, night.run_date, night.nights())]
    found = ((one.run_date, one.read(NightProfile)) for one in before if not _is_broken(one))
    return [PastNight(day, profile) for day, profile in found if profile is not None]


def _is_broken(night: Night) -> bool:
    decision = night.read(Decision)
    return decision is None or decision.status == "data_broken"
