"""Settings in place of those that a monitor file says: dotted keys with values as in the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.config.documents import Key, parse_value
from pipeline.errors import ConfigError

Changes = Mapping[Key, Any]

_BY_THRESHOLDS = ("numerical", "categorical", "columns")


def read_changes(settings: Iterable[tuple[str, str]], sections: tuple[str, ...]) -> dict[Key, Any]:
    """Settings as people type them, such as `drift.limit` and `0.4`; of the same key the last one counts.

    Args:
        settings: keys and values.
        sections: of which settings may be.

    Raises:
        ConfigError: a key is of another section, or a value is no YAML; names every such key.
    """
    found: dict[Key, Any] = {}
    problems = []
    for key, text in settings:
        if key.partition(".")[0] not in sections or not all(key.split(".")):
            problems.append(f"--{key}: unknown setting; allowed: keys under {' and '.join(sections)}")
            continue
        try:
            found[_parts(key)] = parse_value(text)
        except ValueError as error:
            problems.append(f"--{key}: {error}")
    if problems:
        raise ConfigError(problems)
    return found


def _parts(key: str) -> Key:
    """The name of a column may have dots in it."""
    parts = key.split(".")
    if parts[:2] != ["drift", "columns"] or len(parts) < 4:
        return tuple(parts)
    last = parts[-1:] if parts[-1] in ("method", "threshold") else []
    return ("drift", "columns", ".".join(parts[2 : len(parts) - len(last)]), *last)


def change(data: dict[str, Any], changes: Changes) -> None:
    """Put settings in their places in what a monitor file says.

    With a budget of alarms, methods and thresholds of the file go: it has the one or the other.
    """
    for key, value in changes.items():
        section = data
        for part in key[:-1]:
            if not isinstance(section.get(str(part)), dict):
                section[str(part)] = {}
            section = section[str(part)]
        section[str(key[-1])] = value
    drift = data.get("drift")
    if isinstance(drift, dict) and any(key[:2] == ("drift", "alarms") for key in changes) and drift.get("alarms"):
        for name in _BY_THRESHOLDS:
            if not any(key[:2] == ("drift", name) for key in changes):
                drift.pop(name, None)
