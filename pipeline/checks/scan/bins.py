"""Bin edges that depend on nothing but range and size, so that they are known before the values are read twice."""

from __future__ import annotations

import math

import numpy as np

from pipeline.checks.scan.types import FloatArray


def sturges_edges(low: float, high: float, size: int, *, whole: bool) -> FloatArray:
    """Equal-width edges by Sturges' rule, as numpy's `histogram_bin_edges(..., "sturges")` lays them.

    Width is range / (log2(size) + 1), never narrower than 1 for whole numbers; a single value gets half a unit either
    side. Source: Sturges (1926), "The choice of a class interval".

    Args:
        low: smallest finite value.
        high: largest finite value.
        size: number of values, at least 1.
        whole: whether the values are integers by type.

    Raises:
        ValueError: the range is too wide or too narrow for float64 to divide it.
    """
    span = high - low
    if not math.isfinite(span):
        raise ValueError("the range of the values is too wide for 64-bit floats")
    if span == 0:
        low, high = low - 0.5, high + 0.5
    width = span / (float(np.log2(size)) + 1.0)
    if whole and 0 < width < 1:
        width = 1.0
    bins = math.ceil((high - low) / width) if width else 1
    edges = np.linspace(low, high, bins + 1)
    if np.any(edges[:-1] >= edges[1:]):
        raise ValueError("the range of the values is too narrow to be divided into bins")
    return edges
