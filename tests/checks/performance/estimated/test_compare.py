"""Estimated against realised: when an estimator is withdrawn."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from pipeline.checks.performance.estimated.compare import Judgement, judged
from pipeline.results import Estimate

Pair = tuple[date, Estimate, Estimate]


def pair(night: int, expected: float, realised: float, error: float = 0.01, rows: int = 1_000) -> Pair:
    day = date(2026, 1, 1) + timedelta(days=night)
    return (
        day,
        Estimate(value=expected, error=error, rows=1_000),
        Estimate(value=realised, error=error, rows=rows),
    )


def ever(chance: np.random.Generator, shared: float, *, gap: float = 0.0, nights: int = 200, known: bool) -> bool:
    """Whether an estimator is ever withdrawn; `shared` is which part of its variance all nights have in common."""
    error = 0.01
    common = chance.normal(0, error * np.sqrt(shared))
    own = chance.normal(0, error * np.sqrt(1 - shared), nights)
    pairs = [pair(night, 0.9, 0.9 + gap + common + own[night], error) for night in range(nights)]
    by_reference = error * float(np.sqrt(shared)) if known else None
    return any(judged("accuracy", pairs[max(0, last - 7) : last], by_reference).withdrawn for last in range(1, nights))


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("known", [True, False])
def test_at_most_one_sound_estimator_in_a_hundred_is_withdrawn_over_200_nights(shared: float, known: bool) -> None:
    chance = np.random.default_rng(1)
    withdrawn = sum(ever(chance, shared, known=known) for _ in range(300))
    assert withdrawn <= 3


def test_an_estimator_that_misses_by_three_errors_is_withdrawn_within_seven_nights() -> None:
    chance = np.random.default_rng(2)
    found = sum(ever(chance, 0.1, gap=-0.03, nights=8, known=True) for _ in range(200))
    assert found >= 190


def test_the_sentence_says_that_this_is_concept_drift() -> None:
    found = judged("roc_auc", [pair(night, 0.91, 0.82) for night in range(7)])
    assert (found.nights, found.missed, found.withdrawn) == (7, 7, True)
    assert found.gap == pytest.approx(-0.09)
    assert found.sentence == (
        "the relation between inputs and label changed (concept drift): estimated 0.910, realised 0.820 over 7 nights"
    )


def test_one_night_that_is_far_off_withdraws_nothing() -> None:
    found = judged("accuracy", [*(pair(night, 0.9, 0.9) for night in range(6)), pair(6, 0.9, 0.1)])
    assert not found.withdrawn
    assert found.missed == 1


def test_misses_on_both_sides_withdraw_nothing() -> None:
    found = judged("accuracy", [pair(night, 0.9, 0.9 + (0.05 if night % 2 else -0.05)) for night in range(6)])
    assert (found.missed, found.withdrawn) == (6, False)


def test_a_gap_too_small_to_matter_withdraws_nothing() -> None:
    small = [pair(night, 0.9, 0.895, error=0.0001) for night in range(7)]
    assert not judged("accuracy", small).withdrawn
    of_errors = [pair(night, 200.0, 201.0, error=0.0001) for night in range(7)]
    assert not judged("mean_absolute_error", of_errors).withdrawn
    assert judged("mean_absolute_error", [pair(night, 200.0, 210.0, error=0.01) for night in range(7)]).withdrawn


def test_only_the_newest_seven_nights_count_whatever_their_order() -> None:
    before, now = [pair(night, 0.9, 0.5) for night in range(30)], [pair(30 + night, 0.9, 0.9) for night in range(7)]
    assert not judged("accuracy", [*now, *before]).withdrawn
    assert judged("accuracy", before).nights == 7


def test_where_labels_are_missing_their_own_noise_counts() -> None:
    sure = [
        (day, expected, Estimate(value=0.9 - 0.03, error=0.02, rows=100))
        for day, expected, _ in (pair(night, 0.9, 0.0, error=0.002) for night in range(7))
    ]
    assert not judged("accuracy", sure).withdrawn


def test_nothing_to_compare_is_no_verdict() -> None:
    assert judged("accuracy", []) == Judgement("accuracy", 0, 0, None)


@pytest.mark.parametrize(
    ("realised", "low", "withdrawn"), [(0.74, 0.70, False), (0.74, 0.76, True), (0.82, 0.70, True)]
)
def test_what_weights_of_few_rows_have_not_found_is_no_drift(realised: float, low: float, withdrawn: bool) -> None:
    """The interval reaches farther on one side: a gap on that side is what it said could be."""
    expected = Estimate(value=0.78, low=low, high=0.80, error=0.01, rows=400)
    came = Estimate(value=realised, low=realised - 0.02, high=realised + 0.02, error=0.01, rows=400)
    found = judged("roc_auc", [(date(2026, 1, day), expected, came) for day in range(1, 8)], 0.003)
    assert found.withdrawn == withdrawn
