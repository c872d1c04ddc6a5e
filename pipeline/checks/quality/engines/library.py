"""Great Expectations itself: a batch and checks in, its results out, and one check that breaks breaks no other."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.checks.quality.check import Check, with_columns_renamed
from pipeline.checks.quality.suite.build import configuration_of
from pipeline.checks.quality.suite.sql_text import with_plain_braces
from pipeline.errors import unspoken
from pipeline.wording import clip

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

_LOG = logging.getLogger(__name__)
_CANNOT = "it could not be evaluated"
_MEANING = {
    "TypeError": "values of the column's type cannot be compared or computed like this",
    "InvalidColumnTypeError": "the column's type has no order that limits could be held against",
    "AttributeError": "the column's type does not suit the expectation",
    "ConversionException": "a value of the suite is of another type than the column",
    "ParserException": "its SQL is wrong",
    "OutOfMemoryException": "there is not enough memory (PIPELINE_MEMORY_BUDGET_BYTES)",
}
_UNKNOWN_NAME = re.compile(
    r'(?:Referenced|Table|Function).*?"?(?:with name )?"?([^"\s]+)"? (?:not found|does not exist)'
)
_CLASS = re.compile(r"^(?:[A-Za-z_][\w]*\.)*([A-Z]\w*(?:Error|Exception|Invalid|Interrupt)\w*)\b", re.MULTILINE)


def expectation_of(check: Check) -> Any:
    """A check as the library's own object, which judges what was counted.

    Raises:
        GreatExpectationsError, ValueError, TypeError: the library refuses its arguments.
    """
    import pipeline.checks.quality.engines.own_metrics  # noqa: F401 - importing it registers ours

    return configuration_of(check.type, _as_the_library_reads(check.kwargs), {}).to_domain_obj()


def verdict(expectation: Any, metrics: Mapping[str, Any], values: int) -> tuple[bool, dict[str, Any]]:
    """Whether what was counted is what is expected, and the library's result.

    This is where an expectation of the library decides, and where one of a user's own has its rule: its other ways in
    compute the metrics themselves, one by one.

    Args:
        expectation: from `expectation_of`.
        metrics: by the names that it goes by.
        values: how many unexpected values the result may have.

    Raises:
        Exception: whatever the expectation raises on such values.
    """
    shape = {"result_format": "BASIC", "partial_unexpected_count": values}
    told = expectation._validate(metrics=metrics, runtime_configuration={"result_format": shape})  # noqa: SLF001 - see above
    return bool(told["success"]), dict(told.get("result") or {})


def why_not(error: Exception) -> str:
    """Why a check could not be evaluated, in words that quote no row."""
    return _reason(type(error).__name__, str(error))


def _as_the_library_reads(kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(kwargs.get("unexpected_rows_query"), str):
        return {**kwargs, "unexpected_rows_query": with_plain_braces(kwargs["unexpected_rows_query"])}
    return kwargs


def validate_checks(
    batch: Any, wanted: Mapping[int, Check], values: int, names: Mapping[str, str] | None
) -> dict[int, ExpectationValidationResult | str]:
    """The library's result for each check, or why there is none.

    Args:
        batch: as the library has it.
        wanted: checks without conditions, with arguments as their columns read them.
        values: how many unexpected values a result may have.
        names: what the columns are called in the batch, where it is otherwise.
    """
    import pipeline.checks.quality.engines.own_metrics  # noqa: F401 - importing it registers ours

    configurations: dict[int, Any] = {}
    found: dict[int, ExpectationValidationResult | str] = {}
    for place, check in wanted.items():
        kwargs = check.kwargs if names is None else with_columns_renamed(check.kwargs, names)
        configurations[place] = configuration_of(check.type, kwargs, {"place": place})
    try:
        found |= _validated(batch, configurations, values)
    except Exception as error:  # noqa: BLE001 - whose fault it is shows when each is alone
        _LOG.debug("expectations could not be evaluated together", exc_info=unspoken(error))
        for place, configuration in configurations.items():
            try:
                found |= _validated(batch, {place: configuration}, values)
            except Exception as error:  # noqa: BLE001 - one entry takes no night down
                _LOG.info("%s could not be evaluated", wanted[place].type, exc_info=unspoken(error))
                found[place] = _reason(type(error).__name__, str(error))
    for place in wanted.keys() - found.keys():
        found[place] = f"{_CANNOT}: Great Expectations returned no result for it"
    return found


def _validated(batch: Any, configurations: Mapping[int, Any], values: int) -> dict[int, Any]:
    """Like the library's own `validate`, which would have to be given a suite."""
    shape = {"result_format": "BASIC", "partial_unexpected_count": values}
    validator = batch._create_validator(result_format=shape)._wrapped_validator  # noqa: SLF001 - see above
    results = validator.graph_validate(
        configurations=list(configurations.values()), runtime_configuration={"result_format": shape}
    )
    return {int(result.expectation_config.meta["place"]): result for result in results}


def why_it_raised(check: Check, result: ExpectationValidationResult) -> str | None:
    """Why there is no verdict, in words that quote no row; None where there is one."""
    information = result.exception_info or {}
    nested = [item for item in information.values() if isinstance(item, Mapping)]
    raised = [item for item in (information, *nested) if item.get("raised_exception", item is not information)]
    if not raised and result.success is not None:
        return None
    told = raised[0] if raised else {}
    trace, message = str(told.get("exception_traceback") or ""), str(told.get("exception_message") or "")
    kinds = _CLASS.findall(trace)
    kind = kinds[0] if kinds else ""
    _LOG.info("%s could not be evaluated (%s)", check.type, kind or "no reason is known")  # the message may quote rows
    return _reason(kind, message)


def _reason(kind: str, message: str) -> str:
    """Of the message, only the name of something that SQL does not know: it is of the suite."""
    unknown = _UNKNOWN_NAME.search(message) if kind in ("BinderException", "CatalogException") else None
    if unknown is not None:
        return f"{_CANNOT}: its SQL names {clip(unknown[1], 60)!r}, which there is not"
    words = _MEANING.get(kind, "the column's type or the arguments do not suit it")
    return f"{_CANNOT}: {words} ({kind})" if kind else f"{_CANNOT}: {words}"
