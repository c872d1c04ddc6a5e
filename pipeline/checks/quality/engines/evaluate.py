"""Evaluates checks with Great Expectations: as SQL in DuckDB where that means the same, else with pandas.

DuckDB reads the parquet files itself, in parallel and within a budget. The pandas engine gets only the columns it
needs, a few at a time. What asks about columns only, not about rows, is answered from the schema.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.checks.quality.check import Check, Evaluation, Files, Found, Limits, Wanted
from pipeline.checks.quality.conditions import Condition, ConditionError
from pipeline.checks.quality.engines.filters import where
from pipeline.checks.quality.engines.in_memory import context_in_memory
from pipeline.checks.quality.engines.library import validate_checks, why_it_raised
from pipeline.checks.quality.engines.routing import needs_specimens_only, reads_values, suits_sql, tells_from_schema
from pipeline.checks.quality.engines.shown import ROWS_PER_EXAMPLE, examples_of, is_missing
from pipeline.checks.quality.suite.arguments import Unsuitable, suited
from pipeline.errors import NO_UTF8, SnapshotUnreadable, named, unspoken
from pipeline.results import Engine

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa
    from great_expectations.core import ExpectationValidationResult

    from pipeline.checks.quality.engines.database import Database

log = logging.getLogger(__name__)
T = TypeVar("T")


def evaluate(checks: Sequence[Check], files: Files, limits: Limits, *, pandas_only: bool = False) -> list[Evaluation]:
    """What came of each check, in their order. Nothing about the data or about a check raises, nor does what nobody
    foresaw: each is the check's own.

    Args:
        checks: with any columns and arguments.
        files: the snapshot.
        limits: memory, cores, examples.
        pandas_only: leave DuckDB out, to compare the two.
    """
    found: Found = {}
    plan = _Plan()
    for place, check in enumerate(checks):
        try:
            condition, ready = _ready(check, files.schema)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this check's own
            found[place] = _broken(error, "metadata")
            continue
        if tells_from_schema(check.type):
            plan.schema_only[place] = ready
        elif suits_sql(ready, files.schema) and not pandas_only:
            plan.sql.setdefault(condition, {})[place] = ready
        else:
            plan.frames.setdefault(condition, {})[place] = ready
    with _quiet():
        found |= _in_pandas(plan.schema_only, None, files, limits, "metadata")
        found |= _planned(plan, files, limits)
    return [found[place] for place in range(len(checks))]


def problem_on(check: Check, schema: pa.Schema) -> str | None:
    """Why a check cannot be evaluated on these columns, as far as it shows without rows; None where it can."""
    try:
        _, ready = _ready(check, schema)
    except Unsuitable as error:
        return str(error)
    absent = _without(ready.columns, schema)
    return _absent(absent) if absent else None


def _ready(check: Check, schema: pa.Schema) -> tuple[Condition | None, Check]:
    """The condition on rows, and the check without it, with arguments as its columns read them.

    Raises:
        Unsuitable: it cannot be evaluated on these columns.
    """
    if check.problem is not None:
        raise Unsuitable(check.problem)
    if tells_from_schema(check.type):
        return None, check.without_condition()
    try:
        condition = check.condition
    except ConditionError as error:
        raise Unsuitable(f"row_condition: {error}") from error
    absent = _without(check.columns, schema)
    if absent:
        raise Unsuitable(_absent(absent))
    if condition is not None:
        where(condition, schema, {name: name for name in schema.names})
    return condition, suited(check.without_condition(), schema)


def _without(columns: Sequence[str], schema: pa.Schema) -> list[str]:
    """Columns that are not there. By index: a schema makes the list of its names anew each time it is asked for it."""
    return [name for name in columns if not schema.get_all_field_indices(name)]


def _absent(names: Sequence[str]) -> str:
    if len(names) == 1:
        return "the column is not in the snapshot"
    return f"the columns {', '.join(names)} are not in the snapshot"


@dataclass
class _Plan:
    """Checks by where they are evaluated and, within, by the condition on rows that they share."""

    schema_only: dict[int, Check] = field(default_factory=dict)
    sql: dict[Condition | None, dict[int, Check]] = field(default_factory=dict)
    frames: dict[Condition | None, dict[int, Check]] = field(default_factory=dict)


def _planned(plan: _Plan, files: Files, limits: Limits) -> Found:
    """DuckDB's part first: what it refuses goes to pandas, with the same condition."""
    conditional = any(condition is not None for condition in plan.frames)
    found: Found = {}
    with ExitStack() as closing:
        database = _try(lambda: closing.enter_context(_opened(files, limits))) if plan.sql or conditional else None
        for condition, checks in plan.sql.items():
            answered = _in_duckdb(database, checks, condition, limits)
            found |= answered
            refused = {place: check for place, check in checks.items() if place not in answered}
            plan.frames.setdefault(condition, {}).update(refused)
        for condition, checks in plan.frames.items():
            mask = None if condition is None else _mask(database, condition)
            if isinstance(mask, Evaluation):  # nobody knows which rows are meant
                found |= dict.fromkeys(checks, mask)
            else:
                found |= _in_pandas(checks, mask, files, limits, "pandas")
    return found


def _mask(database: Database | Evaluation | None, condition: Condition) -> npt.NDArray[np.bool_] | Evaluation | None:
    """Which rows a condition means, or why nobody knows."""
    if database is None or isinstance(database, Evaluation):
        return database
    return _try(partial(database.mask, condition))


def _try(work: Callable[[], T]) -> T | Evaluation:
    """What DuckDB gives, or why it does not."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - as above
        return _broken(error, "duckdb")


def _broken(error: Exception, engine: Engine) -> Evaluation:
    """A check that cannot be evaluated, with the reason; of what nobody foresaw the place, and the rest in the log."""
    if isinstance(error, Unsuitable):
        return Evaluation(engine, error=str(error))
    if isinstance(error, UnicodeDecodeError):
        return Evaluation(engine, error=NO_UTF8)
    log.error("a check could not be evaluated", exc_info=unspoken(error))
    return Evaluation(engine, error=named(error), damaged=isinstance(error, SnapshotUnreadable))


def _opened(files: Files, limits: Limits) -> AbstractContextManager[Database]:
    from pipeline.checks.quality.engines.database import open_database

    return open_database(files, limits)


@contextmanager
def _quiet() -> Iterator[None]:
    """Great Expectations logs every metric that fails with the whole query, which may quote data."""
    logger = logging.getLogger("great_expectations")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _in_duckdb(
    database: Database | Evaluation | None, wanted: Wanted, condition: Condition | None, limits: Limits
) -> Found:
    """Leaves out what DuckDB refused; why it did is told where pandas asks for the same rows."""
    from pipeline.checks.quality.engines.in_duckdb import answered

    if database is None or isinstance(database, Evaluation):
        return {}
    found = _try(partial(answered, database, wanted, condition, limits.examples))
    return {} if isinstance(found, Evaluation) else found


def _in_pandas(
    wanted: Wanted, mask: npt.NDArray[np.bool_] | None, files: Files, limits: Limits, engine: Engine
) -> Found:
    """Of the rows in the mask; None is all rows."""
    from pipeline.checks.quality.engines.chunks import chunks, read_columns, take_more_than

    about_types = {place: check for place, check in wanted.items() if needs_specimens_only(check)}
    found = _apart(about_types, lambda checks: _by_specimens(checks, files), "pandas")
    wanted = {place: check for place, check in wanted.items() if place not in found}
    if engine == "metadata":
        batch = _batch(read_columns(files, files.schema.names, rows=False)) if wanted else None
        return found | (_run(batch, wanted, engine, 0) if wanted else {})
    for whole in (False, True):
        alike = {place: check for place, check in wanted.items() if reads_values(check) == whole}
        for _, places in chunks(alike, files.schema.names, take_more_than(limits.budget_bytes, files)):
            read = partial(_in_frame, files=files, mask=mask, whole=whole, engine=engine, limits=limits)
            found |= _apart({place: wanted[place] for place in places}, read, engine)
    return found


def _in_frame(
    wanted: Wanted, *, files: Files, mask: npt.NDArray[np.bool_] | None, whole: bool, engine: Engine, limits: Limits
) -> Found:
    """The columns that these checks need, in one frame."""
    from pipeline.checks.quality.engines.chunks import columns_of, read_columns

    names = files.schema.names
    needed = set[str]().union(*(columns_of(check, names) for check in wanted.values()))
    columns = [name for name in names if name in needed]
    frame = read_columns(files, columns, whole=whole, budget_bytes=limits.budget_bytes)
    batch = _batch(_aliased(frame if mask is None else frame[mask]))
    return _run(batch, wanted, engine, limits.examples, _aliases(columns))


def _apart(wanted: Wanted, work: Callable[[Wanted], Found], engine: Engine) -> Found:
    """What came of checks together; where that breaks each alone, so that one damaged column is no other's fault."""
    try:
        return work(wanted)
    except Exception as error:  # noqa: BLE001 - whose fault it is shows when each is alone
        if len(wanted) == 1:
            return dict.fromkeys(wanted, _broken(error, engine))
    found: Found = {}
    for place, check in wanted.items():
        found |= _apart({place: check}, work, engine)
    return found


def _aliases(columns: Sequence[str]) -> dict[str, str]:
    """Great Expectations finds `age` where `Age` was meant, and strips quotes off names: ours leave no doubt."""
    start = "column "
    while any(name.startswith(start) for name in columns):
        start += "_"
    return {name: f"{start}{place}" for place, name in enumerate(columns)}


def _aliased(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename(columns=_aliases(list(frame.columns)))


def _by_specimens(wanted: Wanted, files: Files) -> Found:
    """Whether it holds, and the type that was found: the rows that were counted are not those of the snapshot."""
    if not wanted:
        return {}
    from pipeline.checks.quality.engines.chunks import read_specimens

    columns = list(dict.fromkeys(name for check in wanted.values() for name in check.columns))
    specimens = read_specimens(files, columns)
    found = _run(_batch(_aliased(specimens)), wanted, "pandas", 0, _aliases(columns))
    types = {name: _type_of(specimens[name]) for name in columns}
    return {
        place: Evaluation("pandas", item.success, {"observed_type": types[wanted[place].columns[0]]}, error=item.error)
        for place, item in found.items()
    }


def _type_of(column: pd.Series) -> str:
    """As suites call types: the column's in pandas, or in Python where pandas calls it an object."""
    if column.dtype != object:
        return str(column.dtype)
    return " or ".join(sorted({type(item).__name__ for item in column if not is_missing(item)})) or "no value"


def _batch(frame: pd.DataFrame) -> Any:
    asset = context_in_memory().data_sources.add_pandas("snapshot").add_dataframe_asset("columns")
    return asset.add_batch_definition_whole_dataframe("night").get_batch({"dataframe": frame})


def _run(batch: Any, wanted: Wanted, engine: Engine, examples: int, names: Mapping[str, str] | None = None) -> Found:
    """One pass without values, and a second one for what failed and may show some.

    A set that lacks values of the suite names them in any case: they are of the suite, not of the rows.
    """
    results = validate_checks(batch, wanted, 0, names)
    found = {place: _evaluation(wanted[place], result, engine) for place, result in results.items()}
    failed = {
        place: check
        for place, check in wanted.items()
        if not check.private and _has_more_to_show(check, found[place], examples)
    }
    original = {alias: name for name, alias in (names or {}).items()}
    more = validate_checks(batch, failed, max(examples, 1) * ROWS_PER_EXAMPLE, names) if failed else {}
    for place, result in more.items():
        details, known = {} if isinstance(result, str) else result.result or {}, found[place]
        named = (details.get("partial_unexpected_list") or ()) if examples else ()
        texts = examples_of(named, examples, original)
        lacking = {key: details[key] for key in ("partial_missing_list",) if key in details}
        found[place] = Evaluation(known.engine, known.success, {**known.details, **lacking}, texts)
    return found


def _has_more_to_show(check: Check, found: Evaluation, examples: int) -> bool:
    lacks = check.type.startswith("expect_column_distinct_values_to_") and found.details.get("missing_count")
    return bool(lacks or (examples and found.details.get("unexpected_count")))


def _evaluation(check: Check, result: ExpectationValidationResult | str, engine: Engine) -> Evaluation:
    """The library's messages may quote rows, so they stay in the log."""
    if isinstance(result, str):
        return Evaluation(engine, error=result)
    if reason := why_it_raised(check, result):
        return Evaluation(engine, error=reason)
    return Evaluation(engine, bool(result.success), dict(result.result or {}))  # it may be numpy's
