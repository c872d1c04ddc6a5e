"""How well the model did where labels have arrived, against how well it did on the reference."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING

from pipeline.config import ColumnRoles
from pipeline.results import PerformanceResult

if TYPE_CHECKING:
    import pandas as pd


def configured(roles: ColumnRoles) -> bool:
    """Whether the monitor says which columns are the label and the prediction or score."""
    return roles.label is not None and (roles.prediction is not None or roles.score is not None)


def join_labels(labelled: pd.DataFrame, labels: pd.DataFrame, roles: ColumnRoles) -> pd.DataFrame:
    """Predictions with their labels, by id; rows without a label are left out, the last label of an id counts."""
    import pandas as pd

    if roles.id is None or roles.id not in labels or roles.id not in labelled:
        return pd.DataFrame()
    latest = labels.drop_duplicates(roles.id, keep="last")[[roles.id, roles.label]]
    predictions = labelled.drop(columns=[roles.label], errors="ignore")
    return predictions.merge(latest, on=roles.id, how="inner", validate="many_to_one")


def measure(
    joined: pd.DataFrame, reference: pd.DataFrame, roles: ColumnRoles, labels_date: date, snapshots: str
) -> PerformanceResult:
    """Realised metrics of the labelled production rows, and the same on the reference where it holds the label.

    Classification (at most 20 distinct labels, or labels that are no numbers): accuracy, and for two classes
    precision, recall, F1 and, with a score, ROC AUC. Regression: mean absolute error, root mean squared error, R2.
    """
    realised = metrics(joined, roles)
    if not realised:
        reason = "no row has both a label and a prediction; check columns.id, columns.label and columns.prediction"
        return PerformanceResult(
            snapshots=snapshots, status="not_evaluable", reason=reason, labels_date=labels_date, labelled_rows=0
        )
    return PerformanceResult(
        snapshots=snapshots,
        status="measured",
        labels_date=labels_date,
        labelled_rows=len(joined),
        realised=realised,
        reference=metrics(reference, roles),
    )


def metrics(frame: pd.DataFrame, roles: ColumnRoles) -> dict[str, float]:
    """Every metric that the frame's columns allow; empty when there is no label or no prediction."""
    needed = [name for name in (roles.label, roles.prediction, roles.score) if name is not None and name in frame]
    if roles.label not in needed or len(needed) < 2:
        return {}
    complete = frame[needed].dropna()
    if complete.empty:
        return {}
    found = _regression(complete, roles) if _is_regression(complete[roles.label]) else _classification(complete, roles)
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _is_regression(labels: pd.Series) -> bool:
    return labels.dtype.kind == "f" and labels.nunique() > 20


def _classification(complete: pd.DataFrame, roles: ColumnRoles) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support, roc_auc_score

    labels = complete[roles.label]
    classes = sorted(labels.unique())
    found: dict[str, float] = {}
    if roles.prediction in complete:
        predictions = complete[roles.prediction].astype(labels.dtype)
        found["accuracy"] = float(accuracy_score(labels, predictions))
        if len(classes) == 2:
            precision, recall, f1, _ = precision_recall_fscore_support(
                labels, predictions, labels=classes, pos_label=classes[1], average="binary", zero_division=0.0
            )
            found |= {"precision": float(precision), "recall": float(recall), "f1": float(f1)}
    if roles.score in complete and len(classes) == 2:
        found["roc_auc"] = float(roc_auc_score(labels, complete[roles.score].astype(float)))
    return found


def _regression(complete: pd.DataFrame, roles: ColumnRoles) -> dict[str, float]:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    predicted = complete[roles.prediction if roles.prediction in complete else roles.score].astype(float)
    labels = complete[roles.label].astype(float)
    return {
        "mean_absolute_error": float(mean_absolute_error(labels, predicted)),
        "root_mean_squared_error": float(root_mean_squared_error(labels, predicted)),
        "r2": float(r2_score(labels, predicted)),
    }
