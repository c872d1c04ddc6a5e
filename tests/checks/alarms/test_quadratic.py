"""Tails of sums of squares, beside scipy's distributions and a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from pipeline.checks.alarms.quadratic import gamma_tail, mixture_tail, survival
from pipeline.checks.scan import FloatArray


def rarer(tail: FloatArray, values: FloatArray) -> FloatArray:
    """How often values of one tail are passed."""
    return np.asarray(survival(tail[None], values[None])[0])


@pytest.mark.parametrize("freedom", [1, 2, 5, 40])
def test_the_tail_of_a_chi_square_is_scipys(freedom: int) -> None:
    values = chi2.isf([0.5, 0.05, 1e-3, 1e-6, 1e-9], freedom)
    assert rarer(gamma_tail(freedom / 2), values / freedom) == pytest.approx(chi2.sf(values, freedom), rel=0.05)


@pytest.mark.parametrize("freedom", [2, 5, 40])
def test_equal_weights_are_a_chi_square(freedom: int) -> None:
    values = chi2.isf([0.5, 0.05, 1e-3, 1e-6], freedom)
    found = rarer(mixture_tail(np.ones(freedom)), values / freedom)
    assert found == pytest.approx(chi2.sf(values, freedom), rel=0.1)


def test_unequal_weights_are_as_they_are_simulated() -> None:
    weights = np.array([0.1, 0.2, 0.3, 1.0])
    drawn = np.random.default_rng(0).normal(size=(400_000, 4)) ** 2 @ (weights / weights.sum())
    values = np.quantile(drawn, [0.5, 0.9, 0.99, 0.999])
    assert rarer(mixture_tail(weights), values) == pytest.approx([0.5, 0.1, 0.01, 0.001], rel=0.1)


def test_a_tail_never_rises_and_starts_at_certainty() -> None:
    for tail in (gamma_tail(0.5), gamma_tail(20), mixture_tail(np.array([0.01, 0.5, 1.0]))):
        found = rarer(tail, np.linspace(-1, 50, 500))
        assert found[0] == 1.0
        assert (np.diff(found) <= 0).all()
        assert (found > 0).all()


def test_tails_of_several_columns_are_looked_at_side_by_side() -> None:
    tails, values = np.array([gamma_tail(0.5), gamma_tail(20)]), np.array([[0.0, 1.0, 3.84], [-1.0, 0.5, 1e9]])
    both = survival(tails, values)
    assert both.shape == (2, 3)
    for row, tail in enumerate(tails):
        assert both[row] == pytest.approx(rarer(tail, values[row]))
    assert both[0] == pytest.approx([1.0, 0.317, 0.05], rel=0.01)
