"""How good scores are as probabilities: what each row loses, and whether what was said came true as often.

`probabilities` of several classes have a column for each; of a single class they are one number for each row.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.metrics.intervals import Interval, quantile
from pipeline.metrics.ranking import LevelCounts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

GROUPS = 10
SUM_TOLERANCE = 0.01
_RANGE_TOLERANCE = 1e-6  # of probabilities that were computed with single precision


def in_range(scores: Floats) -> bool:
    """Whether all scores that are there lie in [0, 1]; NaN is not there."""
    import numpy as np

    low, high = np.fmin.reduce(scores, axis=None, initial=np.inf), np.fmax.reduce(scores, axis=None, initial=-np.inf)
    return bool(low >= -_RANGE_TOLERANCE and high <= 1 + _RANGE_TOLERANCE)


def log_losses(own: Floats) -> Floats:
    """Minus the logarithm of how probable each row's own class was held, in nats. As scikit-learn has it, this is at
    least the smallest float that can be added to 1, so that nothing is impossible: 36 for a class that was held so.
    """
    import numpy as np

    smallest = np.finfo(np.float64).eps
    found: Floats = -np.log(np.clip(own, smallest, 1 - smallest))
    return found


def brier_scores(probabilities: Floats, came: NDArray[np.bool_]) -> Floats:
    """The squared distance of what was said from what came true (Brier 1950), of a single class, in [0, 1]."""
    return (probabilities - came) ** 2


def brier_scores_of_several(probabilities: Floats, own: Floats) -> Floats:
    """The same summed over all classes, in [0, 2]. `own` is how probable each row's own class was held."""
    import numpy as np

    found: Floats = np.einsum("ij,ij->i", probabilities, probabilities) - 2 * own + 1
    return found


def groups(rows: int) -> NDArray[np.int64]:
    """The ranks at which ten groups of equal rows begin and end: row of rank r is in group 10 r / rows."""
    import numpy as np

    return -(-np.arange(GROUPS + 1, dtype=np.int64) * rows // GROUPS)


def calibration_error(excess: Floats, total: Floats | float) -> Floats:
    """The mean distance between what was said and how often it came true (Naeini and others 2015), in [0, 1].

    `excess` is of each group of rows, in the last dimension, the sum of what was said minus what came true.
    """
    import numpy as np

    found: Floats = np.abs(excess).sum(axis=-1) / total
    return found


class Groups:
    """Ten groups of equal rows by ascending score. Rows of a score that two groups share are divided in proportion.

    Of each group: `rows`, the sum of their scores `said`, how many `came` true, and the `variance` of the difference.
    """

    def __init__(self, levels: LevelCounts) -> None:
        import numpy as np

        own, others = levels.own.astype(np.float64), levels.others.astype(np.float64)
        scores = np.clip(levels.scores, 0.0, 1.0)
        every = own + others
        ranks = np.concatenate([[0.0], np.cumsum(every)])
        edges = groups(int(every.sum())).astype(np.float64)

        def parts(of_level: Floats) -> Floats:
            return np.diff(np.interp(edges, ranks, np.concatenate([[0.0], np.cumsum(of_level)])))

        self.rows, self.said, self.came = np.diff(edges), parts(every * scores), parts(own)
        squares = parts(own * (1 - scores) ** 2 + others * scores**2)
        there = np.maximum(self.rows, 1)
        self.excess = self.said - self.came
        self.variance = np.maximum(squares / there - (self.excess / there) ** 2, 0.0)

    def error(self) -> tuple[float, float | None, Interval]:
        """The calibration error, its standard error, and its interval, which holds the true one at least as often as it
        says.

        The standard error is the delta method's, as if it were known in each group whether too much was said (rows
        within a group are independent). Noise alone lifts the error above 0: of a model without any it is the mean of
        ten absolute values. The lower end therefore reaches down by this lift too: by how much the mean of a folded
        normal distribution (Leone, Nelson and Nottingham 1961) lies above its true difference, which is taken to be the
        one seen less its standard error, as what is seen was lifted itself.
        """
        import numpy as np
        from scipy.special import ndtr

        total = float(self.rows.sum())
        value = float(calibration_error(self.excess, total))
        if total < 2 * GROUPS:
            return value, None, Interval()
        # The variance of a share of n rows is that of its rows over n - 1; one that is seen as 0 is not known.
        spread = np.sqrt(self.variance / np.maximum(self.rows - 1, 1))
        error = math.sqrt(float(((self.rows / total * spread) ** 2).sum()))
        gaps, known = np.maximum(np.abs(self.excess) / self.rows - spread, 0.0), spread > 0
        ratio = np.divide(gaps, spread, out=np.zeros_like(gaps), where=known)
        folded = spread * math.sqrt(2 / math.pi) * np.exp(-(ratio**2) / 2) + gaps * (1 - 2 * ndtr(-ratio))
        lift = float((self.rows / total * np.where(known, folded - gaps, 0.0)).sum())
        if not error > 0:
            return value, None, Interval()
        half = quantile(total) * error
        return value, error, Interval(max(0.0, value - lift - half), min(1.0, value + half))
