"""How far chance takes a sum of squares: tails of weighted sums of squared normal variables.

A tail is the logarithm of the survival function of a distribution of mean 1 on the positive numbers, at `POINTS`: shape
(g,), from 0 down. Tails of many columns are the rows of one array.
"""

from __future__ import annotations

import numpy as np

from pipeline.checks.scan.types import FloatArray

_NEAREST, _FARTHEST, _STEPS = 1e-3, 1e6, 420
"""In units of the mean; what lies beyond the farthest is as rare as that."""
_RAREST_LOG = -690.0
POINTS: FloatArray = np.concatenate(([0.0], np.geomspace(_NEAREST, _FARTHEST, _STEPS)))
_STEP = np.log(_FARTHEST / _NEAREST) / (_STEPS - 1)


def survival(tails: FloatArray, values: FloatArray) -> FloatArray:
    """The probability of at least each value, shape (c, m), of tails (c, g) and values (c, m); 1 for negative ones."""
    within = np.clip(values, 0.0, _FARTHEST)
    place = np.log(np.maximum(within, _NEAREST)) / _STEP - np.log(_NEAREST) / _STEP + (within >= _NEAREST)
    below = np.clip(place.astype(np.int64), 0, POINTS.size - 2)
    part = (within - POINTS[below]) / (POINTS[below + 1] - POINTS[below])
    first, second = (np.take_along_axis(tails, at, axis=1) for at in (below, below + 1))
    return np.asarray(np.exp(np.minimum(first + (second - first) * part, 0.0)))


def gamma_tail(shape: float) -> FloatArray:
    """The gamma distribution of mean 1: what a chi-square of 2 `shape` degrees of freedom is, divided by them."""
    from scipy.special import gammaincc

    return _tail(POINTS, gammaincc(shape, shape * POINTS))


def mixture_tail(weights: FloatArray) -> FloatArray:
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
    found = ndtr(-w) + density * (1 / u - 1 / w)
    return _tail(np.concatenate(([0.0], points)), np.concatenate(([1.0], found)))


def _tail(points: FloatArray, found: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        logs = np.log(np.clip(found, 0.0, 1.0))
    logs = np.minimum.accumulate(np.maximum(logs, _RAREST_LOG))
    return np.asarray(logs if points is POINTS else np.interp(POINTS, points, logs))
