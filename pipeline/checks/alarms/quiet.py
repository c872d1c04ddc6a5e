"""What a quiet night looks like in one view of many columns: chance on its rows, and what moves from night to night."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipeline.checks.alarms.quadratic import survival
from pipeline.checks.alarms.variation import Variation
from pipeline.checks.scan.types import FloatArray, IntArray

_RAREST = 1e-12
_STEPS = np.geomspace(1.0, _RAREST, 200)
_FINE = 20
_NORMAL = 1e6
_GRID, _ROUNDS = 24, 3


@dataclass(frozen=True, slots=True, eq=False)
class Quiet:
    """The squared distances of a quiet night, for c columns: chance of the mean `noise`, shape (c,), of which `lead`,
    (c,), is the part of the largest square and `rest`, (c, g), the tail of the others (see `quadratic`; nan where there
    are none), and variations between nights, of which the largest counts.

    Nights are taken to vary along that largest square, where they are hardest to tell from a change. A variance that is
    known from few nights makes it a squared Student's t, with the degrees of freedom of Welch (1947).
    """

    noise: FloatArray
    lead: FloatArray
    rest: FloatArray
    variations: tuple[Variation, ...]

    def only(self, column: int) -> Quiet:
        """The same of one column."""
        one = slice(column, column + 1)
        return Quiet(self.noise[one], self.lead[one], self.rest[one], tuple(item.only(one) for item in self.variations))

    def chance(self, squared: FloatArray) -> FloatArray:
        """How often a quiet night is at least so far, as a fraction of nights in (0, 1], for squared distances (c, m).

        Of several variations that which says most often counts.
        """
        found = [self._with(variation, squared) for variation in self.variations]
        return np.asarray(np.clip(np.max(found, axis=0), _RAREST, 1.0))

    def at(self, chance: FloatArray) -> FloatArray:
        """The squared distances that quiet nights reach with a probability, both of shape (c,).

        On a grid of ever finer steps, and at last on the line between two of them.
        """
        usual = self.noise + np.max([item.size for item in self.variations], axis=0)
        ends = np.log(np.column_stack([1e-3 * usual, 1e6 * usual]))
        for _ in range(_ROUNDS):
            grid = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * np.linspace(0.0, 1.0, _GRID)
            logs = np.log(self.chance(np.exp(grid)))
            first = np.clip((logs > np.log(chance)[:, None]).sum(axis=1) - 1, 0, _GRID - 2)[:, None]
            ends, between = (np.take_along_axis(of, np.hstack([first, first + 1]), axis=1) for of in (grid, logs))
        fall = between[:, 0] - between[:, 1]
        part = np.divide(between[:, 0] - np.log(chance), fall, out=np.zeros(fall.size), where=fall > 0)
        return np.asarray(np.exp(ends[:, 0] + np.clip(part, 0.0, 1.0) * (ends[:, 1] - ends[:, 0])))

    def _with(self, variation: Variation, squared: FloatArray) -> FloatArray:
        """Summed over how far the leading square goes, from above."""
        from scipy.special import stdtr

        alone = np.isnan(self.rest[:, 0])
        leading = variation.size * np.where(alone, 1.0, variation.lead)
        scale = self.lead * self.noise + leading
        freedom = variation.nights * (scale / leading) ** 2
        found = 2 * stdtr(freedom[:, None], -np.sqrt(squared / scale[:, None]))
        some = np.flatnonzero(~alone)
        if some.size:
            steps = np.rint(np.log(np.minimum(freedom[some], _NORMAL)) * _FINE).astype(np.int64)
            moved = scale[some, None] * _squares(steps)
            others = ((1 - self.lead) * self.noise + variation.size - leading)[some]
            left = (squared[some, :, None] - moved[:, None, 1:]) / others[:, None, None]
            tails = survival(self.rest[some], left.reshape(some.size, -1)).reshape(left.shape)
            found[some] = tails @ -np.diff(_STEPS) + _RAREST
        return np.asarray(found)


def _squares(steps: IntArray) -> FloatArray:
    """Squared Student's t at the probabilities of `_STEPS` to be beyond, shape (c, s), its degrees of freedom in steps
    of 5%, shape (c,).
    """
    different, inverse = np.unique(steps, return_inverse=True)
    return np.array([_squares_of(step) for step in different.tolist()])[inverse]


@lru_cache(maxsize=1024)
def _squares_of(step: int) -> FloatArray:
    from scipy.special import stdtrit

    return np.asarray(stdtrit(math.exp(step / _FINE), _STEPS / 2) ** 2)
