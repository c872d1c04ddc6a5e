"""What stands behind the metrics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics.counting import count_classes, count_forecasts
from pipeline.metrics.counts import unpacked
from pipeline.metrics.details import MOST_CLASSES, by_class, details
from pipeline.metrics.measure import measure
from pipeline.results import ClassPerformance
from tests.metrics.cases import SEEDS, classified, forecasts


def test_labels_by_predictions_with_what_is_none_of_the_classes_last() -> None:
    truth, said = np.array([0, 0, 1, 1, 2, 3]), np.array([0, 1, 1, 1, 2, 2])

    found = details(count_classes(truth, said, None, 2, 1), ["no", "yes"])

    assert found.classes == ("no", "yes", "other")
    assert found.confusion == ((1, 1, 0), (0, 2, 0), (0, 0, 2))
    plain = details(count_classes(truth[:4], said[:4], None, 2, 1), ["no", "yes"])
    assert plain.classes == ("no", "yes")
    assert plain.confusion == ((1, 1), (0, 2))


def test_a_private_label_and_many_classes_have_none() -> None:
    assert details(classified(1, 2, 20).counts()).confusion == ()
    assert by_class(classified(1, 2, 20).counts(), []) == []
    many = count_classes(np.arange(60), np.arange(60), None, 60, None)
    names = [str(code) for code in range(60)]
    assert details(many, names).classes == ()
    assert len(by_class(many, names)) == MOST_CLASSES


def test_every_class_by_itself() -> None:
    truth, said = np.array([0, 0, 1, 1, 4, 5]), np.array([0, 1, 1, 1, 0, 4])

    found = by_class(count_classes(truth, said, None, 3, None), ["a", "b", "c"])

    assert found == [
        ClassPerformance(name="a", support=2, predicted=2, precision=0.5, recall=0.5, f1=0.5),
        ClassPerformance(name="b", support=2, predicted=3, precision=2 / 3, recall=1.0, f1=0.8),
        ClassPerformance(name="c", support=0, predicted=0),
        ClassPerformance(name="not a known class", support=2, predicted=1, precision=0.0, recall=0.0, f1=0.0),
    ]
    assert len(by_class(count_classes(truth[:4], said[:4], None, 3, None), ["a", "b", "c"])) == 3


@settings(max_examples=50, deadline=None)
@given(SEEDS, st.integers(2, 4), st.integers(1, 300), st.integers(0, 8))
def test_calibration_groups_hold_all_rows_and_make_the_calibration_error(
    seed: int, known: int, rows: int, digits: int
) -> None:
    counts = classified(seed, known, rows, digits=digits).counts()

    found = details(counts).calibration

    assert sum(group.rows for group in found) == rows
    assert {group.rows for group in found} <= {rows // 10, -(-rows // 10)}
    error = sum(group.rows * abs(group.score - group.share) for group in found) / rows
    assert measure(counts)["calibration_error"].value == pytest.approx(error)
    scores = [group.score for group in found]
    assert scores == pytest.approx(sorted(scores))


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    case = classified(1, 2, 50)
    assert details(count_classes(case.truth, None, ([1], 10 * case.probabilities[:, [1]]), 2, 1)).calibration == ()


@pytest.mark.parametrize("kept", [False, True])
def test_residuals_are_forecast_minus_truth_in_few_bars(kept: bool) -> None:
    random = np.random.default_rng(0)
    residual = np.concatenate([random.normal(5, 1, 10_000), [1e6, -3e4]])
    counts = count_forecasts(np.zeros(len(residual)), residual)

    found = details(unpacked(counts.packed()) if kept else counts).residuals

    assert found is not None
    assert len(found.counts) == 30
    assert len(found.edges) == 31
    assert list(found.edges) == sorted(found.edges)
    assert sum(found.counts) == len(residual)
    assert found.edges[0] == pytest.approx(-3e4, rel=0.02)
    assert found.edges[-1] == pytest.approx(1e6, rel=0.02)
    expected, _ = np.histogram(residual, found.edges)
    assert np.abs(np.array(found.counts[1:-1]) - expected[1:-1]).sum() < 0.02 * len(residual)  # cells across an edge
    middle = found.edges[1:-1]
    assert 1 < middle[0] < 4 < 6 < middle[-1] < 9


@pytest.mark.parametrize("residual", [[0.0, 0.0], [3.0], [-1e300, 1e300], [1e-300], [-5.0, -5.0, -5.0]])
def test_any_residuals_have_bars_that_hold_them(residual: list[float]) -> None:
    found = details(count_forecasts(np.zeros(len(residual)), np.array(residual))).residuals

    assert found is not None
    assert sum(found.counts) == len(residual)
    assert len(found.counts) <= 30


def test_a_night_without_rows_has_no_details() -> None:
    none = np.array([], dtype=np.int64)
    assert details(count_classes(none, none, None, 2, 1), ["a", "b"]).confusion == ()
    assert details(count_forecasts(np.array([]), np.array([]))).residuals is None
    assert details(forecasts(1, 10)).confusion == ()
