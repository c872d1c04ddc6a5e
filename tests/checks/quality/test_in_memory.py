"""Great Expectations leaves nothing on the disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from pipeline.checks.quality.engines.in_memory import context_in_memory


def test_a_context_makes_no_folder_that_a_kill_could_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def note(*asking: object, **_: object) -> str:
        asked.append(asking)
        return str(tmp_path / "made")

    monkeypatch.setattr(tempfile, "mkdtemp", note)
    assert context_in_memory() is not None
    assert asked == []
