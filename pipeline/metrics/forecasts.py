"""How far forecasts are from what came true: numbers of each row, and what is made of their sums.

An error is forecast minus truth. Sums are kept around means, so that labels such as 1,000,000 plus or minus 1 lose no
digits. What is out of all range is missing, never wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.metrics.sums import mean_of
from pipeline.results.tally import Sums

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PERCENTAGE = "mean_absolute_percentage_error"
SYMMETRIC = "symmetric_mean_absolute_percentage_error"
SQUARED = "mean_squared_error"  # what the root is taken of
MEANS = ("mean_absolute_error", "mean_error", PERCENTAGE, SYMMETRIC, "quantile_loss")
NAMES = ("mean_absolute_error", "root_mean_squared_error", "r2", "mean_error", PERCENTAGE, SYMMETRIC, "quantile_loss")
_SMALLEST_SQUARE = 1e-290  # below it squares have lost digits, or are 0 where nothing else is


def losses(truth: Floats, forecast: Floats, quantile: float | None) -> dict[str, Floats]:
    """What each row adds to the metrics that are means; the percentage error of rows whose truth is not 0 only."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        error = forecast - truth
        size = np.abs(error)
        there = truth != 0
        found = {
            "mean_absolute_error": size,
            "mean_error": error,
            SQUARED: error**2,
            PERCENTAGE: percentages(size[there], truth[there]),
            SYMMETRIC: symmetric(size, truth, forecast),
        }
        if quantile is not None:
            found["quantile_loss"] = pinball(error, quantile)
    return found


def percentages(size: Floats, truth: Floats) -> Floats:
    """The size of each error as a fraction of the truth, as scikit-learn has it: 0.1 is 10%."""
    import numpy as np

    found: Floats = size / np.maximum(np.abs(truth), np.finfo(np.float64).eps)
    return found


def symmetric(size: Floats, truth: Floats, forecast: Floats) -> Floats:
    """The size of each error as a fraction of the mean size of truth and forecast, in [0, 2]; 0 where both are 0."""
    import numpy as np

    below = np.abs(truth) + np.abs(forecast)
    found: Floats = np.divide(2 * size, below, out=np.where(np.isfinite(below), 0.0, np.nan), where=below > 0)
    return found


def pinball(error: Floats, quantile: float) -> Floats:
    """What a forecast of a quantile loses (Koenker and Bassett 1978): an error below the truth by this quantile of it,
    one above by the rest.
    """
    import numpy as np

    found: Floats = np.maximum(-quantile * error, (1 - quantile) * error)
    return found


def moments(truth: Floats, forecast: Floats) -> dict[str, float]:
    """Sums that R2 and its standard error need: powers of the truth's distance t from its mean, and of u, the squared
    error, with them. What is out of all range is not among them.
    """
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        mean = float(truth.mean())
        t = truth - mean if truth.min() < truth.max() else np.zeros_like(truth)
        u = (forecast - truth) ** 2
        t2 = t**2
        found = {
            "rows": float(len(truth)),
            "mean": mean,
            "t1": float(t.sum()),
            "t2": float(t2.sum()),
            "t3": float((t2 * t).sum()),
            "t4": float((t2**2).sum()),
            "u": float(u.sum()),
            "ut": float((u * t).sum()),
            "ut2": float((u * t2).sum()),
            "u2": float((u**2).sum()),
        }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def added(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The same of the rows of all parts together, around their common mean."""
    if len(parts) == 1:
        return dict(parts[0])
    if not all({"rows", "mean"} <= set(part) for part in parts):
        return {}
    try:
        mean = mean_of([part["mean"] for part in parts], [int(part["rows"]) for part in parts])
    except (OverflowError, ValueError):  # out of all range
        return {}
    moved = [_moved(part, part["mean"] - mean) for part in parts]
    shared = set.intersection(*(set(part) for part in moved))
    found = {"mean": mean}
    for name in sorted(shared):
        try:
            found[name] = math.fsum(part[name] for part in moved)
        except OverflowError:
            continue
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _moved(part: Mapping[str, float], d: float) -> dict[str, float]:
    """Sums around a mean that is smaller by `d`; those that need a missing one are missing."""
    get = {name: part.get(name, math.nan) for name in _SUMS}
    n, t1, t2, t3, t4 = (get[name] for name in ("rows", "t1", "t2", "t3", "t4"))
    d2 = d * d
    found = {
        "rows": n,
        "t1": t1 + n * d,
        "t2": t2 + 2 * d * t1 + n * d2,
        "t3": t3 + 3 * d * t2 + 3 * d2 * t1 + n * d2 * d,
        "t4": t4 + 4 * d * t3 + 6 * d2 * t2 + 4 * d2 * d * t1 + n * d2 * d2,
        "u": get["u"],
        "ut": get["ut"] + d * get["u"],
        "ut2": get["ut2"] + 2 * d * get["ut"] + d2 * get["u"],
        "u2": get["u2"],
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}


_SUMS = ("rows", "t1", "t2", "t3", "t4", "u", "ut", "ut2", "u2")


def root(squared: Sums, absolute: Sums | None) -> float | None:
    """The root mean squared error; None where the squares have left the range of numbers."""
    if squared.mean < _SMALLEST_SQUARE and (absolute is None or absolute.mean > 0):
        return None
    return math.sqrt(squared.mean)


def r2(found: Mapping[str, float]) -> tuple[float, float | None] | None:
    """R2 and its standard error; None where the truth does not vary.

    With the influence of a row on 1 - R2 = sum u / sum t^2, which is (u - (1 - R2) t^2) over the mean of t^2 (delta
    method; that the mean of the truth is estimated does not matter, as the derivative by it is 0).
    """
    if not {"rows", "mean", "t2", "u"} <= set(found) or found["rows"] < 2:
        return None
    rows, spread = found["rows"], found["t2"] / found["rows"]
    rounding = 4 * math.ulp(abs(found["mean"]))
    if math.sqrt(max(spread, 0.0)) <= rounding or spread < _SMALLEST_SQUARE:
        return None
    left = (found["u"] / rows) / spread
    if not math.isfinite(left):
        return None
    if not {"t4", "ut2", "u2"} <= set(found):
        return 1 - left, None
    squares = found["u2"] - 2 * left * found["ut2"] + left * left * found["t4"]
    error = math.sqrt(max(squares, 0.0) / rows / (rows - 1)) / spread
    return 1 - left, error if math.isfinite(error) else None
