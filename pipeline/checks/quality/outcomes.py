"""From an engine's result to what people and programs read of a check: no row leaves here unless it may."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from numbers import Real
from typing import Any

from pipeline.checks.quality.check import Check, Evaluation
from pipeline.checks.quality.suite.sentences import COUNTS, SHARES, mostly
from pipeline.results import ExpectationOutcome
from pipeline.wording import clip, count, listed, member, number, quantile, share, value

_DIGITS = 6
_MAX_TYPE = 100
# What is told of private columns: shares and counts. Any other aggregate is a row's value, or of a night of few rows.
_TELLS_NO_VALUE = SHARES | COUNTS | {"expect_column_kl_divergence_to_be_less_than", "unexpected_rows_expectation"}
# Computed, so no code or year of a row: written like the same figure in a drift reason.
_COMPUTED = ("expect_column_mean_to_be_between", "expect_column_stdev_to_be_between")


def outcome_of(check: Check, evaluation: Evaluation) -> ExpectationOutcome:
    """What came of a check."""
    details = evaluation.details
    percent, rows = details.get("unexpected_percent"), details.get("unexpected_count")
    if details.get("element_count") == 0:  # of no rows, one engine says that none is wrong, the other that nobody knows
        percent, rows = 0.0, 0
    # Without the noise of two divisions, or a share that is exactly the allowed one would read as one beyond it.
    part = round(float(percent) / 100, 12) if percent is not None and math.isfinite(percent) else None
    needed = mostly(check.kwargs)
    return ExpectationOutcome(
        expectation=check.type,
        column=column if isinstance(column := check.kwargs.get("column"), str) else None,
        severity=check.severity,
        passed=bool(evaluation.success) and evaluation.error is None,
        sentence=check.sentence,
        observed=_observed(check, details),
        unexpected_share=part,
        unexpected_rows=rows if part is not None and isinstance(rows, int) else None,
        allowed_share=None if needed is None else round(1 - needed, 12),
        notes=check.notes,
        error=evaluation.error,
        check=check.check,
        engine=evaluation.engine,
        expected=check.expected,
        examples=evaluation.examples,
    )


def _observed(check: Check, details: Mapping[str, Any]) -> str | None:
    """Aggregates, types and the names of columns; lists and text may be values of rows."""
    if check.type.startswith("expect_table_columns_to_match"):
        return _columns(details, only_missing=check.kwargs.get("exact_match") is False)
    if check.type.startswith("expect_column_distinct_values_to_"):
        return _set_difference(check, details)
    if "observed_type" in details:
        return clip(str(details["observed_type"]), _MAX_TYPE)
    if "observed_value" not in details or (check.private and check.type not in _TELLS_NO_VALUE):
        return None
    found = details["observed_value"]
    if found is None or found != found:  # noqa: PLR0124 - NaN
        return "no value"
    return _aggregate(check, found)


def _aggregate(check: Check, found: Any) -> str | None:
    if check.type == "expect_column_quantile_values_to_be_between" and isinstance(found, Mapping):
        return _quantiles(check, found)
    if check.type == "unexpected_rows_expectation":
        return _query_rows(found)
    limits = tuple(check.kwargs.get(key) for key in ("min_value", "max_value", "threshold"))
    if check.type in SHARES and isinstance(found, int | float):
        return share(found, beside=_numbers(limits))
    if check.type in COUNTS and isinstance(found, int):
        return count(found)
    if check.type in _COMPUTED and isinstance(found, Real | Decimal):
        return number(float(found), beside=_numbers(limits))
    return _figure(found, limits)


def _quantiles(check: Check, found: Mapping[str, Any]) -> str | None:
    """Each beside its own limits."""
    ranges = (check.kwargs.get("quantile_ranges") or {}).get("value_ranges") or ()
    limits = [*ranges, *((),) * len(found.get("values", ()))]
    parts = zip(found.get("quantiles", ()), found.get("values", ()), limits, strict=False)
    words = [f"a {quantile(part)} of {_figure(one, tuple(limit)) or 'nothing'}" for part, one, limit in parts]
    return ", ".join(words) or None


def _figure(found: object, limits: tuple[object, ...]) -> str | None:
    """A number or a moment; None for NaN and anything else, which may be a value of a row."""
    if isinstance(found, bool) or found != found or not isinstance(found, Real | Decimal | date):  # noqa: PLR0124
        return None
    return value(found, _DIGITS, beside=_numbers(limits))


def _numbers(limits: tuple[object, ...]) -> list[float]:
    return [limit for limit in limits if isinstance(limit, int | float)]


def _set_difference(check: Check, details: Mapping[str, Any]) -> str | None:
    """Which values of the suite's own set the column lacks, and how many others it has."""
    lacking, others = details.get("missing_count") or 0, details.get("unexpected_count") or 0
    named = () if check.private else details.get("partial_missing_list") or ()
    without = listed(sorted(map(member, named))) if named else f"{count(lacking)} of them"
    parts = [f"without {without}"] * bool(lacking) + [count(others, "other value")] * bool(others)
    return "; ".join(parts) or None


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
