"""The training set as one parquet file: what the model was trained on, and later the reference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config import ColumnRoles
from pipeline.labels.classes import Classes
from pipeline.retrain.data.frames import writable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_ROW_GROUP_ROWS = 100_000


def scored(rows: pd.DataFrame, answers: pd.DataFrame | None, told: Told, roles: ColumnRoles) -> pd.DataFrame:
    """The training rows as the new model itself would have logged them: with its predictions and scores.

    Production is scored by it from its promotion on, so scores of the model before would look like drift. `answers` are
    out of fold: of a model that had not seen the row.
    """
    if answers is None:
        return rows
    probabilities = answers.drop(columns="prediction").to_numpy()
    predictions = answers["prediction"].to_numpy()
    columns = logged(predictions, probabilities if probabilities.shape[1] else None, told, roles)
    return rows.assign(**{name: values for name, values in columns.items() if name in rows})


@dataclass(frozen=True)
class Told:
    """What a model's probabilities are of: its classes, in the order of the columns, and the positive one.

    `positive` is None where nobody says which it is: then a single score is the probability of the second of two
    classes, and of more the largest.
    """

    classes: tuple[Any, ...] = ()
    positive: Any = None


def logged(predictions: Any, probabilities: Any | None, told: Told, roles: ColumnRoles) -> dict[str, Any]:
    """The columns that a model writes, by name: prediction, and its score or a probability for each class.

    The score is a regression's prediction, else the probability of the positive class. A class that the model does not
    know has the probability 0, so that those of a row sum to 1. A model without probabilities writes no score.
    """
    columns: dict[str | None, Any] = {roles.prediction: predictions}
    if probabilities is None:
        columns[roles.score] = None if told.classes else predictions
    else:
        columns[roles.score] = _of_positive(probabilities, told)
        known = Classes(told.classes)
        for name, column in roles.scores.items():
            columns[column] = _of(known.find(name), probabilities, told)
    return {name: values for name, values in columns.items() if name is not None and values is not None}


def _of_positive(probabilities: Any, told: Told) -> Any:
    if told.positive is not None:
        return _of(told.positive, probabilities, told)
    return probabilities[:, 1] if len(told.classes) == 2 else probabilities.max(axis=1)


def _of(wanted: Any, probabilities: Any, told: Told) -> Any:
    import numpy as np

    known = wanted in told.classes
    return probabilities[:, told.classes.index(wanted)] if known else np.zeros(len(probabilities))


def write(rows: pd.DataFrame, like: pa.Schema, label: str, path: Path) -> None:
    """Write rows with the columns and types of a production snapshot, and the label. Equal rows give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [name for name in like.names if name != label]
    arrays = {name: _array(rows[name], like.field(name).type) for name in names if name in rows}
    arrays[label] = pa.array(writable(rows[[label]])[label], from_pandas=True)
    pq.write_table(pa.table(arrays), path, compression="zstd", row_group_size=_ROW_GROUP_ROWS)


def _array(column: pd.Series, wanted: pa.DataType) -> pa.Array:
    """The column in production's type; in its own where a value, such as one of the reference, does not fit that."""
    import pyarrow as pa

    is_dictionary = pa.types.is_dictionary(wanted)
    plain = column.astype(object) if is_dictionary else column
    try:
        array = pa.array(plain, type=wanted.value_type if is_dictionary else wanted, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        array = _cast(pa.array(plain, from_pandas=True), wanted.value_type if is_dictionary else wanted)
    return array.dictionary_encode() if is_dictionary else array


def _cast(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Such as classes 0 and 1 as booleans; unchanged where that cannot be done without loss."""
    import pyarrow as pa

    try:
        return array.cast(wanted)
    except pa.ArrowException:
        return array
