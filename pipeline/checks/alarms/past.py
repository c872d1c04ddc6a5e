"""Past nights, as tonight is held against them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from pipeline.config import AlarmPolicy, ComparedWith, PastNights
from pipeline.results import NightProfile

USUAL_NIGHTS = 60
"""How many past nights say what is usual."""
_FEWEST_OF_A_WEEKDAY = 3
_WEEK = 7
_PASSING = 2


@dataclass(frozen=True, slots=True)
class PastNight:
    """A published night before tonight whose data was not broken."""

    run_date: date
    profile: NightProfile

    def drifted(self, against: ComparedWith) -> tuple[str, ...]:
        """The columns that had drifted from what they were held against."""
        return self.profile.drifted.get(key_of(against), ())

    def was_quiet(self, column: str, against: ComparedWith) -> bool:
        """Whether a column had not."""
        return column not in self.drifted(against)


def key_of(against: ComparedWith) -> str:
    """How profiles name what a night was held against: `reference`, `trailing 28`."""
    if isinstance(against, str):
        return against
    name, many = against.choice
    return f"{name} {many}"


def words_of(against: ComparedWith) -> str:
    """The same for people."""
    return "the reference" if isinstance(against, str) else against.words


def dates_wanted(policy: AlarmPolicy, run_date: date, known: Iterable[date]) -> list[date]:
    """Of the dates that have a night, those before tonight that its judging looks at, oldest first."""
    before = sorted(day for day in known if day < run_date)
    wanted = set(before[-max(USUAL_NIGHTS, policy.window - 1) :])
    for against in policy.against:
        if isinstance(against, PastNights):
            name, many = against.choice
            if name == "same_weekday":
                wanted.update([day for day in before if day.weekday() == run_date.weekday()][-2 * many :])
            elif name == "trailing":
                wanted.update(day for day in before if day >= run_date - timedelta(days=many))
            else:
                wanted.update(before[-2 * many :])
    return sorted(wanted)


def base_of(against: PastNights, run_date: date, quiet: Sequence[PastNight]) -> list[PastNight]:
    """The nights that tonight is held against, out of quiet ones of the same reference, oldest first."""
    name, many = against.choice
    if name == "trailing":
        return [night for night in quiet if night.run_date >= run_date - timedelta(days=many)]
    if name == "same_weekday":
        return [night for night in quiet if night.run_date.weekday() == run_date.weekday()][-many:]
    return list(quiet[-many:])


def telling(nights: Sequence[PastNight], run_date: date) -> Sequence[PastNight]:
    """The nights that may say what is usual tonight: in the first week none until tonight's weekday was seen.

    Five working days say nothing of the weekend that follows them.
    """
    seen = any(night.run_date.weekday() == run_date.weekday() for night in nights)
    return nights if seen or len(nights) >= _WEEK else ()


def usual_of(column: str, against: ComparedWith, run_date: date, nights: Sequence[PastNight]) -> list[PastNight]:
    """The nights that say how much a column moves from night to night, in order.

    What came and went within two nights belongs to it, such as weekends; what lasted longer, or has not ended, does
    not.
    """
    found = _without_incidents(column, against, nights)
    if isinstance(against, PastNights) and against.same_weekday is not None:
        alike = [night for night in found if night.run_date.weekday() == run_date.weekday()]
        found = alike if len(alike) >= _FEWEST_OF_A_WEEKDAY else found
    return found[-USUAL_NIGHTS:]


def _without_incidents(column: str, against: ComparedWith, nights: Sequence[PastNight]) -> list[PastNight]:
    kept: list[PastNight] = []
    for quiet, run in groupby(nights, key=lambda night: night.was_quiet(column, against)):
        found = list(run)
        if quiet or (len(found) <= _PASSING and found[-1] is not nights[-1]):
            kept += found
    return kept


def window_before(run_date: date, nights: Sequence[PastNight], window: int) -> list[PastNight]:
    """The nights of the `window` last days before tonight, the newest first."""
    first = run_date - timedelta(days=window - 1)
    return [night for night in reversed(nights) if night.run_date >= first]
