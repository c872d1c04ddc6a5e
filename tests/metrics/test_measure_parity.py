"""Every metric against scikit-learn's own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import sklearn.metrics as known
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning

from pipeline.metrics.counting import count_classes, count_forecasts
from pipeline.metrics.measure import measure
from pipeline.results import METRICS
from tests.metrics.cases import SEEDS, Classified, classified, forecast

EVERY = settings(max_examples=40, deadline=None)


@pytest.fixture(autouse=True)
def _nothing_undefined_is_said() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true")
        warnings.filterwarnings("ignore", "A single label was found")
        yield


def of_predictions(case: Classified) -> dict[str, float]:
    truth, said = case.truth, case.said
    found = {
        "accuracy": known.accuracy_score(truth, said),
        "balanced_accuracy": known.balanced_accuracy_score(truth, said),
        "matthews_correlation": known.matthews_corrcoef(truth, said),
    }
    means = {"_macro": "macro", "_weighted": "weighted"}
    for ending, average in means.items():
        parts = known.precision_recall_fscore_support(truth, said, average=average, zero_division=0.0)
        found |= {f"{name}{ending}": part for name, part in zip(("precision", "recall", "f1"), parts, strict=False)}
    there = np.unique(truth)  # a class that no row has as label does not count
    options = {"labels": [1], "average": None} if case.known == 2 else {"labels": there, "average": "macro"}
    parts = known.precision_recall_fscore_support(truth, said, zero_division=0.0, **options)
    return found | {
        name: float(np.mean(part)) for name, part in zip(("precision", "recall", "f1"), parts, strict=False)
    }


def of_ranks(case: Classified) -> dict[str, float]:
    truth, given = case.truth, case.probabilities
    watched = [1] if case.known == 2 else [code for code in range(case.known) if (truth == code).any()]
    formulas = {"roc_auc": known.roc_auc_score, "average_precision": known.average_precision_score}
    return {
        name: float(np.mean([formula(truth == code, given[:, code]) for code in watched]))
        for name, formula in formulas.items()
    }


def of_probabilities(case: Classified) -> dict[str, float]:
    truth = (case.truth == 1).astype(int) if case.known == 2 else case.truth
    labels = range(case.known)
    return {
        "log_loss": known.log_loss(truth, case.probabilities, labels=labels),
        "brier_score": known.brier_score_loss(truth, case.probabilities, labels=labels),
    }


def require(found: dict[str, float], expected: dict[str, float]) -> None:
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


@EVERY
@given(SEEDS, st.integers(2, 5), st.integers(0, 200), st.integers(0, 3))
def test_classes(seed: int, many: int, more: int, digits: int) -> None:
    case = classified(seed, many, many + more, digits=digits)

    found = {name: estimate.value for name, estimate in measure(case.counts()).items()}

    require(found, of_predictions(case) | of_ranks(case) | of_probabilities(case))
    assert set(found) == {name for name, kind in METRICS.items() if kind.task == "classification"}
    assert list(found) == [name for name in METRICS if name in found]


@EVERY
@given(SEEDS, st.integers(2, 5), st.integers(20, 200))
def test_labels_and_predictions_that_are_none_of_the_classes(seed: int, many: int, rows: int) -> None:
    """As scikit-learn has it where they are one value: one more class, which no score is about."""
    case = classified(seed, many, rows, strange=0.15)

    found = {name: estimate.value for name, estimate in measure(case.counts()).items()}

    require(found, of_predictions(case) | of_ranks(case) | (of_probabilities(case) if many == 2 else {}))
    if many > 2:  # what no class was meant by has no probability: it counts for nothing in the log loss
        meant = case.truth < many
        part = Classified(case.truth[meant], case.said[meant], case.probabilities[meant], many)
        assert found["log_loss"] == pytest.approx(of_probabilities(part)["log_loss"])


def test_values_that_are_none_of_the_classes_are_right_only_where_they_are_the_same() -> None:
    truth, said = np.array([0, 1, 2, 3, 3]), np.array([0, 1, 2, 4, 3])

    found = measure(count_classes(truth, said, None, 2, 1))

    assert found["accuracy"].value == pytest.approx(4 / 5)
    # Together one class, 2 of 3 of which are right, and one for what was said of the third.
    assert found["recall_macro"].value == pytest.approx((1 + 1 + 2 / 3 + 0) / 4)


@EVERY
@given(SEEDS, st.integers(2, 4), st.integers(1, 60))
def test_labels_of_one_class_only_have_what_is_defined(seed: int, many: int, rows: int) -> None:
    case = classified(seed, many, rows)
    case = Classified(np.zeros_like(case.truth), case.said, case.probabilities, many)

    found = {name: estimate.value for name, estimate in measure(case.counts()).items()}

    expected = of_predictions(case)
    missing = {"matthews_correlation", *(("precision", "recall", "f1") if many == 2 else ())}
    require(found, {name: value for name, value in expected.items() if name not in missing})
    assert not found.keys() & (missing | {"roc_auc"})
    assert found["log_loss"] == pytest.approx(known.log_loss(case.truth, case.probabilities, labels=range(many)))


@EVERY
@given(SEEDS, st.integers(2, 200), st.sampled_from([0.0, 1.0, 1e6, -1e9]), st.sampled_from([0.1, 0.5, 0.95]))
def test_forecasts(seed: int, rows: int, mean: float, quantile: float) -> None:
    truth, said = forecast(seed, rows, mean=mean)

    found = {name: estimate.value for name, estimate in measure(count_forecasts(truth, said, quantile)).items()}

    require(
        found,
        {
            "mean_absolute_error": known.mean_absolute_error(truth, said),
            "root_mean_squared_error": known.root_mean_squared_error(truth, said),
            "mean_error": float((said - truth).mean()),
            "mean_absolute_percentage_error": known.mean_absolute_percentage_error(truth, said),
            "quantile_loss": known.mean_pinball_loss(truth, said, alpha=quantile),
        },
    )
    assert found["r2"] == pytest.approx(known.r2_score(truth, said), rel=1e-6)


def test_where_a_truth_is_0_the_percentage_error_is_the_symmetric_one() -> None:
    found = measure(count_forecasts(np.array([0.0, 0.0, 4.0]), np.array([0.0, 1.0, 2.0])))

    assert "mean_absolute_percentage_error" not in found
    assert found["symmetric_mean_absolute_percentage_error"].value == pytest.approx((0 + 2 + 2 / 3) / 3)
