"""Until when a night may keep people waiting, by the schedule of its monitor file. 2026-11-27 is a Friday."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.schedule import day_that_ended, due_after, first_due, grace, next_moment

HOUR = timedelta(hours=1)
DAILY, HOURLY, WEEKDAYS, WEEKLY, MONTHLY = "0 2 * * *", "0 * * * *", "0 2 * * 1-5", "0 2 * * 1", "0 2 1 * *"
EVERY_15, TWICE, MIDNIGHT = "*/15 * * * *", "0 2,14 * * *", "0 0 * * *"
ALL = (DAILY, HOURLY, WEEKDAYS, WEEKLY, MONTHLY, EVERY_15, TWICE, MIDNIGHT)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


def at(text: str) -> datetime:
    """A moment in UTC, of 2026 unless it says otherwise."""
    return datetime.fromisoformat(text if len(text) > len("11-27 02:10") else f"2026-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "published", "late", "missing"),
    [
        (DAILY, "11-27 02:10", "11-28 06:00", "11-29 06:00"),
        (DAILY, "11-27 05:30", "11-28 06:00", "11-29 06:00"),  # its data was waited for
        (HOURLY, "11-27 05:20", "11-27 07:00", "11-27 11:20"),
        (HOURLY, "11-27 00:01", "11-27 02:00", "11-27 06:01"),
        (EVERY_15, "11-27 05:20", "11-27 06:30", "11-27 11:20"),
        (TWICE, "11-27 02:10", "11-27 18:00", "11-28 06:00"),
        (TWICE, "11-27 14:10", "11-28 06:00", "11-28 18:00"),
        (WEEKDAYS, "11-26 02:10", "11-27 06:00", "11-30 06:00"),
        (WEEKDAYS, "11-27 02:10", "11-30 06:00", "12-01 06:00"),  # quiet over the weekend
        (WEEKLY, "11-23 02:10", "11-30 06:00", "12-07 06:00"),  # quiet all week
        (MONTHLY, "11-01 02:10", "12-01 06:00", "2027-01-01 06:00"),
        (MIDNIGHT, "11-27 00:10", "11-28 04:00", "11-29 04:00"),
    ],
)
def test_the_next_night_is_late_by_the_schedule_and_not_before(
    cron: str, published: str, late: str, missing: str
) -> None:
    now = at(published)
    due = due_after(cron, day_that_ended(now), now)
    assert (due.late, due.missing) == (at(late), at(missing))


@given(cron=st.sampled_from(ALL), after=MOMENTS)
def test_no_night_that_comes_as_it_should_is_late_and_none_that_stays_away_is_quiet(cron: str, after: datetime) -> None:
    start = next_moment(cron, after)
    following = next_moment(cron, start)
    due = due_after(cron, day_that_ended(start), start + timedelta(minutes=10))
    assert due.late == following + grace(cron)
    assert due.late < due.missing
    assert due.missing - due.late >= min(following - start, 4 * HOUR)


@pytest.mark.parametrize("cron", [DAILY, WEEKDAYS, WEEKLY])
def test_the_night_before_that_is_run_again_does_not_stand_for_the_one_that_is_missing(cron: str) -> None:
    usual = due_after(cron, date(2026, 11, 22), at("11-23 02:10"))
    again = due_after(cron, date(2026, 11, 22), usual.late - HOUR)
    assert again.late == usual.late - HOUR + 4 * HOUR
    assert again.missing - again.late >= 20 * HOUR


def test_a_backfill_is_not_late_while_it_goes_on_and_is_when_it_ends_too_early() -> None:
    now = at("11-27 12:00")
    for day in (date(2026, 1, 1), date(2026, 11, 24)):
        due = due_after(DAILY, day, now)
        assert due.late == now + 4 * HOUR
        assert due.missing == now + 28 * HOUR
    assert due_after(DAILY, date(2026, 11, 26), now).late == at("11-28 06:00")


def test_who_runs_it_before_its_moment_of_the_day_has_run_it() -> None:
    assert due_after(DAILY, date(2026, 11, 26), at("11-27 00:30")).late == at("11-28 06:00")


@pytest.mark.parametrize("day", [date(2026, 11, 27), date(2026, 12, 24), date(2999, 12, 31)])
def test_a_day_that_is_not_over_puts_nothing_off(day: date) -> None:
    assert due_after(DAILY, day, at("11-27 12:00")).late == at("11-28 06:00")


def test_a_monitor_without_a_night_is_waited_for_until_its_first_moment() -> None:
    assert first_due(WEEKLY, at("11-27 12:00")) == at("11-30 06:00")
    assert first_due(HOURLY, at("11-27 12:30")) == at("11-27 14:00")
