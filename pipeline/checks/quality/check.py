"""One expectation to evaluate, whether a suite or a built-in check asks for it, and what an engine made of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.results import Engine, Severity

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMN_KEYS = ("column", "column_A", "column_B")


@dataclass(frozen=True)
class Check:
    """An expectation by its Great Expectations type and arguments.

    `check` names the built-in check that asks for it, None means the suite. `sentence` and `expected` are for people;
    `private` keeps every value out of the result.
    """

    type: str
    kwargs: Mapping[str, Any]
    severity: Severity
    sentence: str
    expected: str | None = None
    notes: str | None = None
    check: str | None = None
    private: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the arguments name, in the order of first appearance."""
        named = [self.kwargs[key] for key in _COLUMN_KEYS if key in self.kwargs]
        listed = self.kwargs.get("column_list")
        named += listed if isinstance(listed, list | tuple) else []
        named += condition_columns(self.kwargs.get("row_condition"))
        return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))

    @property
    def filter_text(self) -> str | None:
        """A row condition in pandas' own language, which names columns only inside its text."""
        condition = self.kwargs.get("row_condition")
        if isinstance(condition, Mapping):
            return str(condition["pass_through_filter"]) if condition.get("type") == "pass_through" else None
        return condition if isinstance(condition, str) else None


def condition_columns(condition: object) -> list[str]:
    """Columns of a row condition, where it is structured."""
    if not isinstance(condition, Mapping):
        return []
    column = condition.get("column")
    names = [str(column["name"])] if isinstance(column, Mapping) and "name" in column else []
    return names + [name for item in condition.get("conditions", ()) for name in condition_columns(item)]


def with_columns_renamed(kwargs: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same arguments for a table whose columns are called otherwise."""
    renamed = dict(kwargs)
    for key in _COLUMN_KEYS:
        if key in renamed:
            renamed[key] = names[renamed[key]]
    if "column_list" in renamed:
        renamed["column_list"] = [names[name] for name in renamed["column_list"]]
    if "row_condition" in renamed:
        renamed["row_condition"] = _condition_renamed(renamed["row_condition"], names)
    return renamed


def _condition_renamed(condition: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(condition, Mapping):
        return condition
    renamed = dict(condition)
    if isinstance(renamed.get("column"), Mapping):
        renamed["column"] = {**renamed["column"], "name": names[renamed["column"]["name"]]}
    if "conditions" in renamed:
        renamed["conditions"] = [_condition_renamed(item, names) for item in renamed["conditions"]]
    return renamed


@dataclass(frozen=True)
class Files:
    """A snapshot on local disk: parquet files with the same columns, in any order; `schema` is the first file's."""

    paths: Sequence[Path]
    schema: pa.Schema
    rows: int


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Limits:
    """What evaluation may use: bytes of memory, cores, and how many unexpected values it may name."""

    budget_bytes: int = 2 * 2**30
    threads: int = field(default_factory=available_cores)
    examples: int = 0


@dataclass(frozen=True)
class Evaluation:
    """What came of a check. Without `success` it could not be evaluated, and `error` says why.

    `details` is Great Expectations' own result, and may hold values of rows.
    """

    engine: Engine | None
    success: bool | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    error: str | None = None
