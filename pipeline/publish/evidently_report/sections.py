"""Evidently's side of the report: metrics that already know their answer, run over an empty data set."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Section:
    """One metric of the report: its name, its value and the widgets that show it."""

    name: str
    value: float
    widgets: list[dict[str, Any]]


def run(sections: Sequence[Section]) -> list[dict[str, Any]]:
    """The report's widgets, as Evidently hands them to its page."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing Evidently uses names that numpy deprecates
        import pandas as pd
        from evidently import DataDefinition, Dataset, Report

        metric = _metric_class()
    nothing = Dataset.from_pandas(pd.DataFrame(), data_definition=DataDefinition())
    report = Report([metric(name=item.name, value=item.value, widgets=item.widgets) for item in sections])
    results = report.run(nothing, None).metric_results
    widgets = [widget.dict() for result in results.values() for widget in result.get_widgets()]
    return [{**widget, "linked_metrics": None} for widget in widgets]  # of Evidently's server, which this is not for


@lru_cache(maxsize=1)
def _metric_class() -> Any:
    """Made on first use, because its base classes take seconds to import; once, because Evidently registers it."""
    from evidently.core.metric_types import SingleValueCalculation, SingleValueMetric
    from evidently.legacy.model.widget import BaseWidgetInfo

    class Measured(SingleValueMetric):  # type: ignore[misc]
        name: str
        value: float
        widgets: list[dict[str, Any]]

    class MeasuredCalculation(SingleValueCalculation[Measured]):  # type: ignore[misc]
        def calculate(self, context: Any, current_data: Any, reference_data: Any) -> Any:
            result = self.result(self.metric.value)
            result.widget = [BaseWidgetInfo.parse_obj(widget) for widget in self.metric.widgets]
            return result

        def display_name(self) -> str:
            return str(self.metric.name)

    return Measured
