"""Great Expectations suites as JSON files, whoever wrote them: every entry is kept, with what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.checks.quality.suite.arguments import number_written
from pipeline.checks.quality.suite.legacy import (
    ENTRY_KEYS,
    decoded,
    modern,
    parameters_of,
    suite_name,
    suite_within,
)
from pipeline.errors import ConfigError
from pipeline.results import Severity
from pipeline.wording import clip, listed

_SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")


@dataclass(frozen=True)
class Suite:
    """A suite file that parsed: entries are plain data as they are written today, not yet Great Expectations objects.

    `flaws` says of entries by position what is wrong with their shape; such an entry has what could be read of it.
    """

    name: str
    path: Path
    entries: tuple[dict[str, Any], ...]
    flaws: Mapping[int, str] = field(default_factory=dict)


def load_suite(path: Path) -> Suite:
    """Read a suite without importing Great Expectations.

    Raises:
        ConfigError: not JSON (with the line), or no list of entries. What is wrong with one entry is told by
            `entry_problems`, and by a night as the reason why it failed.
    """
    try:
        found = suite_within(json.loads(decoded(path.read_bytes()), parse_float=number_written))
    except json.JSONDecodeError as error:
        raise ConfigError([f"{path}:{error.lineno}: broken JSON: {error.msg} (column {error.colno})"]) from error
    except RecursionError as error:
        raise ConfigError([f"{path}: nested too deeply"]) from error
    except (OSError, ValueError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from error
    entries = found.get("expectations") if isinstance(found, dict) else None
    if not isinstance(entries, list) or not entries:
        raise ConfigError([f"{path}: found no expectations; allowed: an 'expectations' list with at least one entry"])
    parameters = parameters_of(found)
    written = [modern(entry, parameters) if isinstance(entry, dict) else {} for entry in entries]
    told = {place: _shape_problems(entry, written[place]) for place, entry in enumerate(entries)}
    flaws = {place: "; ".join(problems) for place, problems in told.items() if problems}
    return Suite(suite_name(found, path.stem), path, tuple(map(_readable, written)), flaws)


def suite_content(suite: Suite) -> dict[str, Any]:
    """What the file of a suite has, with entries as they are written today: to add to it, and write it again."""
    found: dict[str, Any] = suite_within(json.loads(decoded(suite.path.read_bytes())))
    kept = {key: item for key, item in found.items() if key != "expectation_suite_name"}
    parameters = parameters_of(found)
    return {**kept, "name": suite.name, "expectations": [modern(entry, parameters) for entry in found["expectations"]]}


def _shape_problems(entry: object, written: dict[str, Any]) -> list[str]:
    if not isinstance(entry, dict):
        return [f"found {type(entry).__name__}; allowed: an object with type and kwargs"]
    unknown = [repr(clip(str(key), 40)) for key in sorted(written.keys() - ENTRY_KEYS)]
    problems = [f"unknown key {listed(unknown)}; allowed: {', '.join(sorted(ENTRY_KEYS))}"] if unknown else []
    if not isinstance(written.get("type"), str):
        problems.append("'type' is missing; allowed: the name of an expectation")
    if not isinstance(written.get("kwargs", {}), dict):
        problems.append("'kwargs' must be an object")
    if written.get("severity", "critical") not in _SEVERITIES:
        problems.append(f"severity: found {written['severity']!r}; allowed: {', '.join(_SEVERITIES)}")
    if not isinstance(written.get("meta", {}), dict):
        problems.append("'meta' must be an object")
    return problems


def _readable(written: dict[str, Any]) -> dict[str, Any]:
    """An entry of the right shape, with what can be read of it."""
    kept = dict(written)
    if not isinstance(kept.get("type"), str):
        kept["type"] = "no_expectation"
    for key in ("kwargs", "meta"):
        if not isinstance(kept.get(key, {}), dict):
            del kept[key]
    if kept.get("severity", "critical") not in _SEVERITIES:
        del kept["severity"]
    return kept
