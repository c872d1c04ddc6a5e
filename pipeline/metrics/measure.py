"""Metrics with their intervals, from counts. Closed form: nothing is drawn, and equal counts give equal values.

    accuracy; precision and recall of the positive class   a share: Wilson
    everything else of labels against predictions          delta method over the cells, which are multinomial
    roc_auc                                                DeLong; several classes: see `_ranked`
    average_precision                                      delta method over the counts at each score
    log_loss, brier_score, all errors that are means       variance of a mean
    root_mean_squared_error, r2                            delta method (influence functions)
    calibration_error                                      see `probabilities.Groups.error`

How an interval stays within the range of its metric is in `pipeline.metrics.intervals`.
"""

from __future__ import annotations

import math

from pipeline.metrics import confusion, forecasts, intervals, ranking, sums
from pipeline.metrics.counts import Counts
from pipeline.metrics.intervals import Interval
from pipeline.metrics.probabilities import Groups
from pipeline.results.metric_kinds import METRICS
from pipeline.results.performance import Estimate
from pipeline.results.tally import Sums

_OF_POSITIVE = ("precision", "recall", "f1")
_SHARES = ("accuracy", "precision", "recall")


def measure(counts: Counts) -> dict[str, Estimate]:
    """Every metric that the rows allow, in the order of METRICS; of both percentage errors one, see `measure_one`."""
    found = {name: measure_one(counts, name) for name, kind in METRICS.items() if kind.task == counts.task}
    if found.get(forecasts.PERCENTAGE) is not None:
        del found[forecasts.SYMMETRIC]
    return {name: estimate for name, estimate in found.items() if estimate is not None}


def measure_one(counts: Counts, name: str) -> Estimate | None:
    """A metric; None where the rows do not allow it.

    What is said of a positive class needs rows that have it and rows that have not; the correlation, labels of more
    than one class. The percentage error has no value where a truth is 0.
    """
    if name in counts.lost or METRICS[name].task != counts.task:
        return None
    if name in confusion.NAMES:
        return _confusion(counts, name)
    if name in ranking.NAMES:
        return _ranked(counts, name)
    own = {"calibration_error": _calibration, "r2": _r2, "root_mean_squared_error": _root}
    return own[name](counts) if name in own else _mean(counts, name)


def _estimate(value: float, error: float | None, interval: Interval, rows: int) -> Estimate:
    return Estimate(value=value, low=interval.low, high=interval.high, error=error, rows=rows)


def _confusion(counts: Counts, name: str) -> Estimate | None:
    import numpy as np

    found, positive = counts.margins(), counts.positive
    if found is None or counts.cells is None:
        return None
    total = float(found.truth.sum())
    if name in _OF_POSITIVE and positive is not None and not 0 < found.truth[positive] < total:
        return None
    if name == confusion.MATTHEWS and found.truth.max() == total:
        return None
    value = float(confusion.value(name, found, positive))
    shares = confusion.Margins(found.hits / total, found.truth / total, found.said / total)
    slope, cells = confusion.gradient(name, shares, positive), counts.cells
    moved = slope.truth[cells.truth] + slope.said[cells.said]
    moved = moved + np.where(cells.truth == cells.said, slope.hits[cells.truth], 0.0)
    part = cells.rows / total
    error = math.sqrt(max(float((part * moved**2).sum() - (part * moved).sum() ** 2), 0.0) / total)
    if name in _SHARES and (positive is not None or name == "accuracy"):
        below = _below(name, found, positive)
        interval = intervals.of_share(min(value * below, below), below)
    elif name == confusion.MATTHEWS and found.said.max() == total:
        interval = Interval()  # one fixed answer: 0 by definition
    else:
        least = confusion.independent_rows(name, found, positive)
        interval = intervals.of_rate(value, error, total, least, low=METRICS[name].low)
    return _estimate(value, error, interval, int(total))


def _below(name: str, found: confusion.Margins, positive: int | None) -> float:
    """The rows that a share is of."""
    if name == "accuracy":
        return float(found.truth.sum())
    return float((found.said if name == "precision" else found.truth)[positive])


def _ranked(counts: Counts, name: str) -> Estimate | None:
    """Of the class that a score is about; of several the mean over those that rows have and have not.

    The standard error of a mean over classes is the mean of theirs, times how far they move together: on the rows that
    the counts were made from the rows' influence on all of them at once is known. Where these were too few to tell,
    classes are taken to move together entirely, which is never too small.
    """
    import numpy as np

    values, errors, least, rows = [], [], [], 0
    for level in counts.levels.values():
        own, others = level.own.astype(np.float64), level.others.astype(np.float64)
        many, rest = float(own.sum()), float(others.sum())
        if not many or not rest:
            continue
        rows = max(rows, int(many + rest))
        area = name == "roc_auc"
        formula = (
            ranking.roc_auc if area else ranking.mixed_average_precision if level.step else ranking.average_precision
        )
        spread = ranking.roc_auc_error if area else ranking.average_precision_error
        values.append(float(formula(own, others)))
        errors.append(spread(own, others))
        least.append(min(many, rest) if area else many)
    if not values:
        return None
    value, known = math.fsum(values) / len(values), [error for error in errors if error is not None]
    if len(known) < len(errors):
        return _estimate(value, None, Interval(), rows)
    _, part = counts.together.get(name, (0, 1.0)) if len(values) > 1 else (0, 1.0)
    error = part * math.fsum(known) / len(known)
    return _estimate(value, error, intervals.of_rate(value, error, min(least), min(least)), rows)


def _calibration(counts: Counts) -> Estimate | None:
    sure = counts.sure
    if sure is None or not sure.rows:
        return None
    value, error, interval = Groups(sure).error()
    return _estimate(value, error, interval, sure.rows)


def _mean(counts: Counts, name: str) -> Estimate | None:
    found = counts.losses.get(name)
    if found is None or (name == forecasts.PERCENTAGE and found.rows < counts.rows):
        return None
    error = sums.error(found)
    return _estimate(found.mean, error, _interval_of_mean(counts, name, found, error), found.rows)


def _interval_of_mean(counts: Counts, name: str, found: Sums, error: float | None) -> Interval:
    if name == "mean_error":
        return intervals.of_mean(found.mean, error, found.rows)
    if name in ("brier_score", forecasts.SYMMETRIC):
        high = 1.0 if name == "brier_score" and counts.event is not None else 2.0
        return intervals.of_rate(found.mean, error, found.rows, found.rows, high=high)
    return intervals.of_positive(found.mean, error, found.rows)


def _root(counts: Counts) -> Estimate | None:
    squared = counts.losses.get(forecasts.SQUARED)
    value = None if squared is None else forecasts.root(squared, counts.losses.get("mean_absolute_error"))
    if squared is None or value is None:
        return None
    of_square = sums.error(squared)
    error = of_square / (2 * value) if of_square is not None and value > 0 else None
    return _estimate(value, error, intervals.of_positive(value, error, squared.rows), squared.rows)


def _r2(counts: Counts) -> Estimate | None:
    """Its interval is that of 1 - R2, which is above 0."""
    found = forecasts.r2(counts.moments)
    if found is None:
        return None
    value, error = found
    rows = int(counts.moments["rows"])
    around = intervals.of_positive(1 - value, error, rows)
    if around.low is None or around.high is None:
        return _estimate(value, error, around, rows)
    return _estimate(value, error, Interval(1 - around.high, 1 - around.low), rows)
