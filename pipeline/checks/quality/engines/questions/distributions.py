"""Expectations about which values a column has, and how many rows have each."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from pipeline.checks.quality.engines.asking import Asking, Query
from pipeline.checks.quality.engines.literals import literal
from pipeline.checks.quality.engines.questions.scene import (
    Arguments,
    Ask,
    NotInSQL,
    Scene,
    among,
    count_of,
    count_where,
)

_MOST_SHOWN = 20  # distinct values, as many as the library shows


def _counts(column: str, view: str) -> str:
    """Rows of each value."""
    return f"SELECT {column} AS value, count(*) AS n FROM {view} WHERE {column} IS NOT NULL GROUP BY ALL"  # noqa: S608


def _largest_class(scene: Scene, arguments: Arguments) -> Asking:
    counts = _counts(scene.column(arguments), scene.view)
    (((most, present),),) = yield [Query(f"SELECT max(n), sum(n) FROM ({counts})")]  # noqa: S608 - ours
    return {"column.largest_class_share": int(most) / int(present) if most else None}


def _most_common(scene: Scene, arguments: Arguments) -> Asking:
    counts = _counts(scene.column(arguments), scene.view)
    most = "SELECT value FROM counts WHERE n = (SELECT max(n) FROM counts) ORDER BY value"
    (listed,) = yield [Query(f"WITH counts AS ({counts}) {most}")]
    return {"column.most_common_value": [value for (value,) in listed]}


def _equal(scene: Scene, arguments: Arguments) -> Asking:
    others = yield from _others(scene, arguments)
    return others | (yield from _lacking(scene, arguments))


def _others(scene: Scene, arguments: Arguments) -> Asking:
    """Values that are not in the set."""
    column = scene.column(arguments)
    outside = f"FROM {scene.view} WHERE {column} IS NOT NULL AND NOT {among(column, arguments['value_set'])}"
    (((count,),),) = yield [Query(f"SELECT count(DISTINCT {column}) {outside}")]
    sample = Query(f"SELECT DISTINCT {column} {outside} ORDER BY ALL LIMIT {_MOST_SHOWN}", needed=False)
    (listed,) = (yield [sample]) if count and scene.shown else ([],)
    return {
        "column.distinct_values.not_in_set.count": count,
        "column.distinct_values.not_in_set": [value for (value,) in listed],
    }


def _lacking(scene: Scene, arguments: Arguments) -> Asking:
    """Values of the set that the column has not."""
    column, members = scene.column(arguments), arguments["value_set"]
    (listed,) = yield [Query(f"SELECT DISTINCT {column} FROM {scene.view} WHERE {among(column, members)}")]  # noqa: S608
    found = {value for (value,) in listed}
    return {
        "column.distinct_values.missing_from_column.count": len(members) - len(found),
        "column.distinct_values.missing_from_column": [item for item in members if item not in found],
    }


def _divergence(scene: Scene, arguments: Arguments) -> Asking:
    partition = arguments.get("partition_object")
    if not isinstance(partition, Mapping):  # the library finds bins of its own
        raise NotInSQL
    if "bins" in partition:
        return (yield from _by_bin(scene.column(arguments, "number"), [float(edge) for edge in partition["bins"]]))
    return (yield from _by_value(scene.column(arguments), scene.view))


def _by_value(column: str, view: str) -> Asking:
    import pandas as pd

    present, listed = yield [count_of(column), Query(f"{_counts(column, view)} ORDER BY value")]
    index = pd.Index([value for value, _ in listed], name="value", dtype=object)
    counts = pd.Series([count for _, count in listed], index=index, name="count")
    return {"column.value_counts": counts, "column_values.nonnull.count": present}


def _by_bin(column: str, edges: list[float]) -> Asking:
    """Each bin has its lower edge, the last one both."""
    pairs = list(pairwise(edges))
    if not pairs:
        raise NotInSQL
    inside = [
        count_where(f"{column} >= {literal(low)} AND {column} {'<=' if place == len(pairs) else '<'} {literal(high)}")
        for place, (low, high) in enumerate(pairs, 1)
    ]
    beyond = [count_where(f"{column} < {literal(edges[0])}"), count_where(f"{column} > {literal(edges[-1])}")]
    present, below, above, *histogram = yield [count_of(column), *beyond, *inside]
    return {
        "column_values.nonnull.count": present,
        "column.histogram": histogram,
        "below_partition": below,
        "above_partition": above,
    }


DISTRIBUTIONS: dict[str, Ask] = {
    "expect_column_distinct_values_to_be_in_set": _others,
    "expect_column_distinct_values_to_contain_set": _lacking,
    "expect_column_distinct_values_to_equal_set": _equal,
    "expect_column_kl_divergence_to_be_less_than": _divergence,
    "expect_column_largest_class_share_to_be_between": _largest_class,
    "expect_column_most_common_value_to_be_in_set": _most_common,
}
