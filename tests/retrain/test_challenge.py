"""What a training costs, and which labels are no classes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pipeline.errors import TrainingFailed
from pipeline.retrain.challenge import _require_few_classes, cost_of
from pipeline.retrain.judging.trial import Kinds, labels_of
from tests.retrain.data.test_training_set import monitor
from tests.retrain.judging.test_trial import training_set, watched

KINDS = Kinds(["age", "income"], ["city"])


def words(labels: list[Any], task: Any = "classification", **columns: Any) -> str:
    found = training_set(pd.Series(labels), pd.Series(labels))
    return cost_of(watched(**columns), found, labels_of(watched(), found, task), KINDS).words


def test_what_a_training_costs_is_known_before_it_starts() -> None:
    assert words([0, 1] * 20) == "1 training on 40 rows and 3 features, 2 classes: at most 500 trees each"
    assert words([0.5, 1.5], "regression") == "1 training on 2 rows and 3 features: at most 500 trees each"
    assert words([0, 1], prediction="label").startswith("3 trainings on 2 rows")  # each half is scored by the other
    many = words([f"name {place}" for place in range(591)])
    assert many.endswith("591 classes: at most 11,820 trees each, and saving so many takes minutes")


def test_names_are_learnt_as_classes_only_where_somebody_says_so() -> None:
    for many, task in ((100, "auto"), (101, "classification")):
        labels = pd.Series([f"name {place}" for place in range(many)])
        _require_few_classes(monitor(task=task), labels_of(monitor(), training_set(labels, labels), "classification"))
    labels = pd.Series([f"name {place}" for place in range(101)])
    with pytest.raises(
        TrainingFailed, match=r"label holds 101 classes.*task: classification.*task: regression"
    ) as raised:
        _require_few_classes(monitor(), labels_of(monitor(), training_set(labels, labels), "classification"))
    assert "name 1" not in str(raised.value)
