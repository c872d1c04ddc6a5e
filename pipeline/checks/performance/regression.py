"""How far forecasts are from what came true."""

from __future__ import annotations

import math

from pipeline.checks.performance.labelled_rows import Found, Rows
from pipeline.config import ColumnRoles
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.numbers import numbers


def regression(rows: Rows, roles: ColumnRoles) -> Found:
    """Mean absolute error and root mean squared error, in the label's unit, and R2 where the labels differ.

    Of the rows with a label and a forecast: the prediction, or where there is none the score.

    Raises:
        LabelsUnusable: a column holds no numbers, or an infinite one, or no row has both.
    """
    import numpy as np

    label, said = str(roles.label), str(roles.prediction if rows.has(roles.prediction) else roles.score)
    if not rows.has(said):
        raise LabelsUnusable(f"{rows.answers} has no forecast: a regression needs columns.prediction or columns.score")
    truth = numbers(rows.table[label], f"{label} in {rows.labels}")
    forecast = numbers(rows.table[said], f"{said} in {rows.answers}")
    there = ~(np.isnan(truth) | np.isnan(forecast))
    truth, forecast = truth[there], forecast[there]
    if not len(truth):
        raise LabelsUnusable(f"no row has both a label and a forecast: {rows.held(label, said)}")
    if not (np.isfinite(truth).all() and np.isfinite(forecast).all()):
        raise LabelsUnusable(f"there are infinite numbers: {rows.held(label, said)}")
    with np.errstate(over="ignore", invalid="ignore"):  # what is out of all range is left out below
        error = truth - forecast
        found = {"mean_absolute_error": np.abs(error).mean(), "root_mean_squared_error": np.sqrt((error**2).mean())}
        spread = ((truth - truth.mean()) ** 2).sum()
        if spread > 0:
            found["r2"] = 1 - (error**2).sum() / spread
    finite = {name: float(value) for name, value in found.items() if math.isfinite(value)}
    if not finite:
        raise LabelsUnusable(f"the numbers are too large to be compared: {rows.held(label, said)}")
    return Found(finite)
