"""A night as Prometheus gauges: the text of `gauges.prom`, and pushing it to a Pushgateway.

The text holds no moment of its own making, so that a night run twice gives the same bytes; the moment of success is
added when it is pushed. A push replaces the whole group of the monitor, so columns that are gone leave no stale
series; a failure replaces only its own gauge, so that the last good numbers survive it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import get_args

import pipeline
from pipeline.config.schedule import Due
from pipeline.plain_text import visible
from pipeline.publish.facts.night import NightView
from pipeline.publish.gauges.columns import add_columns
from pipeline.publish.gauges.families import MAX_LABEL, Gauges, column_label, midnight
from pipeline.publish.gauges.gateway import group_of, send
from pipeline.publish.gauges.performance import add_performance
from pipeline.publish.gauges.together import add_together
from pipeline.results import ColumnDrift, DriftResult, Hold, NightProfile, QualityResult, Severity, Status
from pipeline.wording import clip

MAX_COLUMNS = 1000


def exposition(view: NightView, profile: NightProfile | None = None) -> bytes:
    """The night's gauges in the Prometheus text format; equal results give equal bytes.

    Args:
        view: the night.
        profile: what it keeps of its columns, which is told where the monitor asks for it.
    """
    gauges = Gauges()
    _add_verdict(gauges, view)
    _add_drift(gauges, view)
    if view.together is not None:
        add_together(gauges, view.together)
    _add_quality(gauges, view.quality)
    snapshots = {"reference": view.pair.reference, "production": view.pair.production}
    gauges.add("rows", [({"snapshot": name}, snap.rows) for name, snap in snapshots.items()])
    add_performance(gauges, view)
    if profile is not None and view.monitor.drift.profile_gauges:
        ranked = [item.name for item in view.ranked]
        add_columns(gauges, profile, ranked[:MAX_COLUMNS], view.monitor.columns.private)
    return gauges.text()


def push(
    text: bytes,
    monitor: str,
    gateway_url: str,
    now: float,
    sleep: Callable[[float], None] = time.sleep,
    *,
    durations: Mapping[str, float] | None = None,
    due: Due | None = None,
    environment: str | None = None,
) -> None:
    """Replace the monitor's group at the gateway with `text`, the moment of success, when the next night is late, and
    how long steps took.

    Args:
        text: what `exposition` made.
        gateway_url: http(s), with user and password where the gateway asks for them.
        now: Unix time in seconds.
        sleep: waits so many seconds between attempts.
        durations: of the night's steps, in seconds, as far as they are known.
        due: when the next nights are late.
        environment: the name of the installation, which is a part of the group.

    Raises:
        OutletUnavailable: no connection, or the gateway kept failing, after retries.
        OutletRefused: the gateway does not accept the gauges or the credentials.
    """
    gauges = Gauges()
    gauges.one("last_success_timestamp_seconds", now)
    gauges.one("last_attempt_timestamp_seconds", now)
    if due is not None:
        gauges.one("next_night_due_timestamp_seconds", due.late.timestamp())
        gauges.one("second_night_due_timestamp_seconds", due.missing.timestamp())
    gauges.add("step_duration_seconds", [({"step": step}, seconds) for step, seconds in (durations or {}).items()])
    send("PUT", text + gauges.text(), group_of(monitor, environment=environment), gateway_url, sleep)


def push_durations(
    monitor: str,
    gateway_url: str,
    durations: Mapping[str, float],
    sleep: Callable[[float], None] = time.sleep,
    *,
    environment: str | None = None,
) -> None:
    """Tell how long all steps took, once the last one is over, leaving every other gauge of the monitor as it is.

    Arguments and errors are those of `push`.
    """
    gauges = Gauges()
    gauges.add("step_duration_seconds", [({"step": step}, seconds) for step, seconds in durations.items()])
    send("POST", gauges.text(), group_of(monitor, environment=environment), gateway_url, sleep)


def push_failure(
    monitor: str,
    gateway_url: str,
    task: str,
    now: float,
    sleep: Callable[[float], None] = time.sleep,
    *,
    environment: str | None = None,
) -> None:
    """Record that a step broke, leaving every other gauge of the monitor as it is.

    The next success replaces the whole group and so clears it. Arguments and errors are those of `push`; `task` is
    the step's name.
    """
    gauges = Gauges()
    gauges.add("last_failure_timestamp_seconds", [({"task": clip(task, MAX_LABEL)}, now)])
    gauges.one("last_attempt_timestamp_seconds", now)
    send("POST", gauges.text(), group_of(monitor, environment=environment), gateway_url, sleep)


def _add_verdict(gauges: Gauges, view: NightView) -> None:
    owner, page = visible(view.monitor.owner), view.monitor_link()
    gauges.add("info", [({"owner": owner, "environment": view.environment or "", "page": page or ""}, 1.0)])
    gauges.add("build_info", [({"version": pipeline.__version__}, 1.0)])
    status = view.decision.status
    states = [({"status": state}, float(state == status)) for state in get_args(Status)]
    gauges.add("status", states)
    gauges.one("retraining_requested", view.decision.retrain)
    holds = [({"reason": hold}, float(hold == view.decision.hold)) for hold in get_args(Hold)]
    gauges.add("retraining_held", holds)
    gauges.one("data_stale", view.stale)
    gauges.one("broken_measurements", len(view.broken))
    gauges.one("muted", view.muted is not None)
    gauges.one("run_date_timestamp_seconds", midnight(view.run_date))


def _add_drift(gauges: Gauges, view: NightView) -> None:
    drift = view.drift
    gauges.one("drift_share_ratio", drift.drift_share)
    if drift.weighted_drift_share is not None:
        gauges.one("weighted_drift_share_ratio", drift.weighted_drift_share)
    gauges.one("decisive_drift_share_ratio", drift.decisive_share)
    gauges.one("drift_limit_ratio", drift.limit)
    gauges.one("columns_drifted", len(drift.drifted_columns))
    gauges.one("critical_columns_drifted", len(drift.deciding))
    gauges.one("columns_evaluated", drift.evaluated)
    gauges.one("columns_not_evaluable", len(view.not_evaluable))
    columns = [(column_label(item.name), item) for item in view.ranked if item.status == "evaluated"][:MAX_COLUMNS]
    scores = [({"column": label, "method": item.method or ""}, _score(item)) for label, item in columns]
    gauges.add("column_drift_score", scores)
    drifted = [({"column": label}, float(item.drifted)) for label, item in columns]
    gauges.add("column_drifted", drifted)
    weights = [({"column": label}, item.importance) for label, item in columns if item.importance is not None]
    _add_chances(gauges, drift, columns)
    gauges.add("column_importance_ratio", weights)


def _add_chances(gauges: Gauges, drift: DriftResult, columns: Sequence[tuple[str, ColumnDrift]]) -> None:
    """Only of a night on a budget of alarms, where the gauges can be held against it."""
    if drift.alarms is None:
        return
    gauges.one("night_chance_ratio", drift.alarms.chance)
    chances = [({"column": label}, item.chance) for label, item in columns if item.chance is not None]
    gauges.add("column_chance_ratio", chances)


def _add_quality(gauges: Gauges, quality: QualityResult) -> None:
    gauges.one("quality_passed", quality.passed)
    totals = [
        ({"outcome": outcome, "severity": severity}, _outcomes(quality, outcome == "passed", severity))
        for severity in get_args(Severity)
        for outcome in ("passed", "failed")
    ]
    gauges.add("quality_expectations", totals)


def _outcomes(quality: QualityResult, passed: bool, severity: str) -> float:
    return sum(1 for item in quality.outcomes if item.passed == passed and item.severity == severity)


def _score(column: ColumnDrift) -> float:
    return column.score if column.score is not None else 0.0
