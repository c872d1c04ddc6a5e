"""The drift result as widgets of Evidently's page. Every text from data is clipped and goes where no markup is read."""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pipeline.config import Monitor
from pipeline.publish.facts.alarms import chance_line, chance_words, method_name
from pipeline.publish.facts.expected import expected_words
from pipeline.publish.facts.verdict import drifted_words, share_words
from pipeline.publish.facts.words import score_words, usual_words
from pipeline.results import ColumnDrift, DriftResult, Shape, SnapshotPair
from pipeline.wording import apart, clip, count, exact_share, number, share

Widget = dict[str, Any]

# What keeps the page small: a row with its two small charts takes about 1 kB, a big chart about 4 kB.
MAX_ROWS = 2_000
MAX_CHARTS = 1_000
MAX_NAME = 100
MAX_CELL = 200
MAX_TEXT = 300
MAX_CATEGORY = 30
ROWS_PER_PAGE = 20
NO_CHART = "no-chart"

_FULL_WIDTH = 2
_REFERENCE_COLOR, _PRODUCTION_COLOR = "#6c8ebf", "#e0702c"
_NOT_SORTABLE = {"pointerEvents": "none"}  # the page sorts text by letters, which is wrong for numbers
_CHART_COLUMNS = [
    {
        "title": title,
        "field": title.lower(),
        "type": "histogram",
        "sorting": False,
        "options": {"xField": "x", "yField": "y", "color": color},
    }
    for title, color in (("Reference", _REFERENCE_COLOR), ("Production", _PRODUCTION_COLOR))
]


def overview(monitor: Monitor, pair: SnapshotPair, drift: DriftResult) -> Widget:
    """The verdict in a sentence, and what it is made of."""
    rows = f"{count(pair.reference.rows)} reference and {count(pair.production.rows)} production rows, all measured"
    origin = f"{clip(pair.reference.uri, MAX_NAME)} against {clip(pair.production.uri, MAX_NAME)}"
    left_out = len(drift.columns) - drift.evaluated
    of_columns, by_weight = share_words(drift)
    counters = {
        "columns compared": count(drift.evaluated),
        "columns drifted": count(len(drift.drifted_columns)),
        "not evaluable": count(left_out),
        "drift share": "not known" if drift.too_few_rows else of_columns if drift.evaluated else "none",
        "limit": exact_share(drift.limit),
    }
    if by_weight:
        counters["drift share by importance"] = by_weight
    return {
        "type": "counter",
        "id": "overview",
        "title": f"{monitor.name}: drift on {pair.run_date}",
        "size": _FULL_WIDTH,
        "details": f"{rows}: {origin}",
        "params": {"counters": [{"value": value, "label": label} for label, value in counters.items()]},
        "insights": _verdict(drift, left_out, chance_line(drift, pair.production.rows)),
    }


def _verdict(drift: DriftResult, left_out: int, chance: str) -> list[dict[str, str]]:
    if not drift.evaluated and not drift.too_few_rows:
        insights = [_insight("error", "No verdict", drifted_words(drift))]
    else:
        calm = ("info", "Too few rows") if drift.too_few_rows else ("success", "Not drifted")
        look = ("warning", "Drifted") if drift.drifted else calm
        insights = [_insight(*look, drifted_words(drift))]
    if chance:
        insights.append(_insight("info", "Chance", chance))
    if left_out:
        text = f"{count(left_out, 'column')} without a score, listed below; not part of the share"
        insights.append(_insight("info", "Not evaluable", text))
    return insights


def columns_table(ranked: Sequence[ColumnDrift]) -> Widget:
    """All evaluated columns, each with small charts; a row opens its big chart and the reason."""
    note = (
        "Drifted columns first, then the closest to their threshold. The arrow of a row opens its detail. "
        "A high distance means drift, a low p-value means drift. Charts show fractions of the rows that have a value."
    )
    columns = [
        _narrow_column("#", "rank", 30),
        _text_column("Column", "name", 165),
        _narrow_column("Verdict", "verdict", 70),
        *_CHART_COLUMNS,
        _narrow_column("Score", "score", 60, sortable=False),
        _narrow_column("Threshold", "threshold", 75, sortable=False),
        _narrow_column("Method", "method", 105),
        *([_narrow_column("Importance", "importance", 80, sortable=False)] if _weighed(ranked) else []),
        _narrow_column("Missing", "missing", 80, sortable=False),
        _text_column("What changed", "changed", 260),
    ]
    rows = [_row(position, column) for position, column in enumerate(ranked[:MAX_ROWS])]
    return _table("columns", "Columns", note + _cut(len(ranked)), columns, rows)


def not_evaluable_table(left_out: Sequence[ColumnDrift], ranked: int) -> Widget:
    """Columns without a score, and why, in the order of the data. `ranked` is how many columns have one."""
    columns = [
        _text_column("Column", "name", 170),
        _narrow_column("Kind", "kind", 100),
        *_CHART_COLUMNS,
        _narrow_column("Missing", "missing", 80, sortable=False),
        _text_column("Why there is no score", "changed", 260),
    ]
    rows = [_row(position, column) for position, column in enumerate(left_out[:MAX_ROWS], start=ranked)]
    note = "These columns are not part of the drift share." + _cut(len(left_out))
    return _table("not-evaluable", "Not evaluable", note, columns, rows)


def charts(columns: Sequence[ColumnDrift]) -> dict[str, Any]:
    """The big charts by the id under which a row opens them; `columns` are the ranked ones, then those left out."""
    found = {
        _chart_id(position): _chart(column.shape)
        for position, column in enumerate(columns[:MAX_CHARTS])
        if column.shape is not None
    }
    text = f"Big charts are drawn for the first {count(MAX_CHARTS)} columns that have values on both sides."
    nothing = {"type": "counter", "id": NO_CHART, "title": "", "size": _FULL_WIDTH, "details": text}
    return {**found, NO_CHART: {**nothing, "params": {"counters": []}}}


def _cut(columns: int) -> str:
    if columns <= MAX_ROWS:
        return ""
    return f" The first {count(MAX_ROWS)} of {count(columns)} columns are listed here; drift.json has all."


def _table(
    identity: str, title: str, details: str, columns: list[dict[str, Any]], rows: list[dict[str, Any]]
) -> Widget:
    return {
        "type": "big_table",
        "id": identity,
        "title": title,
        "size": _FULL_WIDTH,
        "details": details,
        "params": {"rowsPerPage": ROWS_PER_PAGE, "columns": columns, "data": rows},
    }


def _weighed(columns: Sequence[ColumnDrift]) -> bool:
    return any(column.importance is not None for column in columns)


def _narrow_column(title: str, field: str, width: int, *, sortable: bool = True) -> dict[str, Any]:
    """Leaves the width to the columns that hold text."""
    header = {} if sortable else {"headerStyle": _NOT_SORTABLE}
    return {"title": title, "field": field, "cellStyle": {"width": width}, **header}


def _text_column(title: str, field: str, width: int) -> dict[str, Any]:
    return {"title": title, "field": field, "cellStyle": {"minWidth": width, "overflowWrap": "anywhere"}}


def _row(position: int, column: ColumnDrift) -> dict[str, Any]:
    score, threshold = score_words(column)
    if column.error_bound:
        score += f" ± {number(column.error_bound)}"
    direction = "p-value" if column.direction == "p_value" else "distance"
    row = {
        "rank": position + 1,
        "name": clip(column.name, MAX_NAME),
        "kind": column.kind,
        "verdict": "drifted" if column.drifted else "as expected" if column.expected else "not drifted",
        "score": score,
        "threshold": threshold,
        "method": f"{method_name(column)} ({direction})",
        "importance": "" if column.importance is None else share(column.importance),
        "missing": _missing(column),
        "changed": clip("; ".join(_changes(column)), MAX_CELL),
        "details": _details(position, column),
    }
    if column.shape is not None:
        places = list(range(len(column.shape.reference)))
        row["reference"] = {"x": places, "y": _rounded(column.shape.reference)}
        row["production"] = {"x": places, "y": _rounded(column.shape.production)}
    return row


def _missing(column: ColumnDrift) -> str:
    """The missing shares before and now; one where they read the same."""
    shares = (column.missing_reference_share, column.missing_production_share)
    before, now = ("not known" if value is None else share(value) for value in shares)
    return before if before == now else f"{before} to {now}"


def _changes(column: ColumnDrift) -> list[str]:
    """The reason, and those flags that it does not already say."""
    reason = column.reason or ""
    return [text for text in (reason, *(flag for flag in column.flags if flag not in reason)) if text]


def _details(position: int, column: ColumnDrift) -> dict[str, Any]:
    has_chart = column.shape is not None and position < MAX_CHARTS
    part = {"id": _chart_id(position), "type": "graph"} if has_chart else {"id": NO_CHART, "type": "widget"}
    reason, *flags = _changes(column) or ["no notable change"]
    severity = "warning" if column.drifted else "info"
    insights = [_insight(severity, clip(column.name, MAX_NAME), clip(reason, MAX_TEXT))]
    if flags:
        insights.append(_insight("info", "Also noted", clip("; ".join(flags), MAX_CELL)))
    if column.expected:
        insights.append(_insight("info", "Expected", expected_words(column)))
    chance = "; ".join(filter(None, (chance_words(column), usual_words(column))))
    if chance:
        insights.append(_insight("info", "Chance", chance))
    return {"parts": [part], "insights": insights}


def _chart_id(position: int) -> str:
    return f"column-{position + 1}"


def _insight(severity: str, title: str, text: str) -> dict[str, str]:
    return {"severity": severity, "title": title, "text": text}


def _chart(shape: Shape) -> dict[str, Any]:
    """Bars side by side on one scale. They stand on numbered places, so that categories of equal label stay apart."""
    traces = [
        {
            "type": "bar",
            "name": name,
            "y": _rounded(values),
            "hovertext": _hover(shape, values),
            "hoverinfo": "text+name",
            "marker": {"color": color},
        }
        for name, values, color in (
            ("reference", shape.reference, _REFERENCE_COLOR),
            ("production", shape.production, _PRODUCTION_COLOR),
        )
    ]
    layout = {
        "barmode": "group",
        "bargap": 0.15,
        "margin": {"t": 30, "r": 20, "l": 60, "b": 60},
        "legend": {"orientation": "h", "y": 1.15},
        "xaxis": {"automargin": True, "fixedrange": True, **_ticks(shape)},
        "yaxis": {"tickformat": ".0%", "rangemode": "tozero", "fixedrange": True},
    }
    return {"data": traces, "layout": layout}


def _hover(shape: Shape, values: Sequence[float]) -> list[str]:
    shares = [share(value) for value in values]
    if not shape.edges:
        return shares
    ranges = [" to ".join(pair) for pair in pairwise(apart(*shape.edges))]
    return [f"{bar}: {value}" for bar, value in zip(ranges, shares, strict=True)]


def _ticks(shape: Shape) -> dict[str, Any]:
    """Every category below its bars; or edges between the bars, about six of them named.

    Plotly reads tags such as `<b>` in labels, and shows `&lt;` as what it stands for.
    """
    if not shape.edges:
        names = [html.escape(clip(name, MAX_CATEGORY), quote=False) for name in shape.categories]
        return {"tickvals": list(range(len(names))), "ticktext": names}
    step = max(1, (len(shape.edges) - 1) // 5)
    named = range(0, len(shape.edges), step)
    return {
        "tickvals": [place - 0.5 for place in named],
        "ticktext": list(apart(*(shape.edges[place] for place in named))),
    }


def _rounded(values: Sequence[float]) -> list[float]:
    """Fractions as charts need them."""
    return [round(value, 4) for value in values]
