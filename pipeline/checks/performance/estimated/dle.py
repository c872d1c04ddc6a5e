"""Errors of a regression before labels: direct loss estimation.

Models learn on the reference how large the absolute and the squared error are, from the features and the forecast
(direct loss estimation, as NannyML calls it); their mean over a night is the expected error. They learn with the
Poisson deviance: an error is never below 0, where it is large it varies much, and its total is met. Each of five leaves
out a fifth of the reference, which tells whether they are right in the mean; their mean answers. A model of the error
with its sign is left out: on rows that a good model was judged on, nothing is left to learn there but noise.

Chance in a night's labels: the variance of an error given its row is E[e^2] - E[|e|]^2, both of which the models tell;
that of a squared error is as far from its square as on the reference. What the finite reference leaves unknown: how far
apart the expectations of models are that each leave out one fold (delete-a-group jackknife, Kott 2001). Of a long night
the models are asked about some rows, every one as likely, and what that leaves unknown is in the interval, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.checks.one_thread import on_one_thread
from pipeline.checks.performance.estimated.expected import Expected, estimate
from pipeline.checks.performance.estimated.features import Encoder, Features, encoder
from pipeline.checks.performance.estimated.thin import MOST_REFERENCE, only, thinned
from pipeline.checks.performance.labelled_rows import Rows
from pipeline.config import ColumnRoles
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.numbers import numbers
from pipeline.wording import count

if TYPE_CHECKING:
    import numpy as np

    from pipeline.checks.performance.estimated.expected import Floats

FOLDS = 5
LEAST = 200
JUDGED = 50_000
"""Rows of a night that the models are asked about at most."""
_KURTOSIS_LEAST = 1.0


@dataclass(frozen=True)
class LossModel:
    """Models of one power of the error, each learnt without one fold of the reference; their mean is what is expected.

    `scale`: of what they learnt, so that in the mean they expect what was left out.
    """

    folds: tuple[Any, ...]
    scale: float

    @on_one_thread
    def expected(self, rows: Floats) -> tuple[Floats, float]:
        """Row by row, and the standard error of the mean over the rows, from the finite reference."""
        import numpy as np

        told = np.array([model.predict(rows) for model in self.folds]) * self.scale
        means = told.mean(axis=1)
        return told.mean(axis=0), float(np.sqrt((FOLDS - 1) / FOLDS * ((means - means.mean()) ** 2).sum()))


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
        several = int(np.isfinite(_forecast(rows, self.roles)).sum())
        matrix = self._matrix(thinned(rows, JUDGED, self.seed)) if several else np.empty((0, 0))
        if not len(matrix):
            raise LabelsUnusable(f"{rows.answers} has no row with a forecast, so nothing can be estimated")
        (first, first_error), (second, second_error) = (
            model.expected(matrix) for model in (self.absolute, self.squared)
        )
        by_chance = np.maximum(second - first**2, 0)  # two models, so a row's may contradict each other
        square = float(second.mean())
        by_labels = {
            "mean_absolute_error": math.hypot(_of_mean(by_chance, several), _of_some(first, several)),
            "root_mean_squared_error": _of_root(
                math.hypot(_of_mean(self.spread * second**2, several), _of_some(second, several)), square
            ),
        }
        unknown = {"mean_absolute_error": first_error, "root_mean_squared_error": _of_root(second_error, square)}
        values = {"mean_absolute_error": float(first.mean()), "root_mean_squared_error": math.sqrt(square)}
        told = {name: estimate(name, values[name], by_labels[name], unknown[name], several) for name in values}
        return Expected(
            method="dle",
            metrics={name: found for name, found in told.items() if found is not None},
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
            notes.append(f"{count(len(rows.table) - several, 'row')} without a forecast not estimated")
        gone = sorted(set(self.encoder.names) - set(self.encoder.readable(rows).names))
        if gone:
            notes.append(
                f"estimated without {', '.join(gone)}, which {rows.answers} does not have as the reference has"
            )
        return notes


@on_one_thread
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
            f"{count(int(there.sum()), 'row')} of the reference with both a label and a forecast; an estimate needs "
            f"{count(LEAST)}"
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

    models, held, mean = [], np.empty(len(losses)), losses.mean()
    for out in range(FOLDS):  # in units of the mean, as the penalty is not free of them
        models.append(_model(categorical, seed).fit(matrix[fold != out], losses[fold != out] / mean))
        held[fold == out] = models[-1].predict(matrix[fold == out])
    scale = float(mean / held.mean())
    return LossModel(tuple(models), scale), held * scale


def _model(categorical: list[bool], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        loss="poisson", max_iter=60, learning_rate=0.2, max_leaf_nodes=15, min_samples_leaf=20, l2_regularization=1.0,
        categorical_features=categorical, early_stopping=False, random_state=seed,
    )  # fmt: skip


def _of_mean(variances: Floats, rows: int) -> float:
    """The standard error of a mean over so many rows, of some of which the variances are known."""
    return math.sqrt(float(variances.mean()) / rows)


def _of_some(values: Floats, rows: int) -> float:
    """The standard error of a mean over some of the rows, as one of all of them; 0 where it is of all."""
    left = max(1 - len(values) / rows, 0.0)
    return math.sqrt(left * float(values.var()) / len(values))


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
