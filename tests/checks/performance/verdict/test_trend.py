"""The trend: a slope that outliers do not move, and a test of ranks that knows how many rows a night has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.performance.verdict.trend import trend
from pipeline.results import Estimate, Trend

DAY = date(2026, 1, 1)


def nights(values: Sequence[float], rows: Sequence[int] | None = None) -> list[tuple[date, Estimate]]:
    many = rows or [100] * len(values)
    return [
        (DAY + timedelta(days=position), Estimate(value=value, rows=size))
        for position, (value, size) in enumerate(zip(values, many, strict=True))
    ]


def of(values: Sequence[float], rows: Sequence[int] | None = None, drop: float | None = None) -> Trend:
    found = trend("accuracy", nights(values, rows), len(values), drop)
    assert found is not None
    return found


@given(st.lists(st.integers(0, 30), min_size=5, max_size=30))
def test_slope_and_test_are_the_textbooks_where_nights_weigh_the_same(counts: list[int]) -> None:
    from scipy.stats import theilslopes

    values, size = [count / 30 for count in counts], len(counts)
    found = of(values)
    assert found.slope == pytest.approx(theilslopes(values, range(size)).slope, abs=1e-12)
    total = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    if len(set(values)) == size:
        deviation = math.sqrt(size * (size - 1) * (2 * size + 5) / 18)
        assert found.p_value == pytest.approx(0.5 * math.erfc(-total / deviation / math.sqrt(2)))


def test_weights_are_rows() -> None:
    """Nights of one row do not make a trend of nights of a thousand."""
    values, rows = [0.9, 0.2, 0.9, 0.2, 0.9, 0.1, 0.9, 0.1, 0.9, 0.05], [1000, 1] * 5
    assert of(values, rows).slope == pytest.approx(0, abs=1e-9)
    assert of(values).slope < 0


def test_the_variance_with_weights_is_that_over_all_orders() -> None:
    values, rows = [0.9, 0.85, 0.88, 0.7, 0.6], [10, 500, 40, 300, 80]

    def total(order: Sequence[int]) -> float:
        return -sum(((values[b] > values[a]) - (values[b] < values[a])) * rows[a] * rows[b]
                    for a, b in combinations(order, 2))  # fmt: skip

    every = [total(order) for order in permutations(range(5))]
    deviation = math.sqrt(np.mean(np.square(every)))
    found = of(values, rows)
    assert found.p_value == pytest.approx(0.5 * math.erfc(total(range(5)) / deviation / math.sqrt(2)))


def test_far_out_the_p_value_is_by_permutations() -> None:
    values, rows = [0.95, 0.93, 0.90, 0.91, 0.86, 0.85, 0.80], [100, 120, 90, 400, 30, 100, 100]

    def total(order: Sequence[int]) -> int:
        return sum(((values[b] < values[a]) - (values[b] > values[a])) * rows[a] * rows[b]
                   for a, b in combinations(order, 2))  # fmt: skip

    own = total(range(7))
    exact = np.mean([total(order) >= own for order in permutations(range(7))])
    assert of(values, rows, drop=0.05).p_value == pytest.approx(exact, rel=0.1)


def test_one_night_that_stands_out_moves_nothing() -> None:
    values = [0.90, 0.91, 0.90, 0.92, 0.90, 0.91, 0.10, 0.91, 0.90, 0.91]
    assert abs(of(values).slope) < 0.002


def test_the_sentence_counts_nights() -> None:
    found = of([0.91, 0.905, 0.90, 0.895, 0.90, 0.885, 0.88, 0.87, 0.865, 0.86])
    assert found.sentence.startswith("accuracy fell in 8 of 10 nights, from 0.91 to 0.86")
    assert found.slope == pytest.approx(-0.0055, abs=0.001)


def test_errors_rise() -> None:
    found = trend("mean_absolute_error", nights([1, 1.1, 1.2, 1.3, 1.4, 1.5]), 10, None)
    assert found is not None
    assert found.p_value < 0.01
    assert found.sentence == "mean absolute error rose in 5 of 6 nights, from 1.0 to 1.5"


def test_a_rise_of_a_share_is_no_fall() -> None:
    found = of([0.80, 0.81, 0.82, 0.83, 0.84, 0.85])
    assert found.p_value > 0.99
    assert found.sentence == "accuracy has no fall beyond the noise in 6 nights"


def test_days_without_a_night_count_as_days() -> None:
    days = [0, 1, 2, 3, 13]
    found = trend(
        "accuracy", [(DAY + timedelta(days=day), Estimate(value=0.9 - 0.01 * day, rows=9)) for day in days], 10, None
    )
    assert found is not None
    assert found.slope == pytest.approx(-0.01)
    assert found.last == pytest.approx(0.77)


@pytest.mark.parametrize(("many", "most"), [(4, 10), (20, 0), (20, 4), (0, 10)])
def test_a_few_nights_have_no_trend(many: int, most: int) -> None:
    assert trend("accuracy", nights([0.9] * many), most, 0.05) is None


def test_nights_without_rows_are_none() -> None:
    assert trend("accuracy", nights([0.9] * 6, [0, 0, 5, 5, 5, 5]), 10, 0.05) is None


@given(st.lists(st.floats(0, 1), min_size=5, max_size=20), st.integers(1, 1000))
def test_only_proportions_of_rows_matter(values: list[float], factor: int) -> None:
    rows = [1 + position % 3 for position in range(len(values))]
    plain, more = of(values, rows), of(values, [size * factor for size in rows])
    assert more.slope == pytest.approx(plain.slope, abs=1e-9)
    assert more.p_value == pytest.approx(plain.p_value, abs=1e-9)
