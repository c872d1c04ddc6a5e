"""The plane that numerical columns of the reference lie about, and how far tonight's rows lie outside of it.

Principal components are fitted on every other row of the reference and held against the others, as a fit is closest to
the rows that it was made on. Each side is measured in its own means and deviations: a column that shifts or spreads by
itself changes nothing. What lies outside is then a sum over correlations, exact over all rows; its variance is that of
its influence on drawn rows (Hampel 1974; of correlations Devlin, Gnanadesikan and Kettenring 1975).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.checks.scan import FloatArray
from pipeline.checks.together.counts import Counted, Moments

_KEPT = 0.65
"""The part of the variance that the components hold at least, as NannyML has it."""
_FEWEST_COLUMNS = 3
_FEWEST_ROWS = 100
_LEAST_PRESENT = 0.5
"""Columns of which less is there on a side are left out: a few rows would say how they go with others."""


class Outside(NamedTuple):
    """How much lies outside of the plane, as a part of all variance; `gap` is the change in deviations of a row, and
    `noise` the mean square that chance makes of it.
    """

    columns: int
    components: int
    before: float
    now: float
    gap: float
    noise: float


def outside(before: Counted, after: Counted, drawn_before: FloatArray, drawn_after: FloatArray) -> Outside | None:
    """How much of both sides lies outside of the reference's plane; None where there are too few columns or rows.

    Args:
        before: all rows of the reference.
        after: all rows of tonight.
        drawn_before: rows of the reference, shape (n, q), as `Numbers.measured`; NaN where missing.
        drawn_after: rows of tonight.
    """
    there = _there(before) & _there(after)
    fitted, held, tonight = (side.of(there) for side in (*before.halves, after.moments))
    if there.sum() < _FEWEST_COLUMNS or min(before.rows / 2, after.rows) < _FEWEST_ROWS:
        return None
    sizes, ways = np.linalg.eigh(fitted.correlation)
    kept = int(np.searchsorted(np.cumsum(sizes[::-1]), _KEPT * sizes.sum())) + 1
    components = min(kept, len(sizes) - 1)
    rest = ways[:, : len(sizes) - components]
    form = rest @ rest.T
    sides = ((held, drawn_before[:, there]), (tonight, drawn_after[:, there]))
    (was, spread), (now, spread_now) = (
        (float((form * side.correlation).sum()), _variance(form, side, rows)) for side, rows in sides
    )
    rows_held, rows_now = before.rows / 2, after.rows
    spread_now = max(spread, spread_now)  # of few rows it may well look smaller than it is
    variance = (rows_held * spread + rows_now * spread_now) / (rows_held + rows_now)
    if not variance > 0:
        return None
    noise = (spread / rows_held + spread_now / rows_now) / variance
    many = len(sizes)
    return Outside(many, components, was / many, now / many, (now - was) / variance**0.5, noise)


def _there(side: Counted) -> npt.NDArray[np.bool_]:
    return np.asarray(np.diag(side.moments.rows) >= _LEAST_PRESENT * side.rows)


def _variance(form: FloatArray, side: Moments, rows: FloatArray) -> float:
    """The variance of what a row adds to the part outside, in the means and deviations of its own side."""
    count = np.maximum(np.diag(side.rows), 1.0)
    mean = np.diag(side.sums) / count
    deviation = np.sqrt(np.maximum(np.diag(side.squares) / count - mean**2, 1e-12))
    values = np.nan_to_num((rows - mean) / deviation, nan=0.0)
    there = ~np.isnan(rows)
    share = side.rows / max(float(side.rows.max()), 1.0)
    weighed = np.divide(form, share, out=np.zeros_like(form), where=share > 0)
    influence = ((values @ weighed) * values).sum(axis=1)
    influence -= (values**2 * (there @ (weighed * side.correlation))).sum(axis=1)
    return float(influence.var())
