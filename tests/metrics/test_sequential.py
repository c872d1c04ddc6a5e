"""Evidence that may be looked at every night: e-values bet fairly, and pairs of equal models stay undecided.

The short simulations always draw the same; with NIGHTJAR_SIMULATIONS=1000 there are so many of each.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.metrics.sequential import Comparison, Look, compare, error_at, interval, log_evidence, log_total

MANY = int(os.environ.get("NIGHTJAR_SIMULATIONS", "0")) or 100
Z = st.floats(-30, 30)
ROWS = st.floats(1, 1e7)
Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def shares(worse: float, better: float) -> Draw:
    """Differences of two models' hits: rows that only one of them has right."""
    return lambda random, rows: random.choice([-1.0, 0.0, 1.0], rows, p=[worse, 1 - worse - better, better])


def comparison(random: np.random.Generator, draw: Draw, nights: int = 60) -> tuple[Comparison, list[Look]]:
    """Nights of 20 to 200 rows, looked at every night."""
    parts = [draw(random, int(rows)) for rows in random.integers(20, 201, nights)]
    rows = np.cumsum([part.size for part in parts])
    mean = np.cumsum([part.sum() for part in parts]) / rows
    squares = np.cumsum([(part**2).sum() for part in parts]) / rows
    error = np.sqrt(np.maximum(squares - mean**2, 0) / (rows - 1))
    looks = [Look(*look) for look in zip(mean.tolist(), error.tolist(), rows.tolist(), strict=True)]
    return compare(looks), looks


@pytest.mark.parametrize("rows", [5, 100, 3000, 1_000_000])
def test_an_e_value_has_an_expectation_of_one_where_nothing_is_wrong(rows: int) -> None:
    z = np.linspace(-12, 12 + 6 * math.sqrt(rows / 100), 20_001)
    bets = [math.exp(log_evidence(item, rows) - 0.5 * item**2) for item in z.tolist()]
    assert np.trapezoid(bets, z) / math.sqrt(2 * math.pi) == pytest.approx(1, abs=1e-4)


@given(Z, Z, ROWS)
def test_evidence_grows_with_the_difference(first: float, second: float, rows: float) -> None:
    low, high = sorted((first, second))
    assert log_evidence(low, rows) <= log_evidence(high, rows) + 1e-9


@given(st.lists(st.floats(-50, 50) | st.just(-math.inf), max_size=20))
def test_evidence_of_several_starts_adds_up(logs: list[float]) -> None:
    total = math.fsum(math.exp(item) for item in logs)
    assert math.exp(log_total(logs)) == pytest.approx(total)


def test_sums_over_starts_pass_a_threshold_in_no_more_nights_than_they_may() -> None:
    """Among 200 nights a threshold of 1,000 is passed by at most a fifth of series in which nothing is wrong."""
    random, passed = np.random.default_rng(3), 0
    for _ in range(MANY):
        sums = np.concatenate([[0.0], random.normal(0, math.sqrt(100), 200).cumsum()])  # nights of 100 rows
        passed += any(
            log_total(
                log_evidence((sums[night] - sums[start]) / math.sqrt(100 * (night - start)), 100 * (night - start))
                for start in range(max(night - 30, 0), night)
            )
            >= math.log(1000)
            for night in range(1, 201)
        )
    assert passed <= 0.2 * MANY


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0, 3), st.integers(1, 10**6))
def test_a_few_rows_are_never_certain(limit: float, value: float, error: float, rows: int) -> None:
    spread = error_at(limit, value, error, rows)
    assert spread >= error
    assert abs(value - limit) <= spread * math.sqrt(rows) * (1 + 1e-9)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.4])
def test_equal_models_are_told_apart_no_more_often_than_said(share: float) -> None:
    random = np.random.default_rng(int(share * 100))
    found = [comparison(random, shares(share / 2, share / 2))[0].decision for _ in range(MANY)]
    assert found.count("open") >= 0.95 * MANY


def test_a_worse_model_is_found_and_a_better_one_within_a_thousand_labels() -> None:
    random = np.random.default_rng(4)
    for draw, decision in ((shares(0.075, 0.025), "worse"), (shares(0.025, 0.075), "better")):
        within = 0
        for _ in range(MANY):
            found, looks = comparison(random, draw)
            assert found.decision == decision
            assert found.decided_at is not None
            within += looks[found.decided_at].rows <= 1000
        assert within >= 0.95 * MANY


def test_the_intervals_of_all_nights_hold_the_truth_together() -> None:
    random, missed = np.random.default_rng(5), 0
    for _ in range(MANY):
        _, looks = comparison(random, shares(0.08, 0.03))
        ends = [interval(look) for look in looks]
        missed += any(low is not None and high is not None and not low <= -0.05 <= high for low, high in ends)
    assert missed <= 0.05 * MANY


def test_what_was_decided_stays_decided() -> None:
    worse, recovered = Look(-0.1, 0.01, 1000), Look(0.0, 0.005, 9000)
    found = compare([Look(0.0, 0.02, 500), worse, recovered])
    assert (found.decision, found.decided_at) == ("worse", 1)
    assert (found.low, found.high) == interval(recovered)


@pytest.mark.parametrize("look", [Look(-1.0, 0.0, 50), Look(-1.0, None, 5000), Look(-0.5, 0.001, 99), Look(0, 0, 0)])
def test_what_cannot_be_told_stays_open(look: Look) -> None:
    assert compare([look]) == Comparison("open", None, None, None)
    assert compare([]) == Comparison("open", None, None, None)


@given(st.floats(-1, 1), st.floats(0.001, 1), st.integers(100, 10**6), st.floats(1e-3, 1e3))
def test_the_unit_of_differences_does_not_matter(difference: float, error: float, rows: int, unit: float) -> None:
    plain, scaled = compare([Look(difference, error, rows)]), compare([Look(difference * unit, error * unit, rows)])
    mirrored = compare([Look(-difference, error, rows)])
    opposite = {"worse": "better", "better": "worse", "open": "open"}
    low, high = interval(Look(difference, error, rows))
    if low is not None and high is not None and min(abs(low), abs(high)) < 1e-9 * error:
        return  # exactly on the edge rounding decides
    assert scaled.decision == plain.decision
    assert mirrored.decision == opposite[plain.decision]


def test_rows_that_all_differ_alike_are_no_chance() -> None:
    assert compare([Look(0.0, 0.0, 5000)]) == Comparison("open", None, 0.0, 0.0)
    assert compare([Look(-1.0, 0.0, 100)]) == Comparison("worse", 0, -1.0, -1.0)
