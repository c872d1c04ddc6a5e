"""Counts add up, are kept small, and come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics.counting import count_classes, count_forecasts
from pipeline.metrics.counts import MOST_LEVELS, Counts, merged, unpacked
from pipeline.metrics.measure import measure
from pipeline.metrics.ranking import roc_auc_bound
from pipeline.results import Estimate, Tally
from tests.metrics.cases import SEEDS, classified, forecast, forecasts

EVERY = settings(max_examples=25, deadline=None)


def require_equal(found: dict[str, Estimate], expected: dict[str, Estimate]) -> None:
    assert list(found) == list(expected)
    for name, estimate in expected.items():
        assert found[name].rows == estimate.rows, name
        for end in ("value", "low", "high", "error"):
            given, wanted = getattr(found[name], end), getattr(estimate, end)
            assert given == (None if wanted is None else pytest.approx(wanted, rel=1e-9, abs=1e-9)), (name, end)


@EVERY
@given(SEEDS, st.integers(2, 4), st.integers(1, 60), st.booleans())
def test_single_rows_added_up_are_the_whole(seed: int, known: int, rows: int, strange: bool) -> None:
    case = classified(seed, known, rows, strange=0.1 if strange else 0.0)

    parts = [case.counts(slice(row, row + 1)) for row in range(rows)]

    found, expected = measure(merged(*parts)), measure(case.counts())
    if known > 2:  # no row shows how far classes move together: as far as can be
        for name in {"roc_auc", "average_precision"} & expected.keys():
            ranked, one = expected.pop(name), found.pop(name)
            assert one.value == pytest.approx(ranked.value)
            assert one.error is None or one.error >= ranked.error - 1e-12  # type: ignore[operator]
    require_equal(found, expected)


@EVERY
@given(SEEDS, st.integers(2, 60), st.sampled_from([0.0, 1e6, -1e9]))
def test_single_forecasts_added_up_are_the_whole(seed: int, rows: int, mean: float) -> None:
    truth, said = forecast(seed, rows, mean=mean)

    parts = [count_forecasts(truth[[row]], said[[row]], 0.9) for row in range(rows)]

    found, expected = measure(merged(*parts)), measure(count_forecasts(truth, said, 0.9))
    assert list(found) == list(expected)
    for name, estimate in expected.items():
        assert found[name].value == pytest.approx(estimate.value, rel=1e-6, abs=1e-9), name
        assert found[name].error == pytest.approx(estimate.error, rel=1e-4), name


@EVERY
@given(SEEDS, st.integers(2, 4), st.lists(st.integers(1, 40), min_size=2, max_size=5), st.randoms())
def test_the_order_of_nights_does_not_matter(seed: int, known: int, nights: list[int], shuffled: object) -> None:
    parts = [classified(seed + night, known, rows, digits=6).counts() for night, rows in enumerate(nights)]
    parts += [unpacked(part.packed()) for part in parts]
    other = list(parts)
    shuffled.shuffle(other)  # type: ignore[attr-defined]

    assert measure(merged(*parts)) == measure(merged(*other))
    require_equal(measure(merged(merged(*parts[:2]), *parts[2:])), measure(merged(*parts)))


@EVERY
@given(SEEDS, st.lists(st.integers(1, 40), min_size=2, max_size=5), st.randoms())
def test_nor_does_that_of_nights_of_forecasts(seed: int, nights: list[int], shuffled: object) -> None:
    parts = [forecasts(seed + night, rows, 0.5) for night, rows in enumerate(nights)]
    other = list(parts)
    shuffled.shuffle(other)  # type: ignore[attr-defined]

    assert measure(merged(*parts)) == measure(merged(*other))


@EVERY
@given(SEEDS, st.integers(2, 4), st.integers(1, 300), st.booleans())
def test_a_tally_of_few_rows_is_measured_like_the_rows(seed: int, known: int, rows: int, strange: bool) -> None:
    counts = classified(seed, known, rows, strange=0.1 if strange else 0.0, digits=4).counts()

    kept = Tally.model_validate_json(counts.packed().to_json())

    found, expected = measure(unpacked(kept)), measure(counts)
    for name, estimate in expected.items():
        assert found[name].value == pytest.approx(estimate.value, abs=1e-6), name
        assert found[name].error == (None if estimate.error is None else pytest.approx(estimate.error, abs=1e-5)), name
    assert unpacked(kept).packed() == kept


def test_so_is_a_tally_of_forecasts() -> None:
    counts = forecasts(1, 500, 0.5)

    kept = Tally.model_validate_json(counts.packed().to_json())

    assert measure(unpacked(kept)) == measure(counts)
    assert unpacked(kept).packed() == kept


def _scores(shape: str, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores that are spread over all of [0, 1], crowded at an end, in a narrow band, or beyond [0, 1]."""
    random = np.random.default_rng(5)
    truth = random.integers(0, 2, rows)
    signal = random.normal(truth - 0.5, 1)
    likely = 1 / (1 + np.exp(-signal))
    return truth, {
        "spread": likely,
        "rare": likely * 1e-5,
        "sure": 1 - likely * 1e-6,
        "narrow": 0.01 + 0.001 * likely,
        "logits": 3 * signal,
        "large": 1e9 * np.exp(signal),
    }[shape]


@pytest.mark.parametrize("shape", ["spread", "rare", "sure", "narrow", "logits", "large"])
def test_the_ranks_of_rounded_scores_are_within_their_bound_and_far_within_the_noise(shape: str) -> None:
    truth, score = _scores(shape, 200_000)
    counts = count_classes(truth, None, ([1], score[:, None]), 2, 1)

    kept = unpacked(counts.packed())

    level = kept.levels[1]
    assert len(level.scores) <= MOST_LEVELS
    exact, rounded = measure(counts), measure(kept)
    bound = roc_auc_bound(level.own.astype(float), level.others.astype(float))
    assert 0 < abs(rounded["roc_auc"].value - exact["roc_auc"].value) <= bound < 0.002
    for name in ("roc_auc", "average_precision"):
        error = exact[name].error
        assert error is not None
        assert abs(rounded[name].value - exact[name].value) < error / 50, name
        assert rounded[name].error == pytest.approx(error, rel=0.01), name
    for name in {"log_loss", "brier_score"} & exact.keys():
        assert rounded[name] == exact[name]
    if "calibration_error" in exact:
        assert rounded["calibration_error"].value == pytest.approx(exact["calibration_error"].value, abs=1e-4)


@pytest.mark.parametrize("known", [2, 3, 10, 50])
def test_a_tally_stays_small(known: int) -> None:
    rows = 60_000
    case = classified(3, known, rows, digits=15)

    assert len(case.counts().packed().to_json()) < 60_000
    assert len(forecasts(3, rows).packed().to_json()) < 60_000


def test_numbers_of_rows_in_a_tally_take_no_more_space_than_their_digits() -> None:
    """5,000,000 rows have at most three digits more in each level than these 5,000 times as few."""
    many = classified(3, 2, 1_000, digits=15).counts()
    more = merged(*[unpacked(many.packed())] * 5_000)

    assert len(more.packed().to_json()) < len(many.packed().to_json()) + 2 * 4 * 1_000


def test_no_label_prediction_or_row_is_in_a_tally() -> None:
    assert set(Tally.model_fields) == {
        "task", "rows", "known", "positive", "cells", "event", "levels", "confidence", "probable",
        "together", "losses", "moments", "residuals", "quantile", "lost", "notes",
    }  # fmt: skip


def test_nights_of_different_classes_are_not_added_up() -> None:
    with pytest.raises(ValueError, match="same classes"):
        merged(classified(1, 2, 10).counts(), classified(1, 3, 10).counts())
    with pytest.raises(ValueError, match="same task"):
        merged(classified(1, 2, 10).counts(), forecasts(1, 10))


def test_percentages_and_probabilities_are_not_ranked_together() -> None:
    case = classified(1, 2, 100)
    percent = count_classes(case.truth, case.said, ([1], 100 * case.probabilities[:, [1]]), 2, 1)

    both = merged(case.counts(), percent)

    found = measure(both)
    assert not {"roc_auc", "average_precision", "log_loss", "brier_score", "calibration_error"} & found.keys()
    assert found["accuracy"].rows == 200
    assert any("another kind on some nights" in note for note in both.notes)


def test_a_metric_that_was_lost_one_night_is_not_measured_over_all() -> None:
    fine, huge = forecasts(1, 50), count_forecasts(np.array([1e200, 2.0]), np.array([-1e200, 3.0]))

    found = measure(merged(fine, huge))

    assert found["mean_absolute_percentage_error"].rows == 52
    assert not {"mean_absolute_error", "root_mean_squared_error", "r2", "mean_error"} & found.keys()


def test_quantiles_that_changed_are_not_added_up() -> None:
    found = measure(merged(forecasts(1, 50, 0.5), forecasts(2, 50, 0.9)))

    assert "quantile_loss" not in found
    assert found["mean_absolute_error"].rows == 100


def test_a_night_without_a_row_changes_nothing() -> None:
    none = np.array([], dtype=np.int64)
    empty = count_classes(none, none, ([1], np.empty((0, 1))), 2, 1)
    case = classified(1, 2, 50)

    assert measure(empty) == {}
    assert measure(merged(empty, case.counts())) == measure(case.counts())
    nothing = Counts("regression", 0)
    assert measure(merged(nothing, forecasts(1, 20))) == measure(forecasts(1, 20))


def test_classes_that_are_one_question_move_together_and_others_less() -> None:
    """Of two classes of three that are never told apart from their complements, and of three that are."""
    random = np.random.default_rng(0)
    rows = 3_000
    truth = random.integers(0, 2, rows)
    likely = 1 / (1 + np.exp(-random.normal(truth - 0.5, 1)))
    two_of_three = np.column_stack([1 - likely, likely, np.zeros(rows)])

    same = count_classes(truth, None, (range(3), two_of_three), 3, None)
    apart = classified(1, 3, rows, digits=9).counts()

    assert same.together["roc_auc"][0] == rows
    assert same.together["roc_auc"][1] == pytest.approx(1.0)
    assert 0.3 < apart.together["roc_auc"][1] < 0.9
    assert merged(same, same).together["roc_auc"] == (2 * rows, same.together["roc_auc"][1])
    assert merged(same, classified(1, 3, 5).counts()).together["roc_auc"][0] == rows
