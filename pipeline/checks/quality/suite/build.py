"""Entries of a suite as Great Expectations' own objects, with arguments as they are given."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

# The library reads these as floats where it can, and else as dates: whole numbers of 17 digits would change, and times.
_AS_GIVEN = ("min_value", "max_value", "sum_total")


def build_expectation(kind: str, kwargs: Mapping[str, Any], meta: Mapping[str, Any], severity: str = "critical") -> Any:
    """One expectation as Great Expectations' own object, with types of ours registered.

    Raises:
        GreatExpectationsError, ValueError, TypeError: what the library says about a type or arguments it refuses.
    """
    return configuration_of(kind, kwargs, meta, severity).to_domain_obj()


def configuration_of(kind: str, kwargs: Mapping[str, Any], meta: Mapping[str, Any], severity: str = "critical") -> Any:
    """One expectation as Great Expectations writes it down."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    _prepare()
    return ExpectationConfiguration(type=kind, kwargs=dict(kwargs), meta=dict(meta), severity=severity)


@cache
def _prepare() -> None:
    """Register our own expectation; have limits and sums left as they are. What they may be, `arguments` says."""
    from great_expectations.expectations.core.expect_column_quantile_values_to_be_between import QuantileRange
    from great_expectations.expectations.registry import (
        get_expectation_impl,
        list_registered_expectation_implementations,
    )

    import pipeline.checks.quality.suite.class_share  # noqa: F401 - importing it registers its expectation

    for kind in list_registered_expectation_implementations():
        for name in _AS_GIVEN:
            _leave_as_given(get_expectation_impl(kind), name)
    _leave_as_given(QuantileRange, "value_ranges")


def _leave_as_given(model: Any, name: str) -> None:
    from great_expectations.compatibility import pydantic

    known = model.__fields__.get(name)
    if known is not None:
        model.__fields__[name] = pydantic.fields.ModelField(
            name=name,
            type_=Any,
            class_validators=known.class_validators,
            model_config=model.__config__,
            default=known.default,
            required=known.required,
            field_info=known.field_info,
        )
