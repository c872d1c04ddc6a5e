"""What checks ask of DuckDB, together: one pass over the rows answers as much as it can of all that is asked at a time.

A check asks in rounds, as a generator: it yields questions, is sent their answers, and may ask again with what it knows
then. What several checks ask is asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]
Execute = Callable[[str], list[Row]]
Metrics = dict[str, Any]

_LIGHT = 500  # aggregates of one query, which is planned in time that grows faster than they do
_MOST_VALUES = 5_000_000  # that aggregates of one query keep in memory


@dataclass(frozen=True)
class Aggregate:
    """An aggregate over the rows of the view; its answer is a value.

    Attributes:
        sql: without SELECT.
        keeps: a column whose values it has in memory as it counts, like a median; None where it keeps none.
    """

    sql: str
    keeps: str | None = None


@dataclass(frozen=True)
class Query:
    """A SELECT of its own; its answer is a list of rows.

    Attributes:
        sql: the whole statement.
        needed: False where the check can do without; its answer is then no rows when it fails.
    """

    sql: str
    needed: bool = True


Question = Aggregate | Query
Asking = Generator[Sequence[Question], list[Any], Metrics]
ROWS = Aggregate("count(*)")


class Rows:
    """The rows that checks are about.

    Args:
        view: which has them.
        rows: about how many there are.
        execute: runs a SELECT.
    """

    def __init__(self, view: str, rows: int, execute: Execute) -> None:
        self._view, self._rows, self._execute = view, rows, execute
        self._known: dict[Question, Any] = {}

    def answer(self, askings: Mapping[int, Asking]) -> dict[int, Metrics | Exception]:
        """What each check came to, or why it came to nothing: no check stops another."""
        done: dict[int, Metrics | Exception] = {}
        waiting: dict[int, Sequence[Question]] = {}
        sent: dict[int, list[Any] | None] = dict.fromkeys(askings)
        while sent:
            for place, answers in sent.items():
                try:
                    # A generator that has not started takes nothing but None.
                    waiting[place] = askings[place].send(answers)  # type: ignore[arg-type]
                except StopIteration as end:
                    done[place] = end.value
                except Exception as error:  # noqa: BLE001 - it is this check's own
                    done[place] = error
            self._ask(question for questions in waiting.values() for question in questions)
            sent = {}
            for place, questions in waiting.items():
                answers = [self._known[question] for question in questions]
                failed = next((found for found in answers if isinstance(found, Exception)), None)
                if failed is None:
                    sent[place] = answers
                else:
                    done[place] = failed
            waiting = {}
        return done

    def _ask(self, questions: Iterable[Question]) -> None:
        new = [question for question in dict.fromkeys(questions) if question not in self._known]
        for query in new:
            if isinstance(query, Query):
                self._known[query] = self._rows_of(query)
        for together in self._bundles([question for question in new if isinstance(question, Aggregate)]):
            self._known |= zip(together, self._values_of(together), strict=True)

    def _bundles(self, aggregates: Sequence[Aggregate]) -> Iterator[list[Aggregate]]:
        """Those that keep nothing as many as can be planned well, those that keep values as many as memory may have."""
        light = [item for item in aggregates if item.keeps is None]
        yield from (light[start : start + _LIGHT] for start in range(0, len(light), _LIGHT))
        by_column: dict[str, list[Aggregate]] = {}
        for item in aggregates:
            if item.keeps is not None:
                by_column.setdefault(item.keeps, []).append(item)
        room = max(1, min(_LIGHT, _MOST_VALUES // max(self._rows, 1)))
        columns = list(by_column.values())
        for start in range(0, len(columns), room):
            yield [item for column in columns[start : start + room] for item in column]

    def _values_of(self, aggregates: Sequence[Aggregate]) -> list[Any]:
        """Of each its value, or why it has none: where they fail together, halves are asked to find the culprit."""
        listed = ", ".join(item.sql for item in aggregates)
        try:
            (row,) = self._execute(f"SELECT {listed} FROM {self._view}")  # noqa: S608 - ours, see `questions`
        except Exception as error:  # noqa: BLE001 - as above
            if len(aggregates) == 1:
                return [error]
            middle = len(aggregates) // 2
            return self._values_of(aggregates[:middle]) + self._values_of(aggregates[middle:])
        return list(row)

    def _rows_of(self, query: Query) -> list[Row] | Exception:
        try:
            return self._execute(query.sql)
        except Exception as error:  # noqa: BLE001 - as above
            return error if query.needed else []
