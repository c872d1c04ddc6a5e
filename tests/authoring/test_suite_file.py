"""`suggest`: a suite from the reference, and what a person did to it stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.cli import main
from pipeline.results import QualityResult
from tests.checks.quality.test_hostile import NAMES
from tests.project import Project, people

Said = pytest.CaptureFixture[str]


@pytest.fixture
def watched(project: Project) -> Project:
    """A monitor with a reference and no suite yet."""
    project.write_monitor()
    project.write_night()
    return project


def suite_of(project: Project, name: str = "people") -> Path:
    return project.root / f"expectations/{name}.json"


def entries(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(suite_of(project).read_text())["expectations"]
    return found


def about(found: list[dict[str, Any]], kind: str, column: str) -> dict[str, Any]:
    (entry,) = (item for item in found if item["type"].endswith(kind) and item["kwargs"].get("column") == column)
    return entry


def older(project: Project) -> None:
    """Another reference, and its nights: everybody is thirty years older."""
    project.write_parquet("reference/part-0.parquet", people(2_000, seed=0, older=30))
    project.write_parquet("production/dt=2026-01-14/part-0.parquet", people(1_500, seed=1, older=30))


def test_a_suite_that_is_not_there_is_written_and_sound(watched: Project, capsys: Said) -> None:
    assert main(["suggest", "people"]) == 0
    said = capsys.readouterr().out
    assert f"{suite_of(watched)}: written: " in said
    assert "the suggestion holds on all 2,000 rows of the reference" in said
    assert main(["check", "people"]) == 0


def test_a_rerun_on_the_same_reference_says_so_and_changes_nothing(watched: Project, capsys: Said) -> None:
    main(["suggest", "people"])
    before = suite_of(watched).read_bytes()
    for flags in ([], ["--write"], ["--force"]):
        capsys.readouterr()
        assert main(["suggest", "people", *flags]) == 0
        said = capsys.readouterr().out
        assert ": not changed: " in said
        assert "\n+" not in said
    assert suite_of(watched).read_bytes() == before


def test_a_rerun_shows_what_differs_and_writes_only_when_told(watched: Project, capsys: Said) -> None:
    main(["suggest", "people"])
    before = suite_of(watched).read_bytes()
    older(watched)
    capsys.readouterr()
    assert main(["suggest", "people"]) == 0
    said = capsys.readouterr().out
    assert "The reference has a mean of 39." in said
    assert "+" in {line[:1] for line in said.splitlines() if "has a mean of 69." in line}
    assert said.splitlines()[-1].startswith("--write takes this over and keeps what was edited by hand")
    assert suite_of(watched).read_bytes() == before
    assert main(["suggest", "people", "--write"]) == 0
    assert about(entries(watched), "mean_to_be_between", "age")["kwargs"]["min_value"] > 60


def test_what_a_person_changed_added_or_removed_survives_write_but_not_force(watched: Project, capsys: Said) -> None:
    main(["suggest", "people"])
    content = json.loads(suite_of(watched).read_text())
    listed = content["expectations"]
    about(listed, "mean_to_be_between", "age")["severity"] = "critical"
    listed.remove(about(listed, "values_to_be_in_set", "city"))
    listed.insert(0, {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "mine"}})
    suite_of(watched).write_text(json.dumps(content))
    older(watched)
    capsys.readouterr()
    assert main(["suggest", "people", "--write"]) == 0
    said = capsys.readouterr().out
    assert "2 written or changed by hand, kept" in said
    assert "1 removed by hand, not suggested again" in said
    kept = entries(watched)
    mean = about(kept, "mean_to_be_between", "age")
    assert (mean["severity"], mean["kwargs"]["max_value"] < 60) == ("critical", True)
    assert kept[0]["kwargs"] == {"column": "mine"}
    assert not [item for item in kept if item["kwargs"].get("column") == "city" and "in_set" in item["type"]]
    assert main(["suggest", "people", "--force"]) == 0
    replaced = entries(watched)
    assert about(replaced, "mean_to_be_between", "age")["severity"] == "warning"
    assert about(replaced, "values_to_be_in_set", "city")
    assert not [item for item in replaced if item["kwargs"].get("column") == "mine"]


def test_a_broken_suite_is_reported_with_its_line_and_left_alone(watched: Project, capsys: Said) -> None:
    broken = '{"name": "people",\n "expectations": [\n  {"type": "x",}\n ]}'
    suite_of(watched).write_text(broken)
    for flags in ([], ["--write"], ["--force"]):
        assert main(["suggest", "people", *flags]) == 2
        assert "people.json:3: broken JSON" in capsys.readouterr().err
    assert suite_of(watched).read_text() == broken


def test_no_value_of_a_private_column_is_named(project: Project, capsys: Said) -> None:
    frame = people(500, 0).assign(
        salary=[123_456.75] * 250 + [987_654.25] * 250,
        town=["Hinterkaffingen"] * 500,
        card=[f"4929-{row:04d}" for row in range(500)],
    )
    project.write_monitor(columns={"id": "id", "label": "label", "private": ["salary", "town", "card", "age"]})
    project.write_parquet("reference/part-0.parquet", frame)
    assert main(["suggest", "people"]) == 0
    frame["salary"] = 55_555.5
    project.write_parquet("reference/part-0.parquet", frame.assign(town="Vorderkaffingen"))
    assert main(["suggest", "people"]) == 0
    everything = suite_of(project).read_text() + capsys.readouterr().out
    for value in ("123456", "123,456", "987654", "55555", "kaffingen", "4929"):
        assert value not in everything, value
    assert {item["kwargs"]["column"] for item in entries(project) if "column" in item["kwargs"]} >= {"salary", "card"}


def test_unknown_monitors_and_missing_references_are_named(watched: Project, capsys: Said) -> None:
    assert main(["suggest", "nobody"]) == 2
    assert "found no monitor 'nobody'; allowed: people" in capsys.readouterr().err
    (watched.root / "data/reference/part-0.parquet").unlink()
    assert main(["suggest", "people"]) == 3
    assert "data/reference: no parquet file there" in capsys.readouterr().err
    assert not suite_of(watched).exists()


HOSTILE = [*NAMES, "age", "AGE", "Age", "-", "null", "yes", "<script>alert(1)</script>", "a\u2028b", "a\x85b"]


def hostile(rows: int, seed: int, *, empty: bool = False) -> pa.Table:
    """Text, floats and whole numbers in turn, or no value at all."""
    random = np.random.default_rng(seed)
    kinds: list[Any] = [
        lambda place: pa.array(random.choice(["a", "b", "c"], rows)),
        lambda place: pa.array(random.normal(place, 1, rows)),
        lambda place: pa.array(random.integers(0, 100, rows)),
    ]
    columns = {name: kinds[place % 3](place) for place, name in enumerate(HOSTILE)}
    return pa.table({name: pa.nulls(rows, item.type) if empty else item for name, item in columns.items()})


@pytest.mark.slow
def test_columns_of_any_name_go_from_init_to_a_night_and_each_is_watched(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.chdir(project.root)
    for folder, table in (
        ("reference", hostile(1_500, 0)),
        ("production/dt=2026-01-13", hostile(900, 1)),
        ("production/dt=2026-01-14", hostile(900, 1, empty=True)),
    ):
        (project.root / "data" / folder).mkdir(parents=True)
        pq.write_table(table, project.root / "data" / folder / "part-0.parquet")
    assert main(["init", "people", "--reference", "data/reference", "--production", "data/production"]) == 0
    assert "left out that do not" not in capsys.readouterr().out
    assert main(["check"]) == 0
    assert main(["run", "people", "--date", "2026-01-13"]) == 0
    assert main(["run", "people", "--date", "2026-01-14"]) in (0, 4)
    quiet, loud = (quality(project, day) for day in ("2026-01-13", "2026-01-14"))
    assert [item.sentence for item in quiet.failures] == []
    missing = {item.column for item in loud.failures if item.expectation.endswith("_to_not_be_null")}
    assert missing == set(HOSTILE)  # one without a name is watched by the built-in check only: no suite may name it
    assert [item.error for item in loud.outcomes if item.error] == []
    assert b"<script>alert" not in (project.store / "people/2026-01-14/index.html").read_bytes()


def quality(project: Project, day: str) -> QualityResult:
    return QualityResult.model_validate_json((project.store / "people" / day / "quality.json").read_bytes())


@pytest.mark.slow
def test_a_suggested_suite_says_what_is_wrong_with_a_broken_night(watched: Project, capsys: Said) -> None:
    main(["suggest", "people"])
    frame = people(1_500, 1)
    frame["age"] = frame["age"] * 365
    frame["city"] = frame["city"].str.upper()
    frame.loc[:99, "score"] = np.nan
    frame["id"] = frame["id"].mask(frame.index < 2, "same")
    watched.write_parquet("production/dt=2026-01-14/part-0.parquet", frame.assign(income="unknown"))
    assert main(["run", "people", "--date", "2026-01-14"]) == 4
    said = {(item.severity, item.sentence) for item in quality(watched, "2026-01-14").failures if item.check is None}
    assert ("critical", "id has no value twice") in said
    assert ("critical", "score has no missing values") in said
    sentences = " ".join(words for _, words in said)
    for words in (
        "city is one of",
        "age lies between 0 and",
        "income is of one of the types float32, float64, int32, int64",
    ):
        assert words in sentences


def test_a_single_file_and_a_reference_with_a_date_will_do(project: Project, capsys: Said) -> None:
    sources = {"reference": "data/ref/dt={date}.parquet", "production": "data/production/dt={date}/"}
    project.write_monitor(snapshots=sources)
    project.write_parquet("ref/dt=2026-01-14.parquet", pd.DataFrame({"x": range(50)}))
    assert main(["suggest", "people"]) == 3
    assert main(["suggest", "people", "--date", "2026-01-14"]) == 0
    assert "holds on all 50 rows" in capsys.readouterr().out
