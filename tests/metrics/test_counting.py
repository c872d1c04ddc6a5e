"""What is counted of rows that are as they come."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.metrics.counting import count_classes, count_forecasts
from pipeline.metrics.measure import measure, measure_one
from pipeline.metrics.ranking import roc_auc_error
from tests.metrics.cases import classified, forecasts

NAN = float("nan")
OF_SCORES = {"roc_auc", "average_precision", "log_loss", "brier_score", "calibration_error"}
OF_PROBABILITIES = {"log_loss", "brier_score", "calibration_error"}


def test_each_metric_is_of_the_rows_that_it_can_be_measured_on() -> None:
    truth = np.array([0, 1, 1, 0, -1, 1])
    said = np.array([0, 1, -1, 1, 1, -1])
    score = np.array([0.1, NAN, 0.8, 0.6, 0.9, NAN])

    counts = count_classes(truth, said, ([1], score[:, None]), 2, 1)

    found = measure(counts)
    assert counts.rows == 4  # the last one has nothing but its label, the one before not even that
    assert found["accuracy"].value == pytest.approx(2 / 3)
    assert found["accuracy"].rows == 3
    assert (found["roc_auc"].value, found["roc_auc"].rows) == (1.0, 3)
    assert found["brier_score"].value == pytest.approx((0.01 + 0.04 + 0.36) / 3)


def test_forecasts_are_counted_in_pairs() -> None:
    counts = count_forecasts(np.array([1.0, NAN, 3.0]), np.array([2.0, 2.0, NAN]))

    assert counts.rows == 1
    assert measure(counts)["mean_absolute_error"].value == 1.0


def test_without_predictions_or_without_scores_the_other_is_measured() -> None:
    case = classified(1, 2, 100)

    of_predictions = measure(count_classes(case.truth, case.said, None, 2, 1))
    of_scores = measure(count_classes(case.truth, None, ([1], case.probabilities[:, [1]]), 2, 1))

    assert set(of_scores) == OF_SCORES
    assert of_predictions | of_scores == measure(case.counts())


def test_percentages_are_ranked_and_it_is_said() -> None:
    case = classified(1, 2, 200, digits=4)

    counts = count_classes(case.truth, case.said, ([1], 100 * case.probabilities[:, [1]]), 2, 1)

    found, expected = measure(counts), measure(case.counts())
    assert not OF_PROBABILITIES & found.keys()
    assert found["roc_auc"].value == pytest.approx(expected["roc_auc"].value)
    assert found["average_precision"].value == pytest.approx(expected["average_precision"].value)
    assert len(counts.notes) == 1
    assert "outside [0, 1], and look like percentages, so log loss, Brier score and calibration" in counts.notes[0]


def test_scores_beyond_everything_are_ranked_and_it_is_said() -> None:
    truth, score = np.array([0, 0, 1, 1]), np.array([-np.inf, 0.3, 0.3, np.inf])

    counts = count_classes(truth, None, ([1], score[:, None]), 2, 1)

    found = measure(counts)
    assert set(found) == {"roc_auc", "average_precision"}
    assert found["roc_auc"].value == pytest.approx(0.875)
    (note,) = counts.notes
    assert note.startswith("the scores of 2 rows are outside [0, 1], so log loss, Brier score and calibration are not")
    assert note.endswith("ROC AUC and average precision are, of ranks")


def test_probabilities_of_single_precision_are_probabilities() -> None:
    score = np.array([1.0000001, -0.0000001, 0.4])

    counts = count_classes(np.array([1, 0, 0]), None, ([1], score[:, None]), 2, 1)

    assert counts.probable
    assert measure(counts)["brier_score"].value == pytest.approx(0.16 / 3)


@pytest.mark.parametrize("known", [2, 3])
def test_scores_that_do_not_add_up_to_1_are_ranked_and_it_is_said(known: int) -> None:
    case = classified(1, known, 100)
    given = case.probabilities.copy()
    given[:7] *= 0.9

    counts = count_classes(case.truth, case.said, (range(known), given), known, None)

    assert measure(counts).keys() & OF_SCORES == {"roc_auc", "average_precision"}
    assert counts.notes[0].startswith("the scores of 7 rows do not add up to 1 over the classes, so log loss")
    given = case.probabilities + 0.009 / known
    assert count_classes(case.truth, case.said, (range(known), np.minimum(given, 1)), known, None).probable


def test_two_columns_say_the_same_as_that_of_the_positive_class() -> None:
    case = classified(1, 2, 100)

    both = count_classes(case.truth, case.said, ([1, 0], case.probabilities[:, ::-1]), 2, 1)

    assert measure(both) == measure(case.counts())


def test_the_score_of_the_other_one_of_two_classes_is_turned_round() -> None:
    case = classified(1, 2, 100)
    other = case.probabilities[:, [0]]

    for scale in (1, 100):
        expected = measure(count_classes(case.truth, None, ([1], scale * case.probabilities[:, [1]]), 2, 1))
        found = measure(count_classes(case.truth, None, ([0], scale * other), 2, 1))
        assert found.keys() == expected.keys()
        for name, estimate in expected.items():
            assert found[name].value == pytest.approx(estimate.value), name


def test_columns_may_come_in_any_order() -> None:
    case = classified(1, 4, 100)

    turned = count_classes(case.truth, case.said, ([3, 2, 1, 0], case.probabilities[:, ::-1]), 4, None)

    found, expected = measure(turned), measure(case.counts())
    for name, estimate in expected.items():
        assert found[name].value == pytest.approx(estimate.value), name


def test_of_several_classes_with_a_positive_one_this_is_ranked() -> None:
    case = classified(1, 3, 200)

    found = measure(count_classes(case.truth, case.said, (range(3), case.probabilities), 3, 2))

    alone = measure(count_classes(case.truth, case.said, ([2], case.probabilities[:, [2]]), 3, 2))
    for name in ("roc_auc", "average_precision", "precision", "recall", "f1"):
        assert found[name] == alone[name]
    assert found["log_loss"] == measure(case.counts())["log_loss"]  # of all classes all the same


def test_a_class_without_a_score_was_held_impossible() -> None:
    truth, given = np.array([0, 1, 2, 2]), np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.5, 0.5]])

    found = measure(count_classes(truth, None, ([0, 1], given), 3, None))

    impossible = -np.log(np.finfo(float).eps)
    assert found["log_loss"].value == pytest.approx((-np.log(0.9) - np.log(0.8) + 2 * impossible) / 4)
    assert found["roc_auc"].value == 1.0


def test_a_column_without_any_number_leaves_the_ranks_of_the_others() -> None:
    case = classified(1, 3, 100)
    given = case.probabilities.copy()
    given[:, 2] = NAN

    found = measure(count_classes(case.truth, case.said, (range(3), given), 3, None))

    assert found.keys() & OF_SCORES == {"roc_auc", "average_precision"}


def test_a_class_of_thousands_takes_no_table() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 100_000, 1000)

    counts = count_classes(truth, np.where(random.random(1000) < 0.5, truth, 7), None, 100_000, None)

    assert len(counts.packed().cells) < 20_000
    assert 0.4 < measure(counts)["accuracy"].value < 0.6


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ([1e200, 2.0], [-1e200, 2.0]),
        ([np.inf, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [-np.inf, 2.0]),
        ([np.inf, 2.0], [np.inf, 2.0]),
        ([1.7e308, -1.7e308], [-1.7e308, 1.7e308]),
    ],
)
def test_what_is_out_of_all_range_is_missing_and_never_wrong(truth: list[float], said: list[float]) -> None:
    counts = count_forecasts(np.array(truth), np.array(said), 0.5)

    found = measure(counts)

    assert not {"mean_absolute_error", "root_mean_squared_error", "r2", "quantile_loss"} & found.keys()
    assert counts.packed().to_json()


def test_squares_that_vanish_are_missing() -> None:
    found = measure(count_forecasts(np.array([1e-200, 2e-200, 5e-200]), np.array([2e-200, 2e-200, 2e-200])))

    assert found["mean_absolute_error"].value == pytest.approx(4e-200 / 3)
    assert not {"root_mean_squared_error", "r2"} & found.keys()


def test_labels_that_do_not_differ_have_no_r2() -> None:
    for label in (0.1, 1e9 + 0.1, 0.0):
        found = measure(count_forecasts(np.full(7, label), np.full(7, label) + np.arange(7)))
        assert "r2" not in found
        assert found["mean_error"].value == pytest.approx(3.0)


def test_large_labels_lose_no_digits() -> None:
    random = np.random.default_rng(0)
    truth, noise = random.normal(0, 1, 1000), random.normal(0, 0.5, 1000)

    near, far = (measure(count_forecasts(truth + base, truth + base + noise)) for base in (0.0, 1e9))

    for name in ("mean_absolute_error", "root_mean_squared_error", "r2", "mean_error"):
        assert far[name].value == pytest.approx(near[name].value, rel=1e-5), name
        assert far[name].error == pytest.approx(near[name].error, rel=1e-4), name


def test_both_percentage_errors_can_be_asked_for() -> None:
    counts = forecasts(1, 50)

    assert "symmetric_mean_absolute_percentage_error" not in measure(counts)
    assert measure_one(counts, "symmetric_mean_absolute_percentage_error") is not None
    assert measure_one(counts, "accuracy") is None


def test_a_single_row_of_a_kind_has_a_roc_auc_without_an_interval() -> None:
    found = measure(count_classes(np.array([0, 0, 1]), None, ([1], np.array([[0.1], [0.7], [0.5]])), 2, 1))

    assert (found["roc_auc"].value, found["roc_auc"].error, found["roc_auc"].low) == (0.5, None, None)
    assert roc_auc_error(np.array([0.0, 1.0]), np.array([2.0, 0.0])) is None


def test_roc_auc_and_its_error_by_hand() -> None:
    """Positive at 0.4, 0.6, 0.9 and others at 0.1, 0.6: of 6 pairs 4.5 are in order.

    Placements of the positive ones are 0.5, 0.75 and 1 with variance 1/16; of the others 1 and 0.5 with variance 1/8.
    """
    truth, score = np.array([1, 1, 1, 0, 0]), np.array([0.4, 0.6, 0.9, 0.1, 0.6])

    found = measure(count_classes(truth, None, ([1], score[:, None]), 2, 1))["roc_auc"]

    assert found.value == pytest.approx(4.5 / 6)
    assert found.error == pytest.approx((1 / 16 / 3 + 1 / 8 / 2) ** 0.5)


def test_the_score_is_not_changed() -> None:
    case = classified(1, 3, 50)
    given = case.probabilities.copy()
    case.counts()
    assert (given == case.probabilities).all()


def test_scores_and_numbers_of_any_type_are_read() -> None:
    case = classified(1, 3, 50)
    single = case.probabilities.astype(np.float32)

    found = count_classes(case.truth, case.said, (range(3), single), 3, None)  # type: ignore[arg-type]

    assert measure(found)["roc_auc"].value == pytest.approx(measure(case.counts())["roc_auc"].value, abs=1e-3)
    assert found.packed().levels[0].step == 0
    whole = count_forecasts(np.arange(5), np.arange(5) + 1)  # type: ignore[arg-type]
    assert measure(whole)["mean_error"].value == 1.0
