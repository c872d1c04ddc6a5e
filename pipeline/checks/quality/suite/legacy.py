"""Suites as people have them: saved by Great Expectations 1, by 0.18 and before, or out of its cloud.

What still means something is taken, what only served the library is left out, and what means nothing any more is said.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WRAPPERS = ("data", "attributes", "suite", "expectation_suite")
ENTRY_KEYS = frozenset({"type", "kwargs", "severity", "meta", "id", "description"})
"""What an entry may have."""
# Kept by the library for itself: pages of its own, identities, the last run, how a result is given.
_SILENT_KEYS = frozenset({
    "rendered_content", "windows", "ge_cloud_id", "expectation_context", "success_on_last_run", "data_docs",
})  # fmt: skip
_SILENT_ARGUMENTS = frozenset({
    "result_format", "include_config", "catch_exceptions", "batch_id", "interactive_evaluation", "auto",
    "profiler_config", "windows", "rendered_content", "ge_cloud_id", "allow_cross_type_comparisons",
    # Limits and sets of dates are dates today wherever the column holds dates or moments.
    "parse_strings_as_datetimes", "output_strftime_format",
})  # fmt: skip
_UNTRANSLATABLE = "today's Great Expectations has none; allowed: drift compares distributions, every night"
RENAMED = {
    "expect_multicolumn_values_to_be_unique": "expect_select_column_values_to_be_unique_within_record",
}
"""Expectations that have another name today."""
GONE = {
    "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than": _UNTRANSLATABLE,
    "expect_column_chisquare_test_p_value_to_be_greater_than": _UNTRANSLATABLE,
    "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than": _UNTRANSLATABLE,
    "expect_column_pair_cramers_phi_value_to_be_less_than": _UNTRANSLATABLE,
}
"""Expectations that are no more."""


def decoded(raw: bytes) -> str:
    """Text of a JSON file: UTF-8, or what its byte order mark says.

    Raises:
        UnicodeDecodeError: it is neither.
    """
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if raw.startswith(mark)), "utf-8")
    return raw.decode(encoding)


def suite_within(found: Any) -> Any:
    """The suite of a file: itself, or what an export wraps it in."""
    for _ in range(len(_WRAPPERS)):
        inside = [found[key] for key in _WRAPPERS if isinstance(found, dict) and isinstance(found.get(key), dict)]
        if not isinstance(found, dict) or "expectations" in found or not inside:
            break
        found = inside[0]
    return found


def suite_name(found: Mapping[str, Any], otherwise: str) -> str:
    """What a suite calls itself."""
    return str(found.get("name") or found.get("expectation_suite_name") or otherwise)


def parameters_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """Values that a suite gives its parameters."""
    known: dict[str, Any] = {}
    for key in ("evaluation_parameters", "suite_parameters"):
        values = found.get(key)
        known |= values if isinstance(values, dict) else {}
    return known


def modern(entry: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as it would be written today; keys that nobody knows stay, to be told."""
    written = {key: item for key, item in entry.items() if key not in _SILENT_KEYS}
    if "expectation_type" in written:
        old = written.pop("expectation_type")
        written.setdefault("type", old)
    notes = written.pop("notes", None)
    if notes:
        meta = written.get("meta")
        written["meta"] = {"notes": notes, **(meta if isinstance(meta, dict) else {})}
    for key in ("id", "description", "severity", "meta"):
        if key in written and written[key] is None:
            del written[key]
    kwargs = written.get("kwargs")
    if isinstance(kwargs, dict):
        written["kwargs"] = _arguments(kwargs, parameters)
    return written


def _arguments(kwargs: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: item for key, item in kwargs.items() if key not in _SILENT_ARGUMENTS}
    if not kept.get("row_condition"):
        for key in ("row_condition", "condition_parser"):
            kept.pop(key, None)
    return {key: _filled(item, parameters) for key, item in kept.items()}


def _filled(found: Any, parameters: Mapping[str, Any]) -> Any:
    """With the values of parameters that have one."""
    if isinstance(found, list):
        return [_filled(item, parameters) for item in found]
    if not isinstance(found, dict):
        return found
    name = found.get("$PARAMETER")
    if isinstance(name, str) and name in parameters:
        return parameters[name]
    return {key: _filled(item, parameters) for key, item in found.items()}


def unfilled(found: Any) -> list[str]:
    """Names of the parameters that have no value."""
    if isinstance(found, list):
        return [name for item in found for name in unfilled(item)]
    if not isinstance(found, dict):
        return []
    own = [str(found["$PARAMETER"])] if "$PARAMETER" in found else []
    return own + [name for item in found.values() for name in unfilled(item)]
