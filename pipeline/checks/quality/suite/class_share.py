"""An expectation that Great Expectations lacks: the share of a column's largest class. Importing it registers it."""

from __future__ import annotations

from typing import Any

from great_expectations.compatibility import pydantic
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnAggregateExpectation
from great_expectations.expectations.metrics.column_aggregate_metric_provider import (
    ColumnAggregateMetricProvider,
    column_aggregate_value,
)

LARGEST_CLASS = "expect_column_largest_class_share_to_be_between"


class ColumnLargestClassShare(ColumnAggregateMetricProvider):  # type: ignore[misc]
    """Rows of the most frequent value over all rows that have a value, in [0, 1]."""

    metric_name = "column.largest_class_share"

    @column_aggregate_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column: Any, **kwargs: Any) -> float | None:  # noqa: N805
        counts = column.value_counts()
        return float(counts.iloc[0] / counts.sum()) if len(counts) else None


class ExpectColumnLargestClassShareToBeBetween(ColumnAggregateExpectation):  # type: ignore[misc]
    """The most frequent value has between `min_value` and `max_value` of the rows that have a value, in [0, 1]."""

    min_value: float | None = pydantic.Field(default=None)
    max_value: float | None = pydantic.Field(default=None)

    metric_dependencies = ("column.largest_class_share",)
    success_keys = ("min_value", "max_value")

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
        return self._validate_metric_value_between(
            metric_name="column.largest_class_share",
            metrics=metrics,
            runtime_configuration=runtime_configuration,
            execution_engine=execution_engine,
        )
