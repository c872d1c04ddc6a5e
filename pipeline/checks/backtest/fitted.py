"""Thresholds and limits that quiet nights would have kept, and how often nights to come may go past them.

A rule that is drawn through its nights fits them better than those to come. So each rule here is one of a ladder, from
strict to loose, whose steps come from ranks: a threshold is the j-th largest score of its column, or so many times the
largest; a limit is the k-th largest share. If nights to come are drawn as those were, a new night is as likely as any
of them to be the one that goes past a step, and where `a` of Q nights would, each held against a step made of the
others, a new one does with a probability of at most (a + 1) / (Q + 1). Source: conformal prediction, Vovk, Gammerman
and Shafer (2005). Columns that move together and nights of different size change nothing in it; a trend, or a season
that was not seen, does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context

import numpy as np
import numpy.typing as npt

from pipeline.checks.drift.statistics import METHODS, drifted
from pipeline.checks.scan.types import FloatArray

BoolArray = npt.NDArray[np.bool_]
_ROUNDING = 1e-9
_DIGITS = 3
_EXACT = 12
_PLACES = 2
_HIGHEST_LIMIT = 0.4
"""Over a higher one hardly anything drifts but the whole night: no limit is proposed there."""
_LOOSEST = 4.0
"""A threshold is loosened by this factor at most."""
_BEYOND = (10.0, 5.0, 3.0, 2.0, 1.5, 1.25, 1.1)
"""Steps beyond what was seen: times the largest distance, or the smallest p-value divided by it."""
_MOST_LIKELY = 0.5
_CERTAIN = 0.01


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the file has it now: its method, and the threshold in the method's unit.

    `fixed`: it was compared by several methods, and no threshold could be for all of them.
    """

    name: str
    method: str
    threshold: float
    critical: bool = False
    fixed: bool = False

    @property
    def sign(self) -> float:
        """Times a score: the larger, the further."""
        return 1.0 if METHODS[self.method].direction == "distance" else -1.0

    def over(self, score: float, threshold: float) -> bool:
        """Whether a score means drift."""
        return drifted(METHODS[self.method], score, threshold)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Quiet nights: the scores of their columns, shape (nights, columns), NaN where there is none that counts, and how
    much of its night's drift share each column is, in [0, 1].
    """

    columns: Sequence[Column]
    scores: FloatArray
    parts: FloatArray

    @property
    def far(self) -> FloatArray:
        """Logarithms of distances and of one by p-values; without a score as near as can be."""
        signs = np.array([column.sign for column in self.columns], np.float64)
        with np.errstate(divide="ignore"):
            return np.where(np.isnan(self.scores), -np.inf, np.log(self.scores) * signs)

    def past(self, thresholds: Sequence[float]) -> BoolArray:
        """Which columns drift, by thresholds in the unit of their methods."""
        found = [
            [not math.isnan(score) and column.over(score, threshold) for score in scores]
            for column, threshold, scores in zip(self.columns, thresholds, self.scores.T, strict=True)
        ]
        return np.array(found, np.bool_).T.reshape(self.scores.shape)

    def shares(self, past: BoolArray) -> FloatArray:
        """The drift share of each night; infinite where a column decided alone."""
        critical = np.array([column.critical for column in self.columns], np.bool_)
        alone = (past & critical).any(axis=1) if critical.any() else np.zeros(len(past), np.bool_)
        return np.where(alone, np.inf, (past * self.parts).sum(axis=1))

    def alarms(self, past: BoolArray, limit: float) -> int:
        """Nights with an alarm."""
        return int((self.shares(past) > limit + _ROUNDING).sum())


@dataclass(frozen=True, slots=True)
class Fitted:
    """What would do: thresholds by column, those that differ from now; or a limit. `chance` as in `Tuned`."""

    chance: float
    thresholds: dict[str, float]
    limit: float | None = None


def chance_of(alarms: int, nights: int) -> float:
    """How often a night to come is past a rule that so many nights reach, as a fraction of nights."""
    return min(1.0, (alarms + 1) / (nights + 1))


def unlikely(alarms: int, nights: int, rate: float) -> bool:
    """Whether so many alarms contradict a rate that is stated without these nights: they come once in a hundred."""
    from scipy.stats import binom

    return bool(binom.sf(alarms - 1, nights, rate) < _CERTAIN)


def fitted_limit(found: Scores, limit: float, rate: float) -> Fitted | None:
    """The lowest limit of the drift share, in whole per cent and above the one now, that keeps the rate."""
    shares = np.sort(found.shares(found.past([column.threshold for column in found.columns])))[::-1]
    step = math.floor(rate * (len(shares) + 1) + _ROUNDING)
    if not 1 <= step <= len(shares) or not math.isfinite(shares[step - 1]):
        return None
    wanted = max(limit, math.ceil(round(float(shares[step - 1]) * 10**_PLACES, 6)) / 10**_PLACES)
    if wanted > max(limit, _HIGHEST_LIMIT):
        return None
    return Fitted(chance_of(step - 1, len(shares)), {}, wanted)


def fitted_thresholds(found: Scores, limit: float, rate: float, *, looser: bool = False) -> Fitted | None:
    """The loosest thresholds of the ladder that keep the rate.

    Args:
        found: quiet nights.
        limit: of the drift share.
        rate: of alarms, a fraction of nights.
        looser: thresholds may also be looser than now; otherwise a column keeps its own where that is stricter.
    """
    starts = [_loosest(column) if looser else column.threshold for column in found.columns]
    counted, fixed = found.past(starts), np.array([column.fixed for column in found.columns], np.bool_)
    chance, wanted = None, np.zeros(len(found.columns))
    for step, reached in _ladder(found.far):
        passed = chance_of(found.alarms(counted & (fixed | reached), limit), len(found.scores))
        if passed > rate:
            break
        chance, wanted = passed, step
    if chance is None:
        return None
    chosen = {
        column.name: threshold
        for column, start, step in zip(found.columns, starts, wanted, strict=True)
        if not column.fixed and (threshold := _stricter(column, start, float(step))) != column.threshold
    }
    return Fitted(chance, chosen)


def _ladder(far: FloatArray) -> Iterator[tuple[FloatArray, BoolArray]]:
    """From strict to loose: thresholds as `Scores.far`, shape (columns,), and who reaches those that others make."""
    ordered = np.sort(far, axis=0)[::-1]
    others = np.where(far == ordered[0], ordered[min(1, len(ordered) - 1)], ordered[0])
    for factor in _BEYOND:
        yield ordered[0] + math.log(factor), far >= others + math.log(factor)
    for step in ordered:
        yield step, far >= step


def _loosest(column: Column) -> float:
    if column.fixed:
        return column.threshold
    if column.sign > 0:
        return column.threshold / _LOOSEST
    return max(column.threshold, min(_MOST_LIKELY, column.threshold * _LOOSEST))


def _stricter(column: Column, start: float, step: float) -> float:
    """Of a start and a step of the ladder the stricter one; a step in a few digits that are no looser."""
    threshold = math.exp(column.sign * step)
    if step == -math.inf or column.sign * start >= column.sign * threshold:
        return start
    return _rounded(threshold, column.sign)


def _rounded(threshold: float, sign: float) -> float:
    """To three significant digits: a distance up, a p-value down."""
    rounding = ROUND_CEILING if sign > 0 else ROUND_FLOOR
    exact = Context(_EXACT).create_decimal_from_float(threshold)  # a logarithm there and back costs the last digits
    return float(Context(_DIGITS, rounding).plus(exact))
