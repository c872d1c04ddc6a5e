"""Metrics of labels against predictions, from how many rows have which label and which prediction.

All formulas take any number of leading dimensions: a night has none, the draws of a bootstrap are one. Definitions are
scikit-learn's with `zero_division=0`: a class that was never predicted has precision 0, one that no row has recall 0.

    *_macro             mean over the classes that a row has as label or prediction
    *_weighted          mean over classes, weighted by the rows that have them as label
    balanced_accuracy   mean recall of the classes that a row has as label
    precision, recall, f1   of the positive class; where there is none, the mean over the classes that a row has as
                        label, so that a class which a draw lacks counts neither for nor against

Labels and predictions that are none of the known classes are together one more class, and such predictions of rows
whose label is another such value are one more; scikit-learn would make a class of each different value, which nobody
could follow over nights. With a single such value it is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Rate = Literal["precision", "recall", "f1"]
Mean = Literal["own", "labelled", "present", "weighted"]

AVERAGES: dict[str, tuple[Rate, Mean]] = {
    "accuracy": ("recall", "weighted"),
    "balanced_accuracy": ("recall", "labelled"),
    "precision": ("precision", "own"),
    "recall": ("recall", "own"),
    "f1": ("f1", "own"),
    "precision_macro": ("precision", "present"),
    "recall_macro": ("recall", "present"),
    "f1_macro": ("f1", "present"),
    "precision_weighted": ("precision", "weighted"),
    "recall_weighted": ("recall", "weighted"),
    "f1_weighted": ("f1", "weighted"),
}
MATTHEWS = "matthews_correlation"
NAMES = (*AVERAGES, MATTHEWS)


@dataclass(frozen=True)
class Margins:
    """Rows by class, in the last dimension: with the class as `truth`, as what was `said`, and as both (`hits`)."""

    hits: Floats
    truth: Floats
    said: Floats


@dataclass(frozen=True)
class Gradient:
    """How a metric changes with the share of rows of each margin."""

    hits: Floats
    truth: Floats
    said: Floats


def margins(confusion: Floats) -> Margins:
    """Of a confusion array (..., classes, classes), labels by predictions."""
    import numpy as np

    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return Margins(hits, confusion.sum(axis=-1), confusion.sum(axis=-2))


def value(name: str, rows: Margins, positive: int | None) -> Floats:
    """A metric, without the last dimension; NaN where there are no rows."""
    if name == MATTHEWS:
        return _matthews(rows)
    rate, mean = AVERAGES[name]
    found: Floats = (_weights(mean, rows, positive) * _rate(rate, rows)).sum(axis=-1)
    return found


def gradient(name: str, shares: Margins, positive: int | None) -> Gradient:
    """The derivatives of a metric by the shares of rows, which add up to 1 (delta method)."""
    import numpy as np

    if name == MATTHEWS:
        return _matthews_gradient(shares)
    rate, mean = AVERAGES[name]
    weights, found = _weights(mean, shares, positive), _rate_gradient(rate, shares)
    moved = np.zeros_like(weights)
    if mean == "weighted":
        values = _rate(rate, shares)
        moved = np.where(shares.truth > 0, values - (weights * values).sum(axis=-1, keepdims=True), 0.0)
    return Gradient(weights * found.hits, weights * found.truth + moved, weights * found.said)


def independent_rows(name: str, rows: Margins, positive: int | None) -> float:
    """How many independent rows stand behind a metric at least, where its standard error cannot be seen.

    The rows that each class is divided by, put together as the variance of their weighted mean.
    """
    import numpy as np

    if name == MATTHEWS:
        return float(rows.truth.sum())
    rate, mean = AVERAGES[name]
    below = {"recall": rows.truth, "precision": rows.said, "f1": np.maximum(rows.truth, rows.said)}[rate]
    weights = _weights(mean, rows, positive)
    used = (weights > 0) & (below > 0)
    return float(1 / (weights[used] ** 2 / below[used]).sum()) if used.any() else 0.0


def _weights(mean: Mean, rows: Margins, positive: int | None) -> Floats:
    import numpy as np

    if mean == "own" and positive is not None:
        return np.broadcast_to((np.arange(rows.truth.shape[-1]) == positive).astype(np.float64), rows.truth.shape)
    if mean == "weighted":
        return _ratio(rows.truth, rows.truth.sum(axis=-1, keepdims=True), np.nan)
    there = (rows.truth > 0) | (rows.said > 0) if mean == "present" else rows.truth > 0
    return _ratio(there.astype(np.float64), there.sum(axis=-1, keepdims=True).astype(np.float64), np.nan)


def _rate(rate: Rate, rows: Margins) -> Floats:
    """Of each class (van Rijsbergen 1979); 0 where there is nothing to divide by."""
    if rate == "precision":
        return _ratio(rows.hits, rows.said)
    if rate == "recall":
        return _ratio(rows.hits, rows.truth)
    return _ratio(2 * rows.hits, rows.truth + rows.said)


def _rate_gradient(rate: Rate, rows: Margins) -> Gradient:
    import numpy as np

    none = np.zeros_like(rows.hits)
    if rate == "precision":
        return Gradient(_ratio(none + 1, rows.said), none, -_ratio(rows.hits, rows.said**2))
    if rate == "recall":
        return Gradient(_ratio(none + 1, rows.truth), -_ratio(rows.hits, rows.truth**2), none)
    both = rows.truth + rows.said
    by_margin = -_ratio(2 * rows.hits, both**2)
    return Gradient(_ratio(none + 2, both), by_margin, by_margin)


def _matthews(rows: Margins) -> Floats:
    """The correlation of labels and predictions (Matthews 1975), of several classes as in Gorodkin 2004, equation 8.

    0 where all labels or all predictions are one class.
    """
    import numpy as np

    total = rows.truth.sum(axis=-1)
    together = rows.hits.sum(axis=-1) * total - (rows.truth * rows.said).sum(axis=-1)
    truth, said = (total**2 - (part**2).sum(axis=-1) for part in (rows.truth, rows.said))
    found = _ratio(together, np.sqrt(truth) * np.sqrt(said))
    return np.where(total > 0, found, np.nan)


def _matthews_gradient(shares: Margins) -> Gradient:
    import numpy as np

    together = shares.hits.sum() - (shares.truth * shares.said).sum()
    truth, said = (1 - (part**2).sum() for part in (shares.truth, shares.said))
    if truth <= 0 or said <= 0:
        none = np.zeros_like(shares.hits)
        return Gradient(none, none, none)
    root = np.sqrt(truth * said)
    return Gradient(
        np.full_like(shares.hits, 1 / root),
        -shares.said / root + together * shares.truth / (root * truth),
        -shares.truth / root + together * shares.said / (root * said),
    )


def _ratio(above: Floats, below: Floats, otherwise: float = 0.0) -> Floats:
    import numpy as np

    above, below = np.broadcast_arrays(above, below)
    found: Floats = np.divide(above, below, out=np.full(above.shape, otherwise), where=below > 0)
    return found
