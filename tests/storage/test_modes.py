"""Who of a machine's users may read a local store."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipeline.storage.run_store import RunStore
from tests.project import Project, people
from tests.steps.published import publish

DAY = date(2026, 1, 14)


@pytest.fixture(autouse=True)
def _open_umask(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever the process would allow."""
    before = os.umask(0)
    monkeypatch.setattr("pipeline.publish.evidently_report.render", lambda *_: b"<title>drift</title>")
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_nobody_else_reads_a_store_and_only_its_user_what_is_no_page(project: Project) -> None:
    project.complete()
    publish(project, DAY, people(1_500, seed=1))
    RunStore(str(project.store)).note_receipt("people", DAY, "mail", "told")
    found = [path for path in [project.store, *project.store.rglob("*")] if not path.is_symlink()]
    own = [path for path in found if is_own(path.relative_to(project.store))]
    pages = [path for path in found if path not in own]
    assert {mode(path) for path in own} == {0o700, 0o600}
    assert {mode(path) for path in pages} == {0o750, 0o640}
    assert {".work", ".receipts"} <= {path.name for path in own if path.is_dir()}
    assert {"index.html", "drift.json", ".nights"} <= {path.name for path in pages}


def is_own(path: Path) -> bool:
    return any(part.startswith(".") and part not in (".nights", ".format") for part in path.parts)
