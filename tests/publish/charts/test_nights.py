"""Where charts put what they draw."""

from __future__ import annotations

import re

from pipeline.publish import charts
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
