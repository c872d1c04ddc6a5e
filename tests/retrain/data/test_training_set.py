"""What goes into a training set, what is held out, and what is left out and counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pandas as pd
import pytest

from pipeline.config import Monitor
from pipeline.retrain.data.training_set import LabelledNight, TrainingSet, assemble, draw, shortage, window

DATES = (date(2026, 1, 1), date(2026, 1, 9))


def monitor(delay: int = 1, task: str = "auto", **retrain: Any) -> Monitor:
    return Monitor.model_validate(
        {
            "name": "people",
            "owner": "team@example.com",
            "task": task,
            "snapshots": {"reference": "r", "production": "p/{date}", "labels": "l/{date}"},
            "columns": {"id": "id", "label": "label"},
            "quality": {"suite": "people"},
            "performance": {"label_delay_days": delay},
            "retrain": {"max_rows": 100, "holdout_share": 0.25, **retrain},
        }
    )


def rows(first: int, number: int, value: float = 0.0) -> pd.DataFrame:
    ids = [f"i{position}" for position in range(first, first + number)]
    return pd.DataFrame({"id": ids, "value": value, "label": [position % 2 for position in range(number)]})


def nights(*frames: pd.DataFrame) -> Iterator[LabelledNight]:
    """Newest first, dated backwards from 9 January."""
    for back, frame in enumerate(frames):
        yield LabelledNight(date(2026, 1, 9 - back), frame)


def assembled(*frames: pd.DataFrame, reference: pd.DataFrame | None = None, **retrain: Any) -> TrainingSet:
    found = pd.DataFrame() if reference is None else reference
    return assemble(monitor(**retrain), nights(*frames), found.head, DATES)


def test_the_window_ends_where_labels_are_due() -> None:
    days = window(monitor(delay=7, window_days=3), date(2026, 1, 14))

    assert days == [date(2026, 1, 7), date(2026, 1, 6), date(2026, 1, 5)]


def test_the_newest_labelled_rows_are_held_out() -> None:
    found = assembled(rows(20, 10, value=2), rows(10, 10, value=1), reference=rows(0, 10))

    assert list(found.holdout["id"]) == [f"i{position}" for position in range(25, 30)]
    assert list(found.training["id"]) == [f"i{position}" for position in range(25)]
    assert (found.counts.reference_rows, found.counts.labelled_rows, found.counts.nights) == (10, 20, 2)
    assert (found.counts.training_rows, found.counts.holdout_rows) == (25, 5)


def test_the_newest_row_of_an_id_stays_and_no_id_is_on_both_sides() -> None:
    found = assembled(rows(0, 10, value=2), rows(5, 10, value=1), reference=rows(0, 20))
    everything = pd.concat([found.training, found.holdout])

    assert everything["id"].is_unique
    assert found.counts.duplicate_rows == 20
    assert set(everything.loc[everything["value"] == 2, "id"]) == {f"i{position}" for position in range(10)}


def test_rows_without_an_id_cannot_be_told_apart_and_stay() -> None:
    frame = rows(0, 8).assign(id=None)

    assert assembled(frame).counts.duplicate_rows == 0


def test_older_rows_make_room_and_older_nights_are_not_even_read() -> None:
    asked: list[int] = []

    def endless() -> Iterator[LabelledNight]:
        for back in range(9):
            asked.append(back)
            yield LabelledNight(date(2026, 1, 9 - back), rows(back * 60, 60, value=back))

    found = assemble(monitor(), endless(), lambda wanted: rows(1000, wanted), DATES)

    assert asked == [0, 1]
    assert found.counts.reference_rows == 0
    assert found.counts.training_rows + found.counts.holdout_rows == 100
    assert list(found.training["value"].head(40)) == [1.0] * 40


def test_what_is_left_out_is_counted() -> None:
    given = [
        LabelledNight(date(2026, 1, 9), rows(0, 10), unlabelled=4),
        LabelledNight(date(2026, 1, 8), unlabelled=50, why="no_labels"),
        LabelledNight(date(2026, 1, 7), why="quality_failed"),
        LabelledNight(date(2026, 1, 6), why="no_production"),
    ]
    reference = rows(100, 10).assign(label=[0.0, 1.0, float("nan"), *[1.0] * 7])

    found = assemble(monitor(), given, lambda wanted: reference, DATES)

    assert found.counts.unlabelled_rows == 55
    assert [(item.run_date.day, item.why) for item in found.counts.left_out] == [
        (6, "no_production"),
        (7, "quality_failed"),
        (8, "no_labels"),
    ]


@pytest.mark.parametrize(("total", "wanted"), [(10, 3), (10, 10), (10, 99), (10, 0), (0, 5)])
def test_rows_are_drawn_in_order_and_always_the_same_ones(total: int, wanted: int) -> None:
    drawn = draw(total, wanted)

    assert drawn == draw(total, wanted) == sorted(set(drawn))
    assert len(drawn) == min(total, wanted)


def test_a_shortage_is_named() -> None:
    def status(frame: pd.DataFrame | None, why: Any = None, **retrain: Any) -> str | None:
        given = [LabelledNight(date(2026, 1, 9), frame, why=why)]
        found = assemble(monitor(**retrain), given, lambda wanted: rows(100, 50), DATES)
        problem = shortage(monitor(**retrain), found.counts)
        return None if problem is None else problem[0]

    assert status(rows(0, 60), min_labelled_rows=60) is None
    assert status(rows(0, 60), min_labelled_rows=61) == "too_few_labels"
    assert status(None, "no_labels") == "no_labels"
    assert status(None, "quality_failed") == "quality_failed"
