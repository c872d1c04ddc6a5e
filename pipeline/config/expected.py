"""Changes of the data that people know of: told and marked while they last, and asking for nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pipeline.config.sections import ColumnName, Section

LONGEST = timedelta(days=366)
LONGEST_WHY = 200


def _check_day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    if type(value) is date:
        return value
    raise ValueError("allowed: a date such as 2026-02-14")


def _check_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("allowed: at least one column")
    return names


def _check_why(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_WHY:
        raise ValueError(f"allowed: why it changes, in 1 to {LONGEST_WHY} characters")
    return text


Day = Annotated[date, BeforeValidator(_check_day)]


class ExpectedChange(Section):
    """Columns that may change from one date (`from` in files) until another, both included, and why. It always ends."""

    columns: Annotated[tuple[ColumnName, ...], AfterValidator(_check_columns)]
    first: Day = Field(alias="from")
    until: Day
    why: Annotated[str, AfterValidator(_check_why)]

    @model_validator(mode="after")
    def _ends(self) -> ExpectedChange:
        if not timedelta() <= self.until - self.first < LONGEST:
            raise ValueError(f"allowed: 'until' not before 'from', and {LONGEST.days} days in all at most")
        return self

    def covers(self, day: date) -> bool:
        """Whether it is expected on a run date."""
        return self.first <= day <= self.until

    @property
    def words(self) -> str:
        """`price change, until 2026-02-14`."""
        return f"{self.why}, until {self.until}"
