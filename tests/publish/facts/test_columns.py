"""Columns over nights: what is told of them, in which order, and what is not."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pipeline.publish.facts.columns import ColumnOverTime, anchor, over_time, ranked
from pipeline.results import ColumnProfile
from tests.publish import profiles
from tests.publish.nights import past
from tests.publish.samples import HOSTILE

FIRST = date(2026, 1, 10)
KNOWN = profiles.COUNTRIES


def whole(*columns: ColumnProfile, private: bool = False) -> ColumnOverTime:
    """One column over as many nights, given from the first to the last."""
    nights = [(FIRST + timedelta(days=place), profiles.profile([column])) for place, column in enumerate(columns)]
    names = [columns[0].name]
    (found,) = over_time(names, (), reversed(nights), names if private else ())
    return found


def test_each_night_is_told_in_the_cells_of_its_own_reference() -> None:
    found = whole(profiles.numbers("age"), profiles.numbers("age", middle=70.0))
    medians = [night.production.quantiles[2] for night in found.nights.values() if night.production.quantiles]
    assert medians == pytest.approx([70, 40], abs=0.5)
    own = [night.reference.quantiles[2] for night in found.nights.values() if night.reference.quantiles]
    assert own == pytest.approx([70, 40], abs=0.01)


def test_categories_are_those_of_the_newest_reference_wherever_an_older_night_had_them() -> None:
    older = profiles.countries("country", known=(KNOWN[1], KNOWN[0], "XX", *KNOWN[3:]))
    found = whole(older, profiles.countries("country"))
    assert found.categories == KNOWN[:5]
    shares = found.nights[FIRST].production.shares
    assert shares == pytest.approx((0.3, 0.4, 0.0, 0.08, 0.05, 0.17), abs=1e-3)
    assert sum(shares or ()) == pytest.approx(1)


def test_a_night_that_knew_none_of_the_categories_says_nothing() -> None:
    found = whole(profiles.private(profiles.countries("country")), profiles.countries("country"))
    assert found.nights[FIRST].production.told is None
    assert found.nights[FIRST].production.missing == 0


def test_long_categories_that_look_alike_are_not_counted_twice() -> None:
    alike = profiles.countries("country", known=("a", "x", "x", *KNOWN[3:]))
    shares = whole(alike).newest[1].production.shares or ()
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= 0


def test_a_column_of_another_kind_before_has_its_newest_kind_only() -> None:
    found = whole(profiles.countries("x"), profiles.numbers("x"), profiles.numbers("x"))
    assert found.kind == "numerical"
    assert FIRST not in found.nights
    assert len(found.nights) == 2


@pytest.mark.parametrize("kept_as_private", [True, False])
def test_of_a_private_column_no_value_is_told_whatever_was_kept(kept_as_private: bool) -> None:
    columns = [profiles.numbers("x", 0.5, middle=1234.5), profiles.countries("x", 0.5)]
    for column in columns:
        found = whole(profiles.private(column) if kept_as_private else column, private=True)
        told = [*found.newest[1].sides, found.categories]
        assert not [word for word in ("1234", "123", *KNOWN) if word in str(told)]
        assert all(0 <= part <= 1 for side in found.newest[1].sides for part in side.told or ())
        assert all(side.mean is side.deviation is None for side in found.newest[1].sides)
    assert found.categories == tuple(f"private {place}" for place in range(1, 6))


def test_columns_are_those_that_drifted_most_often_then_the_most_important_then_as_they_come() -> None:
    nights = past(20, columns=("quiet", "calm", "b", "a"))
    quiet = [night.model_copy(update={"drifted": ("a",)}) for night in nights]
    one_more = [*quiet[:-1], quiet[-1].model_copy(update={"drifted": ("a", "gone")})]
    newest = profiles.profile([profiles.numbers(name) for name in ("quiet", "calm", "b", "a")])
    assert ranked(one_more, newest, {"b": 0.2, "calm": 0.3}) == ("a", "gone", "calm", "b", "quiet")


def test_the_place_of_a_column_is_an_identifier_whatever_its_name() -> None:
    names = (*HOSTILE, "\ud800", "", " ")
    places = [anchor(name) for name in names]
    assert len(set(places)) == len(names)
    assert all(place.replace("-", "").isalnum() for place in places)
