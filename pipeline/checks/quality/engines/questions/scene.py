"""Where a check asks, and what many of them ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.checks.quality.engines.asking import Aggregate, Asking, Query
from pipeline.checks.quality.engines.literals import literal
from pipeline.checks.quality.suite.arguments import family_of_type

if TYPE_CHECKING:
    import pyarrow as pa

Arguments = Mapping[str, Any]
NUMBERS = ("number", "null")
"""Families of columns that hold numbers, or nothing at all."""
_MOMENTS = frozenset({"date", "timestamp"})
_KIN = (_MOMENTS, frozenset({"number", "boolean"}))


class NotInSQL(Exception):
    """SQL would answer something else than pandas, or nothing: pandas is asked."""


@dataclass(frozen=True)
class Scene:
    """Where a check asks.

    Attributes:
        view: the rows.
        names: what each column is called in the view.
        types: of each column in the files.
        metric: the library's name of what a map expectation counts.
        shown: how many unexpected values are wanted at most.
    """

    view: str
    names: Mapping[str, str]
    types: pa.Schema
    metric: str
    shown: int

    def column(self, arguments: Arguments, *families: str) -> str:
        """What the one column of a check is called.

        Args:
            arguments: of the check.
            families: what it may hold; anything where none is named.

        Raises:
            NotInSQL: it holds something else.
        """
        (column,) = self.alike([arguments["column"]], *families)
        return column

    def alike(self, columns: Sequence[str], *families: str) -> list[str]:
        """What columns are called whose values SQL compares as what they are.

        A date is its midnight beside moments, true and false are 1 and 0 beside numbers, as in row conditions. What
        holds nothing at all is missing beside anything.

        Raises:
            NotInSQL: they hold values of several kinds. SQL would make values of one into those of another.
        """
        held = [self._family(name) for name in columns]
        kinds = set(held)
        if families and not kinds <= set(families):
            raise NotInSQL
        if len(kinds) == 1:
            return [self.names[name] for name in columns]
        kinds.discard("null")
        if len(kinds) > 1 and not any(kinds <= kin for kin in _KIN):
            raise NotInSQL
        beside = {"null": "NULL"} | ({"boolean": "{}::INTEGER"} if "number" in kinds else {})
        if kinds == _MOMENTS:  # nanoseconds do not reach as far as dates
            beside |= dict.fromkeys(_MOMENTS, "{}::TIMESTAMP")
        return [
            beside.get(family or "", "{}").format(self.names[name]) for family, name in zip(held, columns, strict=True)
        ]

    def are_alike(self, first: str, second: str) -> bool:
        """Whether `alike` takes both."""
        try:
            return bool(self.alike([first, second]))
        except NotInSQL:
            return False

    def _family(self, name: str) -> str | None:
        return family_of_type(self.types.field(name).type)


class Counts(NamedTuple):
    """Rows of a map expectation: of the view, those that it looks at, and of these the unexpected ones."""

    rows: int
    looked_at: int
    unexpected: int


Ask = Callable[[Scene, Arguments], Asking]


def count_of(column: str) -> Aggregate:
    """Rows that have a value."""
    return Aggregate(f"count({column})")


def count_where(condition: str) -> Aggregate:
    """Rows for which a condition is true."""
    return Aggregate(f"count(CASE WHEN {condition} THEN 1 END)")


def mean_of(column: str) -> Aggregate:
    """Of the values, with 64 bits."""
    return Aggregate(f"avg({column}::DOUBLE)")


def deviation_of(column: str) -> Aggregate:
    """The sample's standard deviation; NULL of fewer than two values."""
    return Aggregate(f"stddev_samp({column})")


def distinct_of(column: str) -> Aggregate:
    """How many different values there are."""
    return Aggregate(f"count(DISTINCT {column})", keeps=column)


def among(column: str, members: Sequence[Any]) -> str:
    """A condition: the value is one of these."""
    return f"({column} IN ({', '.join(map(literal, members))}))" if members else "FALSE"


def repeated(groups: str) -> Query:
    """How many rows are in groups of more than one."""
    return Query(f"SELECT coalesce(sum(n), 0)::BIGINT FROM (SELECT count(*) AS n {groups}) WHERE n > 1")  # noqa: S608


def repeats(columns: str, groups: str, most: int) -> Query:
    """What repeats, in order, or two runs would show different rows."""
    return Query(f"SELECT {columns} {groups} HAVING count(*) > 1 ORDER BY ALL LIMIT {most}", needed=False)
