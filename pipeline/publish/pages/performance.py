"""The section on performance of a night's page."""

from __future__ import annotations

from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.performance import (
    beyond_noise,
    comparison_words,
    coverage_words,
    estimator_words,
    figure,
    grew_words,
    interval_words,
    is_private,
    main_metric,
    performance_words,
    sentence,
    shown_shifts,
)
from pipeline.publish.pages.performance_details import (
    by_class_of,
    calibration_of,
    confusion_of,
    positive_of,
    residuals_of,
    shift_row,
    threshold_of,
)
from pipeline.publish.pages.performance_history import night_history
from pipeline.results import MAIN, METRICS, Estimate, PerformanceResult
from pipeline.wording import clip, count, measured, metric_name

_SPANS = ("7", "30")
_BESIDE_MEANS = {"balanced_accuracy", "matthews_correlation", "precision_weighted", "recall_weighted", "f1_weighted"}
_BESIDE = _BESIDE_MEANS | {"precision_macro", "recall_macro", "f1_macro"}


def performance_part(view: NightView) -> dict[str, object]:
    """What the section on performance of a night's page says."""
    performance, private = view.performance, is_private(view.monitor)
    metric = main_metric(performance)
    columns, rows = _table(performance)
    shown, folded = _folded(performance, rows)
    return {
        "words": performance_words(performance),
        "figure": figure(performance),
        "judged": performance.verdict is not None and bool(performance.verdict.sentence),
        "degraded": performance.degraded,
        "about": _about(performance),
        "reason": clip(performance.reason or "", 400),
        "breaches": _breaches(performance),
        "listed": _is_listed(performance),
        "trend": _trend(performance),
        "history": None if metric is None else night_history(view, metric),
        "columns": columns,
        "rows": shown,
        "folded": folded,
        "has_intervals": bool(performance.intervals),
        "tonight": _tonight(view),
        "estimator": estimator_words(performance.estimated),
        "withdrawn": performance.estimated is not None and performance.estimated.status == "withdrawn",
        "notes": [clip(note, 500) for note in performance.notes],
        "positive": "" if private else positive_of(performance),
        "confusion": None if private else confusion_of(performance.details, performance.reference_details),
        "residuals": None if private else residuals_of(performance.details, performance.reference_details),
        "calibration": calibration_of(performance.details, performance.reference_details),
        "by_class": [] if private else by_class_of(performance),
        "threshold": threshold_of(performance),
        "shifts": [shift_row(item) for item in shown_shifts(view.monitor, performance)],
    }


def _about(performance: PerformanceResult) -> str:
    """On which rows the labelled night rests."""
    if performance.status != "measured":
        return ""
    if performance.coverage is None:
        return (
            f"On {count(performance.labelled_rows, 'labelled row')} of {performance.labels_date}, against the reference"
        )
    words = coverage_words(performance.labelled_rows, performance.coverage, final=performance.final)
    return f"Labelled night {performance.labels_date}: {words}"


def _is_listed(performance: PerformanceResult) -> bool:
    """Whether the verdict's sentence is what its breaches say, one after another: then a list is read more easily."""
    verdict = performance.verdict
    if verdict is None or not verdict.breaches:
        return False
    rest = verdict.sentence
    for item in verdict.breaches:
        rest = rest.replace(item.sentence, "")
    return not rest.strip(" ;.")


def _breaches(performance: PerformanceResult) -> list[str]:
    """In what it is worse, but for what the verdict's sentence says already where that is shown."""
    verdict = performance.verdict
    if verdict is not None and _is_listed(performance):
        return [sentence(item.sentence) for item in verdict.breaches]
    told = () if verdict is None else verdict.breaches
    words = verdict.sentence.lower() if verdict is not None else ""
    return [sentence(item.sentence) for item in told if item.sentence.strip(". ").lower() not in words]


def _trend(performance: PerformanceResult) -> str:
    verdict = performance.verdict
    if verdict is None or verdict.trend is None:
        return ""
    said = sentence(verdict.trend.sentence, 300)
    told = (verdict.sentence, *(item.sentence for item in verdict.breaches))
    return "" if any(said.lower() in words.lower() for words in told) else said


def _folded(
    performance: PerformanceResult, rows: list[dict[str, object]]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """What is read first, and what is folded: means over classes, and other answers to what is told already.

    Where there are more than two classes the plain means stand for the metrics of one class.
    """
    beside = _BESIDE if any(row["metric"] == "f1" for row in rows) else _BESIDE_MEANS
    folded = [row for row in rows if row["metric"] in beside - _decisive(performance)]
    return [row for row in rows if row not in folded], folded


def _decisive(performance: PerformanceResult) -> set[object]:
    """The main metric, and those that are worse than they may be."""
    verdict = performance.verdict
    return {main_metric(performance), *(item.metric for item in (verdict.breaches if verdict else ()))}


def _table(performance: PerformanceResult) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Every metric of the labelled night, of the last nights together and of the reference; and the columns' heads."""
    now = performance.intervals or _plain(performance.realised, performance.labelled_rows)
    before = performance.reference_intervals or _plain(performance.reference, 0)
    spans = {name: performance.spans[name] for name in _SPANS if name in performance.spans}
    names = [name for name in METRICS if name in now or any(name in span.metrics for span in spans.values())]
    names += [name for name in now if name not in METRICS]
    if not names:
        return [], []
    main = main_metric(performance)
    names.sort(key=lambda name: name != main)
    columns: list[dict[str, object]] = []
    if now:
        columns.append({"head": "Labelled night", "note": str(performance.labels_date or ""), "aside": False})
    columns += [
        {
            "head": f"Last {span.nights if name not in _SPANS else name} nights",
            "note": f"until {span.last}, {count(span.labelled_rows, 'label')}",
            "aside": name == "7" and len(spans) > 1,
        }
        for name, span in spans.items()
    ]
    columns.append({"head": "Reference", "note": "", "aside": False})
    sources = [*([now] if now else []), *(span.metrics for span in spans.values()), before]
    plain = performance.verdict is None and not performance.intervals and not performance.spans
    rows = [
        {
            "metric": name,
            "name": metric_name(name),
            "main": name == main,
            "cells": [
                {
                    **_cell(name, source.get(name), None if source is before else before.get(name), plain=plain),
                    "own": source is before,
                    "aside": column["aside"],
                }
                for source, column in zip(sources, columns, strict=True)
            ],
        }
        for name in names
    ]
    return columns, rows


def _plain(values: dict[str, float], rows: int) -> dict[str, Estimate]:
    """Values of an earlier version, which knew no interval."""
    return {name: Estimate(value=value, rows=rows) for name, value in values.items()}


def _cell(
    metric: str, found: Estimate | None, before: Estimate | None = None, *, plain: bool = False
) -> dict[str, object]:
    """A value with its interval, and whether it is better or worse than the reference by more than chance explains.

    `plain`: of an earlier version, which knew no interval; then to the digits shown.
    """
    if found is None:
        return {"value": "", "noise": "", "means": "", "own": False}
    means: str = ""
    if before is not None:
        means = comparison_words(metric, found.value, before.value) if plain else beyond_noise(metric, found, before)
    return {"value": measured(found.value), "noise": interval_words(found), "means": means, "own": False}


def _tonight(view: NightView) -> dict[str, object] | None:
    """The night's own predictions: estimated that night, and realised since."""
    estimated, labelled = view.performance.estimated, view.labelled
    guessed = {} if estimated is None or estimated.status == "not_evaluable" else estimated.metrics
    known = {} if labelled is None else labelled.metrics
    names = [name for name in METRICS if name in guessed or (name in known and guessed)]
    if not names and (labelled is None or labelled.status == "awaiting_labels"):
        return None
    names = names or [name for name in METRICS if name in known]
    main = main_metric(view.performance)
    names.sort(key=lambda name: name != main)
    first = {*_decisive(view.performance), *(name for usual in MAIN.values() for name in usual)}
    rows = [
        {
            "name": metric_name(name),
            "main": name == main,
            "first": name in first,
            "estimated": _cell(name, guessed.get(name)),
            "realised": _cell(name, known.get(name)),
            "missed": _missed(guessed.get(name), known.get(name)),
        }
        for name in names
    ]
    return {
        "rows": [row for row in rows if row["first"]],
        "folded": [row for row in rows if not row["first"]],
        "estimates": bool(guessed),
        "coverage": ""
        if labelled is None
        else coverage_words(labelled.labelled_rows, labelled.coverage if labelled.rows else None, final=labelled.final),
        "reason": "" if labelled is None else clip(labelled.reason or "", 300),
        "grew": "" if labelled is None else grew_words(labelled),
        "known": bool(known),
    }


def _missed(guessed: Estimate | None, known: Estimate | None) -> bool:
    """Whether the realised value lies beyond the estimate's interval, and its own does not reach it."""
    if guessed is None or known is None or guessed.low is None or guessed.high is None:
        return False
    low, high = (known.value if end is None else end for end in (known.low, known.high))
    return high < guessed.low or low > guessed.high
