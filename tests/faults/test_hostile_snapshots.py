"""Whoever writes a snapshot reaches the verdict of his own monitor, and nothing else of the machine."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.errors import ExitCode, SnapshotUnreadable, SourceUnavailable
from pipeline.snapshots import Cache, open_snapshot, pin, read_table
from pipeline.snapshots.page_headers import NotReadable, values_of_pages
from tests.project import Project

DAY = "2026-01-14"
NIGHT = ["run", "people", "--date", DAY]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**9)


def write(path: Path, rows: int = 3, **columns: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"a": range(rows)} | columns).to_parquet(path, index=False)
    return path


def objects(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache/objects").iterdir())


@pytest.mark.parametrize("what", ["a file", "a folder", "a folder by a pattern", "a link to a link"])
def test_a_link_out_of_the_location_is_refused_and_nothing_behind_it_is_read(
    tmp_path: Path, cache: Cache, what: str
) -> None:
    private = write(tmp_path / "private/p.parquet", secret="4711")
    own, location = write(tmp_path / "s/own.parquet"), f"{tmp_path}/s/"
    if what == "a file":
        (tmp_path / "s/part.parquet").symlink_to(private)
    elif what == "a link to a link":
        (tmp_path / "s/_hop").symlink_to(private)
        (tmp_path / "s/part.parquet").symlink_to("_hop")
    else:
        (tmp_path / "s/deep").symlink_to(private.parent)
        location = location if what == "a folder" else f"{tmp_path}/s/d*/*.parquet"
    with pytest.raises(SnapshotUnreadable, match=r"a link out of .*write the file itself there"):
        pin(location, cache)
    assert objects(tmp_path) == []
    assert own.exists()


def test_links_within_a_location_and_a_location_that_is_a_link_are_followed(tmp_path: Path, cache: Cache) -> None:
    write(tmp_path / "s/v1/p.parquet")
    (tmp_path / "s/latest").symlink_to("v1")
    (tmp_path / "link").symlink_to(tmp_path / "s/v1")
    assert pin(f"{tmp_path}/s/latest/", cache).rows == pin(f"{tmp_path}/link/", cache).rows == 3
    assert pin(f"{tmp_path}/s/", cache).rows == 3  # the file once


@pytest.mark.parametrize(
    "content",
    [b"root:x:0:0", b"", b"PAR1", b"PAR1PAR1", b"PAR1 and no end", b"an end without PAR1", b"PAR1" * 50 + b"\n"],
)
def test_what_is_no_parquet_file_never_gets_into_the_cache(tmp_path: Path, cache: Cache, content: bytes) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s/x.parquet").write_bytes(content)
    with pytest.raises(SnapshotUnreadable, match=r"x\.parquet: not a readable parquet file"):
        pin(f"{tmp_path}/s/", cache)
    assert objects(tmp_path) == []
    assert [path.name for path in (tmp_path / "cache/partial").iterdir() if path.suffix != ".lock"] == []


def test_a_cache_is_for_one_user_and_readers_cannot_write_it(tmp_path: Path) -> None:
    for folder in ("objects", "known", "partial"):  # as earlier versions left them
        (tmp_path / "cache" / folder).mkdir(parents=True, mode=0o755)
    write(tmp_path / "s/p.parquet")
    pin(f"{tmp_path}/s/", Cache(tmp_path / "cache", 10**9))
    folders = [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in objects(tmp_path)} == {0o400}


@pytest.mark.parametrize("copied", [False, True])
def test_bytes_that_changed_inside_the_cache_are_never_read(tmp_path: Path, cache: Cache, copied: bool) -> None:
    write(tmp_path / "s/x.parquet")
    if copied:  # another width, so that both have copies in one form
        pq.write_table(pa.table({"a": pa.array([7], pa.int32())}), tmp_path / "s/y.parquet")
    snapshot = pin(f"{tmp_path}/s/", cache)
    before = read_table(snapshot, cache).to_pylist()
    hostile = write(tmp_path / "hostile.parquet", rows=1, a=[-1]).read_bytes()
    for item in objects(tmp_path):
        item.chmod(0o600)
        item.write_bytes(hostile)
    assert read_table(snapshot, cache).to_pylist() == before
    assert all(item.read_bytes() != hostile for item in objects(tmp_path))


def test_an_object_that_was_only_touched_is_kept_after_another_look(tmp_path: Path, cache: Cache) -> None:
    snapshot = pin(str(write(tmp_path / "s/x.parquet")), cache)
    (item,) = objects(tmp_path)
    inode = item.stat().st_ino
    os.utime(item, (1, 1))
    (tmp_path / "s/x.parquet").unlink()  # so that it could not be fetched again
    for _ in range(2):
        with open_snapshot(snapshot, cache) as paths:
            assert paths == [item]
    assert item.stat().st_ino == inode


@pytest.mark.parametrize("made", ["a file", "below a file", "a seal that is a folder"])
def test_a_cache_that_cannot_be_used_is_told_as_that(
    project: Project, made: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.complete()
    place = project.root / "place"
    if made == "a seal that is a folder":
        (place / "objects").mkdir(parents=True)
        (place / "seals").write_text("")
    else:
        place.write_text("")
    monkeypatch.setenv("PIPELINE_CACHE_DIR", str(place / "below" if made == "below a file" else place))
    assert main(NIGHT) == ExitCode.SNAPSHOT
    assert "see PIPELINE_CACHE_DIR" in capsys.readouterr().out


def varint(number: int) -> bytes:
    """A whole number as parquet's footer has it: zigzag, seven bits a byte."""
    number, out = number << 1, b""
    while number > 127:
        number, out = number >> 7, out + bytes([number & 127 | 128])
    return out + bytes([number])


def with_counts(path: Path, before: int, after: int, places: slice) -> None:
    """Rewrite a count in a footer, in some of the places where it stands."""
    content = path.read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    parts = content[start:-8].split(varint(before))
    joints = [varint(before)] * (len(parts) - 1)
    joints[places] = [varint(after)] * len(joints[places])
    footer = b"".join(part + joint for part, joint in zip(parts, [*joints, b""], strict=True))
    path.write_bytes(content[:start] + footer + len(footer).to_bytes(4, "little") + b"PAR1")


@pytest.mark.parametrize("after", [1, 1499, 10**6, 10**12])
@pytest.mark.parametrize("places", [slice(0, 1), slice(1, 3), slice(None)], ids=["file", "groups", "everywhere"])
def test_a_footer_that_says_other_rows_than_there_are_is_not_believed(
    tmp_path: Path, cache: Cache, after: int, places: slice
) -> None:
    path = write(tmp_path / "s/x.parquet", rows=1500)
    with_counts(path, 1500, after, places)
    with pytest.raises(SnapshotUnreadable, match=r"x\.parquet: (its footer is not true|not a)"):
        pin(str(path), cache)


def written(path: Path, how: str) -> Path:
    """A file of 5,000 rows in three row groups and pages of a few hundred rows, as one of several writers has it."""
    random = np.random.default_rng(0)
    texts = [f"text {number % 97} {'x' * (number % 50)}" for number in range(5_000)]
    lists = [list(range(number % 4)) if number % 7 else None for number in range(5_000)]
    rows = pa.table(
        {
            "a": pa.array(random.normal(size=5_000)).cast(pa.float64()),
            "text": texts,
            "gaps": pa.array([None if number % 3 else number for number in range(5_000)]),
            "lists": lists,
            "nested": [{"x": number, "y": {"z": str(number)}} for number in range(5_000)],
            "flag": [bool(number % 2) for number in range(5_000)],
        }
    )
    if how == "duckdb":
        duckdb.sql(f"COPY rows TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048, COMPRESSION zstd)")
        return path
    writers: dict[str, dict[str, Any]] = {
        "plain": {"use_dictionary": False, "compression": "none"},
        "dictionary": {"compression": "snappy", "write_statistics": True},
        "second version": {"data_page_version": "2.0", "compression": "zstd"},
        "checksums and an index": {"write_page_checksum": True, "write_page_index": True, "compression": "gzip"},
    }
    pq.write_table(rows, path, row_group_size=2_000, data_page_size=2_000, write_batch_size=100, **writers[how])
    return path


WRITERS = ["plain", "dictionary", "second version", "checksums and an index", "duckdb"]


@pytest.mark.parametrize("how", WRITERS)
def test_a_true_file_is_believed_whoever_wrote_it(tmp_path: Path, cache: Cache, how: str) -> None:
    assert pin(str(written(tmp_path / "x.parquet", how)), cache).rows == 5_000


@pytest.mark.parametrize("how", WRITERS)
def test_all_values_of_all_pages_are_counted_whoever_wrote_them(tmp_path: Path, how: str) -> None:
    path = written(tmp_path / "x.parquet", how)
    footer, most = pq.read_metadata(path), 0
    for place in range(footer.num_columns):
        for group in range(footer.num_row_groups):
            chunk = footer.row_group(group).column(place)
            first = chunk.dictionary_page_offset if chunk.has_dictionary_page else None
            start = first or chunk.data_page_offset
            with open(path, "rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
                found = list(values_of_pages(content, start, start + chunk.total_compressed_size))
            assert sum(found) == chunk.num_values, (place, group)
            most = max(most, len(found))
    assert most > 1 or how == "duckdb"


@given(content=st.binary(min_size=1, max_size=60))
def test_whatever_lies_in_the_place_of_a_page_is_no_page_or_has_an_end(content: bytes) -> None:
    with mmap(-1, len(content)) as place:
        place.write(content)
        with suppress(NotReadable):
            for found in values_of_pages(place, 0, len(content)):
                assert found >= 0


def test_rows_without_any_information_are_as_many_as_they_are(tmp_path: Path, cache: Cache) -> None:
    many = 2_000_000
    (tmp_path / "s").mkdir()
    pq.write_table(pa.table({"a": pa.nulls(many, pa.int8())}), tmp_path / "s/x.parquet", compression="zstd")
    assert pin(f"{tmp_path}/s/", cache).rows == many


def test_a_cache_that_a_reader_may_not_open_is_told(tmp_path: Path, cache: Cache) -> None:
    snapshot = pin(str(write(tmp_path / "s/x.parquet")), cache)
    (item,) = objects(tmp_path)
    item.unlink()
    item.symlink_to(item)  # as root may open anything else
    with pytest.raises(SourceUnavailable, match="cannot be used"), open_snapshot(snapshot, cache):
        pass
