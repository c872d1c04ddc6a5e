"""A metric over the newest nights together, and which of these are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from pipeline.results import METRICS, Basis, Estimate

FEWEST_ROWS = 100
"""Fewer rows together never decide anything."""

NEWEST_ROWS = 300
"""So many of the newest rows must still be beyond the limit: a model that recovered is not called degraded."""

HEADLINE_ROWS = 500

_Z95 = 1.959964


class Stretch(NamedTuple):
    """A metric over the nights `first` to `last` together, as one value; `nights` of them have a value."""

    first: date
    last: date
    nights: int
    value: Estimate


def noise(found: Estimate) -> float | None:
    """The standard error; what the wider side of the interval says where there is none; None where neither is known.

    Of a share that is nothing or all the error is zero, which means nothing, and the interval is still right.
    """
    if found.error:
        return found.error
    sides = [abs(end - found.value) / _Z95 for end in (found.low, found.high) if end is not None]
    return max(sides, default=0.0) or None


def by_length(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The shortest first, without rows aside."""
    return sorted((item for item in stretches if item.value.rows > 0), key=lambda item: (item.nights, item.value.rows))


def with_rows(stretches: Sequence[Stretch], rows: int) -> Stretch | None:
    """The shortest with so many rows, else the longest; of stretches by length."""
    return next((item for item in stretches if item.value.rows >= rows), stretches[-1] if stretches else None)


def magnitude(found: Estimate) -> Estimate:
    """An estimate without its sign: how far a bias is from nothing."""
    ends = [abs(end) for end in (found.low, found.high) if end is not None]
    across = found.low is not None and found.high is not None and found.low <= 0 <= found.high
    low = 0.0 if across else min(ends, default=None)
    update = {"value": abs(found.value), "low": low, "high": max(ends, default=None)}
    return found.model_copy(update=update)


def as_judged(metric: str, found: Estimate) -> Estimate:
    """As it is held against a limit: a bias by how far it is from nothing, everything else as it is."""
    return magnitude(found) if METRICS[metric].better == "near_zero" else found


def deciding(found: Mapping[Basis, Sequence[Stretch]], on: Sequence[str]) -> dict[Basis, list[Stretch]]:
    """The stretches that may decide, by basis, the shortest first.

    Where there are labels they decide: estimates count on the newest nights only, those that have too few of them
    together for a verdict.
    """
    realised = by_length(found.get("realised", ())) if "realised" in on else []
    estimated = by_length(found.get("estimated", ())) if "estimated" in on else []
    enough = with_rows(realised, FEWEST_ROWS)
    if enough is not None and enough.value.rows >= FEWEST_ROWS:
        estimated = [item for item in estimated if item.first > enough.first]
    bases: dict[Basis, list[Stretch]] = {"realised": realised, "estimated": estimated}
    return {basis: stretches for basis, stretches in bases.items() if stretches}
