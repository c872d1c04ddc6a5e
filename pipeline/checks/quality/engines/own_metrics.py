"""Metrics of Great Expectations that mean something else in SQL than in pandas, or forget an argument: ours instead.

Great Expectations finds metrics by name, so importing this module is what replaces them, once per process.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import PandasExecutionEngine, sqlalchemy_execution_engine
from great_expectations.execution_engine import SqlAlchemyExecutionEngine as _SqlEngine
from great_expectations.expectations import registry
from great_expectations.expectations.metrics.column_aggregate_metric_provider import (
    ColumnAggregateMetricProvider,
    column_aggregate_value,
)
from great_expectations.expectations.metrics.column_pair_map_metrics import ColumnPairValuesAGreaterThanB as _Greater
from great_expectations.expectations.metrics.map_metric_provider.column_pair_condition_partial import (
    column_pair_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_condition_partial import (
    multicolumn_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_function_partial import (
    multicolumn_function_partial,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.multicolumn_map_metrics import CompoundColumnsUnique as _Compound
from great_expectations.expectations.metrics.multicolumn_map_metrics import MulticolumnSumEqual as _Sum

UNKNOWN_FAILS = ("column_pair_values.", "multicolumn_sum.")
"""Conditions that SQL leaves open where a value is missing, while pandas says no: how their names start."""


_as_json = sqlalchemy_execution_engine.convert_to_json_serializable


def _exact(data: Any) -> Any:
    """In place of what makes a float of the largest and the smallest decimal."""
    return data if isinstance(data, Decimal) else _as_json(data)


sqlalchemy_execution_engine.convert_to_json_serializable = _exact


class ColumnMedian(ColumnAggregateMetricProvider):  # type: ignore[misc]
    """In place of the library's own, which sorts the whole column to look at its middle.

    A query for each column: together, all of them would have to be in memory at once.
    """

    metric_name = "column.median"

    @metric_value(engine=_SqlEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(cls, execution_engine: Any, metric_domain_kwargs: Any, **kwargs: Any) -> Any:  # noqa: N805
        table, column = _column(execution_engine, metric_domain_kwargs)
        query = sa.select(sa.func.median(column)).select_from(table)
        return execution_engine.execute_query(query).scalar()


# Registering a metric again replaces what computes it, but not the arguments that tell it from others.
registry._registered_metrics.pop("column.quantile_values", None)  # noqa: SLF001


class ColumnQuantileValues(ColumnAggregateMetricProvider):  # type: ignore[misc]
    """In place of the library's own, which answers every entry on a column with the quantiles of the first.

    The library sets the quantiles after it has named the metric; `quantile_ranges` among the keys makes them part of
    the name. In SQL, the nearest rank as in pandas: an observed value, the same from both.
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

    @metric_value(engine=_SqlEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(  # type: ignore[no-untyped-def]
        cls,  # noqa: N805
        execution_engine,
        metric_domain_kwargs: Any,
        metric_value_kwargs: Any,
        **kwargs: Any,
    ) -> list[Any]:
        table, column = _column(execution_engine, metric_domain_kwargs)
        rows = execution_engine.execute_query(sa.select(sa.func.count(column)).select_from(table)).scalar()
        quantiles = metric_value_kwargs["quantiles"]
        if not rows:
            return [math.nan] * len(quantiles)
        # quantile_disc takes the first value that covers a share: in the middle of a rank lies no other.
        # By 100 and back, as pandas does it, so that a rank halfway between two is the same.
        shares = [(np.rint(part * 100 / 100 * (rows - 1)) + 0.5) / rows for part in quantiles]
        listed: Any = sa.literal_column(f"[{', '.join(f'{share!r}::DOUBLE' for share in map(float, shares))}]")
        return list(
            execution_engine.execute_query(sa.select(sa.func.quantile_disc(column, listed)).select_from(table)).scalar()
        )


class ColumnPairValuesAGreaterThanB(_Greater):  # type: ignore[misc]
    """In place of the library's own, by which nothing is greater than or equal to nothing."""

    @column_pair_condition_partial(engine=_SqlEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(cls, column_A: Any, column_B: Any, **kwargs: Any) -> Any:  # noqa: N803, N805
        return column_A >= column_B if kwargs.get("or_equal") else column_A > column_B


class MulticolumnSumEqual(_Sum):  # type: ignore[misc]
    """In place of the library's own, whose sum of whole numbers may leave 64 bits."""

    @multicolumn_condition_partial(engine=_SqlEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(cls, column_list: Any, **kwargs: Any) -> Any:  # noqa: N805
        total = kwargs.get("sum_total")
        start = "0::HUGEINT" if isinstance(total, int) else "0"
        return sum(column_list, start=sa.literal_column(start)) == sa.literal(total)


class CompoundColumnsUnique(_Compound):  # type: ignore[misc]
    """In place of the library's own, for which rows with a missing value never repeat; to pandas they do."""

    @multicolumn_function_partial(engine=_SqlEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy_function(self, column_list: Any, **kwargs: Any) -> Any:
        columns, names = kwargs["_table_columns"], kwargs["_column_names"]
        rows = sa.select(*map(sa.column, columns)).select_from(kwargs["_table"]).alias("compound_rows")
        counted = sa.select(*column_list, sa.func.count().label("_num_rows")).select_from(rows)
        groups = counted.group_by(*column_list).alias("compound_groups")
        same = sa.and_(*(groups.c[name].is_not_distinct_from(rows.c[name]) for name in names))
        joined = rows.join(right=groups, onclause=same)
        return sa.select(rows, groups.c["_num_rows"]).select_from(joined).alias("compound_counts")


def _column(execution_engine: Any, domain: Any) -> tuple[Any, Any]:
    """The rows of a domain, and its column."""
    table, _, column = execution_engine.get_compute_domain(domain, MetricDomainTypes.COLUMN)
    return table, sa.column(column["column"])
