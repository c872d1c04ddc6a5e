"""A pair of versions on a night: its rows are answered by both, and what the labels so far say is measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.errors import ModelTampered, SnapshotChanged, SnapshotUnreadable, TrainingFailed
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.join import join, own
from pipeline.results import Snapshot, Watch
from pipeline.retrain.beside.answered import Desk, NightLacksColumns, chosen_rows, place, said
from pipeline.retrain.beside.compared import Beside, compare
from pipeline.retrain.beside.pairs import Pair

if TYPE_CHECKING:
    import pyarrow as pa


def watch(desk: Desk, pair: Pair, run_date: date) -> Watch:
    """What the nights up to a date say of a pair. What cannot be asked or read is a sentence in the result.

    Raises:
        OutletUnavailable, OutletRefused: MLflow or the run store.
        SourceUnavailable: the snapshots.
    """
    notes = _Notes([])
    blank = Watch(
        kind=pair.kind,
        version=pair.version.number,
        against=pair.against.number,
        since=pair.since,
        until=pair.until,
        night=run_date,
    )
    try:
        due = run_date - timedelta(days=desk.monitor.performance.label_delay_days)
        found_nights = (_night(desk, pair, _Day(day, day <= due), notes) for day in pair.nights(run_date))
        nights = [night for night in found_nights if night is not None]
        found = compare(
            blank.model_copy(update={"notes": tuple(notes.lines)}), nights, desk.monitor.columns, desk.monitor.retrain
        )
    except (TrainingFailed, ModelTampered, LabelsUnusable) as why:
        words = f"version {pair.version.number} and version {pair.against.number} cannot be compared: {why}"
        return blank.model_copy(update={"done": "not_possible", "sentence": words, "notes": tuple(notes.lines)})
    is_over = run_date >= pair.last and found.decision != "worse"
    if found.done == "watching" and pair.kind == "probation" and (is_over or found.decision == "better"):
        found = found.model_copy(update={"done": "kept"})
    return found


def forget(desk: Desk, pair: Pair) -> None:
    """Remove what the two said: nobody asks any more."""
    for version in (pair.version, pair.against):
        for day in pair.nights(pair.until):
            desk.store.remove_page(place(desk.monitor.name, version, day))


@dataclass(frozen=True)
class _Day:
    """A night, and whether its labels are due: before that some may still say otherwise later on."""

    day: date
    is_due: bool


@dataclass
class _Notes:
    """What was left out, in sentences."""

    lines: list[str]

    def add(self, day: date, words: str) -> None:
        self.lines.append(f"{day}: {words}")


def _night(desk: Desk, pair: Pair, wanted: _Day, notes: _Notes) -> Beside | None:
    """A night that both answered; None where there is none, or it was found to be broken."""
    day, source, sources, roles = wanted.day, desk.source, desk.monitor.snapshots, desk.monitor.columns
    try:
        production = source.pin(sources.production, day)
        if production is None:
            return None
        if not source.is_sound(day, production):
            notes.add(day, "left out, its production fails the suite")
            return None
        version, against = said(desk, pair.version, day, production), said(desk, pair.against, day, production)
        ids = None if roles.id is None else chosen_rows(desk, production, [roles.id])
    except (SnapshotUnreadable, SnapshotChanged) as why:
        notes.add(day, f"left out, its production cannot be read: {why}")
        return None
    except NightLacksColumns as why:
        notes.add(day, f"left out, {why}")
        return None
    labels = _labels(desk, day, production, notes) if wanted.is_due else None
    known = None if ids is None or roles.id not in ids.column_names else ids[roles.id]
    return Beside(day, version, against, labels, known)


def _labels(desk: Desk, day: date, production: Snapshot, notes: _Notes) -> pa.ChunkedArray | None:
    """The labels of the rows that were asked about, in their order; None where none have come that can be used."""
    sources, roles, source = desk.monitor.snapshots, desk.monitor.columns, desk.source
    if roles.label is None:
        return None
    try:
        if sources.labels is None:
            return own(chosen_rows(desk, production, [roles.label]), roles.label).labels
        labels = source.pin(sources.labels, day)
        if labels is None:
            return None
        keyed = [] if roles.id is None else [roles.id]
        told = source.read(labels, [*keyed, roles.label])
        return join(
            chosen_rows(desk, production, keyed), told, roles.id, roles.label, (production.uri, labels.uri)
        ).labels
    except (LabelsUnusable, SnapshotUnreadable, SnapshotChanged) as why:
        notes.add(day, f"its labels cannot be used: {why}")
        return None
