"""What one version loses more than another one, as a chart."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish.charts import difference_chart
from pipeline.results import LossComparison

VALUES = st.floats(-1e6, 1e6)


def chart(low: float | None, difference: float, high: float | None) -> str:
    loss = LossComparison(loss="error", rows=9, version=0, against=0, difference=difference, low=low, high=high)
    return str(difference_chart(loss))


def across(drawn: str, sign: str) -> float:
    found = re.search(sign, drawn)
    assert found is not None
    return float(found.group(1))


@given(st.lists(VALUES, min_size=3, max_size=3).map(sorted))
def test_the_interval_holds_the_point_and_lies_on_its_side_of_zero(ends: list[float]) -> None:
    low, difference, high = ends
    drawn = chart(low, difference, high)
    point, left = across(drawn, r'circle [^>]*cx="([\d.]+)%'), across(drawn, r'rect [^>]*x="([\d.]+)%')
    wide = across(drawn, r'rect [^>]*width="([\d.]+)%')
    assert 0 <= left <= point + 0.01
    assert point <= left + wide + 0.01 <= 100.52
    assert (point - 50) * difference >= -abs(difference) * 0.001
    look = "worse" if low > 0 else "better" if high < 0 else "unsure"
    assert f'class="range {look}"' in drawn


@given(VALUES)
def test_the_axis_has_numbers_on_both_sides_of_zero(difference: float) -> None:
    said = re.findall(r">([-+\d.,e]+)</text>", chart(None, difference, None))
    assert said.count("0") == 1
    assert [text[0] for text in said] == sorted((text[0] for text in said), key="-0+".index)
    assert {"-", "+"} <= {text[0] for text in said}


def test_without_an_interval_there_is_only_a_point() -> None:
    drawn = chart(None, 0.2, None)
    assert "<rect" not in drawn
    assert "<circle" in drawn


def test_the_numbers_are_where_their_lines_are() -> None:
    drawn = chart(0.02, 0.07, 0.12)
    places = {text: float(x) for x, text in re.findall(r'<text x="([\d.]+)%"[^>]*>([^<]+)<', drawn)}
    assert set(places) == {"-0.1", "-0.05", "0", "+0.05", "+0.1"}
    assert places["+0.1"] - 50 == 2 * (places["+0.05"] - 50)
    assert places["+0.05"] < across(drawn, r'circle [^>]*cx="([\d.]+)%') < places["+0.1"]
