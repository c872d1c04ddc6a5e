"""Every metric against scikit-learn's own, on weighted rows."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as known
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics.counting import count_classes, count_forecasts
from pipeline.metrics.draws import Answers, Classification, Regression
from pipeline.metrics.measure import measure

SEEDS = st.integers(0, 2**32 - 1)


def sample(seed: int, classes: int, rows: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), random.integers(0, classes, rows - classes)])
    raw = random.random((rows, classes)).round(1) + 0.05 + 0.6 * (np.arange(classes) == truth[:, None])
    weights = random.integers(0, 4, (2, rows)).astype(float)
    weights[:, :classes] = 1.0  # each class is there
    return truth, raw / raw.sum(axis=1, keepdims=True), weights


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_two_classes(seed: int) -> None:
    truth, probabilities, weights = sample(seed, 2)
    said = (probabilities[:, 1] > 0.5).astype(int)

    found = Classification(truth, Answers(said, (0, 1), probabilities), [0, 1]).metrics(weights)

    for draw, row in enumerate(weights):
        precision, recall, f1, _ = known.precision_recall_fscore_support(
            truth, said, average="binary", sample_weight=row, zero_division=0.0
        )
        expected = {
            "accuracy": known.accuracy_score(truth, said, sample_weight=row),
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "roc_auc": known.roc_auc_score(truth, probabilities[:, 1], sample_weight=row),
            "log_loss": known.log_loss(truth, probabilities, sample_weight=row),
        }
        for name, value in expected.items():
            assert found[name][draw] == pytest.approx(value, abs=1e-9), name


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_four_classes(seed: int) -> None:
    truth, probabilities, weights = sample(seed, 4)
    said = probabilities.argmax(axis=1)

    found = Classification(truth, Answers(said, (0, 1, 2, 3), probabilities), [0, 1, 2, 3]).metrics(weights)

    for draw, row in enumerate(weights):
        precision, recall, f1, _ = known.precision_recall_fscore_support(
            truth, said, average="macro", sample_weight=row, zero_division=0.0
        )
        areas = [known.roc_auc_score(truth == code, probabilities[:, code], sample_weight=row) for code in range(4)]
        assert found["precision"][draw] == pytest.approx(precision)
        assert found["recall"][draw] == pytest.approx(recall)
        assert found["f1"][draw] == pytest.approx(f1)
        assert found["roc_auc"][draw] == pytest.approx(np.mean(areas))
        assert found["log_loss"][draw] == pytest.approx(known.log_loss(truth, probabilities, sample_weight=row))


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_regression(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.normal(1e6, 3, 80)
    said = truth + random.normal(0, 1, 80)
    weights = random.integers(0, 4, (2, 80)).astype(float)
    weights[:, :2] = 1.0

    found = Regression(truth, Answers(said)).metrics(weights)

    for draw, row in enumerate(weights):
        expected = {
            "mean_absolute_error": known.mean_absolute_error(truth, said, sample_weight=row),
            "root_mean_squared_error": known.root_mean_squared_error(truth, said, sample_weight=row),
            "r2": known.r2_score(truth, said, sample_weight=row),
        }
        for name, value in expected.items():
            assert found[name][draw] == pytest.approx(value, rel=1e-9), name


def test_calibration_error_by_hand() -> None:
    """Ten groups of one row each: the error is the mean distance of probability and truth."""
    sure = np.array([0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95])
    truth = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    answers = Answers((sure > 0.5).astype(int), (0, 1), np.column_stack([1 - sure, sure]))

    found = Classification(truth, answers, [0, 1]).metrics(np.ones((1, 10)))

    assert found["calibration_error"][0] == pytest.approx(0.25)


def test_a_draw_with_one_class_has_no_roc_auc() -> None:
    truth, probabilities, _ = sample(1, 2)
    weights = (truth == 0).astype(float)[None, :]

    found = Classification(truth, Answers(truth, (0, 1), probabilities), [0, 1]).metrics(weights)

    assert np.isnan(found["roc_auc"][0])
    assert found["accuracy"][0] == 1.0


def test_classes_the_model_does_not_know_and_answers_that_are_no_class() -> None:
    truth = np.array(["a", "b", "c", "c"], dtype=object)
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.5, 0.5]])
    answers = Answers(np.array(["a", "b", "z", "b"], dtype=object), ("a", "b"), probabilities)

    found = Classification(truth, answers, ["a", "b", "c"]).metrics(np.ones((1, 4)))

    assert found["accuracy"][0] == 0.5
    assert found["recall"][0] == pytest.approx(2 / 3)
    assert np.isfinite(found["log_loss"][0])


def test_without_probabilities_only_hits_are_counted() -> None:
    found = Classification(np.array([0, 1]), Answers(np.array([0, 0])), [0, 1]).metrics(np.ones((1, 2)))

    assert {"accuracy", "precision", "recall", "f1"} < set(found)
    assert not {"roc_auc", "average_precision", "log_loss", "brier_score", "calibration_error"} & set(found)
    assert (found["accuracy"][0], found["precision"][0]) == (0.5, 0.0)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(2, 3), st.integers(0, 1))
def test_the_positive_class_is_the_one_that_is_asked_for(seed: int, classes: int, positive: int) -> None:
    truth, probabilities, weights = sample(seed, classes)
    said = probabilities.argmax(axis=1)
    asked = Answers(said, tuple(range(classes)), probabilities)

    found = Classification(truth, asked, range(classes), positive).metrics(weights)

    for draw, row in enumerate(weights):
        own = truth == positive
        precision, recall, _, _ = known.precision_recall_fscore_support(
            own, said == positive, average="binary", sample_weight=row, zero_division=0.0
        )
        assert found["precision"][draw] == pytest.approx(precision)
        assert found["recall"][draw] == pytest.approx(recall)
        area = known.roc_auc_score(own, probabilities[:, positive], sample_weight=row)
        assert found["roc_auc"][draw] == pytest.approx(area)


def test_a_class_that_no_row_has_is_not_ranked() -> None:
    truth, probabilities, weights = sample(1, 2)
    three = Answers(truth, (0, 1, 2), np.column_stack([probabilities, np.zeros(len(truth))]))
    found = Classification(truth, three, [0, 1, 2]).metrics(weights)
    for draw, row in enumerate(weights):
        areas = [known.roc_auc_score(truth == one, probabilities[:, one], sample_weight=row) for one in (0, 1)]
        assert found["roc_auc"][draw] == pytest.approx(sum(areas) / 2)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.integers(2, 4), st.booleans())
def test_weights_are_repeated_rows_and_formulas_those_of_a_night(seed: int, classes: int, strange: bool) -> None:
    truth, probabilities, weights = sample(seed, classes)
    said = probabilities.argmax(axis=1)
    if strange:
        said = np.where(np.random.default_rng(seed).random(len(said)) < 0.1, classes, said)
    names, positive = range(classes), 1 if classes == 2 else None

    found = Classification(truth, Answers(said, tuple(names), probabilities), names).metrics(weights)

    for draw, row in enumerate(weights):
        rows = np.repeat(np.arange(len(truth)), row.astype(int))
        scores = (list(names), probabilities[rows])
        night = measure(count_classes(truth[rows], said[rows], scores, classes, positive))
        assert set(night) == set(found)
        for name, estimate in night.items():
            if name != "calibration_error":  # its groups are made before rows are drawn
                assert found[name][draw] == pytest.approx(estimate.value), name


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.booleans())
def test_weights_of_forecasts_too(seed: int, zero: bool) -> None:
    random = np.random.default_rng(seed)
    truth = random.normal(5, 3, 80)
    truth[0] = 0.0 if zero else 1.0
    said = truth + random.normal(0.3, 1, 80)
    weights = random.integers(0, 4, (2, 80)).astype(float)
    weights[:, :2] = 1.0

    found = Regression(truth, Answers(said), 0.8).metrics(weights)

    for draw, row in enumerate(weights):
        rows = np.repeat(np.arange(80), row.astype(int))
        night = measure(count_forecasts(truth[rows], said[rows], 0.8))
        assert set(night) == set(found)
        for name, estimate in night.items():
            assert found[name][draw] == pytest.approx(estimate.value), name


def test_only_what_is_asked_for_is_measured() -> None:
    truth, probabilities, weights = sample(1, 2)
    measured = Classification(truth, Answers(truth, (0, 1), probabilities), [0, 1])

    assert set(measured.metrics(weights, ["roc_auc", "f1", "r2"])) == {"roc_auc", "f1"}
    assert set(measured.metrics(weights)) == set(measured.names)
    assert set(Regression(truth, Answers(truth)).metrics(weights, ["r2", "f1"])) == {"r2"}
