"""Metrics of one model's answers on weighted rows. Weights are what a bootstrap varies: a row drawn twice counts 2.

All draws are computed at once: `weights` has a row per draw and a column per row of data, and every metric comes back
with a value per draw, NaN where the draw does not allow one. What does not depend on the weights is prepared before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[Any]

BETTER: dict[str, Literal["higher", "lower"]] = {
    "roc_auc": "higher",
    "log_loss": "lower",
    "accuracy": "higher",
    "precision": "higher",
    "recall": "higher",
    "f1": "higher",
    "calibration_error": "lower",
    "mean_absolute_error": "lower",
    "root_mean_squared_error": "lower",
    "r2": "higher",
}
_CALIBRATION_BINS = 10
_SMALLEST_PROBABILITY = 1e-15


@dataclass(frozen=True)
class Answers:
    """What a model says of some rows.

    `predictions` are classes or numbers. `probabilities` has a column per class of `classes`, or is None where the
    model gives none. All are in the order of the rows.
    """

    predictions: Labels
    classes: tuple[Any, ...] = ()
    probabilities: Floats | None = None


class Measured(Protocol):
    """Answers compared with the truth, ready to be weighted."""

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """Every metric, by name, in every draw."""
        ...


class Regression:
    """Mean absolute error, root mean squared error (both in the label's unit) and R2."""

    def __init__(self, truth: Floats, answers: Answers) -> None:
        import numpy as np

        truth = np.asarray(truth, dtype=np.float64)
        residual = truth - np.asarray(answers.predictions, dtype=np.float64)
        self._absolute, self._squared = np.abs(residual), residual**2
        self._truth = truth - truth.mean()  # around zero, so that the sum of squares below loses no digits

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """See `Measured`."""
        import numpy as np

        total = weights.sum(axis=1)
        squared = weights @ self._squared / total
        spread = weights @ self._truth**2 / total - (weights @ self._truth / total) ** 2
        return {
            "mean_absolute_error": weights @ self._absolute / total,
            "root_mean_squared_error": np.sqrt(squared),
            "r2": 1 - _ratio(squared, spread),
        }


class Classification:
    """Accuracy, precision, recall, F1 (of the positive class; where there is none, the mean over classes), and with
    probabilities ROC AUC (of the positive class, else the mean, each against the rest), log loss and calibration error.

    The positive class is the given one, else the second of two. The calibration error is the mean distance between how
    sure the model was and how often it was right, over ten groups of rows of equal size, in [0, 1].
    """

    def __init__(self, truth: Labels, answers: Answers, classes: Sequence[Any], positive: Any = None) -> None:
        import numpy as np

        self._classes = list(classes)
        codes = {name: position for position, name in enumerate(self._classes)}
        self._positive = codes.get(positive, 1 if len(codes) == 2 else None)
        truth_codes = np.array([codes[name] for name in truth], dtype=np.int64)
        # An answer that is no class of these rows is wrong, whatever it is.
        said_codes = np.array([codes.get(name, len(codes)) for name in answers.predictions], dtype=np.int64)
        everything = np.arange(len(codes))
        self._true = (truth_codes[:, None] == everything).astype(np.float64)
        self._said = (said_codes[:, None] == everything).astype(np.float64)
        self._right = (truth_codes == said_codes).astype(np.float64)
        self._ranked: list[_Ranked] = []
        self._loss: Floats | None = None
        if answers.probabilities is not None:
            self._prepare(_aligned(answers, self._classes), truth_codes)

    def _prepare(self, probabilities: Floats, truth: NDArray[np.int64]) -> None:
        import numpy as np

        two, own_class = len(self._classes) == 2, self._positive
        # A class that no row has cannot be ranked; without any to rank, every draw is NaN.
        watched = [own_class] if own_class is not None else [*np.unique(truth)]
        self._ranked = [_Ranked(probabilities[:, code], truth == code) for code in watched]
        own = probabilities[np.arange(len(truth)), truth]
        self._loss = -np.log(np.clip(own, _SMALLEST_PROBABILITY, 1.0))
        sure = probabilities[:, own_class] if two and own_class is not None else probabilities.max(axis=1)
        came_true = truth == own_class if two else truth == probabilities.argmax(axis=1)
        group = np.empty(len(truth), dtype=np.int64)
        group[np.argsort(sure, kind="stable")] = np.arange(len(truth)) * _CALIBRATION_BINS // max(len(truth), 1)
        members = (group[:, None] == np.arange(_CALIBRATION_BINS)).astype(np.float64)
        self._miscalibrated = members * (sure - came_true)[:, None]

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """See `Measured`."""
        import numpy as np

        total = weights.sum(axis=1)
        found = {"accuracy": weights @ self._right / total, **self._hits(weights)}
        if self._loss is not None:
            found["roc_auc"] = np.mean([ranked.area(weights) for ranked in self._ranked], axis=0)
            found["log_loss"] = weights @ self._loss / total
            found["calibration_error"] = np.abs(weights @ self._miscalibrated).sum(axis=1) / total
        return found

    def _hits(self, weights: Floats) -> dict[str, Floats]:
        import numpy as np

        hit, said, true = weights @ (self._true * self._right[:, None]), weights @ self._said, weights @ self._true
        precision = np.nan_to_num(_ratio(hit, said))
        recall = np.nan_to_num(_ratio(hit, true))
        f1 = np.nan_to_num(_ratio(2 * precision * recall, precision + recall))
        own = self._positive
        if own is not None:
            return {"precision": precision[:, own], "recall": recall[:, own], "f1": f1[:, own]}
        there = true > 0  # a class that a draw lacks counts neither for nor against
        share = there / there.sum(axis=1, keepdims=True)
        named = {"precision": precision, "recall": recall, "f1": f1}
        return {name: (values * share).sum(axis=1) for name, values in named.items()}


class _Ranked:
    """Rows sorted by one class's probability once; rows of equal probability form a group."""

    def __init__(self, scores: Floats, is_positive: NDArray[np.bool_]) -> None:
        import numpy as np

        self._order = np.argsort(scores, kind="stable")
        in_order = scores[self._order]
        self._first = np.flatnonzero(np.concatenate([[True], in_order[1:] != in_order[:-1]]))
        self._positive = is_positive[self._order].astype(np.float64)

    def area(self, weights: Floats) -> Floats:
        """The probability that a positive row ranks above a negative one; equal probabilities count half."""
        import numpy as np

        sorted_weights = weights[:, self._order]
        positive = np.add.reduceat(sorted_weights * self._positive, self._first, axis=1)
        negative = np.add.reduceat(sorted_weights * (1 - self._positive), self._first, axis=1)
        below = np.cumsum(negative, axis=1) - negative / 2
        return _ratio((positive * below).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))


def _ratio(above: Floats, below: Floats) -> Floats:
    """NaN where there is nothing to divide by."""
    import numpy as np

    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _aligned(answers: Answers, classes: Sequence[Any]) -> Floats:
    """Probabilities with a column for each of `classes`; a class the model does not know has probability 0."""
    import numpy as np

    assert answers.probabilities is not None  # noqa: S101  (asked for by the caller only then)
    known = {name: position for position, name in enumerate(answers.classes)}
    columns = np.zeros((len(answers.probabilities), len(classes)))
    for position, name in enumerate(classes):
        if name in known:
            columns[:, position] = answers.probabilities[:, known[name]]
    return columns
