"""The suite of `suites.py` as one query, as somebody who knows DuckDB would write it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.checks.quality.engines.literals import literal, text_literal

_FIGURES = {"mean": "avg", "median": "median", "stdev": "stddev_samp"}


def one_query(path: Path, entries: list[dict[str, Any]]) -> str:
    """A SELECT with one aggregate for each expectation, NaN taken for missing as Nightjar takes it."""
    columns = dict.fromkeys(entry["kwargs"]["column"] for entry in entries if "column" in entry["kwargs"])
    plain = ", ".join(f"{_plain(name)} AS {name}" for name in columns)
    source = f"(SELECT {plain} FROM read_parquet({text_literal(str(path))}, can_have_nan => true))"
    return f"SELECT {', '.join(_aggregate(entry['type'], entry['kwargs']) for entry in entries)} FROM {source}"


def _plain(name: str) -> str:
    return f"CASE WHEN isnan({name}) THEN NULL ELSE {name}::DOUBLE END" if name[0] == "f" else name


def _aggregate(kind: str, arguments: Mapping[str, Any]) -> str:
    name = arguments.get("column", "")
    if kind == "expect_table_row_count_to_be_between" or kind.endswith("_not_be_null"):
        return f"count({name or '*'})"
    if kind == "expect_column_values_to_be_between":
        low, high = literal(arguments["min_value"]), literal(arguments["max_value"])
        return f"count(CASE WHEN {name} < {low} OR {name} > {high} THEN 1 END)"
    if kind.endswith("_be_in_set"):
        return f"count(CASE WHEN {name} NOT IN ({', '.join(map(literal, arguments['value_set']))}) THEN 1 END)"
    if "_unique_value" in kind:
        return f"count(DISTINCT {name})"
    if "quantile" in kind:
        return f"quantile_disc({name}, {arguments['quantile_ranges']['quantiles']})"
    return f"{_FIGURES[kind.split('_')[2]]}({name})"
