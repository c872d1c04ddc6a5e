"""Made-up models whose every probability is known, so that what is expected of them can be checked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.checks.performance.estimated.estimator import ConfidenceEstimator, fit
from pipeline.checks.performance.estimated.features import Features
from pipeline.checks.performance.labelled_rows import Rows
from pipeline.config import ColumnRoles
from pipeline.labels.classes import classes_of

ROLES = ColumnRoles(id="id", label="y", prediction="p", score="s")
CLASSES = classes_of([0, 1], ROLES)


def rows(frame: pd.DataFrame) -> Rows:
    return Rows(pa.Table.from_pandas(frame, preserve_index=False), "labels/", "production/")


def sigmoid(logit: np.ndarray) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp(-logit))
    return found


def binary(seed: int, many: int, *, shift: float = 0.0, steep: float = 1.0) -> pd.DataFrame:
    """A model whose scores are probabilities where `steep` is 1, and too sure of themselves where it is more.

    `shift` moves the inputs, and leaves the relation between them and the label as it is.
    """
    chance = np.random.default_rng(seed)
    logit = chance.normal(shift, 1.5, many)
    score = sigmoid(steep * logit)
    truth = (chance.random(many) < sigmoid(logit)).astype(int)
    return pd.DataFrame({"y": truth, "s": score, "p": (score >= 0.5).astype(int)})


def blind(seed: int, many: int, *, share: float) -> pd.DataFrame:
    """A model that does not see the group of a row, a `share` of which are in group 1, where the label is a coin."""
    chance = np.random.default_rng(seed)
    group, seen = chance.random(many) < share, chance.normal(0, 2, many)
    truth = chance.random(many) < np.where(group, 0.5, sigmoid(2 * seen))
    score = sigmoid(seen)
    return pd.DataFrame(
        {"y": truth.astype(int), "s": score, "p": (score >= 0.5).astype(int), "group": group.astype(float), "x": seen}
    )


def fitted(frame: pd.DataFrame, features: Features | None = None, seed: int = 0) -> ConfidenceEstimator:
    found = fit(rows(frame), ROLES, CLASSES, features, seed=seed)
    assert isinstance(found, ConfidenceEstimator)
    return found
