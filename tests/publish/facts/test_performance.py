"""How well the model does, in words."""

from __future__ import annotations

import pytest

from pipeline.publish.facts import performance as words
from pipeline.results import PerformanceResult
from tests.publish import samples


@pytest.mark.parametrize(
    ("metric", "realised", "reference", "word"),
    [
        ("roc_auc", 0.8, 0.9, "worse"),
        ("accuracy", 0.9, 0.8, "better"),
        ("mean_absolute_error", 2.0, 1.0, "worse"),
        ("root_mean_squared_error", 1.0, 2.0, "better"),
        ("log_loss", 0.7, 0.5, "worse"),
        ("f1", 0.70001, 0.70002, "equal"),
    ],
)
def test_a_comparison_knows_which_side_is_good(metric: str, realised: float, reference: float, word: str) -> None:
    assert words.comparison_words(metric, realised, reference) == word


def test_performance_that_was_not_measured_says_why() -> None:
    assert "have not arrived" in words.performance_words(samples.performance(measured=False))
    unset = PerformanceResult(snapshots="", status="not_configured")
    assert "no label column is configured" in words.performance_words(unset)
