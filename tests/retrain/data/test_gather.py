"""What is read for a training set, and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from pipeline.results import ColumnType, PinnedObject, Snapshot
from pipeline.retrain.data.gather import Gathered, gather
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

    def read(self, snapshot: Snapshot, columns: Sequence[str] | None = None, part: int | None = None) -> pd.DataFrame:
        self.read_parts.append((snapshot.uri, part))
        frames = self.frames[snapshot.uri]
        found = pd.concat(frames, ignore_index=True) if part is None else frames[part]
        found = found if columns is None else found[[name for name in columns if name in found]]
        self.read_columns.setdefault(snapshot.uri, set()).update(map(str, found))
        return found

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
    gathered(shelf, task="classification")
    assert [part for uri, part in shelf.read_parts if uri == "base"] == [0, 1]
    shelf.frames["p_9"], shelf.frames["l_9"] = night(900, 150)
    shelf.read_parts.clear()

    found = gathered(shelf, task="classification").found

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
