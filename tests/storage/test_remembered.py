"""What is kept in the cache to be known again: whole or not at all, bounded, and of one version."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.storage import remembered
from pipeline.storage.remembered import Remembered, version_digest


def test_what_is_put_is_there(tmp_path: Path) -> None:
    kept = Remembered(tmp_path / "cache" / "some", 10)
    assert kept.get("a") is None
    for content in (b"", b"content", b"other"):
        kept.put("a", content)
        assert kept.get("a") == content
    assert kept.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("cut", range(0, 70, 7))
def test_what_was_cut_short_or_has_other_bytes_is_not_there(tmp_path: Path, cut: int) -> None:
    kept = Remembered(tmp_path, 10)
    kept.put("a", b"content")
    whole = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(whole[:cut])
    assert kept.get("a") is None
    (tmp_path / "a").write_bytes(whole[:cut] + b"?" + whole[cut + 1 :])
    assert kept.get("a") is None
    kept.put("a", b"content")
    assert kept.get("a") == b"content"


def test_those_that_were_not_asked_for_longest_go(tmp_path: Path) -> None:
    kept = Remembered(tmp_path, 3)
    for number, name in enumerate("abc"):
        kept.put(name, b"")
        os.utime(tmp_path / name, (number, number))
    kept.get("a")
    kept.put("d", b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c", "d"]


def test_a_folder_that_cannot_be_used_is_one_with_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "a").mkdir(parents=True)
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere"), tmp_path / "folder"):
        kept = Remembered(folder, 3)
        kept.put("a", b"content")
        assert kept.get("a") is None


def test_nothing_is_made_below_a_folder_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    Remembered(tmp_path / "cache", 3).put("a", b"content")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("changed", ["library", "code", "python"])
def test_another_version_has_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    module = tmp_path / "inner" / "module.py"
    module.parent.mkdir()
    module.write_text("x = 1")
    before = version_digest(("numpy",), (tmp_path,))
    version_digest.cache_clear()
    assert version_digest(("numpy",), (tmp_path,)) == before
    version_digest.cache_clear()
    if changed == "library":
        monkeypatch.setattr(remembered, "version", lambda _: "99")
    elif changed == "code":
        module.write_text("x = 2")
    else:
        monkeypatch.setattr("sys.version", "4")
    assert version_digest(("numpy",), (tmp_path,)) != before
    version_digest.cache_clear()
