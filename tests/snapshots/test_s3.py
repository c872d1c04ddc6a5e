"""Snapshots on S3, over HTTP: pages, retries, resumed downloads, and objects that change."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import SnapshotChanged, SnapshotMissing, SnapshotUnreadable, SourceUnavailable
from pipeline.snapshots import Cache, open_snapshot, pin
from pipeline.snapshots import fetch as fetching
from pipeline.snapshots.fetch import fetch
from pipeline.snapshots.listed import Listed
from pipeline.snapshots.locations import list_objects
from pipeline.storage import s3 as s3_client
from tests.servers.faulty import run_faulty
from tests.servers.s3 import S3
from tests.snapshots.reading import read_frame

pytestmark = pytest.mark.slow


def parquet(rows: int = 3, start: int = 0) -> bytes:
    stream = io.BytesIO()
    pd.DataFrame({"a": range(start, start + rows)}).to_parquet(stream)
    return stream.getvalue()


def large_parquet(rows: int = 400_000) -> bytes:
    stream = io.BytesIO()
    pd.DataFrame({"a": np.random.default_rng(0).random(rows)}).to_parquet(stream)
    return stream.getvalue()


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    s3_client.client.cache_clear()
    yield Cache(tmp_path / "cache", 10**9)
    s3_client.client.cache_clear()


def test_a_prefix_is_listed_over_all_pages_without_neighbours_or_markers(s3: Any, cache: Cache) -> None:
    for part in range(8):
        s3.put(f"prod/dt=2026-01-04/part-{part}.parquet", parquet(start=part * 3))
    s3.put("prod/dt=2026-01-04/_SUCCESS", b"")
    s3.put("prod/dt=2026-01-045/part-0.parquet", b"another prefix")
    snapshot = pin(s3.uri("prod/dt=2026-01-04"), cache)
    assert (len(snapshot.objects), snapshot.rows) == (8, 24)
    with open_snapshot(snapshot, cache) as paths:
        assert read_frame(paths)["a"].tolist() == list(range(24))


def test_a_key_and_a_glob_work_too(s3: Any) -> None:
    for name in ("a-1", "a-2", "b-1"):
        s3.put(f"p/{name}.parquet", parquet())
    assert len(list_objects(s3.uri("p/a-1.parquet"))) == 1
    assert [item.uri[-11:] for item in list_objects(s3.uri("p/a-*.parquet"))] == ["a-1.parquet", "a-2.parquet"]


@pytest.mark.parametrize("location", ["s3://snapshots/nothing/here/", "s3://no-such-bucket-here/x/"])
def test_an_empty_prefix_or_bucket_is_a_missing_snapshot(s3: Any, cache: Cache, location: str) -> None:
    with pytest.raises(SnapshotMissing, match=location):
        pin(location, cache)


def test_a_cut_off_object_is_named(s3: Any, cache: Cache) -> None:
    s3.put("p/0.parquet", parquet())
    s3.put("p/1.parquet", parquet()[:-7])
    with pytest.raises(SnapshotUnreadable, match=r"p/1\.parquet: not a readable parquet file"):
        pin(s3.uri("p/"), cache)


def test_an_object_fetched_before_is_not_fetched_again(s3_flaky: Any, cache: Cache) -> None:
    s3_flaky.s3.put("p/0.parquet", parquet())
    uri = s3_flaky.s3.uri("p/")
    first, second = pin(uri, cache), pin(uri, cache)
    assert first == second
    assert len(s3_flaky.gets("p/0.parquet")) == 1


def test_a_broken_download_goes_on_where_it_stopped(s3_flaky: Any, cache: Cache) -> None:
    content = large_parquet()
    s3_flaky.s3.put("p/0.parquet", content)
    s3_flaky.drop(after=1_000_000, times=2)
    snapshot = pin(s3_flaky.s3.uri("p/"), cache)
    assert snapshot.objects[0].size == len(content)
    ranges = [exchange.range for exchange in s3_flaky.gets("p/0.parquet")]
    assert ranges[0] is None
    assert len(ranges) == 3
    assert all(str(item).startswith("bytes=") for item in ranges[1:])
    with open_snapshot(snapshot, cache) as paths:
        assert len(read_frame(paths)) == 400_000


def test_throttling_is_waited_out(s3_flaky: Any, cache: Cache) -> None:
    s3_flaky.s3.put("p/0.parquet", parquet())
    s3_flaky.fail(times=2)
    assert pin(s3_flaky.s3.uri("p/"), cache).rows == 3


def test_an_object_overwritten_after_it_was_listed_is_an_error(s3: Any, cache: Cache) -> None:
    from contextlib import ExitStack

    s3.put("p/0.parquet", parquet())
    (listed,) = list_objects(s3.uri("p/"))
    s3.put("p/0.parquet", parquet(start=7))
    with pytest.raises(SnapshotChanged, match=r"p/0\.parquet: changed after it was pinned"), ExitStack() as leases:
        fetch(listed, cache, leases)


def test_a_pinned_object_overwritten_since_is_an_error_on_another_machine(
    s3: Any, cache: Cache, tmp_path: Path
) -> None:
    s3.put("p/0.parquet", parquet())
    snapshot = pin(s3.uri("p/"), cache)
    s3.put("p/0.parquet", parquet(start=7))
    with (
        pytest.raises(SnapshotChanged, match="run the night again"),
        open_snapshot(snapshot, Cache(tmp_path / "elsewhere", 10**9)),
    ):
        pass


def test_in_a_versioned_bucket_the_pinned_version_is_still_read(s3: Any, cache: Cache, tmp_path: Path) -> None:
    s3.enable_versioning()
    s3.put("p/0.parquet", parquet())
    snapshot = pin(s3.uri("p/"), cache)
    assert snapshot.objects[0].version_id
    assert pin(s3.uri("p/"), cache) == snapshot
    s3.put("p/0.parquet", parquet(start=7))
    with open_snapshot(snapshot, Cache(tmp_path / "elsewhere", 10**9)) as paths:
        assert read_frame(paths)["a"].tolist() == [0, 1, 2]


def test_no_answer_is_an_error_that_says_what_to_check(s3: Any, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3_client.client.cache_clear()
    with pytest.raises(
        SourceUnavailable, match=r"no answer from 127\.0\.0\.1:9 .*host and port in AWS_ENDPOINT_URL_S3"
    ):
        pin(s3.uri("p/"), cache)


def test_a_download_that_always_breaks_off_is_an_error_that_says_so(
    s3_flaky: Any, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_ATTEMPTS", 2)
    s3_flaky.s3.put("p/0.parquet", large_parquet())
    s3_flaky.drop(after=1000, times=20)
    with pytest.raises(SourceUnavailable, match="broke off in the middle"):
        pin(s3_flaky.s3.uri("p/"), cache)


def test_denied_access_is_an_error_that_says_what_to_check(s3_flaky: Any, cache: Cache) -> None:
    s3_flaky.fail(times=20, status=403, code="AccessDenied")
    with pytest.raises(SourceUnavailable, match=r"access denied .*check the AWS credentials"):
        pin(s3_flaky.s3.uri("p/"), cache)


def test_a_storage_that_drips_is_given_up_when_the_time_of_a_snapshot_is_over(
    s3: S3, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First one whose objects drip, on a connection that was well before, and then one that is not listed at all."""

    def list_and_drip(*asked: Any) -> list[Listed]:
        found = list_objects(*asked)
        proxy.drip()
        return found

    for name in ("a", "b"):
        s3.put(f"{name}/0.parquet", large_parquet())
    with run_faulty(s3.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.url)
        s3_client.client.cache_clear()
        pin(s3.uri("a/"), cache)
        monkeypatch.setattr("pipeline.storage.patience._Patience.snapshot_seconds", 1.0)
        monkeypatch.setattr(sys.modules[pin.__module__], "list_objects", list_and_drip)
        words = r"^fetching s3://.*/b/ did not finish within 1 s: .*PIPELINE_SNAPSHOT_SECONDS"
        for _ in range(2):
            with pytest.raises(SourceUnavailable, match=words):
                pin(s3.uri("b/"), cache)
