"""One expectation to evaluate, whether a suite or a built-in check asks for it, and what an engine made of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.conditions import Condition, ConditionError, columns_of, parse_condition
from pipeline.results import Engine, Severity

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMN_KEYS = ("column", "column_A", "column_B")
_CONDITION_KEYS = ("row_condition", "condition_parser")


@dataclass(frozen=True)
class Check:
    """An expectation by its Great Expectations type and arguments.

    `check` names the built-in check that asks for it, None means the suite. `sentence` and `expected` are for people;
    `private` keeps every value out of the result. With a `problem` it cannot be evaluated on any data.
    """

    type: str
    kwargs: Mapping[str, Any]
    severity: Severity
    sentence: str
    expected: str | None = None
    notes: str | None = None
    check: str | None = None
    private: bool = False
    problem: str | None = None

    @property
    def condition(self) -> Condition | None:
        """Which rows it looks at; None for all.

        Raises:
            ConditionError: the condition says nothing.
        """
        return parse_condition(self.kwargs.get("row_condition"))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column the arguments name, in the order of first appearance; a condition that says nothing has none."""
        try:
            filtered = columns_of(self.condition)
        except ConditionError:
            filtered = []
        return tuple(dict.fromkeys((*_named(self.kwargs), *filtered)))

    def without_condition(self) -> Check:
        """The same about all rows."""
        kwargs = {key: item for key, item in self.kwargs.items() if key not in _CONDITION_KEYS}
        return replace(self, kwargs=kwargs)


def _named(kwargs: Mapping[str, Any]) -> list[str]:
    named = [kwargs[key] for key in _COLUMN_KEYS if key in kwargs]
    listed = kwargs.get("column_list")
    named += listed if isinstance(listed, list | tuple) else []
    return [name for name in named if isinstance(name, str)]


def with_columns_renamed(kwargs: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same arguments, without a condition, for a table whose columns are called otherwise."""
    renamed = dict(kwargs)
    for key in _COLUMN_KEYS:
        if key in renamed:
            renamed[key] = names[renamed[key]]
    if "column_list" in renamed:
        renamed["column_list"] = [names[name] for name in renamed["column_list"]]
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

    `details` is Great Expectations' own result, and may hold values of rows. `damaged`: the data itself is at fault.
    """

    engine: Engine | None
    success: bool | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    error: str | None = None
    damaged: bool = False


Found = dict[int, Evaluation]
"""What came of checks, by their place among all."""
Wanted = Mapping[int, Check]
"""Checks to evaluate, by their place among all."""
