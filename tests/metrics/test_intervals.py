"""Intervals within the range of their metric."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline.metrics import intervals
from pipeline.metrics.intervals import Interval

SHARES = st.floats(0, 1)


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_a_share_has_the_interval_of_wilson(hits: int, more: int) -> None:
    rows = hits + more
    for found in (hits, more):
        expected = stats.binomtest(found, rows).proportion_ci(method="wilson")

        interval = intervals.of_share(found, rows)

        assert interval.low == pytest.approx(expected.low, abs=1e-12)
        assert interval.high == pytest.approx(expected.high, abs=1e-12)


@settings(max_examples=200)
@given(SHARES, st.floats(0, 1), st.integers(1, 10_000), st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (0.0, 2.0)]))
def test_a_rate_stays_between_its_ends_and_is_never_nothing(
    share: float, error: float, rows: int, ends: tuple[float, float]
) -> None:
    low, high = ends
    value = low + (high - low) * share

    found = intervals.of_rate(value, error, rows, rows, low=low, high=high)

    assert found.low is not None
    assert found.high is not None
    assert low <= found.low <= value + 1e-12
    assert value - 1e-12 <= found.high <= high
    assert found.low < found.high or error < 1e-6


def test_a_rate_that_is_a_share_has_the_interval_of_a_share() -> None:
    error = (0.3 * 0.7 / 5000) ** 0.5

    found = intervals.of_rate(0.3, error, 5000, 1)

    assert found.low == pytest.approx(intervals.of_share(1500, 5000).low, abs=1e-5)
    assert found.high == pytest.approx(intervals.of_share(1500, 5000).high, abs=1e-5)


def test_an_error_that_is_not_to_be_seen_is_that_of_the_rows() -> None:
    assert intervals.of_rate(1.0, 0.0, 100, 12) == intervals.of_share(12, 12)
    assert intervals.of_rate(0.5, 0.0, 100, 12) == intervals.of_share(6, 12)
    assert intervals.of_rate(1.0, 0.0, 100, 0) == Interval()


def test_a_mean_is_that_of_student() -> None:
    expected = stats.t.interval(0.95, df=4, loc=2.0, scale=0.5)

    found = intervals.of_mean(2.0, 0.5, 5)

    assert (found.low, found.high) == pytest.approx(expected)


def test_a_positive_mean_is_symmetric_on_the_logarithm() -> None:
    found = intervals.of_positive(2.0, 0.5, 1000)

    assert found.low is not None
    assert found.high is not None
    assert found.low * found.high == pytest.approx(4.0)
    assert found.high / 2.0 == pytest.approx(2.718281828 ** (intervals.quantile(1000) * 0.25))


@pytest.mark.parametrize(
    ("value", "error", "rows"), [(0.0, 0.0, 9), (1.0, 0.0, 9), (1.0, 0.1, 1), (1e-9, 1e9, 9), (1.0, None, 9)]
)
def test_what_cannot_be_told_is_not_told(value: float, error: float | None, rows: int) -> None:
    assert intervals.of_positive(value, error, rows) == Interval()


def test_a_mean_out_of_all_range_has_no_interval() -> None:
    assert intervals.of_mean(1e308, 1e308, 2) == Interval()
