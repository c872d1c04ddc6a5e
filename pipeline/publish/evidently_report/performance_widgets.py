"""How well the model does, as the widgets that Evidently's own classification and regression metrics draw.

Laid out as Evidently's `ConfusionMatrix`, quality by class, calibration and error distribution are, from the numbers of
the `PerformanceResult`: no row is in them. Plotly reads tags in texts, so those from data are escaped.
"""

from __future__ import annotations

import html
from typing import Any

from pipeline.config import Monitor
from pipeline.publish.facts.performance import (
    estimator_words,
    figure,
    interval_words,
    is_private,
    main_metric,
    performance_words,
)
from pipeline.results import METRICS, Details, Estimate, Histogram, PerformanceResult
from pipeline.wording import clip, count, measured, metric_name

Widget = dict[str, Any]

MAX_CLASSES = 20
MAX_ROWS = 1_000
MAX_NAME = 40
_FULL_WIDTH, _HALF_WIDTH = 2, 1
_REFERENCE_COLOR, _PRODUCTION_COLOR = "#6c8ebf", "#e0702c"
_LOOKS = {"degraded": ("error", "Degraded"), "sound": ("success", "Not degraded"), "unknown": ("info", "Not known")}


def overview(performance: PerformanceResult) -> Widget:
    """The verdict in a sentence, and the main metric with what it is held against."""
    verdict, shown = performance.verdict, figure(performance)
    counters = {} if shown is None else {shown.name: shown.value}
    if performance.coverage is not None:
        counters["labels of the labelled night"] = count(performance.labelled_rows)
    look = _LOOKS[verdict.status] if verdict is not None else ("info", "No verdict")
    details = "" if shown is None else ". ".join(filter(None, (shown.against, shown.basis)))
    insights = [{"severity": look[0], "title": look[1], "text": performance_words(performance)}]
    insights += [
        {"severity": "info", "title": "The estimate", "text": text} for text in estimator_words(performance.estimated)
    ]
    return {
        "type": "counter",
        "id": "performance",
        "title": "Model performance",
        "size": _FULL_WIDTH,
        "details": details[:1].upper() + details[1:],
        "params": {"counters": [{"value": value, "label": label} for label, value in counters.items()]},
        "insights": insights,
    }


def metrics_table(performance: PerformanceResult) -> Widget | None:
    """Every metric of the labelled night, of the last nights together, of tonight's estimate, and of the reference."""
    sources: dict[str, dict[str, Estimate]] = {
        "Labelled night": performance.intervals or _plain(performance.realised),
        **{f"Last {nights} nights": span.metrics for nights, span in performance.spans.items()},
        "Estimated tonight": performance.estimated.metrics if performance.estimated else {},
        "Reference": performance.reference_intervals or _plain(performance.reference),
    }
    shown = {head: values for head, values in sources.items() if values}
    known = {name for values in shown.values() for name in values}
    names = [name for name in METRICS if name in known]
    if not names:
        return None
    main = main_metric(performance)
    names.sort(key=lambda name: name != main)
    rows = [[metric_name(name), *(_value(values.get(name)) for values in shown.values())] for name in names]
    return _table("performance-metrics", "Metrics, with 95% intervals", ["Metric", *shown], rows)


def pictures(monitor: Monitor, performance: PerformanceResult) -> list[Widget]:
    """Confusion matrices, calibration curve or residuals: of the labelled night and of the reference."""
    if is_private(monitor):
        return (
            [_calibration(performance.details, performance.reference_details)]
            if performance.details.calibration
            else []
        )
    now, before = performance.details, performance.reference_details
    found = [
        _confusion(found, identity, title)
        for found, identity, title in (
            (now, "confusion", "Confusion matrix: labelled night"),
            (before, "confusion-reference", "Confusion matrix: reference"),
        )
        if found.classes and found.confusion
    ]
    if now.calibration:
        found.append(_calibration(now, before))
    if now.residuals is not None:
        found.append(_residuals(now.residuals, before.residuals))
    return found


def by_class(monitor: Monitor, performance: PerformanceResult) -> Widget | None:
    """Precision, recall and F1 of every class, as Evidently's quality by class has them."""
    if is_private(monitor) or not performance.by_class:
        return None
    rows = [
        [
            clip(item.name, MAX_NAME),
            *("" if found is None else measured(found) for found in (item.precision, item.recall, item.f1)),
            count(item.support),
            count(item.predicted),
        ]
        for item in performance.by_class[:MAX_ROWS]
    ]
    heads = ["Class", "Precision", "Recall", "F1", "Support", "Predicted"]
    return _table("performance-by-class", "Quality metrics by class", heads, rows)


def _table(identity: str, title: str, heads: list[str], rows: list[list[str]]) -> Widget:
    params = {"header": heads, "data": rows}
    return {"type": "table", "id": identity, "title": title, "size": _FULL_WIDTH, "params": params}


def _plain(values: dict[str, float]) -> dict[str, Estimate]:
    return {name: Estimate(value=value) for name, value in values.items()}


def _value(found: Estimate | None) -> str:
    if found is None:
        return ""
    noise = interval_words(found)
    return measured(found.value) + (f" ({noise})" if noise else "")


def _confusion(found: Details, identity: str, title: str) -> Widget:
    """A heat map as Evidently's `ConfusionMatrix` draws it: predictions across, labels down."""
    shown = found.classes[:MAX_CLASSES]
    names = [_text(name) for name in shown]
    cells = [list(row[: len(shown)]) for row in found.confusion[: len(shown)]]
    places = list(range(len(shown)))
    axis = {"tickvals": places, "ticktext": names, "automargin": True, "fixedrange": True}
    trace = {
        "type": "heatmap",
        "x": places,
        "y": places,
        "z": cells,
        "text": [[count(many) for many in row] for row in cells],
        "texttemplate": "%{text}",
        "hoverinfo": "text",
        "colorscale": [[0, "#fdf3ec"], [1, _PRODUCTION_COLOR]],
        "showscale": False,
    }
    layout = {
        "xaxis": {**axis, "title": {"text": "predicted"}},
        "yaxis": {**axis, "title": {"text": "label"}, "autorange": "reversed"},
        "margin": {"t": 20, "r": 20},
    }
    return _plot(identity, title, [trace], layout, _HALF_WIDTH)


def _calibration(now: Details, before: Details) -> Widget:
    """How sure the model was against what came true, with the diagonal."""
    curves = (("labelled night", now, _PRODUCTION_COLOR), ("reference", before, _REFERENCE_COLOR))
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": [round(group.score, 4) for group in found.calibration],
            "y": [round(group.share, 4) for group in found.calibration],
            "line": {"color": color},
        }
        for name, found, color in curves
        if found.calibration
    ]
    diagonal = {"type": "scatter", "mode": "lines", "name": "as sure as it should be", "x": [0, 1], "y": [0, 1]}
    traces.append({**diagonal, "line": {"color": "#888888", "dash": "dash"}})
    layout = {
        "xaxis": {"title": {"text": "score"}, "range": [0, 1], "fixedrange": True},
        "yaxis": {"title": {"text": "share that came true"}, "range": [0, 1], "fixedrange": True},
        "legend": {"orientation": "h", "y": 1.2},
        "margin": {"t": 20, "r": 20},
    }
    return _plot("calibration", "Calibration curve", traces, layout, _FULL_WIDTH)


def _residuals(now: Histogram, before: Histogram | None) -> Widget:
    """Forecast minus truth, as Evidently's `ErrorDistribution` draws it; shares, as the numbers of rows differ."""
    traces = []
    for name, found, color in (("labelled night", now, _PRODUCTION_COLOR), ("reference", before, _REFERENCE_COLOR)):
        if found is None or not any(found.counts):
            continue
        total = sum(found.counts)
        traces.append(
            {
                "type": "bar",
                "name": name,
                "x": [(left + right) / 2 for left, right in zip(found.edges, found.edges[1:], strict=False)],
                "width": [right - left for left, right in zip(found.edges, found.edges[1:], strict=False)],
                "y": [round(many / total, 4) for many in found.counts],
                "marker": {"color": color, "opacity": 0.6},
            }
        )
    layout = {
        "barmode": "overlay",
        "xaxis": {"title": {"text": "forecast minus truth"}, "fixedrange": True},
        "yaxis": {"tickformat": ".0%", "fixedrange": True},
        "legend": {"orientation": "h", "y": 1.15},
        "margin": {"t": 20, "r": 20},
    }
    return _plot("residuals", "Error distribution", traces, layout, _FULL_WIDTH)


def _plot(identity: str, title: str, traces: list[dict[str, Any]], layout: dict[str, Any], size: int) -> Widget:
    return {
        "type": "big_graph",
        "id": identity,
        "title": title,
        "size": size,
        "params": {"data": traces, "layout": layout},
    }


def _text(name: str) -> str:
    return html.escape(clip(name, MAX_NAME), quote=False)
