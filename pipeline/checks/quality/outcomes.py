"""From an engine's result to what people and programs read of a check: no row leaves here unless it may."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pipeline.checks.quality.check import Check, Evaluation
from pipeline.checks.quality.suite.sentences import SHARES
from pipeline.checks.quality.wording import count, listed, measured, quantile, share
from pipeline.results import ExpectationOutcome

# Aggregates that are themselves the value of a row, or of few: they stay here for private columns.
_SINGLE_VALUES = ("_max_", "_min_", "_median_", "_quantile_", "_most_common_", "_sum_")


def outcome_of(check: Check, evaluation: Evaluation) -> ExpectationOutcome:
    """What came of a check."""
    details = evaluation.details
    percent, rows = details.get("unexpected_percent"), details.get("unexpected_count")
    part = float(percent) / 100 if percent is not None and math.isfinite(percent) else None
    return ExpectationOutcome(
        expectation=check.type,
        column=check.kwargs.get("column"),
        severity=check.severity,
        passed=bool(evaluation.success) and evaluation.error is None,
        sentence=check.sentence,
        observed=_observed(check, details),
        unexpected_share=part,
        unexpected_rows=rows if part is not None and isinstance(rows, int) else None,
        notes=check.notes,
        error=evaluation.error,
        check=check.check,
        engine=evaluation.engine,
        expected=check.expected,
        examples=evaluation.examples,
    )


def _observed(check: Check, details: Mapping[str, Any]) -> str | None:
    """Aggregates and column names; lists and text may be values of rows."""
    if check.type.startswith("expect_table_columns_to_match"):
        return _columns(details, only_missing=check.kwargs.get("exact_match") is False)
    if "observed_value" not in details or (check.private and any(word in check.type for word in _SINGLE_VALUES)):
        return None
    value = details["observed_value"]
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "no value"
    return _value(check.type, value)


def _value(kind: str, value: Any) -> str | None:
    if kind == "expect_column_quantile_values_to_be_between" and isinstance(value, Mapping):
        pairs = zip(value.get("quantiles", ()), value.get("values", ()), strict=False)
        return ", ".join(f"a {quantile(part)} of {measured(number) or 'nothing'}" for part, number in pairs) or None
    if kind == "unexpected_rows_expectation":
        return _query_rows(value)
    return share(value) if kind in SHARES and isinstance(value, float) else measured(value)


def _query_rows(value: object) -> str | None:
    """The count as Great Expectations words it, `3 unexpected rows`, in our words."""
    digits = str(value).split(" ", maxsplit=1)[0]
    return count(int(digits), "row") if digits.isdigit() else None


def _columns(details: Mapping[str, Any], *, only_missing: bool) -> str | None:
    """Which columns are missing or too many. Names, in the order Great Expectations gives them."""
    mismatched = (details.get("details") or {}).get("mismatched") or {}
    if isinstance(mismatched, list):
        wrong = [f"{item.get('Found')} instead of {item.get('Expected')}" for item in mismatched]
        return listed(wrong) if wrong else None
    parts = [
        f"{words} {listed(sorted(map(str, mismatched[key])))}"
        for key, words in (("missing", "without"), ("unexpected", "with"))
        if mismatched.get(key) and not (only_missing and key == "unexpected")
    ]
    return "; ".join(parts) or None
