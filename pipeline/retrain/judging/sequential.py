"""Whether a mean is beyond the noise, asked every night: an interval that holds at all looks together."""

from __future__ import annotations

import math

ALPHA = 0.05
_SHARPEST_AT = 1_000  # rows: there the interval is as narrow as this kind can be


def interval_at_any_time(mean: float, standard_error: float, rows: int, alpha: float = ALPHA) -> tuple[float, float]:
    """An interval that holds the true mean at every look with probability 1 - `alpha`, however often somebody looks.

    The asymptotic confidence sequence of the normal mixture (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2021,
    "Time-uniform central limit theory and asymptotic confidence sequences", theorem 2.2), sharpest at 1,000 rows.

    Args:
        mean: of all rows so far.
        standard_error: of that mean.
        rows: how many there are, at least 1; those of an earlier look are among them.
        alpha: how probable it is that the interval ever misses the true mean.
    """
    squared = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha)) + 1) / _SHARPEST_AT
    grown = rows * squared + 1
    wide = standard_error * math.sqrt(2 * grown / (rows * squared) * math.log(math.sqrt(grown) / alpha))
    return mean - wide, mean + wide
