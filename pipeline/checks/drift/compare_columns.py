"""All columns of two snapshots, compared one by one on the machine's cores within one memory budget."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.checks.drift.compare_column import compare_column, is_comparable
from pipeline.checks.drift.findings import DEFAULT_LIMITS
from pipeline.checks.drift.reference import Reference
from pipeline.checks.profile.build import profile_of
from pipeline.checks.profile.pieces import rows_of_pieces
from pipeline.checks.scan import (
    DEFAULT_BUDGET_BYTES,
    STREAMING_BYTES,
    CategoricalSummary,
    Shelf,
    Summary,
    Table,
    infer_kind,
    open_table,
    scan_pair,
    sorted_bytes,
)
from pipeline.config import DriftFlags
from pipeline.errors import ExitCode, NightjarError, named, unspoken
from pipeline.log_context import Pool
from pipeline.results import ColumnDrift, ColumnProfile, Failure, Kind

log = logging.getLogger(__name__)
_ENOUGH_ROWS = 100
_MOST_DISTINCT = 0.9
_IDENTIFIER = (
    "nearly every row of the reference has a value of its own, as identifiers and free text have; if these are "
    "categories, list the column under columns.categorical"
)


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How one column is to be compared: what a monitor's rules for it, its kind and its privacy come to.

    None and "auto" are the defaults of `compare_column`. `listed`: somebody says that the column is of this kind; of
    other text, identifiers are told by their values and are not compared.
    """

    name: str
    kind: Kind
    method: str = "auto"
    threshold: float | None = None
    private: bool = False
    listed: bool = False


class Compared(NamedTuple):
    """A column as it was compared, and what is kept of it where it can be counted."""

    drift: ColumnDrift
    profile: ColumnProfile | None


def compare_columns(
    reference: Sequence[str],
    production: Sequence[str],
    plans: Sequence[ColumnPlan],
    *,
    budget_bytes: int = DEFAULT_BUDGET_BYTES,
    limits: DriftFlags = DEFAULT_LIMITS,
    threads: int | None = None,
    scored: bool = True,
    shelf: Shelf | None = None,
) -> tuple[Compared, ...]:
    """Compares the planned columns, in the order of the plans, on every row.

    Args:
        reference: local parquet files of the reference snapshot.
        production: local parquet files of the production snapshot.
        plans: the columns to compare.
        budget_bytes: for the columns in memory at any moment, reference and production together.
        limits: from where findings beside the score are flagged.
        threads: at most this many columns at once; by default one per available core.
        scored: see `compare_column`.
        shelf: where columns of the reference are kept for other nights, if they are.

    Raises:
        SnapshotUnreadable: a file is gone, or not parquet. Nothing about a column's content raises: a column that is
            damaged, or that meets an error nobody foresaw, is not evaluable, and has its `failure`.
    """
    before, after = open_table(reference), open_table(production)
    threads = threads or _cores()
    workers, share = _workers(before, after, budget_bytes, threads, len(plans))
    rows = rows_of_pieces(before.rows, after.rows)
    fixed = Reference(before, rows, shelf, sorted=sorted_bytes(before, after) <= share)

    def compare(plan: ColumnPlan) -> Compared:
        name, kind = plan.name, plan.kind
        try:
            kept = fixed.kept(name, kind)
            known, places = (None, None) if kept is None else (kept.summary, kept.places)
            picking = before if kept else fixed.picking()
            sides = scan_pair(picking, after, name, kind, budget_bytes=share, threads=threads // workers, known=known)
            if kept is None:
                fixed.keep(sides[0], kind)
            if not plan.listed and _is_identifier(sides[0]):
                return Compared(_not_evaluable(plan, _IDENTIFIER), None)
            drift = compare_column(
                *sides,
                kind,
                method=plan.method,
                threshold=plan.threshold,
                limits=limits,
                private=plan.private,
                scored=scored,
            )
            if not is_comparable(*sides):
                return Compared(drift, None)
            picked = picking.picked(name)
            return Compared(drift, profile_of(*sides, picked, len(rows), private=plan.private, known=places))
        except Exception as error:
            log.error("column %r could not be compared", name, exc_info=unspoken(error))
            return Compared(_failed(plan, error), None)

    if workers == 1:
        return tuple(compare(plan) for plan in plans)
    pool = Pool(workers, thread_name_prefix="drift")
    try:
        return tuple(pool.map(compare, plans))
    finally:
        pool.shutdown(cancel_futures=True)


def _is_identifier(reference: Summary) -> bool:
    """Text of which nearly every row has a value of its own: new rows have new ones, which every method calls drift."""
    if not isinstance(reference, CategoricalSummary) or reference.form != "text":
        return False
    present = sum(reference.counts.values())
    return present >= _ENOUGH_ROWS and len(reference.counts) > _MOST_DISTINCT * present


def _failed(plan: ColumnPlan, error: Exception) -> ColumnDrift:
    code = error.exit_code if isinstance(error, NightjarError) else ExitCode.UNEXPECTED
    return _not_evaluable(plan, named(error), Failure(part=plan.name, error=named(error), exit_code=code))


def _not_evaluable(plan: ColumnPlan, reason: str, failure: Failure | None = None) -> ColumnDrift:
    return ColumnDrift(
        name=plan.name,
        kind=plan.kind,
        method=None,
        score=None,
        threshold=None,
        drifted=False,
        status="not_evaluable",
        reason=reason,
        failure=failure,
    )


def _workers(before: Table, after: Table, budget_bytes: int, threads: int, columns: int) -> tuple[int, int]:
    """How many columns to hold at once, and the bytes each may use: sorted where that fits, else streamed."""
    need = sorted_bytes(before, after)
    if need > budget_bytes:
        need = STREAMING_BYTES
    workers = max(1, min(threads, columns, budget_bytes // need))
    return workers, budget_bytes // workers


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def infer_plans(reference: Sequence[str], production: Sequence[str]) -> tuple[ColumnPlan, ...]:
    """Plans for every column of either snapshot that has a kind by its type, in file order.

    The reference decides where both have the column, so that a changed type is seen as one.
    """
    tables = open_table(reference), open_table(production)
    plans: dict[str, ColumnPlan] = {}
    for table in tables:
        for name in table.column_names:
            kinds = [kind for kind in map(infer_kind, table.types_of(name)) if kind]
            if name not in plans and kinds:
                plans[name] = ColumnPlan(name, kinds[0])
    return tuple(plans.values())
