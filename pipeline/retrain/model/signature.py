"""What MLflow is told of a model's columns: the types of production's own snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pipeline.results import Task
from pipeline.retrain.data.features import Features

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Declared = Literal["boolean", "long", "double", "string", "datetime", "any"]


def declared(kind: pa.DataType, has_gaps: bool) -> Declared:
    """How a column of a snapshot is declared, so that MLflow lets the frame pass that it becomes.

    MLflow converts nothing that it thinks unsafe: no float to a whole number, no whole number of 64 bits to a float, no
    category to text. Where a column may come as one or the other (whole numbers with gaps are floats in pandas, or its
    own nullable type), it is declared as of any type; the model's first step types it.
    """
    import pyarrow as pa

    types = pa.types
    if types.is_floating(kind):
        return "double"
    if types.is_string(kind) or types.is_large_string(kind):
        return "string"
    if types.is_date(kind) or (types.is_timestamp(kind) and kind.tz is None):
        return "datetime"
    if types.is_boolean(kind) and not has_gaps:
        return "boolean"
    return "long" if types.is_integer(kind) and kind != pa.uint64() and not has_gaps else "any"


def signature(task: Task, features: Features, types: Mapping[str, Declared]) -> Any:
    """Of features, each optional: a missing value is a missing value, not a broken request.

    `types` by feature; one that is not there is text or a float, as the features say.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

    known = {kind.name: kind for kind in DataType}
    usual = {name: "string" if name in features.text else "double" for name in features.names}
    columns = [
        ColSpec(known.get(types.get(name, usual[name]), AnyType()), name, required=False) for name in features.names
    ]
    outputs = Schema([ColSpec(DataType.double)]) if task == "regression" else None
    return ModelSignature(inputs=Schema(columns), outputs=outputs)


def as_declared(frame: pd.DataFrame, types: Mapping[str, Declared]) -> pd.DataFrame:
    """Typed feature rows as production has them, for an example."""
    import pandas as pd

    made: dict[str, pd.Series[Any]] = {}
    for name in frame:
        kind = types.get(str(name))
        if kind == "datetime":
            made[str(name)] = pd.to_datetime(frame[name], unit="s")
        elif kind in ("long", "boolean"):
            made[str(name)] = frame[name].astype("int64" if kind == "long" else "bool")
    return frame.assign(**made)
