"""The score from which the positive class was predicted, as the rows show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.metrics.ranking import levels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_EXPLAINED = 0.999


def threshold_of(said: NDArray[np.int64], score: NDArray[np.float64], positive: int) -> float | None:
    """Half way between the highest score that was not predicted positive and the lowest that was.

    Of the threshold that explains most predictions; None where that is fewer than 99.9% of them, or where all of them
    are the same, which every threshold beyond the scores explains.

    Args:
        said: predictions as positions of classes, below 0 where missing.
        score: of the positive class; NaN where missing.
        positive: its position.
    """
    import numpy as np

    there = (said >= 0) & ~np.isnan(score)
    found = levels(score[there], said[there] == positive)
    if not found.own.any() or not found.others.any():
        return None
    # Wrong with a threshold below each level: positive ones under it, others from it on.
    below = np.concatenate([[0], np.cumsum(found.own, dtype=np.int64)])
    above = found.rows - below[-1] - np.concatenate([[0], np.cumsum(found.others, dtype=np.int64)])
    wrong = below + above
    cut = int(wrong.argmin())
    if cut in (0, len(found.scores)) or wrong[cut] > (1 - _EXPLAINED) * found.rows:
        return None
    low, high = float(found.scores[cut - 1]), float(found.scores[cut])
    middle = low / 2 + high / 2
    return middle if np.isfinite(middle) else None
