"""What the reference is like, column by column, as far as quality checks and suggestions need to know.

The numbers come from the scan that drift uses: every row, one column at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline.checks.quality.check import Limits
from pipeline.checks.scan import (
    FAMILIES,
    CategoricalSummary,
    Key,
    NumericalSummary,
    Shelf,
    SortedValues,
    Summary,
    Table,
    count_distinct,
    read_kept,
    scan,
)
from pipeline.checks.scan.missing import missing_in
from pipeline.checks.scan.streaming import outline
from pipeline.checks.scan.types import extremes_of
from pipeline.log_context import Pool
from pipeline.results import Kind

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MAX_DISTINCT = 1_000
_BYTES_PER_VALUE = 8
_LARGEST_EXACT = 2**53
_NO_ROWS = np.empty((0, 0), dtype=np.int64)


@dataclass(frozen=True)
class Numbers:
    """The values of a column of numbers, at least one of them finite; infinite ones count for `low` and `high` only.

    `extremes` are `low` and `high` as the column has them, where they are no floats: long whole numbers, decimals.

    `quantiles` are those of `QUANTILES`. `fences` lie `factor` interquartile ranges outside the quartiles (Tukey 1977),
    and `beyond_share` of the values lie outside of them. `distinct` is None above `MAX_DISTINCT`.
    """

    low: float
    high: float
    mean: float
    deviation: float
    quantiles: tuple[float, ...]
    fences: tuple[float, float]
    beyond_share: float
    distinct: int | None
    whole: bool
    extremes: tuple[Any, Any] | None = None

    @property
    def bounds(self) -> tuple[Any, Any]:
        """The smallest and the largest value, exactly."""
        return self.extremes or (self.low, self.high)

    @property
    def bounded(self) -> bool:
        """Whether there is a smallest or a largest value."""
        return math.isfinite(self.low) or math.isfinite(self.high)


@dataclass(frozen=True)
class Profile:
    """One column of the reference. `family` is number, text, boolean, date, timestamp, null or None (nested, binary).

    `numbers` for columns looked at as numerical, `categories` with their rows for those looked at as categorical;
    neither where there is nothing to say, such as for free text. `missing` is None where nobody knows.
    """

    name: str
    family: str | None
    type: str
    kind: Kind | None
    rows: int
    missing: int | None
    numbers: Numbers | None = None
    categories: Mapping[Key, int] = field(default_factory=dict)

    @property
    def missing_share(self) -> float | None:
        """Of all rows, in [0, 1]; None where it is not known."""
        if self.missing is None:
            return None
        return self.missing / self.rows if self.rows else 0.0

    @property
    def largest_share(self) -> float:
        """The most frequent category's share of the rows that have one, in [0, 1]."""
        total = sum(self.categories.values())
        return max(self.categories.values()) / total if total else 0.0


def profile_columns(
    table: Table,
    kinds: Mapping[str, Kind | None],
    max_categories: int,
    factor: float,
    limits: Limits,
    *,
    shelf: Shelf | None = None,
) -> dict[str, Profile]:
    """The profile of every column of `kinds` that is in the table.

    Args:
        table: the reference, opened.
        kinds: the columns to look at, and how; None: only how much is missing.
        max_categories: a column with more of them is text or an identifier, and gets no `categories`.
        factor: interquartile ranges from the quartiles to the fences.
        limits: memory and cores. A column that does not fit is read in chunks, its quantiles come from a sample.
        shelf: where other nights kept columns of the table, if they did.

    Raises:
        SnapshotUnreadable: a file is damaged.
    """
    names = [name for name in kinds if table.has(name)]
    held = table.rows * _BYTES_PER_VALUE
    workers = max(1, min(limits.threads, limits.budget_bytes // max(held, 1)))

    def summary(name: str, kind: Kind) -> Summary:
        if held > limits.budget_bytes and kind == "numerical":
            return _streamed(table, name)
        kept = None if shelf is None else read_kept(shelf, table, name, kind, _NO_ROWS)
        return scan(table, name, kind, max_categories=max_categories) if kept is None else kept.summary

    def profile(name: str) -> Profile:
        return _profile(table, name, kinds[name], summary, max_categories=max_categories, factor=factor)

    with Pool(workers, thread_name_prefix="reference") as pool:
        return {found.name: found for found in pool.map(profile, names)}


def family_of(table: Table, name: str) -> str | None:
    """What kind of value a column holds."""
    return FAMILIES.get(table.form_of(name) or "")


def _profile(
    table: Table,
    name: str,
    kind: Kind | None,
    summary_of: Callable[[str, Kind], Summary],
    *,
    max_categories: int,
    factor: float,
) -> Profile:
    family = family_of(table, name)
    empty = Profile(name, family, table.type_label(name), kind, table.rows, 0)
    if kind == "numerical" and family == "number":
        summary = summary_of(name, "numerical")
        if isinstance(summary, NumericalSummary):
            numbers = _exact(table, name, _numbers(summary, factor))
            return replace(empty, missing=summary.presence.missing, numbers=numbers)
    if kind == "categorical" and family in ("number", "text", "boolean"):
        counted = summary_of(name, "categorical")
        if isinstance(counted, CategoricalSummary) and len(counted.counts) <= max_categories:
            return replace(empty, missing=counted.presence.missing, categories=counted.counts)
    return replace(empty, missing=_missing(table, name))


def _streamed(table: Table, name: str) -> NumericalSummary:
    first = outline(table, name)
    held = first.distinct or SortedValues(first.sample)
    return NumericalSummary(name, "float", first.presence, first.moments, held)


def _exact(table: Table, name: str, numbers: Numbers | None) -> Numbers | None:
    """With the extremes as the column has them, where they are no floats: longer whole numbers and decimals."""
    if numbers is None or table.form_of(name) not in ("integer", "decimal"):
        return numbers
    if table.form_of(name) == "integer" and max(abs(numbers.low), abs(numbers.high)) <= _LARGEST_EXACT:
        return numbers
    parts = [extremes_of(batch) for batch in table.batches(name)]
    known = [part for part in parts if part is not None]
    return replace(numbers, extremes=(min(low for low, _ in known), max(high for _, high in known)))


def _numbers(summary: NumericalSummary, factor: float) -> Numbers | None:
    held, moments = summary.distribution, summary.moments
    if not isinstance(held, SortedValues) or not held.size:
        return None
    lower, upper = summary.quantile(0.25), summary.quantile(0.75)
    fences = lower - factor * (upper - lower), upper + factor * (upper - lower)
    below = int(held.rows_below(np.array([fences[0]]), inclusive=False)[0])
    up_to = int(held.rows_below(np.array([fences[1]]), inclusive=True)[0])
    distinct = count_distinct(held.values, enough=MAX_DISTINCT)
    return Numbers(
        low=-math.inf if summary.presence.negative_infinities else moments.low,
        high=math.inf if summary.presence.positive_infinities else moments.high,
        mean=moments.mean,
        deviation=moments.deviation,
        quantiles=tuple(summary.quantile(share) for share in QUANTILES),
        fences=fences,
        beyond_share=(below + held.size - up_to) / held.size,
        distinct=distinct if distinct <= MAX_DISTINCT else None,
        whole=summary.form == "integer",
    )


def _missing(table: Table, name: str) -> int | None:
    """Missing values of a column that is not summarised, whatever its type; None where it is not one column."""
    if any(len(schema.get_all_field_indices(name)) != 1 for schema in table.schemas):
        return None
    return sum(missing_in(batch) for batch in table.batches(name))
