"""Reads `monitors/*.yaml`, and reports every mistake in them at once: file, line, key, found, allowed."""

from __future__ import annotations

import difflib
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import BaseModel, ValidationError

from pipeline.config import CATEGORICAL_METHODS, NUMERICAL_METHODS, Monitor, Settings
from pipeline.config.changes import Changes, change
from pipeline.config.documents import Document, Key, parse
from pipeline.config.values import NAME_PATTERN
from pipeline.errors import ConfigError, named
from pipeline.wording import clip

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MonitorFiles:
    """All monitor files of a folder: those that are sound, and what is wrong with the others, by file name."""

    monitors: tuple[Monitor, ...]
    errors: Mapping[str, ConfigError]


def load_all(settings: Settings, only: str | None = None) -> MonitorFiles:
    """Read every monitor file, sorted by name; one that is wrong never hides the others.

    Args:
        only: read just this monitor (what a task needs), when it exists.

    Raises:
        ConfigError: there is no such folder.
    """
    monitors: list[Monitor] = []
    errors: dict[str, ConfigError] = {}
    for path in _listed(settings.monitors_dir):
        if only is not None and path.stem != only:
            continue
        try:
            monitors.append(_load_file(path, settings))
        except ConfigError as error:
            if os.path.lexists(path):  # else it was put aside since the folder was listed, and is no monitor any more
                errors[path.name] = error
    return MonitorFiles(tuple(monitors), errors)


def _listed(folder: Path) -> list[Path]:
    """A folder that may not be looked into is no folder without monitors: their DAGs would be gone without a word."""
    try:
        return sorted(path for path in folder.iterdir() if path.match("*.y*ml"))
    except OSError as error:
        why = error.strerror or error
        raise ConfigError([f"PIPELINE_MONITORS_DIR: found {folder} ({why}); allowed: a folder that exists"]) from error


def load(name: str, settings: Settings, *, suite_exists: bool = True) -> Monitor:
    """Read one monitor.

    Args:
        name: of the monitor, and of its file.
        settings: where the files are.
        suite_exists: require the suite's file, too.

    Raises:
        ConfigError: the file is missing or wrong; the message lists every mistake.
    """
    path = settings.monitors_dir / f"{name}.yaml"
    if not re.fullmatch(NAME_PATTERN, name) or not path.is_file():
        present = ", ".join(sorted(found.stem for found in settings.monitors_dir.glob("*.yaml"))) or "none yet: add one"
        raise ConfigError([f"{settings.monitors_dir}: found no monitor {clip(name, 80)!r}; allowed: {present}"])
    return _load_file(path, settings, suite_exists=suite_exists)


def load_version(path: Path, name: str) -> Monitor:
    """Read another version of a monitor's file, wherever it lies. Its suite is not looked for.

    Raises:
        ConfigError: the file is wrong, or of another monitor.
    """
    document = parse(path)
    monitor = _checked(document)
    _check_name_matches(document, name)
    return _sound(document, monitor)


def load_changed(name: str, settings: Settings, changes: Changes) -> Monitor:
    """A monitor as it would be with other settings. Its suite is not looked for.

    Raises:
        ConfigError: the file is missing or wrong, or it would be with those settings: the message names their keys.
    """
    load(name, settings, suite_exists=False)
    document = parse(settings.monitors_dir / f"{name}.yaml")
    change(document.data, changes)
    monitor = _checked(document)
    if monitor is None or document.problems:
        texts = [text.removeprefix(f"{document.path}:{line}: ") for line, text in sorted(document.problems)]
        raise ConfigError([f"--{text}" for text in texts])
    return monitor


def _load_file(path: Path, settings: Settings, *, suite_exists: bool = True) -> Monitor:
    """Raises ConfigError alone, so that a file that nobody foresaw stops no other monitor."""
    try:
        return _loaded(path, settings, suite_exists)
    except ConfigError:
        raise
    except Exception as error:
        log.exception("%s cannot be read", path)
        raise ConfigError([f"{path}:1: file: cannot be read: {named(error)}"]) from error


def _loaded(path: Path, settings: Settings, suite_exists: bool) -> Monitor:
    document = parse(path)
    monitor = _checked(document)
    if path.suffix != ".yaml":
        document.problem((), f"found the ending {path.suffix}; allowed: .yaml")
    _check_name_matches(document, path.stem)
    if suite_exists:
        _check_suite(document, settings)
    if monitor is not None:
        _check_callables(document, monitor, settings)
    return _sound(document, monitor)


def _checked(document: Document) -> Monitor | None:
    """What a file says, without what depends on where it lies; what is wrong is among the document's problems."""
    _take_task_of_earlier_versions(document)
    monitor = _validate(document) if isinstance(document.data, dict) else None
    _check_columns(document)
    return monitor


def _sound(document: Document, monitor: Monitor | None) -> Monitor:
    if monitor is None or document.problems:
        raise ConfigError([text for _, text in sorted(document.problems)])
    return monitor


def _check_callables(document: Document, monitor: Monitor, settings: Settings) -> None:
    """A callable is code that runs with Nightjar's rights, so whoever runs Nightjar says which code that may be."""
    named: dict[Key, str | None] = {
        ("retrain", "trainer"): monitor.retrain.trainer,
        ("retrain", "after_promotion", "call"): monitor.retrain.after_promotion.call,
    }
    for key, name in named.items():
        if name is not None and not f"{name.partition(':')[0]}.".startswith(settings.callables):
            allowed = ", ".join(settings.callables)
            document.problem(key, f"found {name!r}; allowed: modules of {allowed}, as PIPELINE_CALLABLES says")


def _take_task_of_earlier_versions(document: Document) -> None:
    """`task` stood under `retrain`, while only retrainings had one."""
    retrain = document.data.get("retrain") if isinstance(document.data, dict) else None
    if not isinstance(retrain, dict) or "task" not in retrain:
        return
    task = retrain.pop("task")
    if document.data.setdefault("task", task) != task:
        document.problem(("retrain", "task"), "found another one than 'task'; allowed: one, outside of sections")
    document.lines.setdefault(("task",), document.lines["retrain", "task"])


def _validate(document: Document) -> Monitor | None:
    """Validated as JSON because pydantic's strict JSON mode takes lists but no text for numbers."""
    try:
        return Monitor.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            document.problem(detail["loc"], _describe(dict(detail)))
        return None


def _describe(detail: dict[str, Any]) -> str:
    kind, found = detail["type"], detail.get("input")
    if kind == "missing":
        return "missing; this key is required"
    if kind == "extra_forbidden":
        return f"unknown key; {_allowed_keys(detail['loc'])}"
    message = str(detail["msg"]).removeprefix("Value error, ")
    if not message.startswith("allowed: "):
        message = "allowed: " + message.removeprefix("Input should be ")
    # Of a whole file or section there is nothing to quote.
    return message if isinstance(found, dict) else f"found {_short(found)}; {message}"


def _allowed_keys(key: Key) -> str:
    allowed = sorted(field.alias or name for name, field in _section_at(key[:-1]).model_fields.items())
    close = difflib.get_close_matches(str(key[-1]), allowed, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"allowed: {', '.join(allowed)}{hint}"


def _section_at(key: Key) -> type[BaseModel]:
    """The model that describes a nested key; below `drift.columns.<name>` lies the last mapping's value type."""
    section: type[BaseModel] = Monitor
    for part in key:
        annotation: Any = section.model_fields[str(part)].annotation if part in section.model_fields else None
        arguments = getattr(annotation, "__args__", ())
        nested = [item for item in (annotation, *arguments) if isinstance(item, type) and issubclass(item, BaseModel)]
        section = nested[-1] if nested else section
    return section


def _short(value: object) -> str:
    text = repr(value)
    return clip(text, 80)


def _check_name_matches(document: Document, wanted: str) -> None:
    name = document.data.get("name") if isinstance(document.data, dict) else None
    if isinstance(name, str) and name != wanted:
        called = ", as the file is called" if wanted == document.path.stem else ""
        document.problem(("name",), f"found {name!r}; allowed: {wanted!r}{called}")


def _check_columns(document: Document) -> None:
    """Each column has one kind, and a method set for a column suits its kind."""
    columns = _section(document.data, "columns")
    kinds: dict[str, str] = {}
    for kind in ("numerical", "categorical", "ignore"):
        for position, name in _texts(columns, kind):
            if name in kinds:
                found = f"{name!r} a second time" + (f" (also under {kinds[name]})" if kinds[name] != kind else "")
                document.problem(("columns", kind, position), f"found {found}; allowed: each column once")
            kinds.setdefault(name, kind)
    _check_column_methods(document, kinds)
    _check_critical(document, kinds)


def _section(data: object, key: str) -> dict[str, Any]:
    """A section as it is written, as far as it is one; what it should be instead, the validation says."""
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _texts(section: dict[str, Any], key: str) -> list[tuple[int, str]]:
    """The texts of a list with their positions."""
    found = section.get(key)
    return [(place, item) for place, item in enumerate(found if isinstance(found, list) else ()) if _is_text(item)]


def _is_text(found: object) -> TypeGuard[str]:
    return isinstance(found, str)


def _check_critical(document: Document, kinds: Mapping[str, str]) -> None:
    """A column that decides alone is compared: listed, or of a kind that is not, and without a role that is not."""
    roles = _section(document.data, "columns")
    aside = {name: role for role in ("id", "label", "model_version") if _is_text(name := roles.get(role))}
    all_listed = all(isinstance(roles.get(kind), list) for kind in ("numerical", "categorical"))
    for position, name in _texts(_section(document.data, "drift"), "critical"):
        key = ("drift", "critical", position)
        if kinds.get(name) == "ignore":
            document.problem(key, f"found {name!r}, which is listed under columns.ignore; allowed: compared columns")
        elif name not in kinds and name in aside:
            document.problem(key, f"found {name!r}, which is the {aside[name]}; allowed: compared columns")
        elif name not in kinds and all_listed:
            allowed = ", ".join(kind_name for kind_name, kind in kinds.items() if kind != "ignore")
            document.problem(key, f"found {name!r}, which is not compared; allowed: {clip(allowed, 200)}")


def _check_column_methods(document: Document, kinds: Mapping[str, str]) -> None:
    columns = _section(_section(document.data, "drift"), "columns")
    methods = {"numerical": NUMERICAL_METHODS, "categorical": CATEGORICAL_METHODS}
    other_kinds = {
        "numerical": set(CATEGORICAL_METHODS) - set(NUMERICAL_METHODS),
        "categorical": set(NUMERICAL_METHODS) - set(CATEGORICAL_METHODS),
    }
    for name in columns:
        kind = kinds.get(name, "")
        method = _section(columns, name).get("method", "auto")
        if kind == "ignore":
            document.problem(("drift", "columns", name), "found a rule for a column listed under columns.ignore")
        elif kind in methods and _is_text(method) and method in other_kinds[kind]:
            document.problem(
                ("drift", "columns", name, "method"),
                f"found {method!r} for a {kind} column; allowed: auto, {', '.join(methods[kind])}",
            )


def _check_suite(document: Document, settings: Settings) -> None:
    suite = _section(document.data, "quality").get("suite")
    if not _is_text(suite) or not re.fullmatch(NAME_PATTERN, suite):
        return  # the validation has told
    if not (settings.expectations_dir / f"{suite}.json").is_file():
        present = sorted(path.stem for path in settings.expectations_dir.glob("*.json"))
        document.problem(
            ("quality", "suite"),
            f"found {suite!r}, but {settings.expectations_dir / suite}.json does not exist; "
            f"allowed: {', '.join(present) or 'a suite, once its file is written'}",
        )
