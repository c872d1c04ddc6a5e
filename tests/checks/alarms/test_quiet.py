"""What a quiet night looks like: chance and variation together, beside a simulation."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.checks.alarms.quadratic import POINTS, gamma_tail
from pipeline.checks.alarms.quiet import Quiet
from pipeline.checks.alarms.variation import Variation
from pipeline.checks.scan import FloatArray

ALONE = np.full(POINTS.size, np.nan)


def moving(size: float, nights: float, lead: float = 1.0) -> Variation:
    return Variation(*(np.array([value]) for value in (size, nights, lead)))


def night(noise: float, lead: float, rest: FloatArray, *variations: Variation) -> Quiet:
    return Quiet(np.array([noise]), np.array([lead]), rest[None], variations)


def chance(quiet: Quiet, *squared: float) -> list[float]:
    return [float(often) for often in quiet.chance(np.array([squared]))[0]]


def test_of_one_square_without_variation_the_distance_is_a_normal_variable() -> None:
    quiet = night(0.01, 1.0, ALONE, moving(1e-12, np.inf))
    assert chance(quiet, 0.01 * 1.96**2, 0.01 * 3.29**2) == pytest.approx([0.05, 0.001], rel=0.01)


@pytest.mark.parametrize("lead", [1.0, 0.5])
def test_chance_and_variation_are_as_they_are_simulated(lead: float) -> None:
    rng, noise, size = np.random.default_rng(0), 0.01, 0.02
    squares = rng.normal(size=(400_000, 5)) ** 2
    leading = (0.2 * noise + lead * size) * squares[:, 0]
    drawn = leading + (0.8 * noise + (1 - lead) * size) * squares[:, 1:].mean(axis=1)
    quiet = night(noise, 0.2, gamma_tail(2.0), moving(size, 1e9, lead))
    values = np.quantile(drawn, [0.5, 0.95, 0.999]).tolist()
    assert chance(quiet, *values) == pytest.approx([0.5, 0.05, 0.001], rel=0.1)


def test_a_variation_known_from_few_nights_is_rare_less_soon() -> None:
    chances = [
        chance(night(0.001, 0.5, gamma_tail(2.0), moving(0.01, nights)), 0.2)[0] for nights in (4.0, 10.0, 100.0)
    ]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 10 * chances[-1]


def test_the_variation_that_says_most_often_counts() -> None:
    small, large = moving(0.001, 100.0), moving(0.02, 10.0)
    both, one = (night(0.001, 0.5, gamma_tail(2.0), *kept) for kept in ((small, large), (large,)))
    assert chance(both, 0.1) == chance(one, 0.1)


@pytest.mark.parametrize("often", [0.5, 0.05, 1e-3, 1e-6])
@pytest.mark.parametrize("rest", [ALONE, gamma_tail(5.0)], ids=["one", "several"])
def test_the_distance_of_a_chance_has_that_chance(often: float, rest: FloatArray) -> None:
    quiet = night(0.001, 0.3, rest, moving(0.002, 12.0))
    assert chance(quiet, float(quiet.at(np.array([often]))[0])) == pytest.approx([often], rel=0.005)


def test_columns_side_by_side_are_as_rare_as_each_by_itself() -> None:
    every = Quiet(
        np.array([0.01, 0.001, 0.02]),
        np.array([1.0, 0.5, 0.1]),
        np.array([ALONE, gamma_tail(2.0), gamma_tail(20.0)]),
        (Variation(np.array([1e-3, 0.01, 0.0004]), np.array([3.0, 60.0, 2.0]), np.array([1.0, 0.7, 0.2])),),
    )
    squared, often = np.array([[0.1, 0.01], [0.05, 0.2], [0.03, 0.3]]), np.array([0.05, 0.001, 0.3])
    for column in range(3):
        alone = every.only(column)
        assert alone.chance(squared[column][None])[0] == pytest.approx(every.chance(squared)[column])
        assert alone.at(often[column : column + 1])[0] == pytest.approx(every.at(often)[column])
