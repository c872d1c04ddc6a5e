"""Which pages a change touches: exactly those that show something of what changed."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish.facts.history import SHOWN_BEFORE, PastNight, shown_beside, touched
from tests.publish.nights import past

TEMPLATE = past(1)[0]
FIRST = date(2026, 1, 1)
HISTORIES = st.dictionaries(st.integers(0, 80), st.sampled_from([100, 200]), max_size=60)


def history(rows: dict[int, int]) -> list[PastNight]:
    """Nights by their number of days since the first, told apart by their rows."""
    days = sorted(rows)
    return [TEMPLATE.model_copy(update={"run_date": FIRST + timedelta(days=day), "rows": rows[day]}) for day in days]


@given(HISTORIES, HISTORIES)
def test_a_page_is_touched_exactly_when_what_it_shows_differs(before: dict[int, int], after: dict[int, int]) -> None:
    old, new = history(before), history(after)
    known = {night.run_date: night for night in old}
    for night in new:
        same = known.get(night.run_date) == night and shown_beside(old, night.run_date) == shown_beside(
            new, night.run_date
        )
        assert (night.run_date in touched(old, new)) == (not same)


def test_nothing_that_changed_touches_nothing() -> None:
    nights = history(dict.fromkeys(range(50), 100))
    assert touched(nights, nights) == []


def test_a_new_night_touches_itself_the_one_before_and_those_that_have_it_in_their_charts() -> None:
    days = {day: 100 for day in range(100) if day != 20}
    found = touched(history(days), history(days | {20: 100}))
    assert found == [FIRST + timedelta(days=day) for day in range(19, 21 + SHOWN_BEFORE)]


def test_a_page_links_to_the_next_night_only() -> None:
    nights = history(dict.fromkeys(range(5), 100))
    assert [night.run_date.day for night in shown_beside(nights, FIRST + timedelta(days=2))] == [1, 2, 4]
