"""Which day a scheduled moment is about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from croniter import croniter


def day_that_ended(moment: datetime) -> date:
    """The run date of a night that starts at `moment`: the last whole day (UTC) before it."""
    return moment.astimezone(UTC).date() - timedelta(days=1)


def next_moment(cron: str, after: datetime) -> datetime:
    """When a cron line (UTC) fires next, strictly after a moment."""
    following: datetime = croniter(cron, after.astimezone(UTC)).get_next(datetime)
    return following
