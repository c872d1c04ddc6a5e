"""Metrics of a classification before labels, from how sure the model was: confidence-based performance estimation.

As in Bialek, Kuberski, Perrakis, Bifet 2024 (arXiv 2407.08649): a calibrated probability is the share of rows that will
turn out to be of a class, so the confusion matrix, and the rows of each kind along the score, can be expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.checks.performance.estimated.calibrate import Calibration, Curves
from pipeline.checks.performance.estimated.counts import Counts, counted, metrics
from pipeline.checks.performance.estimated.expected import estimate
from pipeline.checks.performance.estimated.thin import pieces, thinned
from pipeline.labels.columns import LabelsUnusable
from pipeline.results import Estimate

if TYPE_CHECKING:
    from pipeline.checks.performance.estimated.expected import Floats
    from pipeline.checks.performance.estimated.scored import Scored, Seen
    from pipeline.checks.performance.labelled_rows import Rows

DRAWN = 10_000
"""Rows of a night that standard errors come from: what chance does to them is scaled to all rows."""
DRAWS = 200
_BY_ROWS = ("roc_auc", "average_precision", "log_loss", "brier_score")


def expect(
    rows: Rows, seen: Seen, calibration: Calibration, seed: int
) -> tuple[dict[str, Estimate], dict[str, float], int]:
    """Expected metrics of a night, their standard errors from the reference alone, and how many rows had no score.

    Raises:
        LabelsUnusable: no row has a score, or scores are no probabilities.
    """
    total, unscored = None, 0
    for piece in pieces(rows):
        scored = seen.read(piece)
        unscored += scored.unscored
        counts = _counts(scored, calibration, calibration.chosen, seen)
        total = counts if total is None else total + counts
    if total is None or not total.rows:
        raise LabelsUnusable(f"{rows.answers} has no row with a score, so nothing can be estimated")
    sample = seen.read(thinned(rows, DRAWN, seed))
    by_reference, too_much = _by_reference(sample, calibration, seen)
    unlearnt = _unlearnt(sample, calibration, seen)
    by_labels = _by_labels(sample, calibration, seen, seed, total.rows)
    found = {}
    for name, value in metrics(total, seen).items():
        about = total.rows if name in _BY_ROWS else total.predicted
        told = estimate(
            name,
            value - too_much.get(name, 0.0),
            by_labels.get(name, float("nan")),
            by_reference.get(name, float("nan")),
            about,
            unlearnt=unlearnt.get(name, 0.0),
        )
        if told is not None:
            found[name] = told
    return found, by_reference, unscored


def _counts(scored: Scored, calibration: Calibration, curves: Curves, seen: Seen) -> Counts:
    places = calibration.cuts.places(scored.scores)
    truth = curves.probabilities(scored.scores, places)
    return counted(scored, truth, places, calibration.cuts.parts, seen)


def _by_reference(sample: Scored, calibration: Calibration, seen: Seen) -> tuple[dict[str, float], dict[str, float]]:
    """How far the expected metrics would be, were the reference another sample: standard deviations by metric.

    And how far they are too high: a curve fitted to few rows is too sure, as those of the samples are once more (Efron
    and Tibshirani 1993, chapter 10).
    """
    import numpy as np

    drawn = [metrics(_counts(sample, calibration, curves, seen), seen) for curves in calibration.samples]
    fitted = metrics(_counts(sample, calibration, calibration.fitted, seen), seen)
    spread = _spread(drawn)
    if not calibration.chosen.steps:
        return spread, dict.fromkeys(fitted, 0.0)
    means = {name: float(np.mean([one[name] for one in drawn if name in one])) for name in spread}
    return spread, {name: mean - fitted.get(name, mean) for name, mean in means.items()}


def _unlearnt(sample: Scored, calibration: Calibration, seen: Seen) -> dict[str, float]:
    """How much farther from the plain estimate the weighted one may have to go: a classifier that learns from few rows
    finds a part of what changed. By metric, with its sign; see `Weights.unlearnt`.
    """
    if not calibration.unlearnt:
        return {}
    fitted, plain = (
        metrics(_counts(sample, calibration, curves, seen), seen) for curves in (calibration.fitted, calibration.plain)
    )
    return {name: calibration.unlearnt * (fitted[name] - plain[name]) for name in fitted.keys() & plain.keys()}


def _by_labels(sample: Scored, calibration: Calibration, seen: Seen, seed: int, rows: int) -> dict[str, float]:
    """How far chance moves the metrics of so many rows: labels are drawn from their probabilities."""
    import numpy as np

    chance = np.random.default_rng(seed)
    places = calibration.cuts.places(sample.scores)
    ends = np.cumsum(calibration.chosen.probabilities(sample.scores, places), axis=1)[:, :-1]
    drawn = []
    for _ in range(DRAWS):
        truth = (chance.random((len(sample), 1)) > ends).sum(axis=1)
        labels: Floats = np.eye(seen.many)[truth]
        drawn.append(metrics(counted(sample, labels, places, calibration.cuts.parts, seen), seen))
    scale = float(np.sqrt(len(sample) / rows))
    return {name: value * scale for name, value in _spread(drawn).items()}


def _spread(drawn: list[dict[str, float]]) -> dict[str, float]:
    """Standard deviations, of metrics that at least half of the draws have."""
    import numpy as np

    names = dict.fromkeys(name for one in drawn for name in one)
    known = {name: [one[name] for one in drawn if name in one] for name in names}
    return {name: float(np.std(values, ddof=1)) for name, values in known.items() if 2 * len(values) >= len(drawn) > 1}
