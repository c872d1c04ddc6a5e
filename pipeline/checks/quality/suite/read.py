"""Great Expectations suites as JSON files: every entry is loaded, or the suite is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError

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
_ENTRY_KEYS = frozenset({"type", "kwargs", "severity", "meta", "id", "description"})


@dataclass(frozen=True)
class Suite:
    """A suite file that parsed: the entries are plain data, not yet Great Expectations objects."""

    name: str
    path: Path
    entries: tuple[dict[str, Any], ...]


def load_suite(path: Path) -> Suite:
    """Read a suite without importing Great Expectations.

    Raises:
        ConfigError: not JSON (with the line), no entries, or entries of the wrong shape; every mistake listed.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ConfigError([f"{path}:{error.lineno}: broken JSON: {error.msg} (column {error.colno})"]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from error
    entries = data.get("expectations") if isinstance(data, dict) else None
    if not isinstance(entries, list) or not entries:
        raise ConfigError([f"{path}: found no expectations; allowed: an 'expectations' list with at least one entry"])
    problems = [problem for position, entry in enumerate(entries) for problem in _entry_problems(position, entry)]
    if problems:
        raise ConfigError([f"{path}: {problem}" for problem in problems])
    return Suite(str(data.get("name", path.stem)), path, tuple(entries))


def _entry_problems(position: int, entry: object) -> list[str]:
    if not isinstance(entry, dict):
        return [f"expectations[{position}]: found {type(entry).__name__}; allowed: an object with type and kwargs"]
    problems = [f"expectations[{position}]: unknown key {key!r}" for key in entry.keys() - _ENTRY_KEYS]
    if not isinstance(entry.get("type"), str):
        problems.append(f"expectations[{position}]: 'type' is missing; allowed: the name of an expectation")
    if not isinstance(entry.get("kwargs", {}), dict):
        problems.append(f"expectations[{position}]: 'kwargs' must be an object")
    return problems


def build_suite(suite: Suite) -> gx.ExpectationSuite:
    """The suite as Great Expectations objects.

    Built one by one, because a suite built at once drops unknown types silently.

    Raises:
        ConfigError: an unknown expectation, a misspelt or wrongly typed argument, an expectation that neither engine
            can evaluate; every mistake listed.
    """
    import great_expectations as gx
    from great_expectations.exceptions import GreatExpectationsError

    built, problems = [], []
    for position, entry in enumerate(suite.entries):
        kind, severity = entry["type"], entry.get("severity", "critical")
        try:
            built.append(build_expectation(kind, entry.get("kwargs", {}), entry.get("meta") or {}, severity))
        except (GreatExpectationsError, ValueError, TypeError) as error:
            problems.append(f"{suite.path}: expectations[{position}] ({kind}): {_words(error)}")
        else:
            if kind in _NOT_EVALUABLE:
                problems.append(f"{suite.path}: expectations[{position}] ({kind}): {_NOT_EVALUABLE[kind]}")
    if problems:
        raise ConfigError(problems)
    return gx.ExpectationSuite(name=suite.name, expectations=built)


def build_expectation(kind: str, kwargs: Mapping[str, Any], meta: Mapping[str, Any], severity: str = "critical") -> Any:
    """One expectation as Great Expectations' own object, with types of ours registered.

    Raises:
        GreatExpectationsError, ValueError, TypeError: what the library says about a type or arguments it refuses.
    """
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    import pipeline.checks.quality.suite.class_share  # noqa: F401 - importing it registers its expectation

    configuration = ExpectationConfiguration(type=kind, kwargs=dict(kwargs), meta=dict(meta), severity=severity)
    return configuration.to_domain_obj()


def _words(error: Exception) -> str:
    """The first problem of a validation error per argument, on one line."""
    details = getattr(error, "errors", None)
    if not callable(details):
        return " ".join(str(error).split())
    seen: dict[str, str] = {}
    for detail in details():
        argument = ".".join(str(part) for part in detail["loc"] if part != "__root__") or "arguments"
        seen.setdefault(argument, str(detail["msg"]))
    return "; ".join(f"{argument}: {message}" for argument, message in seen.items())
