"""Whether a metric is beyond its limit, and not by the noise of looking every night."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.checks.performance.verdict.limits import Limit
from pipeline.checks.performance.verdict.stretches import FEWEST_ROWS, NEWEST_ROWS, Stretch, noise, with_rows
from pipeline.checks.performance.verdict.variation import NO_VARIATION, Variation
from pipeline.metrics.sequential import error_at, log_evidence, log_total
from pipeline.results import METRICS, Basis, Estimate, MetricKind

LOOKS = 200
FALSE_RATE = 0.045
"""Of sound models at most this share is ever called degraded within so many nights, by all limits together."""

ON_THE_LIMIT = 30
"""A model exactly on its limit is called degraded once in so many nights in the mean, or less often."""


def telling(
    limit: Limit, basis: Basis, stretches: Sequence[Stretch], tests: int, varies: Variation = NO_VARIATION
) -> Stretch | None:
    """The stretch that shows best that a metric is beyond its limit; None while that may be noise.

    Four conditions: the newest rows are still beyond it; all stretches together are evidence enough that the model is
    not sound, and that it is beyond the limit (for a floor the same, and as strong as the former); the stretch's
    interval lies beyond it.

    Args:
        limit: of the metric.
        basis: whether the values are realised.
        stretches: of the metric, the shortest first.
        tests: among how many limits and bases the false rate is shared.
        varies: how much the metric differs from night to night anyway.
    """
    judged = [item for item in stretches if item.value.rows >= FEWEST_ROWS and noise(item.value) is not None]
    kind = METRICS[limit.metric]
    newest = with_rows(judged, NEWEST_ROWS)
    if newest is None or not kind.is_beyond(newest.value.value, limit.value):
        return None
    exact = limit.metric == "accuracy" and basis == "realised"
    sides = 2 if kind.better == "near_zero" else 1  # a bias may grow to either side

    def evidence(line: float, line_error: float) -> list[float]:
        return [
            _evidence(kind, item.value, line, math.hypot(line_error, math.sqrt(varies.of(item))), exact=exact)
            for item in judged
        ]

    if log_total(evidence(limit.sound, limit.sound_error)) < math.log(LOOKS / FALSE_RATE * tests * sides):
        return None
    beyond = evidence(limit.value, limit.error)
    if log_total(beyond) < math.log(ON_THE_LIMIT):
        return None
    apart = [pair for pair in zip(beyond, judged, strict=True) if _is_apart(limit, pair[1].value)]
    return max(apart, key=lambda pair: pair[0])[1] if apart else None


def _evidence(kind: MetricKind, found: Estimate, line: float, other_error: float, *, exact: bool) -> float:
    """The logarithm of the e-value against "no worse than the line".

    `other_error` is what more rows do not lessen: of the line, and from night to night. It makes the evidence less, and
    the rows count for as much less.
    """
    own = noise(found)
    if own is None:
        return -math.inf
    if exact and 0 < line < 1:
        own = math.sqrt(line * (1 - line) / found.rows)  # right on few rows too
    else:
        own = error_at(line, found.value, own, found.rows)
    worse = line - found.value if kind.better == "higher" else found.value - line
    error = math.hypot(own, other_error)
    return log_evidence(worse / error, found.rows * (own / error) ** 2)


def _is_apart(limit: Limit, found: Estimate) -> bool:
    """Whether all of the interval lies beyond the limit."""
    end = found.high if METRICS[limit.metric].better == "higher" else found.low
    return end is not None and METRICS[limit.metric].is_beyond(end, limit.value)
