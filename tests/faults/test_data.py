"""Data as it goes wrong at night: late, in parts, cut off, empty, far too much of it. A verdict, or a named state."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode, SnapshotChanged
from pipeline.results import Decision, DriftResult, QualityResult, SnapshotPair
from pipeline.steps import nightly
from tests.project import Project, people

DAY = "2026-01-14"
NIGHT = ["run", "people", "--date", DAY]
HERE = f"production/dt={DAY}"
# Sizes of a second or two; `make wide` asks for what a whole night is promised to survive.
COLUMNS = int(os.environ.get("NIGHTJAR_COLUMNS", "40"))
LARGE = bool(os.environ.get("NIGHTJAR_LARGE"))


@pytest.fixture
def nights(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a reference; production comes as the test likes."""
    if not LARGE:
        monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    project.complete()
    shutil.rmtree(project.root / f"data/{HERE}")
    return project


def production(project: Project, frame: pd.DataFrame, name: str = "part-0.parquet") -> Path:
    return project.write_parquet(f"{HERE}/{name}", frame)


def decided(project: Project) -> Decision:
    found = project.night().read(Decision)
    assert found is not None
    return found


# -- late, in parts, cut off ------------------------------------------------------------------------------------------


def test_a_night_whose_data_is_late_is_the_same_night_when_it_has_come(
    nights: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(NIGHT) == ExitCode.SNAPSHOT
    assert "no parquet file there; check the path" in capsys.readouterr().out
    assert nights.night().nights() == []
    rows = people(1_500, seed=1)
    for place in range(3):  # in parts: what was there at each moment is what the night is about
        production(nights, rows.iloc[place * 500 : (place + 1) * 500], f"part-{place}.parquet")
        if place != 1:
            assert main(NIGHT) == ExitCode.SOUND
            pair = nights.night().read(SnapshotPair)
            assert pair is not None
            assert pair.production.rows == (place + 1) * 500
    assert len(nights.night().nights()) == 1


def test_a_snapshot_without_its_last_file_is_not_there_yet(nights: Project, capsys: pytest.CaptureFixture[str]) -> None:
    places = {"reference": "data/reference/", "production": "data/production/dt={date}/"}
    labels = {"labels": "data/labels/dt={date}/"}
    nights.write_monitor(snapshots={**places, **labels, "complete": "_SUCCESS"})
    nights.write_text("data/reference/_SUCCESS", "")
    nights.write_labels()
    nights.write_text("data/production/dt=2026-01-07/_SUCCESS", "")
    production(nights, people(1_500, seed=1))
    assert main(NIGHT) == ExitCode.SNAPSHOT
    assert f"dt={DAY}/ has no _SUCCESS (snapshots.complete)" in capsys.readouterr().out
    assert main(["check"]) == ExitCode.SOUND  # of the newest date the columns cannot be known
    told = capsys.readouterr().out
    assert "complete    where _SUCCESS lies beside the files" in told
    assert "production unknown" in told
    nights.write_text(f"data/{HERE}/_SUCCESS", "")
    assert main(NIGHT) == ExitCode.SOUND
    pair = nights.night().read(SnapshotPair)
    assert pair is not None
    assert pair.labels is None  # still being written
    nights.write_text("data/labels/dt=2026-01-07/_SUCCESS", "")
    nightly.pull_snapshots(nights.night())
    assert nights.night().load(SnapshotPair).labels is not None


@pytest.mark.parametrize("wrong", ["", "a/b", "..", 7, ["_SUCCESS"], "x" * 300])
def test_a_last_file_that_is_no_name_is_told(
    project: Project, wrong: object, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write_suite()
    project.write_monitor(snapshots={"reference": "a", "production": "b", "complete": wrong})
    assert main(["check", "--without-data"]) == ExitCode.USAGE
    assert "snapshots.complete: found" in capsys.readouterr().err


def test_init_writes_down_that_snapshots_end_with_a_file(nights: Project) -> None:
    production(nights, people(1_500, seed=1))
    places = ["--reference", "data/reference/", "--production", "data/production/dt={date}/"]
    for marked in (False, True):
        for folder in ("reference", HERE) if marked else ():
            nights.write_text(f"data/{folder}/_SUCCESS", "")
        assert main(["init", f"made{marked:d}", *places, "--labels", "-"]) == ExitCode.SOUND
        text = (nights.root / f"monitors/made{marked:d}.yaml").read_text()
        assert ("\n  complete: _SUCCESS" in text) is marked
    assert main(["check", "made1"]) == ExitCode.SOUND


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def other_magic(content: bytes) -> bytes:
    return b"PARX" + content[4:]


def other_footer(content: bytes) -> bytes:
    return content[:-8] + (10**6).to_bytes(4, "little") + content[-4:]


@pytest.mark.parametrize("damage", [cut, other_magic, other_footer, lambda _: b"", lambda _: b"id,age\n1,40\n"])
def test_one_bad_part_of_200_is_named_and_nothing_is_published(
    nights: Project, damage: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = production(nights, people(10, seed=1), "part-000.parquet").read_bytes()
    for place in range(1, 200):
        path = nights.root / f"data/{HERE}/part-{place:03}.parquet"
        path.write_bytes(damage(whole) if place == 137 else whole)
    assert main(NIGHT) == ExitCode.SNAPSHOT
    told = capsys.readouterr().out
    assert f"{HERE}/part-137.parquet: not a readable parquet file" in told
    assert "Traceback" not in told
    assert nights.night().nights() == []


def test_bytes_that_are_written_between_two_steps_are_in_no_result(nights: Project) -> None:
    path = production(nights, people(1_500, seed=1))
    night = nights.night()
    pinned = nightly.pull_snapshots(night)
    production(nights, people(1_500, seed=1, older=40))
    assert nightly.validate_quality(night).passed
    assert not nightly.measure_drift(night).drifted  # of the pinned bytes, out of the cache
    shutil.rmtree(nights.settings.cache_dir)
    with pytest.raises(SnapshotChanged, match=f"{path}: changed after it was pinned"):
        nightly.measure_drift(night)
    assert pinned.production.digest != nightly.pull_snapshots(night).production.digest


# -- nothing, and hardly anything -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 2])
def test_a_night_of_hardly_any_rows_is_told_and_asks_for_nothing(nights: Project, rows: int) -> None:
    nights.write_monitor(retrain={"min_labelled_rows": 0})
    production(nights, people(2_000, seed=3, older=35).iloc[:rows])
    assert main(NIGHT) == ExitCode.SOUND
    found = decided(nights)
    assert not found.retrain
    page = (nights.night().files() or {})["index.html"].decode()
    if rows == 1:
        assert found.status == "too_few_rows"
        assert found.reason == "too few rows to tell a change from chance: 1 instead of at least 10"
        assert "too few rows: 1 instead of at least 10" in page
        assert "no column could be compared" not in page
    else:
        assert found.reason.startswith("1 of 5 columns drifted (20%)")  # four standard deviations are no chance
        assert "Healthy: 1 of 5 columns drifted (20%)" in page


def test_a_night_of_a_few_rows_that_chance_hardly_ever_makes_is_drifted(nights: Project) -> None:
    far = people(9, seed=3).assign(age=119.0, income=9e9, score=0.999, city="Oslo")
    production(nights, far)
    assert main(NIGHT) == ExitCode.SOUND
    assert decided(nights).status == "drifted"


def test_the_same_snapshot_on_both_sides_is_told(nights: Project) -> None:
    nights.write_monitor(snapshots={"reference": "data/reference/", "production": "data/reference/"})
    assert main(NIGHT) == ExitCode.SOUND
    quality = nights.night().read(QualityResult)
    assert quality is not None
    assert "same_data" in {item.check for item in quality.failures}
    assert quality.passed
    files = nights.night().files() or {}
    assert "the same bytes, so that nothing can drift" in files["index.html"].decode()


def test_parts_without_rows_or_values_are_parts_like_others(nights: Project) -> None:
    rows = people(1_500, seed=1)
    production(nights, rows)
    production(nights, pd.DataFrame({name: [] for name in rows}), "part-1.parquet")  # pandas: object, or null
    nothing = pa.table({name: pa.nulls(0) for name in rows})
    pq.write_table(nothing, nights.root / f"data/{HERE}/part-2.parquet")
    production(nights, rows.iloc[:300].assign(id=[f"n{row}" for row in range(300)], income=None), "part-3.parquet")
    assert main(NIGHT) == ExitCode.SOUND
    pair, drift = nights.night().read(SnapshotPair), nights.night().read(DriftResult)
    assert pair is not None
    assert drift is not None
    assert (pair.production.rows, drift.evaluated) == (1_800, len(drift.columns))
    income = next(item for item in drift.columns if item.name == "income")
    assert income.missing_production_share == pytest.approx(300 / 1_800)


def test_all_parts_without_rows_are_a_night_without_rows(nights: Project) -> None:
    nothing = pa.table({name: pa.nulls(0) for name in people(1, 1)})
    for place in range(2):
        (nights.root / f"data/{HERE}").mkdir(parents=True, exist_ok=True)
        pq.write_table(nothing, nights.root / f"data/{HERE}/part-{place}.parquet")
    assert main(NIGHT) == ExitCode.QUALITY
    found = decided(nights)
    assert (found.status, found.retrain, found.hold) == ("data_broken", False, "quality_failed")
    page = (nights.night().files() or {})["index.html"].decode()
    assert "The production snapshot has at least one row" in page


# -- far too much of it -----------------------------------------------------------------------------------------------


def sizes(project: Project) -> dict[str, int]:
    return {name: len(content) for name, content in (project.night().files() or {}).items()}


def test_a_wide_snapshot_is_a_night(nights: Project) -> None:
    random, rows = np.random.default_rng(0), 150
    for place in ("reference", HERE):
        table = {f"column_{number:04}": random.normal(size=rows) for number in range(COLUMNS - 1)}
        frame = pd.DataFrame({"id": range(rows), "age": random.integers(20, 80, rows), **table})
        nights.write_parquet(f"{place}/part-0.parquet", frame)
    nights.write_monitor(columns={"id": "id"})
    assert main(NIGHT) == ExitCode.SOUND
    drift = nights.night().read(DriftResult)
    assert drift is not None
    assert drift.evaluated == COLUMNS
    assert sizes(nights)["index.html"] < 400_000 + 4_000 * COLUMNS


def test_a_large_text_is_a_night_and_no_part_of_a_page(nights: Project) -> None:
    text = "Lorem ipsum " * (9_000_000 if LARGE else 900_000)  # 108 MB, 11 MB
    production(nights, people(1_500, seed=1).assign(city=["Bern", "Graz", "Lyon"] * 499 + ["Bern", "Graz", text]))
    assert main(NIGHT) == ExitCode.SOUND
    drift = nights.night().read(DriftResult)
    assert drift is not None
    assert next(item for item in drift.columns if item.name == "city").status == "evaluated"
    assert max(sizes(nights).values()) < (6_000_000 if LARGE else 400_000)


def test_as_many_categories_as_rows_are_a_night(nights: Project) -> None:
    rows = 1_000_000 if LARGE else 60_000
    for place, seed in (("reference", 0), (HERE, 1)):
        frame = people(rows, seed).assign(city=[f"city {seed} {row}" for row in range(rows)])
        nights.write_parquet(f"{place}/part-0.parquet", frame)
    nights.write_monitor(columns={"id": "id", "label": "label", "categorical": ["city", "prediction"]})
    assert main(NIGHT) == ExitCode.SOUND
    drift = nights.night().read(DriftResult)
    assert drift is not None
    city = next(item for item in drift.columns if item.name == "city")
    assert (city.drifted, city.new_category_count) == (True, rows)
    assert sum(sizes(nights).values()) < (8_000_000 if LARGE else 600_000)
