"""Scores as probabilities: what share of the reference's rows of such a score came true.

Over cuts of the score, at most 2,000 of about equal rows, of one class at a time, each against the rest, and then
normalised. Three curves compete, and rows that they were not fitted to choose by the squared error (Brier 1950): the
score as it is; a smooth one, logistic in log s and log(1 - s) (beta calibration: Kull, Silva Filho, Flach 2017), which
a small reference can tell; and isotonic regression (Zadrozny and Elkan 2002), which can be of any shape. How far curves
of bootstrap samples differ (Efron 1979) is what the finite reference leaves unknown, and how far they are off in the
mean is how much too sure of itself a curve is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.checks.performance.estimated.weights import Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.checks.performance.estimated.expected import Codes, Floats

    Places = NDArray[np.int64]
    Shape = Callable[[Floats, Floats, Floats], Floats]

MOST_CUTS = 2_000
SAMPLES = 40
FOLDS = 5
_RIDGE = 1e-3
_ROUNDS = 12


@dataclass(frozen=True)
class Cuts:
    """Where scores are cut, for each column of scores: inner edges, ascending, and the mean score of each part."""

    edges: tuple[Floats, ...]
    means: tuple[Floats, ...]

    @property
    def parts(self) -> list[int]:
        """How many there are, column by column."""
        return [len(means) for means in self.means]

    def places(self, scores: Floats) -> Places:
        """In which part each score is, column by column."""
        import numpy as np

        found = [np.searchsorted(edges, scores[:, column], side="right") for column, edges in enumerate(self.edges)]
        return np.column_stack(found).astype(np.int64)


@dataclass(frozen=True)
class Curves:
    """A probability for each part of each column of scores; none: the scores are probabilities as they are."""

    steps: tuple[Floats, ...] = ()

    def of(self, scores: Floats, places: Places) -> Floats:
        """Probabilities, column by column of the scores."""
        import numpy as np

        columns = [steps[places[:, column]] for column, steps in enumerate(self.steps)]
        found: Floats = np.column_stack(columns) if columns else scores
        return found

    def probabilities(self, scores: Floats, places: Places) -> Floats:
        """Of every class, a line for each row; a single score is that of the second of two classes."""
        import numpy as np

        found = self.of(scores, places)
        if found.shape[1] == 1:
            return np.column_stack([1 - found[:, 0], found[:, 0]])
        total = found.sum(axis=1, keepdims=True)
        normal: Floats = np.divide(found, total, out=np.full(found.shape, 1 / found.shape[1]), where=total > 0)
        return normal


@dataclass(frozen=True)
class Calibration:
    """What is expected (`chosen`), and curves as they might have been, were the reference another sample.

    `fitted` is what the samples are samples of: the chosen curve, or a smooth one where that is the score itself.
    `plain`: as `fitted`, of rows without weights, and `unlearnt` of these, see `Weights`.
    """

    cuts: Cuts
    chosen: Curves
    fitted: Curves
    samples: tuple[Curves, ...]
    plain: Curves = Curves()
    unlearnt: float = 0.0


def cut(scores: Floats) -> Cuts:
    """Parts of about equal rows, no more of them than there are different scores."""
    import numpy as np

    shares, edges, means = np.arange(1, MOST_CUTS) / MOST_CUTS, [], []
    for column in scores.T:
        inner = np.unique(np.quantile(column, shares, method="higher"))
        inner = inner[inner > column.min()]  # an edge at the least score would leave its part empty
        at = np.searchsorted(inner, column, side="right")
        edges.append(inner)
        means.append(np.bincount(at, column) / np.bincount(at))
    return Cuts(tuple(edges), tuple(means))


def calibrate(scores: Floats, truth: Codes, weights: Weights | None, seed: int) -> Calibration:
    """The calibration that the reference shows.

    Args:
        scores: a column for each class, or that of the second of two.
        truth: places of the labels.
        weights: of the rows, None for equal ones: then the scores may be taken as they are.
        seed: of folds and bootstrap.
    """
    import numpy as np

    rows = _Rows(scores, truth, None if weights is None else weights.values)
    chance = np.random.default_rng(seed)
    losses = rows.losses(chance.integers(0, FOLDS, len(scores)))
    is_raw = weights is None and losses[None] <= min(losses.values())
    shape = _smooth if is_raw or losses[_smooth] <= losses[_isotonic] else _isotonic
    samples = []
    for _ in range(SAMPLES):
        drawn = rows.weights if weights is None else weights.drawn(chance)
        samples.append(rows.curves(shape, drawn * chance.poisson(1, len(scores))))
    fitted = rows.curves(shape, rows.weights)
    found = Calibration(rows.cuts, Curves() if is_raw else fitted, fitted, tuple(samples))
    if weights is None:
        return found
    return replace(found, plain=rows.curves(shape, np.ones(len(scores))), unlearnt=weights.unlearnt)


class _Rows:
    """Rows of the reference, cut."""

    def __init__(self, scores: Floats, truth: Codes, weights: Floats | None) -> None:
        import numpy as np

        wanted = [1] if scores.shape[1] == 1 else range(scores.shape[1])
        self.scores, self.cuts = scores, cut(scores)
        self.places = self.cuts.places(scores)
        self.own = np.column_stack([truth == place for place in wanted]).astype(np.float64)
        self.weights = np.ones(len(scores)) if weights is None else weights

    def curves(self, shape: Shape, weights: Floats) -> Curves:
        """Of such a shape, every row with its weight; rows of weight 0 are not looked at."""
        import numpy as np

        found = []
        for column, means in enumerate(self.cuts.means):
            rows = np.bincount(self.places[:, column], weights, len(means)).astype(np.float64)
            true = np.bincount(self.places[:, column], weights * self.own[:, column], len(means)).astype(np.float64)
            found.append(shape(true, rows, means))
        return Curves(tuple(found))

    def losses(self, fold: NDArray[np.int64]) -> dict[Shape | None, float]:
        """By shape, the squared error of rows that it was not fitted to; None: of the scores as they are."""
        shapes: list[Shape | None] = [None, _smooth, _isotonic]
        found = dict.fromkeys(shapes, 0.0)
        for out in range(FOLDS):
            held = fold == out
            for shape in shapes:
                curves = Curves() if shape is None else self.curves(shape, self.weights * ~held)
                error = (curves.of(self.scores[held], self.places[held]) - self.own[held]) ** 2
                found[shape] += float((self.weights[held] @ error).sum())
        return found


def _isotonic(true: Floats, rows: Floats, _means: Floats) -> Floats:
    """The ascending curve that is nearest to the shares; between parts with rows it is a straight line."""
    import numpy as np
    from sklearn.isotonic import isotonic_regression

    there = np.flatnonzero(rows > 0)
    if not len(there):
        return np.full(len(rows), 0.5)
    fitted = isotonic_regression(true[there] / rows[there], sample_weight=rows[there], y_min=0, y_max=1)
    found: Floats = np.interp(np.arange(len(rows)), there, fitted)
    return found


def _smooth(true: Floats, rows: Floats, means: Floats) -> Floats:
    """Logistic regression on log s and log(1 - s), by Newton's method with a small penalty."""
    import numpy as np

    inside = np.clip(means, 1e-6, 1 - 1e-6)
    given = np.column_stack([np.ones(len(means)), np.log(inside), -np.log1p(-inside)])
    found = np.array([0.0, 1.0, 1.0])
    centre = found.copy()
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(given @ found, -30, 30)))
        slope = given.T @ (true - rows * chance) - _RIDGE * (found - centre)
        curvature = (given * (rows * chance * (1 - chance))[:, None]).T @ given + _RIDGE * np.eye(3)
        found = found + np.clip(np.linalg.solve(curvature, slope), -2, 2)
    smooth: Floats = 1 / (1 + np.exp(-np.clip(given @ found, -30, 30)))
    return smooth
