"""What follows from all that is known of a model: the spans, the nights, and the verdict."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from pipeline.checks.performance import pooled
from pipeline.checks.performance.pooled import Serving
from pipeline.checks.performance.verdict.judge import judge
from pipeline.checks.performance.verdict.stretches import Stretch
from pipeline.config.monitor import PerformancePolicy
from pipeline.results import (
    MAIN,
    METRICS,
    Basis,
    Estimate,
    LabelledDay,
    NightPerformance,
    PerformanceResult,
    PerformanceVerdict,
    Task,
)
from pipeline.wording import metric_name


@dataclass(frozen=True)
class Known:
    """All that a night knows of its model.

    `days` are those whose labels have come, of any model; `telling` those of the model that serves tonight (`serving`),
    see `pooled.telling`. `expected` are estimates of the main metric by night, of which `shared_error` is the standard
    error that they have in common; `can_estimate` is False where they were wrong of late.
    """

    days: Sequence[LabelledDay] = ()
    telling: Sequence[LabelledDay] = ()
    serving: Serving = field(default_factory=Serving)
    expected: Mapping[date, Estimate] = field(default_factory=dict)
    shared_error: float = 0.0
    can_estimate: bool = True


def main_metric(policy: PerformancePolicy, task: Task, *known: Collection[str]) -> str:
    """What a model is judged by: what the monitor says, else the first one of its task that is known anywhere.

    Args:
        policy: of the monitor.
        task: of the model.
        known: names of metrics that have a value, the most trusted first.
    """
    if policy.main != "auto":
        return policy.main
    usual = MAIN[task]
    return next((name for found in known for name in usual if name in found), usual[0])


def of_no_use(policy: PerformancePolicy, task: Task) -> list[str]:
    """Sentences about floors that protect nothing, as no model of the task has their metric."""
    return [
        f"performance.floors has {name}, which is a metric of a {METRICS[name].task}: the model is one of a {task}"
        for name in policy.floors
        if METRICS[name].task != task
    ]


def verdict_on(result: PerformanceResult, known: Known, policy: PerformancePolicy, main: str) -> PerformanceVerdict:
    """Whether the model is worse than it may be, by all that is known of it."""
    names = list(dict.fromkeys([main, *policy.floors]))
    values: dict[str, dict[Basis, Sequence[Stretch]]] = {
        name: {"realised": stretches} for name, stretches in pooled.realised(known.telling, names).items()
    }
    if known.can_estimate:
        values[main]["estimated"] = pooled.estimated(_serving(known), known.shared_error, main)
    nights = [(day.day, day.metrics[main]) for day in known.telling if main in day.metrics]
    found = judge(policy, main, values, result.reference_intervals, nights)
    if found.status != "unknown":
        return found
    return found.model_copy(update={"sentence": _why_unknown(result, known, main, found)})


def _why_unknown(result: PerformanceResult, known: Known, main: str, found: PerformanceVerdict) -> str:
    """Why nothing can be told, where that is not for want of labels: "no labels have come" would be wrong then."""
    name, task = metric_name(main), METRICS[main].task
    if result.task is not None and task != result.task:
        return f"{name} is a metric of a {task}, and the model is one of a {result.task}: change performance.main"
    if known.telling:
        none = not any(main in day.metrics for day in known.telling) and found.metric == main
        return f"the labels that have come give no {name}" if none and found.value is None else found.sentence
    if not known.days:
        return found.sentence
    version = known.serving.version
    model = "the model that answers now" if version is None else f"version {version}, which answers now,"
    words = f"no final labels of {model} yet"
    return words if found.value is None else f"{words}; {found.sentence}"


def _serving(known: Known) -> dict[date, Estimate]:
    """Estimates of the model that answers tonight: those of the nights after the last one of another model."""
    serving = known.serving
    others = [day.day for day in known.days if day.status == "measured" and not serving.answered(day)]
    first = max((day + timedelta(days=1) for day in others), default=serving.since)
    return {day: found for day, found in known.expected.items() if first is None or day >= first}


def nights_of(known: Known, policy: PerformancePolicy, main: str) -> tuple[NightPerformance, ...]:
    """The days of the window with the metrics that decide, oldest first."""
    names = [main, *policy.floors]
    by_day = {day.day: day for day in known.days}
    return tuple(
        _night(day, by_day.get(day), known.expected.get(day), names) for day in sorted({*by_day, *known.expected})
    )


def _night(day: date, found: LabelledDay | None, expected: Estimate | None, names: Sequence[str]) -> NightPerformance:
    estimated = {} if expected is None else {names[0]: expected}
    if found is None:
        rows = 0 if expected is None else expected.rows
        return NightPerformance(day=day, status="awaiting_labels", rows=rows, estimated=estimated)
    return NightPerformance(
        day=day,
        status=found.status,
        rows=found.rows,
        labelled_rows=found.labelled_rows,
        final=found.final,
        realised={name: found.metrics[name] for name in names if name in found.metrics},
        estimated=estimated,
    )
