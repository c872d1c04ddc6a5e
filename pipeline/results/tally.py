"""Counts of how a model's answers met the truth: enough for every metric, small, and added up over nights."""

from __future__ import annotations

from pydantic import Field

from pipeline.results.base import Number, Result
from pipeline.results.metric_kinds import Task


class Levels(Result):
    """Rows by score: `own` of them have the class (or came true), `others` have not. `scores` are ascending."""

    scores: tuple[Number, ...] = ()
    own: tuple[int, ...] = ()
    others: tuple[int, ...] = ()


class Sums(Result):
    """Rows, their sum, and the sum of their squares, of one number for each row."""

    rows: int = 0
    total: Number = 0.0
    squares: Number = 0.0


class Tally(Result):
    """What is kept of the labelled rows of some nights. No row, id or name of a class is in it.

    `confusion` counts labels by predictions, in the order of the known classes; its last line and column are what is
    none of them. `levels` are, by position of a class, its scores; `confidence` those of the class that was most
    probable, and whether it was the right one. `losses` are by metric (`log_loss`, `brier_score`, ...), `moments` sums
    that a regression needs, by name. `version` grows when the meaning changes, and another version is measured anew.
    """

    version: int = 1
    task: Task
    rows: int = 0
    confusion: tuple[tuple[int, ...], ...] = ()
    levels: dict[int, Levels] = Field(default_factory=dict)
    confidence: Levels = Levels()
    losses: dict[str, Sums] = Field(default_factory=dict)
    moments: dict[str, Number] = Field(default_factory=dict)
    residuals: dict[int, int] = Field(default_factory=dict)
