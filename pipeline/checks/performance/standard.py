"""What a model's answers are judged by, known before a row of a night is looked at: the task, and the classes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.checks.performance.labelled_rows import Rows
from pipeline.config import ColumnRoles
from pipeline.labels.classes import Classes, distinct, known_classes
from pipeline.labels.task import task_of, values_of
from pipeline.results import Task

_VERSION = 1  # grows when equal rows come to be measured otherwise: what is kept of nights is then measured anew


@dataclass(frozen=True)
class Standard:
    """The task; of a classification the classes; the quantile that a regression forecasts, None for the mean."""

    roles: ColumnRoles
    task: Task
    classes: Classes | None = None
    quantile: float | None = None

    @property
    def is_private(self) -> bool:
        """Whether no class of the label may be named."""
        return self.roles.private_answers

    @property
    def digest(self) -> str:
        """Equal for standards by which equal rows are measured equally. It tells no class: labels may be private."""
        roles, classes = self.roles, self.classes
        said = {
            "version": _VERSION,
            "columns": [roles.id, roles.label, roles.prediction, roles.score, dict(roles.scores), roles.model_version],
            "private": sorted(roles.private),
            "task": self.task,
            "classes": None if classes is None else [repr(value) for value in classes.values],
            "positive": None if classes is None else repr(classes.positive),
            "flags": classes is not None and classes.are_flags,
            "quantile": self.quantile,
        }
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def standard_of(reference: Rows, roles: ColumnRoles, at_hand: Rows, wanted: str, quantile: float | None) -> Standard:
    """What the reference says, or where it has neither labels nor predictions, the monitor file or the rows at hand.

    Args:
        reference: rows of the reference.
        roles: which column is what.
        at_hand: labelled rows of a night; looked at only where nothing else tells.
        wanted: `task` of the monitor.
        quantile: `performance.quantile` of the monitor.

    Raises:
        LabelsUnusable: `columns.positive` is no class, or there are none.
    """
    task = _task((reference, at_hand), roles, wanted)
    return Standard(roles, task, None if task == "regression" else _classes(reference, at_hand, roles), quantile)


def _task(frames: Sequence[Rows], roles: ColumnRoles, wanted: str) -> Task:
    known = (values_of(part.table, roles.label, roles.prediction) for part in frames)
    return task_of(wanted, known, str(roles.label), roles.prediction)


def _classes(reference: Rows, rows: Rows, roles: ColumnRoles) -> Classes:
    label, prediction = str(roles.label), str(roles.prediction)
    labels = distinct(reference.table[label], f"{label} in {reference.labels}") if reference.has(label) else []
    answered = not labels and reference.has(prediction)
    predictions = distinct(reference.table[prediction], f"{prediction} in {reference.answers}") if answered else []
    at_hand = distinct(rows.table[label], f"{label} in {rows.labels}") if rows.has(label) else []
    return known_classes(roles, labels, predictions, at_hand)
