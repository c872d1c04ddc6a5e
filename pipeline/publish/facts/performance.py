"""How well the model does, in words: the same on every page, in every mail, in every report and in every gauge.

Values are written beside what they are held against, so that none reads as if it stood on the other side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import hypot
from typing import Literal

from pipeline.config import Monitor
from pipeline.results import (
    MAIN,
    METRICS,
    Basis,
    Breach,
    Estimate,
    Estimated,
    LabelledDay,
    MetricKind,
    PerformanceResult,
    Shift,
)
from pipeline.wording import apart, clip, count, measured, metric_name, share

Comparison = Literal["better", "worse", ""]
Look = Literal["degraded", "worse", ""]

_TWO_SIDED_95 = 1.96  # standard errors, of a normal distribution
_METHODS = {
    "cbpe": "confidence-based estimation (CBPE)",
    "pape": "confidence-based estimation, the reference weighted to be like tonight (PAPE)",
    "dle": "a model of the errors, trained on the reference (DLE)",
}
_BLIND = (
    "It sees that inputs have moved to where the model is less sure or errs more. It cannot see that the relation "
    "between inputs and label has changed (concept drift): only labels show that."
)
_SHIFTS = {
    "label_share": "Share of the positive class among the labels",
    "label_distance": "Labels, distance from the reference (Jensen-Shannon)",
    "mean_label": "Mean label",
    "prediction_share": "Share of the positive class among the predictions",
    "prediction_distance": "Predictions, distance from the reference (Jensen-Shannon)",
    "mean_prediction": "Mean prediction",
    "score_distance": "Scores, distance from the reference (Jensen-Shannon)",
    "mean_score": "Mean score",
    "mean_confidence": "Mean confidence",
    "grey_zone_share": "Scores in the grey zone, 0.4 to 0.6",
    "calibration_error": "Calibration error",
}
_OF_VALUES = ("mean_label", "mean_prediction")


def kind_of(metric: str) -> MetricKind:
    """What a metric is; one that nobody knows counts as better where it is higher."""
    return METRICS.get(metric, MetricKind("classification", "higher"))


def comparison_words(metric: str, realised: float, reference: float) -> str:
    """`better`, `worse` or `equal` to the reference, to the digits shown."""
    if measured(realised) == measured(reference):
        return "equal"
    return "worse" if kind_of(metric).loss(reference, realised) > 0 else "better"


def beyond_noise(metric: str, now: Estimate, before: Estimate) -> Comparison:
    """Whether a value differs from another one by more than chance explains, in 95 of 100 cases; and which way.

    By the standard errors of both, as of independent rows; where they are not known, by intervals that do not meet.
    """
    if now.error is not None and before.error is not None:
        far = abs(now.value - before.value) > _TWO_SIDED_95 * hypot(now.error, before.error)
    elif None in (now.low, now.high, before.low, before.high):
        far = False
    else:
        far = _ends(now)[1] < _ends(before)[0] or _ends(before)[1] < _ends(now)[0]
    loss = kind_of(metric).loss(before.value, now.value)
    return "" if not far or not loss else "worse" if loss > 0 else "better"


def interval_words(found: Estimate | None) -> str:
    """`0.801 to 0.823`; empty where there is no interval."""
    if found is None or found.low is None or found.high is None:
        return ""
    return " to ".join(apart(found.low, found.high, write=measured))


def with_interval(found: Estimate) -> str:
    """`0.812 (0.801 to 0.823)`."""
    noise = interval_words(found)
    return measured(found.value) + (f" ({noise})" if noise else "")


def limit_words(metric: str, limit: str) -> str:
    """What a limit asks for: `at least 0.81`, `at most 300`, `at most 3 either way`."""
    kind = kind_of(metric)
    return f"at {'least' if kind.better == 'higher' else 'most'} {limit}" + (
        " either way" if kind.better == "near_zero" else ""
    )


def held_words(metric: str, value: float, limit: float | None, digits: int = 3) -> tuple[str, str]:
    """A value, and what is asked of it; digits enough to tell them apart: `0.812`, `at least 0.813`."""
    if limit is None:
        return measured(value, digits), ""
    shown, asked = apart(value, limit, digits=digits, write=measured)
    return shown, limit_words(metric, asked)


def worse_words(breach: Breach) -> str:
    """`ROC AUC 0.47, at least 0.81 expected`; ASCII and free of data, so that it can go into any header."""
    name = metric_name(breach.metric)
    if breach.basis == "estimated":
        name = f"estimated {name}"
    if breach.why == "trend":
        return f"{name} {measured(breach.value.value, 2)}, getting worse over {count(breach.nights, 'night')}"
    value, asked = held_words(breach.metric, breach.value.value, breach.limit, 2)
    return f"{name} {value}, {asked} expected"


def first_breach(performance: PerformanceResult) -> Breach | None:
    """The breach that headlines tell: of the main metric, and by labels, where there is such a one."""
    verdict = performance.verdict
    if verdict is None or verdict.status != "degraded":
        return None
    ordered = sorted(
        verdict.breaches, key=lambda item: (item.metric != verdict.metric, item.basis != "realised", item.why)
    )
    return ordered[0] if ordered else None


def main_metric(performance: PerformanceResult) -> str | None:
    """The metric that the model is judged by; where nobody judged, the usual one of those that were measured."""
    if performance.verdict is not None and performance.verdict.metric is not None:
        return performance.verdict.metric
    known = performance.realised or (performance.estimated.metrics if performance.estimated else {})
    return usual_metric(known)


def usual_metric(known: Sequence[str] | dict[str, float] | dict[str, Estimate]) -> str | None:
    """The one of some metrics that a model is usually judged by."""
    usual = (name for names in MAIN.values() for name in names)
    return next((name for name in (*usual, *known) if name in known), None)


def sentence(text: str, length: int = 400) -> str:
    """A sentence of a result, without its full stop, as others follow."""
    words = clip(text, length).strip().rstrip(".")
    return words[:1].upper() + words[1:]


def performance_words(performance: PerformanceResult) -> str:
    """The verdict's sentence; without one the first metrics against the reference, or why there are none."""
    if performance.verdict is not None and performance.verdict.sentence:
        return sentence(performance.verdict.sentence)
    if performance.status == "measured" and performance.realised:
        metrics = [
            f"{metric_name(name)} {measured(realised)}"
            + (f" (reference {measured(performance.reference[name])})" if name in performance.reference else "")
            for name, realised in list(performance.realised.items())[:2]
        ]
        return "Performance: " + ", ".join(metrics)
    return {
        "not_configured": "Performance is not measured: no label column is configured",
        "awaiting_labels": "Performance is not known yet: the labels have not arrived",
    }.get(performance.status, "Performance could not be measured")


def is_judged(performance: PerformanceResult) -> bool:
    """Whether there is something to tell before what drifted: a verdict that knows."""
    return performance.verdict is not None and performance.verdict.status != "unknown"


@dataclass(frozen=True)
class Figure:
    """The main metric as the first figure of a page: its value, how it looks, and what it is held against."""

    name: str
    value: str
    look: Look
    against: str
    basis: str


def figure(performance: PerformanceResult) -> Figure | None:
    """The main metric as the night judged it; None where no performance is measured."""
    if performance.status == "not_configured" and performance.verdict is None:
        return None
    metric, found, before, limit = main_metric(performance), *_judged(performance)
    if metric is None or found is None:
        why = performance.verdict.sentence if performance.verdict else performance.reason or ""
        return Figure("Performance" if metric is None else metric_name(metric), "not known", "", "", sentence(why, 200))
    value, asked = held_words(metric, found.value, limit)
    own = f"{measured(before.value)} on the reference" if before is not None else ""
    return Figure(
        ("estimated " if basis_of(performance) == "estimated" else "") + metric_name(metric),
        value,
        look_of(performance, metric, found, before),
        "; ".join(filter(None, (own, f"{asked} expected" if asked else ""))),
        _basis_words(performance, found),
    )


def look_of(performance: PerformanceResult, metric: str, found: Estimate, before: Estimate | None) -> Look:
    """How the figure is coloured: degraded where this metric is; worse where it is, beyond the noise."""
    if performance.degraded:
        return "degraded"
    return "worse" if before is not None and beyond_noise(metric, found, before) == "worse" else ""


def basis_of(performance: PerformanceResult) -> Basis | None:
    """Whether the figure is realised or estimated."""
    verdict = performance.verdict
    if verdict is not None and verdict.value is not None:
        return verdict.basis
    return "realised" if performance.realised else "estimated" if _judged(performance)[0] is not None else None


def span_words(first: date, last: date) -> str:
    """`2026-01-07`, or `2026-01-01 to 2026-01-07`."""
    return str(first) if first == last else f"{first} to {last}"


def rows_words(found: Estimate, basis: Basis | None) -> str:
    """`22,830 labels`, or `3,412 predictions`."""
    noun = "label" if basis == "realised" else "prediction"
    return count(found.rows, noun) if found.rows else ""


def coverage_words(labelled: int, share_of: float | None, *, final: bool) -> str:
    """`3,287 labels, 96% of the predictions; provisional, as more are waited for`."""
    part = "" if share_of is None else f", {share(share_of)} of the predictions"
    state = "final" if final else "provisional, as more are waited for"
    return f"{count(labelled, 'label')}{part}; {state}"


def grew_words(labelled: LabelledDay) -> str:
    """How the labels came: `after 1 day 35%, after 3 days 92%`; empty where they came at once or not at all."""
    if not labelled.rows or len(labelled.grew) < 2:
        return ""
    steps = labelled.grew if len(labelled.grew) <= 6 else (*labelled.grew[:2], *labelled.grew[-4:])
    told = (f"{share(seen.labelled_rows / labelled.rows)} on {seen.on}" for seen in steps)
    return "Labels came step by step: " + ", ".join(told)


def estimator_words(estimated: Estimated | None) -> list[str]:
    """How the estimate is made, what it cannot see, and how it has done; empty where none is asked for."""
    if estimated is None:
        return []
    if estimated.status == "not_evaluable":
        return [f"No estimate: {sentence(estimated.reason or 'the reference does not allow one', 300)}."]
    method = _METHODS.get(estimated.method or "", "")
    lines = [f"Estimated by {method}, before a label is there. {_BLIND}"] if method else [_BLIND]
    if estimated.status == "withdrawn":
        lines.insert(0, f"The estimate is withdrawn. {sentence(estimated.reason or '', 400)}.")
    gaps = [f"{metric_name(name)} by {measured(gap, 2)}" for name, gap in list(estimated.gaps.items())[:4]]
    if estimated.nights_compared:
        missed = f"{count(estimated.nights_missed)} of {count(estimated.nights_compared, 'labelled night')}"
        lines.append(
            f"Realised values lay beyond its interval in {missed}"
            + (f"; in the mean they lay apart: {', '.join(gaps)}." if gaps else ".")
        )
    return lines


def shift_name(shift: Shift) -> str:
    """What is watched, as people read it."""
    return _SHIFTS.get(shift.name, clip(shift.name, 60).replace("_", " ").capitalize())


def shift_values(shift: Shift) -> tuple[str, str]:
    """Its value now and on the reference; the second one is empty where there is none."""
    write = share if shift.name.endswith("_share") else measured
    if shift.before is None:
        return write(shift.now), ""
    now, before = apart(shift.now, shift.before, digits=2 if write is share else 3, write=write)
    return now, before


def shown_shifts(monitor: Monitor, performance: PerformanceResult) -> list[Shift]:
    """What is watched beside the metrics, moved ones first; a private label's own values are not told."""
    told = (item for item in performance.shifts if not (is_private(monitor) and item.name in _OF_VALUES))
    return sorted(told, key=lambda item: not item.moved)


def is_private(monitor: Monitor) -> bool:
    """Whether no class and no forecast may be told."""
    return monitor.columns.private_answers


def _judged(performance: PerformanceResult) -> tuple[Estimate | None, Estimate | None, float | None]:
    """The main metric's value, the reference's own and the limit; as judged, else as measured, else as estimated."""
    verdict, metric = performance.verdict, main_metric(performance)
    if metric is None:
        return None, None, None
    before = performance.reference_intervals.get(metric)
    if before is None and metric in performance.reference:
        before = Estimate(value=performance.reference[metric])
    if verdict is not None and verdict.value is not None:
        return verdict.value, verdict.before or before, verdict.limit
    found = performance.intervals.get(metric)
    if found is None and metric in performance.realised:
        found = Estimate(value=performance.realised[metric], rows=performance.labelled_rows)
    if found is None and performance.estimated is not None and performance.estimated.status == "measured":
        found = performance.estimated.metrics.get(metric)
    return found, before, None if verdict is None else verdict.limit


def _basis_words(performance: PerformanceResult, found: Estimate) -> str:
    """On what the figure rests: `Realised, 2026-01-01 to 2026-01-07, 22,830 labels`."""
    verdict, basis = performance.verdict, basis_of(performance)
    rows = rows_words(found, basis)
    if verdict is not None and verdict.value is not None and verdict.first and verdict.last:
        days = span_words(verdict.first, verdict.last)
    elif basis == "realised" and performance.labels_date:
        days = str(performance.labels_date)
    else:
        days = "before labels"
    word = "Realised" if basis == "realised" else "Estimated"
    noise = interval_words(found)
    return ", ".join(filter(None, (word, days, rows))) + (f"; 95% interval {noise}" if noise else "")


def _ends(found: Estimate) -> tuple[float, float]:
    """The ends of an interval that is known."""
    if found.low is None or found.high is None:
        return found.value, found.value
    return found.low, found.high


def days_overdue(performance: PerformanceResult) -> int:
    """Days whose labels are due, that had predictions, and of which no label has come."""
    due = performance.labels_date
    if due is None:
        return 0
    if not performance.nights:
        return int(performance.status == "awaiting_labels")
    return sum(night.rows > 0 and not night.labelled_rows for night in performance.nights if night.day <= due)
