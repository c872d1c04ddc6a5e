"""What a model is given: typed feature columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Features:
    """The columns that a model sees, in order: numerical ones, then categorical ones.

    `text` are the categorical columns that hold text; the others hold numbers or booleans.
    """

    numerical: tuple[str, ...]
    categorical: tuple[str, ...]
    text: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in order."""
        return self.numerical + self.categorical


def features_of(frame: pd.DataFrame, numerical: Sequence[str], categorical: Sequence[str]) -> Features:
    """The feature columns of a training set; categorical ones are looked at to see what they hold."""
    text = tuple(name for name in categorical if not _holds_numbers(_plain(frame[name])))
    return Features(tuple(numerical), tuple(categorical), text)


def typed(frame: pd.DataFrame, features: Features) -> pd.DataFrame:
    """The feature columns with the types that a model sees in training and in serving alike.

    float64 with NaN for missing, and for text str with None for missing. What cannot be a number where one belongs is
    missing, and so is a column that the frame lacks.
    """
    import pandas as pd

    columns = {name: _text(frame, name) if name in features.text else _number(frame, name) for name in features.names}
    return pd.DataFrame(columns, index=frame.index)


def _plain(column: pd.Series) -> pd.Series:
    import pandas as pd

    return column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column


def _holds_numbers(column: pd.Series) -> bool:
    if column.dtype.kind in "iufb":
        return True
    present = column.dropna()
    return len(present) > 0 and all(isinstance(value, bool | int | float) for value in present.unique())


def _number(frame: pd.DataFrame, name: str) -> pd.Series:
    import pandas as pd

    if name not in frame:
        return pd.Series(float("nan"), index=frame.index, dtype="float64")
    column = _plain(frame[name])
    if column.dtype.kind == "M" or isinstance(column.dtype, pd.DatetimeTZDtype):
        seconds: pd.Series = column.dt.as_unit("ns").astype("int64") / 10**9  # epoch seconds, as drift compares them
        return seconds.where(column.notna())
    if column.dtype.kind in "iufb":
        return column.astype("float64")
    return pd.to_numeric(column, errors="coerce").astype("float64")


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    import pandas as pd

    if name not in frame:
        return pd.Series([None] * len(frame), index=frame.index, dtype=object)
    column = _plain(frame[name])
    texts = column.astype(object).where(column.notna(), None)
    return texts.map(lambda value: None if value is None else str(value)).astype(object)

