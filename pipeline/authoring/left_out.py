"""Which columns have no place in a comparison of nights, each with the reason, in the words that a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from pipeline.authoring.evidence import Evidence
from pipeline.authoring.names import cycle, is_called_id, is_called_index
from pipeline.authoring.observe import Night, Seen
from pipeline.wording import count, value

_MANY = 20
_DENSE = 1.1
_IN_ORDER = 3
_TWO = 2
_EXACT = 2**53
_BY_CHANCE = 1e-3
_FRESH = timedelta(hours=48)
_OF_ONE_NIGHT = timedelta(days=8)
_DATES = ("a date such as 2026-01-14", "a moment in ISO 8601")


def why_left_out(evidence: Evidence, name: str, event: str | None) -> str | None:
    """Why a column is not compared; None where it is. Of columns that have a role, nobody should ask."""
    if evidence.absent(name):
        return "production does not have it"
    if name in evidence.problems:
        return evidence.problems[name]
    seen = evidence.seen.get(name)
    if seen is None or not seen.values:
        return "the reference has no value of it"
    return _is_time(evidence, name, seen, event) or _by_its_values(evidence, name, seen)


def _is_time(evidence: Evidence, name: str, seen: Seen, event: str | None) -> str | None:
    if seen.moment:
        return "moves with the night by nature" if name == event else "moments and dates are not compared"
    texts = evidence.texts.get(name)
    return "dates, as text" if texts is not None and texts.words in _DATES else None


def _by_its_values(evidence: Evidence, name: str, seen: Seen) -> str | None:
    if is_called_index(name):
        return "the index of a data frame, by its name"
    found = _counted(evidence, name, seen) or _once_a_night(evidence, name, seen) or _of_the_calendar(evidence, name)
    return found or _identifies(evidence, name, seen)


def event_time(evidence: Evidence) -> str | None:
    """The column of moments that moves with the night, if there are nights to see it in.

    On most of them its newest moment is about as old as the night, and the others are not much older.
    """
    moving = [name for name in evidence.names if _moves(evidence.on_nights(name))]
    return next(iter(moving), None)


def _moves(nights: Sequence[tuple[Night, Seen]]) -> bool:
    fresh = [night for night, seen in nights if seen.form == "timestamp" and _is_fresh(night, seen)]
    return bool(fresh) and len(fresh) >= 0.8 * len(nights)


def _is_fresh(night: Night, seen: Seen) -> bool:
    if seen.low is None or seen.high is None:
        return False
    end = datetime.combine(night.day + timedelta(days=1), time(), UTC).timestamp()
    return abs(seen.high - end) <= _FRESH.total_seconds() and seen.high - seen.low <= _OF_ONE_NIGHT.total_seconds()


def is_row_counter(evidence: Evidence, name: str) -> bool:
    """Whether it counts rows, in the reference alone or on from night to night."""
    seen = evidence.seen.get(name)
    return seen is not None and _counted(evidence, name, seen) is not None


def _counted(evidence: Evidence, name: str, seen: Seen) -> str | None:
    """Whole numbers that say where a row stands, or when it came."""
    if not seen.whole or seen.low is None or seen.high is None or seen.values < _MANY:
        return None
    nights = [found for _, found in evidence.on_nights(name) if found.low is not None]
    if seen.distinct == seen.values and (seen.high - seen.low + 1) <= _DENSE * seen.values:
        span = f": {value(int(seen.low))} to {value(int(seen.high))}" if abs(seen.high) < _EXACT else ""
        return f"counts rows{span}, each once"
    ends = [seen.high, *(found.high for found in nights if found.high is not None)]
    starts = [found.low for found in nights if found.low is not None]
    onward = bool(starts) and all(start > end for start, end in zip(starts, ends, strict=False))
    if onward and (seen.distinct == seen.values or len(nights) >= _IN_ORDER):
        return "counts on from night to night"
    return None


def _once_a_night(evidence: Evidence, name: str, seen: Seen) -> str | None:
    """Where several values are usual, that a whole night has one of them is no chance."""
    nights = evidence.on_nights(name)
    profile = evidence.profiles[name]
    if not nights or seen.distinct < 2 or any(found.distinct > 1 for _, found in nights):
        return None
    largest = profile.largest_share if profile.categories else 0.5
    if largest ** sum(found.values for _, found in nights) > _BY_CHANCE:
        return None
    return "one value on each night, of several in the reference"


def _of_the_calendar(evidence: Evidence, name: str) -> str | None:
    """Codes that begin again, such as months, of which each night has a part of its own.

    A code of which every night has the whole cycle, such as the hours of days, is compared like any other.
    """
    ends, numbers = cycle(name), evidence.profiles[name].numbers
    nights = [seen for _, seen in evidence.on_nights(name) if seen.low is not None]
    if ends is None or numbers is None or not numbers.whole or numbers.distinct is None or len(nights) < _TWO:
        return None
    inside = ends[0] <= numbers.low and numbers.high <= ends[1]
    in_part = all(2 * seen.distinct <= numbers.distinct for seen in nights)
    if not inside or not in_part or len({(seen.low, seen.high) for seen in nights}) < _TWO:
        return None
    most = max(seen.distinct for seen in nights)
    return f"moves with the calendar: {count(most)} of {count(numbers.distinct, 'value')} on a night, at most"


def _identifies(evidence: Evidence, name: str, seen: Seen) -> str | None:
    profile = evidence.profiles[name]
    found = f"{count(seen.distinct, 'different value')} in {count(seen.values, 'row')}"
    few = profile.categories and seen.distinct * 2 <= seen.values
    if profile.family == "number":
        return f"an identifier, by its name: {found}" if is_called_id(name) and seen.whole and not few else None
    if few or (profile.categories and seen.values < _MANY):
        return None
    return f"identifiers or free text: {found}" if seen.distinct * 2 > seen.values else f"too many categories: {found}"
