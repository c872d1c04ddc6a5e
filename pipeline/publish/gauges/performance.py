"""How well the model does, as gauges. What is not known is absent, and not zero."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, get_args

from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.performance import days_overdue
from pipeline.publish.gauges.families import Gauges, Labels, column_label
from pipeline.results import Basis, Estimate, LabelledDay, PerformanceResult

_VERDICTS = ("sound", "degraded", "unknown")
Objective = Literal["met", "missed", "unknown", "awaiting_labels"]


def add_performance(gauges: Gauges, view: NightView) -> None:
    """Values with their intervals, what they are held against, the verdict, and how the labels stand."""
    performance = view.performance
    _add_values(gauges, performance)
    _add_verdict(gauges, performance)
    objective = objective_of(view)
    if objective is not None:
        states = [({"state": state}, float(state == objective)) for state in get_args(Objective)]
        gauges.add("objective", states)
    _add_labels(gauges, view)
    estimated = performance.estimated
    if estimated is not None:
        gauges.one(
            "estimator_withdrawn",
            estimated.status == "withdrawn",
        )


def objective_of(view: NightView) -> Objective | None:
    """How the model stands to what it is held against: the verdict of the night, which knows its noise.

    None where there is none: nothing was held against a limit, and the monitor names neither labels nor a floor.
    """
    performance, verdict = view.performance, view.performance.verdict
    if verdict is not None and verdict.status != "unknown":
        return "missed" if verdict.status == "degraded" else "met"
    if performance.status == "not_configured" and not view.monitor.performance.floors:
        return None
    waits = performance.status == "awaiting_labels" and not days_overdue(performance)
    return "awaiting_labels" if waits else "unknown"


def _add_values(gauges: Gauges, performance: PerformanceResult) -> None:
    """The last labelled night, the reference's own and tonight's estimate; then the last nights together."""
    realised = performance.realised if performance.status == "measured" else {}
    reference = performance.reference if performance.status == "measured" else {}
    guessed = {} if performance.estimated is None else performance.estimated.metrics
    intervals = {
        "realised": performance.intervals if realised else {},
        "reference": performance.reference_intervals if realised else {},
        "estimated": guessed,
    }
    sources: dict[str, Mapping[str, float]] = {
        "realised": realised,
        "reference": reference,
        "estimated": {name: found.value for name, found in guessed.items()},
    }
    gauges.add(
        "performance",
        [
            ({"metric": column_label(metric), "source": source}, value)
            for source, values in sources.items()
            for metric, value in values.items()
        ],
    )
    for end in ("low", "high"):
        found = [
            ({"metric": column_label(metric), "source": source}, value)
            for source, values in intervals.items()
            for metric, value in _ends(values, end)
        ]
        gauges.add(f"performance_{end}", found)
    spans = [
        ({"metric": column_label(metric), "nights": nights}, found)
        for nights, span in performance.spans.items()
        for metric, found in span.metrics.items()
    ]
    gauges.add("performance_over_nights", [(labels, found.value) for labels, found in spans])
    for end in ("low", "high"):
        values = [(labels, value) for labels, found in spans if (value := getattr(found, end)) is not None]
        gauges.add(f"performance_over_nights_{end}", values)


def _ends(values: Mapping[str, Estimate], end: str) -> list[tuple[str, float]]:
    return [(metric, value) for metric, found in values.items() if (value := getattr(found, end)) is not None]


def _add_verdict(gauges: Gauges, performance: PerformanceResult) -> None:
    """The main metric as it was judged, what it is held against, and what came of it."""
    verdict = performance.verdict
    if verdict is None:
        return
    if verdict.metric is not None and verdict.value is not None and verdict.basis is not None:
        labels: Labels = {"metric": column_label(verdict.metric), "basis": verdict.basis}
        gauges.add("performance_judged", [(labels, verdict.value.value)])
    if verdict.metric is not None:
        of_metric: Labels = {"metric": column_label(verdict.metric)}
        own = [] if verdict.before is None else [(of_metric, verdict.before.value)]
        gauges.add("performance_reference", own)
        limit = [] if verdict.limit is None else [(of_metric, verdict.limit)]
        gauges.add("performance_limit", limit)
    states = [({"verdict": state}, float(state == verdict.status)) for state in _VERDICTS]
    gauges.add("performance_verdict", states)
    gauges.one("degraded", performance.degraded)
    breaches = [
        ({"basis": basis}, float(sum(item.basis == basis for item in verdict.breaches) if performance.degraded else 0))
        for basis in get_args(Basis)
    ]
    gauges.add("performance_breaches", breaches)


def _add_labels(gauges: Gauges, view: NightView) -> None:
    performance, labelled = view.performance, view.labelled
    if performance.coverage is not None:
        gauges.one("label_coverage_ratio", performance.coverage)
        gauges.one("labels_final", performance.final)
    if labelled is not None and labelled.rows:
        gauges.one("own_label_coverage_ratio", labelled.coverage)
    if performance.labels_date is not None:
        gauges.one("labels_overdue_days", days_overdue(performance))
        gauges.one("label_delay_expected_days", view.monitor.performance.label_delay_days)
        newest = _newest_labelled(performance, labelled)
        if newest is not None:
            gauges.one("label_delay_days", (view.run_date - newest).days)


def _newest_labelled(performance: PerformanceResult, labelled: LabelledDay | None) -> date | None:
    """The newest day of which a label has come; None where no day of the window has one."""
    days = [night.day for night in performance.nights if night.labelled_rows]
    if performance.labelled_rows and performance.labels_date is not None:
        days.append(performance.labels_date)
    if labelled is not None and labelled.labelled_rows:
        days.append(labelled.day)
    return max(days, default=None)
