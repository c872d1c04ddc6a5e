"""Validates a production snapshot with its Great Expectations suite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from pipeline.checks.sentences import sentence
from pipeline.checks.suite import Suite, build_suite
from pipeline.results import ExpectationOutcome, QualityResult, Severity

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult

# Results must not carry values of rows out of the process.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}


def validate(suite: Suite, frame: pd.DataFrame, snapshots: str) -> QualityResult:
    """Run every expectation of a suite on all rows.

    Args:
        suite: the suite, from `load_suite`.
        frame: the production snapshot; the columns that the suite names are enough.
        snapshots: digest of the pair that the result is about.

    Raises:
        ConfigError: an entry of the suite is no known expectation or has wrong arguments.
    """
    built = build_suite(suite)
    batch = _batch(frame)
    results = batch.validate(built, result_format=_RESULT_FORMAT).results
    by_entry = {int(_config(result).meta["entry"]): result for result in results}
    outcomes = [_outcome(entry, by_entry.get(position)) for position, entry in enumerate(suite.entries)]
    outcomes.insert(0, _not_empty(len(frame)))
    return QualityResult(
        snapshots=snapshots,
        suite=suite.name,
        passed=not any(item.severity == "critical" and not item.passed for item in outcomes),
        outcomes=tuple(outcomes),
    )


def suite_columns(suite: Suite) -> list[str] | None:
    """The columns the suite needs, or None when an entry looks at the table as a whole and needs all of them."""
    columns: dict[str, None] = {}
    for entry in suite.entries:
        kwargs = entry.get("kwargs", {})
        named = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
        named += kwargs.get("column_list", [])
        if entry["type"].startswith("expect_table_column") or "row_condition" in kwargs:
            return None
        columns.update(dict.fromkeys(name for name in named if isinstance(name, str)))
    return list(columns)


def _batch(frame: pd.DataFrame) -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("snapshots").add_dataframe_asset("production")
    return asset.add_batch_definition_whole_dataframe("night").get_batch({"dataframe": frame})


def _config(result: ExpectationValidationResult) -> Any:
    return result.expectation_config


def _not_empty(rows: int) -> ExpectationOutcome:
    """Most expectations hold on no rows at all, so emptiness is checked whatever the suite says."""
    return ExpectationOutcome(
        expectation="snapshot_not_empty",
        column=None,
        severity="critical",
        passed=rows > 0,
        sentence="The production snapshot has at least one row",
        observed=str(rows),
    )


def _outcome(entry: dict[str, Any], result: ExpectationValidationResult | None) -> ExpectationOutcome:
    kwargs = entry.get("kwargs", {})
    details = (result.result or {}) if result is not None else {}
    error = _error(result)
    percent = details.get("unexpected_percent")
    return ExpectationOutcome(
        expectation=entry["type"],
        column=kwargs.get("column"),
        severity=cast("Severity", entry.get("severity", "critical")),
        passed=bool(result is not None and result.success and error is None),
        sentence=sentence(entry["type"], kwargs),
        observed=_observed(details.get("observed_value")),
        unexpected_share=None if percent is None or math.isnan(percent) else float(percent) / 100,
        notes=_notes(entry),
        error=error,
    )


def _error(result: ExpectationValidationResult | None) -> str | None:
    """Why an expectation could not be evaluated. The library's message may quote rows, so it is not passed on."""
    if result is None:
        return "Great Expectations returned no result for it"
    raised = [item for item in (result.exception_info or {}).values() if isinstance(item, dict)]
    if not raised:
        return None
    messages = " ".join(str(item.get("exception_message")) for item in raised)
    if "does not exist" in messages:
        return "the column is not in the snapshot"
    return "it could not be evaluated: the column's type or the arguments do not suit it"


def _observed(value: object) -> str | None:
    """Aggregates only: text and lists may be values of rows."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return f"{float(cast('float', value)):.6g}"
    except (TypeError, ValueError):
        return None


def _notes(entry: dict[str, Any]) -> str | None:
    notes = (entry.get("meta") or {}).get("notes")
    if isinstance(notes, dict):
        notes = notes.get("content")
    if isinstance(notes, list):
        notes = " ".join(map(str, notes))
    return None if notes is None else str(notes)
