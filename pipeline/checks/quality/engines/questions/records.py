"""Expectations about rows: several columns of each, or how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.checks.quality.engines.asking import ROWS, Asking, Query
from pipeline.checks.quality.engines.literals import literal
from pipeline.checks.quality.engines.questions.scene import (
    NUMBERS,
    Arguments,
    Ask,
    Counts,
    NotInSQL,
    Scene,
    count_where,
    repeated,
    repeats,
)
from pipeline.checks.quality.suite.sql_text import with_plain_braces


def _kept(columns: Sequence[str], arguments: Arguments) -> str:
    """Which rows are looked at: by default all but those where every value is missing."""
    ignored = arguments.get("ignore_row_if")
    if ignored in ("neither", "never"):
        return "TRUE"
    joint = " OR " if ignored in ("either_value_is_missing", "any_value_is_missing") else " AND "
    return f"NOT ({joint.join(f'{column} IS NULL' for column in columns)})"


def _where(scene: Scene, names: Sequence[str], arguments: Arguments, unexpected: str) -> Asking:
    """Rows for which a condition holds, whose examples have the values as the files have them."""
    columns = [scene.names[name] for name in names]
    kept = _kept(columns, arguments)
    condition = f"{kept} AND {unexpected}"
    counts = Counts(*(yield [ROWS, count_where(kept), count_where(condition)]))
    sample = f"SELECT {', '.join(columns)} FROM {scene.view} WHERE {condition} LIMIT {scene.shown}"  # noqa: S608
    (listed,) = (yield [Query(sample, needed=False)]) if counts.unexpected and scene.shown else ([],)
    return _metrics(scene, arguments, counts, listed)


def _metrics(scene: Scene, arguments: Arguments, counts: Counts, listed: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Unexpected rows as the library gives them: of pairs the two values, of lists of columns each by its name."""
    names = arguments.get("column_list")
    return {
        "table.row_count": counts.rows,
        f"{scene.metric}.filtered_row_count": counts.looked_at,
        f"{scene.metric}.unexpected_count": counts.unexpected,
        f"{scene.metric}.unexpected_values": (
            listed if names is None else [dict(zip(names, row, strict=True)) for row in listed]
        ),
    }


def _pair(arguments: Arguments) -> list[str]:
    return [arguments["column_A"], arguments["column_B"]]


def _pair_equal(scene: Scene, arguments: Arguments) -> Asking:
    names = _pair(arguments)
    first, second = scene.alike(names)
    return (yield from _where(scene, names, arguments, f"coalesce({first} <> {second}, TRUE)"))


def _pair_greater(scene: Scene, arguments: Arguments) -> Asking:
    names = _pair(arguments)
    first, second = scene.alike(names)
    below = "<" if arguments.get("or_equal") else "<="
    return (yield from _where(scene, names, arguments, f"coalesce({first} {below} {second}, TRUE)"))


def _pair_in_set(scene: Scene, arguments: Arguments) -> Asking:
    pairs = arguments.get("value_pairs_set")
    if pairs is None:
        raise NotInSQL
    columns = [scene.names[name] for name in _pair(arguments)]
    allowed = [" AND ".join(map(_is, columns, pair)) for pair in pairs]
    among = f"coalesce({' OR '.join(allowed)}, FALSE)" if allowed else "FALSE"
    return (yield from _where(scene, _pair(arguments), arguments, f"NOT {among}"))


def _is(column: str, value: object) -> str:
    return f"{column} IS NULL" if value is None else f"{column} = {literal(value)}"


def _sum(scene: Scene, arguments: Arguments) -> Asking:
    """Whole numbers are added with 128 bits: 64 might not hold their sum."""
    columns, total = scene.alike(arguments["column_list"], *NUMBERS), arguments["sum_total"]
    start = "0::HUGEINT" if isinstance(total, int) else "0"
    differs = f"coalesce({' + '.join([start, *columns])} <> {literal(total)}, TRUE)"
    return (yield from _where(scene, arguments["column_list"], arguments, differs))


def _all_equal(scene: Scene, arguments: Arguments) -> Asking:
    names = arguments["column_list"]
    columns = scene.alike(names)
    missing = " AND ".join(f"{column} IS NULL" for column in columns)
    same = " AND ".join(f"{columns[0]} = {column}" for column in columns)
    return (yield from _where(scene, names, arguments, f"NOT ({missing} OR coalesce({same}, FALSE))"))


def _all_different(scene: Scene, arguments: Arguments) -> Asking:
    """Values of different kinds are never the same; missing ones always are."""
    names = arguments["column_list"]
    same = [_same(scene, first, second) for place, first in enumerate(names) for second in names[place + 1 :]]
    return (yield from _where(scene, names, arguments, f"({' OR '.join(same) or 'FALSE'})"))


def _same(scene: Scene, first: str, second: str) -> str:
    if scene.are_alike(first, second):
        return " IS NOT DISTINCT FROM ".join(scene.alike([first, second]))
    return f"({scene.names[first]} IS NULL AND {scene.names[second]} IS NULL)"


def _compound(scene: Scene, arguments: Arguments) -> Asking:
    columns = [scene.names[name] for name in arguments["column_list"]]
    kept, listed = _kept(columns, arguments), ", ".join(columns)
    groups = f"FROM {scene.view} WHERE {kept} GROUP BY {listed}"
    rows, looked_at, ((found,),) = yield [ROWS, count_where(kept), repeated(groups)]
    (shown,) = (yield [repeats(listed, groups, scene.shown)]) if found and scene.shown else ([],)
    return _metrics(scene, arguments, Counts(rows, looked_at, found), shown)


def _count(_: Scene, __: Arguments) -> Asking:
    (rows,) = yield [ROWS]
    return {"table.row_count": rows}


def _of_query(scene: Scene, arguments: Arguments) -> Asking:
    """A suite's own SQL. The library calls the snapshot `subselect`, which a query may use as a name for it."""
    query = with_plain_braces(arguments["unexpected_rows_query"]).format(batch="subselect")
    counted = f"WITH subselect AS (SELECT * FROM {scene.view}) SELECT count(*) FROM (\n{query}\n)"  # noqa: S608 - locked
    (((rows,),),) = yield [Query(counted)]
    return {"unexpected_rows_query.row_count": rows, "unexpected_rows_query.table": []}


RECORDS: dict[str, Ask] = {
    "expect_column_pair_values_a_to_be_greater_than_b": _pair_greater,
    "expect_column_pair_values_to_be_equal": _pair_equal,
    "expect_column_pair_values_to_be_in_set": _pair_in_set,
    "expect_compound_columns_to_be_unique": _compound,
    "expect_multicolumn_sum_to_equal": _sum,
    "expect_multicolumn_values_to_be_equal": _all_equal,
    "expect_select_column_values_to_be_unique_within_record": _all_different,
    "expect_table_row_count_to_be_between": _count,
    "expect_table_row_count_to_equal": _count,
    "unexpected_rows_expectation": _of_query,
}
