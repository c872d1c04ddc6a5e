"""How much a model differs from night to night beyond the noise of its rows, which more rows a night do not lessen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from pipeline.checks.performance.verdict.stretches import FEWEST_ROWS, Stretch, as_judged, noise
from pipeline.results import Estimate

_FEWEST_PAIRS = 8
_BEYOND_CHANCE = 2.0


class Variation(NamedTuple):
    """The variance of a metric between nights, and the rows of each, from which follows what a stretch has of it."""

    variance: float = 0.0
    rows: tuple[tuple[date, int], ...] = ()

    def of(self, stretch: Stretch) -> float:
        """The variance that it adds to the mean of a stretch, whose nights count by their rows."""
        if not self.variance:
            return 0.0
        rows = [many for day, many in self.rows if stretch.first <= day <= stretch.last]
        total = sum(rows)
        return self.variance * (sum(many**2 for many in rows) / total**2 if total else 1 / max(stretch.nights, 1))


NO_VARIATION = Variation()


def variation(metric: str, nights: Sequence[tuple[date, Estimate]]) -> Variation:
    """Of night-by-night values, in any order; nothing where chance explains how they differ.

    From differences of one night to the next (von Neumann 1941), so that a fall or a slide does not count as one: the
    largest of them is left out. The moment estimator is that of DerSimonian and Laird 1986. Nights of few rows say
    nothing of it, as their own noise is larger by far.
    """
    known = sorted(
        ((day, as_judged(metric, found)) for day, found in nights if found.rows >= FEWEST_ROWS),
        key=lambda night: night[0],
    )
    points = [(found.value, error**2) for _, found in known if (error := noise(found)) is not None]
    pairs = sorted(((b[0] - a[0]) ** 2 / (a[1] + b[1]), a[1] + b[1]) for a, b in pairwise(points))[:-1]
    if len(pairs) < _FEWEST_PAIRS:
        return NO_VARIATION
    beyond = math.fsum(ratio for ratio, _ in pairs) / len(pairs) - 1
    if beyond < _BEYOND_CHANCE * math.sqrt(3 / len(pairs)):  # neighbours share a night, so 3 and not 2
        return NO_VARIATION
    variance = beyond * len(pairs) / (2 * math.fsum(1 / noise_of_both for _, noise_of_both in pairs))
    return Variation(variance, tuple((day, found.rows) for day, found in nights))
