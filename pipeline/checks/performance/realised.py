"""How well the model did where labels have arrived, against how well it did on the reference."""

from __future__ import annotations

from datetime import date

from pipeline.checks.performance.classification import classification, inverted
from pipeline.checks.performance.labelled_rows import Found, Rows
from pipeline.checks.performance.regression import regression
from pipeline.config import ColumnRoles
from pipeline.labels.classes import Classes, distinct, known_classes
from pipeline.labels.columns import LabelsUnusable, present
from pipeline.labels.task import task_of, values_of
from pipeline.results import PerformanceResult, Task


def configured(roles: ColumnRoles) -> bool:
    """Whether the monitor says which columns are the label and the prediction or score."""
    return roles.label is not None and bool(roles.answers)


def measure(
    rows: Rows, reference: Rows, roles: ColumnRoles, labels_date: date, snapshots: str, *, wanted: str = "auto"
) -> PerformanceResult:
    """Realised metrics of the labelled production rows, and the same on the reference where it holds the label.

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
    result = PerformanceResult(
        snapshots=snapshots, status="measured", labels_date=labels_date, labelled_rows=len(rows.table)
    )
    try:
        _require_answers(rows, roles)
        task = _task(rows, reference, roles, wanted)
        classes = None if task == "regression" else _classes(rows, reference, roles)
        realised = _metrics(rows, roles, classes)
    except LabelsUnusable as why:
        return not_evaluable(result, str(why))
    before, asked = _before(reference, roles, classes)
    unscored = [] if classes is None else _unscored(rows, roles)
    is_private = roles.label in roles.private
    return result.model_copy(
        update={
            "realised": realised.metrics,
            "reference": before.metrics,
            "positive": None if classes is None or classes.positive is None or is_private
            else classes.name(classes.positive),
            "by_class": tuple(realised.by_class),
            "notes": tuple(dict.fromkeys((*asked, *realised.notes, *unscored, *before.notes))),
        }
    )  # fmt: skip


def not_evaluable(result: PerformanceResult, reason: str) -> PerformanceResult:
    """The result with the reason why there are no metrics."""
    return result.model_copy(update={"status": "not_evaluable", "reason": reason})


def _require_answers(rows: Rows, roles: ColumnRoles) -> None:
    if not len(rows.table):
        raise LabelsUnusable(
            f"no row of {rows.answers} has both a label and a prediction: none of its ids is in {rows.labels} with a "
            "label; check columns.id and columns.label"
        )
    if not any(map(rows.has, roles.answers)):
        raise LabelsUnusable(f"{rows.answers} has no column {roles.answers[0]!r}: check columns.prediction")


def _task(rows: Rows, reference: Rows, roles: ColumnRoles, wanted: str) -> Task:
    known = (values_of(part.table, roles.label, roles.prediction) for part in (reference, rows))
    return task_of(wanted, known, str(roles.label), roles.prediction)


def _classes(rows: Rows, reference: Rows, roles: ColumnRoles) -> Classes:
    label, prediction = str(roles.label), str(roles.prediction)
    labels = distinct(reference.table[label], f"{label} in {reference.labels}") if reference.has(label) else []
    answered = not labels and reference.has(prediction)
    predictions = distinct(reference.table[prediction], f"{prediction} in {reference.answers}") if answered else []
    return known_classes(roles, labels, predictions, distinct(rows.table[label], f"{label} in {rows.labels}"))


def _metrics(rows: Rows, roles: ColumnRoles, classes: Classes | None) -> Found:
    return regression(rows, roles) if classes is None else classification(rows, roles, classes)


def _unscored(rows: Rows, roles: ColumnRoles) -> list[str]:
    """That tonight's score is not there. Of a reference that is no news: many have none."""
    if not roles.score_columns or any(map(rows.has, roles.score_columns)):
        return []
    return [f"{rows.answers} has no column {roles.score_columns[0]!r}, so ROC AUC is not measured"]


def _before(reference: Rows, roles: ColumnRoles, classes: Classes | None) -> tuple[Found, list[str]]:
    """The reference's own metrics, none where it has no labels or answers, and what is asked about its score."""
    import pyarrow.compute as pc

    if not reference.has(roles.label) or not any(map(reference.has, roles.answers)):
        return Found(), []
    if not pc.any(present(reference.table[str(roles.label)])).as_py():
        return Found(), []
    try:
        question = None if classes is None else inverted(reference, roles, classes)
        return _metrics(reference, roles, classes), [question] if question else []
    except LabelsUnusable as why:
        return Found(notes=[f"the reference is not measured: {why}"]), []
