"""What stands behind the metrics, from counts: the confusion, classes one by one, calibration, residuals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.metrics.counts import Counts
from pipeline.metrics.probabilities import Groups
from pipeline.metrics.ranking import LevelCounts
from pipeline.results.performance import CalibrationGroup, ClassPerformance, Details, Histogram

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_CLASSES = 50
OTHER = "other"
NOT_KNOWN = "not a known class"
_BARS = 30
_TAIL = 0.005


def details(counts: Counts, names: Sequence[str] = ()) -> Details:
    """Confusion, calibration and residuals; whatever there is.

    Args:
        counts: of some rows.
        names: the known classes in order; none where the label is private, and the confusion is left out. It also is
            where there are more than 50 classes.
    """
    shown, confusion = _confusion(counts, names)
    return Details(
        classes=shown,
        confusion=confusion,
        calibration=_calibration(counts.sure),
        residuals=None if counts.residuals is None else _histogram(counts.residuals),
    )


def by_class(counts: Counts, names: Sequence[str]) -> list[ClassPerformance]:
    """Precision, recall and F1 of every class (van Rijsbergen 1979), the first 50; what is none of them is the last
    one where it came as a label.
    """
    found = counts.margins()
    if found is None or not names:
        return []
    rows = [
        ClassPerformance(
            name=name,
            support=int(support),
            predicted=int(predicted),
            precision=float(hits / predicted) if predicted else None,
            recall=float(hits / support) if support else None,
            f1=float(2 * hits / (support + predicted)) if support + predicted else None,
        )
        for name, support, predicted, hits in zip((*names, NOT_KNOWN), found.truth, found.said, found.hits, strict=True)
    ]
    return (rows if rows[-1].support else rows[:-1])[:MOST_CLASSES]


def _confusion(counts: Counts, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    import numpy as np

    cells, known = counts.cells, counts.known
    if cells is None or not names or known > MOST_CLASSES:
        return (), ()
    table = np.zeros((known + 1, known + 1), dtype=np.int64)
    np.add.at(table, (cells.truth, np.minimum(cells.said, known)), cells.rows)
    many = known + 1 if table[known].any() or table[:, known].any() else known
    return (*names, OTHER)[:many], tuple(tuple(row[:many]) for row in table[:many].tolist())


def _calibration(sure: LevelCounts | None) -> tuple[CalibrationGroup, ...]:
    if sure is None or not sure.rows:
        return ()
    found = Groups(sure)
    return tuple(
        CalibrationGroup(rows=int(rows), score=min(max(said / rows, 0.0), 1.0), share=min(max(came / rows, 0.0), 1.0))
        for rows, said, came in zip(found.rows.tolist(), found.said.tolist(), found.came.tolist(), strict=True)
        if rows
    )


def _histogram(residuals: LevelCounts) -> Histogram | None:
    """At most 30 bars of equal width over 99% of the rows; the first and the last one reach to the farthest rows."""
    import numpy as np

    values, rows = residuals.scores, residuals.own
    ranks = np.cumsum(rows) / rows.sum()
    low, high = values[np.searchsorted(ranks, _TAIL)], values[np.searchsorted(ranks, 1 - _TAIL)]
    with np.errstate(over="ignore"):
        width = (high - low) / _BARS
    if not np.isfinite(width):
        return None
    if not width > 0:
        width = max(abs(low), 1.0) / _BARS
    edges = np.unique(low + width * np.arange(_BARS + 1))
    edges[0], edges[-1] = min(edges[0], values[0]), max(edges[-1], values[-1])
    counts, _ = np.histogram(values, edges, weights=rows)
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.astype(np.int64).tolist()))
