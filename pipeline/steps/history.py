"""What earlier nights left in the run store that decides whether tonight may retrain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pipeline.config import Monitor
from pipeline.results import Decision, DriftResult, PerformanceResult
from pipeline.storage.run_store import RunStore


def over_before(store: RunStore, monitor: Monitor, earlier: Sequence[date]) -> tuple[bool, ...]:
    """Whether the nights that `nights_over` looks at, tonight aside, were over the limit; oldest first."""
    last = earlier[max(0, len(earlier) - monitor.retrain.nights_over.of + 1) :]
    found = (store.read_result(monitor.name, day, "drift", DriftResult) for day in last)
    return tuple(drift is not None and drift.drifted for drift in found)


def labelled_rows(
    store: RunStore, monitor: Monitor, earlier: Sequence[date], run_date: date, tonight: PerformanceResult
) -> int | None:
    """Labelled production rows that the nights of the window have seen; None where no labels are configured."""
    if monitor.columns.label is None or monitor.snapshots.labels is None:
        return None
    first = run_date - timedelta(days=monitor.retrain.window_days)
    seen = [store.read_result(monitor.name, day, "performance", PerformanceResult) for day in earlier if day > first]
    by_day = {found.labels_date: found.labelled_rows for found in (*seen, tonight) if found is not None}
    return sum(by_day.values())


def last_request(
    store: RunStore, monitor: Monitor, earlier: Sequence[date], run_date: date, retrained: Sequence[date]
) -> date | None:
    """The last earlier date on which a night asked for a retraining, or a person started one.

    Args:
        store: the run store.
        monitor: whose cooldown counts; what lies before it is not read.
        earlier: the nights before this one.
        run_date: this night.
        retrained: all dates with a retraining.
    """
    first = run_date - timedelta(days=monitor.retrain.cooldown_days)
    decisions = ((day, store.read_result(monitor.name, day, "decision", Decision)) for day in earlier if day > first)
    asked = [day for day, decision in decisions if decision is not None and decision.retrain]
    return max([*asked, *(day for day in retrained if day < run_date)], default=None)
