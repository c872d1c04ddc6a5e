"""Made-up models, night by night, as the verdict sees them: every stretch of the newest nights pooled."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from pipeline.checks.performance.verdict import Stretch, judge
from pipeline.config.monitor import PerformancePolicy
from pipeline.results import Basis, Estimate, PerformanceVerdict

Floats = NDArray[np.float64]
Random = np.random.Generator

WINDOW = 30
START = date(2026, 1, 1)
_Z = 1.959964
_BINS = 200
DEFAULT = PerformancePolicy()
_EDGES = np.linspace(-5.0, 7.0, _BINS - 1)


@dataclass(frozen=True)
class Metric:
    """How a metric's rows are drawn, and what of them is kept.

    `draw(random, rows, quality)` gives the sums of some rows, that can be added up, of shape (sums,); the first one is
    the rows. `measure(sums)` takes them, of shape (many, sums), to value, error, low and high, each of shape (many,).
    """

    name: str
    draw: Callable[[Random, int, float], Floats]
    measure: Callable[[Floats], tuple[Floats, Floats, Floats, Floats]]


def _symmetric(value: Floats, error: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    return value, error, value - _Z * error, value + _Z * error


def _draw_hits(random: Random, rows: int, quality: float) -> Floats:
    return np.array([rows, random.binomial(rows, quality)], float)


def _measure_hits(sums: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """With Wilson's interval."""
    rows, hits = sums.T
    share = hits / rows
    middle = (hits + _Z**2 / 2) / (rows + _Z**2)
    half = _Z / (rows + _Z**2) * np.sqrt(rows * share * (1 - share) + _Z**2 / 4)
    return share, np.sqrt(share * (1 - share) / rows), middle - half, middle + half


def _draw_sums(losses: Callable[[Random, int, float], Floats]) -> Callable[[Random, int, float], Floats]:
    def draw(random: Random, rows: int, quality: float) -> Floats:
        drawn = losses(random, rows, quality)
        return np.array([rows, drawn.sum(), (drawn**2).sum()])

    return draw


def _measure_mean(sums: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    rows, total, squares = sums.T
    mean = total / rows
    return _symmetric(mean, np.sqrt(np.maximum(squares / rows - mean**2, 0) / (rows - 1)))


def _log_loss(random: Random, rows: int, quality: float) -> Floats:
    """Of calibrated scores, uniform in logits; `quality` multiplies what the model believes of itself: 1 is right."""
    logits = random.uniform(-4, 4, rows)
    came = random.random(rows) < 1 / (1 + np.exp(-logits))
    return np.asarray(np.log1p(np.exp(-np.where(came, 1, -1) * logits * quality)))


def _draw_scores(random: Random, rows: int, quality: float) -> Floats:
    """Three rows in ten are positive; `quality` is how far their scores lie above the others', in deviations."""
    positive = random.binomial(rows, 0.3)
    own = np.bincount(np.searchsorted(_EDGES, random.normal(quality, 1, positive)), minlength=_BINS)
    others = np.bincount(np.searchsorted(_EDGES, random.normal(0, 1, rows - positive)), minlength=_BINS)
    return np.concatenate([[rows], own, others]).astype(float)


def _measure_auc(sums: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """With the error of Hanley and McNeil 1982."""
    own, others = sums[:, 1 : 1 + _BINS], sums[:, 1 + _BINS :]
    many, rest = np.maximum(own.sum(axis=1), 1), np.maximum(others.sum(axis=1), 1)
    below = others.cumsum(axis=1) - others / 2
    auc = (own * below).sum(axis=1) / (many * rest)
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (many - 1) * (one - auc**2) + (rest - 1) * (two - auc**2)
    return _symmetric(auc, np.sqrt(np.maximum(spread, 0) / (many * rest)))


def _draw_counts(random: Random, rows: int, quality: float) -> Floats:
    """Hits, false alarms and misses of a class of two in ten rows; `quality` is precision and recall at once."""
    wrong = 0.2 * (1 - quality)
    return np.array([rows, *random.multinomial(rows, [0.2 * quality, wrong, wrong, 0.8 - wrong])[:3]], float)


def _measure_f1(sums: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """With the error of a ratio of sums."""
    _, hits, alarms, misses = sums.T
    below = np.maximum(2 * hits + alarms + misses, 1)
    f1 = 2 * hits / below
    squares = hits * (2 - 2 * f1) ** 2 + (alarms + misses) * f1**2
    return _symmetric(f1, np.sqrt(squares) / below)


ACCURACY = Metric("accuracy", _draw_hits, _measure_hits)
ROC_AUC = Metric("roc_auc", _draw_scores, _measure_auc)
F1 = Metric("f1", _draw_counts, _measure_f1)
LOG_LOSS = Metric("log_loss", _draw_sums(_log_loss), _measure_mean)
MAE_OF_T = Metric(
    "mean_absolute_error",
    _draw_sums(lambda random, rows, scale: scale * np.abs(random.standard_t(3, rows))),
    _measure_mean,
)
MAE_OF_LOGNORMAL = Metric(
    "mean_absolute_error",
    _draw_sums(lambda random, rows, scale: scale * random.lognormal(0, 1.2, rows)),
    _measure_mean,
)


@dataclass(frozen=True)
class Model:
    """A model over some nights: `quality` and `rows` by night, and the rows of the reference; None: it has none."""

    metric: Metric
    quality: Sequence[float]
    rows: Sequence[int]
    reference: int | None = 5000
    reference_quality: float | None = None
    policy: PerformancePolicy = DEFAULT
    basis: Basis = "realised"


def looks(model: Model, random: Random, first: int = 0) -> Iterator[PerformanceVerdict]:
    """The verdict of every night from the night `first` on."""
    metric = model.metric
    drawn = [metric.draw(random, rows, quality) for rows, quality in zip(model.rows, model.quality, strict=True)]
    single = _estimates(metric, np.array(drawn))
    days = [START + timedelta(days=position) for position in range(len(drawn))]
    own = {}
    if model.reference is not None:
        quality = model.quality[0] if model.reference_quality is None else model.reference_quality
        own[metric.name] = _estimates(metric, metric.draw(random, model.reference, quality)[None, :])[0]
    nights = list(zip(days, single, strict=True))
    for night in range(first, len(drawn)):
        back = range(min(night + 1, WINDOW))
        pooled = _estimates(metric, np.cumsum(drawn[night - len(back) + 1 : night + 1][::-1], axis=0))
        stretches = [Stretch(days[night - k], days[night], k + 1, pooled[k]) for k in back]
        newest = nights[max(night - WINDOW + 1, 0) : night + 1]
        yield judge(model.policy, metric.name, {metric.name: {model.basis: stretches}}, own, newest)


def _estimates(metric: Metric, sums: Floats) -> list[Estimate]:
    """Without validation: there are millions of them."""
    found = zip(*(part.tolist() for part in metric.measure(sums)), sums[:, 0].astype(int).tolist(), strict=True)
    return [
        Estimate.model_construct(value=value, error=error, low=low, high=high, rows=rows)
        for value, error, low, high, rows in found
        if math.isfinite(value)
    ]


def ever_degraded(model: Model, random: Random) -> bool:
    """Whether a model is called degraded on any of its nights."""
    return any(verdict.status == "degraded" for verdict in looks(model, random))


def labels_needed(model: Model, random: Random, change: int) -> float:
    """Labels from the night of the change to the first `degraded`, both included; infinite where it never comes."""
    labels = itertools.accumulate(model.rows[change:])
    verdicts = looks(model, random, change)
    return next(
        (float(seen) for seen, found in zip(labels, verdicts, strict=True) if found.status == "degraded"), math.inf
    )
