"""Which day a scheduled moment is about, and until when a scheduled night may keep people waiting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from croniter import croniter

_FIRST_ZONE = timedelta(hours=14)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_INSTANT = timedelta(seconds=1)


@dataclass(frozen=True)
class Due:
    """What a published night leaves people to wait for.

    Attributes:
        late: when the next night by the schedule should be there.
        missing: when two in a row should be.
    """

    late: datetime
    missing: datetime


def day_that_ended(moment: datetime) -> date:
    """The run date of a night that starts at `moment`: the last whole day (UTC) before it."""
    return moment.astimezone(UTC).date() - timedelta(days=1)


def newest_day(moment: datetime) -> date:
    """The last day that has begun anywhere on earth."""
    return (moment.astimezone(UTC) + _FIRST_ZONE).date()


@lru_cache
def shortest_gap(cron: str, moments: int = 40) -> timedelta:
    """The shortest time between two of a cron line's moments that follow each other, of the first so many of 2000."""
    fires = croniter(cron, datetime(2000, 1, 1, tzinfo=UTC))
    found: list[datetime] = [fires.get_next(datetime) for _ in range(moments)]
    return min(later - sooner for sooner, later in pairwise(found))


def next_moment(cron: str, after: datetime) -> datetime:
    """When a cron line (UTC) fires next, strictly after a moment."""
    following: datetime = croniter(cron, after.astimezone(UTC)).get_next(datetime)
    return following


def last_moment(cron: str, before: datetime) -> datetime:
    """When a cron line (UTC) fired last, strictly before a moment."""
    preceding: datetime = croniter(cron, before.astimezone(UTC)).get_prev(datetime)
    return preceding


def grace(cron: str) -> timedelta:
    """How long after its start a night is not late: four hours, as data that is late is waited for, but hardly longer
    than until the next one; an hour at least.
    """
    return min(max(shortest_gap(cron), _HOUR), 4 * _HOUR)


def first_due(cron: str, now: datetime) -> datetime:
    """When a monitor that has no night yet should have its first one."""
    return next_moment(cron, now) + grace(cron)


def due_after(cron: str, run_date: date, now: datetime) -> Due:
    """When the nights after a published one are late.

    It counts from the day that the night is about: an older one that is run again does not stand for one that is
    missing since. Whoever is at it just now, with a backfill say, is left time to come to the newest day.

    Args:
        cron: the schedule, UTC.
        run_date: of the newest published night.
        now: when it was published; a run date of the future counts until then.
    """
    several = shortest_gap(cron) < _DAY
    today = now if several else _end_of(now.astimezone(UTC).date())  # whoever ran before today's moment ran it
    first = next_moment(cron, min(_end_of(run_date + _DAY), today))
    second = next_moment(cron, first)
    rest = min(max(shortest_gap(cron), 5 * _HOUR), _DAY)
    return Due(max(first, now) + grace(cron), max(second, now + rest) + grace(cron))


def _end_of(day: date) -> datetime:
    """The last second of a day, so that a moment at midnight is one of the next."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + _DAY - _INSTANT
