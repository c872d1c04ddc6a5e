"""The few cells that each column is counted in beside others, laid by rows of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.checks.profile.cells import CategoryCells
from pipeline.checks.scan import CategoricalSummary, FloatArray, Key
from pipeline.checks.scan.summary import Presence
from pipeline.checks.scan.types import key_counts, to_floats
from pipeline.results import Kind

Codes = npt.NDArray[np.uint8]
QUARTERS = 4
CATEGORIES = 4
"""The most frequent ones have a cell each, and all others one together."""
_OUTERMOST = 0.001
_FEWEST_MOVED = 50
_KNOTS = 80
_SELDOM = 1e-5
_AS_OFTEN = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A numerical column. `edges`: shape (k - 1,), quarters of the reference.

    What lies beyond its outermost thousandths, `low` and `high`, counts as these where numbers are measured, in units
    of `scale` around `centre`. `own` are quantiles of a side that moved by itself and `usual` those of the reference,
    both of shape (g,): each number is read as what it would be there.
    """

    name: str
    edges: FloatArray
    low: float
    high: float
    centre: float
    scale: float
    own: FloatArray | None = None
    usual: FloatArray | None = None

    @property
    def cells(self) -> int:
        """How many there are; missing values come after them."""
        return int(self.edges.size) + 1

    def read(self, batch: pa.Array) -> FloatArray:
        """A batch as it is coded and measured."""
        return self.placed(to_floats(batch))

    def placed(self, values: FloatArray) -> FloatArray:
        """Numbers as they would be in the reference."""
        return values if self.own is None or self.usual is None else np.interp(values, self.own, self.usual)

    def code(self, values: FloatArray) -> Codes:
        """The cell of each value."""
        codes = np.zeros(values.size, np.uint8)
        for edge in self.edges:
            codes += values > edge
        codes[np.isnan(values)] = self.cells
        return codes

    def measured(self, values: FloatArray) -> FloatArray:
        """Numbers around 0, as a rule of deviation 1; 0 where missing."""
        return np.nan_to_num((np.clip(values, self.low, self.high) - self.centre) / self.scale, nan=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A categorical column; `order` has the categories of the reference by their frequency."""

    name: str
    order: CategoryCells

    @property
    def cells(self) -> int:
        """How many there are; missing values come after them."""
        return min(len(self.order.named), CATEGORIES) + 1

    def read(self, batch: pa.Array) -> FloatArray:
        """The place of each category by frequency; NaN where missing."""
        places = self.order.places([batch]).astype(np.float64)
        places[places < 0] = np.nan
        return places

    def code(self, values: FloatArray) -> Codes:
        """The cell of each value."""
        last = self.cells - 1
        return np.where(np.isnan(values), self.cells, np.minimum(np.nan_to_num(values), last)).astype(np.uint8)


Coder = Numbers | Categories


def tonights(coder: Coder, before: FloatArray, after: FloatArray) -> Coder:
    """How tonight's rows are coded: as those of the reference, unless the numbers moved by themselves.

    A number is then read as what is as rare in the reference, so that what moved is left out of how it goes with
    others. Where many values repeat there is no such number, and it stays as it is.

    Args:
        coder: of the reference.
        before: drawn rows of the reference.
        after: drawn rows of tonight.
    """
    if isinstance(coder, Categories) or not coder.edges.size:
        return coder
    sides = [values[~np.isnan(values)] for values in (before, after)]
    if min(side.size for side in sides) < _FEWEST_MOVED or not _moved(coder, *sides):
        return coder
    finite = [side[np.isfinite(side)] for side in sides]
    usual, own = (np.quantile(side, np.linspace(0, 1, _KNOTS + 1), method="inverted_cdf") for side in finite)
    made = replace(coder, own=own, usual=usual)
    shares = [np.array([(side <= edge).mean() for edge in coder.edges]) for side in (sides[0], made.placed(sides[1]))]
    return made if np.abs(shares[1] - shares[0]).max() <= _AS_OFTEN else coder


def _moved(coder: Numbers, before: FloatArray, after: FloatArray) -> bool:
    """Whether the shares of the cells differ by more than chance makes of one column in 100,000 (Pearson 1900)."""
    from scipy.special import chdtrc

    counts = np.array([np.bincount(coder.code(side), minlength=coder.cells) for side in (before, after)], np.float64)
    usual = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    squared = float(((counts - usual) ** 2 / np.maximum(usual, 0.5)).sum())
    return bool(chdtrc(coder.cells - 1, squared) < _SELDOM)


def coder(name: str, kind: Kind, reference: Sequence[pa.Array]) -> Coder | None:
    """How a column is coded.

    Args:
        name: of the column.
        kind: of the column.
        reference: some rows of it.

    Returns:
        None for a column with one value alone, which nothing can go together with.
    """
    if kind == "numerical":
        return _numbers(name, np.concatenate([to_floats(part) for part in reference]) if reference else np.empty(0))
    counts: dict[Key, int] = {}
    for part in reference:
        for key, found in key_counts(part):
            counts[key] = counts.get(key, 0) + found
    counts = {key: found for key, found in counts.items() if not isinstance(key, float) or np.isfinite(key)}
    if len(counts) < 2:
        return None
    return Categories(name, CategoryCells.of(CategoricalSummary(name, "text", Presence(), counts)))


def _numbers(name: str, values: FloatArray) -> Numbers | None:
    present = values[~np.isnan(values)]
    finite = present[np.isfinite(present)]
    if not finite.size or finite.min() == finite.max():
        return None
    edges = np.unique(np.quantile(finite, np.arange(1, QUARTERS) / QUARTERS, method="lower"))
    edges = edges[edges < finite.max()]
    low, high = np.quantile(finite, [_OUTERMOST, 1 - _OUTERMOST], method="nearest")
    if low == high:
        low, high = finite.min(), finite.max()
    held = np.clip(finite, low, high)
    with np.errstate(over="ignore", invalid="ignore"):
        centre, scale = float(held.mean()), float(held.std())
    return Numbers(name, edges, float(low), float(high), centre, scale) if np.isfinite(scale) and scale > 0 else None
