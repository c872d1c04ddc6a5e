"""What stands behind the metrics, from counts: the confusion, classes one by one, calibration, residuals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.metrics import grid
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
_SMALLEST, _LARGEST = 1e-300, 1e307  # beyond them there are no numbers to draw bars with


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
    import numpy as np

    found = counts.margins()
    if found is None or not names:
        return []
    known = counts.known
    predicted_rows = np.append(found.said[:known], found.said[known:].sum())
    rows = [
        ClassPerformance(
            name=name,
            support=int(support),
            predicted=int(predicted),
            precision=float(hits / predicted) if predicted else None,
            recall=float(hits / support) if support else None,
            f1=float(2 * hits / (support + predicted)) if support + predicted else None,
        )
        for name, support, predicted, hits in zip(
            (*names, NOT_KNOWN), found.truth[: known + 1], predicted_rows, found.hits[: known + 1], strict=True
        )
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
    """At most 30 bars of equal width over 99% of the rows; the first and the last one reach to the farthest rows.

    Rows of a cell of the grid that reaches over an edge are divided in proportion.
    """
    import numpy as np

    values, ranks = residuals.scores, np.cumsum(residuals.own)
    if np.abs(values).max() > _LARGEST:
        return None
    half, total = grid.half_widths(values, residuals.step or 0), int(ranks[-1])
    low, high = (values[np.searchsorted(ranks, part * total)] for part in (_TAIL, 1 - _TAIL))
    width = (high - low) / _BARS
    ends = np.column_stack([values - half, values + half]).ravel()
    if width < _SMALLEST:  # one value: bars beside it
        width = (abs(low) if abs(low) > _BARS * _SMALLEST else 1.0) / _BARS
        low -= width * _BARS / 2
    edges = np.unique(low + width * np.arange(_BARS + 1))
    edges[0], edges[-1] = min(edges[0], ends[0]), max(edges[-1], ends[-1])
    below = np.interp(edges, ends, np.column_stack([ranks - residuals.own, ranks]).ravel())
    below[0], below[-1] = 0, total
    counts = np.diff(np.rint(below).astype(np.int64))
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.tolist()))
