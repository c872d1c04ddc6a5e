"""What a process that is killed while it writes leaves in a local store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from pipeline.storage.run_store import RunStore

DAY = date(2026, 1, 14)
KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from pipeline.storage.run_store import RunStore
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
RunStore(sys.argv[1]).note_receipt("people", date(2026, 1, 14), "mail", "half")
"""


def hidden(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob(".*~*") if path.is_file())


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """The file that a writer of a receipt left, as it was killed."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    (found,) = hidden(tmp_path)
    return found


def aged(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_what_a_killed_writer_left_goes_when_a_file_of_its_folder_is_next_written(tmp_path: Path, left: Path) -> None:
    store = RunStore(str(tmp_path))
    store.note_receipt("others", DAY, "mail", "another folder")
    assert hidden(tmp_path) == [left]
    store.note_receipt("people", DAY, "chat", "whole")
    assert hidden(tmp_path) == []
    assert store.receipt("people", DAY, "mail") is None


def test_what_somebody_may_still_be_writing_stays(tmp_path: Path, left: Path) -> None:
    here, pid = left.name.split("~")[1].split("-")[:2]
    running = left.rename(left.with_name(left.name.replace(f"-{pid}-", f"-{os.getpid()}-")))
    elsewhere = left.with_name(left.name.replace(here, "0" * 8))
    elsewhere.write_bytes(b"")
    for path in (running, elsewhere):
        aged(path, 3_600)
    store = RunStore(str(tmp_path))
    store.note_receipt("people", DAY, "mail", "whole")
    assert hidden(tmp_path) == sorted([running, elsewhere])
    aged(elsewhere, 100_000)
    store.note_receipt("people", DAY, "mail", "again")
    assert hidden(tmp_path) == [running]
