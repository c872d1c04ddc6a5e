"""The reference weighted to be like tonight: performance-adaptive performance estimation.

As in Bialek, Kuberski, Perrakis, Bifet 2024 (arXiv 2407.08649). Where inputs change, the rows of one score are others
than before, and come true more or less often. A classifier that tells the reference's rows from tonight's gives the
density ratio p / (1 - p), by which the reference is weighted before scores are calibrated on it (Sugiyama, Suzuki,
Kanamori 2012). Rows are weighted by a classifier that has not seen them; weights are clipped, so that no row decides.

Weights are used where they are better: where tonight's inputs differ from the reference's, and nowhere else, as weights
of rows that do not differ are noise. The classifier tells, on rows that it has not seen: its mean log likelihood must
be above that of guessing, beyond the noise (one-sided, at 5%). On 60 nights of census data this left the plain estimate
on the 20 nights of the first year, and took weights on the other 40, by which the mean error of the estimated ROC AUC
and accuracy fell by an eighth over all 60; see docs/performance-benchmark.md. Whether a weighted curve fits held out
rows of the weighted reference better (Brier score) was tried as well: that test has too little power, and left the
plain estimate on nights where it was further off. No label of tonight has a part in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier

    from pipeline.checks.performance.estimated.expected import Floats

TOLD_APART = 50_000
"""Rows of the reference, and of a night, that the classifier learns from at most."""
_LIGHTEST, _HEAVIEST = 0.05, 20.0
_BEYOND = 1.645
_LEAST = 50


def weights(reference: Floats, tonight: Floats, categorical: list[bool], seed: int) -> Floats | None:
    """How much likelier each row of the reference is tonight, in the mean 1; None where the two cannot be told apart.

    Args:
        reference: features, a line for each row, see `features.Encoder`.
        tonight: the same.
        categorical: which features are categories.
        seed: of halves, thinning and classifier.
    """
    import numpy as np

    if len(tonight) < _LEAST:
        return None
    chance = np.random.default_rng(seed)
    halves = [chance.permutation(len(part)) % 2 == 1 for part in (reference, tonight)]
    odds, told = np.empty(len(reference)), []
    for out in (False, True):
        held, held_tonight = reference[halves[0] == out], tonight[halves[1] == out]
        learnt = [part[half != out] for part, half in zip((reference, tonight), halves, strict=True)]
        before, after = (_some(part, TOLD_APART // 2, chance) for part in learnt)
        model = _told_apart(before, after, categorical, seed)
        chances = [np.clip(model.predict_proba(part)[:, 1], 1e-6, 1 - 1e-6) for part in (held, held_tonight)]
        odds[halves[0] == out] = chances[0] / (1 - chances[0])
        told.append(chances)
    if not _tells(*(np.concatenate(part) for part in zip(*told, strict=True))):
        return None
    found: Floats = np.clip(odds / odds.mean(), _LIGHTEST, _HEAVIEST)
    found /= found.mean()
    return found


def _told_apart(before: Floats, after: Floats, categorical: list[bool], seed: int) -> HistGradientBoostingClassifier:
    """A classifier that says how probably a row is tonight's, both sides counting the same."""
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier

    side = np.concatenate([np.zeros(len(before)), np.ones(len(after))])
    weight = np.where(side == 1, len(side) / len(after), len(side) / len(before)) / 2
    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=20, l2_regularization=1.0,
        categorical_features=categorical, early_stopping=False, random_state=seed,
    )  # fmt: skip
    return model.fit(np.concatenate([before, after]), side, sample_weight=weight)


def _tells(before: Floats, after: Floats) -> bool:
    """Whether the classifier is better than guessing on rows that it has not seen, both sides counting the same.

    Args:
        before: how probably each row of the reference is tonight's, as the classifier says.
        after: how probably each of tonight's is.
    """
    import numpy as np

    sides = [np.log(1 - before), np.log(after)]
    gain = np.mean([side.mean() for side in sides]) - np.log(0.5)
    error = np.sqrt(sum(side.var() / len(side) for side in sides)) / 2
    return bool(gain > _BEYOND * error)


def _some(rows: Floats, most: int, chance: np.random.Generator) -> Floats:
    return rows if len(rows) <= most else rows[chance.choice(len(rows), most, replace=False)]
