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
    """The feature columns with the types that a model sees, see `nightjar_model.typed`; equal when it is done twice."""
    from pipeline.retrain.data import nightjar_model

    return nightjar_model.typed(frame, features.numerical, features.categorical, features.text)


def _plain(column: pd.Series) -> pd.Series:
    import pandas as pd

    return column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column


def _holds_numbers(column: pd.Series) -> bool:
    if column.dtype.kind in "iufb":
        return True
    present = column.dropna()
    return len(present) > 0 and all(isinstance(value, bool | int | float) for value in present.unique())
