"""How well the model did where labels have arrived."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from pipeline.results.base import Failure, Kept, Number


class PerformanceResult(Kept):
    """Realised metrics of the production rows of `labels_date` against the reference's own.

    `status` is `measured`, or why not: `not_configured`, `awaiting_labels`, `not_evaluable` (see `reason`;
    `failure` where that is an error).
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
