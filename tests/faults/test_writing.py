"""Files that people own are written whole or not at all: on a full disk, and when whoever writes is killed."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.authoring import suggest as suggesting
from pipeline.cli import main
from pipeline.config.files import replacing, write_text
from pipeline.errors import ConfigError, ExitCode
from tests.project import Project

ROOT = Path(__file__).parents[2]


@contextmanager
def no_file_beyond(most: int) -> Iterator[None]:
    """A disk that is full after so many bytes of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 1, 4_000])
def test_a_file_is_as_it_was_where_there_is_no_room_for_the_new_one(tmp_path: Path, room: int) -> None:
    path = tmp_path / "suite.json"
    path.write_text("before")
    with no_file_beyond(room), pytest.raises(ConfigError, match=r"suite\.json: cannot be written: File too large"):
        write_text(path, "after " * 10_000)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_mode_and_link_of_a_file_stay(tmp_path: Path) -> None:
    real = tmp_path / "shared/suite.json"
    real.parent.mkdir()
    real.write_text("before")
    real.chmod(0o664)
    (tmp_path / "suite.json").symlink_to(real)
    write_text(tmp_path / "suite.json", "after")
    assert (tmp_path / "suite.json").is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("after", 0o664)


def test_an_edited_suite_survives_a_full_disk(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.complete()
    before = (project.root / "expectations/people.json").read_text()
    with no_file_beyond(2_000_000):
        assert main(["suggest", "people", "--date", "2026-01-14"]) == ExitCode.SOUND  # the cache has what it needs
    with no_file_beyond(2_000):
        assert main(["suggest", "people", "--date", "2026-01-14", "--write"]) == ExitCode.USAGE
    assert "people.json: cannot be written: File too large" in capsys.readouterr().err
    assert (project.root / "expectations/people.json").read_text() == before
    assert main(["suggest", "people", "--date", "2026-01-14", "--write"]) == ExitCode.SOUND
    assert len(json.loads((project.root / "expectations/people.json").read_text())["expectations"]) > 2


INIT = ["init", "made", "--reference", "data/reference/", "--production", "data/production/dt={date}/"]
KILLED = """
import os, signal, sys
from pathlib import Path

replace = os.replace

def replace_or_die(source, target):
    if Path(target).name == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = replace_or_die
from pipeline.cli import main
main(sys.argv[2:])
"""


@pytest.mark.parametrize("file", ["made.json", "made.yaml"])
def test_an_init_that_was_killed_between_its_files_can_be_repeated(project: Project, file: str) -> None:
    project.write_night()

    def typed(*command: str) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, **project.environment()}
        python = [sys.executable, "-W", "ignore", *command, *INIT]
        return subprocess.run(
            python, cwd=ROOT, env=environment, check=False, capture_output=True, stdin=subprocess.DEVNULL
        )

    ended = typed("-c", KILLED, file)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert not (project.root / "monitors/made.yaml").exists()
    ended = typed("-m", "pipeline")
    assert ended.returncode == ExitCode.SOUND, ended.stderr.decode()
    assert main(["check", "made"]) == ExitCode.SOUND
    assert [path.name for path in (project.root / "monitors").iterdir()] == ["made.yaml"]
    assert [path.name for path in (project.root / "expectations").iterdir()] == ["made.json"]


def test_what_a_kill_left_of_a_file_goes_with_the_next_one(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with replacing(tmp_path / "suite.json") as part:
        name = part.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-")
    (tmp_path / name).write_text("half of it, and longer")
    with replacing(tmp_path / "suite.json") as part:
        part.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["suite.json"]
    assert (tmp_path / "suite.json").read_text() == "whole"


def test_of_two_who_write_a_file_at_once_both_write_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "suite.json"
    with replacing(path) as slow, slow.open("w") as stream:
        stream.write("half of it, ")
        stream.flush()
        write_text(path, "quick")
        stream.write("and the rest")
        stream.flush()
        assert path.read_text() == "quick"
    assert path.read_text() == "half of it, and the rest"
    assert list(tmp_path.iterdir()) == [path]


def test_many_who_write_a_file_at_once_leave_one_that_is_whole(tmp_path: Path) -> None:
    path, texts = tmp_path / "suite.json", ["a" * 90_000, "b" * 9, "c" * 500_000, "d" * 99]
    write_text(path, texts[0])

    def write(number: int) -> bool:
        write_text(path, texts[number % len(texts)])
        return path.read_text() in texts

    with ThreadPoolExecutor(len(texts)) as pool:
        assert all(pool.map(write, range(200)))
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_person_writes_into_a_suite_while_another_one_is_suggested_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.complete()
    path = project.root / "expectations/people.json"
    mine = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "age", "min_value": -7, "max_value": 777},
    }

    def slowly(*arguments: Any) -> suggesting.Suggestion:
        found = suggest_suite(*arguments)
        suite = json.loads(path.read_text())
        path.write_text(json.dumps({**suite, "expectations": [*suite["expectations"], mine]}))
        return found

    suggest_suite = suggesting.suggest_suite
    monkeypatch.setattr(suggesting, "suggest_suite", slowly)
    assert main(["suggest", "people", "--date", "2026-01-14", "--write"]) == ExitCode.SOUND
    kept = [item["kwargs"] for item in json.loads(path.read_text())["expectations"]]
    assert mine["kwargs"] in kept
    assert len(kept) > 2


def test_of_two_who_begin_the_same_monitor_at_once_the_first_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write_night()
    path, suggest_suite = project.root / "monitors/made.yaml", suggesting.suggest_suite

    def slowly(*arguments: Any) -> suggesting.Suggestion:
        path.write_text("# another one's\n")
        return suggest_suite(*arguments)

    monkeypatch.setattr(suggesting, "suggest_suite", slowly)
    assert main(INIT) == ExitCode.USAGE
    assert "made.yaml: exists" in capsys.readouterr().err
    assert path.read_text() == "# another one's\n"
    assert list(path.parent.iterdir()) == [path]
