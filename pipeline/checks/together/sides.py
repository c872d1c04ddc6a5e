"""A classifier that is to say which side a row is from, and how far it does better than guessing on rows it never saw.

Of two halves of the rows of each side one is learnt from and the other judged. Without a change the area under the
curve is Mann and Whitney's (1947) statistic, so its chance is known however the classifier learns.

It sees ranks among the rows of both sides. Told `apart`, it sees ranks among the rows of the own side, and as many
missing values on both: whatever a column does by itself, both sides look the same in it, and what is left is how
columns go together. Chance is then known less well, as each side has an edge of its own: both have to find a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.checks.scan import FloatArray, IntArray

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

_SEED = 1_401
_FEWEST_ROWS = 50
_PRODUCTS = 10
_UNIT = np.sqrt(3.0)
"""Ranks from -1 to 1 times this have the deviation 1."""
_STEP = 0.0625
Random = np.random.Generator


class Apart(NamedTuple):
    """The area under the curve on `before` and `now` rows of the sides, and what chance makes of its deviation from one
    half, in units of a rank's deviation: the square of `gap` is `noise` on average.
    """

    auc: float
    before: int
    now: int

    @property
    def gap(self) -> float:
        """How far from guessing, in that unit; negative where worse."""
        return float((self.auc - 0.5) * np.sqrt(12.0))

    @property
    def noise(self) -> float:
        """The mean square of it by chance: (n + m + 1) / (n m)."""
        return (self.before + self.now + 1) / (self.before * self.now)


@dataclass(frozen=True, eq=False)
class Judge:
    """A classifier with the rows that it was judged on.

    `products`: shape (k, 3), columns whose product it sees as well, the third -1 where there are two.
    """

    model: HistGradientBoostingClassifier
    products: IntArray
    before: FloatArray
    after: FloatArray
    apart: Apart

    def lost(self) -> FloatArray:
        """By how much the area falls when the values of a column are shuffled on both sides, shape (p,)."""
        random = np.random.default_rng(_SEED)
        found = np.zeros(self.before.shape[1])
        for place in range(found.size):
            sides = [side.copy() for side in (self.before, self.after)]
            for side in sides:
                side[:, place] = random.permutation(side[:, place])
            found[place] = self.apart.auc - _auc(self.model, self.products, *sides)
        return found


def judge(before: FloatArray, after: FloatArray, *, apart: bool = False) -> Judge | None:
    """A classifier between both sides; None where one has too few rows, or there is one column.

    Args:
        before: drawn rows of the reference, shape (n, p); NaN where missing.
        after: drawn rows of tonight, shape (m, p).
        apart: ranks are those within each side.
    """
    if min(len(before), len(after)) < 2 * _FEWEST_ROWS or before.shape[1] < 2:
        return None
    random = np.random.default_rng(_SEED)
    halves = [(rows[: len(rows) // 2], rows[len(rows) // 2 :]) for rows in map(random.permutation, (before, after))]
    ranked = _alike if apart else _ranked
    learn, test = (ranked(random, first, second) for first, second in zip(*halves, strict=True))
    products = _products(*learn)
    model = _learn(products, *learn)
    found = Apart(_auc(model, products, *test), len(test[0]), len(test[1]))
    return Judge(model, products, *test, found)


def _ranked(random: Random, first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both sides as ranks among all rows, from -1 to 1 times `_UNIT`."""
    both = np.vstack([first, second])
    made = np.column_stack([_ranks(random, column) for column in both.T])
    return made[: len(first)], made[len(first) :]


def _alike(random: Random, first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both sides as ranks within themselves, from -1 to 1 times `_UNIT`, with as many missing values."""
    made = np.empty_like(first), np.empty_like(second)
    for place in range(first.shape[1]):
        columns = [side[:, place].copy() for side in (first, second)]
        most = max(float(np.isnan(column).mean()) for column in columns)
        for side, column in zip(made, columns, strict=True):
            side[:, place] = _ranks(random, _thinned(random, column, most))
    return made


def _thinned(random: Random, column: FloatArray, missing: float) -> FloatArray:
    """With values taken out at random until that part of the rows is missing."""
    there = np.flatnonzero(~np.isnan(column))
    more = round(missing * column.size) - (column.size - there.size)
    if more > 0:
        column[random.choice(there, min(more, there.size), replace=False)] = np.nan
    return column


def _ranks(random: Random, column: FloatArray) -> FloatArray:
    """Ranks of the values that are there; equal ones in random order, so that each is as frequent as any other."""
    there = np.flatnonzero(~np.isnan(column))
    order = np.lexsort((random.random(there.size), column[there]))
    ranks = np.full(column.size, np.nan)
    ranks[there[order]] = (2 * (np.arange(there.size) + 0.5) / max(there.size, 1) - 1) * _UNIT
    return ranks


def _products(before: FloatArray, after: FloatArray) -> IntArray:
    """The two and three columns whose products differ most between the sides: trees find such changes late."""
    sides = [np.nan_to_num(side, nan=0.0).astype(np.float32) for side in (before, after)]
    columns = before.shape[1]
    pairs = np.triu(np.abs(_second(sides[1]) - _second(sides[0])), 1)
    found = [(float(pairs[one, two]), one, two, -1) for one, two in zip(*_largest(pairs), strict=True)]
    for one in range(columns - 2):
        rest = [side[:, one + 1 :] for side in sides]
        means = [_second(part, side[:, one]) for part, side in zip(rest, sides, strict=True)]
        threes = np.triu(np.abs(means[1] - means[0]), 1)
        two, three = _largest(threes)
        found += [(float(threes[a, b]), one, one + 1 + a, one + 1 + b) for a, b in zip(two, three, strict=True)]
    chosen = []
    for triple in (False, True):
        some = sorted((item for item in found if (item[3] >= 0) == triple), reverse=True)
        chosen += [item[1:] for item in some[:_PRODUCTS]]
    return np.array(chosen, np.int64).reshape(-1, 3)


def _second(side: npt.NDArray[np.float32], times: npt.NDArray[np.float32] | None = None) -> FloatArray:
    """The mean products of columns, shape (p, p), times another column of shape (n,)."""
    first = side if times is None else side * times[:, None]
    return (first.T @ side).astype(np.float64) / len(side)


def _largest(found: FloatArray) -> tuple[list[int], list[int]]:
    """Where the largest of a square are, above its diagonal."""
    rows, columns = np.triu_indices(len(found), 1)
    order = np.argsort(-found[rows, columns], kind="stable")[:_PRODUCTS]
    return rows[order].tolist(), columns[order].tolist()


def _learn(products: IntArray, before: FloatArray, after: FloatArray) -> HistGradientBoostingClassifier:
    from sklearn.ensemble import HistGradientBoostingClassifier

    sides = np.repeat([0, 1], [len(before), len(after)])
    weights = np.where(sides == 1, len(before) / len(after), 1.0)
    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, early_stopping=False, random_state=_SEED, l2_regularization=1.0
    )
    return model.fit(_seen(products, np.vstack([before, after])), sides, weights)


def _seen(products: IntArray, rows: FloatArray) -> FloatArray:
    """What the classifier is given, shape (n, p + k), in steps: so few different values need no bins of its own."""
    third = np.where(products[:, 2] < 0, 1.0, rows[:, products[:, 2]])
    made = np.hstack([rows, rows[:, products[:, 0]] * rows[:, products[:, 1]] * third])
    return np.asarray(np.round(made / _STEP) * _STEP)


def _auc(model: HistGradientBoostingClassifier, products: IntArray, before: FloatArray, after: FloatArray) -> float:
    """The probability that a row of tonight scores higher than one of the reference; equal scores count half."""
    from scipy.stats import rankdata

    scores = model.decision_function(_seen(products, np.vstack([before, after])))
    ranks = rankdata(scores)[len(before) :]
    return float((ranks.mean() - (len(after) + 1) / 2) / len(before))
