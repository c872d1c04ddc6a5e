"""The reference cut into pieces as long as a night, in the order of its rows.

Where the rows lie in the order in which they came, pieces differ as nights do: by the hour, the weather, the season.
"""

from __future__ import annotations

import numpy as np

from pipeline.checks.alarms.quadratic import gamma_tail
from pipeline.checks.alarms.variation import between, effective
from pipeline.checks.alarms.views import View, views_of
from pipeline.checks.scan import FloatArray, IntArray
from pipeline.results import Kind, Pieces

_FEWEST = 8
_MOST = 60
_ROWS = 24_000
"""Looked at of all pieces together."""
_SELDOM = 0.01


def rows_of_pieces(reference: int, production: int) -> IntArray:
    """Which rows of the reference are looked at, shape (pieces, rows), ascending; no pieces where it is too short.

    Args:
        reference: its rows.
        production: rows of a night.
    """
    there = reference // production if production else 0
    if there < _FEWEST:
        return np.empty((0, 0), np.int64)
    chosen = np.unique(np.linspace(0, there - 1, min(there, _MOST)).astype(np.int64))
    within = np.linspace(0, production - 1, min(production, _ROWS // chosen.size)).astype(np.int64)
    return np.asarray(chosen[:, None] * production + within)


def variation(kind: Kind, places: IntArray, cells: int) -> Pieces | None:
    """How much pieces differ beyond chance, in the views in which they do.

    Args:
        kind: of the column.
        places: the cell of each row, shape (pieces, rows); -1 where it is missing.
        cells: how many there are.
    """
    if not places.size:
        return None
    held = np.where(places < 0, cells, places) + np.arange(len(places))[:, None] * (cells + 1)
    counts = np.bincount(held.ravel(), minlength=len(places) * (cells + 1)).reshape(len(places), cells + 1)
    total = counts.sum(axis=0).astype(np.float64)
    rows, nights = effective(places.shape[1], total.sum()), counts.astype(np.float64)
    views = views_of(kind, total, rows)
    found = between(views, nights)
    there = [view for view in views if view.name in found]
    sure = {view.name: found[view.name] for view in there if _is_sure(view, nights, found[view.name].size)}
    return Pieces(
        count=len(places),
        variation={name: item.size for name, item in sure.items()},
        lead={name: item.lead for name, item in sure.items() if item.lead < 1},
    )


def _is_sure(view: View, nights: FloatArray, size: float) -> bool:
    """Whether chance alone seldom makes pieces differ so: of few rows it would, and would hide changes for good.

    The variance of k points is taken for a gamma variable of their mean and variance; see Satterthwaite (1946).
    """
    there = nights[view.rows(nights) > 0]
    noise = float(view.scatter(there.sum(axis=0) / there.sum(), view.rows(there)).mean())
    if not noise:  # all rows are in one cell
        return False
    shape = (len(there) - 1) / 2 / view.evenness
    return float(gamma_tail(shape).survival(np.array([1 + size / noise]))[0]) < _SELDOM
