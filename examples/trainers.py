"""A trainer of one's own. In the monitor file: `retrain: {trainer: examples.trainers:forest}`."""

from __future__ import annotations

from typing import Any

from pipeline.retrain.trainer import TrainingData


def forest(data: TrainingData) -> Any:
    """A random forest on numbers as they are and categories as columns of their own."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    words = OneHotEncoder(handle_unknown="ignore", max_categories=100)
    columns = make_column_transformer((words, list(data.features.categorical)), remainder="passthrough")
    kind = RandomForestRegressor if data.task == "regression" else RandomForestClassifier
    data.log(f"growing a forest on {len(data.frame):,} rows")
    return make_pipeline(columns, kind(200, min_samples_leaf=5, random_state=data.seed)).fit(data.frame, data.labels)
