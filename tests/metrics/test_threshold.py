"""The threshold that was in force, as rows show it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metrics.threshold import threshold_of
from tests.metrics.cases import SEEDS


@given(SEEDS, st.floats(0.05, 0.95), st.integers(0, 1))
def test_it_lies_between_the_scores_on_both_sides(seed: int, threshold: float, positive: int) -> None:
    score = np.concatenate([[0.01, 0.99], np.random.default_rng(seed).random(100)])
    said = np.where(score >= threshold, positive, 1 - positive)

    found = threshold_of(said, score, positive)

    low, high = score[score < threshold].max(), score[score >= threshold].min()
    assert found == pytest.approx((low + high) / 2)


def test_a_few_rows_that_were_decided_otherwise_do_not_matter() -> None:
    score = (np.arange(10_000) + 0.5) / 10_000
    said = (score > 0.3).astype(int)
    said[[5, 9_000]] = 1 - said[[5, 9_000]]

    assert threshold_of(said, score, 1) == pytest.approx(0.3)


def test_what_no_threshold_explains_has_none() -> None:
    random = np.random.default_rng(0)
    score = random.random(1000)
    assert threshold_of(random.integers(0, 2, 1000), score, 1) is None
    assert threshold_of((score < 0.5).astype(int), score, 1) is None  # the score is of the other class
    assert threshold_of(np.where(np.arange(1000) % 100 == 0, 1, score > 0.5).astype(int), score, 1) is None


def test_predictions_that_are_all_the_same_show_none() -> None:
    score = np.array([0.1, 0.5, 0.9])
    assert threshold_of(np.ones(3, dtype=int), score, 1) is None
    assert threshold_of(np.zeros(3, dtype=int), score, 1) is None
    assert threshold_of(np.array([], dtype=int), np.array([]), 1) is None


def test_rows_without_a_score_or_a_prediction_are_left_out() -> None:
    said, score = np.array([0, 1, -1, 1, 0]), np.array([0.2, 0.6, 0.1, float("nan"), 0.4])
    assert threshold_of(said, score, 1) == pytest.approx(0.5)


def test_infinite_scores_leave_a_threshold_where_there_is_a_middle() -> None:
    said = np.array([0, 0, 1])
    assert threshold_of(said, np.array([-np.inf, 0.2, 0.4]), 1) == pytest.approx(0.3)
    assert threshold_of(said[1:], np.array([-np.inf, 0.4]), 1) is None
