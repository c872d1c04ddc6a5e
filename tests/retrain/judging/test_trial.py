"""The labels of a training set, as the task takes them, and what production logged beside them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.config import Monitor
from pipeline.errors import TrainingFailed
from pipeline.results import TrainingCounts
from pipeline.retrain.data.gather import Known
from pipeline.retrain.data.training_set import TrainingSet
from pipeline.retrain.judging.trial import _logged, labels_of
from tests.label_columns import WHOLE, Column
from tests.retrain.data.test_training_set import monitor


def training_set(training: pd.Series, holdout: pd.Series) -> TrainingSet:
    learnt, judged = (pd.DataFrame({"label": part}).dropna() for part in (training, holdout))
    return TrainingSet(learnt, judged, TrainingCounts(first_date=date(2026, 1, 1), last_date=date(2026, 1, 2)))


@pytest.mark.parametrize("column", WHOLE.values(), ids=WHOLE)
def test_labels_of_every_type_of_whole_numbers_are_the_same(column: Column) -> None:
    found = training_set(column([0, 1, 1]), column([1, 0]))
    classes = labels_of(monitor(), found, "classification")
    assert (classes.training.tolist(), classes.holdout.tolist()) == ([0, 1, 1], [1, 0])
    assert str(classes.training.dtype) == "int64"
    assert str(labels_of(monitor(), found, "regression").holdout.dtype) == "float64"


def test_text_cannot_be_learnt_as_numbers_and_the_way_out_is_named() -> None:
    found = training_set(pd.Series(["few", "many"]), pd.Series(["few"]))
    with pytest.raises(TrainingFailed, match=r"'label' are no numbers.* set task .* to classification") as raised:
        labels_of(monitor(), found, "regression")
    assert "many" not in str(raised.value)


def watched(**columns: Any) -> Monitor:
    found = monitor()
    return found.model_copy(update={"columns": found.columns.model_copy(update=columns)})


@pytest.mark.parametrize(
    ("labels", "known", "expected"),
    [
        ([True, "false", 1], [True, False], [1, 0, 1]),
        ([1, "0", Decimal("1.00")], [0, 1], [1, 0, 1]),
        (["yes", "no", "maybe"], ["yes", "no"], ["yes", "no", "maybe"]),
        ([1, 0, "never"], [0, 1], ["1", "0", "never"]),
    ],
)
def test_labels_of_several_types_are_one(labels: list[Any], known: list[Any], expected: list[Any]) -> None:
    found = training_set(pd.Series(labels, dtype=object), pd.Series(labels, dtype=object))
    assert labels_of(monitor(), found, "classification", Known(known)).training.tolist() == expected


def test_the_positive_class_is_that_of_the_monitor_else_that_of_the_reference() -> None:
    found = training_set(pd.Series([0, 1, 2]), pd.Series([0, 1]))
    assert labels_of(monitor(), found, "classification").positive is None
    assert labels_of(monitor(), found, "classification", Known([0, 1])).positive == 1
    assert labels_of(watched(positive="2"), found, "classification").positive == 2
    with pytest.raises(TrainingFailed, match=r"columns.positive .* is 7, which is none of the 3 classes of label"):
        labels_of(watched(positive=7), found, "classification")


def logged(found: pd.DataFrame, **columns: Any) -> Any:
    both = training_set(found["label"], found["label"])
    roles = watched(**columns)
    return _logged(roles, found, labels_of(roles, both, "classification"))


def test_logged_scores_are_of_the_positive_class() -> None:
    rows = pd.DataFrame({"label": ["bad", "good"], "s": [0.9, 0.2]})
    found = logged(rows, score="s", positive="bad")
    assert found.classes == ("bad", "good")
    assert found.probabilities.tolist() == [[0.9, pytest.approx(0.1)], [0.2, 0.8]]
    assert found.predictions.tolist() == ["bad", "good"]
    assert logged(rows, score="s").probabilities[:, 1].tolist() == [0.9, 0.2]


def test_logged_scores_by_class_are_probabilities_where_they_sum_to_one() -> None:
    rows = pd.DataFrame(
        {"label": [1, 2, 3], "one": [0.5, 0.2, 0.1], "two": [0.25, 0.7, 0.1], "three": [0.25, 0.1, 0.8]}
    )
    names = {"2": "two", "1": "one", "3": "three"}
    found = logged(rows, scores=names)
    assert np.array_equal(found.probabilities, rows[["one", "two", "three"]].to_numpy())
    assert found.predictions.tolist() == [1, 2, 3]
    assert logged(rows.assign(two=0.9), scores=names) is None
    assert logged(rows.assign(two=0.9, p=[1, 2, 2]), scores=names, prediction="p").probabilities is None


def test_logged_answers_of_other_types_are_the_same_and_unreadable_ones_are_left() -> None:
    rows = pd.DataFrame({"label": [0, 1], "p": ["0", "1"], "s": ["0.2", "0.7"]})
    found = logged(rows, prediction="p", score="s")
    assert (found.predictions.tolist(), found.probabilities[:, 1].tolist()) == ([0, 1], [0.2, 0.7])
    found = logged(rows.assign(s=["20%", "70%"], p=["0", "never"]), prediction="p", score="s")
    assert (found.predictions.tolist(), found.probabilities) == ([0, "never"], None)
