"""Whatever the data: `init` raises nothing it does not know, and what it writes is sound."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from pipeline.cli import main
from tests.project import Project

ROWS = 150
RANDOM = np.random.default_rng(0)
UUID, TEXT = pa.binary(16), pa.string()
NORMAL = RANDOM.normal(size=ROWS)
ODD: dict[str, dict[str, Any]] = {
    "sentinels": {
        "id": [f"a{row}" for row in range(ROWS)],
        "x": [1e300 if row % 20 == 0 else 1e-290 * row for row in range(ROWS)],
        "y": [-999_999_999_999_999 if row % 20 == 0 else row % 9 for row in range(ROWS)],
        "z": [0.1] * (ROWS - 1) + [1.7e308],
        "w": [5e-324] * 140 + [1e-300] * 9 + [1e10],
    },
    "extensions": {
        "id": range(ROWS),
        "b": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([row % 2 for row in range(ROWS)], pa.int8())),
        "u": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes([row] * 16) for row in range(150)], UUID)),
        "j": pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a":1}'] * ROWS)),
    },
    "gaps only": {"id": range(ROWS), "a": pa.nulls(ROWS), "f": pa.nulls(150, pa.float64()), "s": pa.nulls(150, TEXT)},
    "nothing but gaps": {"s": pa.nulls(ROWS, pa.string())},
    "no rows": {"id": pa.array([], pa.int64()), "x": pa.array([], pa.float64())},
    "one row": {"id": [1], "x": [2.0], "label": ["a"]},
    "one column": {"x": NORMAL},
    "names": {"ID": range(ROWS)} | dict.fromkeys(["age", "Age", "", "a\nb: #x", "true", '"q" \\'], NORMAL),
    "text": {
        "id": [f"{row:06d}" for row in range(ROWS)],
        "day": [f"2026-01-{row % 28 + 1:02d}" for row in range(ROWS)],
        "flag": ["true", "false"] * 75,
        "label": ["yes", "no", "no"] * 50,
        "score": NORMAL.clip(0, 1),
    },
    "types": {
        "id": range(ROWS),
        "decimal": pa.array([Decimal(row) * 10**20 for row in range(ROWS)], pa.decimal256(60, 2)),
        "unsigned": pa.array([2**64 - 1 - row for row in range(ROWS)], pa.uint64()),
        "infinite": [float("inf"), 1.0] * 75,
        "half": pa.array(NORMAL.astype("float16")),
        "nested": [{"a": 1}] * ROWS,
        "lists": NORMAL.repeat(4).reshape(ROWS, 4).tolist(),
        "time": pa.array(range(ROWS), pa.time32("s")),
        "moment": pa.array([10**15 + row for row in range(ROWS)], pa.timestamp("us", tz="Europe/Vienna")),
        "word": pa.array(["x", None, "y"] * 50).dictionary_encode(),
    },
    "wide": {f"c{place}": NORMAL[:20] for place in range(120)},
}  # fmt: skip


def write(project: Project, columns: dict[str, Any]) -> None:
    table = pa.table(list(columns.values()), names=list(columns))
    for folder in ("reference", "production/dt=2026-01-14"):
        path = Path(project.root) / "data" / folder / "part-0.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)


@pytest.mark.parametrize("case", ODD)
def test_what_init_writes_of_odd_data_is_sound(project: Project, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(project.root)
    write(
        project,
        {name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in ODD[case].items()},
    )
    assert main(["init", "odd", "--reference", "data/reference", "--production", "data/production"]) == 0
    assert main(["check", "odd"]) == 0
    assert yaml.safe_load((project.root / "monitors/odd.yaml").read_text())["name"] == "odd"


def test_leading_zeros_and_truth_in_text_stay_text(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    write(project, {name: pa.array(values) for name, values in ODD["text"].items()})
    assert main(["init", "odd", "--reference", "data/reference", "--production", "data/production"]) == 0
    columns = yaml.safe_load((project.root / "monitors/odd.yaml").read_text())["columns"]
    assert (columns["id"], columns["label"], columns["positive"]) == ("id", "label", "yes")
    assert columns["ignore"] == ["day"]
    assert "flag" in columns["categorical"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--scores", "low"], "--scores: found 'low'; allowed: CLASS=COLUMN"),
        (["--scores", "yes=score,no=nowhere"], "--scores: found 'nowhere', which is no column"),
        (["--positive", "maybe"], "--positive: found 'maybe'; allowed: no or yes"),
        (["--email", "me"], "--email: found 'me'; allowed: one mail address"),
    ],
)
def test_a_wrong_flag_is_a_usage_error(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    monkeypatch.chdir(project.root)
    write(project, {name: pa.array(values) for name, values in ODD["text"].items()})
    assert main(["init", "odd", "--reference", "data/reference", "--production", "data/production", *flags]) == 2
    assert words in capsys.readouterr().err
    assert not (project.root / "monitors/odd.yaml").exists()


def test_what_is_said_is_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    write(project, {name: pa.array(values) for name, values in ODD["text"].items()})
    said = ["--positive", "no", "--task", "classification", "--min-rows", "77", "--champion", "yes"]
    told = ["--email", "a@example.com,b@example.com", "--when", "trouble"]
    places = ["--reference", "data/reference", "--production", "data/production"]
    assert main(["init", "odd", *places, *said, *told]) == 0
    read = yaml.safe_load((project.root / "monitors/odd.yaml").read_text())
    assert (read["columns"]["positive"], read["task"], read["retrain"]["min_rows"]) == ("no", "classification", 77)
    assert (read["snapshots"]["reference"], read["snapshots"]["initial"]) == ("champion", "data/reference")
    assert read["notify"] == {"email": ["a@example.com", "b@example.com"], "when": "trouble"}
