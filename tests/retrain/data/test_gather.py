"""What is read for a training set, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from pipeline.results import ColumnType, PinnedObject, Snapshot
from pipeline.retrain.data.gather import Gathered, gather
from pipeline.retrain.data.training_set import shortage
from tests.retrain.data.test_training_set import monitor, rows

DAY = date(2026, 1, 10)


class Shelf:
    """Frames by address; a list per snapshot, one frame per object."""

    def __init__(self, **frames: list[pd.DataFrame]) -> None:
        self.frames = frames
        self.broken: set[date] = set()
        self.read_parts: list[tuple[str, int | None]] = []
        self.read_columns: dict[str, set[str]] = {}

    def pin(self, template: str, day: date) -> Snapshot | None:
        key = template.format(date=day.day).replace("/", "_")
        return self.snapshot(key) if key in self.frames else None

    def snapshot(self, key: str) -> Snapshot:
        frames = self.frames[key]
        objects = tuple(PinnedObject(uri=key, size=1, sha256=key, rows=len(frame)) for frame in frames)
        fields = tuple(ColumnType(name=name, type="?") for name in frames[0])
        return Snapshot(uri=key, objects=objects, fields=fields, rows=sum(map(len, frames)))

    def read(self, snapshot: Snapshot, columns: Sequence[str] | None = None, part: int | None = None) -> pa.Table:
        self.read_parts.append((snapshot.uri, part))
        frames = self.frames[snapshot.uri]
        found = pd.concat(frames, ignore_index=True) if part is None else frames[part]
        found = found if columns is None else found[[name for name in columns if name in found]]
        self.read_columns.setdefault(snapshot.uri, set()).update(map(str, found))
        return pa.Table.from_pandas(found, preserve_index=False)

    def is_sound(self, day: date, production: Snapshot) -> bool:
        return day not in self.broken


def night(first: int, number: int) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    found = rows(first, number, value=float(first))
    return [found.drop(columns="label")], [found[["id", "label"]]]


def gathered(shelf: Shelf, **retrain: Any) -> Gathered:
    lines: list[str] = []
    found = monitor(**{"window_days": 3, "max_rows": 100, **retrain})
    return gather(found, DAY, shelf.snapshot("base"), shelf, lines.append)


@pytest.fixture
def shelf() -> Shelf:
    frames = {"base": [rows(2000, 30).assign(extra=1), rows(2030, 30).assign(extra=1)]}
    for day in (7, 8, 9):
        frames[f"p_{day}"], frames[f"l_{day}"] = night(day * 100, 20)
    return Shelf(**frames)


def test_nights_are_filled_up_with_the_reference_in_the_columns_of_production(shelf: Shelf) -> None:
    found = gathered(shelf).found

    assert (found.counts.labelled_rows, found.counts.reference_rows) == (60, 40)
    assert set(found.training) == {"id", "value", "label"}
    assert found.counts.first_date == DAY - timedelta(days=3)
    assert found.counts.last_date == DAY - timedelta(days=1)


def test_the_reference_is_read_part_by_part_and_not_at_all_when_there_is_no_room(shelf: Shelf) -> None:
    gathered(shelf, task="regression")
    assert [part for uri, part in shelf.read_parts if uri == "base"] == [0, 1]
    shelf.frames["p_9"], shelf.frames["l_9"] = night(900, 150)
    shelf.read_parts.clear()

    found = gathered(shelf, task="regression").found

    assert {uri for uri, _ in shelf.read_parts} == {"p_9", "l_9"}
    assert found.counts.reference_rows == 0
    assert [(item.run_date.day, item.why) for item in found.counts.left_out] == [
        (7, "over_max_rows"),
        (8, "over_max_rows"),
    ]


def test_only_the_labels_of_the_reference_are_read_to_tell_the_task(shelf: Shelf) -> None:
    shelf.frames["p_9"], shelf.frames["l_9"] = night(900, 150)

    assert gathered(shelf).task == "classification"
    assert shelf.read_columns["base"] == {"label"}
    assert [part for uri, part in shelf.read_parts if uri == "base"] == [0, 1]

    shelf.read_parts.clear()
    shelf.frames["base"] = [rows(2000, 30).assign(label=range(30)), rows(2030, 30)]

    assert gathered(shelf).task == "regression"  # ... and no further than needed
    assert [part for uri, part in shelf.read_parts if uri == "base"] == [0]


def test_without_labels_in_the_reference_the_training_set_tells_the_task(shelf: Shelf) -> None:
    shelf.frames["base"] = [rows(2000, 30).drop(columns="label")]
    assert gathered(shelf).task == "classification"

    shelf.frames["l_9"] = [shelf.frames["l_9"][0].assign(label=range(100, 120))]
    assert gathered(shelf).task == "regression"


def test_a_reference_without_the_label_is_of_no_use(shelf: Shelf) -> None:
    shelf.frames["base"] = [rows(2000, 30).drop(columns="label")]

    assert gathered(shelf).found.counts.reference_rows == 0


def test_broken_and_unlabelled_nights_are_not_read(shelf: Shelf) -> None:
    shelf.broken.add(DAY - timedelta(days=1))
    del shelf.frames["l_8"]

    found = gathered(shelf)

    assert {item.run_date.day: item.why for item in found.found.counts.left_out} == {
        8: "no_labels",
        9: "quality_failed",
    }
    assert found.newest is not None
    assert found.newest.uri == "p_7"
    assert not {"p_8", "p_9"} & {uri for uri, _ in shelf.read_parts}


def test_without_any_night_there_is_nothing(shelf: Shelf) -> None:
    shelf.frames = {"base": shelf.frames["base"]}

    found = gathered(shelf)

    assert found.newest is None
    assert found.found.counts.training_rows == 0


# -- labels and ids of every kind -------------------------------------------------------------------------------------


def test_labels_that_cannot_be_used_leave_their_night_out_and_say_why(shelf: Shelf) -> None:
    shelf.frames["l_9"] = [shelf.frames["l_9"][0].drop(columns="label")]
    shelf.frames["l_8"] = [shelf.frames["l_8"][0].assign(id=range(20))]

    counts = gathered(shelf).found.counts

    left_out = {item.run_date.day: item for item in counts.left_out}
    assert {day: item.why for day, item in left_out.items()} == {8: "labels_unusable", 9: "labels_unusable"}
    assert left_out[9].reason == "l_9 has no column 'label', only id"
    assert "id is string in p_8 and int64 in l_8" in str(left_out[8].reason)
    assert (counts.labelled_rows, counts.unlabelled_rows) == (20, 40)
    problem = shortage(monitor(min_labelled_rows=21), counts)
    assert problem is not None
    assert problem[0] == "too_few_labels"
    assert "the labels of 2 of the nights from 2026-01-07 to 2026-01-09 cannot be used" in problem[1]
    assert "l_9 has no column 'label'" in problem[1]


def test_a_later_empty_entry_erases_no_outcome(shelf: Shelf) -> None:
    known = shelf.frames["l_9"][0]
    shelf.frames["l_9"] = [pd.concat([known, known.assign(label=float("nan"))])]

    assert gathered(shelf, window_days=1).found.counts.labelled_rows == 20


def test_long_ids_with_gaps_stay_apart_from_night_to_night_and_in_the_reference() -> None:
    long = 7_000_000_000_000_000_000
    ids = pa.array([long + place for place in range(100)] + [None])
    production = pa.table({"id": ids, "value": [0.0] * 101})
    labels = pa.table({"id": ids, "label": [place % 2 for place in range(101)]})
    shelf = ArrowShelf(p_9=production, l_9=labels, p_8=production.slice(50), l_8=labels, base=production.append_column("label", labels["label"]))

    found = gather(monitor(window_days=2, max_rows=1000), DAY, shelf.snapshot("base"), shelf, lambda _: None).found

    # Once each; of the rows without an id that of the reference, as those of production have no label.
    everything = pd.concat([found.training, found.holdout])
    assert sorted(everything["id"].dropna()) == [long + place for place in range(100)]
    assert everything["label"].tolist()[-100:] == [place % 2 for place in range(100)]
    assert (len(everything), found.counts.duplicate_rows) == (101, 150)


def test_a_label_column_of_gaps_stays_whole_numbers(shelf: Shelf) -> None:
    base = shelf.frames["base"][0]
    shelf.frames["base"] = [base.assign(label=pd.array([1, None] * 15, dtype="Int64"))]

    found = gathered(shelf).found

    assert found.counts.reference_rows == 15
    assert found.training["label"].dtype == "int64"


class ArrowShelf(Shelf):
    """Tables by address, one object each."""

    def __init__(self, **tables: pa.Table) -> None:
        super().__init__()
        self.tables = tables

    def pin(self, template: str, day: date) -> Snapshot | None:
        key = template.format(date=day.day).replace("/", "_")
        return self.snapshot(key) if key in self.tables else None

    def snapshot(self, key: str) -> Snapshot:
        table = self.tables[key]
        fields = tuple(ColumnType(name=field.name, type=str(field.type)) for field in table.schema)
        objects = (PinnedObject(uri=key, size=1, sha256=key, rows=len(table)),)
        return Snapshot(uri=key, objects=objects, fields=fields, rows=len(table))

    def read(self, snapshot: Snapshot, columns: Sequence[str] | None = None, part: int | None = None) -> pa.Table:
        table = self.tables[snapshot.uri]
        return table if columns is None else table.select([name for name in columns if name in table.column_names])
