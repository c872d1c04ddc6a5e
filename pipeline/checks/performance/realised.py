"""How well the model did where labels have arrived, against how well it did on the reference."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.checks.performance.classification import inverted
from pipeline.checks.performance.labelled_rows import Rows, metrics_of
from pipeline.checks.performance.one_day import counted, details_of
from pipeline.checks.performance.standard import Standard
from pipeline.config import ColumnRoles
from pipeline.labels.columns import LabelsUnusable, present
from pipeline.results import Details, Estimate, LabelledDay, PerformanceResult


@dataclass(frozen=True)
class Own:
    """How the model did on the reference; nothing where that has no labels or answers.

    `question` is what is asked about its score, see `classification.inverted`; `notes` are what is said of its rows.
    """

    metrics: dict[str, Estimate] = field(default_factory=dict)
    details: Details = field(default_factory=Details)
    question: str | None = None
    notes: tuple[str, ...] = ()


def configured(roles: ColumnRoles) -> bool:
    """Whether the monitor says which columns are the label and the prediction or score."""
    return roles.label is not None and bool(roles.answers)


def with_reference(result: PerformanceResult, before: Own, standard: Standard) -> PerformanceResult:
    """A result that says what is judged, and how the model did on the reference."""
    return result.model_copy(
        update={
            "task": standard.task,
            "reference": {name: item.value for name, item in before.metrics.items()},
            "reference_intervals": before.metrics,
            "reference_details": before.details,
        }
    )


def with_day(result: PerformanceResult, day: LabelledDay, before: Own) -> PerformanceResult:
    """A result that says what is known of the day whose labels are due."""
    found = result.model_copy(
        update={
            "status": day.status,
            "reason": day.reason,
            "labels_date": day.day,
            "labelled_rows": day.labelled_rows,
            "coverage": day.coverage,
            "final": day.final,
        }
    )
    if day.status != "measured":
        return found
    return found.model_copy(
        update={
            "realised": {name: item.value for name, item in day.metrics.items()},
            "intervals": day.metrics,
            "details": day.details,
            "by_class": day.by_class,
            "positive": day.positive,
            "notes": tuple(dict.fromkeys((*filter(None, [before.question]), *day.notes, *before.notes))),
        }
    )


def not_evaluable(result: PerformanceResult, reason: str) -> PerformanceResult:
    """The result with the reason why there are no metrics."""
    return result.model_copy(update={"status": "not_evaluable", "reason": reason})


def own(reference: Rows, standard: Standard) -> Own:
    """How the model did on the reference."""
    roles = standard.roles
    if not has_labels(reference, roles) or not any(map(reference.has, roles.answers)):
        return Own()
    try:
        question = inverted(reference, standard)
        found = counted(reference, standard)
    except LabelsUnusable as why:
        return Own(notes=(f"the reference is not measured: {why}",))
    return Own(metrics_of(found.counts), details_of(found, standard), question, tuple(found.notes))


def has_labels(rows: Rows, roles: ColumnRoles) -> bool:
    """Whether any row has a label."""
    import pyarrow.compute as pc

    return rows.has(roles.label) and bool(pc.any(present(rows.table[str(roles.label)])).as_py())
