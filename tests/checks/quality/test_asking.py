"""Checks that ask together: one pass, each question once, and nobody pays for another's fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from pipeline.checks.quality.engines import asking
from pipeline.checks.quality.engines.asking import ROWS, Aggregate, Asking, Query, Question, Rows

Asked = list[str]


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE numbers AS SELECT range AS n, range % 3 AS m, 'x' AS t FROM range(10)")
        yield connection


def rows(database: duckdb.DuckDBPyConnection, count: int = 10) -> tuple[Rows, Asked]:
    asked: Asked = []

    def execute(statement: str) -> list[tuple[Any, ...]]:
        asked.append(statement)
        return database.execute(statement).fetchall()

    return Rows("numbers", count, execute), asked


def just(*questions: Question) -> Asking:
    answers = yield questions
    return {"answers": answers}


def again(first: Question, second: Question) -> Asking:
    (one,) = yield [first]
    (two,) = yield [second]
    return {"answers": [one, two]}


def test_what_is_asked_at_a_time_is_one_pass_and_asked_once(database: duckdb.DuckDBPyConnection) -> None:
    over, asked = rows(database)
    largest = Aggregate("max(n)")
    found = over.answer({0: just(ROWS, largest), 1: just(largest), 2: again(ROWS, Aggregate("sum(m)"))})
    assert found == {0: {"answers": [10, 9]}, 1: {"answers": [9]}, 2: {"answers": [10, 9]}}
    assert asked == ["SELECT count(*), max(n) FROM numbers", "SELECT sum(m) FROM numbers"]


def test_a_check_that_fails_fails_alone(database: duckdb.DuckDBPyConnection) -> None:
    over, asked = rows(database)
    checks = {place: just(Aggregate(f"max(n + {place})")) for place in range(8)}
    found = over.answer({**checks, 5: just(Aggregate("max(sqrt(t))")), 8: again(ROWS, Aggregate("nothing(n)"))})
    assert {place for place, came in found.items() if isinstance(came, duckdb.Error)} == {5, 8}
    assert found[7] == {"answers": [16]}
    assert len(asked) < 12  # halves, not each alone


def test_one_that_raises_before_it_asks_or_after_is_its_own(database: duckdb.DuckDBPyConnection) -> None:
    def wrong(late: bool) -> Asking:
        if late:
            yield [ROWS]
        raise ZeroDivisionError

    found = rows(database)[0].answer({0: wrong(late=False), 1: wrong(late=True), 2: just(ROWS)})
    assert [type(found[place]) for place in (0, 1)] == [ZeroDivisionError, ZeroDivisionError]
    assert found[2] == {"answers": [10]}


def test_what_a_check_can_do_without_does_not_fail_it(database: duckdb.DuckDBPyConnection) -> None:
    over, _ = rows(database)
    found = over.answer({0: just(Query("SELECT nothing FROM numbers", needed=False)), 1: just(Query("SELECT nothing"))})
    assert found[0] == {"answers": [[]]}
    assert isinstance(found[1], duckdb.Error)


@pytest.mark.parametrize(("count", "passes"), [(10, 1), (asking._MOST_VALUES, 2)])
def test_aggregates_that_keep_values_share_a_pass_where_there_is_room(
    database: duckdb.DuckDBPyConnection, count: int, passes: int
) -> None:
    """Those of one column always do: they read the same values."""
    over, asked = rows(database, count)
    of_n = [Aggregate("median(n)", keeps="n"), Aggregate("count(DISTINCT n)", keeps="n")]
    found = over.answer({0: just(*of_n), 1: just(Aggregate("median(m)", keeps="m"))})
    assert found == {0: {"answers": [4.5, 10]}, 1: {"answers": [1.0]}}
    assert len(asked) == passes
