"""Expectations about a figure of a column, such as its mean."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.checks.quality.engines.asking import ROWS, Aggregate, Asking
from pipeline.checks.quality.engines.literals import literal
from pipeline.checks.quality.engines.questions.scene import (
    NUMBERS,
    Arguments,
    Ask,
    Scene,
    count_of,
    deviation_of,
    distinct_of,
    mean_of,
)


def _figure(name: str, figure_of: Callable[[str], Aggregate], *families: str) -> Ask:
    def asking(scene: Scene, arguments: Arguments) -> Asking:
        (value,) = yield [figure_of(scene.column(arguments, *families))]
        return {name: value}

    return asking


def _max(column: str) -> Aggregate:
    return Aggregate(f"max({column})")


def _min(column: str) -> Aggregate:
    return Aggregate(f"min({column})")


def _sum(column: str) -> Aggregate:
    return Aggregate(f"sum({column})")


def _median(column: str) -> Aggregate:
    return Aggregate(f"median({column})", keeps=column)


def _share_of_present(scene: Scene, arguments: Arguments) -> Asking:
    rows, present = yield [ROWS, count_of(scene.column(arguments))]
    return {"column.non_null_proportion": present / rows if rows else 0}


def _share_of_distinct(scene: Scene, arguments: Arguments) -> Asking:
    column = scene.column(arguments)
    present, distinct = yield [count_of(column), distinct_of(column)]
    return {"column.unique_proportion": distinct / present if present else 0}


def _quantiles(scene: Scene, arguments: Arguments) -> Asking:
    """The nearest rank, as in pandas: an observed value.

    `quantile_disc` takes the first value that covers a share: in the middle of a rank lies no other. By 100 and back,
    as pandas does it, so that a rank halfway between two is the same.
    """
    import numpy as np

    column, wanted = scene.column(arguments), arguments["quantile_ranges"]["quantiles"]
    (present,) = yield [count_of(column)]
    if not present:
        return {"column.quantile_values": [float("nan")] * len(wanted)}
    shares = [float((np.rint(part * 100 / 100 * (present - 1)) + 0.5) / present) for part in wanted]
    listed = ", ".join(map(literal, shares))
    (values,) = yield [Aggregate(f"quantile_disc({column}, [{listed}])", keeps=column)]
    return {"column.quantile_values": list(values)}


FIGURES: dict[str, Ask] = {
    "expect_column_max_to_be_between": _figure("column.max", _max),
    "expect_column_mean_to_be_between": _figure("column.mean", mean_of, *NUMBERS),
    "expect_column_median_to_be_between": _figure("column.median", _median),
    "expect_column_min_to_be_between": _figure("column.min", _min),
    "expect_column_proportion_of_non_null_values_to_be_between": _share_of_present,
    "expect_column_proportion_of_unique_values_to_be_between": _share_of_distinct,
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_stdev_to_be_between": _figure("column.standard_deviation", deviation_of, *NUMBERS),
    "expect_column_sum_to_be_between": _figure("column.sum", _sum, *NUMBERS),
    "expect_column_unique_value_count_to_be_between": _figure("column.distinct_values.count", distinct_of),
}
