"""How far forecasts are from what came true, counted."""

from __future__ import annotations

from pipeline.checks.performance.labelled_rows import Counted, Rows
from pipeline.checks.performance.standard import Standard
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.numbers import numbers


def forecasts(rows: Rows, standard: Standard) -> Counted:
    """Counts of the rows with a label and a forecast: the prediction, or where there is none the score.

    Raises:
        LabelsUnusable: a column holds no numbers, or an infinite one, or no row has both.
    """
    import numpy as np

    from pipeline.metrics.counting import count_forecasts

    roles = standard.roles
    label, said = str(roles.label), str(roles.prediction if rows.has(roles.prediction) else roles.score)
    if not rows.has(said):
        raise LabelsUnusable(f"{rows.answers} has no forecast: a regression needs columns.prediction or columns.score")
    truth = numbers(rows.table[label], f"{label} in {rows.labels}")
    forecast = numbers(rows.table[said], f"{said} in {rows.answers}")
    there = ~(np.isnan(truth) | np.isnan(forecast))
    if not there.any():
        raise LabelsUnusable(f"no row has both a label and a forecast: {rows.held(label, said)}")
    if not (np.isfinite(truth[there]).all() and np.isfinite(forecast[there]).all()):
        raise LabelsUnusable(f"there are infinite numbers: {rows.held(label, said)}")
    counts = count_forecasts(truth[there], forecast[there], standard.quantile)
    if not counts.losses:
        raise LabelsUnusable(f"the numbers are too large to be compared: {rows.held(label, said)}")
    return Counted(counts, counts.notes)
