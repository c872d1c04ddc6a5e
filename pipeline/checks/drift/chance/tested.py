"""Tests of significance on two numerical columns: right where no values are equal, and not always where many are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from pipeline.checks.drift.chance.counted import beyond, of_permutations
from pipeline.checks.drift.chance.draws import draw_counts, share_beyond
from pipeline.checks.drift.chance.process import at_ranks, finest, ranks_of
from pipeline.checks.drift.statistics import Method, NotEvaluable, drifted, score_numerical
from pipeline.checks.drift.statistics.numerical import cramer_limit_distribution
from pipeline.checks.scan import Cells, FloatArray, IntArray, Moments, NumericalSummary, SortedValues
from pipeline.checks.scan.summary import run_starts

_SEED = 0
_DRAWS = 400
_SCORED_DRAWS = 100
# The Epps-Singleton test has its limiting distribution with so many rows on both sides.
_MANY_FOR_WAVES = 2_000
_PERMUTATIONS = 100
# The Anderson-Darling statistic takes time for every row, and has its limiting distribution with fewer.
_ANDERSON_ROWS = 3_000
_UPSET_BY_TIES = frozenset({"ks", "anderson", "cramer_von_mises"})
_ANDERSON_RANGE = 0.001, 0.25
# Ties that shift the Cramer-von Mises statistic by less do not matter: its mean is a sixth.
_NO_SHIFT = 0.003
# Where its limiting distribution begins, and as good as ends.
_CRAMER_LEAST, _CRAMER_MOST = 0.003, 20.0


def of_test(method: Method, threshold: float, reference: NumericalSummary, rows: int) -> float:
    """How often a test calls a night of so many rows drifted, nothing having changed.

    As often as the threshold says, for a column without equal values. `t_test` and `mannw` allow for equal ones; `ks`,
    `anderson` and `cramer_von_mises` are drawn where single values are frequent, and `es` where rows are few, as its
    p-values are too small there.
    """
    if reference.moments.low == reference.moments.high:
        return _of_a_constant(method, threshold, reference, rows)
    if method.name == "empirical_mmd":
        return of_permutations(threshold, _PERMUTATIONS)
    if _must_be_drawn(method.name, reference, rows):
        return (_ks_drawn if method.name == "ks" else _drawn)(method, threshold, reference, rows)
    if method.name == "cramer_von_mises":
        return _cramer_von_mises(min(threshold, 1.0), reference, rows)
    return _anderson(threshold) if method.name == "anderson" else min(threshold, 1.0)


def _must_be_drawn(name: str, reference: NumericalSummary, rows: int) -> bool:
    if name == "es":
        return min(reference.distribution.size, rows) < _MANY_FOR_WAVES
    return name in _UPSET_BY_TIES and _tied(reference)


def _of_a_constant(method: Method, threshold: float, reference: NumericalSummary, rows: int) -> float:
    """Every night has the same score, or none; where all permutations are alike, a p-value of 1."""
    if method.name == "empirical_mmd":
        return float(drifted(method, 1.0, threshold))
    size = reference.distribution.size
    score = _score(method, reference, np.array([reference.moments.low]), (np.array([size]), np.array([rows])))
    return float(drifted(method, score, threshold))


def _anderson(threshold: float) -> float:
    """The p-value is never outside of the table that it is read from."""
    least, most = _ANDERSON_RANGE
    return 1.0 if threshold > most else (threshold if threshold > least else 0.0)


def _cells(reference: NumericalSummary) -> tuple[FloatArray, FloatArray]:
    """Values, ascending, and the share of rows at each or between it and the one before."""
    held = reference.distribution
    values = np.unique(at_ranks(reference, np.concatenate((ranks_of(held.size) - 1, [held.size - 1]))))
    if isinstance(held, Cells):
        below = held.cumulative[np.searchsorted(held.edges, values)]
    else:
        below = held.rows_below(values, inclusive=True)
    return values, np.diff(below, prepend=0) / held.size


def _tied(reference: NumericalSummary) -> bool:
    """Whether single values are frequent: a cell has more rows than its ranks give it."""
    return float(_cells(reference)[1].max()) > 2 * finest(reference.distribution.size)


def _ks_drawn(method: Method, threshold: float, reference: NumericalSummary, rows: int) -> float:
    """The largest gap of each draw against the critical one. Source of its approximation: Stephens (1970)."""
    from scipy.special import kolmogi

    size = reference.distribution.size
    random = np.random.default_rng(_SEED)
    parts = _cells(reference)[1]
    sides = (np.cumsum(draw_counts(parts, drawn, _DRAWS, random), axis=1) for drawn in (size, rows))
    first, second = (side / side[:, -1:] for side in sides)
    root = math.sqrt(size * rows / (size + rows))
    critical = float(kolmogi(min(threshold, 1.0))) / (root + 0.12 + 0.11 / root)
    return share_beyond(np.abs(first - second).max(axis=1) ** 2, critical**2, strict=method.strict)


def _drawn(method: Method, threshold: float, reference: NumericalSummary, rows: int) -> float:
    values, parts = _cells(reference)
    random = np.random.default_rng(_SEED)
    most = _ANDERSON_ROWS if method.name == "anderson" else math.inf
    sizes = (int(min(size, most)) for size in (reference.distribution.size, rows))
    drawn = (random.multinomial(size, parts / parts.sum(), _SCORED_DRAWS) for size in sizes)
    scores = [_score(method, reference, values, pair) for pair in zip(*drawn, strict=True)]
    return beyond(method, threshold, np.array(scores))


def _score(method: Method, like: NumericalSummary, values: FloatArray, rows: tuple[IntArray, ...]) -> float:
    """The method's own score of two sides with so many rows at each value; no number where it has none."""
    sides = []
    for counts in rows:
        held = SortedValues(values[counts > 0], counts[counts > 0])
        sides.append(replace(like, moments=Moments.of(held.values, held.counts), distribution=held))
    try:
        return score_numerical(method, sides[0], sides[1]).value
    except NotEvaluable:
        return math.nan


def _cramer_von_mises(level: float, reference: NumericalSummary, rows: int) -> float:
    """The statistic supposes that each row has a rank of its own, while equal values share the mean of theirs.

    Where both sides have their parts of a value with the share w, its rows add m * (m w) ** 3 / 12 and
    n * (n w) ** 3 / 12 to the sum of squares of both sides, instead of the m * m w * (n w) ** 2 / 12 and
    n * n w * (m w) ** 2 / 12 that ranks in random order would. Over n * m * (n + m), the difference is a shift of the
    statistic by w ** 3 * (m - n) ** 2 * (m + n) / (12 * n * m): none between equal sizes, and large otherwise.
    """
    size = reference.distribution.size
    shift = _cubed_ties(reference) * (size - rows) ** 2 * (size + rows) / (12 * size * rows)
    if shift < _NO_SHIFT:
        return level
    critical = _cramer_critical(level) - shift
    return 1.0 if critical < _CRAMER_LEAST else 1.0 - cramer_limit_distribution(critical)


def _cubed_ties(reference: NumericalSummary) -> float:
    """Sum over distinct values of the cube of their share of the rows, as far as they are more than one row."""
    held = reference.distribution
    if isinstance(held, Cells):
        raise NotEvaluable("this method needs every value, and the column is too long for the memory budget")
    if held.counts is None and not np.any(held.values[1:] == held.values[:-1]):
        return 0.0
    starts = run_starts(held.values)
    rows = np.diff(starts, append=held.size) if held.counts is None else held.counts
    shares = rows / held.size
    return float((shares**3 - shares / held.size**2).sum())


def _cramer_critical(level: float) -> float:
    """Where the limiting distribution leaves so much beyond it."""
    low, high = _CRAMER_LEAST, _CRAMER_MOST
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if 1.0 - cramer_limit_distribution(middle) > level else (low, middle)
    return high
