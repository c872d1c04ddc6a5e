"""Tails of sums of squares, beside scipy's distributions and a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from pipeline.checks.alarms.quadratic import gamma_tail, mixture_tail


@pytest.mark.parametrize("freedom", [1, 2, 5, 40])
def test_the_tail_of_a_chi_square_is_scipys(freedom: int) -> None:
    values = chi2.isf([0.5, 0.05, 1e-3, 1e-6, 1e-9], freedom)
    assert gamma_tail(freedom / 2).survival(values / freedom) == pytest.approx(chi2.sf(values, freedom), rel=0.05)


@pytest.mark.parametrize("freedom", [2, 5, 40])
def test_equal_weights_are_a_chi_square(freedom: int) -> None:
    values = chi2.isf([0.5, 0.05, 1e-3, 1e-6], freedom)
    found = mixture_tail(np.ones(freedom)).survival(values / freedom)
    assert found == pytest.approx(chi2.sf(values, freedom), rel=0.1)


def test_unequal_weights_are_as_they_are_simulated() -> None:
    weights = np.array([0.1, 0.2, 0.3, 1.0])
    drawn = np.random.default_rng(0).normal(size=(400_000, 4)) ** 2 @ (weights / weights.sum())
    values = np.quantile(drawn, [0.5, 0.9, 0.99, 0.999])
    assert mixture_tail(weights).survival(values) == pytest.approx([0.5, 0.1, 0.01, 0.001], rel=0.1)


def test_a_tail_never_rises_and_starts_at_certainty() -> None:
    for tail in (gamma_tail(0.5), gamma_tail(20), mixture_tail(np.array([0.01, 0.5, 1.0]))):
        found = tail.survival(np.linspace(-1, 50, 500))
        assert found[0] == 1.0
        assert (np.diff(found) <= 0).all()
        assert (found > 0).all()
