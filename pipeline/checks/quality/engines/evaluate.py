"""Evaluates checks with Great Expectations: as SQL in DuckDB where that means the same, else with pandas.

DuckDB reads the parquet files itself, in parallel and within a budget. The pandas engine gets only the columns it
needs, a few at a time. What asks about columns only, not about rows, is answered from the schema.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.check import Check, Evaluation, Files, Limits, with_columns_renamed
from pipeline.checks.quality.engines.routing import (
    needs_complete_rows,
    needs_specimens_only,
    suits_sql,
    tells_from_schema,
)
from pipeline.checks.quality.engines.sql import NAMED_VIEW, VIEW
from pipeline.results import Engine
from pipeline.wording import clip, value

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult

    from pipeline.checks.quality.engines.pushdown import Database

_NO_VALUES = {"result_format": "BASIC", "partial_unexpected_count": 0}
_MAX_EXAMPLE_LENGTH = 80
_ROWS_PER_EXAMPLE = 50  # looked through for values that differ
_EXACT_WHOLE = 2**53
_NOT_NAMED = "SQL cannot tell the columns apart: their names differ in upper and lower case only, or one is empty"
Found = dict[int, Evaluation]
Wanted = Mapping[int, Check]


def evaluate(checks: Sequence[Check], files: Files, limits: Limits, *, pandas_only: bool = False) -> list[Evaluation]:
    """What came of each check, in their order. Nothing about the data raises.

    Args:
        checks: with any columns and arguments.
        files: the snapshot.
        limits: memory, cores, examples.
        pandas_only: leave DuckDB out, to compare the two.
    """
    present = set(files.schema.names)
    found: Found = {}
    sql: dict[int, Check] = {}
    frames: dict[int, Check] = {}
    schema_only: dict[int, Check] = {}
    for place, check in enumerate(checks):
        absent = [name for name in check.columns if name not in present]
        if tells_from_schema(check.type):
            schema_only[place] = check
        elif absent:
            found[place] = Evaluation("metadata", error=_absent(absent))
        elif suits_sql(check, files.schema) and not pandas_only:
            sql[place] = check
        else:
            frames[place] = check
    with _quiet():
        found |= _in_pandas(schema_only, files, limits, "metadata")
        found |= in_duckdb(sql, files, limits)
        refused = {place: check for place, check in sql.items() if place not in found}
        found |= _in_pandas(frames | refused, files, limits, "pandas")
    return [found[place] for place in range(len(checks))]


def _absent(names: Sequence[str]) -> str:
    if len(names) == 1:
        return "the column is not in the snapshot"
    return f"the columns {', '.join(names)} are not in the snapshot"


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


def _context() -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def in_duckdb(wanted: Wanted, files: Files, limits: Limits) -> Found:
    """Leaves out what DuckDB refused, or would answer otherwise than pandas."""
    if not wanted:
        return {}
    from pipeline.checks.quality.engines.pushdown import open_database

    with open_database(_context(), files.paths, files.schema, limits.budget_bytes, limits.threads) as database:
        by_name = {place: check for place, check in wanted.items() if _is_query(check)}
        aliased = {
            place: check
            for place, check in wanted.items()
            if place not in by_name and not (needs_complete_rows(check) and _any_missing(database, check.columns))
        }
        results: Found = {}
        if aliased:
            results |= _run(database.batch(VIEW), aliased, "duckdb", limits.examples, database.aliases)
        if by_name and not database.named:
            results |= {place: Evaluation("duckdb", error=_NOT_NAMED) for place in by_name}
        elif by_name:
            results |= _run(database.batch(NAMED_VIEW), by_name, "duckdb", 0)
        return {place: result for place, result in results.items() if result.error is None or place in by_name}


def _is_query(check: Check) -> bool:
    return check.type == "unexpected_rows_expectation"


def _any_missing(database: Database, columns: Sequence[str]) -> bool:
    missing = " OR ".join(f"{database.aliases[name]} IS NULL" for name in columns)
    return bool(database.execute(f"SELECT count(*) FROM {VIEW} WHERE {missing}")[0][0])  # noqa: S608 - own names


def _in_pandas(wanted: Wanted, files: Files, limits: Limits, engine: Engine) -> Found:
    from pipeline.checks.quality.engines.chunks import chunks, read_columns

    found = _by_specimens({place: check for place, check in wanted.items() if needs_specimens_only(check)}, files)
    wanted = {place: check for place, check in wanted.items() if place not in found}
    if engine == "metadata":
        batch = _batch(read_columns(files, files.schema.names, rows=False)) if wanted else None
        return found | (_run(batch, wanted, engine, 0) if wanted else {})
    for columns, places in chunks(wanted, files, limits.budget_bytes):
        checks = {place: wanted[place] for place in places}
        filtered = any(check.filter_text for check in checks.values())
        batch = _batch(_aliased(read_columns(files, columns), keep=filtered))
        found |= _run(batch, checks, engine, limits.examples, _aliases(columns))
    return found


def _aliases(columns: Sequence[str]) -> dict[str, str]:
    """Great Expectations finds `age` where `Age` was meant, and strips quotes off names: ours leave no doubt."""
    start = "column "
    while any(name.startswith(start) for name in columns):
        start += "_"
    return {name: f"{start}{place}" for place, name in enumerate(columns)}


def _aliased(frame: pd.DataFrame, *, keep: bool = False) -> pd.DataFrame:
    """The frame by its aliases; `keep` leaves the columns under their own names, too, for filters in words."""
    renamed = frame.rename(columns=_aliases(list(frame.columns)))
    return renamed.join(frame) if keep else renamed


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
    return " or ".join(sorted({type(item).__name__ for item in column if not _is_missing(item)})) or "no value"


def _batch(frame: pd.DataFrame) -> Any:
    asset = _context().data_sources.add_pandas("snapshot").add_dataframe_asset("columns")
    return asset.add_batch_definition_whole_dataframe("night").get_batch({"dataframe": frame})


def _run(batch: Any, wanted: Wanted, engine: Engine, examples: int, names: Mapping[str, str] | None = None) -> Found:
    """One pass without values, and a second one for what failed and may show some.

    A set that lacks values of the suite names them in any case: they are of the suite, not of the rows.
    """
    found = {place: _evaluation(result, engine) for place, result in _validate(batch, wanted, 0, names).items()}
    for place in wanted.keys() - found.keys():
        found[place] = Evaluation(engine, error="Great Expectations returned no result for it")
    shown = {
        place: check
        for place, check in wanted.items()
        if not check.private and _has_more_to_show(check, found[place], examples)
    }
    original = {alias: name for name, alias in (names or {}).items()}
    for place, result in _validate(batch, shown, max(examples, 1) * _ROWS_PER_EXAMPLE, names).items() if shown else ():
        more, known = result.result or {}, found[place]
        named = (more.get("partial_unexpected_list") or ()) if examples else ()
        texts = tuple(dict.fromkeys(_shown(item, original) for item in named if not _is_missing(item)))[:examples]
        lacking = {key: more[key] for key in ("partial_missing_list",) if key in more}
        found[place] = Evaluation(known.engine, known.success, {**known.details, **lacking}, texts)
    return found


def _has_more_to_show(check: Check, found: Evaluation, examples: int) -> bool:
    lacks = check.type.startswith("expect_column_distinct_values_to_") and found.details.get("missing_count")
    return bool(lacks or (examples and found.details.get("unexpected_count")))


def _validate(
    batch: Any, wanted: Wanted, values: int, names: Mapping[str, str] | None
) -> dict[int, ExpectationValidationResult]:
    import great_expectations as gx

    from pipeline.checks.quality.suite.read import build_expectation

    built = [
        build_expectation(
            check.type, check.kwargs if names is None else with_columns_renamed(check.kwargs, names), {"place": place}
        )
        for place, check in wanted.items()
    ]
    suite = gx.ExpectationSuite(name="checks", expectations=built)
    results = batch.validate(suite, result_format={**_NO_VALUES, "partial_unexpected_count": values}).results
    return {int(result.expectation_config.meta["place"]): result for result in results}


def _evaluation(result: ExpectationValidationResult, engine: Engine) -> Evaluation:
    """The library's messages may quote rows, so they are not passed on."""
    details = dict(result.result or {})
    if _raised(result.exception_info) or result.success is None:
        return Evaluation(engine, error="it could not be evaluated: the column's type or the arguments do not suit it")
    return Evaluation(engine, bool(result.success), details)  # it may be numpy's


def _raised(information: Mapping[str, Any] | None) -> bool:
    """One entry of its own for an expectation, or one per metric."""
    information = information or {}
    nested = [item for item in information.values() if isinstance(item, Mapping)]
    return bool(information.get("raised_exception")) or any(item.get("raised_exception", True) for item in nested)


def _shown(found: object, names: Mapping[str, str]) -> str:
    """A value, or the values of several columns, on one line: the same from both engines.

    Args:
        found: of one column, a tuple for a pair, or a mapping by column.
        names: what the columns of the mapping are called in the data, where it is otherwise.
    """
    if isinstance(found, Mapping):
        text = ", ".join(f"{names.get(name, name)} {_plain(item)}" for name, item in found.items())
    elif isinstance(found, tuple):
        text = " with ".join(map(_plain, found))
    else:
        text = _plain(found)
    return clip(text, _MAX_EXAMPLE_LENGTH)


def _plain(item: object) -> str:
    """A value on one line; a whole number that pandas made a float, because others are missing, is one again."""
    if _is_missing(item):
        return "missing"
    if isinstance(item, float) and item.is_integer() and abs(item) < _EXACT_WHOLE:
        item = int(item)
    return " ".join(str(item).split()) if isinstance(item, str) else value(item)


def _is_missing(value: object) -> bool:
    """None, NaN or NaT; of a list pandas says it item by item, so that it is none of them."""
    import pandas as pd

    told: object = pd.isna(value)  # type: ignore[call-overload]
    return told is True
