"""Checks that need no suite: production against the reference, recent nights and the run date.

Each is a Great Expectations expectation where there is one for it; what only schema, counts and times decide is an
outcome at once. Limits and severities come from `quality.checks` of the monitor file, where `null` switches one off.
"""

from __future__ import annotations

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
)

_MAKERS: tuple[Callable[[Scene], Iterator[Found]], ...] = (
    missing_columns, retyped_columns, extra_columns, row_volume, row_history, ids, duplicate_rows, freshness,
    prediction_skew, missing_values, unseen_categories, out_of_range, outliers, class_imbalance,
)  # fmt: skip


def built_in_checks(scene: Scene) -> list[Found]:
    """Everything that is switched on and applies to these columns, in a fixed order."""
    return [found for maker in _MAKERS for found in maker(scene)]
