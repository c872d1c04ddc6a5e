"""Where charts put what they draw."""

from __future__ import annotations

import re

import pytest

from pipeline.publish import charts
from pipeline.results import Shape
from tests.publish.nights import past


def test_missing_days_keep_their_place_and_rare_nights_need_none() -> None:
    daily = charts.slots(past(10), 30)
    assert len(daily) == 10
    assert [slot.day.day for slot in daily if slot.night is None] == [9]
    weekly = past(70)[::7]
    assert len(charts.slots(weekly, 30)) == len(weekly)
    assert charts.slots((), 30) == []


def test_an_interval_lies_on_its_side_of_zero_which_is_in_the_middle() -> None:
    def ends(low: float, value: float, high: float) -> tuple[float, float]:
        found = re.search(r'<rect x="([\d.]+)%" y="7" width="([\d.]+)%"', charts.interval_bar(low, value, high, 0.1))
        assert found is not None
        return float(found[1]), float(found[1]) + float(found[2])

    assert ends(0.01, 0.03, 0.05)[0] > 50
    assert ends(-0.05, -0.03, -0.01)[1] < 50
    left, right = ends(-0.02, 0.01, 0.04)
    assert left < 50 < right
    assert ends(-9, 0, 9) == (2, 98)


def test_quantiles_lie_between_the_bars_as_rows_do() -> None:
    parts = (0.0, 0.25, 0.5, 0.75, 1.0)
    assert charts.places_at((0.25, 0.25, 0.25, 0.25), parts) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert charts.places_at((0.0, 0.5, 0.0, 0.5), (0.25, 0.5, 0.75)) == [1.5, 2.0, 3.5]
    assert charts.places_at((0.0, 3.0, 0.0), parts) == pytest.approx([0.0, 1.25, 1.5, 1.75, 2.0], abs=1.0)


def test_a_histogram_marks_the_middle_half_of_either_side_and_leaves_out_a_side_without_values() -> None:
    both = str(charts.shape_chart(Shape(edges=(0, 1, 2), reference=(0.5, 0.5), production=(0.0, 1.0)), "x"))
    assert 'class="half before" d="M25 43H75M50 41.5v3"' in both
    assert 'class="half after" d="M62.5 47H87.5M75 45.5v3"' in both
    alone = str(charts.shape_chart(Shape(edges=(0, 1, 2), reference=(0.5, 0.5), production=(0.0, 0.0)), "x"))
    assert "half before" in alone
    assert "half after" not in alone
