"""Nights that were decided twice, counted side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from pipeline.results import Alarms, BacktestNight, Decided, Incident

Span = tuple[date, date]
Side = Callable[[BacktestNight], Decided | None]


def decided_twice(nights: Sequence[BacktestNight]) -> list[BacktestNight]:
    """Those that were decided before and after: only they can be compared."""
    return [night for night in nights if night.before is not None and night.after is not None]


def counted(nights: Sequence[BacktestNight], side: Side, incidents: Sequence[Span]) -> Alarms:
    """What nights came to.

    Args:
        nights: that were decided twice, oldest first.
        side: which of the two counts.
        incidents: first and last date of each.
    """
    found = [(night.run_date, decided) for night in nights if (decided := side(night)) is not None]
    alarms = [day for day, decided in found if decided.alarm]
    quiet = [day for day, _ in found if not any(first <= day <= last for first, last in incidents)]
    return Alarms(
        alarms=len(alarms),
        retrainings=sum(decided.decision.retrain for _, decided in found),
        first_alarm=min(alarms, default=None),
        false_alarms=len(set(alarms) & set(quiet)) if incidents else None,
        quiet_nights=len(quiet) if incidents else None,
    )


def incident(nights: Sequence[BacktestNight], span: Span) -> Incident:
    """When the nights of an incident had their first alarm."""
    within = [night for night in nights if span[0] <= night.run_date <= span[1]]
    before = next((place for place, night in enumerate(within) if night.before and night.before.alarm), None)
    after = next((place for place, night in enumerate(within) if night.after and night.after.alarm), None)
    return Incident(first=span[0], last=span[1], nights=len(within), before=before, after=after)
