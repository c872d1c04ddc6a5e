"""What a quiet night looks like: chance and variation together, beside a simulation."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.checks.alarms.quadratic import gamma_tail
from pipeline.checks.alarms.quiet import Quiet
from pipeline.checks.alarms.variation import Variation


def test_of_one_square_without_variation_the_distance_is_a_normal_variable() -> None:
    quiet = Quiet(0.01, 1.0, None, (Variation(1e-12, np.inf),))
    assert quiet.chance(np.array([0.01 * 1.96**2, 0.01 * 3.29**2])) == pytest.approx([0.05, 0.001], rel=0.01)


@pytest.mark.parametrize("lead", [1.0, 0.5])
def test_chance_and_variation_are_as_they_are_simulated(lead: float) -> None:
    rng, noise, size = np.random.default_rng(0), 0.01, 0.02
    squares = rng.normal(size=(400_000, 5)) ** 2
    leading = (0.2 * noise + lead * size) * squares[:, 0]
    drawn = leading + (0.8 * noise + (1 - lead) * size) * squares[:, 1:].mean(axis=1)
    quiet = Quiet(noise, 0.2, gamma_tail(2.0), (Variation(size, 1e9, lead),))
    values = np.quantile(drawn, [0.5, 0.95, 0.999])
    assert quiet.chance(values) == pytest.approx([0.5, 0.05, 0.001], rel=0.1)


def test_a_variation_known_from_few_nights_is_rare_less_soon() -> None:
    chances = [
        float(Quiet(0.001, 0.5, gamma_tail(2.0), (Variation(0.01, nights),)).chance(np.array([0.2]))[0])
        for nights in (4.0, 10.0, 100.0)
    ]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 10 * chances[-1]


def test_the_variation_that_says_most_often_counts() -> None:
    small, large = Variation(0.001, 100.0), Variation(0.02, 10.0)
    both, one = (Quiet(0.001, 0.5, gamma_tail(2.0), kept) for kept in ((small, large), (large,)))
    assert both.chance(np.array([0.1])) == one.chance(np.array([0.1]))


@pytest.mark.parametrize("chance", [0.5, 0.05, 1e-3, 1e-6])
def test_the_distance_of_a_chance_has_that_chance(chance: float) -> None:
    quiet = Quiet(0.001, 0.3, gamma_tail(5.0), (Variation(0.002, 12.0),))
    assert float(quiet.chance(np.array([quiet.at(chance)]))[0]) == pytest.approx(chance, rel=0.1)
