"""Run dates for which something holds that people said, and why. It always ends."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pipeline.config.sections import Section
from pipeline.config.values import check_run_date

LONGEST_WHY = 200


def _check_day(value: object) -> object:
    if isinstance(value, str):
        with suppress(ValueError):
            value = date.fromisoformat(value)
    if type(value) is date:
        return check_run_date(value)
    raise ValueError("allowed: a date such as 2026-02-14")


def _check_why(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_WHY:
        raise ValueError(f"allowed: why, in 1 to {LONGEST_WHY} characters")
    return text


Day = Annotated[date, BeforeValidator(_check_day)]


class Spell(Section):
    """From one run date (`from` in files) until another, both included, and why."""

    longest: ClassVar[timedelta]
    longest_reason: ClassVar[str] = ""

    first: Day = Field(alias="from")
    until: Day
    why: Annotated[str, AfterValidator(_check_why)]

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if not timedelta() <= self.until - self.first < self.longest:
            most = f"{self.longest.days} days in all at most{self.longest_reason}"
            raise ValueError(f"allowed: 'until' not before 'from', and {most}")
        return self

    def covers(self, day: date) -> bool:
        """Whether it holds on a run date."""
        return self.first <= day <= self.until

    @property
    def words(self) -> str:
        """`price change, until 2026-02-14`."""
        return f"{self.why}, until {self.until}"
