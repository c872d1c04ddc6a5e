"""The metrics of a model: their names, of which task they are, which way they point, and between what they lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Task = Literal["classification", "regression"]
Better = Literal["higher", "lower", "near_zero"]


@dataclass(frozen=True)
class MetricKind:
    """What a metric is: `low` and `high` are the ends of its range, infinite where it has none.

    A metric without an upper end is an error: what it loses is told as a fraction of what it was, see `loss`.
    """

    task: Task
    better: Better
    low: float = 0.0
    high: float = 1.0

    @property
    def is_relative(self) -> bool:
        """Whether a loss is a fraction of the value before; otherwise it is a difference, as of shares."""
        return self.better != "higher" and math.isinf(self.high)

    def loss(self, before: float, now: float) -> float:
        """How much worse a value is, positive where it is: a difference, or a fraction of the value before.

        Infinite where an error was nothing and is something.
        """
        if self.better == "near_zero":
            return abs(now) - abs(before)
        worse = before - now if self.better == "higher" else now - before
        if not self.is_relative:
            return worse
        return worse / before if before > 0 else (math.inf if worse > 0 else 0.0)

    def limit(self, before: float, drop: float) -> float:
        """The value that is worse than another one by a loss, see `loss`."""
        if self.better == "higher":
            return before - drop
        return before * (1 + drop) if self.is_relative else before + drop

    def is_beyond(self, value: float, limit: float) -> bool:
        """Whether a value is on the bad side of a limit, strictly."""
        return value < limit if self.better == "higher" else value > limit


_RATE = MetricKind("classification", "higher")
_ERROR = MetricKind("regression", "lower", high=math.inf)

METRICS: dict[str, MetricKind] = {
    "roc_auc": _RATE,
    "average_precision": _RATE,
    "accuracy": _RATE,
    "balanced_accuracy": _RATE,
    "precision": _RATE,
    "recall": _RATE,
    "f1": _RATE,
    "precision_macro": _RATE,
    "recall_macro": _RATE,
    "f1_macro": _RATE,
    "precision_weighted": _RATE,
    "recall_weighted": _RATE,
    "f1_weighted": _RATE,
    "matthews_correlation": MetricKind("classification", "higher", low=-1.0),
    "log_loss": MetricKind("classification", "lower", high=math.inf),
    "brier_score": MetricKind("classification", "lower", high=2.0),
    "calibration_error": MetricKind("classification", "lower"),
    "mean_absolute_error": _ERROR,
    "root_mean_squared_error": _ERROR,
    "r2": MetricKind("regression", "higher", low=-math.inf),
    "mean_error": MetricKind("regression", "near_zero", low=-math.inf, high=math.inf),
    "mean_absolute_percentage_error": _ERROR,
    "symmetric_mean_absolute_percentage_error": MetricKind("regression", "lower", high=2.0),
    "quantile_loss": _ERROR,
}
"""In the order in which they are shown."""

MAIN: dict[Task, tuple[str, ...]] = {
    "classification": ("roc_auc", "accuracy"),
    "regression": ("mean_absolute_error", "root_mean_squared_error"),
}
"""What a model is judged by where the monitor does not say: the first one that there is."""
