"""How well scores rank: from how many rows of a class and how many others there are at each score, ascending.

Formulas take any number of leading dimensions; the last one is the scores. Rows of equal score are tied.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

NAMES = ("roc_auc", "average_precision")


@dataclass(frozen=True)
class LevelCounts:
    """Rows at each of ascending scores: `own` of them have the class (or came true), `others` have not.

    `step` is that of the grid that the scores were rounded to, see `pipeline.metrics.grid`; None where they were not.
    """

    scores: Floats
    own: Integers
    others: Integers
    step: int | None = None

    @property
    def rows(self) -> int:
        """All of them."""
        return int(self.own.sum() + self.others.sum())


def levels(scores: Floats, is_own: NDArray[np.bool_]) -> LevelCounts:
    """Of scores without NaN, exact: one level for each different score. Both kinds are sorted once."""
    import numpy as np

    own, others = np.sort(scores[is_own]), np.sort(scores[~is_own])
    every = np.sort(scores)
    every = every[_first(every)]
    return LevelCounts(every, _at(own, every), _at(others, every))


def _first(ascending: Floats) -> NDArray[np.bool_]:
    import numpy as np

    found = np.ones(len(ascending), dtype=np.bool_)
    found[1:] = ascending[1:] != ascending[:-1]
    return found


def _at(ascending: Floats, every: Floats) -> Integers:
    """How many are equal to each of different values that hold all of them."""
    import numpy as np

    first = np.flatnonzero(_first(ascending))
    counts = np.zeros(len(every), dtype=np.int32)
    counts[np.searchsorted(every, ascending[first])] = np.diff(first, append=len(ascending))
    return counts  # type: ignore[return-value]  # half the memory, and summed as int64


def roc_auc(own: Floats, others: Floats) -> Floats:
    """The probability that a row of the class has a higher score than another row, ties counting half (Mann and Whitney
    1947); NaN without rows of both kinds.
    """
    import numpy as np

    below = np.cumsum(others, axis=-1) - others / 2
    return _ratio((own * below).sum(axis=-1), own.sum(axis=-1) * others.sum(axis=-1))


def average_precision(own: Floats, others: Floats) -> Floats:
    """The mean precision over the rows of the class, each at its own score as threshold: the step-wise area below the
    curve of precision over recall, as scikit-learn has it; NaN without a row of the class.
    """
    import numpy as np

    hits = np.cumsum(own[..., ::-1], axis=-1)
    every = np.cumsum(own[..., ::-1] + others[..., ::-1], axis=-1)
    precision = np.divide(hits, every, out=np.zeros_like(hits), where=every > 0)
    return _ratio((own[..., ::-1] * precision).sum(axis=-1), own.sum(axis=-1))


def mixed_average_precision(own: Floats, others: Floats) -> Floats:
    """The average precision that is expected where rows were put together into levels and are not really tied: their
    order within a level is any, so that the j-th of n rows has on average the class's rows in proportion.

    With A rows of the class and C of all above a level of n rows with a of the class, one of them at place j has
    (A + 1 + (j - 1) b) / (C + j) as precision, b = (a - 1) / (n - 1); the mean over j needs a difference of digammas.
    Without it the bias, half a level, is as large as the noise of millions of rows.
    """
    import numpy as np
    from scipy.special import digamma

    rows = own + others
    hits, every = (np.cumsum(part[::-1])[::-1] - part for part in (own, rows))
    slope = np.divide(own - 1, rows - 1, out=np.zeros_like(rows), where=rows > 1)
    harmonic = (digamma(every + rows + 1) - digamma(every + 1)) / np.maximum(rows, 1)
    precision = slope + (hits + 1 - slope * (every + 1)) * harmonic
    return _ratio((own * precision).sum(), own.sum())


def roc_auc_influence(own: Floats, others: Floats) -> tuple[Floats, Floats]:
    """How a row of the class, and another one, at each score moves ROC AUC: its placement among the other kind (DeLong
    and others 1988), less the mean, over the share of its kind.
    """
    import numpy as np

    many, rest = own.sum(), others.sum()
    above = (np.cumsum(others) - others / 2) / rest
    below = 1 - (np.cumsum(own) - own / 2) / many
    mean, total = (own * above).sum() / many, many + rest
    return (above - mean) * (total / many), (below - mean) * (total / rest)


def average_precision_influence(own: Floats, others: Floats) -> tuple[Floats, Floats]:
    """The same of average precision, by the delta method over the counts at each score, which are multinomial.

    With shares a and b of rows of the class and others at each score, A and C the shares of rows of the class and of
    all from there upwards, and p the sum of a, it is the sum of a A / C, divided by p. Its derivative by a at score s
    is (A / C + sum over t <= s of a (1 / C - A / C^2) - itself) / p; by b it is minus the sum of a A / C^2, over p.
    """
    import numpy as np

    total = own.sum() + others.sum()
    own, others = own / total, others / total
    share = own.sum()
    hits = np.cumsum(own[::-1])[::-1]
    every = np.cumsum((own + others)[::-1])[::-1]
    precision = hits / every
    lost = np.cumsum(own * precision / every)
    gained = np.cumsum(own / every)
    mean = (own * precision).sum() / share
    return (precision + gained - lost - mean) / share, -lost / share


def roc_auc_error(own: Floats, others: Floats) -> float | None:
    """Its standard error (DeLong and others 1988); None with fewer than two rows of a kind."""
    many, rest = float(own.sum()), float(others.sum())
    if many < 2 or rest < 2:
        return None
    by_own, by_others = roc_auc_influence(own, others)
    # Variances of both kinds of placements as of samples.
    of_own, of_others = (own * by_own**2).sum() * many / (many - 1), (others * by_others**2).sum() * rest / (rest - 1)
    return math.sqrt(of_own + of_others) / (many + rest)


def average_precision_error(own: Floats, others: Floats) -> float | None:
    """Its standard error (delta method); None with fewer than two rows of the class."""
    if own.sum() < 2:
        return None
    by_own, by_others = average_precision_influence(own, others)
    return math.sqrt((own * by_own**2).sum() + (others * by_others**2).sum()) / float(own.sum() + others.sum())


INFLUENCES = {"roc_auc": roc_auc_influence, "average_precision": average_precision_influence}


def roc_auc_bound(own: Floats, others: Floats) -> float:
    """How far ROC AUC can lie from that of the exact scores, where these were put together into levels: half of the
    pairs within a level count half, and could all count whole or nothing.
    """
    pairs = float(own.sum()) * float(others.sum())
    return float((own * others).sum()) / (2 * pairs) if pairs > 0 else 0.0


def _ratio(above: Floats, below: Floats) -> Floats:
    """NaN where there is nothing to divide by."""
    import numpy as np

    above, below = np.asarray(above), np.asarray(below)
    found: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return found
