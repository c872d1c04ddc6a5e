"""What is kept of a snapshot: bounded like all else, for one user, and found only while the snapshot is the same."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SnapshotUnreadable
from pipeline.results import Snapshot
from pipeline.snapshots import Cache, Shelf, pin
from pipeline.snapshots import shelf as shelves


def snapshot(folder: Path, cache: Cache, rows: int = 3) -> Snapshot:
    path = folder / "x.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"a": range(rows)}), path)
    return pin(str(path), cache)


def keep(shelf: Shelf, what: str, content: bytes) -> None:
    shelf.keep(what, lambda path: path.write_bytes(content))


def kept(shelf: Shelf, what: str) -> bytes | None:
    stream = shelf.open(what)
    if stream is None:
        return None
    with stream:
        return stream.readall()


def test_what_is_kept_is_found_by_equal_snapshots_and_names_alone(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10**6)
    found = snapshot(tmp_path, cache)
    keep(Shelf(cache, found), "age", b"1")
    keep(Shelf(cache, found), "age", b"2")
    elsewhere = snapshot(tmp_path / "elsewhere", cache)
    assert kept(Shelf(Cache(tmp_path / "cache", 10**6), elsewhere), "age") == b"1"
    assert kept(Shelf(cache, found), "income") is None
    assert kept(Shelf(cache, snapshot(tmp_path / "other", cache, 4)), "age") is None
    for other in ({"form": "another"}, {"objects": found.objects * 2}):
        assert kept(Shelf(cache, found.model_copy(update=other)), "age") is None
    partition = found.objects[0].model_copy(update={"partition": (("country", "DE"),)})
    assert kept(Shelf(cache, found.model_copy(update={"objects": (partition,)})), "age") is None
    Shelf(cache, found).drop("age")
    assert kept(Shelf(cache, found), "age") is None


def test_what_is_kept_is_for_one_user_and_cannot_be_written(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10**6)
    keep(Shelf(cache, snapshot(tmp_path, cache)), "age", b"1")
    files = [path for path in (tmp_path / "cache/objects").iterdir() if path.read_bytes() == b"1"]
    assert [path.stat().st_mode & 0o777 for path in files] == [0o400]
    folders = [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_what_is_kept_makes_room_and_counts_like_an_object(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10_000)
    shelf = Shelf(cache, snapshot(tmp_path, cache))
    for number in range(30):
        keep(shelf, str(number), bytes([number]) * 1_000)
        assert kept(shelf, "0") == b"\0" * 1_000  # it is the one that was used last
        assert sum(path.stat().st_size for path in (tmp_path / "cache/objects").iterdir()) <= 10_000
    assert kept(shelf, "1") is None
    assert kept(shelf, "29") == bytes([29]) * 1_000
    assert len(list((tmp_path / "cache/made_of").iterdir())) <= 10


def test_it_can_be_read_to_its_end_although_it_was_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10**6)
    shelf = Shelf(cache, snapshot(tmp_path, cache))
    keep(shelf, "age", b"1" * 100)
    stream = shelf.open("age")
    assert stream is not None
    with stream:
        shelf.drop("age")
        assert kept(shelf, "age") is None
        assert stream.readall() == b"1" * 100


def test_who_keeps_the_same_for_long_does_not_hold_up_who_could_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shelves, "_PATIENCE_SECONDS", 0.05)
    cache = Cache(tmp_path / "cache", 10**6)
    shelf = Shelf(cache, snapshot(tmp_path, cache))
    with cache.partial(shelf._uri, f"kept {shelf._address('age')}"):
        keep(shelf, "age", b"1")
    assert "another process has held" in caplog.text
    assert kept(shelf, "age") is None
    keep(shelf, "age", b"1")
    assert kept(shelf, "age") == b"1"


def test_what_cannot_be_made_or_kept_leaves_nothing_and_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(tmp_path / "cache", 10**6)
    shelf = Shelf(cache, snapshot(tmp_path, cache))

    def broken(path: Path) -> None:
        path.write_bytes(b"half of i")
        raise SnapshotUnreadable("column 'a' cannot be read")

    before = sorted((tmp_path / "cache").rglob("*[!k]"))
    shelf.keep("age", broken)
    assert "column 'a' cannot be read" in caplog.text
    assert kept(shelf, "age") is None
    assert [path for path in sorted((tmp_path / "cache").rglob("*[!k]")) if path not in before] == []
    (tmp_path / "cache/objects").rename(tmp_path / "gone")
    (tmp_path / "cache/objects").write_text("a file")
    keep(shelf, "age", b"1")
    assert kept(shelf, "age") is None
    shelf.drop("age")
    assert caplog.text.count("cannot be used") == 3
