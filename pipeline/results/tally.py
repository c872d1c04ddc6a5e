"""Counts of how a model's answers met the truth: enough for every metric, small, and added up over nights."""

from __future__ import annotations

from pydantic import Field

from pipeline.results.base import Number, Result
from pipeline.results.metric_kinds import Task


class Levels(Result):
    """Rows by score, on the grid of `pipeline.metrics.grid` with this `step`, written by `pipeline.metrics.packing`.

    `counts` are three lines with a number for each level, which are ascending: how far its place lies from that of the
    one before, how many rows have the class (or came true), and how many have not.
    """

    step: int = 0
    counts: str = ""


class Sums(Result):
    """One number for each row: how many, their mean, and the sum of their squared distances from it."""

    rows: int = 0
    mean: Number = 0.0
    squares: Number = 0.0


class Tally(Result):
    """What is kept of the labelled rows of some nights. No row, id or name of a class is in it.

    `known` classes are told by position, and `positive` is one of them. `cells` are three lines, packed likewise:
    label, prediction and rows of every pair that came; `known` itself is what is none of the classes, and as a
    prediction one more is what is neither a class nor the same as the label. `levels` are, by position of a class, its
    scores (`event`: the class that a single score is about); `confidence` those of the class that was most probable,
    and whether it was the right one. `probable`: the scores were probabilities. `together` is by metric of ranks from
    how many rows, and which part of the mean standard error of the classes that of their mean is. `losses` are by
    metric, `moments` sums that R2 needs, by name. `residuals` are forecast minus truth. `lost` are metrics that rows
    did not allow, `notes` sentences about that.
    """

    task: Task
    rows: int = 0
    known: int = 0
    positive: int | None = None
    cells: str = ""
    event: int | None = None
    levels: dict[int, Levels] = Field(default_factory=dict)
    confidence: Levels | None = None
    probable: bool | None = None
    together: dict[str, tuple[int, Number]] = Field(default_factory=dict)
    losses: dict[str, Sums] = Field(default_factory=dict)
    moments: dict[str, Number] = Field(default_factory=dict)
    residuals: Levels | None = None
    quantile: Number | None = None
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
