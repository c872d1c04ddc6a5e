"""The reference cut into pieces as long as a night, in the order of its rows.

Where the rows lie in the order in which they came, pieces differ as nights do: by the hour, the weather, the season.
"""

from __future__ import annotations

import numpy as np

from pipeline.checks.alarms.quadratic import gamma_tail, survival
from pipeline.checks.alarms.variation import Nights, Variation, between, chance_of_points, effective
from pipeline.checks.alarms.views import View, views_of
from pipeline.checks.scan import IntArray
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
    pieces = [piece[None].astype(np.float64) for piece in counts]
    total = np.sum(pieces, axis=0)
    size, lead = {}, {}
    for view in views_of(kind, total, effective(np.array([float(places.shape[1])]), total.sum(axis=1))):
        nights = Nights.of(view, pieces)
        found = between(view, nights, nights.rows > 0)
        if found.nights[0] and _is_sure(view, nights, found):
            size[view.name], lead[view.name] = float(found.size[0]), float(found.lead[0])
    known = {name: part for name, part in lead.items() if part < 1}
    return Pieces(count=len(places), variation=dict(size), lead=dict(known))


def _is_sure(view: View, nights: Nights, found: Variation) -> bool:
    """Whether chance alone seldom makes pieces differ so: of few rows it would, and would hide changes for good.

    The variance of k points is taken for a gamma variable of their mean and variance; see Satterthwaite (1946).
    """
    there = nights.rows > 0
    noise = float(chance_of_points(view, nights, there)[0])
    if not noise:  # all rows are in one cell
        return False
    tail = gamma_tail(float((there.sum() - 1) / 2 / view.evenness[0]))[None]
    return float(survival(tail, 1 + found.size[:, None] / noise)[0, 0]) < _SELDOM
