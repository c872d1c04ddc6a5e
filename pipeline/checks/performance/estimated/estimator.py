"""Fitted on the reference, asked about a night: the one way into this room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.checks.performance.estimated import cbpe, dle, pape
from pipeline.checks.performance.estimated.calibrate import Calibration, calibrate
from pipeline.checks.performance.estimated.dle import LossEstimator
from pipeline.checks.performance.estimated.expected import Expected
from pipeline.checks.performance.estimated.features import Encoder, Features, encoder
from pipeline.checks.performance.estimated.scored import Seen, require_reference, require_scores
from pipeline.checks.performance.estimated.thin import MOST_REFERENCE, only, thinned
from pipeline.checks.performance.labelled_rows import Rows
from pipeline.config import ColumnRoles
from pipeline.labels.classes import Classes
from pipeline.labels.columns import LabelsUnusable
from pipeline.wording import count

if TYPE_CHECKING:
    from pipeline.checks.performance.estimated.expected import Codes, Floats

LEAST = 100
"""Labelled rows of a reference that a classification needs."""


@dataclass(frozen=True)
class ConfidenceEstimator:
    """What scores mean on the reference. `scores`, `truth` and `matrix` (features) are of its rows."""

    seen: Seen
    scores: Floats
    truth: Codes
    calibration: Calibration
    encoder: Encoder
    matrix: Floats
    seed: int

    def expect(self, rows: Rows) -> Expected:
        """Expected metrics of a night: from the plain reference, or from the weighted one where that is better.

        Raises:
            LabelsUnusable: the night has no scores, or they are no probabilities.
        """
        rows = only(rows, [*self.encoder.names, *self.seen.roles.answers])
        if not len(rows.table):
            raise LabelsUnusable(f"{rows.answers} has no row, so nothing can be estimated")
        weighted = self._weighted(rows)
        found, unknown, unscored = cbpe.expect(rows, self.seen, weighted or self.calibration, self.seed)
        if not found:
            raise LabelsUnusable(f"{rows.answers} has too few rows for an estimate")
        notes = [f"{count(unscored, 'row')} without a score {_is(unscored)} not estimated"] if unscored else []
        prediction = self.seen.roles.prediction
        if prediction is None or not rows.has(prediction):
            notes.append(f"{rows.answers} has no prediction, so what is about predictions is not estimated")
        return Expected("cbpe" if weighted is None else "pape", found, notes, unknown)

    def _weighted(self, rows: Rows) -> Calibration | None:
        """The calibration on the reference weighted to be like the night; None where the plain one is as good."""
        import numpy as np

        tonight = thinned(rows, pape.TOLD_APART, self.seed)
        shared = self.encoder.readable(tonight)
        if not shared.names:
            return None
        columns = [self.encoder.names.index(name) for name in shared.names]
        scored = self.seen.read(tonight)
        given = pape.weights(
            np.column_stack([self.matrix[:, columns], self.scores]),
            np.column_stack([shared.matrix(tonight)[scored.at], scored.scores]),
            [*shared.categorical, *[False] * self.scores.shape[1]],
            self.seed,
        )
        return None if given is None else calibrate(self.scores, self.truth, given, self.seed)


Estimator = ConfidenceEstimator | LossEstimator


def fit(
    reference: Rows, roles: ColumnRoles, classes: Classes | None, features: Features | None = None, *, seed: int = 0
) -> Estimator:
    """What the reference shows about how right the model is.

    At most 100,000 of its rows are used, chosen with the seed. Equal input gives an equal estimator, and equal answers.

    Args:
        reference: rows of the reference, with label, and with what the model answered.
        roles: which column is what.
        classes: the known classes; None for a regression.
        features: inputs of the model; without any a classification is estimated from its scores alone.
        seed: of everything that is drawn.

    Raises:
        LabelsUnusable: the reference has no labels or no answers of the model, too few of them, or of one class only;
            or its scores are no probabilities.
    """
    features = (features or Features()).without(roles)
    if classes is None:
        return dle.fit(reference, roles, features, seed)
    if roles.label is None or not reference.has(roles.label):
        raise LabelsUnusable(
            f"the reference has no label {roles.label!r}, so nothing can be estimated before labels come"
        )
    if len(classes.values) < 2:
        raise LabelsUnusable("all labels of the reference are one class, so it shows nothing that could be expected")
    rows = thinned(only(reference, [*features.names, roles.label, *roles.answers]), MOST_REFERENCE, seed)
    is_single = len(classes.values) == 2 or len(require_scores(rows, roles, classes).classes) == 1
    seen = Seen(roles, classes, is_single)
    scored, truth = require_reference(seen.read(rows), rows, seen, LEAST)
    known = encoder(rows, features)
    calibration = calibrate(scored.scores, truth, None, seed)
    return ConfidenceEstimator(seen, scored.scores, truth, calibration, known, known.matrix(rows)[scored.at], seed)


def _is(rows: int) -> str:
    return "is" if rows == 1 else "are"
