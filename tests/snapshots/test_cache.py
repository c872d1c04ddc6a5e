"""The cache: bounded, shared, and never pulled from under a reader."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

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


def test_many_objects_are_looked_at_a_few_times_not_for_each_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, look = [], Cache._make_room

    def counted(cache: Cache) -> None:
        looks.append(1)
        look(cache)

    monkeypatch.setattr(Cache, "_make_room", counted)
    cache = Cache(tmp_path, 10_000)
    for number in range(150):
        with put(cache, f"{number:0100d}".encode(), uri=str(number)):
            assert size(tmp_path) <= 10_000
        if number == 89:
            assert len(looks) < 30
    assert size(tmp_path) >= 9_000


def test_an_object_in_use_is_never_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 150)
    with put(cache, b"a" * 100, uri="a") as used:
        with put(cache, b"b" * 100, uri="b"), put(Cache(tmp_path, 150), b"c" * 100, uri="c"):
            pass
        assert used.path.read_bytes() == b"a" * 100
    with put(cache, b"d" * 100, uri="d"):
        assert cache.lease(used.sha256) is None
    assert size(tmp_path) <= 150


def test_what_nobody_needs_is_forgotten_but_not_what_somebody_reads(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 1_000)
    kept, gone, used = (put(cache, name.encode() * 100, uri=name) for name in "abc")
    for lease in (kept, gone):
        lease.__exit__(None, None, None)
    assert cache.bytes_of({kept.sha256, gone.sha256, "0" * 64}) == 200
    cache.forget({gone.sha256, used.sha256, "0" * 64})
    assert sorted(path.name for path in (tmp_path / "objects").iterdir()) == sorted([kept.sha256, used.sha256])
    assert used.path.read_bytes() == b"c" * 100
    assert (cache.known("b", "state"), cache.known("a", "state")) == (None, Known(kept.sha256))


def test_what_was_made_of_an_object_goes_with_it_and_nothing_else(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 1_000)
    sources = []
    for name in "ab":
        with put(cache, name.encode() * 100, uri=name) as lease:
            sources.append(lease.sha256)
    for name, made_of in (("1" * 64, sources[:1]), ("2" * 64, sources), ("3" * 64, sources[1:])):
        with cache.partial(name, "state") as partial:
            partial.write_bytes(b"made")
            with cache.add(partial, Known(name), name, "state", made_of):
                pass
    assert cache.bytes_of(sources[:1]) == 108
    with Cache(tmp_path, 1_000).lease("1" * 64) or pytest.fail("not there"):
        cache.forget(sources[:1])
        assert (tmp_path / "objects" / ("1" * 64)).exists()
    cache.forget(sources[:1])
    assert {path.name for path in (tmp_path / "objects").iterdir()} == {sources[1], "3" * 64}
    assert [path.name for path in (tmp_path / "made_of").iterdir()] == ["3" * 64]


def test_an_object_in_use_stays_the_one_in_use_when_equal_content_comes_from_elsewhere(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 150)
    with put(cache, b"a" * 100, uri="a") as used:
        before = used.path.stat().st_ino
        with put(Cache(tmp_path, 150), b"a" * 100, uri="elsewhere") as other:
            assert (other.sha256, other.path.stat().st_ino) == (used.sha256, before)
        with put(cache, b"b" * 100, uri="b"):
            pass
        assert used.path.read_bytes() == b"a" * 100
        assert cache.known("a", "state") == cache.known("elsewhere", "state") == Known(used.sha256)
    assert not [path for path in (tmp_path / "partial").iterdir() if path.suffix != ".lock"]


KILLED_WHILE_IT_REMEMBERS = """
import os, signal, sys
from pathlib import Path
from pipeline.snapshots.cache import Cache, Known

def replace(source, target):
    if Path(target).parent.name == "known":
        os.kill(os.getpid(), signal.SIGKILL)

os.replace = replace
with (cache := Cache(Path(sys.argv[1]), 1000)).partial("x", "state") as partial:
    partial.write_bytes(b"abc")
    cache.add(partial, Known("0" * 64), "x", "state")
"""


def test_what_a_kill_leaves_while_an_object_is_remembered_is_written_over(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_WHILE_IT_REMEMBERS, str(tmp_path)]
    assert subprocess.run(command, cwd=Path(__file__).parents[2], check=False).returncode == -signal.SIGKILL
    with put(Cache(tmp_path, 1000), b"abc"):
        pass
    left = [path.parent.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert sorted(left) == ["known", "objects", "seals"]


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
        with pytest.raises(SourceUnavailable, match=r"s3://data/x: another process has held .*partial for 0.1 s"):
            Cache(tmp_path, 1000).partial("s3://data/x", "state").__enter__()
        with Cache(tmp_path, 1000).partial("s3://data/y", "state") as another:
            another.write_bytes(b"whole")


def test_what_goes_wrong_in_a_fetch_is_not_taken_for_waiting(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError), Cache(tmp_path, 1000).partial("x", "state"):
        raise TimeoutError


def test_a_good_object_that_took_the_place_of_a_damaged_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two find an object damaged, and one of them is still at it when the other has fetched it again and reads it."""
    slow, quick, content = Cache(tmp_path, 1000), Cache(tmp_path, 1000), b"a" * 100
    with put(slow, content) as damaged:
        damaged.path.chmod(0o600)
        damaged.path.write_bytes(b"b" * 100)
    digest, leased = hashlib.file_digest, []

    def meanwhile(*arguments: Any) -> Any:
        found = digest(*arguments)
        monkeypatch.setattr(hashlib, "file_digest", digest)
        assert quick.lease(damaged.sha256) is None
        leased.append(put(quick, content))
        return found

    monkeypatch.setattr(hashlib, "file_digest", meanwhile)
    assert slow.lease(damaged.sha256) is None
    with leased[0] as reading:
        assert reading.path.read_bytes() == content


def test_who_fetches_for_hours_holds_up_nobody_who_wants_another_object(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10_000)
    with ExitStack() as fetching:
        for number in range(300):
            fetching.enter_context(Cache(tmp_path, 10_000).partial(f"s3://drips/{number}", "state", patience=0))
        with cache.partial("another", "state", patience=0) as partial:
            partial.write_bytes(b"abc")
        with (
            pytest.raises(SourceUnavailable, match="another process has held"),
            cache.partial("s3://drips/7", "state", patience=0),
        ):
            pass
    assert [path.suffix for path in (tmp_path / "partial").iterdir()] == [""]


def test_one_at_a_time_fetches_an_object_although_the_lock_goes_with_each(tmp_path: Path) -> None:
    inside: list[int] = []

    def fetch(number: int) -> bool:
        with Cache(tmp_path, 10_000).partial("x", "state"):
            inside.append(number)
            time.sleep(0.001)
            return inside.pop() == number and not inside

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(fetch, range(40)))
