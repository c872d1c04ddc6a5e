"""The default trainer, and what every trainer is given. A custom one is a function with the same signature."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.results import Task
from pipeline.retrain.data.features import Features
from pipeline.wording import listed, number, share

if TYPE_CHECKING:
    import pandas as pd

DEFAULT = "pipeline.retrain.trainer:train"

# A tree handles at most 255 categories; rarer ones share one.
_MAX_CATEGORIES = 250
_RARE_SHARE = 0.2
_FEWEST_TO_STOP_EARLY = 10
# Boosting grows a tree for each class in each round, and the model format is slow for many: for each array it lists all
# arrays in the file. With skops 0.16.0, 3,000 trees were saved in 2 s, 10,000 in 33 s.
_MOST_TREES = 10_000
_MOST_ROUNDS, _FEWEST_ROUNDS = 500, 20


@dataclass(frozen=True)
class TrainingData:
    """What a trainer learns from.

    `frame` holds the feature columns only: float64 with NaN, or str with None (see `features.text`). `labels` has the
    same rows: float64 for a regression, else int64 or str classes. Pass `seed` on wherever luck is involved, so that
    the same data gives the same model. `log` writes a line of progress to the task's log.
    """

    frame: pd.DataFrame
    labels: pd.Series
    features: Features
    task: Task
    seed: int
    log: Callable[[str], None] = print


Trainer = Callable[[TrainingData], Any]


def load_trainer(name: str | None) -> Trainer:
    """The trainer that a monitor names as `package.module:function`.

    Raises:
        ImportError, AttributeError: there is no such function.
    """
    module, _, function = (name or DEFAULT).partition(":")
    trainer: Trainer = getattr(importlib.import_module(module), function)
    return trainer


def train(data: TrainingData) -> Any:
    """Histogram gradient boosting: missing values and categories are handled as such, and it stops when it is done.

    Probabilities are left as they are, so that they stay calibrated; where one of two classes is rare, the limit
    from which it is predicted is tuned for balanced accuracy instead of resting at one half.
    """
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(_encoder(data.features), _booster(data))
    if data.task == "classification":
        shares = data.labels.value_counts(normalize=True)
        # Without their names: the label may be private, and this is logged.
        data.log("classes, the most frequent first: " + listed([share(part) for part in shares.head(10)]))
        if len(shares) == 2 and shares.min() < _RARE_SHARE and data.labels.value_counts().min() >= 2:
            return _tune_limit(model, data)
    model.fit(data.frame, data.labels)
    data.log(f"boosting stopped after {model[-1].n_iter_} rounds")
    return model


def most_rounds(classes: int) -> int:
    """Rounds of boosting for so many classes: 500, and fewer where that would be more than 10,000 trees, but 20."""
    return max(_FEWEST_ROUNDS, min(_MOST_ROUNDS, _MOST_TREES // _trees_a_round(classes)))


def most_trees(classes: int) -> int:
    """Trees that a training of the default trainer grows at most; 0 classes are a regression."""
    return most_rounds(classes) * _trees_a_round(classes)


def _trees_a_round(classes: int) -> int:
    return classes if classes > 2 else 1


def _encoder(features: Features) -> Any:
    """Categories as numbers. Unknown ones are missing, which the trees know how to treat."""
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OrdinalEncoder

    missing = float("nan")
    categories = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=missing,
        encoded_missing_value=missing,
        max_categories=_MAX_CATEGORIES,
    )
    return ColumnTransformer([
        ("numerical", "passthrough", list(features.numerical)),
        ("categorical", categories, list(features.categorical)),
    ])  # fmt: skip


def _booster(data: TrainingData) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    numbers = len(data.features.numerical)
    settings: dict[str, Any] = {
        "categorical_features": list(range(numbers, len(data.features.names))) or None,
        "learning_rate": 0.08,
        "max_iter": most_rounds(data.labels.nunique() if data.task == "classification" else 0),
        "early_stopping": True,
        "n_iter_no_change": 15,
        "validation_fraction": 0.1,
        "random_state": data.seed,
    }
    if data.task == "regression":
        return HistGradientBoostingRegressor(**settings)
    # The part that tells when to stop is drawn by class; that needs a few rows of each.
    settings["early_stopping"] = bool(data.labels.value_counts().min() >= _FEWEST_TO_STOP_EARLY)
    if not settings["early_stopping"]:
        settings["max_iter"] = min(100, settings["max_iter"])
    return HistGradientBoostingClassifier(**settings)


def _tune_limit(model: Any, data: TrainingData) -> Any:
    """The model, and the probability from which the rare class is predicted, chosen on rows it did not learn from."""
    import numpy as np
    from sklearn.base import clone
    from sklearn.metrics import roc_curve
    from sklearn.model_selection import FixedThresholdClassifier, train_test_split

    fit, judge = train_test_split(
        np.arange(len(data.labels)), test_size=0.2, random_state=data.seed, stratify=data.labels
    )
    trial = clone(model).fit(data.frame.iloc[fit], data.labels.iloc[fit])
    positive = trial.classes_[1]
    scores = trial.predict_proba(data.frame.iloc[judge])[:, 1]
    false_share, true_share, limits = roc_curve(data.labels.iloc[judge] == positive, scores)
    limit = float(np.clip(limits[np.argmax(true_share - false_share)], 0.0, 1.0))
    data.log(f"the second class in order is predicted from a probability of {number(limit)}")
    tuned = FixedThresholdClassifier(model, threshold=limit, pos_label=positive, response_method="predict_proba")
    return tuned.fit(data.frame, data.labels)
