"""How well the model does, as gauges. What is not known is absent, and not zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from pipeline.publish.facts.performance import days_overdue
from pipeline.publish.gauges.families import Gauges, Labels, column_label
from pipeline.results import Basis, Estimate, LabelledDay, PerformanceResult

_VERDICTS = ("sound", "degraded", "unknown")


def add_performance(gauges: Gauges, performance: PerformanceResult, labelled: LabelledDay | None) -> None:
    """Values with their intervals, what they are held against, the verdict, and how the labels stand.

    Args:
        gauges: are added to.
        performance: as the night judged it.
        labelled: the night's own predictions with the labels that have come, where there are any.
    """
    _add_values(gauges, performance)
    _add_verdict(gauges, performance)
    _add_labels(gauges, performance, labelled)
    estimated = performance.estimated
    if estimated is not None:
        gauges.one(
            "estimator_withdrawn",
            "Whether the estimate was wrong beyond its interval on the last labelled nights: concept drift.",
            estimated.status == "withdrawn",
        )


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
        "Model performance: realised on the last labelled night, of the reference, estimated for tonight.",
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
        gauges.add(f"performance_{end}", f"The {end} end of its 95% interval.", found)
    spans = [
        ({"metric": column_label(metric), "nights": nights}, found)
        for nights, span in performance.spans.items()
        for metric, found in span.metrics.items()
    ]
    meaning = "Model performance over the predictions of the last nights together."
    gauges.add("performance_over_nights", meaning, [(labels, found.value) for labels, found in spans])
    for end in ("low", "high"):
        values = [(labels, value) for labels, found in spans if (value := getattr(found, end)) is not None]
        gauges.add(f"performance_over_nights_{end}", f"The {end} end of its 95% interval.", values)


def _ends(values: Mapping[str, Estimate], end: str) -> list[tuple[str, float]]:
    return [(metric, value) for metric, found in values.items() if (value := getattr(found, end)) is not None]


def _add_verdict(gauges: Gauges, performance: PerformanceResult) -> None:
    """The main metric as it was judged, what it is held against, and what came of it."""
    verdict = performance.verdict
    if verdict is None:
        return
    if verdict.metric is not None and verdict.value is not None and verdict.basis is not None:
        labels: Labels = {"metric": column_label(verdict.metric), "basis": verdict.basis}
        gauges.add("performance_judged", "The main metric that the verdict is about.", [(labels, verdict.value.value)])
    if verdict.metric is not None:
        of_metric: Labels = {"metric": column_label(verdict.metric)}
        own = [] if verdict.before is None else [(of_metric, verdict.before.value)]
        gauges.add("performance_reference", "The reference's own value of the main metric.", own)
        limit = [] if verdict.limit is None else [(of_metric, verdict.limit)]
        gauges.add("performance_limit", "What the main metric must not be worse than.", limit)
    states = [({"verdict": state}, float(state == verdict.status)) for state in _VERDICTS]
    gauges.add("performance_verdict", "The verdict on performance: 1 for what it is, 0 for the others.", states)
    gauges.one("degraded", "Whether the model is worse than it may be, beyond the noise.", performance.degraded)
    breaches = [
        ({"basis": basis}, float(sum(item.basis == basis for item in verdict.breaches) if performance.degraded else 0))
        for basis in get_args(Basis)
    ]
    gauges.add("performance_breaches", "Metrics that are worse than they may be, by what shows it.", breaches)


def _add_labels(gauges: Gauges, performance: PerformanceResult, labelled: LabelledDay | None) -> None:
    if performance.coverage is not None:
        meaning = "Predictions of the last labelled night that have a label, as a fraction."
        gauges.one("label_coverage_ratio", meaning, performance.coverage)
        gauges.one("labels_final", "Whether no more labels of that night are waited for.", performance.final)
    if labelled is not None and labelled.rows:
        meaning = "Predictions of the judged day itself that had a label when the gauges were made, as a fraction."
        gauges.one("own_label_coverage_ratio", meaning, labelled.coverage)
    if performance.labels_date is not None:
        meaning = "Days whose labels are due, that had predictions, and of which no label has come."
        gauges.one("labels_overdue_days", meaning, days_overdue(performance))
