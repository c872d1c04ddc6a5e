"""Pairs of columns: whether they belong together as they did, whatever each of them does by itself.

Both sides of a pair are counted in the same cells. Expected is what keeps the odds of the reference and has the shares
of tonight: the model without an interaction of both columns and side, fitted by iterative proportional fitting
(Deming and Stephan 1940; Bishop, Fienberg and Holland 1975). A column that moves by itself leaves nothing over.

What is left over in the cells that expect enough rows is a sum of squares of as many degrees of freedom as these have
left. Counts are taken as roots, as in `checks/alarms/views.py`, so that a row or two in a small cell does not decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.checks.scan import FloatArray

_ROUNDS = 200
_CLOSE = 1e-7
_LEAST_EXPECTED = 5.0
"""Rows that a cell has to expect on both sides."""
_ADDED = 1.5
_FREE = 0.3
"""The part of a direction's variance that has to be left in the cells looked at: of less hardly anything is chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """How far pairs are from their reference, beyond what their columns do by themselves.

    `squared`, shape (p,): of sides of n and m rows chance alone makes 1/n + 1/m of it on average. `freedom`, shape
    (p,): in how many directions pairs may differ, 0 where too few cells have enough rows.
    """

    squared: FloatArray
    freedom: npt.NDArray[np.int64]


def distances(before: FloatArray, after: FloatArray) -> Distances:
    """Of tables of pairs, both of shape (p, k, l): rows in the cells of two columns, 0 in cells that are not there."""
    both = np.stack([before, after]).astype(np.float64)
    expected = _without_interaction(both)
    rows = both.sum(axis=(2, 3))
    squares, freedom = np.zeros(len(before)), np.zeros(len(before), np.int64)
    for place in np.flatnonzero((rows > 0).all(axis=0)):
        squares[place], freedom[place] = _left_over(both[:, place], expected[:, place])
    noise = _ratio(np.ones_like(rows), rows).sum(axis=0)
    return Distances(squares / np.maximum(freedom, 1) * noise, freedom)


def _without_interaction(both: FloatArray) -> FloatArray:
    """Expected rows, shape (2, p, k, l); each cell, and each column on each side, has as many as were found."""
    cells, first, second = both.sum(axis=0), both.sum(axis=3, keepdims=True), both.sum(axis=2, keepdims=True)
    fitted = np.ones_like(both)
    for _ in range(_ROUNDS):
        fitted = fitted * _ratio(cells, fitted.sum(axis=0))
        fitted = fitted * _ratio(first, fitted.sum(axis=3, keepdims=True))
        fitted = fitted * _ratio(second, fitted.sum(axis=2, keepdims=True))
        if np.abs(fitted.sum(axis=0) - cells).max(initial=0.0) < _CLOSE * max(1.0, float(cells.max(initial=1.0))):
            break
    return fitted


def _ratio(wanted: FloatArray, found: FloatArray) -> FloatArray:
    return np.asarray(np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0))


def _left_over(both: FloatArray, expected: FloatArray) -> tuple[float, int]:
    """Squares of what is left over in one pair, and their degrees of freedom; arrays of shape (2, k, l)."""
    enough = (expected >= _LEAST_EXPECTED).all(axis=0)
    if enough.sum() < 2:
        return 0.0, 0
    weights = _ratio(expected[0] * expected[1], expected.sum(axis=0))
    smaller = (expected[1] <= expected[0]).astype(np.int64)[None]
    found = np.take_along_axis(both, smaller, 0)[0][enough]
    usual = np.take_along_axis(expected, smaller, 0)[0][enough]
    gap = 2 * (np.sqrt(found + _ADDED) - np.sqrt(usual + _ADDED)) * np.sqrt(usual / weights[enough])
    gap = np.where(smaller[0][enough] == 1, gap, -gap)
    sizes, ways = np.linalg.eigh(_chance(weights)[np.ix_(enough.ravel(), enough.ravel())])
    free = sizes > _FREE
    return float(((gap @ ways[:, free]) ** 2 / sizes[free]).sum()), int(free.sum())


def _chance(weights: FloatArray) -> FloatArray:
    """How what is left over varies by chance, shape (k * l, k * l): a projection past what both columns do alone."""
    first, second = weights.shape
    roots = np.sqrt(weights).ravel()[:, None]
    alone = np.hstack([np.repeat(np.eye(first), second, axis=0), np.tile(np.eye(second), (first, 1))]) * roots
    left, sizes, _ = np.linalg.svd(alone, full_matrices=False)
    held = left[:, sizes > 1e-9 * sizes.max(initial=1e-300)]
    return np.asarray(np.eye(roots.size) - held @ held.T)
