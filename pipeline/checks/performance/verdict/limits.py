"""What a model is held against: each metric with a floor, and the main one against the reference's own value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pipeline.checks.performance.verdict.stretches import FEWEST_ROWS, as_judged, noise
from pipeline.config.monitor import PerformancePolicy
from pipeline.results import METRICS, Estimate

_FALL = 0.05
_RISE = 0.2
_SOUND_PART = 1 / 3


class Limit(NamedTuple):
    """What a metric must not be worse than: `value`, known to within the standard error `error`.

    A model that is no worse than `sound`, known to within `sound_error`, is sound for certain. Of a floor the two are
    the same. Of a drop sound models have lost no more than a third of what they may lose.
    """

    metric: str
    why: Literal["floor", "drop"]
    value: float
    error: float
    sound: float
    sound_error: float
    before: float | None = None


def max_drop(policy: PerformancePolicy, metric: str) -> float | None:
    """How much a metric may lose, as `MetricKind.loss` counts it; None: anything."""
    if policy.max_drop == "auto":
        return _RISE if METRICS[metric].is_relative else _FALL
    return None if policy.max_drop is None else float(policy.max_drop)


def limits(policy: PerformancePolicy, main: str, own: Mapping[str, Estimate]) -> tuple[Limit, ...]:
    """All that are known, those of the main metric first."""
    drop, before = max_drop(policy, main), own.get(main)
    allowed = None if drop is None or before is None else _drop(main, as_judged(main, before), drop)
    names = sorted(policy.floors, key=lambda name: name != main)
    floors = [Limit(name, "floor", (floor := policy.floors[name]), 0.0, floor, 0.0) for name in names]
    return (*floors,) if allowed is None else (allowed, *floors)


def _drop(metric: str, before: Estimate, drop: float) -> Limit | None:
    """None where the reference has too few rows, or nobody knows how sure its value is."""
    error = noise(before)
    if before.rows < FEWEST_ROWS or error is None:
        return None
    kind, part = METRICS[metric], drop * _SOUND_PART
    factors = (1 + drop, 1 + part) if kind.is_relative else (1.0, 1.0)
    return Limit(
        metric=metric,
        why="drop",
        value=kind.limit(before.value, drop),
        error=error * factors[0],
        sound=kind.limit(before.value, part),
        sound_error=error * factors[1],
        before=before.value,
    )
