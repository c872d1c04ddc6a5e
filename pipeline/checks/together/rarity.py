"""How rare it is that something moved so far: chance on the rows of both sides, and what quiet nights do anyway.

As in `checks/alarms`: in the direction in which nights vary the squared distance is a squared Student's t, and a
chi-square in the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from pipeline.checks.alarms.quadratic import POINTS, gamma_tail
from pipeline.checks.alarms.quiet import Quiet
from pipeline.checks.alarms.variation import LEAST, Variation
from pipeline.checks.scan import FloatArray

PRIOR = 0.001
"""What is expected before nights were seen: correlations that move by three hundredths."""
PRIOR_NIGHTS = 6.0
"""How many nights the expectation counts for."""


@lru_cache(maxsize=256)
def _rest(freedom: int) -> FloatArray:
    return gamma_tail(freedom / 2) if freedom else np.full(POINTS.size, np.nan)


def rarity(squared: float, noise: float, freedom: int, past: Sequence[float]) -> float:
    """How often a quiet night is at least so far, as a fraction of nights in (0, 1].

    Args:
        squared: the squared distance, summed over the directions and divided by how many they are.
        noise: what chance alone makes of it on average.
        freedom: the directions.
        past: of quiet nights the same sum beyond chance, not divided.
    """
    size = max(0.0, float(np.mean(past))) if len(past) else 0.0
    nights = PRIOR_NIGHTS + len(past)
    moved = max((PRIOR_NIGHTS * PRIOR + len(past) * size) / nights, LEAST * PRIOR) / freedom
    one, rest = np.ones(1), _rest(freedom - 1)[None]
    quiet = Quiet(noise * one, one / freedom, rest, (Variation(moved * one, nights * one, one),))
    return float(quiet.chance(np.array([[squared]]))[0, 0])
