"""Nights decided twice, counted side by side."""

from __future__ import annotations

from datetime import date, timedelta

from pipeline.checks.backtest.counted import counted, decided_twice, incident
from pipeline.results import Alarms, BacktestNight, Decided, Decision

FIRST = date(2026, 1, 1)


def decided(mark: str) -> Decided | None:
    """`.` healthy, `d` drifted, `r` drifted and asking for a retraining, `g` degraded alone, `-` not decided."""
    if mark == "-":
        return None
    status = {".": "healthy", "g": "degraded"}.get(mark, "drifted")
    decision = Decision.model_validate({"snapshots": "s", "status": status, "retrain": mark == "r", "reason": "x"})
    return Decided(decision=decision, columns=(), alarm=mark in "dr")


def nights(before: str, after: str) -> list[BacktestNight]:
    return [
        BacktestNight(run_date=FIRST + timedelta(days=place), before=decided(old), after=decided(new))
        for place, (old, new) in enumerate(zip(before, after, strict=True))
    ]


def span(first: int, last: int) -> tuple[date, date]:
    return FIRST + timedelta(days=first), FIRST + timedelta(days=last)


def test_only_nights_that_were_decided_twice_are_compared() -> None:
    assert [night.run_date.day for night in decided_twice(nights(".-d.", "..-."))] == [1, 4]


def test_alarms_requests_and_the_first_alarm_are_counted_on_each_side() -> None:
    found = nights("..rdg", ".dd..")
    assert counted(found, lambda night: night.before, ()) == Alarms(
        alarms=2, retrainings=1, first_alarm=date(2026, 1, 3)
    )
    assert counted(found, lambda night: night.after, ()) == Alarms(
        alarms=2, retrainings=0, first_alarm=date(2026, 1, 2)
    )
    none = counted(nights("..", ".."), lambda night: night.after, ())
    assert none == Alarms(alarms=0, retrainings=0)


def test_alarms_outside_of_incidents_are_false() -> None:
    found = counted(nights("d.dd.d", "......"), lambda night: night.before, [span(2, 3), span(3, 4)])
    assert (found.false_alarms, found.quiet_nights) == (2, 3)


def test_an_incident_is_found_so_many_nights_after_its_first() -> None:
    found = incident(nights("d..d.", "..d.d"), span(1, 3))
    assert (found.nights, found.before, found.after) == (3, 2, 1)


def test_an_alarm_after_an_incident_does_not_find_it() -> None:
    found = incident(nights("...d", "d..."), span(1, 2))
    assert (found.before, found.after) == (None, None)
    assert incident([], span(1, 2)).nights == 0
