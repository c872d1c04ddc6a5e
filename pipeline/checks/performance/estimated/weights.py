"""Weights of the reference's rows, and weights as they might have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from pipeline.checks.performance.estimated.expected import Floats

_LIGHTEST, _HEAVIEST = 0.02, 50.0


@dataclass(frozen=True)
class Weights:
    """How much likelier rows of the reference are tonight.

    `ratios`: logarithms, a number for each row. `apart`: how far those of models that each leave out one part of the
    rows are from their mean, a line for each model. `unlearnt`: the standard
    error of what a classifier of few rows has not found, as a share of what it has.
    """

    ratios: Floats
    apart: Floats
    unlearnt: float

    @property
    def values(self) -> Floats:
        """The weights, in the mean 1, clipped, so that no row decides."""
        return _weights(self.ratios)

    def drawn(self, chance: np.random.Generator) -> Floats:
        """Weights as they might have been, were the rows that the classifier learnt from others.

        A normal draw with the covariance of the delete-a-group jackknife (Kott 2001): each model's distance times a
        standard normal number, times sqrt((k - 1) / k) for k models. Half its variance is taken off, so that the mean
        weight of a row stays what it is.
        """
        import numpy as np

        models = len(self.apart)
        scale = np.sqrt((models - 1) / models)
        half = (scale**2 / 2) * (self.apart**2).sum(axis=0)
        return _weights(self.ratios + scale * (chance.standard_normal(models) @ self.apart) - half)


def _weights(ratios: Floats) -> Floats:
    import numpy as np

    found: Floats = np.exp(ratios - ratios.max())
    found = np.clip(found / found.mean(), _LIGHTEST, _HEAVIEST)
    found /= found.mean()
    return found
