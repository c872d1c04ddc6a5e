"""The interval that may be looked at every night: how often it is wrong, and how soon it is right."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.retrain.beside.compared import FEWEST_ROWS
from pipeline.retrain.judging.sequential import interval_at_any_time

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]
PROBATIONS = 1_000


def losses(worse: float, better: float) -> Draw:
    """Differences in the error of two models: so often only the new one is wrong, so often only the old one."""
    return lambda random, rows: random.choice([1.0, -1.0, 0.0], rows, p=[worse, better, 1 - worse - better])


EQUAL: dict[str, Draw] = {
    "often apart": losses(0.08, 0.08),
    "seldom apart": losses(0.01, 0.01),
    "hardly ever apart": losses(0.003, 0.003),
    "few rows weigh much": lambda random, rows: np.where(
        random.random(rows) < 0.02, random.normal(0, 3, rows), random.normal(0, 0.05, rows)
    ),
    "a long tail on the bad side": lambda random, rows: random.exponential(1, rows) - 1,
    "a long tail on the good side": lambda random, rows: 1 - random.exponential(1, rows),
}


def found_worse(draw: Draw, nights: int, rows: int, seed: int) -> list[int]:
    """The night on which each of many probations ended as worse; those that never did are left out."""
    random, found = np.random.default_rng(seed), []
    for _ in range(PROBATIONS):
        differences = draw(random, nights * rows)
        for night in range(1, nights + 1):
            so_far = differences[: night * rows]
            error = float(so_far.std(ddof=1)) / math.sqrt(len(so_far))
            if len(so_far) >= FEWEST_ROWS and interval_at_any_time(float(so_far.mean()), error, len(so_far))[0] > 0:
                found.append(night)
                break
    return found


@pytest.mark.parametrize("name", EQUAL)
@pytest.mark.parametrize(("nights", "rows"), [(7, 100), (30, 165)])
def test_an_equally_good_model_is_worse_in_at_most_5_percent_of_probations(name: str, nights: int, rows: int) -> None:
    assert len(found_worse(EQUAL[name], nights, rows, seed=7)) <= 0.05 * PROBATIONS


@pytest.mark.parametrize(
    "draw",
    [losses(0.15, 0.05), lambda random, rows: (random.random(rows) < 0.3) * 1.0 - (random.random(rows) < 0.2)],
    ids=["on the same rows", "on any rows"],
)
def test_ten_points_of_accuracy_are_found_within_a_few_nights(draw: Draw) -> None:
    found = found_worse(draw, nights=7, rows=200, seed=8)
    assert sum(night <= 5 for night in found) >= 0.95 * PROBATIONS


@given(st.floats(-10, 10), st.floats(0, 10), st.integers(1, 10**7))
def test_it_holds_the_mean_and_is_wider_than_a_single_look(mean: float, error: float, rows: int) -> None:
    low, high = interval_at_any_time(mean, error, rows)
    assert low <= mean <= high
    assert high - low >= 2 * 1.96 * error - 1e-9


def test_it_is_the_formula_of_its_source() -> None:
    """Theorem 2.2 with rho squared 0.01 at 400 rows, worked out by hand."""
    squared = (-2 * math.log(0.05) + math.log(-2 * math.log(0.05)) + 1) / 1_000
    assert squared == pytest.approx(0.0087819, rel=1e-4)
    wide = math.sqrt(2 * (400 * squared + 1) / (400**2 * squared) * math.log(math.sqrt(400 * squared + 1) / 0.05))
    low, high = interval_at_any_time(0.5, 2 / math.sqrt(400), 400)
    assert (high - low) / 2 == pytest.approx(2 * wide)
