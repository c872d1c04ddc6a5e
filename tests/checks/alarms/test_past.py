"""Which past nights are looked at, and as what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from pipeline.checks.alarms.past import (
    USUAL_NIGHTS,
    PastNight,
    base_of,
    dates_wanted,
    key_of,
    usual_of,
    window_before,
)
from pipeline.config import AlarmPolicy, PastNights
from tests.checks.alarms.profiles import FIRST, column, night, past

PROFILE = night(column([50, 50, 0], [50, 50, 0]))


def nights(numbers: Iterable[int], drifted: Iterable[int] = (), against: str = "reference") -> list[PastNight]:
    bad = set(drifted)
    return [past(PROFILE, number, **{against: ("x",) if number in bad else ()}) for number in numbers]


def numbers(found: Iterable[PastNight]) -> list[int]:
    return [(item.run_date - FIRST).days for item in found]


def on(number: int) -> date:
    return FIRST + timedelta(number)


def test_what_nights_are_held_against_has_a_name() -> None:
    assert key_of("reference") == "reference"
    assert key_of(PastNights(trailing=28)) == "trailing 28"


def test_the_reference_alone_needs_the_nights_that_say_what_is_usual() -> None:
    found = dates_wanted(AlarmPolicy(per_nights=365), on(100), map(on, range(120)))
    assert found == [on(number) for number in range(100 - USUAL_NIGHTS, 100)]


@pytest.mark.parametrize(
    ("against", "first"), [({"trailing": 90}, 10), ({"previous": 40}, 20), ({"same_weekday": 6}, 16)], ids=str
)
def test_more_nights_are_wanted_where_they_are_held_against_more(against: dict[str, int], first: int) -> None:
    policy = AlarmPolicy(per_nights=365, against=(PastNights(**against),))
    found = dates_wanted(policy, on(100), map(on, range(100)))
    assert found[0] == on(first)
    assert set(found) >= {on(number) for number in range(40, 100)}


def test_days_trail_by_their_dates_and_not_by_how_many_nights_there_are() -> None:
    found = base_of(PastNights(trailing=7), on(20), nights([1, 5, 12, 13, 19]))
    assert numbers(found) == [13, 19]


def test_nights_of_the_same_weekday_are_the_last_ones() -> None:
    found = base_of(PastNights(same_weekday=2), on(28), nights(range(28)))
    assert numbers(found) == [14, 21]


def test_the_previous_nights_are_the_last_ones_however_long_ago() -> None:
    assert numbers(base_of(PastNights(previous=2), on(90), nights([1, 5, 9]))) == [5, 9]


def test_what_came_and_went_is_usual_and_what_lasted_is_not() -> None:
    found = usual_of("x", "reference", on(20), nights(range(20), drifted=[3, 4, 10, 11, 12]))
    assert numbers(found) == [*range(10), *range(13, 20)]


def test_what_has_not_ended_is_not_usual() -> None:
    found = usual_of("x", "reference", on(20), nights(range(20), drifted=[18, 19]))
    assert numbers(found) == list(range(18))


def test_a_column_is_quiet_by_what_it_is_held_against() -> None:
    found = nights([1], drifted=[1], against="trailing_28")[0]
    assert not found.was_quiet("x", PastNights(trailing=28))
    assert found.was_quiet("x", "reference")
    assert found.was_quiet("another", PastNights(trailing=28))


def test_beside_the_same_weekday_only_such_nights_are_usual_once_there_are_a_few() -> None:
    against = PastNights(same_weekday=8)
    assert numbers(usual_of("x", against, on(21), nights(range(21)))) == [0, 7, 14]
    assert numbers(usual_of("x", against, on(14), nights(range(14)))) == list(range(14))


def test_a_window_reaches_back_by_days_from_the_newest() -> None:
    assert numbers(window_before(on(20), nights([10, 14, 15, 19]), 7)) == [19, 15, 14]
    assert window_before(on(20), nights([18, 19]), 1) == []
