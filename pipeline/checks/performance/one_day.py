"""One day of predictions against its labels: every metric, what stands behind it, and the counts that are kept."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pipeline.checks.performance.classification import answers
from pipeline.checks.performance.labelled_rows import Counted, Rows, metrics_of
from pipeline.checks.performance.regression import forecasts
from pipeline.checks.performance.standard import Standard
from pipeline.labels.columns import LabelsUnusable, present
from pipeline.results import ClassPerformance, Details, LabelledDay
from pipeline.wording import clip

if TYPE_CHECKING:
    from pipeline.metrics.counts import Counts

_LONGEST_NAME = 200


def measure(rows: Rows, day: date, predictions: int, standard: Standard) -> LabelledDay:
    """What is known of a day. What cannot be measured is a reason or a note, and never an error.

    Args:
        rows: its rows that have a label, with it.
        day: of the predictions.
        predictions: how many there are, with a label or without.
        standard: what they are judged by.
    """
    try:
        require_answers(rows, standard)
        found = counted(rows, standard)
    except LabelsUnusable as why:
        return not_evaluable(day, predictions, standard, str(why), len(rows.table))
    return LabelledDay(
        day=day,
        standard=standard.digest,
        status="measured",
        model_version=version_of(rows, standard),
        rows=predictions,
        labelled_rows=len(rows.table),
        metrics=metrics_of(found.counts),
        details=details_of(found, standard),
        by_class=tuple(classes_of(found.counts, standard)),
        positive=positive_of(standard),
        notes=tuple(dict.fromkeys((*found.notes, *unscored(rows, standard)))),
        tally=found.counts.packed(),
    )


def not_evaluable(day: date, predictions: int, standard: Standard, reason: str, labelled: int = 0) -> LabelledDay:
    """A day with the reason why there are no metrics."""
    return LabelledDay(
        day=day,
        standard=standard.digest,
        status="not_evaluable",
        reason=reason,
        rows=predictions,
        labelled_rows=labelled,
    )


def counted(rows: Rows, standard: Standard) -> Counted:
    """Counts of labelled rows.

    Raises:
        LabelsUnusable: nothing can be measured; says why.
    """
    return forecasts(rows, standard) if standard.classes is None else answers(rows, standard)


def require_answers(rows: Rows, standard: Standard) -> None:
    """Make sure that there is something to measure.

    Raises:
        LabelsUnusable: no row has a label, or a model's answers are not there.
    """
    roles = standard.roles
    if not len(rows.table):
        raise LabelsUnusable(
            f"no row of {rows.answers} has both a label and a prediction: none of its ids is in {rows.labels} with a "
            "label; check columns.id and columns.label"
        )
    if not any(map(rows.has, roles.answers)):
        raise LabelsUnusable(f"{rows.answers} has no column {roles.answers[0]!r}: check columns.prediction")


def details_of(found: Counted, standard: Standard) -> Details:
    """What stands behind the metrics; without the names of classes and residuals where answers are private."""
    from pipeline.metrics.details import details

    made = details(found.counts, names_of(standard)).model_copy(update={"threshold": found.threshold})
    return made.model_copy(update={"residuals": None}) if standard.is_private else made


def classes_of(counts: Counts, standard: Standard) -> list[ClassPerformance]:
    """Class by class; none where the label is private."""
    from pipeline.metrics.details import by_class

    return by_class(counts, names_of(standard))


def names_of(standard: Standard) -> list[str]:
    """The classes as people read them; none of a regression, and where the label is private."""
    classes = standard.classes
    if classes is None or standard.is_private:
        return []
    return [clip(classes.name(value), _LONGEST_NAME) for value in classes.values]


def positive_of(standard: Standard) -> str | None:
    """The positive class as people read it; None where there is none, and where the label is private."""
    classes = standard.classes
    if classes is None or classes.positive is None or standard.is_private:
        return None
    return classes.name(classes.positive)


def version_of(rows: Rows, standard: Standard) -> str | None:
    """The model version that answered most rows; None where no column says so, and where that is private."""
    import pyarrow.compute as pc

    name = standard.roles.model_version
    if name is None or not rows.has(name) or name in standard.roles.private:
        return None
    column = rows.table[name]
    counts = pc.value_counts(column.filter(present(column))).to_pylist()
    if not counts:
        return None
    most = max(counts, key=lambda item: (item["counts"], str(item["values"])))
    return clip(str(most["values"]), _LONGEST_NAME)


def unscored(rows: Rows, standard: Standard) -> list[str]:
    """That the score is not there. Of a reference that is no news: many have none."""
    columns = standard.roles.score_columns
    if standard.classes is None or not columns or any(map(rows.has, columns)):
        return []
    return [f"{rows.answers} has no column {columns[0]!r}, so ROC AUC is not measured"]
