"""Two ascending columns walked together, value by value, in blocks.

Rank and distribution statistics are folds over the distinct pooled values with their occurrences on both sides. Blocks
keep the work in the processor's cache and the memory independent of the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.checks.scan import FloatArray, IntArray, SortedValues

BLOCK = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Consecutive distinct pooled values, ascending, each of shape (k,).

    `reference_before` and `production_before` count the rows of all smaller values.
    """

    values: FloatArray
    reference: IntArray
    production: IntArray
    reference_before: IntArray
    production_before: IntArray


def pooled_runs(reference: SortedValues, production: SortedValues, *, block: int = BLOCK) -> Iterator[Runs]:
    """All distinct values of both columns, each exactly once, in blocks of at most 2 * `block` values."""
    places = [0, 0]
    sides = reference, production
    while any(place < side.values.size for place, side in zip(places, sides, strict=True)):
        limit = min(
            (float(side.values[place + block - 1]) for place, side in zip(places, sides, strict=True)
             if place + block < side.values.size),
            default=np.inf,
        )  # fmt: skip
        stops = [int(np.searchsorted(side.values, limit, side="right")) for side in sides]
        values = _distinct(*(side.values[a:b] for side, a, b in zip(sides, places, stops, strict=True)), limit=limit)
        counted = [_count(side, place, stop, values) for side, place, stop in zip(sides, places, stops, strict=True)]
        yield Runs(values, counted[0][0], counted[1][0], counted[0][1], counted[1][1])
        places = stops


def _distinct(first: FloatArray, second: FloatArray, *, limit: float) -> FloatArray:
    """Distinct values of two ascending arrays. Of a long run of `limit` at their ends only one value is read."""
    parts = [part[: int(np.searchsorted(part, limit, side="left")) + 1] for part in (first, second)]
    pooled = np.concatenate(parts)
    pooled.sort(kind="stable")  # two ascending runs: one linear merge
    keep = np.empty(pooled.size, np.bool_)
    keep[:1] = True
    np.not_equal(pooled[1:], pooled[:-1], out=keep[1:])
    return pooled[keep]


def _count(side: SortedValues, start: int, stop: int, values: FloatArray) -> tuple[IntArray, IntArray]:
    after = np.searchsorted(side.values[start:stop], values, side="right").astype(np.int64, copy=False) + start
    rows = side.rows_before(np.concatenate(([start], after)))
    return np.diff(rows), rows[:-1]


def integral_of_difference(reference: SortedValues, production: SortedValues, *, power: int) -> float:
    """Integral of |F - G| ** power over the line, F and G being the two distribution functions; power 1 or 2."""
    total, last_value, last_gap = 0.0, 0.0, 0.0
    for runs in pooled_runs(reference, production):
        gaps = np.abs(
            (runs.reference_before + runs.reference) / reference.size
            - (runs.production_before + runs.production) / production.size
        )
        if power == 2:
            gaps *= gaps
        total += last_gap * (float(runs.values[0]) - last_value)
        total += float((gaps[:-1] * np.diff(runs.values)).sum())
        last_value, last_gap = float(runs.values[-1]), float(gaps[-1])
    return total
