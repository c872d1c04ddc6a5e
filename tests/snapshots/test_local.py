"""Snapshots on a local disk: what is found, what is pinned, and what is refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import SnapshotChanged, SnapshotMissing, SnapshotUnreadable
from pipeline.snapshots import Cache, open_snapshot, pin
from pipeline.snapshots import fetch as fetching
from pipeline.snapshots.listed import Listed
from pipeline.snapshots.locations import list_objects
from tests.snapshots.reading import read_frame


def write(path: Path, values: list[int], column: str = "a") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({column: values}).to_parquet(path, index=False)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**9)


def test_a_directory_is_all_parquet_files_below_it_in_order(tmp_path: Path, cache: Cache) -> None:
    write(tmp_path / "s" / "b" / "part-1.parquet", [3])
    write(tmp_path / "s" / "a" / "part-0.parquet", [1, 2])
    for ignored in ("_SUCCESS", "_temporary/x.parquet", ".hidden.parquet", "readme.txt"):
        (tmp_path / "s" / ignored).parent.mkdir(exist_ok=True)
        (tmp_path / "s" / ignored).write_bytes(b"not parquet")
    snapshot = pin(str(tmp_path / "s"), cache)
    assert [item.rows for item in snapshot.objects] == [2, 1]
    assert snapshot.rows == 3
    with open_snapshot(snapshot, cache) as paths:
        assert read_frame(paths)["a"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("pattern", ["*.parquet", "part-[01].parquet", "../*/part-?.parquet", "**/*.parquet"])
def test_a_glob_and_a_single_file_work_too(tmp_path: Path, pattern: str) -> None:
    write(tmp_path / "s" / "part-0.parquet", [1])
    write(tmp_path / "s" / "part-1.parquet", [2])
    assert len(list_objects(str(tmp_path / "s" / pattern))) == 2
    assert len(list_objects(str(tmp_path / "s" / "part-0.parquet"))) == 1


@pytest.mark.parametrize("what", ["absent", "empty", "absent/*.parquet"])
def test_nothing_there_is_a_missing_snapshot(tmp_path: Path, what: str, cache: Cache) -> None:
    (tmp_path / "empty").mkdir()
    folder = what.split("/", maxsplit=1)[0]
    with pytest.raises(SnapshotMissing, match=f"{folder}.*no parquet file there; check the path"):
        pin(str(tmp_path / what), cache)


@pytest.mark.parametrize("keep", [0, 3, 100, -1])
def test_a_file_that_is_cut_off_is_named(tmp_path: Path, keep: int, cache: Cache) -> None:
    write(tmp_path / "s" / "part-0.parquet", [1])
    cut = write(tmp_path / "s" / "part-1.parquet", list(range(1000)))
    cut.write_bytes(cut.read_bytes()[:keep])
    with pytest.raises(SnapshotUnreadable, match=r"part-1\.parquet: not a readable parquet file"):
        pin(str(tmp_path / "s"), cache)


def test_parts_with_other_columns_or_types_are_named(tmp_path: Path, cache: Cache) -> None:
    write(tmp_path / "s" / "part-0.parquet", [1])
    pd.DataFrame({"a": ["y"], "b": ["x"]}).to_parquet(tmp_path / "s" / "part-1.parquet")
    with pytest.raises(SnapshotUnreadable) as raised:
        pin(str(tmp_path / "s"), cache)
    assert "part-1.parquet: its columns differ from those of " in str(raised.value)
    assert "a (int64 / string), b (absent / string)" in str(raised.value)


def test_parts_may_order_their_columns_differently(tmp_path: Path, cache: Cache) -> None:
    (tmp_path / "s").mkdir()
    pd.DataFrame({"a": [1], "b": ["x"]}).to_parquet(tmp_path / "s" / "0.parquet")
    pd.DataFrame({"b": ["y"], "a": [2]}).to_parquet(tmp_path / "s" / "1.parquet")
    with open_snapshot(pin(str(tmp_path / "s"), cache), cache) as paths:
        assert read_frame(paths).to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


def test_an_empty_snapshot_is_pinned_as_zero_rows(tmp_path: Path, cache: Cache) -> None:
    write(tmp_path / "s.parquet", [])
    assert pin(str(tmp_path / "s.parquet"), cache).rows == 0


def test_later_readers_get_the_pinned_bytes_even_if_the_file_was_overwritten(tmp_path: Path, cache: Cache) -> None:
    path = write(tmp_path / "s.parquet", [1])
    snapshot = pin(str(path), cache)
    write(path, [2])
    with open_snapshot(snapshot, cache) as paths:
        assert read_frame(paths)["a"].tolist() == [1]


def test_a_file_overwritten_since_is_an_error_where_the_cache_has_lost_the_pinned_one(
    tmp_path: Path, cache: Cache
) -> None:
    path = write(tmp_path / "s.parquet", [1])
    snapshot = pin(str(path), cache)
    write(path, [2])
    shutil.rmtree(tmp_path / "cache")
    with (
        pytest.raises(SnapshotChanged, match=r"s\.parquet: changed after it was pinned"),
        open_snapshot(snapshot, Cache(tmp_path / "cache", 10**9)),
    ):
        pass
    path.unlink()
    with pytest.raises(SnapshotChanged, match="it was removed"), open_snapshot(snapshot, cache):
        pass


def test_equal_content_is_fetched_again_by_another_machine(tmp_path: Path, cache: Cache) -> None:
    path = write(tmp_path / "s.parquet", [1])
    snapshot = pin(str(path), cache)
    os.utime(path, (1, 1))
    with open_snapshot(snapshot, Cache(tmp_path / "other", 10**9)) as paths:
        assert read_frame(paths)["a"].tolist() == [1]


def test_a_file_written_to_while_it_is_fetched_is_an_error_not_a_mixture(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "s.parquet", list(range(100_000)))
    monkeypatch.setattr(fetching, "_BLOCK", 4096)
    original = fetching._require_state
    calls = iter(range(10))

    def touch_on_second_look(listed: Listed, status: os.stat_result) -> None:
        if next(calls) == 1:
            with open(path, "r+b") as stream:
                stream.write(b"XXXX")
            status = os.stat(path)
        original(listed, status)

    monkeypatch.setattr(fetching, "_require_state", touch_on_second_look)
    with pytest.raises(SnapshotChanged, match="written to or replaced"):
        pin(str(path), cache)


def test_a_changed_file_is_noticed_even_if_its_size_and_time_are_set_back(tmp_path: Path, cache: Cache) -> None:
    path = write(tmp_path / "s.parquet", [1])
    before, status = pin(str(path), cache), path.stat()
    content = bytearray(path.read_bytes())
    content[4] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert pin(str(path), cache).digest != before.digest


def test_a_column_that_cannot_be_decoded_is_an_error_that_says_so(tmp_path: Path, cache: Cache) -> None:
    path = write(tmp_path / "s.parquet", list(range(1000)))
    content = bytearray(path.read_bytes())
    content[4:300] = bytes(296)
    path.write_bytes(bytes(content))
    with open_snapshot(pin(str(path), cache), cache) as paths, pytest.raises(SnapshotUnreadable, match="decoded"):
        read_frame(paths)


def test_the_digest_is_of_the_content_wherever_it_lies(tmp_path: Path, cache: Cache) -> None:
    one = pin(str(write(tmp_path / "x" / "s.parquet", [1, 2])), cache)
    two = pin(str(write(tmp_path / "y" / "t.parquet", [1, 2])), cache)
    other = pin(str(write(tmp_path / "z" / "s.parquet", [2, 1])), cache)
    assert one.digest == two.digest != other.digest
