"""Checks as SQL over the parquet files: DuckDB counts, Great Expectations judges, no row becomes Python."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.check import Check, Evaluation, Found, Wanted
from pipeline.checks.quality.engines.asking import Asking, Metrics, Rows
from pipeline.checks.quality.engines.library import expectation_of, verdict, why_not
from pipeline.checks.quality.engines.questions import NotInSQL, Scene, ask
from pipeline.checks.quality.engines.shown import ROWS_PER_EXAMPLE, examples_of
from pipeline.checks.quality.engines.sql import NAMED_VIEW, VIEW
from pipeline.errors import unspoken

if TYPE_CHECKING:
    from pipeline.checks.quality.conditions import Condition
    from pipeline.checks.quality.engines.database import Database

log = logging.getLogger(__name__)
_TOGETHER = 100  # columns of one table
_NOT_NAMED = "SQL cannot tell the columns apart: their names differ in upper and lower case only, or one is empty"


def answered(database: Database, wanted: Wanted, condition: Condition | None, examples: int) -> Found:
    """What came of checks; those that SQL cannot answer as pandas would are left out.

    Args:
        database: the snapshot.
        wanted: checks without conditions that `routing.suits_sql` lets through.
        condition: which rows they are about.
        examples: how many unexpected values a check may name.

    Raises:
        Unsuitable: the condition does not suit the columns.
        duckdb.Error: not one query can be asked.
    """
    own = {place: check for place, check in wanted.items() if _is_query(check)}
    found = _by_columns(database, condition, {place: wanted[place] for place in wanted.keys() - own.keys()}, examples)
    if own and not database.named:
        return found | {place: Evaluation("duckdb", error=_NOT_NAMED) for place in own}
    if own:
        view = NAMED_VIEW if condition is None else database.filtered(condition, by_name=True)
        found |= _run(database, view, own, 0)
    return found


def _is_query(check: Check) -> bool:
    return check.type == "unexpected_rows_expectation"


def _by_columns(database: Database, condition: Condition | None, wanted: Wanted, examples: int) -> Found:
    """A few columns at a time where there are many: each query looks up every column of its table."""
    from pipeline.checks.quality.engines.chunks import chunks

    if not wanted:
        return {}
    view = VIEW if condition is None else database.filtered(condition)
    names = database.schema.names
    if len(names) <= _TOGETHER:
        return _run(database, view, wanted, examples)
    of_table = {place: check for place, check in wanted.items() if not check.columns}
    found = _run(database, view, of_table, examples)
    of_columns = {place: check for place, check in wanted.items() if check.columns}
    for columns, places in chunks(of_columns, names, lambda columns: len(columns) > _TOGETHER):
        found |= _of_few_columns(database, view, columns, {place: wanted[place] for place in places}, examples)
    return found


def _of_few_columns(database: Database, view: str, columns: Sequence[str], wanted: Wanted, examples: int) -> Found:
    try:
        with database.narrowed(view, columns) as narrow:
            return _run(database, narrow, wanted, examples)
    except Exception as error:
        log.debug("a few columns could not be asked in SQL", exc_info=unspoken(error))
        return {}


def _run(database: Database, view: str, wanted: Wanted, examples: int) -> Found:
    """All checks of a view, asked together and judged one by one."""
    expectations: dict[int, Any] = {}
    askings: dict[int, Asking] = {}
    found: Found = {}
    for place, check in wanted.items():
        try:
            expectations[place] = expectation_of(check)
            scene = partial(Scene, view, database.aliases, database.schema)
            shown = 0 if check.private or not examples else examples * ROWS_PER_EXAMPLE
            askings[place] = ask(check.type, scene(getattr(expectations[place], "map_metric", ""), shown), check.kwargs)
        except Exception as error:  # noqa: BLE001 - one entry takes no night down
            found |= _refused(place, check, error)
    rows = Rows(view, database.rows, database.execute)
    for place, came in rows.answer(askings).items():
        check = wanted[place]
        try:
            if isinstance(came, Exception):
                raise came
            found[place] = _judged(check, expectations[place], came, examples)
        except Exception as error:  # noqa: BLE001 - as above
            found |= _refused(place, check, error)
    return found


def _refused(place: int, check: Check, error: Exception) -> Found:
    """Pandas is asked, unless SQL is what the check is about."""
    if not isinstance(error, NotInSQL):
        log.debug("%s could not be asked in SQL", check.type, exc_info=unspoken(error))
    return {place: Evaluation("duckdb", error=why_not(error))} if _is_query(check) else {}


def _judged(check: Check, expectation: Any, metrics: Metrics, examples: int) -> Evaluation:
    success, details = verdict(expectation, metrics, max(examples, 1) * ROWS_PER_EXAMPLE)
    texts = () if check.private else examples_of(details.pop("partial_unexpected_list", ()), examples, {})
    return Evaluation("duckdb", success, details, texts)
