"""The training set as one parquet file: what the model was trained on, and later the reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config import ColumnRoles

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_ROW_GROUP_ROWS = 100_000


def scored(rows: pd.DataFrame, answers: pd.DataFrame | None, classes: list[Any], roles: ColumnRoles) -> pd.DataFrame:
    """The training rows as the new model itself would have logged them: with its predictions and scores.

    Production is scored by it from its promotion on, so scores of the model before would look like drift. `answers` are
    out of fold: of a model that had not seen the row.
    """
    if answers is None:
        return rows
    probabilities = answers.drop(columns="prediction").to_numpy()
    predictions = answers["prediction"].to_numpy()
    columns = {
        roles.prediction: predictions,
        roles.score: score_of(predictions, probabilities if probabilities.shape[1] else None, classes),
    }
    known = {name: values for name, values in columns.items() if name in rows and values is not None}
    return rows.assign(**{str(name): values for name, values in known.items()})


def score_of(predictions: Any, probabilities: Any | None, classes: list[Any]) -> Any | None:
    """The score column: a regression's prediction, else the probability of the second of two classes or the largest."""
    if probabilities is None:
        return None if classes else predictions
    return probabilities[:, 1] if len(classes) == 2 else probabilities.max(axis=1)


def write(rows: pd.DataFrame, like: pa.Schema, label: str, path: Path) -> None:
    """Write rows with the columns and types of a production snapshot, and the label. Equal rows give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [name for name in like.names if name != label]
    arrays = {name: _array(rows[name], like.field(name).type) for name in names if name in rows}
    arrays[label] = pa.array(rows[label], from_pandas=True)
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
