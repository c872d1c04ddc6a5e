"""What the sections of a monitor file share: their base and the kinds of values in them."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _check_share(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError("allowed: a number from 0 to 1")
    return value


def _check_class(value: object) -> object:
    if not isinstance(value, bool | int | str):
        raise ValueError("allowed: a class as it stands in the data: text, a whole number, true or false")
    return value


def _check_drop(value: object) -> object:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value in ("auto", None) or (number and 0 <= value < math.inf):  # type: ignore[operator]
        return value
    raise ValueError("allowed: auto, null for none, or a number of at least 0")


def one_of(*allowed: str) -> AfterValidator:
    """Text out of a closed set; the message lists it."""

    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"allowed: {', '.join(allowed)}")
        return value

    return AfterValidator(check)


Share = Annotated[float, AfterValidator(_check_share)]
Ratio = Annotated[float, Field(ge=0, allow_inf_nan=False)]
ColumnName = Annotated[str, Field(min_length=1)]
Drop = Annotated[float | Literal["auto"] | None, BeforeValidator(_check_drop)]
# As it stands in the data; YAML tells the three from each other.
ClassLabel = Annotated[bool | int | str, BeforeValidator(_check_class)]


class Section(BaseModel):
    """A part of a monitor file: frozen, and without keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
