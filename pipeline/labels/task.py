"""Classification or regression: one rule, for nights and retrainings alike, and the labels as it takes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from pipeline.results import Task

if TYPE_CHECKING:
    import pandas as pd

_MOST_CLASSES = 20


def task_of(wanted: str, frames: Iterable[pd.DataFrame], label: str, prediction: str | None = None) -> Task:
    """What the monitor says (`task`), or what its labels are.

    Auto: whole numbers are classes while there are at most 20 different ones; more of them, and numbers with a
    fraction, are a regression. So are few whole numbers, such as ratings, that the deployed model forecasts with
    fractions; fractions from 0 to 1 for two labels are probabilities, and tell nothing. All that is no number (text,
    booleans, categories) is a class.

    Args:
        wanted: `auto`, `classification` or `regression`.
        frames: rows that are known, the most trusted first: the first one that has labels tells by them, the first one
            that has predictions by those. The reference comes first, so that a small night cannot turn the task.
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


def typed_labels(labels: pd.Series, task: Task) -> pd.Series:
    """Labels, or predictions, without missing ones: float64 for a regression; as classes int64 where they are whole
    numbers or booleans, else text. Equal values of twin types are equal classes.

    Raises:
        ValueError, TypeError: of a regression, for what is no number.
    """
    plain = _plain(labels)
    if task == "regression":
        return plain.astype("float64")
    if _is_boolean(plain):
        return plain.astype("int64")
    numbers = _numbers(plain)
    if numbers is not None and _is_whole(numbers):
        return numbers.astype("int64")
    return plain.map(str).astype(object)


def _first(frames: Iterable[pd.DataFrame], name: str) -> pd.Series | None:
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
