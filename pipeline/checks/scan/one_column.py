"""One pass over one column: sorted numbers or counted categories."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from pipeline.checks.scan.summary import (
    CategoricalSummary,
    Moments,
    NumericalSummary,
    Presence,
    SortedValues,
    Summary,
    Unscannable,
)
from pipeline.checks.scan.table import Table
from pipeline.checks.scan.types import FloatArray, Key, key_counts, to_floats
from pipeline.errors import NO_UTF8
from pipeline.results import Kind
from pipeline.wording import count

MAX_CATEGORIES = 100_000
UNREADABLE_VALUES = (pa.ArrowException, TypeError, ValueError, OverflowError)
"""What is raised for values that cannot be converted: the column's fault. A file's is already `SnapshotUnreadable`."""


def scan(table: Table, name: str, kind: Kind, *, max_categories: int = MAX_CATEGORIES) -> Summary:
    """The exact summary of one column.

    Args:
        table: the snapshot.
        name: a top-level column.
        kind: how to look at it. Numerical needs 8 bytes per row of memory.
        max_categories: a categorical column with more distinct values has no summary: it is an identifier or free text,
            for which no drift method says anything, and counting it would need memory without bound.

    Returns:
        A summary, or `Unscannable` with a reason for a column that is missing, nested or of the wrong type.

    Raises:
        SnapshotUnreadable: a file is damaged or gone.
    """
    problem = problem_with(table, name, kind)
    if problem is not None:
        return problem
    try:
        if kind == "numerical":
            return _scan_numerical(table, name)
        return _scan_categorical(table, name, max_categories)
    except UNREADABLE_VALUES as error:
        return unreadable(table, name, kind, error)


def problem_with(table: Table, name: str, kind: Kind) -> Unscannable | None:
    """Why a column cannot be looked at as this kind, found in the schema alone."""
    problem = table.problem_with(name)
    if problem is None and kind == "numerical" and table.form_of(name) == "text":
        problem = f"the column is listed as numerical but holds text ({table.type_label(name)})"
    return None if problem is None else _unscannable(table, name, problem)


def unreadable(table: Table, name: str, kind: Kind, error: Exception) -> Unscannable:
    """A column whose values Arrow cannot convert."""
    if isinstance(error, UnicodeDecodeError):
        return _unscannable(table, name, NO_UTF8)
    return _unscannable(table, name, f"its values cannot be read as {kind} ({type(error).__name__})")


def left_out(table: Table, name: str) -> Unscannable:
    """A column that was not read, because the other snapshot's cannot be compared with any."""
    return _unscannable(table, name, "")


def _unscannable(table: Table, name: str, reason: str) -> Unscannable:
    return Unscannable(name, reason, table.form_of(name) or "null", Presence(rows=table.rows))


def _scan_numerical(table: Table, name: str) -> NumericalSummary:
    buffer = np.empty(table.rows)
    filled = nulls = 0
    for batch in table.batches(name):
        nulls += batch.null_count
        buffer[filled : filled + len(batch)] = to_floats(batch)
        filled += len(batch)
    return summarise_floats(table, name, buffer[:filled], nulls)


def summarise_floats(table: Table, name: str, buffer: FloatArray, nulls: int) -> NumericalSummary:
    """Sorts `buffer` in place and keeps a view of its finite part. NaN in it are nulls or NaN."""
    presence, finite = sort_finite(buffer, nulls)
    return NumericalSummary(
        name,
        table.form_of(name) or "null",
        presence,
        Moments.of(finite),
        SortedValues(finite),
        whole=table.is_whole(name) and not presence.missing,
    )


def sort_finite(buffer: FloatArray, nulls: int) -> tuple[Presence, FloatArray]:
    """Sorts in place; returns what was there and the view of the finite values."""
    buffer.sort()
    start, stop, numbers = np.searchsorted(buffer, [-np.inf, np.inf, np.nan], side="left")
    start = int(np.searchsorted(buffer, -np.inf, side="right"))
    presence = Presence(
        rows=buffer.size,
        nulls=nulls,
        nans=int(buffer.size - numbers) - nulls,
        negative_infinities=start,
        positive_infinities=int(numbers - stop),
    )
    return presence, buffer[start:stop]


def _scan_categorical(table: Table, name: str, max_categories: int) -> Summary:
    counts: dict[Key, int] = {}
    rows = nulls = nans = below = above = 0
    for batch in table.batches(name):
        rows += len(batch)
        present = 0
        for key, found in key_counts(batch):
            present += found
            if isinstance(key, float) and not math.isfinite(key):
                nans += found if math.isnan(key) else 0
                below += found if key == -math.inf else 0
                above += found if key == math.inf else 0
            else:
                counts[key] = counts.get(key, 0) + found
        nulls += len(batch) - present
        if len(counts) > max_categories:
            many = f"more than {count(max_categories)} distinct values"
            return _unscannable(table, name, f"{many}: an identifier or free text, not a category")
    return CategoricalSummary(name, table.form_of(name) or "null", Presence(rows, nulls, nans, below, above), counts)
