"""Both sides of one column, within a byte budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from pipeline.checks.scan.bins import sturges_edges
from pipeline.checks.scan.one_column import UNREADABLE_VALUES, left_out, problem_with, scan, unreadable
from pipeline.checks.scan.streaming import (
    DEFAULT_RESOLUTION,
    Outline,
    Resolution,
    cells_of,
    count_cells,
    outline,
    plan_edges,
    streamed_summary,
)
from pipeline.checks.scan.summary import Cells, NumericalSummary, Summary
from pipeline.checks.scan.table import BATCH_ROWS, Table
from pipeline.checks.scan.types import FloatArray
from pipeline.log_context import Pool
from pipeline.results import Kind

_T = TypeVar("_T")
_Side = TypeVar("_Side")
DEFAULT_BUDGET_BYTES = 2 * 2**30
# One decoded batch with its copies, and the blocks that the statistics work in.
_WORKING_BYTES = 32 * BATCH_ROWS + 16 * 2**20


def sorted_bytes(reference: Table, production: Table) -> int:
    """What holding one numerical column of both sides sorted needs, in bytes."""
    return 8 * (reference.rows + production.rows) + _WORKING_BYTES


def scan_pair(
    reference: Table,
    production: Table,
    name: str,
    kind: Kind,
    *,
    budget_bytes: int = DEFAULT_BUDGET_BYTES,
    resolution: Resolution = DEFAULT_RESOLUTION,
    threads: int = 1,
    known: Summary | None = None,
) -> tuple[Summary, Summary]:
    """Summaries of one column of the reference and of production; of the latter alone where the other is `known`.

    Exact where both sorted columns fit the budget, or where the column has few distinct values; otherwise a streamed
    summary on shared edges, from which statistics state their error bound. With two threads
    both sides are read at once.

    Raises:
        SnapshotUnreadable: a file is damaged or gone.
    """
    if known is not None:
        return known, scan(production, name, kind)
    if kind == "categorical" or sorted_bytes(reference, production) <= budget_bytes:
        return _both(threads, lambda table: scan(table, name, kind), reference, production)
    problems = problem_with(reference, name, kind), problem_with(production, name, kind)
    if problems[0] or problems[1]:
        return problems[0] or left_out(reference, name), problems[1] or left_out(production, name)
    try:
        return _scan_streamed(reference, production, name, resolution, threads)
    except UNREADABLE_VALUES as error:
        return unreadable(reference, name, kind, error), unreadable(production, name, kind, error)


def _both(threads: int, task: Callable[[_Side], _T], reference: _Side, production: _Side) -> tuple[_T, _T]:
    if threads < 2:
        return task(reference), task(production)
    with Pool(2, thread_name_prefix="scan") as pool:
        first, second = pool.submit(task, reference), pool.submit(task, production)
        return first.result(), second.result()


def _scan_streamed(
    reference: Table, production: Table, name: str, resolution: Resolution, threads: int
) -> tuple[NumericalSummary, NumericalSummary]:
    first, second = _both(threads, lambda table: outline(table, name, resolution), reference, production)
    if first.distinct is not None and second.distinct is not None:
        return (
            streamed_summary(reference, name, first, first.distinct),
            streamed_summary(production, name, second, second.distinct),
        )
    edges = plan_edges(first, second, _binned_edges((reference, production), (first, second), name), resolution)

    def second_pass(part: tuple[Table, Outline]) -> NumericalSummary:
        return streamed_summary(part[0], name, part[1], _cells(*part, name, edges, resolution))

    return _both(threads, second_pass, (reference, first), (production, second))


def _cells(table: Table, side: Outline, name: str, edges: FloatArray, resolution: Resolution) -> Cells:
    return count_cells(table, name, edges, resolution) if side.distinct is None else cells_of(side.distinct, edges)


def _binned_edges(tables: tuple[Table, Table], sides: tuple[Outline, Outline], name: str) -> FloatArray:
    """The bins of the binned methods, so that those stay exact at any size; none where the range has no bins."""
    moments = [side.moments for side in sides]
    complete = not any(side.presence.missing for side in sides)
    try:
        return sturges_edges(
            min(moment.low for moment in moments),
            max(moment.high for moment in moments),
            sum(moment.count for moment in moments),
            whole=complete and all(table.is_whole(name) for table in tables),
        )
    except ValueError:
        return np.empty(0)
