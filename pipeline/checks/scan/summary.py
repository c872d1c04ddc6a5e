"""What a scan keeps of one column: frozen values, small enough to hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.checks.scan.types import FloatArray, IntArray, Key

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Presence:
    """How much of a column is there: rows in all, nulls, NaN, and infinite values of either sign."""

    rows: int = 0
    nulls: int = 0
    nans: int = 0
    negative_infinities: int = 0
    positive_infinities: int = 0

    @property
    def missing(self) -> int:
        """Nulls and NaN together: what pandas calls missing."""
        return self.nulls + self.nans

    @property
    def infinite(self) -> int:
        return self.negative_infinities + self.positive_infinities

    @property
    def missing_share(self) -> float:
        """In [0, 1]; 0 for a column without rows."""
        return self.missing / self.rows if self.rows else 0.0

    def __add__(self, other: Presence) -> Presence:
        return Presence(
            self.rows + other.rows,
            self.nulls + other.nulls,
            self.nans + other.nans,
            self.negative_infinities + other.negative_infinities,
            self.positive_infinities + other.positive_infinities,
        )


@dataclass(frozen=True, slots=True)
class Moments:
    """Count, mean and sum of squared deviations of the finite values, with their extremes."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = np.inf
    high: float = -np.inf

    @property
    def deviation(self) -> float:
        """Population standard deviation (divides by the count), 0 for no values."""
        return float(np.sqrt(self.squares / self.count)) if self.count else 0.0

    @classmethod
    def of(cls, values: FloatArray, weights: IntArray | None = None) -> Moments:
        """Of shape (n,) finite values in ascending order, in blocks: no temporary as long as the column.

        Mean and squares are infinite or NaN where the values are too large to be squared.
        """
        if not values.size:
            return cls()
        with np.errstate(over="ignore", invalid="ignore"):
            return cls._measured(values, weights)

    @classmethod
    def _measured(cls, values: FloatArray, weights: IntArray | None) -> Moments:
        low, high = float(values[0]), float(values[-1])
        if weights is not None:
            count = int(weights.sum())
            mean = float(np.average(values, weights=weights))
            squares = float((weights * (values - mean) ** 2).sum())
            return cls(count, mean, squares, low, high)
        mean = float(values.mean())
        squares = 0.0
        for start in range(0, values.size, _BLOCK):
            centred = values[start : start + _BLOCK] - mean
            np.square(centred, out=centred)
            squares += float(centred.sum())
        return cls(values.size, mean, squares, low, high)

    def __add__(self, other: Moments) -> Moments:
        """Chan, Golub and LeVeque's pairwise update (1983)."""
        count = self.count + other.count
        if not self.count or not other.count:
            return other if not self.count else self
        delta = other.mean - self.mean
        return Moments(
            count,
            self.mean + delta * other.count / count,
            self.squares + other.squares + delta * delta * self.count * other.count / count,
            min(self.low, other.low),
            max(self.high, other.high),
        )


@dataclass(frozen=True, slots=True, eq=False)
class SortedValues:
    """The finite values in ascending order. With `counts`, each value is distinct and stands for that many rows."""

    values: FloatArray
    counts: IntArray | None = None
    below: IntArray = field(init=False, repr=False)
    """Cumulative counts, shape (distinct + 1,): rows before each position. Empty without `counts`."""

    def __post_init__(self) -> None:
        counts = np.empty(0, np.int64) if self.counts is None else np.concatenate(([0], np.cumsum(self.counts)))
        object.__setattr__(self, "below", counts.astype(np.int64, copy=False))

    @property
    def size(self) -> int:
        return self.values.size if self.counts is None else int(self.below[-1])

    def rows_before(self, positions: IntArray) -> IntArray:
        """Rows that precede each position of `values`."""
        return positions if self.counts is None else self.below[positions]

    def rows_below(self, points: FloatArray, *, inclusive: bool) -> IntArray:
        """How many rows are `< point` (or `<= point`), for each of the points."""
        positions = np.searchsorted(self.values, points, side="right" if inclusive else "left")
        return self.rows_before(positions.astype(np.int64, copy=False))

    def at_rank(self, rank: int) -> float:
        """The value at a 0-based rank in ascending order."""
        if self.counts is None:
            return float(self.values[rank])
        return float(self.values[int(np.searchsorted(self.below, rank, side="right")) - 1])


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Counts on given edges, for a column too long to hold: exact at every edge, unknown only inside a cell.

    Cell i is (edges[i-1], edges[i]] and cell 0 is the single value edges[0], so `cumulative[i]` is exactly the number
    of rows `<= edges[i]`. All finite values lie within the edges. `gaps[i]` is the sum of `edges[i] - value` over the
    rows of cell i, which makes the integral of the distribution function over a cell exact.
    """

    edges: FloatArray
    cumulative: IntArray
    gaps: FloatArray

    @property
    def size(self) -> int:
        return int(self.cumulative[-1])


@dataclass(frozen=True, slots=True, eq=False)
class NumericalSummary:
    """One numerical column of one snapshot.

    `whole` says that all values were integers by type and none was missing: what pandas would read as an integer
    column.
    """

    name: str
    form: str
    presence: Presence
    moments: Moments
    distribution: SortedValues | Cells
    whole: bool = False

    @property
    def exact(self) -> bool:
        """Whether every value is held, so that every statistic is exact."""
        return isinstance(self.distribution, SortedValues)

    def quantile(self, share: float) -> float:
        """Interpolated between order statistics; for cells, an edge no more than one cell away. NaN if empty."""
        held = self.distribution
        if not held.size:
            return float("nan")
        if isinstance(held, Cells):
            wanted = max(1, int(np.ceil(share * held.size)))
            return float(held.edges[int(np.searchsorted(held.cumulative, wanted))])
        place = share * (held.size - 1)
        lower = int(place)
        first, second = held.at_rank(lower), held.at_rank(min(lower + 1, held.size - 1))
        return first + (second - first) * (place - lower)

    def histogram(self, edges: FloatArray) -> IntArray:
        """Rows per bin, shape (len(edges) - 1,): bins are [a, b), the last one [a, b], as in numpy.

        For cells, edges that are not among the cell edges are moved to the next one below.
        """
        held = self.distribution
        if isinstance(held, SortedValues):
            inner = held.rows_below(edges[:-1], inclusive=False)
            last = held.rows_below(edges[-1:], inclusive=True)
            below = np.concatenate((inner, last))
            return below[1:] - below[:-1]
        # The largest float below an edge is an edge too where exact bins were asked for (see streaming.plan_edges).
        points = np.concatenate((np.nextafter(edges[:-1], -np.inf), edges[-1:]))
        places = np.searchsorted(held.edges, points, side="right") - 1
        before: IntArray = np.where(places >= 0, held.cumulative[np.maximum(places, 0)], 0).astype(np.int64)
        return before[1:] - before[:-1]


@dataclass(frozen=True, slots=True)
class CategoricalSummary:
    """One categorical column of one snapshot: exact occurrences of every category."""

    name: str
    form: str
    presence: Presence
    counts: Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class Unscannable:
    """A column that has no summary, with the reason in plain language. A value, not an error: it reaches the report.

    The reason is empty for a side that was left unread because the other side has one.
    """

    name: str
    reason: str
    form: str = "null"
    presence: Presence = Presence()


Summary = NumericalSummary | CategoricalSummary | Unscannable


def collapse(parts: list[tuple[FloatArray, IntArray | None]]) -> SortedValues:
    """Distinct values in ascending order with their rows, out of several parts in any order."""
    values = np.concatenate([values for values, _ in parts])
    weights = np.concatenate([np.ones(v.size, np.int64) if w is None else w for v, w in parts])
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    starts = run_starts(values)
    return SortedValues(values[starts], np.add.reduceat(weights, starts) if starts.size else weights)


def run_starts(ordered: FloatArray) -> IntArray:
    """Positions where a new value begins in an ascending array of shape (n,)."""
    if not ordered.size:
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))).astype(np.int64)


def count_distinct(ordered: FloatArray, *, enough: int) -> int:
    """Distinct values of an ascending array, counted only until more than `enough` are seen.

    Jumps from value to value, so a column with millions of distinct values costs no more than one with few.
    """
    seen, position = 0, 0
    while position < ordered.size and seen <= enough:
        seen += 1
        position = int(np.searchsorted(ordered, ordered[position], side="right"))
    return seen
