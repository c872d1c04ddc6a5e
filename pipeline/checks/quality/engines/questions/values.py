"""Expectations about each value of a column."""

from __future__ import annotations

from pipeline.checks.quality.engines.asking import ROWS, Asking, Query
from pipeline.checks.quality.engines.literals import literal
from pipeline.checks.quality.engines.questions.scene import (
    NUMBERS,
    Arguments,
    Ask,
    Counts,
    NotInSQL,
    Scene,
    among,
    count_of,
    count_where,
    deviation_of,
    mean_of,
    repeated,
    repeats,
)


def where(scene: Scene, column: str, unexpected: str) -> Asking:
    """Rows for whose value a condition holds."""
    counts = Counts(*(yield [ROWS, count_of(column), count_where(unexpected)]))
    return (yield from _told(scene, column, counts, unexpected))


def _told(scene: Scene, column: str, counts: Counts, unexpected: str) -> Asking:
    sample = f"SELECT {column} FROM {scene.view} WHERE {unexpected} LIMIT {scene.shown}"  # noqa: S608 - ours
    (listed,) = (yield [Query(sample, needed=False)]) if counts.unexpected and scene.shown else ([],)
    return _metrics(scene, counts, listed)


def _metrics(scene: Scene, counts: Counts, listed: list[tuple[object]]) -> dict[str, object]:
    return {
        "table.row_count": counts.rows,
        "column_values.nonnull.unexpected_count": counts.rows - counts.looked_at,
        f"{scene.metric}.unexpected_count": counts.unexpected,
        f"{scene.metric}.unexpected_values": [value for (value,) in listed],
    }


def _not_null(scene: Scene, arguments: Arguments) -> Asking:
    rows, present = yield [ROWS, count_of(scene.column(arguments))]
    return _metrics(scene, Counts(rows, present, rows - present), [])


def _null(scene: Scene, arguments: Arguments) -> Asking:
    column = scene.column(arguments)
    rows, present = yield [ROWS, count_of(column)]
    return (yield from _told(scene, column, Counts(rows, present, present), f"{column} IS NOT NULL"))


def _unique(scene: Scene, arguments: Arguments) -> Asking:
    column = scene.column(arguments)
    groups = f"FROM {scene.view} WHERE {column} IS NOT NULL GROUP BY {column}"
    rows, present, ((found,),) = yield [ROWS, count_of(column), repeated(groups)]
    (listed,) = (yield [repeats(column, groups, scene.shown)]) if found and scene.shown else ([],)
    return _metrics(scene, Counts(rows, present, found), listed)


def _between(scene: Scene, arguments: Arguments) -> Asking:
    column = scene.column(arguments, "number", "date", "timestamp", "null")
    return (yield from where(scene, column, _outside(column, arguments)))


def _lengths(scene: Scene, arguments: Arguments) -> Asking:
    column = scene.column(arguments, "text")
    return (yield from where(scene, column, _outside(f"length({column})", arguments)))


def _outside(value: str, arguments: Arguments) -> str:
    parts = [
        f"{value} {sign}{'' if arguments.get(strict) else '='} {literal(arguments[key])}"
        for key, sign, strict in (("min_value", ">", "strict_min"), ("max_value", "<", "strict_max"))
        if arguments.get(key) is not None
    ]
    if not parts:
        raise NotInSQL
    return f"NOT ({' AND '.join(parts)})"


def _length(scene: Scene, arguments: Arguments) -> Asking:
    column = scene.column(arguments, "text")
    return (yield from where(scene, column, f"length({column}) <> {literal(arguments['value'])}"))


def _in_set(scene: Scene, arguments: Arguments) -> Asking:
    column, inside = _members(scene, arguments)
    rows, present, ((found,),) = yield [ROWS, count_of(column), inside]
    outside = f"{column} IS NOT NULL AND NOT {among(column, arguments['value_set'])}"
    return (yield from _told(scene, column, Counts(rows, present, present - found), outside))


def _not_in_set(scene: Scene, arguments: Arguments) -> Asking:
    column, inside = _members(scene, arguments)
    rows, present, ((found,),) = yield [ROWS, count_of(column), inside]
    return (yield from _told(scene, column, Counts(rows, present, found), among(column, arguments["value_set"])))


def _members(scene: Scene, arguments: Arguments) -> tuple[str, Query]:
    """A query of its own: DuckDB looks members up in a table there, and else goes through all of them for each row."""
    column = scene.column(arguments)
    if arguments.get("value_set") is None:
        raise NotInSQL
    return column, Query(f"SELECT count(*) FROM {scene.view} WHERE {among(column, arguments['value_set'])}")  # noqa: S608


def _z_scores(scene: Scene, arguments: Arguments) -> Asking:
    column, threshold = scene.column(arguments, *NUMBERS), arguments["threshold"]
    mean, deviation = yield [mean_of(column), deviation_of(column)]
    if not deviation:  # of one value, or of equal ones
        return (yield from where(scene, column, "FALSE"))
    score = f"({column} - {literal(mean)}) / {literal(deviation)}"
    if arguments.get("double_sided"):
        return (yield from where(scene, column, f"abs({score}) >= {literal(abs(threshold))}"))
    return (yield from where(scene, column, f"{score} >= {literal(threshold)}"))


VALUES: dict[str, Ask] = {
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_value_lengths_to_equal": _length,
    "expect_column_value_z_scores_to_be_less_than": _z_scores,
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_unique": _unique,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_not_be_null": _not_null,
}
