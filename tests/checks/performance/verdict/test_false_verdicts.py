"""Looking every night raises no false verdicts, and true falls are found within few labels.

A few of each case here, always the same ones; NIGHTJAR_SIMULATIONS=1000 for as many of each. The tables in
docs/performance.md come from `python -m tests.checks.performance.verdict.scenarios`.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from tests.checks.performance.verdict.scenarios import (
    CHANGE,
    FALLEN,
    SOUND,
    USUAL,
    false_verdicts,
    labels,
    quantile,
    sound,
)
from tests.checks.performance.verdict.simulation import ACCURACY, ever_degraded, looks

pytestmark = pytest.mark.slow
MANY = int(os.environ.get("NIGHTJAR_SIMULATIONS", "0"))


@pytest.mark.parametrize("name", SOUND)
def test_sound_models_are_hardly_ever_called_degraded(name: str) -> None:
    """At most 5% of them, within 200 nights; one of four may be that one."""
    assert false_verdicts(name, MANY or 4) <= max(1, 0.05 * MANY)


@pytest.mark.parametrize(
    "name", ["accuracy 0.80 to 0.70", "accuracy 0.90 to 0.80", "accuracy 0.95 to 0.85", "accuracy 0.90 to 0.75"]
)
def test_five_points_beyond_the_limit_are_found_within_1500_labels(name: str) -> None:
    assert quantile(labels(name, MANY or 60), 0.95) <= 1500


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("accuracy 0.90 to 0.80, 20 to 60 rows", 1000),
        ("accuracy 0.90 to 0.80, floor 0.85", 2500),
        ("ROC AUC 0.86 to 0.76", 2500),
        ("ROC AUC 0.93 to 0.50", 400),
        ("F1 0.80 to 0.65", 2200),
        ("MAE of Student's t (3), times 1.5", 1200),
        ("MAE of a log-normal (1.2), times 2", 800),
        ("log loss, three times too sure of itself", 2500),
    ],
)
def test_other_falls_are_found_in_95_of_100(name: str, most: int) -> None:
    assert quantile(labels(name, MANY or 20), 0.95) <= most


def test_a_big_night_after_the_change_is_enough() -> None:
    assert labels("accuracy 0.90 to 0.80, nights of 5,000", MANY or 20)[-1] == 5000


def test_a_model_that_recovered_is_sound_again_within_a_few_nights() -> None:
    random = np.random.default_rng(6)
    model = FALLEN["accuracy 0.90 to 0.80"](random)
    quality = [*model.quality[: CHANGE + 15], *[0.9] * 10]
    found = [verdict.status for verdict in looks(replace(model, quality=quality), random, CHANGE)]
    assert "degraded" in found[:15]
    assert found[-5:] == ["sound"] * 5


def test_a_model_within_its_limit_but_near_it_is_called_seldom() -> None:
    """It has lost half of what it may lose, for 200 nights."""
    random, many = np.random.default_rng(7), MANY or 10
    models = [replace(sound(ACCURACY, 0.875, USUAL, 50_000)(random), reference_quality=0.9) for _ in range(many)]
    assert sum(ever_degraded(model, random) for model in models) <= max(1, 0.05 * many)
