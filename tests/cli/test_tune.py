"""`tune` as people type it: what it says, and what it writes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli import main
from tests.project import Project
from tests.servers.processes import require
from tests.steps.restless import NAMES, day, distances, publish

NIGHTS = 60
SPAN = ("--from", str(day(0)), "--to", str(day(NIGHTS - 1)))
FILE = """\
# Watches people.
name: people
owner: team@example.com
snapshots: {reference: data/reference/, production: "data/production/dt={date}/"}
columns: {id: id}   # joins production with its labels
quality: {suite: people}

drift:
  limit: 0.30       # retrain when a larger share of the columns drifted
  # critical: [name]
"""


@pytest.fixture
def file(project: Project) -> Path:
    """The file of a monitor that has sixty nights, most of them over the limit by chance, and two by no chance."""
    project.write_suite()
    path = project.write_text("monitors/people.yaml", FILE)
    scores = distances(NIGHTS, restless=4)
    scores[3:5] = 0.9
    publish(project, scores)
    return path


def test_it_says_what_it_proposes_and_what_that_costs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "people", *SPAN, "--per-nights", "20"]) == 0
    said = capsys.readouterr().out
    words = " ".join(said.split())
    assert said.startswith(
        f"people, {day(0)} to {day(NIGHTS - 1)}: for at most one alarm in 20 quiet nights\n\nProposed: "
    )
    assert (
        "Proposed: other thresholds for 4 columns. By 60 quiet nights, and if nights to come are like them, an" in words
    )
    assert "of 60 nights now new drifted" in words
    assert f"\n--- {file}\n+++ {file}\n@@ " in said
    assert "\n+  columns:\n+    age: {threshold: 0." in said
    assert "\n--write writes this into the file\n" in said
    assert file.read_text() == FILE


def test_it_writes_the_change_and_leaves_the_rest_of_the_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "people", *SPAN, "--rate", "0.05", "--incident", f"{day(3)}..{day(4)}", "--write"]) == 0
    said = capsys.readouterr().out
    kept = [line for line in file.read_text().splitlines() if "threshold" not in line and line != "  columns:"]
    assert kept == FILE.splitlines()
    command = said.splitlines()[-1].removeprefix("  python -m pipeline ").split()
    assert command == ["backtest", "people", *SPAN, "--incident", f"{day(3)}..{day(4)}"]
    rows = [line for line in said.splitlines() if line.startswith("false alarms")]
    assert main(command) == 0
    told = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("false alarms"))
    assert rows[0].split()[-5:] == told.split()[-5:]


def test_the_difference_is_one_that_patch_applies(
    file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    require("patch", "patch")
    assert main(["tune", "people", *SPAN, "--per-nights", "20"]) == 0
    said = capsys.readouterr().out
    copy = shutil.copy(file, tmp_path / "copy.yaml")
    patch = said[said.index("--- ") : said.index("\n--write")]
    subprocess.run(["patch", str(copy)], input=patch, text=True, check=True, capture_output=True)
    assert main(["tune", "people", *SPAN, "--per-nights", "20", "--write"]) == 0
    assert Path(copy).read_text() == file.read_text()


def test_few_nights_are_told_to_be_few(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "people", *SPAN]) == 0
    said = capsys.readouterr().out
    assert (
        "Proposed: a budget of alarms, which states its rate without these nights (docs/alarms.md).\n"
        "From 60 quiet nights nobody can tell whether fixed thresholds or a limit keep that rate: that takes 364 at "
        "least (they can tell one in 61).\n"
    ) in said
    assert "\n+  alarms: {per_nights: 365}\n" in said


def test_nothing_is_proposed_where_the_file_keeps_the_rate(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write_suite()
    path = project.write_text("monitors/people.yaml", FILE)
    publish(project, np.full((30, len(NAMES)), 0.01))
    span = ("--from", str(day(0)), "--to", str(day(29)))
    assert main(["tune", "people", *span, "--per-nights", "30", "--write"]) == 0
    said = capsys.readouterr().out
    assert "Proposed: nothing. The file as it is keeps that rate.\n" in said
    assert "---" not in said
    assert path.read_text() == FILE


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--per-nights", "1"], "found '1'; allowed: a whole number from 2 to 100000"),
        (["--rate", "0"], "found '0'; allowed: a number from 1e-05 to 0.5"),
        (["--rate", "often"], "found 'often'; allowed: a number"),
        (["--rate", "0.1", "--per-nights", "9"], "not allowed with argument"),
        (["--incident", "2026-01-02"], "allowed: two dates such as"),
    ],
)
def test_bad_usage_is_told_by_the_parser(capsys: pytest.CaptureFixture[str], given: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["tune", "people", *SPAN, *given])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


def test_dates_the_wrong_way_round_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "people", "--from", "2026-01-02", "--to", "2026-01-01"]) == 2
    assert "--to 2026-01-01 lies before --from 2026-01-02" in capsys.readouterr().err
