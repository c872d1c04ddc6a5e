"""How long the steps of a night take: kept beside their results, and pushed with the night's gauges."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import ClassVar, Concatenate, ParamSpec, TypeVar

from pipeline.errors import ResultMissing
from pipeline.results import Kept
from pipeline.results.base import Number
from pipeline.steps.contain import attempt
from pipeline.steps.named import step
from pipeline.steps.night import Night

P = ParamSpec("P")
T = TypeVar("T")

UNTIL_PAGE = (
    "pull_snapshots", "validate_quality", "measure_drift", "measure_performance", "decide", "render_report",
)  # fmt: skip
"""The steps up to the night's page, in their order."""
STEPS = (*UNTIL_PAGE, "log_run", "push_gauges", "send_summary", "send_lineage", "watch_champion")
"""All steps that are timed. Those after the page go on while the night is pushed."""


class StepTime(Kept):
    """How long a step took when it last came to an end. It is no part of the published night."""

    file: ClassVar[str] = "time"

    seconds: Number


def timed(work: Callable[Concatenate[Night, P], T]) -> Callable[Concatenate[Night, P], T]:
    """A step, see `named.step`, that also keeps how long it took. A time that cannot be kept is none."""

    @wraps(work)
    def measured(night: Night, /, *args: P.args, **kwargs: P.kwargs) -> T:
        began = time.monotonic()
        result = work(night, *args, **kwargs)
        found = StepTime(seconds=round(time.monotonic() - began, 3))
        attempt(f"time of {work.__name__}", partial(_keep, night, work.__name__, found), lambda _: None)
        return result

    return step(measured)


def durations(night: Night, steps: Iterable[str] = STEPS) -> dict[str, float]:
    """Seconds by step, of those whose time is known."""
    return {step: seconds for step in steps if (seconds := _read(night, step)) is not None}


def _keep(night: Night, step: str, found: StepTime) -> None:
    night.store.save(night.name, night.run_date, _name(step), found)


def _read(night: Night, step: str) -> float | None:
    try:
        return night.store.load(night.name, night.run_date, _name(step), StepTime).seconds
    except ResultMissing:
        return None


def _name(step: str) -> str:
    return f"{StepTime.file}-{step}"
