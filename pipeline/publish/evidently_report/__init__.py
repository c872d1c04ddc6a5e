"""The Evidently report of a night: `drift_report.html`, the familiar view of the drift result.

Evidently itself measures nothing here. Its metrics are asked about an empty data set and answer with the numbers of
the `DriftResult`, which are about all rows; so the page shows the same numbers as everything else, and holds no row.

    widgets.py   the drift result as Evidently's widgets: plain values, without Evidently
    performance_widgets.py   the same of how well the model does
    frame.py     Evidently's page without data, once for each version of it
    sections.py   the widgets as metrics of an Evidently report, run over nothing
    page.py      one HTML page that needs no network, and in which text from data stays text
"""

from __future__ import annotations

from pathlib import Path

from pipeline.config import Monitor
from pipeline.publish.evidently_report import frame, page, performance_widgets, sections, widgets
from pipeline.publish.facts.verdict import ranked
from pipeline.results import DriftResult, PerformanceResult, SnapshotPair


def render(
    monitor: Monitor,
    pair: SnapshotPair,
    drift: DriftResult,
    performance: PerformanceResult | None = None,
    cache_dir: Path | None = None,
) -> bytes:
    """The report as one HTML file. Equal results give equal bytes, with and without what `cache_dir` remembers."""
    columns = ranked(drift.columns)
    compared = [column for column in columns if column.status == "evaluated"]
    told = [
        sections.Section("drift_share", drift.drift_share, [widgets.overview(monitor, pair, drift)]),
        *_performance(monitor, performance),
        sections.Section("drifted_columns", len(drift.drifted_columns), [widgets.columns_table(compared)]),
    ]
    left_out = [column for column in drift.columns if column.status == "not_evaluable"]
    if left_out:
        section = sections.Section(
            "not_evaluable_columns", len(left_out), [widgets.not_evaluable_table(left_out, len(compared))]
        )
        told.append(section)
    title = f"{monitor.name}: drift on {pair.run_date}"
    shown, template = frame.widgets_and_page(told, cache_dir)
    return page.render(title, shown, widgets.charts([*compared, *left_out]), template)


def _performance(monitor: Monitor, performance: PerformanceResult | None) -> list[sections.Section]:
    """How well the model does; nothing where nothing of it is known."""
    if performance is None:
        return []
    table, by_class = performance_widgets.metrics_table(performance), performance_widgets.by_class(monitor, performance)
    if table is None and performance.verdict is None:
        return []
    shown = [
        performance_widgets.overview(performance),
        table,
        *performance_widgets.pictures(monitor, performance),
        by_class,
    ]
    return [
        sections.Section("performance", float(performance.degraded), [widget for widget in shown if widget is not None])
    ]
