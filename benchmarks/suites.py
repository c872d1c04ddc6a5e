"""The suite of the benchmark of the quality gate: 81 expectations on 30 columns, and regular expressions on request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.tables import CATEGORIES, column_names

Entry = dict[str, Any]


def write_suite(path: Path, columns: int, *, patterns: bool) -> int:
    """A suite file for the tables of `tables.py`; how many expectations it has."""
    entries = [entry for name in column_names(columns) for entry in _column(name)]
    entries.append(_entry("expect_table_row_count_to_be_between", min_value=1))
    if patterns:
        entries += [
            _entry("expect_column_values_to_match_regex", column=name, regex="^category [0-9]+$")
            for name in column_names(columns)
            if name[0] == "c"
        ]
    path.write_text(json.dumps({"name": path.stem, "expectations": entries}))
    return len(entries)


def _entry(kind: str, **kwargs: Any) -> Entry:
    return {"type": kind, "kwargs": kwargs, "severity": "warning"}


def _column(name: str) -> list[Entry]:
    """Some hold and some do not."""
    column = {"column": name}
    missing = _entry("expect_column_values_to_not_be_null", **column, mostly=0.95)
    if name[0] == "c":
        return [
            missing,
            _entry("expect_column_values_to_be_in_set", **column, value_set=CATEGORIES[:24].tolist()),
            _entry("expect_column_unique_value_count_to_be_between", **column, min_value=2, max_value=30),
        ]
    if name[0] == "i":
        return [
            missing,
            _entry("expect_column_values_to_be_between", **column, min_value=0, max_value=80, mostly=0.99),
            _entry("expect_column_proportion_of_unique_values_to_be_between", **column, max_value=0.5),
        ]
    ranges = {"quantiles": [0.05, 0.5, 0.95], "value_ranges": [[-9, 9], [0, 9], [0, 99]]}
    statistics = [
        _entry("expect_column_mean_to_be_between", **column, min_value=-1, max_value=1),
        _entry("expect_column_median_to_be_between", **column, min_value=-1, max_value=1),
        _entry("expect_column_stdev_to_be_between", **column, min_value=0.5, max_value=2),
        _entry("expect_column_quantile_values_to_be_between", **column, quantile_ranges=ranges),
    ]
    number = int(name[1:])
    between = _entry("expect_column_values_to_be_between", **column, min_value=-4, max_value=40)
    return [missing, between, statistics[number % 4]] if number % 2 else [missing, statistics[number % 4]]
