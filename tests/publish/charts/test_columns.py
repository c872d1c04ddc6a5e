"""A column over nights as a picture: gaps, marks, and values of any size."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from pipeline.publish import charts
from pipeline.publish.facts.columns import ColumnOverTime, over_time
from pipeline.results import ColumnProfile, NightProfile
from tests.publish import profiles
from tests.publish.nights import past

NIGHTS = past(20)
PLACES = charts.slots(NIGHTS, 60)
DAYS = [night.run_date for night in NIGHTS]


def drawn(make: Callable[[int], ColumnProfile | None], drifted: int = 0) -> str:
    """The chart of a column that each night, counted from 0, keeps so; of that many it drifted."""
    kept = [(day, make(place)) for place, day in enumerate(DAYS)]
    known = [(day, profiles.profile([column])) for day, column in kept if column is not None]
    found = column_of(list(reversed(known)))
    found.drifted = frozenset(DAYS[:drifted])
    return str(charts.column_chart(PLACES, found, lambda day: f"words of {day}", lambda day: f"{day}/index.html"))


def column_of(known: list[tuple[object, NightProfile]]) -> ColumnOverTime:
    (found,) = over_time(["x"], (), known, ())  # type: ignore[arg-type]
    return found


def path(chart: str, look: str) -> str:
    (found,) = re.findall(rf'<path class="{look}" d="([^"]*)"', chart)
    return str(found)


def test_the_band_breaks_where_a_night_did_not_run_and_where_none_was_kept() -> None:
    assert path(drawn(lambda _: profiles.numbers("x")), "most").count("M") == 2  # a night of the samples did not run
    chart = drawn(lambda place: None if place in (3, 4, 9) else profiles.numbers("x"))
    assert path(chart, "most").count("M") == path(chart, "median").count("M") == 4
    assert path(chart, "gap").count("M") == 4


def test_a_single_night_is_seen() -> None:
    chart = drawn(lambda place: profiles.numbers("x") if place == 7 else None)
    numbers = [float(part) for part in re.findall(r"[\d.]+", path(chart, "median"))]
    assert max(numbers[::2]) - min(numbers[::2]) == 1


def test_each_night_that_drifted_has_a_sign() -> None:
    assert drawn(lambda _: profiles.numbers("x"), drifted=5).count('class="drift"') == 5
    assert drawn(lambda _: profiles.countries("x")).count('class="drift"') == 0


def test_another_reference_is_a_step() -> None:
    constant = path(drawn(lambda _: profiles.numbers("x")), "own")
    stepped = path(drawn(lambda place: profiles.numbers("x", middle=40.0 + 30 * (place > 9))), "own")
    assert (constant.count("V"), stepped.count("V")) == (0, 1)


def test_missing_values_have_a_strip_only_where_there_are_any() -> None:
    assert 'class="missing"' not in drawn(lambda _: profiles.numbers("x"))
    chart = drawn(lambda place: profiles.numbers("x", missing=30 * (place == 4)))
    assert path(chart, "missing").count("M") == 1
    assert ">1%<" in chart


def test_shares_fill_the_height_of_the_chart_and_the_reference_stands_beside() -> None:
    chart = drawn(lambda place: profiles.countries("x", place / 40))
    assert [len(re.findall(rf'<path class="t{tone}"', chart)) for tone in range(6)] == [1] * 6
    assert [len(re.findall(rf'<rect class="t{tone}"', chart)) for tone in range(6)] == [1] * 6
    tall = [float(height) for height in re.findall(r'<rect class="t\d"[^>]* height="([\d.]+)"', chart)]
    assert sum(tall) == pytest.approx(92, abs=6)


def test_every_night_can_be_pointed_at_and_opened() -> None:
    chart = drawn(lambda place: profiles.numbers("x") if place else None)
    assert re.findall(r'href="([^"]*)/index.html" tabindex="-1"', chart) == [str(day) for day in DAYS]
    assert all(f"words of {day}" in chart for day in DAYS)
    assert (DAYS[-1] - DAYS[0]) > timedelta(days=len(DAYS) - 1)


@pytest.mark.parametrize("size", [0.0, 5e-324, 1e-15, 1e15, 1.7e308])
def test_values_of_any_size_are_drawn_within_the_chart(size: float) -> None:
    def column(place: int) -> ColumnProfile:
        found = profiles.numbers("x", place / 10)
        edges = tuple(size * (-1 + 2 * at / len(found.edges)) for at in range(len(found.edges)))
        sides = {
            side: getattr(found, side).model_copy(update={"low": edges[0], "high": edges[-1]})
            for side in ("reference", "production")
        }
        return found.model_copy(update={"edges": edges, **sides})

    chart = drawn(column)
    assert "nan" not in chart
    assert "inf" not in chart
    heights = [float(part) for part in re.findall(r"[\d.]+", path(chart, "most"))[1::2]]
    assert 7 <= min(heights) <= max(heights) <= 99
