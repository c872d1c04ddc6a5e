"""Reads what a training set is made of, through a `Source`: the snapshots are another room's business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Protocol

from pipeline.config import Monitor
from pipeline.labels.task import task_of
from pipeline.results import NightLeftOut, Snapshot, Task
from pipeline.retrain.progress import Progress
from pipeline.retrain.data.training_set import LabelledNight, TrainingSet, assemble, draw, label, stack, window

if TYPE_CHECKING:
    import pandas as pd


class Source(Protocol):
    """The snapshots of a monitor."""

    def pin(self, template: str, day: date) -> Snapshot | None:
        """What lies at a location of the monitor file on a day; None when nothing does."""
        ...

    def read(self, snapshot: Snapshot, columns: Sequence[str] | None = None, part: int | None = None) -> pd.DataFrame:
        """Rows of a pinned snapshot, or of one of its objects. Columns that are absent are left out."""
        ...

    def is_sound(self, day: date, production: Snapshot) -> bool:
        """Whether a night's production passes the monitor's suite."""
        ...


@dataclass
class Gathered:
    """The training set, and the newest night in it, whose columns and types it has; None where there is no night.

    `task` is what the labels ask for, see `pipeline.labels.task`.
    """

    found: TrainingSet
    newest: Snapshot | None
    task: Task


@dataclass
class _Reading:
    monitor: Monitor
    source: Source
    base: Snapshot
    progress: Progress
    nights: list[Snapshot] = field(default_factory=list)
    days_read: int = 0


def gather(monitor: Monitor, run_date: date, base: Snapshot, source: Source, progress: Progress) -> Gathered:
    """The labelled nights of the window, newest first, filled up with the reference."""
    import pandas as pd

    days = window(monitor, run_date)
    dates = (days[-1], days[0])
    if monitor.columns.label is None:
        return Gathered(assemble(monitor, [], lambda _: pd.DataFrame(), dates), None, "classification")
    reading = _Reading(monitor, source, base, progress)
    nights = (_labelled_night(reading, day) for day in days)
    found = assemble(monitor, nights, lambda wanted: _draw_reference(reading, wanted), dates)
    unread = (NightLeftOut(run_date=day, why="over_max_rows") for day in reversed(days[reading.days_read :]))
    counts = found.counts.model_copy(update={"left_out": (*unread, *found.counts.left_out)})
    newest = reading.nights[0] if reading.nights else None
    return Gathered(replace(found, counts=counts), newest, _task(reading, found))


def _labelled_night(reading: _Reading, day: date) -> LabelledNight:
    """A night's production rows with their labels, or why there are none."""
    reading.days_read += 1
    sources, roles, source = reading.monitor.snapshots, reading.monitor.columns, reading.source
    production = source.pin(sources.production, day)
    if production is None:
        return LabelledNight(day, why="no_production")
    labels = None if sources.labels is None else source.pin(sources.labels, day)
    if sources.labels is not None and labels is None:
        return LabelledNight(day, unlabelled=production.rows, why="no_labels")
    if not source.is_sound(day, production):
        reading.progress(f"{day}: left out, its production fails the suite")
        return LabelledNight(day, why="quality_failed")
    wanted = [name for name in (roles.id, roles.label) if name is not None]
    known = None if labels is None else source.read(labels, wanted)
    rows, unlabelled = label(source.read(production), known, roles)
    reading.nights.append(production)
    return LabelledNight(day, rows, unlabelled)


def _task(reading: _Reading, found: TrainingSet) -> Task:
    """As the reference has it, where that holds labels, else as the training set does.

    Part by part, until it can only be a regression: further rows cannot take that back.
    """
    roles, wanted = reading.monitor.columns, reading.monitor.task
    name, present = str(roles.label), {item.name for item in reading.base.fields}
    known: list[pd.DataFrame] = []
    if wanted == "auto" and reading.nights and name in present:
        columns = [column for column in (name, roles.prediction) if column in present]
        for position in range(len(reading.base.objects)):
            part = reading.source.read(reading.base, columns, position)
            known = [stack([*known, part]).drop_duplicates()]
            if task_of(wanted, known, name, roles.prediction) == "regression":
                break
    told = [column for column in (name, roles.prediction) if column in found.training]
    rows = stack([found.training[told], found.holdout[told]])
    return task_of(wanted, [*known, rows], name, roles.prediction)


def _draw_reference(reading: _Reading, wanted: int) -> pd.DataFrame:
    """At most so many rows of the reference, in order, with the columns of production; none if it has no label.

    Part by part, so that a large reference is never in memory whole.
    """
    import pandas as pd

    base, name = reading.base, str(reading.monitor.columns.label)
    present = {item.name for item in base.fields}
    if name not in present or not reading.nights:
        return pd.DataFrame()
    columns = [item.name for item in reading.nights[0].fields if item.name in present and item.name != name]
    chosen, parts, first = draw(base.rows, wanted), [], 0
    for position, item in enumerate(base.objects):
        rows = [row - first for row in chosen if first <= row < first + item.rows]
        first += item.rows
        if rows:
            parts.append(reading.source.read(base, [*columns, name], position).iloc[rows])
    return stack(parts) if parts else pd.DataFrame()
