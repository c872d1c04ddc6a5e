"""The cells that a column of a night is counted in: laid by the reference alone, so that nights have the same ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.checks.scan import CategoricalSummary, Cells, FloatArray, IntArray, Key, NumericalSummary
from pipeline.checks.scan.types import countable, key_counts, to_floats
from pipeline.results import PROFILE_QUANTILES

CATEGORIES = 40
"""The most frequent categories of the reference have a cell each."""


def places_of(reference: NumericalSummary | CategoricalSummary, batches: Iterable[pa.Array]) -> Iterator[IntArray]:
    """The cell of each row of the reference, batch by batch; -1 where it has none. A byte holds each."""
    found = CategoryCells.of(reference) if isinstance(reference, CategoricalSummary) else NumberCells.of(reference)
    return (found.places([batch]) for batch in batches)


@dataclass(frozen=True, slots=True, eq=False)
class NumberCells:
    """Cell i is (edges[i-1], edges[i]]; the first has what is below the reference's smallest value, the last what is
    above its largest. `edges`: shape (k - 1,), ascending and distinct.
    """

    edges: FloatArray

    @classmethod
    def of(cls, reference: NumericalSummary) -> NumberCells:
        """The cells of a reference that has finite values."""
        quantiles = [reference.quantile(step / PROFILE_QUANTILES) for step in range(1, PROFILE_QUANTILES)]
        low, high = reference.moments.low, reference.moments.high
        return cls(np.unique([np.nextafter(low, -np.inf), *quantiles, high]))

    def count(self, side: NumericalSummary) -> IntArray:
        """Rows in each cell, shape (k,). Of a column too long to hold, edges between two known points move down."""
        held = side.distribution
        if isinstance(held, Cells):
            places = np.searchsorted(held.edges, self.edges, side="right") - 1
            below = np.where(places >= 0, held.cumulative[np.maximum(places, 0)], 0)
        else:
            below = held.rows_below(self.edges, inclusive=True)
        return np.diff(below, prepend=0, append=held.size).astype(np.int64)

    def places(self, values: Sequence[pa.Array]) -> IntArray:
        """The cell of each value, shape (n,); of missing and infinite ones -1."""
        numbers = np.concatenate([to_floats(part) for part in values]) if values else np.empty(0)
        found = np.zeros(numbers.size, np.int16)
        for edge in self.edges:  # a score of them, all compared ten times as fast as searched
            found += numbers > edge
        return np.where(np.isfinite(numbers), found, -1).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class CategoryCells:
    """A cell for each of the most frequent categories of the reference, and the last for all others."""

    named: Mapping[Key, int]

    @classmethod
    def of(cls, reference: CategoricalSummary) -> CategoryCells:
        """The cells of a reference that has values."""
        ordered = sorted(reference.counts.items(), key=lambda item: (-item[1], str(item[0])))
        return cls({key: place for place, (key, _) in enumerate(ordered[:CATEGORIES])})

    def count(self, side: CategoricalSummary) -> IntArray:
        """Rows in each cell, shape (k,)."""
        counts = np.zeros(len(self.named) + 1, np.int64)
        for key, rows in side.counts.items():
            counts[self.named.get(key, -1)] += rows
        return counts

    def places(self, values: Sequence[pa.Array]) -> IntArray:
        """The cell of each value, shape (n,); of missing ones -1."""
        return np.concatenate([self._of_part(part) for part in values]) if values else np.empty(0, np.int64)

    def _of_part(self, values: pa.Array) -> IntArray:
        """Each distinct value is looked up once."""
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        if isinstance(values, pa.DictionaryArray):
            values = values.dictionary_decode()  # its labels may repeat, or be null
        encoded = countable(values).dictionary_encode()
        places = [self._place(key) for key, _ in key_counts(encoded.dictionary)]  # one for each label, in order
        codes = encoded.indices.cast(pa.int64()).fill_null(len(places)).to_numpy()
        return np.asarray(np.array([*places, -1], np.int64)[codes])

    def _place(self, key: Key) -> int:
        if isinstance(key, float) and not math.isfinite(key):
            return -1
        return self.named.get(key, len(self.named))
