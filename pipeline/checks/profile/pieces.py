"""The reference cut into pieces as long as a night, in the order of its rows.

Where the rows lie in the order in which they came, pieces differ as nights do: by the hour, the weather, the season.
"""

from __future__ import annotations

import numpy as np

from pipeline.checks.alarms.variation import between, effective
from pipeline.checks.alarms.views import views_of
from pipeline.checks.scan import IntArray
from pipeline.results import Kind, Pieces

_FEWEST = 8
_MOST = 60
_ROWS_OF_A_PIECE = 400


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
    within = np.linspace(0, production - 1, min(production, _ROWS_OF_A_PIECE)).astype(np.int64)
    return np.asarray(chosen[:, None] * production + within)


def variation(kind: Kind, places: IntArray, cells: int) -> Pieces | None:
    """How much pieces differ beyond chance.

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
    found = between(views_of(kind, total, effective(places.shape[1], total.sum())), counts.astype(np.float64))
    return Pieces(count=len(places), variation={name: item.size for name, item in found.items()})
