"""Errors of a regression before labels: direct loss estimation.

Models learn on the reference how large the absolute and the squared error are, from the features and the forecast
(direct loss estimation, as NannyML calls it); their mean over a night is the expected error. Each of five models leaves
out a fifth of the reference, which tells whether they are right in the mean; their mean answers. A model of the error
with its sign is left out: on rows that a good model was judged on, nothing is left to learn there but noise.

Chance in a night's labels: the variance of an error given its row is E[e^2] - E[|e|]^2, both of which the models tell;
that of a squared error is as far from its square as on the reference. What the finite reference leaves unknown: how far
apart the expectations of models are that each leave out one fold (delete-a-group jackknife, Kott 2001).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.checks.performance.estimated.expected import Expected, estimate
from pipeline.checks.performance.estimated.features import Encoder, Features, encoder
from pipeline.checks.performance.estimated.thin import MOST_REFERENCE, only, pieces, thinned
from pipeline.checks.performance.labelled_rows import Rows
from pipeline.config import ColumnRoles
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.numbers import numbers

if TYPE_CHECKING:
    import numpy as np

    from pipeline.checks.performance.estimated.expected import Floats

FOLDS = 5
LEAST = 200
_JUDGED = 50_000  # rows of a night that the models of the folds are asked about
_KURTOSIS_LEAST = 1.0


@dataclass(frozen=True)
class LossModel:
    """Models of one power of the error, each learnt without one fold of the reference; their mean is what is expected.

    `ratio`: the mean of what was left out, by the mean that was expected of it.
    """

    folds: tuple[Any, ...]
    ratio: float

    def expected(self, rows: Floats) -> Floats:
        """Row by row, never below 0."""
        import numpy as np

        found: Floats = np.mean([np.maximum(model.predict(rows), 0) for model in self.folds], axis=0) * self.ratio
        return found

    def mean_error(self, rows: Floats) -> float:
        """Standard error of the mean over some rows, from the finite reference."""
        import numpy as np

        means = np.array([np.maximum(model.predict(rows), 0).mean() * self.ratio for model in self.folds])
        return float(np.sqrt((FOLDS - 1) / FOLDS * ((means - means.mean()) ** 2).sum()))


@dataclass(frozen=True)
class LossEstimator:
    """What was learnt of a regression's errors on the reference. `spread` is Var[e^2] / E[e^2]^2, in the mean."""

    roles: ColumnRoles
    encoder: Encoder
    absolute: LossModel
    squared: LossModel
    spread: float
    seed: int

    def expect(self, rows: Rows) -> Expected:
        """Expected mean absolute error and root mean squared error of a night.

        Raises:
            LabelsUnusable: no row has a forecast.
        """
        import numpy as np

        rows = only(rows, [*self.encoder.names, *self.roles.answers])
        sums, several = np.zeros(4), 0  # of |e|, e^2, Var |e|, Var e^2
        for piece in pieces(rows):
            matrix = self._matrix(piece)
            if not len(matrix):
                continue
            first, second = self.absolute.expected(matrix), self.squared.expected(matrix)
            by_chance = np.maximum(second - first**2, 0)  # two models, so a row's may contradict each other
            sums += [first.sum(), second.sum(), by_chance.sum(), (self.spread * second**2).sum()]
            several += len(matrix)
        if not several:
            raise LabelsUnusable(f"{rows.answers} has no row with a forecast, so nothing can be estimated")
        absolute, square, variance, square_variance = sums / several
        sample = self._matrix(thinned(rows, _JUDGED, self.seed))
        unknown = {
            "mean_absolute_error": self.absolute.mean_error(sample),
            "root_mean_squared_error": _of_root(self.squared.mean_error(sample), square),
        }
        told = [
            estimate("mean_absolute_error", absolute, math.sqrt(variance / several), unknown["mean_absolute_error"],
                     several),
            estimate("root_mean_squared_error", math.sqrt(square), _of_root(math.sqrt(square_variance / several),
                     square), unknown["root_mean_squared_error"], several),
        ]  # fmt: skip
        return Expected(
            method="dle",
            metrics={name: found for name, found in zip(unknown, told, strict=True) if found is not None},
            notes=self._notes(rows, several),
            reference_errors=unknown,
        )

    def _matrix(self, rows: Rows) -> Floats:
        """Features and forecast of the rows that have one."""
        import numpy as np

        forecast = _forecast(rows, self.roles)
        return np.column_stack([self.encoder.matrix(rows), forecast])[np.isfinite(forecast)]

    def _notes(self, rows: Rows, several: int) -> list[str]:
        notes = []
        if several < len(rows.table):
            notes.append(f"{len(rows.table) - several} rows without a forecast are not estimated")
        gone = sorted(set(self.encoder.names) - set(self.encoder.readable(rows).names))
        if gone:
            notes.append(
                f"estimated without {', '.join(gone)}, which {rows.answers} does not have as the reference has"
            )
        return notes


def fit(reference: Rows, roles: ColumnRoles, features: Features, seed: int) -> LossEstimator:
    """Learn how large errors are.

    Raises:
        LabelsUnusable: the reference has too few rows with a label and a forecast, or these are no numbers.
    """
    import numpy as np

    label = str(roles.label)
    if not reference.has(roles.label):
        raise LabelsUnusable(f"the reference has no column {label!r}, so nothing can be estimated before labels come")
    rows = thinned(only(reference, [*features.names, label, *roles.answers]), MOST_REFERENCE, seed)
    truth, forecast = numbers(rows.table[label], f"{label} in {rows.labels}"), _forecast(rows, roles)
    there = np.isfinite(truth) & np.isfinite(forecast)
    if there.sum() < LEAST:
        raise LabelsUnusable(
            f"{int(there.sum())} rows of the reference have both a label and a forecast; an estimate needs {LEAST}"
        )
    known = encoder(rows, features)
    matrix = np.column_stack([known.matrix(rows), forecast])[there]
    with np.errstate(over="ignore"):
        error = np.abs(truth - forecast)[there]
        square = error**2
    if not np.isfinite(square).all() or not square.any():
        raise LabelsUnusable("the errors of the reference are all nothing, or too large to be compared")
    fold = np.random.default_rng(seed).permutation(len(error)) % FOLDS
    categorical = [*known.categorical, False]
    absolute, _ = _learn(matrix, error, fold, categorical, seed)
    squared, held = _learn(matrix, square, fold, categorical, seed)
    spread = float((square**2).mean() / (held**2).mean()) - 1
    return LossEstimator(roles, known, absolute, squared, max(spread, _KURTOSIS_LEAST), seed)


def _learn(
    matrix: Floats, losses: Floats, fold: np.ndarray[Any, Any], categorical: list[bool], seed: int
) -> tuple[LossModel, Floats]:
    """The models of a loss, and what they expect of the rows that were left out."""
    import numpy as np

    models, held = [], np.empty(len(losses))
    for out in range(FOLDS):
        models.append(_model(categorical, seed).fit(matrix[fold != out], losses[fold != out]))
        held[fold == out] = np.maximum(models[-1].predict(matrix[fold == out]), 0)
    ratio = float(losses.mean() / held.mean()) if held.mean() > 0 else 1.0
    return LossModel(tuple(models), ratio), held * ratio


def _model(categorical: list[bool], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_iter=200, learning_rate=0.1, max_leaf_nodes=31, min_samples_leaf=20, l2_regularization=1.0,
        categorical_features=categorical, early_stopping=False, random_state=seed,
    )  # fmt: skip


def _forecast(rows: Rows, roles: ColumnRoles) -> Floats:
    name = roles.prediction if rows.has(roles.prediction) else roles.score
    if name is None or not rows.has(name):
        wanted = roles.prediction or roles.score
        words = "the monitor names no prediction" if wanted is None else f"{rows.answers} has no column {wanted!r}"
        raise LabelsUnusable(f"{words}, so nothing can be estimated")
    return numbers(rows.table[name], f"{name} in {rows.answers}")


def _of_root(error: float, square: float) -> float:
    """The standard error of a root, from that of what is below it (delta method)."""
    return error / (2 * math.sqrt(square)) if square > 0 else 0.0
