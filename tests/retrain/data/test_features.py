"""Typed frames, and the default trainer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io

from pipeline.retrain.data.features import Features, features_of, typed
from pipeline.retrain.model.model_files import TRUSTED_TYPES
from pipeline.retrain.trainer import TrainingData, most_rounds, most_trees, train


def test_frames_are_typed_the_same_in_training_and_in_serving() -> None:
    frame = pd.DataFrame(
        {
            "age": pd.array([1, None], dtype="Int64"),
            "seen": pd.Series([pd.Timestamp("2026-01-01", tz="UTC"), pd.NaT]).dt.as_unit("us"),
            "city": pd.Categorical(["Bern", None]),
            "code": [3, 4],
            "flag": [True, None],
        }
    )
    features = features_of(frame, ["age", "seen"], ["city", "code", "flag"])

    found = typed(frame, features)

    assert features.text == ("city",)
    assert list(found) == ["age", "seen", "city", "code", "flag"]
    assert [str(found[name].dtype) for name in found] == ["float64", "float64", "object", "float64", "float64"]
    assert found["seen"][0] == 1767225600
    assert list(found["city"]) == ["Bern", None]
    assert found.isna().sum().to_dict() == {"age": 1, "seen": 1, "city": 1, "code": 0, "flag": 1}


def test_what_serving_sends_otherwise_is_brought_in_line() -> None:
    features = Features(("age",), ("city", "code"), ("city",))

    found = typed(pd.DataFrame({"age": ["12", "many"], "city": [5, 6]}), features)

    assert found["age"].tolist()[0] == 12.0
    assert np.isnan(found["age"][1])
    assert list(found["city"]) == ["5", "6"]
    assert found["code"].isna().all()  # absent


def data(rows: int = 600, rare: float = 0.5, task: Any = "classification", seed: int = 0) -> TrainingData:
    """The label follows from the category alone, and from the number a little."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"age": random.normal(40, 10, rows), "city": random.choice(["Bern", "Graz"], rows)})
    frame.loc[random.random(rows) < 0.1, "age"] = np.nan
    signal = (frame["city"] == "Graz") * 2.0 + random.normal(0, 0.5, rows) + (frame["age"].fillna(40) - 40) / 50
    labels = signal if task == "regression" else (signal > signal.quantile(1 - rare)).astype("int64")
    lines: list[str] = []
    return TrainingData(frame, labels, Features(("age",), ("city",), ("city",)), task, 7, lines.append)


def test_the_default_trainer_learns_categories_and_missing_values() -> None:
    model = train(data())
    fresh = data(seed=1)

    assert model.score(fresh.frame, fresh.labels) > 0.85
    unknown = pd.DataFrame({"age": [np.nan, 41.0], "city": ["Atlantis", None]})
    assert model.predict_proba(unknown).shape == (2, 2)


def test_the_same_data_gives_the_same_model() -> None:
    frame = data(seed=2).frame

    assert np.array_equal(train(data()).predict_proba(frame), train(data()).predict_proba(frame))


def test_a_rare_class_is_found_and_probabilities_stay_calibrated() -> None:
    rare = data(rows=3000, rare=0.05)
    fresh = data(rows=3000, rare=0.05, seed=1)

    model = train(rare)
    found = model.predict(fresh.frame)

    assert found[fresh.labels == 1].mean() > 0.5
    assert model.predict_proba(fresh.frame)[:, 1].mean() == pytest.approx(0.05, abs=0.02)


@pytest.mark.parametrize("count", [1, 5])
def test_a_class_with_hardly_any_rows_does_not_break_training(count: int) -> None:
    given = data()
    given.labels[:] = 0
    given.labels.iloc[:count] = 1

    assert train(given).predict(given.frame).shape == (600,)


def test_a_regression_is_learnt() -> None:
    fresh = data(task="regression", seed=1)

    assert train(data(task="regression")).score(fresh.frame, fresh.labels) > 0.5


def test_many_categories_are_more_than_a_tree_can_take_and_still_work() -> None:
    given = data(rows=2000)
    given.frame["city"] = [f"city {position % 700}" for position in range(2000)]

    assert train(given).predict(given.frame).shape == (2000,)


@pytest.mark.parametrize(("task", "rare"), [("classification", 0.5), ("classification", 0.05), ("regression", 0.5)])
def test_the_default_model_needs_no_trust_beyond_ours(task: str, rare: float) -> None:
    saved = skops.io.dumps(train(data(task=task, rare=rare)))

    assert set(skops.io.get_untrusted_types(data=saved)) <= set(TRUSTED_TYPES)


@pytest.mark.parametrize(
    ("classes", "rounds", "trees"),
    [(0, 500, 500), (2, 500, 500), (3, 500, 1_500), (20, 500, 10_000), (50, 200, 10_000), (591, 20, 11_820)],
)
def test_many_classes_have_fewer_rounds(classes: int, rounds: int, trees: int) -> None:
    assert (most_rounds(classes), most_trees(classes)) == (rounds, trees)
