"""Checks that need no suite: production against the reference, recent nights and the run date.

Each is a Great Expectations expectation where there is one for it; what only schema, counts and times decide is an
outcome at once. Limits and severities come from `quality.checks` of the monitor file, where `null` switches one off.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from pipeline.checks.quality.built_in.column_checks import (
    class_imbalance,
    missing_values,
    out_of_range,
    outliers,
    prediction_skew,
    unseen_categories,
)
from pipeline.checks.quality.built_in.duplicates import duplicate_rows
from pipeline.checks.quality.built_in.scene import Found, Scene
from pipeline.checks.quality.built_in.table_checks import (
    extra_columns,
    freshness,
    ids,
    missing_columns,
    retyped_columns,
    row_history,
    row_volume,
    same_data,
)
from pipeline.errors import named, unspoken
from pipeline.results import ExpectationOutcome

log = logging.getLogger(__name__)

_MAKERS: tuple[Callable[[Scene], Iterator[Found]], ...] = (
    missing_columns, retyped_columns, extra_columns, same_data, row_volume, row_history, ids, duplicate_rows, freshness,
    prediction_skew, missing_values, unseen_categories, out_of_range, outliers, class_imbalance,
)  # fmt: skip


def built_in_checks(scene: Scene) -> list[Found]:
    """Everything that is switched on and applies to these columns, in a fixed order."""
    return [found for maker in _MAKERS for found in _made(maker, scene)]


def _made(maker: Callable[[Scene], Iterator[Found]], scene: Scene) -> Iterator[Found]:
    """What a maker makes; where it breaks, that it did: it is no other's fault."""
    try:
        yield from maker(scene)
    except Exception as error:
        name = maker.__name__
        log.error("built-in check %s", name, exc_info=unspoken(error))
        yield ExpectationOutcome(
            expectation=name,
            column=None,
            severity="warning",
            passed=False,
            sentence=f"The built-in check {name.replace('_', ' ')} can be made",
            error=named(error),
            check=name,
        )
