"""How far chance takes a sum of squares: tails of weighted sums of squared normal variables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.checks.scan.types import FloatArray

_FARTHEST = 1e6
"""In units of the mean; what lies beyond is as rare as this."""
_RAREST_LOG = -690.0


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """A distribution of mean 1 on the positive numbers, as the logarithm of its survival function on a grid.

    `points`, shape (g,), ascending from 0; `logs`, shape (g,), from 0 down.
    """

    points: FloatArray
    logs: FloatArray

    def survival(self, values: FloatArray) -> FloatArray:
        """The probability of at least each value; 1 for negative ones. Any shape in, the same out."""
        return np.exp(np.interp(values, self.points, self.logs))


def gamma_tail(shape: float) -> Tail:
    """The gamma distribution of mean 1: what a chi-square of 2 `shape` degrees of freedom is, divided by them."""
    from scipy.special import gammaincc

    points = np.concatenate(([0.0], np.geomspace(1e-3, 4, 80), np.geomspace(4.1, _FARTHEST, 160)))
    return _tail(points, gammaincc(shape, shape * points))


def mixture_tail(weights: FloatArray) -> Tail:
    """The sum of `weights`, shape (k,), positive, times squared standard normals; the weights are made to add up to 1.

    By the saddlepoint approximation, whose relative error stays small however far the tail. Source: Lugannani and Rice
    (1980); for quadratic forms Kuonen (1999).
    """
    from scipy.special import ndtr

    parts = weights / weights.sum()
    edge = 1 / (2 * parts.max())
    left, right = -np.geomspace(1e4, 0.05, 60) * edge, (1 - np.geomspace(0.95, 1e-6, 160)) * edge
    at = np.concatenate((left, right))
    shrunk = 1 - 2 * at[:, None] * parts
    points = (parts / shrunk).sum(axis=1)
    cumulant = -0.5 * np.log(shrunk).sum(axis=1)
    curvature = 2 * ((parts / shrunk) ** 2).sum(axis=1)
    w = np.sign(at) * np.sqrt(2 * (at * points - cumulant))
    u = at * np.sqrt(curvature)
    density = np.exp(-(w**2) / 2) / np.sqrt(2 * np.pi)
    survival = ndtr(-w) + density * (1 / u - 1 / w)
    return _tail(np.concatenate(([0.0], points)), np.concatenate(([1.0], survival)))


def _tail(points: FloatArray, survival: FloatArray) -> Tail:
    with np.errstate(divide="ignore"):
        logs = np.log(np.clip(survival, 0.0, 1.0))
    return Tail(points, np.minimum.accumulate(np.maximum(logs, _RAREST_LOG)))
