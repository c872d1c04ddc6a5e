"""How well the model did where labels have arrived, against how well it did on the reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from pipeline.config import ColumnRoles
from pipeline.labels.task import task_of, typed_labels
from pipeline.results import PerformanceResult, Task
from pipeline.wording import count

if TYPE_CHECKING:
    import pandas as pd


class NotMeasurable(Exception):
    """The rows give no metric; the message is a sentence for people. Never leaves this module."""


def configured(roles: ColumnRoles) -> bool:
    """Whether the monitor says which columns are the label and the prediction or score."""
    return roles.label is not None and (roles.prediction is not None or roles.score is not None)


def join_labels(labelled: pd.DataFrame, labels: pd.DataFrame, roles: ColumnRoles) -> pd.DataFrame:
    """Predictions with their labels, by id; rows without a label are left out, the last label of an id counts."""
    import pandas as pd

    if roles.id is None or roles.id not in labels or roles.id not in labelled or roles.label not in labels:
        return pd.DataFrame()
    latest = labels.drop_duplicates(roles.id, keep="last")[[roles.id, roles.label]]
    predictions = labelled.drop(columns=[roles.label], errors="ignore")
    return predictions.merge(latest, on=roles.id, how="inner", validate="many_to_one")


def measure(
    joined: pd.DataFrame,
    reference: pd.DataFrame,
    roles: ColumnRoles,
    labels_date: date,
    snapshots: str,
    *,
    wanted: str = "auto",
) -> PerformanceResult:
    """Realised metrics of the labelled production rows, and the same on the reference where it holds the label.

    Classification: accuracy, and for two classes precision, recall, F1 and, with a score, ROC AUC. Regression: mean
    absolute error, root mean squared error, R2. Task and classes are those of the reference, where it holds the label.

    Args:
        joined: production rows with their labels.
        reference: rows of the reference.
        roles: which column is what.
        labels_date: the day of the production rows.
        snapshots: digest of the pair that the result is about.
        wanted: `task` of the monitor.
    """
    known = (reference, joined)
    task = task_of(wanted, known, str(roles.label), roles.prediction)
    before: dict[str, float] = {}
    try:
        realised = metrics(joined, roles, task, known)
        with suppress(NotMeasurable):
            before = metrics(reference, roles, task, known)
    except NotMeasurable as why:
        return PerformanceResult(
            snapshots=snapshots, status="not_evaluable", reason=str(why), labels_date=labels_date, labelled_rows=0
        )
    return PerformanceResult(
        snapshots=snapshots,
        status="measured",
        labels_date=labels_date,
        labelled_rows=len(joined),
        realised=realised,
        reference=before,
    )


def metrics(
    frame: pd.DataFrame, roles: ColumnRoles, task: Task, known: Sequence[pd.DataFrame] = ()
) -> dict[str, float]:
    """Every metric that the rows allow, at least one.

    Args:
        frame: rows with the label, and the prediction or the score.
        roles: which column is what.
        task: how they are judged.
        known: more rows with the label: their classes count too.

    Raises:
        NotMeasurable: no row is complete, or they give no metric.
    """
    needed = [name for name in (roles.label, roles.prediction, roles.score) if name is not None and name in frame]
    complete = frame[needed].dropna()
    if roles.label not in needed or len(needed) < 2 or complete.empty:
        raise NotMeasurable(
            "no row has both a label and a prediction; check columns.id, columns.label and columns.prediction"
        )
    try:
        if task == "regression":
            found = _regression(complete, roles)
        else:
            found = _classification(complete, roles, [*known, frame])
    except NotMeasurable:
        raise
    except Exception as error:  # whatever the columns hold, the night goes on
        raise NotMeasurable(f"{_held(complete)}, which give no metric of a {task} ({type(error).__name__})") from error
    finite = {name: value for name, value in found.items() if math.isfinite(value)}
    if not finite:
        raise NotMeasurable(f"{_held(complete)}, which give no metric of a {task}; check columns.prediction")
    return finite


def _held(complete: pd.DataFrame) -> str:
    """What the columns hold, without a value: `y holds integer, p holds string`."""
    import pandas as pd

    return ", ".join(f"{name} holds {pd.api.types.infer_dtype(complete[name])}" for name in complete)


def _classification(complete: pd.DataFrame, roles: ColumnRoles, known: Sequence[pd.DataFrame]) -> dict[str, float]:
    from sklearn.metrics import roc_auc_score

    seen = [frame[roles.label].dropna().drop_duplicates() for frame in known if roles.label in frame]
    seen = [part for part in seen if len(part)]
    said = [complete[roles.prediction]] if roles.prediction in complete else []
    labels, *others = _alike([complete[roles.label], *seen, *said])
    classes = sorted(set().union(*others[: len(seen)]))
    found: dict[str, float] = {}
    for predictions in others[len(seen) :]:
        if not predictions.isin(classes).any():
            raise NotMeasurable(
                f"{_held(complete)}: no prediction is one of the {count(len(classes), 'class', 'classes')} of the label"
            )
        found |= _hits(labels, predictions, classes)
    if roles.score in complete and len(classes) == labels.nunique() == 2:
        found["roc_auc"] = float(roc_auc_score(labels == classes[1], complete[roles.score].astype(float)))
    return found


def _hits(labels: pd.Series, predictions: pd.Series, classes: Sequence[object]) -> dict[str, float]:
    """Accuracy, and of the second of two classes precision, recall and F1, where both are there to be told apart."""
    from sklearn.metrics import precision_recall_fscore_support

    found = {"accuracy": float((labels == predictions).mean())}
    if len(classes) == labels.nunique() == 2:
        values = precision_recall_fscore_support(labels, predictions, labels=classes[1:], average=None, zero_division=0)
        found |= {name: float(value[0]) for name, value in zip(("precision", "recall", "f1"), values, strict=False)}
    return found


def _alike(columns: Sequence[pd.Series]) -> list[pd.Series]:
    """Columns as classes of one type: numbers where all of them hold whole numbers or booleans, else text."""
    typed = [typed_labels(column, "classification") for column in columns]
    return typed if len({column.dtype for column in typed}) == 1 else [column.astype(str) for column in typed]


def _regression(complete: pd.DataFrame, roles: ColumnRoles) -> dict[str, float]:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    said = complete[roles.prediction if roles.prediction in complete else roles.score]
    labels, predicted = typed_labels(complete[roles.label], "regression"), typed_labels(said, "regression")
    found = {
        "mean_absolute_error": float(mean_absolute_error(labels, predicted)),
        "root_mean_squared_error": float(root_mean_squared_error(labels, predicted)),
    }
    if labels.nunique() > 1:
        found["r2"] = float(r2_score(labels, predicted))
    return found
