"""What is wrong with the entries of a suite, as far as it shows without data: all of it at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.check import Check
from pipeline.checks.quality.conditions import ConditionError, parse_condition
from pipeline.checks.quality.suite.arguments import Unsuitable, suited
from pipeline.checks.quality.suite.build import build_expectation
from pipeline.checks.quality.suite.legacy import GONE, RENAMED, unfilled
from pipeline.checks.quality.suite.read import Suite
from pipeline.checks.quality.suite.sql_text import query_problem
from pipeline.errors import ConfigError
from pipeline.wording import listed

if TYPE_CHECKING:
    import great_expectations as gx

_LIKE = "Great Expectations evaluates it on other databases only; allowed: expect_column_values_to_match_regex"
_TWO_TABLES = "it compares with a second table, and a night has one; allowed: the built-in checks under quality.checks"
_NOT_EVALUABLE = {
    "expect_column_values_to_match_like_pattern": _LIKE,
    "expect_column_values_to_not_match_like_pattern": _LIKE,
    "expect_column_values_to_match_like_pattern_list": _LIKE,
    "expect_column_values_to_not_match_like_pattern_list": _LIKE,
    "expect_table_row_count_to_equal_other_table": _TWO_TABLES,
    "expect_query_results_to_match_comparison": _TWO_TABLES,
}
_EXTRA = "extra fields not permitted"


def build_suite(suite: Suite) -> gx.ExpectationSuite:
    """The suite as Great Expectations objects.

    Built one by one, because a suite built at once drops unknown types silently.

    Raises:
        ConfigError: something is wrong with an entry; every mistake listed, with the position and type of the entry.
    """
    import great_expectations as gx

    problems = entry_problems(suite)
    if problems:
        raise ConfigError([place_words(suite, place, words) for place, words in problems.items()])
    built = [build_expectation(item["type"], item.get("kwargs", {}), item.get("meta") or {}) for item in suite.entries]
    return gx.ExpectationSuite(name=suite.name, expectations=built)


def place_words(suite: Suite, place: int, words: str) -> str:
    """A problem with where it is: `fraud.json: expectations[3] (expect_...): ...`."""
    kind = suite.entries[place]["type"]
    where = f"expectations[{place}]" + (f" ({kind})" if kind != "no_expectation" else "")
    return f"{suite.path}: {where}: {words}"


def entry_problems(suite: Suite) -> dict[int, str]:
    """By position, what keeps an entry from being evaluated on any data."""
    found: dict[int, str] = {}
    for place, entry in enumerate(suite.entries):
        told = list(_problems(entry))
        if place in suite.flaws:
            told = [suite.flaws[place], *(told if entry["type"] != "no_expectation" else ())]
        if told:
            found[place] = "; ".join(dict.fromkeys(told))
    return found


def _problems(entry: Mapping[str, Any]) -> Iterator[str]:
    """The first that explains the others, or every one that stands for itself."""
    kind, kwargs = entry["type"], entry.get("kwargs", {})
    parameters = unfilled(kwargs)
    if parameters:
        names = listed([f"${name}" for name in dict.fromkeys(parameters)])
        yield f"no value for {names}; allowed: the value itself, or one under 'suite_parameters' of the file"
        return
    if kind in _NOT_EVALUABLE:
        yield _NOT_EVALUABLE[kind]
        return
    unknown = _unknown_type(kind)
    if unknown is not None:
        yield unknown
        return
    for key in ("column", "column_A", "column_B"):
        if not isinstance(kwargs.get(key, ""), str):
            yield f"{key}: found {kwargs[key]!r}; allowed: the name of a column"
    listed_columns = kwargs.get("column_list", [])
    if not isinstance(listed_columns, list) or not all(isinstance(name, str) for name in listed_columns):
        yield "column_list: allowed: a list of names of columns"
    yield from _refused(kind, kwargs)
    yield from _condition_problems(kwargs)
    yield from _text_problems(kind, kwargs)
    try:
        suited(Check(kind, kwargs, "info", ""), None)
    except Unsuitable as error:
        yield str(error)


def _unknown_type(kind: str) -> str | None:
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    import pipeline.checks.quality.suite.class_share  # noqa: F401 - importing it registers its expectation

    if kind in RENAMED:
        return f"it is called {RENAMED[kind]} today: rename it"
    if kind in GONE:
        return GONE[kind]
    known = list_registered_expectation_implementations()
    if kind in known:
        return None
    close = difflib.get_close_matches(kind, known, 1, 0.8)
    return f"not found among the expectations{f'; did you mean {close[0]}?' if close else ''}"


def _refused(kind: str, kwargs: Mapping[str, Any]) -> Iterator[str]:
    """What the library says about arguments: the first problem of each, on one line."""
    from great_expectations.exceptions import GreatExpectationsError

    plain = {key: item for key, item in kwargs.items() if key not in ("row_condition", "condition_parser")}
    try:
        build_expectation(kind, plain, {})
    except (GreatExpectationsError, ValueError, TypeError) as error:
        details = getattr(error, "errors", None)
        if not callable(details):
            yield " ".join(str(error).split())
            return
        seen: dict[str, str] = {}
        for detail in details():
            argument = ".".join(str(part) for part in detail["loc"] if part != "__root__")
            seen.setdefault(argument, str(detail["msg"]))
        for argument, message in seen.items():
            yield _argument_words(kind, argument, message)


def _argument_words(kind: str, argument: str, message: str) -> str:
    from great_expectations.expectations.registry import get_expectation_impl

    if not argument:
        return message
    if message != _EXTRA:
        return f"{argument}: {message}"
    close = difflib.get_close_matches(argument, get_expectation_impl(kind).__fields__, 1)
    return f"{argument}: there is no such argument{f'; did you mean {close[0]}?' if close else ''}"


def _condition_problems(kwargs: Mapping[str, Any]) -> Iterator[str]:
    try:
        parse_condition(kwargs.get("row_condition"))
    except ConditionError as error:
        yield f"row_condition: {error}"


def _text_problems(kind: str, kwargs: Mapping[str, Any]) -> Iterator[str]:
    """Patterns, formats and SQL that nobody can read."""
    patterns = [("regex", kwargs.get("regex"))]
    listed_patterns = kwargs.get("regex_list")
    patterns += [("regex_list", item) for item in listed_patterns] if isinstance(listed_patterns, list) else []
    for key, pattern in patterns:
        try:
            re.compile(pattern if isinstance(pattern, str) else "")
        except (re.error, RecursionError, OverflowError) as error:
            yield f"{key}: no regular expression: {error}"
    written = kwargs.get("strftime_format")
    if isinstance(written, str):
        try:
            datetime.strptime(datetime(2026, 2, 1, tzinfo=None).strftime(written), written)  # noqa: DTZ001, DTZ007
        except (ValueError, re.error) as error:
            yield f"strftime_format: no format of a date: {error}"
    schema = kwargs.get("json_schema")
    if isinstance(schema, dict) and any(not reference.startswith("#") for reference in _references(schema)):
        yield "json_schema: '$ref' to another file; allowed: references within the schema, '#/...'"
    query = kwargs.get("unexpected_rows_query")
    if kind == "unexpected_rows_expectation" and query is not None:
        problem = query_problem(query) if isinstance(query, str) else "it must be a text"
        if problem is not None:
            yield f"unexpected_rows_query: {problem}"


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
    if isinstance(schema, dict):
        for key, item in schema.items():
            if key == "$ref":
                yield str(item)
            yield from _references(item)
