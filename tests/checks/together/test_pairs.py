"""Pairs of columns: what is called a change of a pair, and what is its columns' own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, chi2

from pipeline.checks.together.measure import cramers_v
from pipeline.checks.together.pairs import distances

TABLES = 4_000


def correlated(correlation: float, cells: int = 4) -> np.ndarray:
    """The shares of the cells of two normal columns, shape (k, k)."""
    random = np.random.default_rng(0)
    first = random.normal(size=400_000)
    second = correlation * first + np.sqrt(1 - correlation**2) * random.normal(size=first.size)
    edges = np.quantile(first, np.arange(1, cells) / cells)
    found = np.bincount(np.searchsorted(edges, first) * cells + np.searchsorted(edges, second), minlength=cells**2)
    return found.reshape(cells, cells) / first.size


FEW = np.outer([0.7, 0.2, 0.06, 0.03, 0.009, 0.001], [0.5, 0.4, 0.05, 0.03, 0.015, 0.005])


@pytest.mark.parametrize("shares", [correlated(0.0), correlated(0.5), correlated(0.95), FEW])
@pytest.mark.parametrize(("before", "after"), [(3_000, 300), (30_000, 3_000), (3_000, 3_000)])
def test_pairs_of_unchanged_columns_are_as_far_apart_as_chance_says_or_less(
    shares: np.ndarray, before: int, after: int
) -> None:
    random = np.random.default_rng(1)
    sides = [random.multinomial(rows, shares.ravel(), TABLES).reshape(-1, *shares.shape) for rows in (before, after)]
    found = distances(*(side.astype(float) for side in sides))
    assert (found.freedom > 0).all()
    chances = chi2.sf(found.squared * found.freedom / (1 / before + 1 / after), found.freedom)
    for level in (0.1, 0.01, 0.001):
        assert (chances <= level).sum() <= binom.ppf(0.999, TABLES, level)


def test_a_column_that_moves_by_itself_moves_no_pair() -> None:
    before = np.array([[[400.0, 100.0], [100.0, 400.0]]])
    moved = before * np.array([9.0, 1.0])[:, None] * np.array([1.0, 3.0])
    assert distances(before, moved).squared == pytest.approx(0.0, abs=1e-5)
    assert distances(before, moved).freedom == 1


def test_an_association_that_turned_round_is_far_and_a_table_without_rows_says_nothing() -> None:
    before, empty = np.array([[[400.0, 100.0], [100.0, 400.0]]]), np.zeros((1, 2, 2))
    found = distances(before, before[:, ::-1])
    assert found.squared[0] / (2 / 1_000) > 500
    assert distances(before, empty).freedom == 0
    assert distances(empty, before).freedom == 0
    assert distances(np.zeros((0, 2, 2)), np.zeros((0, 2, 2))).squared.size == 0


def test_cramers_v_is_one_of_copies_and_none_of_columns_that_have_nothing_to_do_with_each_other() -> None:
    assert cramers_v(np.diag([30.0, 20.0, 50.0, 0.0])) == pytest.approx(1.0)
    assert cramers_v(np.outer([30.0, 20.0], [10.0, 5.0, 1.0])) == 0.0
    assert cramers_v(np.zeros((3, 3))) == cramers_v(np.array([[7.0, 3.0]])) == 0.0
    assert cramers_v(np.array([[400.0, 100.0], [100.0, 400.0]])) == pytest.approx(0.6, abs=0.001)
