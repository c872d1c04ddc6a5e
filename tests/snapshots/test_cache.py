"""The cache: bounded, shared, and never pulled from under a reader."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.errors import SourceUnavailable
from pipeline.snapshots import cache as caching
from pipeline.snapshots.cache import Cache, Known, Lease


def put(cache: Cache, content: bytes, uri: str = "x") -> Lease:
    with cache.partial(uri, "state") as partial:
        partial.write_bytes(content)
        return cache.add(partial, Known(hashlib.sha256(content).hexdigest()), uri, "state")


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "objects").iterdir())


def test_an_object_is_found_by_its_content_and_by_its_last_known_state(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 1000)
    with put(cache, b"abc", uri="file") as lease:
        assert lease.path.read_bytes() == b"abc"
    assert cache.known("file", "state") == Known(lease.sha256)
    assert cache.known("file", "another state") is None
    assert cache.lease("0" * 64) is None


def test_the_least_recently_used_objects_make_room(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 250)
    leases = []
    for name in "abc":
        with put(cache, name.encode() * 100, uri=name) as lease:
            leases.append(lease.sha256)
    assert size(tmp_path) <= 250
    assert cache.lease(leases[0]) is None
    assert cache.known("a", "state") is None
    assert cache.known("c", "state") == Known(leases[2])


def test_an_object_in_use_is_never_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 150)
    with put(cache, b"a" * 100, uri="a") as used:
        with put(cache, b"b" * 100, uri="b"), put(Cache(tmp_path, 150), b"c" * 100, uri="c"):
            pass
        assert used.path.read_bytes() == b"a" * 100
    with put(cache, b"d" * 100, uri="d"):
        assert cache.lease(used.sha256) is None
    assert size(tmp_path) <= 150


def test_what_an_interrupted_fetch_left_is_there_for_the_next(tmp_path: Path) -> None:
    with Cache(tmp_path, 1000).partial("x", "state") as partial:
        partial.write_bytes(b"half")
    with Cache(tmp_path, 1000).partial("x", "state") as again:
        assert again.read_bytes() == b"half"


def test_one_that_fetches_the_same_is_waited_for_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "_PATIENCE_SECONDS", 0.1)
    with Cache(tmp_path, 1000).partial("s3://data/x", "state"):
        with pytest.raises(SourceUnavailable, match=r"s3://data/x: another process has been fetching into .*partial"):
            Cache(tmp_path, 1000).partial("s3://data/x", "state").__enter__()
        with Cache(tmp_path, 1000).partial("s3://data/y", "state") as another:
            another.write_bytes(b"whole")


def test_what_goes_wrong_in_a_fetch_is_not_taken_for_waiting(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError), Cache(tmp_path, 1000).partial("x", "state"):
        raise TimeoutError
