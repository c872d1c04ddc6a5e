"""`backtest` as people type it, and in the workflow that comments on pull requests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.cli import main
from pipeline.results import (
    BacktestResult,
    ColumnDrift,
    Decision,
    DriftResult,
    NightProfile,
    QualityResult,
    SnapshotPair,
)
from tests.project import Project
from tests.servers.processes import require

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "examples" / "workflows" / "backtest.yml"
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
SPAN = ("--from", DAYS[0], "--to", DAYS[-1])


@pytest.fixture
def people(project: Project) -> Project:
    """Three nights, on the second of which two of three columns drifted."""
    project.write_suite()
    project.write_monitor(columns={"id": "id"})
    for day in DAYS:
        publish(project, day, (0.2, 0.3, 0.0) if day == DAYS[1] else (0.01, 0.02, 0.0))
    return project


def publish(project: Project, day: str, scores: tuple[float, ...]) -> None:
    side = {"uri": "data", "objects": [], "fields": [], "rows": 100}
    pair = SnapshotPair.model_validate({"monitor": "people", "run_date": day, "reference": side, "production": side})
    columns = [column(name, score) for name, score in zip(("age", "income", "city"), scores, strict=True)]
    share = sum(item.drifted for item in columns) / len(columns)
    drift = DriftResult(
        snapshots=pair.digest, drift_share=share, limit=0.3, drifted=share > 0.3, columns=tuple(columns)
    )
    words = "2 of 3 columns drifted (66.7%), over" if drift.drifted else "0 of 3 columns drifted (0%), not over"
    decision = Decision(
        snapshots=pair.digest,
        status="drifted" if drift.drifted else "healthy",
        retrain=drift.drifted,
        reason=f"{words} the limit of 30%",
        causes=("drift",) if drift.drifted else (),
    )
    quality = QualityResult(snapshots=pair.digest, suite="people", passed=True, outcomes=())
    profile = NightProfile(snapshots=pair.digest, reference="r", columns=())
    kept = (pair, quality, drift, profile, decision)
    project.night(day).publish({f"{result.file}.json": result.to_json() for result in kept})


def column(name: str, score: float) -> ColumnDrift:
    return ColumnDrift(
        name=name, kind="numerical", method="wasserstein", direction="distance", score=score, threshold=0.1,
        drifted=score >= 0.1, status="evaluated",
    )  # fmt: skip


def test_it_ends_well_whatever_it_finds(people: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "people", *SPAN]) == 0
    assert "*" not in capsys.readouterr().out
    assert main(["backtest", "--drift.limit", "0.7", "people", *SPAN]) == 0
    told = capsys.readouterr()
    assert "decided again with drift.limit 0.7\n" in told.out
    assert re.search(r"^\* 2026-01-02  drifted, retrain  healthy$", told.out, re.MULTILINE)
    assert told.err == ""


def test_programs_read_json(people: Project, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--drift.columns.age.threshold=0.25", "--incident", "2026-01-02..2026-01-02", "--drift.limit", "0.5"]
    assert main(["backtest", "people", *SPAN, *given, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["settings"] == {"drift.columns.age.threshold": "0.25", "drift.limit": "0.5"}
    assert [night["after"]["columns"] for night in found["nights"]] == [[], ["income"], []]
    assert found["incidents"][0] == {"first": DAYS[1], "last": DAYS[1], "nights": 1, "before": 0, "after": None}
    assert BacktestResult.model_validate(found).changed[0].run_date.isoformat() == DAYS[1]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--to", "2025-12-31"], "--to 2025-12-31 lies before --from 2026-01-01"),
        (["--drift.limit", "3"], "--drift.limit: found 3; allowed: a number from 0 to 1"),
        (
            ["--performance.max_drop", "0.1"],
            "--performance.max_drop: whether the model is degraded is told from labels",
        ),
        (["--notify.when", "change"], "--notify.when: unknown setting; allowed: keys under drift and retrain"),
        (["--against", "gone.yaml"], "gone.yaml:1: file: cannot be read"),
        (["--from", "2025-01-01", "--to", "2025-01-02"], "no night from 2025-01-01 to 2025-01-02 is published"),
    ],
)
def test_bad_questions_are_errors_that_name_what_is_wrong(
    people: Project, capsys: pytest.CaptureFixture[str], given: list[str], words: str
) -> None:
    assert main(["backtest", "people", *SPAN, *given]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--drift.limit"], "unrecognized arguments: --drift.limit"),
        (["--incident", "2026-01-02"], "allowed: two dates such as 2026-01-14..2026-01-16"),
        (["--incident", "2026-01-03..2026-01-02"], "allowed: the earlier date first"),
        (["--json", "--markdown"], "not allowed with argument"),
    ],
)
def test_bad_usage_is_told_by_the_parser(
    people: Project, capsys: pytest.CaptureFixture[str], given: list[str], words: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["backtest", "people", *SPAN, *given])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


def test_help_says_which_settings_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["backtest", "--help"])
    told = capsys.readouterr().out
    assert "--drift.columns.age.threshold 0.2" in told
    assert "--set" not in told


# -- the workflow -----------------------------------------------------------------------------------------------------


def workflow() -> dict[Any, Any]:
    found = yaml.safe_load(WORKFLOW.read_text())
    assert isinstance(found, dict)
    return found


def step(name: str) -> dict[str, Any]:
    return next(item for item in workflow()["jobs"]["backtest"]["steps"] if item.get("name") == name)


def git(root: Path, *arguments: str) -> str:
    who = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    names = [item for key in ("user.name", "user.email") for item in ("-c", f"{key}=t@example.com")]
    command = ["git", "-C", str(root), *names, *arguments]
    return subprocess.run(command, env=os.environ | who, check=True, capture_output=True, text=True).stdout.strip()


def comment(people: Project, base: str) -> str:
    """What the workflow's own command line leaves for the comment on a pull request."""
    made = people.root / "runner"
    made.mkdir()
    folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "BASE": base,
        "FROM": DAYS[0],
        "TO": DAYS[-1],
        "DAYS": step("Decide the last nights again")["env"]["DAYS"],
        "RUNNER_TEMP": str(made),
    }
    script = step("Decide the last nights again")["run"]
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]  # as GitHub runs it
    subprocess.run(command, cwd=people.root, env=environment, check=True, capture_output=True)
    return (made / "comment.md").read_text()


@pytest.fixture
def committed(people: Project) -> str:
    """The project under version control; its commit."""
    require("git", "git")
    git(people.root, "init", "-q")
    git(people.root, "add", "monitors")
    git(people.root, "commit", "-q", "-m", "base")
    return git(people.root, "rev-parse", "HEAD")


def test_the_workflow_comments_what_a_changed_monitor_decides(people: Project, committed: str) -> None:
    people.write_monitor(columns={"id": "id"}, drift={"limit": 0.9})
    people.write_monitor("other")  # new: there is nothing to hold it against
    git(people.root, "add", "monitors")
    git(people.root, "commit", "-q", "-m", "head")

    told = comment(people, committed)

    assert told.startswith("### people: 1 of 3 nights is decided otherwise\n")
    assert "| 2026-01-02 | drifted, retrain | healthy |" in told
    assert "### other" not in told


def test_the_workflow_comments_why_nothing_can_be_decided(people: Project, committed: str) -> None:
    people.write_monitor(columns={"id": "id"}, drift={"numerical": {"method": "psi"}})
    git(people.root, "commit", "-q", "-a", "-m", "head")

    told = comment(people, committed)

    assert told.startswith(
        "### people: its nights cannot be decided again\n\n    error: drift.numerical.method: found 'psi'"
    )


def test_the_workflow_runs_on_changed_monitors_and_may_only_comment() -> None:
    found = workflow()
    assert found[True] == {"pull_request": {"paths": ["monitors/*.yaml"]}}  # `on` is true in YAML 1.1
    assert found["permissions"] == {"contents": "read", "pull-requests": "write"}
    steps = found["jobs"]["backtest"]["steps"]
    scripts = [item["run"] for item in steps if "run" in item]
    assert not any("${{" in script for script in scripts)  # text of a pull request is no code
    for script in scripts:
        subprocess.run(["bash", "-n", "-c", script], check=True)
    assert steps[0]["with"]["fetch-depth"] == 0  # the base of the pull request is among the commits
