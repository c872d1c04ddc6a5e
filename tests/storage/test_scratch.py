"""Work that is thrown away is gone, however its process ended."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.storage.scratch import scratch_folder, sweep, temporary_folder

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path

import pytest
from pipeline.storage.scratch import scratch_folder

with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "training_set.parquet").write_text("rows")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def left(parent: Path) -> list[str]:
    return [str(path.relative_to(parent)) for path in parent.rglob("*") if path.name != ".lock"]


def killed(parent: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(parent)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert any(name.endswith("training_set.parquet") for name in left(parent))


def test_a_folder_is_empty_for_one_user_and_gone_in_the_end(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "cache") as folder:
        assert list(folder.iterdir()) == []
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        (folder / "rows").write_text("x")
    assert left(tmp_path / "cache") == ["work"]


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path: Path) -> None:
    killed(tmp_path)
    with scratch_folder(tmp_path) as folder:
        assert [name for name in left(tmp_path) if "training_set" in name] == []
        assert folder.is_dir()


def test_many_begin_and_end_at_once(tmp_path: Path) -> None:
    """Who sweeps in the very moment in which another one ends finds its folder whole or not at all."""

    def work(number: int) -> None:
        with scratch_folder(tmp_path) as folder:
            (folder / "rows").write_text(str(number))
            assert [path.name for path in folder.iterdir()] == ["rows"]

    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(work, range(400)))) == 400
    assert left(tmp_path) == ["work"]


def test_a_sweep_removes_what_nobody_uses_and_nothing_else(tmp_path: Path) -> None:
    sweep(tmp_path)
    assert left(tmp_path) == []
    killed(tmp_path)
    with scratch_folder(tmp_path) as one, scratch_folder(tmp_path) as other:
        (one / "rows").write_text("x")
        sweep(tmp_path)
        assert (one / "rows").read_text() == "x"
        assert other.is_dir()
    assert left(tmp_path) == ["work"]


def test_a_temporary_folder_is_of_this_user_and_found_again_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "nightjar-work-a").symlink_to("/etc")
    (tmp_path / "nightjar-work-b").mkdir(mode=0o755)
    with temporary_folder() as folder:
        own = folder.parents[2]
    assert own.parent == tmp_path
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    killed(own)
    with temporary_folder() as folder:
        assert folder.parents[2] == own
        assert [name for name in left(own) if "training_set" in name] == []
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "nightjar-work-a", tmp_path / "nightjar-work-b", own])


def test_of_two_who_begin_at_once_among_temporary_files_neither_leaves_what_nobody_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each makes a folder, and both are killed."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("a", "b"):
        (tmp_path / f"nightjar-work-{name}").mkdir(mode=0o700)
        killed(tmp_path / f"nightjar-work-{name}")
    with temporary_folder():
        assert [name for name in left(tmp_path) if "training_set" in name] == []
