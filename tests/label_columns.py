"""How a column of labels or predictions may come out of parquet files."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pandas as pd

Column = Callable[[list[Any]], pd.Series]

WHOLE: dict[str, Column] = {
    "int64": lambda values: pd.Series(values, dtype="int64"),
    "uint16": lambda values: pd.Series(values, dtype="uint16"),
    "Int64": lambda values: pd.Series([*values, None], dtype="Int64"),
    "float64": lambda values: pd.Series(values, dtype="float64"),
    "float32": lambda values: pd.Series(values, dtype="float32"),
    "float64 with gaps": lambda values: pd.Series([None, *values], dtype="float64"),
    "decimal": lambda values: pd.Series([Decimal(value) for value in values], dtype=object),
    "decimal with gaps": lambda values: pd.Series([None, *(Decimal(f"{value}.00") for value in values)], dtype=object),
    "int objects": lambda values: pd.Series(values, dtype=object),
}
FRACTIONS: dict[str, Column] = {
    "float64": lambda values: pd.Series(values, dtype="float64"),
    "float32": lambda values: pd.Series(values, dtype="float32"),
    "decimal": lambda values: pd.Series([Decimal(str(value)) for value in values], dtype=object),
    "Float64": lambda values: pd.Series([*values, None], dtype="Float64"),
}
