"""A retraining as Prometheus gauges.

They have a group of their own at the Pushgateway, `job="nightjar", monitor="<name>", flow="retraining"`: a night's push
replaces the whole group of its monitor, and would wipe them there until the next retraining.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import get_args

from pipeline.publish.facts.retraining import remember
from pipeline.publish.gauges.families import Gauges, Labels, column_label, midnight
from pipeline.publish.gauges.gateway import group_of, send
from pipeline.results import Evaluation, RetrainResult, RetrainStatus


def exposition(result: RetrainResult) -> bytes:
    """The retraining's gauges in the Prometheus text format; equal results give equal bytes."""
    gauges = Gauges()
    states = [({"status": state}, float(state == result.status)) for state in get_args(RetrainStatus)]
    gauges.add("retraining_status", states)
    gauges.one(
        "retraining_run_date_timestamp_seconds",
        midnight(result.run_date),
    )
    _add_versions(gauges, result)
    if result.evaluation is not None:
        _add_metrics(gauges, result.evaluation)
    if result.counts is not None:
        parts = {"training": result.counts.training_rows, "holdout": result.counts.holdout_rows}
        rows = [({"part": part}, float(many)) for part, many in parts.items()]
        gauges.add("retraining_rows", rows)
    return gauges.text()


def push(
    text: bytes,
    monitor: str,
    gateway_url: str,
    now: float,
    sleep: Callable[[float], None] = time.sleep,
    *,
    environment: str | None = None,
) -> None:
    """Replace the monitor's retraining group at the gateway, with the moment; see `gauges.push`."""
    gauges = Gauges()
    gauges.one("last_retraining_timestamp_seconds", now)
    group = group_of(monitor, flow="retraining", environment=environment)
    send("PUT", text + gauges.text(), group, gateway_url, sleep)


def push_champion(
    monitor: str,
    version: str,
    gateway_url: str,
    sleep: Callable[[float], None] = time.sleep,
    *,
    environment: str | None = None,
) -> None:
    """Tell the gateway which version a person made champion, leaving the last retraining's other gauges as they are.

    Arguments and errors are those of `gauges.push`.
    """
    gauges = Gauges()
    _add_champion(gauges, version)
    group = group_of(monitor, flow="retraining", environment=environment)
    send("POST", gauges.text(), group, gateway_url, sleep)


def _add_versions(gauges: Gauges, result: RetrainResult) -> None:
    if result.lineage is None:
        return
    trained = result.lineage.version
    _add_champion(gauges, trained if remember(result).promoted else result.lineage.champion_version)
    if trained.isdecimal():
        gauges.one("retraining_challenger_version", float(trained))


def _add_champion(gauges: Gauges, version: str | None) -> None:
    if version is not None and version.isdecimal():
        gauges.one("retraining_champion_version", float(version))


def _add_metrics(gauges: Gauges, evaluation: Evaluation) -> None:
    values: list[tuple[Labels, float]] = [
        ({"metric": column_label(metric.name), "model": model}, value)
        for metric in evaluation.metrics
        for model, value in (("champion", metric.champion), ("challenger", metric.challenger))
        if value is not None
    ]
    gauges.add("retraining_performance", values)
    gains: list[tuple[Labels, float]] = [
        ({"metric": column_label(metric.name), "bound": bound}, value)
        for metric in evaluation.metrics
        for bound, value in (("low", metric.low), ("estimate", metric.improvement), ("high", metric.high))
        if value is not None
    ]
    gauges.add("retraining_improvement", gains)
