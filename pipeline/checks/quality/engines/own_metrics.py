"""A metric of Great Expectations that forgets an argument: ours instead.

Great Expectations finds metrics by name, so importing this module is what replaces it, once per process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations import registry
from great_expectations.expectations.metrics.column_aggregate_metric_provider import (
    ColumnAggregateMetricProvider,
    column_aggregate_value,
)

# Registering a metric again replaces what computes it, but not the arguments that tell it from others.
registry._registered_metrics.pop("column.quantile_values", None)  # noqa: SLF001


class ColumnQuantileValues(ColumnAggregateMetricProvider):  # type: ignore[misc]
    """In place of the library's own, which answers every entry on a column with the quantiles of the first.

    The library sets the quantiles after it has named the metric; `quantile_ranges` among the keys makes them part of
    the name.
    """

    metric_name = "column.quantile_values"
    value_keys = ("quantile_ranges", "quantiles", "allow_relative_error")

    @column_aggregate_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(  # type: ignore[no-untyped-def]
        cls,  # noqa: N805
        column,
        quantiles: Sequence[float],
        allow_relative_error: Any = None,
        **kwargs: Any,
    ) -> Any:
        return column.quantile(list(quantiles), interpolation=allow_relative_error or "nearest").tolist()
