"""What a quiet night looks like in one view of one column: chance on its rows, and what moves from night to night."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipeline.checks.alarms.quadratic import Tail
from pipeline.checks.alarms.variation import Variation
from pipeline.checks.scan.types import FloatArray

_RAREST = 1e-12
_STEPS = np.geomspace(1.0, _RAREST, 200)
_GRID = 100
_FINE = 20
_NORMAL = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Quiet:
    """The squared distance of a quiet night: chance of the mean `noise`, of which `lead` is the part of the largest
    square and `rest` the distribution of the others, and variations between nights, of which the largest counts.

    Nights are taken to vary along that largest square, where they are hardest to tell from a change. A variance that is
    known from few nights makes it a squared Student's t, with the degrees of freedom of Welch (1947).
    """

    noise: float
    lead: float
    rest: Tail | None
    variations: tuple[Variation, ...]

    def chance(self, squared: FloatArray) -> FloatArray:
        """How often a quiet night is at least so far, as a fraction of nights in (0, 1], for squared distances (g,).

        Of several variations that which says most often counts.
        """
        found = [self._with(variation, squared) for variation in self.variations]
        return np.asarray(np.clip(np.max(found, axis=0), _RAREST, 1.0))

    def at(self, chance: float) -> float:
        """The squared distance that a quiet night reaches with a probability."""
        usual = self.noise + max(item.size for item in self.variations)
        grid = np.geomspace(1e-3 * usual, 1e5 * usual, _GRID)
        logs = np.log(self.chance(grid))
        return float(np.exp(np.interp(-np.log(chance), -logs, np.log(grid))))

    def _with(self, variation: Variation, squared: FloatArray) -> FloatArray:
        """Summed over how far the leading square goes, from above."""
        from scipy.special import stdtr

        leading = variation.size * (variation.lead if self.rest else 1.0)
        scale = self.lead * self.noise + leading
        freedom = variation.nights * (scale / leading) ** 2
        if self.rest is None:
            return np.asarray(2 * stdtr(freedom, -np.sqrt(squared / scale)))
        moved = scale * _squares(round(math.log(min(freedom, _NORMAL)) * _FINE))
        left = (squared[:, None] - moved[1:]) / ((1 - self.lead) * self.noise + variation.size - leading)
        return np.asarray(self.rest.survival(left) @ -np.diff(_STEPS) + _RAREST)


@lru_cache(maxsize=1024)
def _squares(step: int) -> FloatArray:
    """Squared Student's t at the probabilities of `_STEPS` to be beyond, its degrees of freedom in steps of 5%."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(math.exp(step / _FINE), _STEPS / 2) ** 2)
