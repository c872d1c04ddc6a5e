"""Realised performance where labels have arrived."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.checks.performance.measure import join_labels, measure, metrics
from pipeline.config import ColumnRoles

ROLES = ColumnRoles(id="id", label="y", prediction="p", score="s")


def frame(labels: list[object], predictions: list[object], scores: list[float] | None = None) -> pd.DataFrame:
    data = {"id": range(len(labels)), "y": labels, "p": predictions}
    return pd.DataFrame(data | ({"s": scores} if scores else {}))


def test_classification_metrics_computed_by_hand() -> None:
    # three true positives, one false negative, one false positive, three true negatives
    found = metrics(frame([1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 1, 0, 0, 0]), ROLES)
    assert found == pytest.approx({"accuracy": 0.75, "precision": 0.75, "recall": 0.75, "f1": 0.75})


def test_roc_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    found = metrics(frame([1, 1, 0, 0], [1, 1, 0, 0], [0.9, 0.3, 0.4, 0.1]), ROLES)
    assert found["roc_auc"] == pytest.approx(3 / 4)


def test_text_labels_and_more_than_two_classes_give_accuracy() -> None:
    assert metrics(frame(["a", "b", "c"], ["a", "b", "b"]), ROLES) == pytest.approx({"accuracy": 2 / 3})


def test_regression_metrics_computed_by_hand() -> None:
    labels = np.arange(40, dtype=float)
    found = metrics(frame(list(labels), list(labels + 2)), ROLES)
    assert found["mean_absolute_error"] == pytest.approx(2)
    assert found["root_mean_squared_error"] == pytest.approx(2)
    assert found["r2"] == pytest.approx(1 - 4 / np.var(labels))


def test_rows_without_label_or_prediction_are_left_out() -> None:
    assert metrics(frame([1, None, 0], [1, 1, None]), ROLES)["accuracy"] == 1.0
    assert metrics(frame([None], [1]), ROLES) == {}
    assert metrics(pd.DataFrame({"p": [1]}), ROLES) == {}


def test_one_class_alone_gives_what_it_can() -> None:
    assert metrics(frame([1, 1], [1, 1], [0.2, 0.3]), ROLES) == {"accuracy": 1.0}


def test_labels_join_by_id_and_the_last_label_of_an_id_counts() -> None:
    predictions = pd.DataFrame({"id": ["a", "a", "b", None], "p": [1, 0, 1, 1], "y": [9, 9, 9, 9]})
    labels = pd.DataFrame({"id": ["a", "b", "b", "c"], "y": [1, 0, 1, 1]})
    joined = join_labels(predictions, labels, ROLES)
    assert joined[["id", "p", "y"]].to_numpy().tolist() == [["a", 1, 1], ["a", 0, 1], ["b", 1, 1]]


def test_nothing_to_measure_is_a_result_with_a_reason() -> None:
    empty = pd.DataFrame({"id": [], "y": [], "p": []})
    result = measure(empty, frame([1, 0], [1, 0]), ROLES, date(2026, 1, 7), "digest")
    assert result.status == "not_evaluable"
    assert "no row has both a label and a prediction" in (result.reason or "")


def test_the_reference_is_measured_the_same_way() -> None:
    result = measure(frame([1, 0], [1, 1]), frame([1, 0], [1, 0]), ROLES, date(2026, 1, 7), "digest")
    assert (result.realised["accuracy"], result.reference["accuracy"], result.labelled_rows) == (0.5, 1.0, 2)
