"""The labels of a training set, as the task takes them."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from pipeline.errors import TrainingFailed
from pipeline.results import TrainingCounts
from pipeline.retrain.data.training_set import TrainingSet
from pipeline.retrain.judging.trial import labels_of
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
