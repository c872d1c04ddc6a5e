"""The reference weighted to be like tonight: performance-adaptive performance estimation.

As in Bialek, Kuberski, Perrakis, Bifet 2024 (arXiv 2407.08649). Where inputs change, the rows of one score are others
than before, and come true more or less often. A classifier that tells the reference's rows from tonight's gives the
density ratio p / (1 - p), scores among the inputs, by which the reference is weighted before scores are calibrated on
it (Sugiyama, Suzuki, Kanamori 2012). Rows are weighted by a classifier that has not seen them; weights are clipped, so
that no row decides.

Weights are used where they are better: where tonight's inputs differ from the reference's, and nowhere else, as weights
of rows that do not differ are noise. The classifier tells, on rows that it has not seen: its mean log likelihood must
be above that of guessing, beyond the noise (one-sided, at 5%). On 60 nights of census data this left the plain estimate
on the 20 nights of the first year, and took weights on the other 40, by which the mean error of the estimated ROC AUC
and accuracy fell by 14% and 9% over all 60; see docs/performance-benchmark.md. Whether a weighted curve fits held out
rows of the weighted reference better (Brier score) was tried as well: that test has too little power, and left the
plain estimate on nights where it was further off. No label of tonight has a part in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.checks.one_thread import on_one_thread
from pipeline.checks.performance.estimated.weights import Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.checks.performance.estimated.expected import Floats

TOLD_APART = 20_000
"""Rows of the reference, and of a night, that the classifiers learn from at most."""
FOLDS = 3
_TIMES, _LEAST_BEFORE = 5, 5_000  # of the reference so many rows for one of tonight's, and at least so many
_HALF_LEARNT = 1_000
"""Rows of a night of which the classifiers are taken to miss as much of a shift as they find.

On the credit cards of docs/performance-benchmark.md 490 rows miss 1.6 times what they find; the number was chosen by
that. An interval reaches so much farther, on that side alone. That what they miss falls with the root of the rows is an
assumption.
"""
_BEYOND = 1.645
_LEAST = 50


@on_one_thread
def weights(reference: Floats, tonight: Floats, categorical: list[bool], seed: int) -> Weights | None:
    """How much likelier each row of the reference is tonight; None where the two cannot be told apart.

    Args:
        reference: features, a line for each row, see `features.Encoder`.
        tonight: the same.
        categorical: which features are categories.
        seed: of folds, thinning and classifiers.
    """
    import numpy as np

    if len(tonight) < _LEAST:
        return None
    chance = np.random.default_rng(seed)
    fold, fold_tonight = (chance.permutation(len(part)) % FOLDS for part in (reference, tonight))
    used = _some(len(reference), min(max(_TIMES * len(tonight), _LEAST_BEFORE), TOLD_APART), chance)
    models, told = [], []
    for out in range(FOLDS):
        odds = _told_apart(reference[used & (fold != out)], tonight[fold_tonight != out], categorical, seed)
        told.append((odds(reference[fold == out]), odds(tonight[fold_tonight == out])))
        models.append(odds)
    if not _tells(*(np.concatenate(part) for part in zip(*told, strict=True))):
        return None
    found = np.array([odds(reference) for odds in models])
    unlearnt = float(np.sqrt(_HALF_LEARNT / len(tonight)))
    return Weights(found[fold, np.arange(len(reference))], found - found.mean(axis=0), unlearnt)


def _told_apart(before: Floats, after: Floats, categorical: list[bool], seed: int) -> Callable[[Floats], Floats]:
    """What says of rows the log odds that they are tonight's, both sides taken for equally long."""
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=20, l2_regularization=0.0,
        categorical_features=categorical, early_stopping=False, random_state=seed,
    )  # fmt: skip
    side = np.concatenate([np.zeros(len(before)), np.ones(len(after))])
    model.fit(np.concatenate([before, after]), side)
    prior = np.log(len(after) / len(before))
    return lambda rows: model.decision_function(rows) - prior


def _tells(before: Floats, after: Floats) -> bool:
    """Whether the classifiers are better than guessing on rows that they have not seen, both sides counting the same.

    Args:
        before: log odds of the rows of the reference that they are tonight's, as a classifier says.
        after: those of tonight's rows.
    """
    import numpy as np

    sides = [-np.logaddexp(0, before), -np.logaddexp(0, -after)]
    gain = np.mean([side.mean() for side in sides]) - np.log(0.5)
    error = np.sqrt(sum(side.var() / len(side) for side in sides)) / 2
    return bool(gain > _BEYOND * error)


def _some(rows: int, most: int, chance: np.random.Generator) -> NDArray[np.bool_]:
    """At most so many of the rows, every one as likely."""
    import numpy as np

    found = np.ones(rows, dtype=bool)
    if rows > most:
        found[chance.permutation(rows)[most:]] = False
    return found
