"""Which version answers beside which, and on which nights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pipeline.config import Monitor
from pipeline.retrain.champion.promotion import move_of
from pipeline.retrain.champion.registry import CHALLENGER, CHAMPION, Registry, Version


@dataclass(frozen=True)
class Pair:
    """A version under watch and the one it is held against, on the nights from `since` to `until`.

    What is decided is decided by `last`: then the labels of all these nights are due.
    """

    kind: Literal["probation", "shadow"]
    version: Version
    against: Version
    since: date
    until: date
    last: date

    def nights(self, run_date: date) -> list[date]:
        """Those up to a date, oldest first."""
        days = (min(self.until, run_date) - self.since).days + 1
        return [self.since + timedelta(days=day) for day in range(max(days, 0))]


def on_probation(monitor: Monitor, registry: Registry, run_date: date) -> Pair | str | None:
    """The champion and the one before it, while a night is one of its probation; or why there is no such pair.

    None where nothing is on probation: what was rolled back to has stood its own.
    """
    champion = registry.at(CHAMPION)
    move = move_of(champion)
    if champion is None or move is None or move.event != "promoted":
        return None
    against = None if move.previous_version is None else registry.version(move.previous_version)
    after = [day for day in (move.after, _trained(champion), _trained(against)) if day is not None]
    span = _span(monitor, max(after), monitor.retrain.probation_days, run_date) if after else None
    if span is None:
        return None
    if move.previous_version is None:
        return f"version {champion.number} is the first champion, so no other one can answer beside it"
    if against is None:
        return f"version {move.previous_version}, the champion before, is gone, so it cannot answer beside the new one"
    return Pair("probation", champion, against, *span)


def in_shadow(monitor: Monitor, registry: Registry, run_date: date) -> Pair | None:
    """The challenger that waits and the champion, where the monitor wants to see them side by side."""
    if monitor.retrain.shadow != "challenger":
        return None
    champion, challenger = registry.at(CHAMPION), registry.at(CHALLENGER)
    after = [day for day in (_trained(champion), _trained(challenger)) if day is not None]
    if champion is None or challenger is None or not after:
        return None
    span = _span(monitor, max(after), monitor.performance.window_days, run_date)
    return None if span is None else Pair("shadow", challenger, champion, *span)


def _trained(version: Version | None) -> date | None:
    """The date a version was trained for: it may have learnt from every night up to then, and is asked of none."""
    found = None if version is None else version.tags.get("run_date")
    return None if found is None else date.fromisoformat(found)


def _span(monitor: Monitor, after: date, days: int, run_date: date) -> tuple[date, date, date] | None:
    """`since`, `until` and `last` of so many nights after a date; None where a night is none of these."""
    since, until = after + timedelta(days=1), after + timedelta(days=days)
    last = until + timedelta(days=monitor.performance.label_delay_days)
    return (since, until, last) if days > 0 and since <= run_date <= last else None
