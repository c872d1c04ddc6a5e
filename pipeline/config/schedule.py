"""Which day a scheduled moment is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from croniter import croniter

_FIRST_ZONE = timedelta(hours=14)


def day_that_ended(moment: datetime) -> date:
    """The run date of a night that starts at `moment`: the last whole day (UTC) before it."""
    return moment.astimezone(UTC).date() - timedelta(days=1)


def newest_day(moment: datetime) -> date:
    """The last day that has begun anywhere on earth."""
    return (moment.astimezone(UTC) + _FIRST_ZONE).date()


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
