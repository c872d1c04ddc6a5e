"""Whether a model keeps its objective, as a gauge."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from pipeline.publish.facts.night import NightView
from pipeline.publish.gauges.night import exposition
from pipeline.results import NightPerformance, PerformanceVerdict
from tests.publish import performances, samples
from tests.publish.reading import read_gauges

UNKNOWN = PerformanceVerdict(status="unknown", sentence="nothing to hold it against")
BEFORE, AFTER = (
    NightPerformance(day=performances.LABELS_DATE + timedelta(days=days), status="awaiting_labels", rows=3_000)
    for days in (-1, 1)
)


def view(state: str = "sound", floors: dict[str, float] | None = None, **changes: Any) -> NightView:
    found = performances.performance(state).model_copy(update=changes)
    policy = samples.monitor().performance.model_copy(update={"floors": floors or {}})
    monitor = samples.monitor().model_copy(update={"performance": policy})
    return dataclasses.replace(samples.view(), performance=found, monitor=monitor)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (view("sound"), "met"),
        (view("degraded"), "missed"),
        (view("guessed"), "missed"),  # before labels, and beyond the noise
        (view(verdict=UNKNOWN), "unknown"),  # labels are there
        (view(verdict=None), "unknown"),
        (view(verdict=UNKNOWN, status="awaiting_labels", nights=(AFTER,)), "awaiting_labels"),
        (view(verdict=UNKNOWN, status="awaiting_labels", nights=(BEFORE, AFTER)), "unknown"),  # they are overdue
        (view(verdict=UNKNOWN, status="not_configured", floors={"recall": 0.7}), "unknown"),
        (view(verdict=UNKNOWN, status="not_configured"), None),  # nobody asks for anything
    ],
)
def test_the_state_of_an_objective_is_that_of_the_verdict(told: NightView, state: str | None) -> None:
    found = {labels["state"]: value for labels, value in read_gauges(exposition(told)).get("objective", [])}
    wanted = {name: float(name == state) for name in ("met", "missed", "unknown", "awaiting_labels")}
    assert found == ({} if state is None else wanted)
