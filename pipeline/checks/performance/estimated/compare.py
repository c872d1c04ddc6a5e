"""An estimator against the labels that have come since: whether it may go on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.checks.performance.estimated.expected import CONFIDENT
from pipeline.results import METRICS, Estimate
from pipeline.wording import apart, count, measured

NIGHTS = 7
"""The newest labelled nights that are compared."""
LEAST = 3
"""Nights that must have missed, on one side, before an estimator is withdrawn."""
SURE = 4.1
"""Standard errors that the mean gap must be away from 0.

That of a sound estimator is so with a probability of 0.00004, so that in the windows of 200 nights it is at most once
in a hundred (0.0083, Bonferroni); less often, as windows share six of seven nights and `LEAST` is asked for as well.
"""
RELEVANT = 0.01
"""The least gap that counts: of a share as it is, of an error as a fraction of what was realised."""


@dataclass(frozen=True)
class Judgement:
    """Estimated against realised, in one metric, over the newest labelled nights.

    `gap` is realised minus estimated in the mean; `missed` are nights on which each of the two values was outside the
    interval of the other. `sentence` is about a withdrawn estimator only, else it is empty.
    """

    metric: str
    nights: int
    missed: int
    gap: float | None
    withdrawn: bool = False
    sentence: str = ""


def judged(
    metric: str, pairs: Sequence[tuple[date, Estimate, Estimate]], by_reference: float | None = None
) -> Judgement:
    """Whether realised values lie so far from expected ones that the estimator must be withdrawn.

    The rule: over the last 7 labelled nights the mean gap is beyond 4.1 of its standard errors and large enough to
    matter (`RELEVANT`), and at least 3 nights missed on its side. At most 1% of sound estimators are withdrawn in 200
    nights. What the finite reference leaves unknown is the same error every night, and does not shrink with more
    nights; what chance does to labels does.

    Args:
        metric: its name in `METRICS`.
        pairs: day, expected and realised value, in any order; those without an error are not compared.
        by_reference: the part of the standard errors that comes from the reference, see `Expected.reference_errors`.
            Unknown, all of it is taken to be, and less is found.
    """
    told = [pair for pair in sorted(pairs, key=lambda pair: pair[0]) if pair[1].error is not None][-NIGHTS:]
    if not told:
        return Judgement(metric, 0, 0, None)
    gaps = [realised.value - expected.value for _, expected, realised in told]
    gap, errors = sum(gaps) / len(gaps), [_error(expected, realised, by_reference) for _, expected, realised in told]
    sides = [_side(expected, realised) for _, expected, realised in told]
    missed = sum(side != 0 for side in sides)
    on_side = sum(side == math.copysign(1, gap) for side in sides)
    size = abs(gap) / _unit(metric, [realised.value for _, _, realised in told])
    unlearnt = math.sqrt(sum(_farther(expected, gap) ** 2 for _, expected, _ in told) / len(told))
    error = math.hypot(_error_of_mean(errors, by_reference), unlearnt)
    if on_side < LEAST or size < RELEVANT or abs(gap) <= SURE * error:
        return Judgement(metric, len(told), missed, gap)
    estimated = sum(expected.value for _, expected, _ in told) / len(told)
    sentence = _sentence(estimated, estimated + gap, len(told))
    return Judgement(metric, len(told), missed, gap, withdrawn=True, sentence=sentence)


def _side(expected: Estimate, realised: Estimate) -> int:
    """1 where the realised value is above the expected one, each outside the other's interval; -1 below; else 0."""
    gap = realised.value - expected.value
    own = math.hypot(expected.error or 0.0, _farther(expected, gap))
    reach = CONFIDENT * max(own, realised.error or 0.0)
    return 0 if abs(gap) <= reach else int(math.copysign(1, gap))


def _farther(expected: Estimate, gap: float) -> float:
    """How much farther than its standard error an interval reaches on the side of a gap, see `Expected`: that is the
    same every night, and no sign of drift.
    """
    end = expected.high if gap > 0 else expected.low
    reach = 0.0 if end is None else abs(end - expected.value) / CONFIDENT
    return math.sqrt(max(reach**2 - (expected.error or 0.0) ** 2, 0.0))


def _error(expected: Estimate, realised: Estimate, by_reference: float | None) -> float:
    """Of one night's gap. Where labels are missing, which rows have one is chance as well, and the realised error
    holds that.
    """
    error = expected.error or 0.0
    if realised.rows >= expected.rows:
        return error
    return max(error, math.hypot(realised.error or 0.0, by_reference or 0.0))


def _error_of_mean(errors: Sequence[float], by_reference: float | None) -> float:
    """Of a mean gap: what nights share stays, what is their own shrinks."""
    mean_square = sum(error**2 for error in errors) / len(errors)
    shared = mean_square if by_reference is None else min(by_reference**2, mean_square)
    return math.sqrt(shared + (mean_square - shared) / len(errors))


def _unit(metric: str, realised: Sequence[float]) -> float:
    """What a gap is a fraction of: 1 for a share, the realised mean for an error."""
    kind = METRICS.get(metric)
    mean = abs(sum(realised) / len(realised))
    return mean if kind is not None and kind.is_relative and mean > 0 else 1.0


def _sentence(estimated: float, realised: float, nights: int) -> str:
    shown, came = apart(estimated, realised, write=measured)
    return (
        f"the relation between inputs and label changed (concept drift): estimated {shown}, realised {came} over "
        f"{count(nights, 'night')}"
    )
