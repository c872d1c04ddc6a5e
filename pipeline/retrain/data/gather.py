"""Reads what a training set is made of, through a `Source`: the snapshots are another room's business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Protocol

from pipeline.config import Monitor
from pipeline.errors import SnapshotChanged, SnapshotUnreadable
from pipeline.labels.classes import distinct
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.join import Join, join, labelled, own
from pipeline.labels.task import task_of, values_of
from pipeline.results import NightLeftOut, Snapshot, Task
from pipeline.retrain.data.frames import frame_of
from pipeline.retrain.data.training_set import LabelledNight, TrainingSet, assemble, draw, stack, window
from pipeline.retrain.progress import Progress

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Source(Protocol):
    """The snapshots of a monitor."""

    def pin(self, template: str, day: date) -> Snapshot | None:
        """What lies at a location of the monitor file on a day; None when nothing does."""
        ...

    def read(self, snapshot: Snapshot, columns: Sequence[str] | None = None, part: int | None = None) -> pa.Table:
        """Rows of a pinned snapshot, or of one of its objects. Columns that are absent are left out."""
        ...

    def is_sound(self, day: date, production: Snapshot) -> bool:
        """Whether a night's production passes the monitor's suite."""
        ...


@dataclass(frozen=True)
class Known:
    """The different labels and predictions of the reference, where it has them: they say which classes there are."""

    labels: list[object] = field(default_factory=list)
    predictions: list[object] = field(default_factory=list)


@dataclass
class Gathered:
    """The training set, and the newest night in it, whose columns and types it has; None where there is no night.

    `task` is what the labels ask for, see `pipeline.labels.task`; `known` what the reference says of the classes.
    """

    found: TrainingSet
    newest: Snapshot | None
    task: Task
    known: Known = field(default_factory=Known)


@dataclass
class _Reading:
    monitor: Monitor
    source: Source
    base: Snapshot
    progress: Progress
    nights: list[Snapshot] = field(default_factory=list)
    days_read: int = 0

    @property
    def label(self) -> str:
        return str(self.monitor.columns.label)


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
    task, known = _task(reading, found)
    return Gathered(replace(found, counts=counts), newest, task, known)


def labelled_rows(monitor: Monitor, run_date: date, source: Source, enough: int) -> int:
    """How many labelled production rows there are to learn from on a date: what `gather` would count, from ids alone.

    Newest night first, and no further than until there are `enough`. One row of an id counts, as in the training set.
    """
    ids: set[object] = set()
    anonymous = 0
    for day in window(monitor, run_date):
        for value in _known_ids(monitor, day, source, enough):
            if value is None:
                anonymous += 1
            else:
                ids.add(value)
        if len(ids) + anonymous >= enough:
            break
    return len(ids) + anonymous


def _known_ids(monitor: Monitor, day: date, source: Source, enough: int) -> list[object]:
    """Ids of the labelled rows of a night, different ones, and None for each row that has none; the first ones only."""
    import pyarrow.compute as pc

    roles, sources, label = monitor.columns, monitor.snapshots, str(monitor.columns.label)
    try:
        production = source.pin(sources.production, day)
        labels = None if sources.labels is None or production is None else source.pin(sources.labels, day)
        if production is None or (sources.labels and labels is None) or not source.is_sound(day, production):
            return []
        keyed = [] if roles.id is None else [roles.id]
        rows = source.read(production, keyed if sources.labels else [*keyed, label])
        found = labelled(rows, _join(monitor, source, rows, production, labels), label)
    except (LabelsUnusable, SnapshotUnreadable, SnapshotChanged):
        return []  # a training set leaves the night out, and says why
    if roles.id is None or roles.id not in found.column_names:
        return [None] * min(len(found), enough)
    different = pc.unique(found[roles.id].drop_null()).slice(0, enough).to_pylist()
    return [*different, *[None] * min(int(found[roles.id].null_count), enough)]


def _labelled_night(reading: _Reading, day: date) -> LabelledNight:
    """A night's production rows with their labels, or why there are none."""
    reading.days_read += 1
    sources, source = reading.monitor.snapshots, reading.source
    production = source.pin(sources.production, day)
    if production is None:
        return LabelledNight(day, why="no_production")
    try:
        labels = None if sources.labels is None else source.pin(sources.labels, day)
        if sources.labels is not None and labels is None:
            return LabelledNight(day, unlabelled=production.rows, why="no_labels")
        if not source.is_sound(day, production):
            reading.progress(f"{day}: left out, its production fails the suite")
            return LabelledNight(day, why="quality_failed")
        rows = source.read(production)
        joined = _join(reading.monitor, source, rows, production, labels)
    except (LabelsUnusable, SnapshotUnreadable, SnapshotChanged) as why:
        reading.progress(f"{day}: left out, its labels cannot be used: {why}")
        return LabelledNight(day, unlabelled=production.rows, why="labels_unusable", reason=str(why))
    reading.nights.append(production)
    # What is over `max_rows` is dropped later on; not to bring it into memory as a frame is all the difference.
    newest = labelled(rows, joined, reading.label)
    newest = newest.slice(max(0, len(newest) - reading.monitor.retrain.max_rows))
    return LabelledNight(day, _frame(reading, newest), joined.unlabelled)


def _join(monitor: Monitor, source: Source, rows: pa.Table, production: Snapshot, labels: Snapshot | None) -> Join:
    roles, label = monitor.columns, str(monitor.columns.label)
    if labels is None:
        return own(rows, label)
    known = source.read(labels, [name for name in (roles.id, label) if name is not None])
    return join(rows, known, roles.id, label, (production.uri, labels.uri))


def _frame(reading: _Reading, table: pa.Table) -> pd.DataFrame:
    return frame_of(table, exact=(reading.monitor.columns.id, reading.label))


def _task(reading: _Reading, found: TrainingSet) -> tuple[Task, Known]:
    """As the reference has it, where that holds labels, else as the training set does; and what the reference holds.

    Part by part, until it can only be a regression: further rows cannot take that back.
    """
    import pyarrow as pa

    roles, wanted = reading.monitor.columns, reading.monitor.task
    name, present = reading.label, {item.name for item in reading.base.fields}
    columns = [column for column in (name, roles.prediction) if column is not None and column in present]
    known = pa.table({})
    if wanted != "regression" and reading.nights and columns:
        parts: list[pa.Table] = []
        for position in range(len(reading.base.objects)):
            parts.append(reading.source.read(reading.base, columns, position))
            known = pa.concat_tables(parts, promote_options="permissive")
            if name in columns and task_of(wanted, [values_of(known, *columns)], name, roles.prediction) == "regression":
                break
    told = [column for column in (name, roles.prediction) if column is not None and column in found.training]
    rows = stack([found.training[told], found.holdout[told]])
    at_hand = {column: rows[column].dropna() for column in told}
    task = task_of(wanted, [values_of(known, *columns), at_hand], name, roles.prediction)
    return task, Known() if task == "regression" else _known(known, name, roles.prediction)


def _known(reference: pa.Table, label: str, prediction: str | None) -> Known:
    held = []
    for name in (label, prediction):
        try:
            held.append([] if name is None or name not in reference.column_names else distinct(reference[name], name))
        except LabelsUnusable:  # such as lists; what labels are is said when they are learnt
            held.append([])
    return Known(*held)


def _draw_reference(reading: _Reading, wanted: int) -> pd.DataFrame:
    """At most so many rows of the reference, in order, with the columns of production; none if it has no label.

    Part by part, so that a large reference is never in memory whole.
    """
    import pandas as pd

    base, name = reading.base, reading.label
    present = {item.name for item in base.fields}
    if name not in present or not reading.nights:
        return pd.DataFrame()
    columns = [item.name for item in reading.nights[0].fields if item.name in present and item.name != name]
    chosen, parts, first = draw(base.rows, wanted), [], 0
    for position, item in enumerate(base.objects):
        rows = [row - first for row in chosen if first <= row < first + item.rows]
        first += item.rows
        if rows:
            part = reading.source.read(base, [*columns, name], position).take(rows)
            known = part.drop_columns([name]).append_column(name, own(part, name).labels)
            parts.append(_frame(reading, known))
    return stack(parts) if parts else pd.DataFrame()
