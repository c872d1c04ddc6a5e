"""Nights without change, as rows in each cell of a column; and how rare a score is among such nights."""

from __future__ import annotations

import math

import numpy as np

from pipeline.checks.scan import FloatArray

_EXACT_ROWS = 100
# From so many expected rows on, the rows in a cell are as good as normally distributed.
_MANY = 20.0
# Of the draws, the part whose exceedances say how rare a score beyond most of them is.
_TAIL = 0.05


def draw_counts(
    parts: FloatArray, rows: int, draws: int, random: np.random.Generator, certain: FloatArray | None = None
) -> FloatArray:
    """Rows per cell of `draws` nights, shape (draws, k).

    Of many rows, each cell is drawn on its own (Poisson, or normal where many rows are expected): given their total,
    such cells are distributed as those of a night are, and what varies of the total cancels in shares of it.

    Args:
        parts: shape (k,), the share of each cell; they sum to 1.
        rows: of a night, at least 1.
        draws: how many nights.
        random: where they come from.
        certain: shape (k,), expected rows by which a cell is drawn as Poisson or normal, where not the cell's own count
            matters but that of a neighbourhood. Such cells may hold less than no rows.
    """
    if rows <= max(_EXACT_ROWS, parts.size):
        return _rows_one_by_one(parts, rows, draws, random)
    expected = parts * rows
    many = (expected if certain is None else certain) >= _MANY
    found = np.empty((draws, parts.size))
    found[:, ~many] = random.poisson(expected[~many], (draws, int((~many).sum())))
    normal = random.standard_normal((draws, int(many.sum())))
    normal *= np.sqrt(expected[many])
    normal += expected[many]
    found[:, many] = normal if certain is not None else np.maximum(normal, 0.0)
    return found


def _rows_one_by_one(parts: FloatArray, rows: int, draws: int, random: np.random.Generator) -> FloatArray:
    cells = np.searchsorted(np.cumsum(parts)[:-1], random.random((draws, rows)), side="right")
    cells += np.arange(draws)[:, None] * parts.size
    return np.bincount(cells.ravel(), minlength=draws * parts.size).reshape(draws, parts.size).astype(np.float64)


def share_beyond(scores: FloatArray, limit: float, *, strict: bool) -> float:
    """The share of nights whose score, the larger the rarer, is at `limit` or beyond it (`strict`: beyond it).

    Counted up to the score that one draw in twenty is beyond. From there on the tail is taken as exponential with the
    mean excess of the draws, so that a few hundred of them also tell 1 in 1,000 from 1 in 100. Scores that are no
    number are never beyond; infinite ones are beyond any limit.

    Args:
        scores: shape (draws,).
        limit: in the same unit.
        strict: whether a score equal to the limit does not count.
    """
    scores = np.where(np.isnan(scores), -np.inf, scores)
    knot = float(np.quantile(scores, 1 - _TAIL, method="lower"))
    tail = scores[(scores > knot) & np.isfinite(scores)]
    if limit <= knot or math.isinf(limit) or not tail.size:
        return float(np.mean(scores > limit if strict else scores >= limit))
    excess = float(tail.mean()) - knot
    in_tail = tail.size * math.exp(-(limit - knot) / excess)
    return float(in_tail + np.count_nonzero(np.isposinf(scores))) / scores.size
