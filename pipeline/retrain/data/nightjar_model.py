"""The model as it is saved: what was trained, behind the step that types the columns it is given.

This file travels with every model (MLflow: `code/`) and is imported there under its own name, so it stands alone: pandas
and nothing of Nightjar. Whoever serves the model can hand it production's rows as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd  # noqa: TID253  (this file is imported where models are asked, and only there)


class TypedModel:
    """An estimator that takes production's own columns: whole numbers, booleans, categories, dates, with gaps or absent.

    `model` was trained on what `typed` makes of them. `numerical`, `categorical` and `text` are its features.
    """

    # The name under which it is found beside the model; Nightjar's own process knows it by `register`.
    __module__ = "nightjar_model"

    def __init__(self, model: Any, numerical: Sequence[str], categorical: Sequence[str], text: Sequence[str]) -> None:
        """Put the typing step before a trained model."""
        self.model = model
        self.numerical, self.categorical, self.text = list(numerical), list(categorical), list(text)

    def predict(self, frame: pd.DataFrame) -> Any:
        """An answer for each row."""
        return self.model.predict(self._typed(frame))

    def __getattr__(self, name: str) -> Any:
        """What the model has, such as `classes_`, `predict_proba` where it gives probabilities, and its last step."""
        if name.startswith("__") or name == "model":
            raise AttributeError(name)
        found = getattr(self.model, name)
        return (lambda frame: found(self._typed(frame))) if name == "predict_proba" else found

    def _typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        return typed(frame, self.numerical, self.categorical, self.text)


def typed(
    frame: pd.DataFrame, numerical: Sequence[str], categorical: Sequence[str], text: Sequence[str]
) -> pd.DataFrame:
    """The feature columns with the types that a model sees in training and in serving alike.

    float64 with NaN for missing, and for text str with None for missing. What cannot be a number where one belongs is
    missing, and so is a column that the frame lacks.
    """
    texts = set(text)
    columns = {name: _text(frame, name) if name in texts else _number(frame, name) for name in (*numerical, *categorical)}
    return pd.DataFrame(columns, index=frame.index)


def _plain(column: pd.Series) -> pd.Series:
    return column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column


def _number(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        return pd.Series(float("nan"), index=frame.index, dtype="float64")
    column = _plain(frame[name])
    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) in ("date", "datetime"):
        column = pd.to_datetime(column, utc=True, errors="coerce")
    if column.dtype.kind == "M" or isinstance(column.dtype, pd.DatetimeTZDtype):
        seconds: pd.Series = column.dt.as_unit("ns").astype("int64") / 10**9  # epoch seconds, as drift compares them
        return seconds.where(column.notna())
    if column.dtype.kind in "iufb":
        return column.astype("float64")
    return pd.to_numeric(column, errors="coerce").astype("float64")


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        return pd.Series([None] * len(frame), index=frame.index, dtype=object)
    column = _plain(frame[name])
    texts = column.astype(object).where(column.notna(), None)
    return texts.map(lambda value: None if value is None else str(value)).astype(object)
