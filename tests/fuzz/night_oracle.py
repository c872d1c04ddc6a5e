"""What a night should come to, told once more, in few lines and on other libraries: pandas, scikit-learn, Evidently.

It reads frames, not files, and shares no code with the product.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

LIMIT = 0.3


@dataclass(frozen=True)
class Expected:
    """Scores by column, None where there is none; verdicts by the threshold; what quality and performance find."""

    scores: dict[str, float | None]
    drifted: dict[str, bool]
    missing: dict[str, float]
    bad_rows: dict[str, int]
    metrics: dict[str, float] | None


def expected(
    reference: pd.DataFrame, production: pd.DataFrame, labels: pd.DataFrame, kinds: dict[str, str]
) -> Expected:
    """The night of a classifier whose columns are `id`, `said` (its prediction), `score` and those of `kinds`."""
    found = {name: _score(reference[name], production[name], kind) for name, kind in kinds.items()}
    scores = {name: None if result is None else result[0] for name, result in found.items()}
    drifted = {name: result is not None and result[1] for name, result in found.items()}
    return Expected(
        scores=scores,
        drifted=drifted,
        missing={name: float(production[name].isna().mean()) for name in kinds},
        bad_rows={
            "number": int((~production["number"].dropna().between(-2, 2)).sum()),
            "text": int((~production["text"].dropna().isin(["a", "b"])).sum()),
        },
        metrics=_metrics(production, labels),
    )


def _score(reference: pd.Series, production: pd.Series, kind: str) -> tuple[float, bool] | None:
    """Evidently's own choice of method on the values that are there."""
    from evidently.legacy.calculations.stattests.registry import get_stattest
    from evidently.legacy.core import ColumnType

    first, second = (side.dropna().reset_index(drop=True) for side in (reference, production))
    if first.empty or second.empty:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = get_stattest(first, second, ColumnType(kind), None)(first, second, ColumnType(kind), None)
    return (float(result.drift_score), bool(result.drifted)) if math.isfinite(result.drift_score) else None


def _metrics(production: pd.DataFrame, labels: pd.DataFrame) -> dict[str, float] | None:
    entries = zip(labels["id"], labels["label"], strict=True)
    truth: dict[Any, Any] = {key: label for key, label in entries if key is not None and label is not None}
    rows = [row for row in production.itertuples() if row.id is not None and row.id in truth]
    if not rows:
        return None
    right, said = [truth[row.id] for row in rows], [row.said for row in rows]
    return classified(np.array(right), np.array(said), np.array([row.score for row in rows]))


def classified(right: Any, said: Any, score: Any) -> dict[str, float]:
    """Metrics of a classification of no and yes, of which yes is the positive one."""
    from sklearn import metrics as oracle

    found: dict[str, Any] = {"accuracy": oracle.accuracy_score(right, said)}
    if len(set(right)) == 2:
        own = right == "yes"
        for average in ("binary", "macro", "weighted"):
            end = "" if average == "binary" else f"_{average}"
            label = "yes" if average == "binary" else 1  # of means it is ignored, and the default is not warned about
            values = oracle.precision_recall_fscore_support(
                right, said, pos_label=label, average=average, zero_division=0
            )
            names = (f"precision{end}", f"recall{end}", f"f1{end}")
            found |= dict(zip(names, values[:3], strict=True))
        found |= {
            "balanced_accuracy": oracle.balanced_accuracy_score(right, said),
            "matthews_correlation": oracle.matthews_corrcoef(right, said),
            "roc_auc": oracle.roc_auc_score(own, score),
            "average_precision": oracle.average_precision_score(own, score),
            "log_loss": oracle.log_loss(own, score),
            "brier_score": oracle.brier_score_loss(own, score),
        }
    return {name: float(value) for name, value in found.items()}
