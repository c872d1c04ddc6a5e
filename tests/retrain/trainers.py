"""Trainers for the tests: one that is quick, and some that go wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from pipeline.retrain.trainer import TrainingData


def quick(data: TrainingData) -> Any:
    """A logistic regression on the numbers."""
    numbers = list(data.features.numerical)
    columns = FunctionTransformer(None, feature_names_out="one-to-one")
    assert numbers
    from sklearn.compose import make_column_transformer

    pick = make_column_transformer((make_pipeline(columns, StandardScaler()), numbers))
    return make_pipeline(pick, LogisticRegression()).fit(data.frame, data.labels)


def ignorant(data: TrainingData) -> Any:
    """Always the share of the classes."""
    return DummyClassifier(strategy="prior").fit(data.frame, data.labels)


def raising(data: TrainingData) -> Any:
    raise ValueError(f"secret of {data.frame.iloc[0].to_dict()}")


def endless(data: TrainingData) -> Any:
    """Never ends, nor does the child it starts; notes their process ids."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(os.environ["TRAINER_ENDLESS_PIDS"]).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)


def useless(data: TrainingData) -> Any:
    return object()


class Own:
    """An estimator that skops cannot be sure of."""

    def __init__(self, classes: Any) -> None:
        self.classes_ = classes

    def predict(self, frame: Any) -> Any:
        return (frame.iloc[:, 0] > 45).astype("int64").to_numpy()

    def predict_proba(self, frame: Any) -> Any:
        import numpy as np

        sure = 1 / (1 + np.exp(-(frame.iloc[:, 0].to_numpy() - 45) / 4))
        return np.column_stack([1 - sure, sure])


def own(data: TrainingData) -> Any:
    import numpy as np

    return Own(np.array([0, 1]))


def dying(data: TrainingData) -> Any:
    """As the kernel does when memory runs out."""
    os.kill(os.getpid(), 9)
