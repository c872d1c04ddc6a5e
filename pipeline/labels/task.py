"""Classification or regression: one rule, for nights and retrainings alike, and the labels as it takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from pipeline.labels.columns import plain, present
from pipeline.results import Task

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_MOST_CLASSES = 20


def task_of(wanted: str, frames: Iterable[Mapping[str, pd.Series]], label: str, prediction: str | None = None) -> Task:
    """What the monitor says (`task`), or what its labels are.

    Auto: whole numbers are classes while there are at most 20 different ones; more of them, and numbers with a
    fraction, are a regression. So are few whole numbers, such as ratings, that the deployed model forecasts with
    fractions; fractions from 0 to 1 for two labels are probabilities, and tell nothing. All that is no number (text,
    booleans, categories) is a class.

    Args:
        wanted: `auto`, `classification` or `regression`.
        frames: columns that are known, such as `values_of` gives them, the most trusted first: the first one that has
            labels tells by them, the first one that has predictions by those. The reference comes first, so that a
            small night cannot turn the task.
        label: the column of the labels.
        prediction: the column of what the deployed model said.
    """
    if wanted != "auto":
        return cast("Task", wanted)
    given = list(frames)
    labels = _first(given, label)
    values = None if labels is None else _numbers(labels)
    if values is None:
        return "classification"
    few = values.nunique() <= _MOST_CLASSES
    if not few or not _is_whole(values):
        return "regression"
    said = None if prediction is None else _first(given, prediction)
    forecasts = None if said is None else _numbers(said)
    if forecasts is None or _is_whole(forecasts):
        return "classification"
    is_probability = values.nunique() <= 2 and bool(forecasts.between(0, 1).all())
    return "classification" if is_probability else "regression"


def values_of(table: pa.Table, *names: str | None) -> dict[str, pd.Series]:
    """The different values of some columns, without missing ones; columns that are not there are left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = {}
    for name in names:
        values = None if name is None or name not in table.column_names else plain(table[name])
        if name is not None and values is not None and not pa.types.is_nested(values.type):
            different = pc.unique(values.filter(present(values))).to_pandas()
            # What was made a category is a class, even where numbers name it.
            found[name] = different.astype("category") if pa.types.is_dictionary(table[name].type) else different
    return found


def _first(frames: Iterable[Mapping[str, pd.Series]], name: str) -> pd.Series | None:
    """The values of a column in the first frame that has any."""
    for frame in frames:
        if name in frame and bool(frame[name].notna().any()):
            return frame[name].dropna()
    return None


def _plain(column: pd.Series) -> pd.Series:
    """The values of a category as what they are."""
    import pandas as pd

    return column.astype(column.cat.categories.dtype) if isinstance(column.dtype, pd.CategoricalDtype) else column


def _is_boolean(column: pd.Series) -> bool:
    import pandas as pd

    return pd.api.types.is_bool_dtype(column) or pd.api.types.infer_dtype(column, skipna=True) == "boolean"


def _numbers(present: pd.Series) -> pd.Series | None:
    """The values as numbers, if that is what the column was made for; a decimal becomes a float."""
    import pandas as pd

    if isinstance(present.dtype, pd.CategoricalDtype) or _is_boolean(present):
        return None
    if pd.api.types.is_numeric_dtype(present):
        return present
    kind = pd.api.types.infer_dtype(present, skipna=True)
    if kind == "integer":
        return present.astype("int64")
    return present.astype("float64") if kind in ("floating", "mixed-integer-float", "decimal") else None


def _is_whole(numbers: pd.Series) -> bool:
    return bool((numbers % 1 == 0).all())
