"""How well the model did where labels have arrived."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from pipeline.results.base import Failure, Kept, Number, Result


class ClassPerformance(Result):
    """How well one class was told: `support` rows have it as their label, `predicted` rows as their prediction.

    Of the rows with both. None where there is nothing to divide by: `precision` of a class that was never predicted,
    `recall` of one that no row has.
    """

    name: str
    support: int
    predicted: int
    precision: Number | None = None
    recall: Number | None = None
    f1: Number | None = None


class PerformanceResult(Kept):
    """Realised metrics of the production rows of `labels_date` against the reference's own.

    `status` is `measured`, or why not: `not_configured`, `awaiting_labels`, `not_evaluable` (see `reason`;
    `failure` where that is an error).
    `labelled_rows` are all production rows of the day that have a label. `positive` is the class that precision,
    recall, F1 and ROC AUC are about. `by_class` has every class of the reference, and what else came; it is empty, as
    `positive` is None, for a regression and where the label is private. `notes` are sentences about what was measured:
    what could not be read, what was counted as wrong, what looks mistaken in the monitor file.
    """

    file: ClassVar[str] = "performance"

    snapshots: str
    status: Literal["measured", "not_configured", "awaiting_labels", "not_evaluable"]
    reason: str | None = None
    labels_date: date | None = None
    labelled_rows: int = 0
    realised: dict[str, Number] = Field(default_factory=dict)
    reference: dict[str, Number] = Field(default_factory=dict)
    failure: Failure | None = None
    positive: str | None = None
    by_class: tuple[ClassPerformance, ...] = ()
    notes: tuple[str, ...] = ()
