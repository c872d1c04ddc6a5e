"""One labelled day against a reference, from tables: what the steps of a night do, without files and history."""

from __future__ import annotations

from datetime import date

from pipeline.checks.performance.labelled_rows import Rows
from pipeline.checks.performance.one_day import measure as measure_day
from pipeline.checks.performance.realised import not_evaluable, own, with_day, with_reference
from pipeline.checks.performance.standard import standard_of
from pipeline.config import ColumnRoles
from pipeline.labels.columns import LabelsUnusable
from pipeline.results import PerformanceResult


def measure(
    rows: Rows, reference: Rows, roles: ColumnRoles, labels_date: date, snapshots: str, *, wanted: str = "auto"
) -> PerformanceResult:
    """Realised metrics of the labelled production rows of one day, and the same on the reference where it has labels.

    Task and classes are known before a row of the night is looked at, see `pipeline.labels`. What cannot be measured is
    a reason or a note, and never an error.

    Args:
        rows: production rows that have a label, with it.
        reference: rows of the reference.
        roles: which column is what.
        labels_date: the day of the production rows.
        snapshots: digest of the pair that the result is about.
        wanted: `task` of the monitor.
    """
    result = PerformanceResult(snapshots=snapshots, status="awaiting_labels", labels_date=labels_date)
    try:
        standard = standard_of(reference, roles, rows, wanted, None)
    except LabelsUnusable as why:
        return not_evaluable(result.model_copy(update={"labelled_rows": len(rows.table)}), str(why))
    day = measure_day(rows, labels_date, len(rows.table), standard)
    before = own(reference, standard)
    return with_day(with_reference(result, before, standard), day, before)
