"""The page of a night: self-contained HTML with its style and charts inside, readable without a script.

Equal results give equal bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from markupsafe import Markup

from pipeline.publish import charts
from pipeline.publish.facts.alarms import chance_words, method_name
from pipeline.publish.facts.columns import anchor
from pipeline.publish.facts.expected import expected_line, expected_words
from pipeline.publish.facts.failing import Since, by_since, column_since, grouped_words, part_since
from pipeline.publish.facts.history import PastNight, since
from pipeline.publish.facts.missing import missing_of
from pipeline.publish.facts.muted import night_line
from pipeline.publish.facts.night import NightView, rows_words
from pipeline.publish.facts.records import records
from pipeline.publish.facts.verdict import STATES, by_importance, importance_words, limit_words, share_words
from pipeline.publish.facts.words import (
    failure_line,
    failure_words,
    origin_words,
    quality_words,
    score_words,
    sentence,
    strength_words,
    usual_words,
)
from pipeline.publish.pages.alarms import alarms_part, column_words, method_lines, table_words
from pipeline.publish.pages.performance import performance_part
from pipeline.publish.pages.performance_details import MAX_NAME
from pipeline.publish.pages.performance_history import HISTORY_NIGHTS
from pipeline.publish.pages.probation import next_of, probation_parts
from pipeline.publish.pages.together import together_part
from pipeline.publish.templates import page
from pipeline.results import ColumnDrift, ExpectationOutcome, Shape, Snapshot, strength
from pipeline.wording import (
    apart,
    clip,
    columns_drifted,
    count,
    decided_alone,
    label,
    moment,
    number,
    share,
    size,
    value,
)

MAX_DETAILED = 30
MAX_LISTED = 1000
MAX_UNCOMPARED = 20
MAX_FAILURES = 100
MAX_OBJECTS = 50


def night_page(view: NightView) -> bytes:
    """The night's `index.html`: verdict, next step, and everything the verdict rests on."""
    drifted, nights = view.drift.drifted_columns, view.so_far
    return page(
        "night.html.j2",
        view.environment,
        view=view,
        title=view.headline[0].upper() + view.headline[1:],
        since=_since(view),
        muted=night_line(view),
        incident=view.incident,
        missing=missing_of(view),
        earlier=view.before[-1].run_date if view.before else None,
        later=view.after[0].run_date if view.after else None,
        history=_history(view),
        detailed=[_detail(item, nights) for item in drifted[:MAX_DETAILED]],
        more_drifted=max(len(drifted) - MAX_DETAILED, 0),
        listed=[_listed(item) | column_words(view.drift, item) for item in view.ranked[:MAX_LISTED]],
        alarms=alarms_part(view.drift),
        together=together_part(view.together, view.drift),
        expected=expected_line(view.drift),
        chances=table_words(view.drift),
        weighted=any(item.importance is not None for item in view.drift.columns),
        uncompared=_uncompared(view),
        more_listed=max(len(view.drift.columns) - MAX_LISTED, 0),
        quality=_quality(view, nights),
        broken_since=_broken_since(view, nights),
        performance=performance_part(view),
        probation=probation_parts(view),
        probation_next=next_of(view),
        drift_figure=_drift_figure(view),
        volume=_volume(view),
        compared=_compared(view),
        methods=_methods(view),
        quality_words=quality_words(view.quality),
        rows_words=rows_words(view),
        records=records(view),
    )


def _since(view: NightView) -> str:
    """Whether what is wrong is new, which is the first question in the morning; empty where nothing is."""
    if view.state == "healthy" or not view.before:
        return ""
    last, state = view.before[-1], STATES[view.state]
    first = since((*view.before, view.tonight))
    if last.state != view.state:
        return f"New on this night; {STATES[last.state].lower()} on {last.run_date}."
    nights = sum(night.run_date >= first for night in view.before) + 1 if first is not None else 1
    longer = " or longer" if first == view.before[0].run_date else ""
    return f"{state} since {first}{longer}, for {count(nights, 'night')}."


def _broken_since(view: NightView, nights: Sequence[PastNight]) -> list[str]:
    """Measurements that broke on several nights in a row: `Drift could not be measured, failing since ...`."""
    words = ((part, part_since(nights, part).words()) for part in view.broken)
    return [f"{sentence(part)} could not be measured, {since}." for part, since in words if since]


def _history(view: NightView) -> dict[str, object]:
    nights = (*view.before, view.tonight)
    places = charts.slots(nights, HISTORY_NIGHTS)
    shown = [slot.night for slot in places if slot.night is not None]
    over = sum(night.over for night in shown)
    return {
        "tonight": _tonight(view),
        "chart": charts.share_chart(places, view.drift.limit, view.run_date, _page_of),
        "nights": list(reversed(shown)),
        "first": places[0].day,
        "over": over,
        "alone": sum(bool(night.critical) and not night.over for night in shown),
        "missing": len(places) - len(shown),
        "retrainings": sum(night.retrain for night in shown),
        "broken": sum(night.status == "data_broken" for night in shown),
        "few": sum(night.status == "too_few_rows" for night in shown),
    }


def _drift_figure(view: NightView) -> dict[str, object]:
    """The share that is held against the limit, as the second figure of the page."""
    drift = view.drift
    few = view.tonight.few
    if few is not None:
        return {"value": "not known", "over": False, "against": f"too few rows: {few.words}", "basis": ""}
    if not drift.evaluated:
        return {"value": "not known", "over": False, "against": "no column could be compared", "basis": ""}
    of_columns, by_weight = share_words(drift)
    drifted = columns_drifted(len(drift.drifted_columns), drift.counted, len(drift.expected_columns))
    drifted = drifted.removesuffix(" drifted")
    return {
        "value": of_columns if by_importance(drift) is None else by_weight,
        "over": drift.drifted,
        "against": limit_words(drift) + (f"; {decided_alone(drift.deciding)}" if drift.deciding else ""),
        "basis": drifted if by_importance(drift) is None else f"{drifted}, counted by importance",
    }


def _page_of(day: date) -> str:
    return f"../{day}/index.html"


def _tonight(view: NightView) -> str:
    """What the chart's last bar says, in sentences."""
    if view.drift.too_few_rows:
        return "Tonight there were too few rows to tell."
    if not view.drift.evaluated:
        return "Tonight no column could be compared."
    of_columns, by_weight = share_words(view.drift)
    if by_importance(view.drift) is None:
        words = f"Tonight {of_columns} of the columns drifted"
        aside = f" They are {by_weight} of what the champion relies on." if by_weight else ""
    else:
        words = f"Tonight the drifted columns are {by_weight} of what the champion relies on"
        aside = f" They are {of_columns} of the columns."
    alone = f"; {decided_alone(view.drift.deciding)}" if view.drift.deciding else ""
    return f"{words}, {limit_words(view.drift)}{alone}.{aside}"


def _detail(column: ColumnDrift, nights: Sequence[PastNight]) -> dict[str, object]:
    score, threshold = score_words(column)
    p_value = " p-value" if column.direction == "p_value" else ""
    measure = f"{method_name(column) or 'score'}{p_value} {score}"
    missing = f"missing values {_missing(column)}" if _missing(column) else ""
    times = "" if p_value else strength_words(strength(column))
    since = column_since(nights, column.name).words("drifted")
    told = (chance_words(column), times, missing, *_one_sided(column), importance_words(column), since)
    aside = ", ".join(filter(None, told))
    reason = clip(column.reason or "the distribution changed", 500)
    return {
        "name": clip(column.name, MAX_NAME),
        "anchor": anchor(column.name),
        "kind": column.kind,
        "score_words": ", ".join(filter(None, (measure, f"threshold {threshold}", usual_words(column)))),
        "aside": aside[:1].upper() + aside[1:],
        "bar": _bar(column),
        "reason": reason[:1].upper() + reason[1:],
        "flags": [clip(flag, 200) for flag in column.flags if flag not in (column.reason or "")],
        "shape": None if column.shape is None else _shape(column.shape),
    }


def _bar(column: ColumnDrift) -> Markup:
    usual = column.usual / column.threshold if column.usual is not None and column.threshold else None
    return charts.strength_bar(strength(column), column.drifted, usual)


def _one_sided(column: ColumnDrift) -> list[str]:
    """How many categories came and went, of which flags and reason name the largest: `12 new categories`."""
    counts = ((column.new_category_count, "new"), (column.vanished_category_count, "vanished"))
    return [f"{count(many)} {what} {'category' if many == 1 else 'categories'}" for many, what in counts if many]


def _shape(shape: Shape) -> dict[str, object]:
    if shape.categories:
        top = max([*shape.reference, *shape.production, 1e-12])
        rows = [
            (clip(name, 60), share(before), share(after), charts.pair_bar(before, after, top))
            for name, before, after in zip(shape.categories, shape.reference, shape.production, strict=True)
        ]
        return {"categories": rows}
    label, ends = "The column is private: where its values lie is not told", ("", "")
    if shape.edges:
        label = f"Reference: {_mass(shape, shape.reference)}; production: {_mass(shape, shape.production)}"
        first, last = apart(shape.edges[0], shape.edges[-1])
        ends = (first, last)
    return {"categories": None, "chart": charts.shape_chart(shape, label), "ends": ends, "label": label}


def _mass(shape: Shape, shares: Sequence[float]) -> str:
    """The median and where the middle half of the values lies, as the chart has them."""
    if not sum(shares) > 0:
        return "no values"
    first, median, last = (_value_at(shape.edges, place) for place in charts.places_at(shares, (0.25, 0.5, 0.75)))
    return f"median {number(median)}, half of the values from {' to '.join(apart(first, last))}"


def _value_at(edges: Sequence[float], place: float) -> float:
    """The value so many bars from the left."""
    bar = min(int(place), len(edges) - 2)
    return edges[bar] + (place - bar) * (edges[bar + 1] - edges[bar])


def _missing(column: ColumnDrift) -> str:
    before, after = column.missing_reference_share, column.missing_production_share
    if before is None or after is None:
        return ""
    return f"{share(before)} to {share(after)}" if abs(after - before) >= 0.01 else share(after)


def _uncompared(view: NightView) -> str:
    """Which columns have no part in the table, and why, as in `on no list of the monitor file: tags (list<string>)`;
    nothing where every column has one.
    """
    found, roles = view.uncompared, view.monitor.columns
    told = ", ".join(f"{label(field.name)} ({label(field.type)})" for field in found[:MAX_UNCOMPARED])
    more = len(found) - MAX_UNCOMPARED
    both = roles.numerical is not None and roles.categorical is not None
    why = "on no list of the monitor file" if both else "on no list, and neither numbers, text nor flags"
    return f"{why}: {told}{f' and {count(more)} more' if more > 0 else ''}" if found else ""


def _listed(column: ColumnDrift) -> dict[str, object]:
    score, threshold = score_words(column) if column.status == "evaluated" else ("", "")
    flags = (flag for flag in column.flags if flag not in (column.reason or ""))
    told = (expected_words(column), column.reason, *flags)
    return {
        "name": clip(column.name, MAX_NAME),
        "anchor": anchor(column.name),
        "kind": column.kind,
        "method": method_name(column),
        "score": score,
        "threshold": threshold,
        "bar": _bar(column) if column.status == "evaluated" else "",
        "missing": _missing(column),
        "importance": "" if column.importance is None else share(column.importance),
        "state": _state(column),
        "reason": "" if column.drifted else clip("; ".join(filter(None, told)), 500 if column.expected else 300),
    }


def _state(column: ColumnDrift) -> str:
    if column.drifted or column.expected is not None:
        return "drifted" if column.drifted else "as expected"
    return "steady" if column.status == "evaluated" else "not evaluable"


def _quality(view: NightView, nights: Sequence[PastNight]) -> dict[str, object]:
    failures = by_since(nights, view.quality)
    return {
        "grouped": grouped_words([found for _, found in failures]),
        "failures": [_failure(item, found) for item, found in failures[:MAX_FAILURES]],
        "more": max(len(failures) - MAX_FAILURES, 0),
        "passed": [clip(item.sentence, 200) for item in view.quality.outcomes if item.passed][:500],
    }


def _failure(outcome: ExpectationOutcome, since: Since) -> dict[str, object]:
    told = outcome.expected or ""
    rows = outcome.unexpected_rows
    return {
        "severity": outcome.severity,
        "line": sentence(failure_line(outcome)),
        "since": sentence(since.words()),
        "notes": clip(outcome.notes or "", 400),
        "expected": "" if told in outcome.sentence else clip(told, 400),
        "rows": count(rows, "row") if rows else "",
        "examples": [clip(example, 80) for example in outcome.examples],
        "origin": origin_words(outcome),
    }


def _volume(view: NightView) -> dict[str, object]:
    places = charts.slots((*view.before, view.tonight), HISTORY_NIGHTS)
    written = sorted(item.modified for item in view.pair.production.objects if item.modified)
    return {
        "chart": charts.bars_chart(places, lambda night: night.rows, lambda night: count(night.rows, "row"), _page_of)
        if len(view.before) > 1
        else None,
        "written": moment(written[-1]) if written else "",
        "fresh": [
            (item.passed, clip(item.sentence, 300), failure_words(item))
            for item in view.quality.outcomes
            if item.check == "freshness"
        ],
        "objects": count(len(view.pair.production.objects), "object"),
    }


def _compared(view: NightView) -> list[dict[str, object]]:
    pair = view.pair
    named: list[tuple[str, Snapshot | None, date | None]] = [
        ("Reference", pair.reference, None),
        ("Production", pair.production, pair.run_date),
        ("Labels", pair.labels, pair.labels_date),
        ("Labelled predictions", pair.labelled, pair.labels_date),
    ]
    return [
        {
            "name": name,
            "day": day,
            "uri": clip(snapshot.uri, 400),
            "rows": count(snapshot.rows, "row"),
            "size": size(snapshot.size),
            "digest": snapshot.digest,
            "columns": count(len(snapshot.fields), "column"),
            "objects": [
                (clip(item.uri, 400), count(item.rows, "row"), size(item.size), item.sha256)
                for item in snapshot.objects[:MAX_OBJECTS]
            ],
            "more": max(len(snapshot.objects) - MAX_OBJECTS, 0),
        }
        for name, snapshot, day in named
        if snapshot is not None
    ]


def _methods(view: NightView) -> list[str]:
    """`wasserstein on 12 columns, threshold 0.1, high means drift`, one for each method and threshold.

    On a budget of alarms every column has a threshold of its own, and only the methods are named.
    """
    if view.drift.alarms is not None:
        return method_lines(view.drift)
    used = sorted(
        (item.method or "", item.direction == "p_value", item.threshold)
        for item in view.drift.columns
        if item.status == "evaluated" and item.threshold is not None
    )
    lines = []
    for (method, is_p_value, threshold), columns in groupby(used):
        many = len(list(columns))
        side = "a p-value below it is drift" if is_p_value else "a score above it is drift"
        lines.append(f"{method} on {count(many, 'column')}, threshold {value(threshold)}: {side}")
    return lines
