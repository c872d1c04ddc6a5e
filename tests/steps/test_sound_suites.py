"""Suites that were found sound are known again; whatever else the answer could come from is asked anew."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.steps import sound_suites
from pipeline.steps.sound_suites import problems
from tests.project import SUITE, Project

SCHEMA = pa.schema([("id", pa.string()), ("age", pa.int64())])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The suites about which Great Expectations was asked."""
    suites: list[Path] = []
    really = sound_suites._found

    def found(path: Path, schema: pa.Schema | None) -> list[str]:
        suites.append(path)
        return really(path, schema)

    monkeypatch.setattr(sound_suites, "_found", found)
    return suites


def test_a_sound_suite_is_asked_about_once(project: Project, asked: list[Path]) -> None:
    suite, folder = project.write_suite(), project.root / "cache"
    assert [problems(suite, SCHEMA, folder) for _ in range(3)] == [[], [], []]
    assert len(asked) == 1


def _rewritten(suite: Path) -> pa.Schema:
    suite.write_text(suite.read_text() + "\n")
    return SCHEMA


def _renamed(_: Path) -> pa.Schema:
    return pa.schema([("id", pa.string()), ("years", pa.int64())])


def _retyped(_: Path) -> pa.Schema:
    return pa.schema([("id", pa.string()), ("age", pa.string())])


def _unknown(_: Path) -> None:
    return None


@pytest.mark.parametrize("change", [_rewritten, _renamed, _retyped, _unknown])
def test_another_suite_and_other_columns_are_asked_about(
    project: Project, asked: list[Path], change: Callable[[Path], pa.Schema | None]
) -> None:
    suite, folder = project.write_suite(), project.root / "cache"
    assert problems(suite, SCHEMA, folder) == []
    problems(suite, change(suite), folder)
    assert len(asked) == 2


def test_another_version_is_asked_again(project: Project, asked: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    suite, folder = project.write_suite(), project.root / "cache"
    assert problems(suite, SCHEMA, folder) == []
    monkeypatch.setattr(sound_suites, "version_digest", lambda *_: b"another")
    assert problems(suite, SCHEMA, folder) == []
    assert len(asked) == 2


def test_what_is_wrong_is_told_each_time_in_the_same_words(project: Project, asked: list[Path]) -> None:
    wrong = project.write_suite(expectations=[*SUITE, {"type": "expect_nothing", "kwargs": {}}])
    folder = project.root / "cache"
    first = problems(wrong, SCHEMA, folder)
    assert "expectations[2] (expect_nothing)" in first[0]
    assert problems(wrong, SCHEMA, folder) == first
    wrong.write_text("{")
    assert "people.json:1: broken JSON" in problems(wrong, SCHEMA, folder)[0]
    wrong.unlink()
    assert "cannot be read" in problems(wrong, SCHEMA, folder)[0]
    assert len(asked) == 4
    assert not folder.exists()


def test_a_cache_that_cannot_be_written_costs_time_alone(project: Project, asked: list[Path]) -> None:
    suite = project.write_suite()
    for folder in (project.write_text("file", ""), Path("/proc/nowhere")):
        assert [problems(suite, SCHEMA, folder) for _ in range(2)] == [[], []]
    assert len(asked) == 4


def test_check_imports_great_expectations_for_what_it_does_not_know_only(project: Project) -> None:
    """Counted in processes of their own, as a test has imported it already."""
    heavy = ("great_expectations", "pandas", "duckdb", "scipy", "sklearn", "mlflow", "evidently", "boto3", "sqlalchemy")
    project.write_suite()
    project.write_monitor()
    project.write_night()
    code = (
        "import sys, json\n"
        "from pipeline.cli import main\n"
        "codes = [main(words) for words in (['check'], ['check', '--without-data'])]\n"
        f"print(json.dumps([codes, [name for name in {heavy!r} if name in sys.modules]]))"
    )

    def imported() -> list[object]:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**project.environment(), "PYTHONPATH": str(Path(sound_suites.__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        found: list[object] = json.loads(done.stdout.splitlines()[-1])
        return found

    codes, first = imported()
    assert codes == [0, 0]
    assert "great_expectations" in first  # type: ignore[operator]
    assert imported() == [[0, 0], []]
