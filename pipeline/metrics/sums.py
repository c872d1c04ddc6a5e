"""Sums of one number for each row, kept around their mean so that no digit is lost, and added up over nights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.results.tally import Sums

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def sums(values: Floats) -> Sums | None:
    """Of some rows; None where they are too large to be added up, or there are none."""
    import numpy as np

    if not len(values):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(values.mean())
        squares = float(((values - mean) ** 2).sum())
    if not math.isfinite(mean) or not math.isfinite(squares):
        return None
    return Sums(rows=len(values), mean=mean, squares=squares)


def added(parts: Sequence[Sums]) -> Sums | None:
    """Of the rows of all parts together (Chan, Golub and LeVeque 1983), the same in any order of them."""
    parts = [part for part in parts if part.rows]
    if not parts:
        return None
    rows = sum(part.rows for part in parts)
    try:
        mean = mean_of([part.mean for part in parts], [part.rows for part in parts])
        squares = math.fsum(part.squares + part.rows * (part.mean - mean) ** 2 for part in parts)
    except (OverflowError, ValueError):  # out of all range
        return None
    return Sums(rows=rows, mean=mean, squares=squares) if math.isfinite(mean + squares) else None


def mean_of(means: Sequence[float], rows: Sequence[int]) -> float:
    """The mean of all rows from that of each part; exact where they are equal."""
    start, total = min(means), sum(rows)
    return start + math.fsum((mean - start) * (many / total) for mean, many in zip(means, rows, strict=True))


def error(found: Sums) -> float | None:
    """The standard error of the mean; None of a single row."""
    return math.sqrt(found.squares / (found.rows - 1) / found.rows) if found.rows > 1 else None
