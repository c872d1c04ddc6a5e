"""Evidence that may be looked at every night: mixture e-values, their sums, and a paired comparison that stops itself.

An e-value is a betting score: while nothing is wrong its expectation is at most one, at whatever night one stops, so
that one of 20 or more turns up at all in at most a twentieth of all sound cases (Ville 1939). What all nights so far
say is two numbers: the difference over its standard error (`z`), and the rows that it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

TUNED_TO = 100
"""The rows at which a difference of two standard errors is what the mixture expects most.

Of 0.8 accuracy that is a fall of about 0.05. Other falls are found as well, a little later.
"""

_FEWEST_ROWS = 100


class Look(NamedTuple):
    """What is known of two models on the same rows, from the start to one night, all nights together.

    `difference` is the mean over the rows of how much better the first one is (positive: better), `error` its standard
    error, None where the rows do not allow one.
    """

    difference: float
    error: float | None
    rows: int


class Comparison(NamedTuple):
    """What the looks so far say of the first model.

    `decided_at` is the position of the first look that could tell; None while it is open. `low` to `high` is the last
    look's interval for the difference: the intervals of all looks hold the truth together in all but `alpha` of cases.
    None where the rows do not allow one.
    """

    decision: Literal["worse", "better", "open"]
    decided_at: int | None
    low: float | None
    high: float | None


def log_evidence(z: float, rows: float) -> float:
    """The logarithm of the e-value for a difference above nothing, `z` standard errors, against nothing or below.

    The likelihood ratio of normal means, mixed over half a normal distribution of positive means (Robbins 1970;
    Howard and others 2021, one-sided normal mixture). It grows with `z`.
    """
    strength = rows / TUNED_TO
    weight = strength / (1 + strength)
    above = 0.5 * math.erfc(-z * math.sqrt(weight / 2))
    if above < 1e-300:  # far on the good side: no evidence at all
        return -math.inf
    return math.log(2 * above) - 0.5 * math.log1p(strength) + 0.5 * z * z * weight


def log_total(evidence: Iterable[float]) -> float:
    """The logarithm of the sum of e-values: evidence for a change at some night that nobody knows.

    Over e-values that begin at different nights this is the Shiryaev-Roberts detector: before a change it grows by one
    a night in the mean, so that it passes `c` within `n` nights in at most `n / c` of sound cases, and no earlier than
    after `c` nights in the mean (Shin, Ramdas, Rinaldo 2022).
    """
    logs = [item for item in evidence if item > -math.inf]
    if not logs:
        return -math.inf
    largest = max(logs)
    return largest + math.log(math.fsum(math.exp(item - largest) for item in logs))


def error_at(limit: float, value: float, error: float, rows: int) -> float:
    """The standard error of a mean as it would be if the true mean were `limit`: spread is taken around the limit.

    So a few rows that happen to be alike never look certain: `z` is at most the square root of the rows. For symmetric
    differences this makes the e-value exact on any number of rows (de la Pena 1999, self-normalised sums).
    """
    return math.hypot(error, (value - limit) / math.sqrt(rows)) if rows else math.inf


def compare(looks: Sequence[Look], alpha: float = 0.05) -> Comparison:
    """Whether one model is better or worse than another on the same rows, beyond the noise of looking every night.

    It is as soon as an interval lies on one side of nothing, and then stays decided: two equally good models are ever
    told apart in at most `alpha` of cases, however many nights one looks. That is exact where differences are
    symmetric, as of hits and misses they are; of very skewed ones it is a little more (0.066 instead of 0.05 where they
    are log-normal with a sigma of 1.2).

    Args:
        looks: by night since the start, oldest first; each over all rows so far.
        alpha: how often two equal models may be told apart.
    """
    intervals = [interval(look, alpha) for look in looks]
    low, high = intervals[-1] if intervals else (None, None)
    for position, (below, above) in enumerate(intervals):
        if below is not None and below > 0:
            return Comparison("better", position, low, high)
        if above is not None and above < 0:
            return Comparison("worse", position, low, high)
    return Comparison("open", None, low, high)


def interval(look: Look, alpha: float = 0.05) -> tuple[float, float] | tuple[None, None]:
    """A confidence sequence at one look: the differences that their e-value does not rule out.

    Of the normal mixture over both sides, in closed form (Robbins 1970), with the error at each difference that is
    asked for, see `error_at`. Where all rows differ alike it is that difference: a hundred rows of one kind are none by
    chance. Both None where the rows are too few, or nobody knows the error.
    """
    if look.error is None or look.rows < _FEWEST_ROWS:
        return None, None
    strength = look.rows / TUNED_TO
    reach = (1 + strength) / strength * (math.log1p(strength) - 2 * math.log(alpha))
    if reach >= look.rows:
        return None, None
    half = look.error * math.sqrt(reach / (1 - reach / look.rows))
    return look.difference - half, look.difference + half
