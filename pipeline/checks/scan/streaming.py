"""A numerical column too long to hold, summarised in two passes with a bound on what is lost.

The first pass takes moments, extremes, a regular sample of sorted runs, and the exact distinct values while they are
few. Few distinct values (ages, counts, ratings) are a complete summary at any number of rows. Otherwise edges are
laid from the samples of both snapshots, and the second pass counts rows at every edge exactly. The sample decides only
how tight the bound is, never whether it holds: the statistics compute it from the exact counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.checks.scan.one_column import sort_finite
from pipeline.checks.scan.summary import Cells, Moments, NumericalSummary, Presence, SortedValues, collapse, run_starts
from pipeline.checks.scan.table import Table
from pipeline.checks.scan.types import FloatArray, IntArray, to_floats

# Chunk, sort and running sums of one column in flight, and the samples and cells of both sides.
STREAMING_BYTES = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Resolution:
    """How finely a streamed column is seen. More of each makes bounds tighter and costs memory; none makes them wrong.

    `chunk_rows` are sorted at a time; up to `max_distinct` different values are kept exactly; `sample_size` values of
    each side say where `depth_edges` edges of equal mass go; `width_edges` more lie evenly over the range.
    """

    chunk_rows: int = 1 << 20
    max_distinct: int = 1 << 18
    sample_size: int = 1 << 18
    depth_edges: int = 1 << 16
    width_edges: int = 1 << 14


DEFAULT_RESOLUTION = Resolution()


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What the first pass over one side yields. `distinct` is the complete column, when it has few distinct values."""

    presence: Presence
    moments: Moments
    sample: FloatArray
    distinct: SortedValues | None


def outline(table: Table, name: str, resolution: Resolution = DEFAULT_RESOLUTION) -> Outline:
    """First pass: reads the column once, a chunk at a time."""
    presence, moments = Presence(), Moments()
    stride = max(1, math.ceil(table.rows / resolution.sample_size))
    samples: list[FloatArray] = []
    distinct: SortedValues | None = SortedValues(np.empty(0), np.empty(0, np.int64))
    for part, ordered in _sorted_chunks(table, name, resolution.chunk_rows):
        presence += part
        moments += Moments.of(ordered)
        samples.append(ordered[stride // 2 :: stride].copy())
        if distinct is not None and ordered.size:
            distinct = _grown(distinct, ordered, resolution.max_distinct)
    sample = np.sort(np.concatenate(samples)) if samples else np.empty(0)
    if distinct is not None:
        moments = Moments.of(distinct.values, distinct.counts)
    return Outline(presence, moments, sample, distinct)


def plan_edges(
    reference: Outline, production: Outline, exact_at: FloatArray, resolution: Resolution = DEFAULT_RESOLUTION
) -> FloatArray:
    """Ascending distinct edges for both sides.

    Three sorts together: ranks of the samples (cells of about equal mass where the values are), an even grid over the
    whole range (tails that the samples may have missed), and `exact_at`, points whose `<` and `<=` counts must be
    exact. A value that repeats in a sample gets a cell of its own, so that its mass is not smeared.

    Args:
        reference: first pass over the reference.
        production: first pass over production. At least one of the two has a finite value.
        exact_at: shape (k,) points, such as the edges of a binned method.
        resolution: how many edges to lay.
    """
    low = min(reference.moments.low, production.moments.low)
    high = max(reference.moments.high, production.moments.high)
    with np.errstate(over="ignore"):
        grid = np.linspace(low, high, resolution.width_edges)
    points = [exact_at, np.nextafter(exact_at, -np.inf), grid, np.array([low, high])]
    for side in (reference, production):
        sample = side.sample
        step = max(1, sample.size // resolution.depth_edges)
        repeated = np.unique(sample[1:][sample[1:] == sample[:-1]])
        points += [sample[::step], repeated, np.nextafter(repeated, -np.inf)]
    edges = np.unique(np.concatenate(points))
    return edges[(edges >= low) & (edges <= high)]


def count_cells(table: Table, name: str, edges: FloatArray, resolution: Resolution = DEFAULT_RESOLUTION) -> Cells:
    """Second pass: rows `<=` every edge, exactly. The edges must cover the column's finite values."""
    cumulative = np.zeros(edges.size, np.int64)
    gaps = np.zeros(edges.size)
    for _, ordered in _sorted_chunks(table, name, resolution.chunk_rows):
        _add_chunk(ordered, edges, cumulative, gaps)
    return Cells(edges, cumulative, gaps)


def cells_of(held: SortedValues, edges: FloatArray) -> Cells:
    """Cells of a column that is held exactly, to compare it with one that is not."""
    cumulative = held.rows_below(edges, inclusive=True)
    gaps = np.zeros(edges.size)
    places = np.searchsorted(edges, held.values)
    weights = np.ones(held.values.size, np.int64) if held.counts is None else held.counts
    np.add.at(gaps, places, (edges[places] - held.values) * weights)
    return Cells(edges, cumulative, gaps)


def streamed_summary(table: Table, name: str, side: Outline, distribution: SortedValues | Cells) -> NumericalSummary:
    """The first pass and the distribution, put together."""
    return NumericalSummary(
        name,
        table.form_of(name) or "null",
        side.presence,
        side.moments,
        distribution,
        whole=table.is_whole(name) and not side.presence.missing,
    )


def _sorted_chunks(table: Table, name: str, chunk_rows: int) -> Iterator[tuple[Presence, FloatArray]]:
    buffer = np.empty(chunk_rows)
    filled = nulls = 0
    for batch in table.batches(name, batch_rows=min(chunk_rows, 1 << 17)):
        if filled + len(batch) > chunk_rows:
            yield sort_finite(buffer[:filled], nulls)
            filled = nulls = 0
        nulls += batch.null_count
        buffer[filled : filled + len(batch)] = to_floats(batch)
        filled += len(batch)
    if filled:
        yield sort_finite(buffer[:filled], nulls)


def _grown(distinct: SortedValues, ordered: FloatArray, limit: int) -> SortedValues | None:
    starts = run_starts(ordered)
    if starts.size > limit:
        return None
    counts = np.diff(np.concatenate((starts, [ordered.size])))
    grown = collapse([(distinct.values, distinct.counts), (ordered[starts], counts)])
    return grown if grown.values.size <= limit else None


def _add_chunk(ordered: FloatArray, edges: FloatArray, cumulative: IntArray, gaps: FloatArray) -> None:
    below = np.searchsorted(ordered, edges, side="right")
    cumulative += below
    rows = np.diff(below, prepend=0)
    held = np.flatnonzero(rows)
    if held.size:
        distance = np.repeat(edges[held], rows[held]) - ordered
        gaps[held] += np.add.reduceat(distance, below[held] - rows[held])
