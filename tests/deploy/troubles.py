"""Nights in trouble of every kind, each under a monitor of its own, as they leave a Pushgateway."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.config.schedule import Due
from pipeline.errors import ExitCode, OutletRefused
from pipeline.publish.facts.night import NightView
from pipeline.publish.gauges import night, probation
from pipeline.results import Failure, NightPerformance
from tests.publish import performances, probations, samples

HOUR = 3600.0


def push_troubles(gateway_url: str) -> None:
    """What rings of one night each; what takes weeks to ring is not among them."""
    now = time.time()
    for name, view in _nights().items():
        night.push(night.exposition(view), name, gateway_url, now)
    told, soon, past = night.exposition(samples.view()), _moment(now + HOUR), _moment(now - HOUR)
    night.push(told, "late", gateway_url, now - 30 * HOUR, due=Due(late=past, missing=soon))
    night.push(told, "missing", gateway_url, now - 60 * HOUR, due=Due(late=past, missing=past))
    night.push_failure("failed", gateway_url, "measure_drift", now)
    night.push_failure("given-up", gateway_url, "overdue", now)
    probation.push(probation.exposition(probations.found("proposed")), "critical-column", gateway_url)
    with pytest.raises(OutletRefused):
        night.push(b"model_monitor_rows 1\nmodel_monitor_rows 2\n", "stale", gateway_url, now)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _nights() -> dict[str, NightView]:
    usual, drift = samples.view(), samples.drift()
    failure = Failure(part="drift", error="MemoryError", exit_code=ExitCode.UNEXPECTED)
    unknown, guessed = samples.decision(failed=True), performances.performance("guessed")
    found: dict[str, dict[str, Any]] = {
        "broken-data": {"quality": samples.quality(failed=True), "decision": unknown},
        "not-comparable": {"decision": unknown},
        "stale": {"quality": samples.stale()},
        "near-limit": {"drift": samples.drift(drifted=5)},
        "critical-column": {"drift": drift.model_copy(update={"critical": (drift.drifted_columns[0].name,)})},
        "incomplete": {"drift": drift.model_copy(update={"failure": failure})},
        "without-labels": {"performance": guessed.model_copy(update={"nights": _awaiting()})},
    }
    return {name: dataclasses.replace(usual, **changed) for name, changed in found.items()}


def _awaiting() -> tuple[NightPerformance, ...]:
    days = (performances.LABELS_DATE - timedelta(days=ago) for ago in range(3))
    return tuple(NightPerformance(day=day, status="awaiting_labels", rows=3_000) for day in days)
