"""Labels mature: late, in parts, corrected; every day of the window is measured again when its labels change."""

from __future__ import annotations

import io
import json
import logging
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.results import LabelledDay, PerformanceResult
from pipeline.steps import labelled_nights
from pipeline.steps import nightly as steps
from pipeline.steps.walk import run_night
from tests.project import Project, people

FIRST = date(2026, 1, 5)
DELAY = 3


def predictions(day: date, rows: int = 200) -> pd.DataFrame:
    return people(rows, seed=day.toordinal()).assign(model_version="7")


def labels(day: date, rows: int = 200) -> pd.DataFrame:
    return predictions(day, rows)[["id", "label"]]


def write_labels(project: Project, day: date, frame: pd.DataFrame, part: int = 0) -> None:
    project.write_parquet(f"labels/dt={day}/part-{part}.parquet", frame)


@pytest.fixture
def watched(project: Project) -> Project:
    """Ten days of predictions without a label, and a reference."""
    project.write_suite()
    configure(project)
    project.write_parquet("reference/part-0.parquet", people(2_000, seed=0))
    for back in range(10):
        day = FIRST + timedelta(days=back)
        project.write_parquet(f"production/dt={day}/part-0.parquet", predictions(day))
    return project


def configure(project: Project, snapshots: dict[str, str] | None = None, **performance: Any) -> None:
    columns = {name: name for name in ("id", "label", "prediction", "score", "model_version")}
    changes: dict[str, Any] = {} if snapshots is None else {"snapshots": snapshots}
    project.write_monitor(columns=columns, performance={"label_delay_days": DELAY} | performance, **changes)


def look(project: Project, day: date) -> PerformanceResult:
    night = project.night(str(day))
    steps.pull_snapshots(night)
    return steps.measure_performance(night)


def known(project: Project, day: date) -> LabelledDay:
    found = project.night(str(day)).read_labelled(day)
    assert found is not None
    return found


def test_labels_in_parts_in_any_order_or_at_once_end_at_the_same_values(watched: Project) -> None:
    day = FIRST
    whole = labels(day)
    write_labels(watched, day, whole.iloc[150:], part=1)
    first = look(watched, day + timedelta(days=1))
    early = known(watched, day)
    write_labels(watched, day, whole.iloc[:150], part=0)
    look(watched, day + timedelta(days=2))
    in_parts = known(watched, day)

    (watched.root / f"data/labels/dt={day}/part-1.parquet").unlink()
    write_labels(watched, day, whole)
    look(watched, day + timedelta(days=3))
    at_once = known(watched, day)

    assert (early.labelled_rows, early.coverage, early.final) == (50, 0.25, False)
    assert (in_parts.labelled_rows, in_parts.coverage, in_parts.final) == (200, 1.0, True)
    same = {"key", "state", "grew"}
    assert in_parts.model_dump(exclude=same) == at_once.model_dump(exclude=same)
    assert [(item.on.day, item.labelled_rows) for item in in_parts.grew] == [(6, 50), (7, 200)]
    assert first.nights[0].labelled_rows == 50
    assert not first.nights[0].final


def test_a_label_that_is_corrected_counts_and_what_did_not_change_is_not_read_again(
    watched: Project, caplog: pytest.LogCaptureFixture
) -> None:
    for back in range(3):
        write_labels(watched, FIRST + timedelta(days=back), labels(FIRST + timedelta(days=back)))
    caplog.set_level(logging.INFO)
    look(watched, FIRST + timedelta(days=4))
    assert caplog.text.count("labelled row") == 3
    before = known(watched, FIRST).metrics["accuracy"].value

    caplog.clear()
    look(watched, FIRST + timedelta(days=5))
    assert "labelled row" not in caplog.text

    wrong = labels(FIRST).assign(label=lambda frame: 1 - frame["label"])
    write_labels(watched, FIRST, pd.concat([labels(FIRST), wrong]))  # the last entry of an id counts
    look(watched, FIRST + timedelta(days=6))
    assert caplog.text.count("200 labelled rows") == 1
    assert known(watched, FIRST).metrics["accuracy"].value == pytest.approx(1 - before)


def test_the_same_bytes_written_again_are_not_measured_again(
    watched: Project, caplog: pytest.LogCaptureFixture
) -> None:
    write_labels(watched, FIRST, labels(FIRST))
    look(watched, FIRST + timedelta(days=1))
    before = known(watched, FIRST)
    write_labels(watched, FIRST, labels(FIRST))
    caplog.set_level(logging.INFO)
    look(watched, FIRST + timedelta(days=2))
    assert "labelled row" not in caplog.text
    assert known(watched, FIRST) == before.model_copy(update={"state": known(watched, FIRST).state})


def test_labels_that_come_early_decide_nothing_before_the_delay_is_over(watched: Project) -> None:
    """Who leaves is known before who stays: of such labels a sound model looks worthless."""
    for back in range(4):
        day = FIRST + timedelta(days=back)
        frame = predictions(day)
        early = frame[(frame["label"] != frame["prediction"])]
        write_labels(watched, day, early[["id", "label"]])
    configure(watched, label_delay_days=9, floors={"accuracy": 0.6})
    provisional = look(watched, FIRST + timedelta(days=8))
    assert {night.status for night in provisional.nights if night.labelled_rows} == {"measured"}
    assert not provisional.degraded
    assert not provisional.spans

    configure(watched, label_delay_days=3, floors={"accuracy": 0.6})
    assert look(watched, FIRST + timedelta(days=9)).degraded


def test_pages_and_history_of_past_nights_follow_and_nothing_else_of_them(watched: Project) -> None:
    assert run_night(watched.night(str(FIRST)), lambda _: None).errors == ()
    before = files(watched, FIRST)
    write_labels(watched, FIRST, labels(FIRST))
    assert run_night(watched.night(str(FIRST + timedelta(days=3))), lambda _: None).errors == ()
    after = files(watched, FIRST)

    assert {name for name in after if after[name] != before.get(name)} == {"index.html", "history.json", "night.json"}
    was, now = (json.loads(found["history.json"]) for found in (before, after))
    changed = {key for key in now if now[key] != was[key]}
    assert changed == {"performance", "realised", "labelled_share", "final"}
    assert now["realised"]["value"] == known(watched, FIRST).metrics["roc_auc"].value


def files(project: Project, day: date) -> dict[str, bytes]:
    folder = project.store / "people" / str(day)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_old_data_that_is_removed_takes_nothing_back(watched: Project) -> None:
    write_labels(watched, FIRST, labels(FIRST))
    look(watched, FIRST + timedelta(days=3))
    before = known(watched, FIRST)
    (watched.root / f"data/labels/dt={FIRST}/part-0.parquet").unlink()
    found = look(watched, FIRST + timedelta(days=4))
    assert known(watched, FIRST) == before
    assert found.nights[0].realised == {"roc_auc": before.metrics["roc_auc"]}


def test_a_day_that_cannot_be_read_leaves_the_others(watched: Project) -> None:
    for back in range(3):
        write_labels(watched, FIRST + timedelta(days=back), labels(FIRST + timedelta(days=back)))
    broken = watched.root / f"data/labels/dt={FIRST + timedelta(days=1)}/part-0.parquet"
    broken.write_bytes(b"not parquet")
    found = look(watched, FIRST + timedelta(days=5))
    assert [night.status for night in found.nights[:3]] == ["measured", "not_evaluable", "measured"]
    assert "not a readable parquet file" in (known(watched, FIRST + timedelta(days=1)).reason or "")
    assert found.spans["7"].nights == 2

    write_labels(watched, FIRST + timedelta(days=1), labels(FIRST + timedelta(days=1)))
    assert look(watched, FIRST + timedelta(days=6)).spans["7"].nights == 3


def test_several_nights_together_are_measured_like_their_rows(watched: Project) -> None:
    days = [FIRST + timedelta(days=back) for back in range(6)]
    for day in days:
        write_labels(watched, day, labels(day))
    found = look(watched, days[-1] + timedelta(days=DELAY)).spans["7"]
    rows = pd.concat([predictions(day) for day in days])
    assert (found.nights, found.labelled_rows) == (6, 1_200)
    right = float((rows["label"] == rows["prediction"]).mean())
    assert found.metrics["accuracy"].value == pytest.approx(right)
    own, others = rows.loc[rows["label"] == 1, "score"], rows.loc[rows["label"] == 0, "score"]
    area = float((own.to_numpy()[:, None] > others.to_numpy()[None, :]).mean())
    assert found.metrics["roc_auc"].value == pytest.approx(area, abs=1e-3)


def test_the_verdict_is_of_the_model_that_answers_tonight(watched: Project) -> None:
    days = [FIRST + timedelta(days=back) for back in range(8)]
    for day in days:
        frame = predictions(day)
        upside_down = frame.assign(score=1 - frame["score"], prediction=1 - frame["prediction"])
        watched.write_parquet(f"production/dt={day}/part-0.parquet", upside_down if day < days[4] else frame)
        write_labels(watched, day, labels(day))
    assert look(watched, days[3]).degraded

    for day in days[4:]:
        watched.write_parquet(f"production/dt={day}/part-0.parquet", predictions(day).assign(model_version="8"))
    first = look(watched, days[4])
    assert first.verdict is not None
    assert not first.degraded
    later = look(watched, days[7])
    assert later.verdict is not None
    assert (later.verdict.status, later.verdict.first) == ("sound", days[5])


def test_production_that_holds_its_own_labels_is_measured_by_them(watched: Project) -> None:
    day = FIRST
    snapshots = {"reference": "data/reference/", "production": "data/production/dt={date}/"}
    columns = {"id": "id", "label": "label", "prediction": "prediction", "score": "score"}
    watched.write_monitor(columns=columns, snapshots=snapshots, performance={"label_delay_days": 0})
    found = look(watched, day)
    assert (found.status, found.labelled_rows, found.labels_date) == ("measured", 200, day)


def test_production_without_dates_is_one_day_and_not_thirty(watched: Project) -> None:
    watched.write_parquet("latest/part-0.parquet", predictions(FIRST))
    snapshots = {"reference": "data/reference/", "production": "data/latest/", "labels": "data/labels/dt={date}/"}
    columns = {"id": "id", "label": "label", "prediction": "prediction", "score": "score"}
    watched.write_monitor(columns=columns, snapshots=snapshots, performance={"label_delay_days": 0})
    write_labels(watched, FIRST, labels(FIRST))
    found = look(watched, FIRST)
    assert (len(found.nights), found.status) == (1, "measured")


def test_without_labels_in_the_reference_those_of_the_window_say_which_classes_there_are(watched: Project) -> None:
    without = people(2_000, seed=0).drop(columns=["label", "prediction"])
    watched.write_parquet("reference/part-0.parquet", without)
    one_class = labels(FIRST).assign(label=1)
    write_labels(watched, FIRST, one_class)
    write_labels(watched, FIRST + timedelta(days=1), labels(FIRST + timedelta(days=1)))
    found = look(watched, FIRST + timedelta(days=4))
    assert [night.status for night in found.nights[:2]] == ["measured", "measured"]
    assert known(watched, FIRST).standard == known(watched, FIRST + timedelta(days=1)).standard
    assert found.estimated is not None
    assert found.estimated.status == "not_evaluable"
    assert found.reference == {}


def test_a_label_file_without_dates_serves_every_day(watched: Project) -> None:
    every = [labels(FIRST + timedelta(days=back)) for back in range(3)]
    watched.write_parquet("all_labels/part-0.parquet", pd.concat(every))
    snapshots = {
        "reference": "data/reference/", "production": "data/production/dt={date}/", "labels": "data/all_labels/",
    }  # fmt: skip
    watched.write_monitor(snapshots=snapshots, performance={"label_delay_days": 0})
    found = look(watched, FIRST + timedelta(days=2))
    assert [night.labelled_rows for night in found.nights] == [200, 200, 200]


def test_a_night_whose_data_was_broken_decides_nothing_about_the_model(watched: Project) -> None:
    night = watched.night(str(FIRST))
    broken = predictions(FIRST).assign(age=-5.0, score=0.5, prediction=lambda frame: 1 - frame["label"])
    watched.write_parquet(f"production/dt={FIRST}/part-0.parquet", broken)
    assert run_night(night, lambda _: None).decision is not None
    for back in range(2):
        write_labels(watched, FIRST + timedelta(days=back), labels(FIRST + timedelta(days=back)))
    found = look(watched, FIRST + timedelta(days=4))
    assert known(watched, FIRST).metrics["accuracy"].value == 0.0
    assert found.verdict is not None
    assert found.verdict.first == FIRST + timedelta(days=1)


def test_the_window_reaches_as_far_as_the_delay_asks_for(watched: Project) -> None:
    configure(watched, label_delay_days=8, window_days=2)
    write_labels(watched, FIRST, labels(FIRST))
    found = look(watched, FIRST + timedelta(days=8))
    assert (found.status, found.labels_date, found.final) == ("measured", FIRST, True)
    assert np.isclose(found.coverage or 0, 1)


def test_a_night_that_is_run_again_knows_as_much_as_it_did(watched: Project) -> None:
    before = look(watched, FIRST)
    write_labels(watched, FIRST, labels(FIRST))
    look(watched, FIRST + timedelta(days=2))
    assert look(watched, FIRST) == before
    due = look(watched, FIRST + timedelta(days=DELAY))
    assert due.status == "measured"
    assert look(watched, FIRST + timedelta(days=DELAY)) == due


def test_an_old_night_that_is_run_for_the_first_time_knows_the_labels_that_were_due(watched: Project) -> None:
    for back in range(6):
        write_labels(watched, FIRST + timedelta(days=back), labels(FIRST + timedelta(days=back)))
    look(watched, FIRST + timedelta(days=9))
    found = look(watched, FIRST + timedelta(days=5))
    measured = [night.day for night in found.nights if night.status == "measured"]
    assert measured == [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=2)]


@pytest.mark.slow
def test_on_s3_labels_mature_as_on_a_disk(watched: Project, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data and store on S3, where a listing says whether anything changed, and there is no renaming."""
    rows = labels(FIRST)
    write_labels(watched, FIRST, rows)
    look(watched, FIRST + timedelta(days=2))
    on_disk = known(watched, FIRST)

    for path in sorted((watched.root / "data").rglob("*.parquet")):
        if "labels" not in path.parts:
            s3.put(str(path.relative_to(watched.root)), path.read_bytes())
    monkeypatch.setenv("PIPELINE_STORE", s3.uri("store"))
    places = {"reference": "reference/", "production": "production/dt={date}/", "labels": "labels/dt={date}/"}
    configure(watched, {name: s3.uri(f"data/{place}") for name, place in places.items()})

    def put(frame: pd.DataFrame, part: int) -> None:
        stream = io.BytesIO()
        frame.to_parquet(stream, index=False)
        s3.put(f"data/labels/dt={FIRST}/part-{part}.parquet", stream.getvalue())

    put(rows.iloc[120:], 1)
    early = look(watched, FIRST + timedelta(days=1))
    put(rows.iloc[:120], 0)
    whole = look(watched, FIRST + timedelta(days=2))
    assert [found.nights[0].labelled_rows for found in (early, whole)] == [80, 200]
    in_parts = known(watched, FIRST)
    same = {"key", "state", "grew"}
    assert in_parts.model_dump(exclude=same) == on_disk.model_dump(exclude=same)
    assert s3.keys("store/people/.labelled/") == [f"store/people/.labelled/{FIRST}.json"]

    put(rows.iloc[:120].assign(label=lambda frame: 1 - frame["label"]), 0)
    corrected = look(watched, FIRST + timedelta(days=DELAY))
    right = (rows["label"] == predictions(FIRST)["prediction"]).to_numpy()
    expected = (np.count_nonzero(~right[:120]) + np.count_nonzero(right[120:])) / 200
    assert corrected.realised["accuracy"] == pytest.approx(expected)
    assert look(watched, FIRST + timedelta(days=DELAY)) == corrected


@pytest.mark.parametrize("damage", ["no json", "half", "cells", "levels", "bytes"])
def test_what_is_kept_of_a_day_and_damaged_is_measured_anew(watched: Project, damage: str) -> None:
    for back in range(2):
        write_labels(watched, FIRST + timedelta(days=back), labels(FIRST + timedelta(days=back)))
    before = look(watched, FIRST + timedelta(days=5))
    path = watched.store / "people" / ".labelled" / f"{FIRST}.json"
    whole, kept = path.read_bytes(), json.loads(path.read_text())
    kept["tally"]["cells"] = "no cells" if damage == "cells" else kept["tally"]["cells"]
    if damage == "levels":
        next(iter(kept["tally"]["levels"].values()))["counts"] = "bm9uZQ=="
    damaged = {"no json": b"no json", "half": whole[: len(whole) // 2], "bytes": b"\xff\xfe\x00"}
    path.write_bytes(damaged.get(damage, json.dumps(kept).encode()))
    after = look(watched, FIRST + timedelta(days=5))
    assert after == before
    assert after.failure is None
    assert path.read_bytes() == whole


def test_what_earlier_versions_kept_among_the_pages_is_read_and_moved(watched: Project) -> None:
    for back in range(2):
        write_labels(watched, FIRST + timedelta(days=back), labels(FIRST + timedelta(days=back)))
    before = look(watched, FIRST + timedelta(days=5))
    kept = watched.store / "people" / ".labelled" / f"{FIRST}.json"
    earlier = watched.store / "people" / "labelled" / f"{FIRST}.json"
    earlier.parent.mkdir()
    kept.rename(earlier)
    production = next((watched.root / "data" / "production" / f"dt={FIRST}").iterdir())
    assert watched.night(str(FIRST)).read_labelled(FIRST) is not None
    production.touch()  # it is looked at again, and kept where it belongs
    assert look(watched, FIRST + timedelta(days=5)) == before
    assert kept.is_file()
    assert not earlier.exists()


def test_a_version_that_comes_back_is_judged_by_what_it_did_before(watched: Project) -> None:
    days = [FIRST + timedelta(days=back) for back in range(8)]
    for day in days:
        frame = predictions(day)
        if day == days[3]:  # one night of another version, the newest that has labels
            frame = frame.assign(model_version="8", score=1 - frame["score"], prediction=1 - frame["prediction"])
        watched.write_parquet(f"production/dt={day}/part-0.parquet", frame)
    for day in days[:4]:
        write_labels(watched, day, labels(day))
    found = look(watched, days[6]).verdict
    assert found is not None
    assert (found.status, found.first, found.last) == ("sound", days[0], days[2])


def test_a_night_that_is_slow_does_not_write_over_what_another_one_saw_meanwhile(
    watched: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_labels(watched, FIRST, labels(FIRST).iloc[150:])
    measured = labelled_nights._measured

    def slowly(*arguments: Any) -> LabelledDay:
        found = measured(*arguments)
        monkeypatch.setattr(labelled_nights, "_measured", measured)
        write_labels(watched, FIRST, labels(FIRST))
        look(watched, FIRST + timedelta(days=2))
        return found

    monkeypatch.setattr(labelled_nights, "_measured", slowly)
    look(watched, FIRST + timedelta(days=1))
    found = known(watched, FIRST)
    assert (found.labelled_rows, found.final) == (200, True)
    assert [(item.on.day, item.labelled_rows) for item in found.grew] == [(7, 200)]
