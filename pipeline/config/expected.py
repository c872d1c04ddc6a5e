"""Changes of the data that people know of: told and marked while they last, and asking for nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from pipeline.config.sections import ColumnName
from pipeline.config.spell import Spell


def _check_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("allowed: at least one column")
    return names


class ExpectedChange(Spell):
    """Columns that may change from one date until another, and why."""

    longest: ClassVar[timedelta] = timedelta(days=366)

    columns: Annotated[tuple[ColumnName, ...], AfterValidator(_check_columns)]
