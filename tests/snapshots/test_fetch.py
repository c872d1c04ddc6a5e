"""What several processes want at the same time is fetched once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pandas as pd
import pytest

from pipeline.errors import SnapshotChanged
from pipeline.results import Snapshot
from pipeline.snapshots import Cache, open_snapshot, pin
from pipeline.snapshots.cache import Known, Lease
from tests.servers.s3 import FlakyS3

TASKS = 3


class Watched(Cache):
    """A cache that counts what is added; `meanwhile` happens once it is known that an object has to be fetched."""

    def __init__(self, folder: Path, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(folder, 10**9)
        self.meanwhile = meanwhile
        self.added = 0

    @contextmanager
    def partial(self, uri: str, state: str, patience: float | None = None) -> Iterator[Path]:
        self.meanwhile()
        with super().partial(uri, state, patience) as path:
            yield path

    def add(self, partial: Path, found: Known, uri: str, state: str, made_of: Collection[str] = ()) -> Lease:
        self.added += 1
        return super().add(partial, found, uri, state, made_of)


def parquet(path: Path, rows: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"a": range(rows)}).to_parquet(path)
    return path


def open_it(snapshot: Snapshot, cache: Cache) -> bytes:
    with open_snapshot(snapshot, cache) as paths:
        return paths[0].read_bytes()


def fetched_at_once(folder: Path, task: Callable[[Cache], object]) -> tuple[int, list[object]]:
    """How often several tasks, that all miss an object at the same time, fetch it; and what they got. Each has a cache
    object of its own, as a process would.
    """
    all_missed = Barrier(TASKS)
    caches = [Watched(folder, all_missed.wait) for _ in range(TASKS)]
    with ThreadPoolExecutor(TASKS) as pool:
        got = list(pool.map(task, caches))
    return sum(cache.added for cache in caches), got


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    """The folder of a cache, for those who want an object to be no longer there."""
    return tmp_path / "cache"


def test_tasks_that_need_one_pinned_file_at_the_same_time_copy_it_once(tmp_path: Path, lost: Path) -> None:
    path = parquet(tmp_path / "s.parquet")
    snapshot = pin(str(path), Cache(lost, 10**9))
    shutil.rmtree(lost)
    added, got = fetched_at_once(lost, lambda cache: open_it(snapshot, cache))
    assert (added, got) == (1, [path.read_bytes()] * TASKS)


def test_nights_that_pin_one_file_at_the_same_time_copy_it_once(tmp_path: Path, lost: Path) -> None:
    path = parquet(tmp_path / "s.parquet")
    added, got = fetched_at_once(lost, lambda cache: pin(str(path), cache).digest)
    assert (added, len(set(got))) == (1, 1)


@pytest.mark.parametrize("versioned", [False, True])
def test_an_object_on_s3_that_several_need_at_the_same_time_is_downloaded_once(
    tmp_path: Path, lost: Path, s3_flaky: FlakyS3, versioned: bool
) -> None:
    if versioned:
        s3_flaky.s3.enable_versioning()
    body = parquet(tmp_path / "s.parquet").read_bytes()
    uri = s3_flaky.s3.put("p/0.parquet", body)

    added, pinned = fetched_at_once(lost, lambda cache: pin(uri, cache))
    assert (added, len(s3_flaky.gets("p/0.parquet"))) == (1, 1)
    snapshot = pinned[0]
    assert isinstance(snapshot, Snapshot)
    assert pinned == [snapshot] * TASKS

    shutil.rmtree(lost)
    added, got = fetched_at_once(lost, lambda cache: open_it(snapshot, cache))
    assert (added, got) == (1, [body] * TASKS)
    assert len(s3_flaky.gets("p/0.parquet")) == 2


def test_pinned_content_that_comes_from_another_address_meanwhile_is_not_fetched_again(
    tmp_path: Path, lost: Path
) -> None:
    path = parquet(tmp_path / "one" / "s.parquet")
    snapshot = pin(str(path), Cache(lost, 10**9))
    twin = shutil.copy(path, tmp_path / "two.parquet")
    shutil.rmtree(lost)
    cache = Watched(lost, lambda: pin(str(twin), Cache(lost, 10**9)))
    assert (open_it(snapshot, cache), cache.added) == (path.read_bytes(), 0)


def test_a_changed_file_that_is_known_already_is_not_fetched_to_be_refused(tmp_path: Path, lost: Path) -> None:
    path = parquet(tmp_path / "s.parquet")
    snapshot = pin(str(path), Cache(lost, 10**9))
    shutil.rmtree(lost)
    parquet(path, rows=4)
    pin(str(path), Cache(lost, 10**9))
    cache = Watched(lost)
    with pytest.raises(SnapshotChanged, match="not the one that was pinned"):
        open_it(snapshot, cache)
    assert cache.added == 0


def test_a_reader_keeps_its_file_when_equal_content_comes_from_another_address(tmp_path: Path, lost: Path) -> None:
    one, two = (parquet(tmp_path / name / "s.parquet") for name in ("one", "two"))
    cache = Cache(lost, 1)
    with open_snapshot(pin(str(one), cache), cache) as paths:
        pin(str(two), Cache(lost, 1))
        pin(str(parquet(tmp_path / "other.parquet", rows=9)), Cache(lost, 1))
        assert paths[0].read_bytes() == one.read_bytes()
