"""A snapshot that is not there until a file says that all of it is: `snapshots.complete`, on disk and on S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.errors import SnapshotMissing
from pipeline.snapshots import locations
from pipeline.snapshots.locations import list_objects
from pipeline.storage import s3 as s3_client

MARKER = "_SUCCESS"
Puts = Callable[[str], None]


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Puts]]:
    """An address, and what puts a file below it."""
    if request.param == "s3":
        server = request.getfixturevalue("s3")
        s3_client.client.cache_clear()
        yield server.uri(), lambda name: server.put(name, b"" if name.endswith(MARKER) else bytes(9))
        s3_client.client.cache_clear()
        return

    def put(name: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name.endswith(MARKER) else bytes(9))

    yield f"{tmp_path}/", put


@pytest.mark.parametrize(
    ("files", "location", "markers", "lacking"),
    [
        (["n/a.parquet"], "n/", ["n/"], None),
        (["n/a.parquet"], "n", ["n/"], None),
        (["n/a.parquet"], "n/", [], "n/"),
        (["n/a.parquet"], "n/", [""], "n/"),  # of a table that was written whole, some time ago
        (["n/a.parquet"], "n/a.parquet", ["n/"], None),
        (["n/a.parquet"], "n/a.parquet", [""], "n/"),
        (["n/a.parquet"], "n/*.parquet", ["n/"], None),
        (["a.parquet"], "*.parquet", [""], None),
        (["a.parquet"], "*.parquet", [], ""),
        (["n/c=DE/a.parquet", "n/c=FR/a.parquet"], "n/", ["n/"], None),
        (["n/c=DE/a.parquet", "n/c=FR/a.parquet"], "n/c=*/", ["n/"], None),
        (["n/c=DE/a.parquet", "n/c=FR/a.parquet"], "n/c=*/", ["n/c=DE/", "n/c=FR/"], None),
        (["n/c=DE/a.parquet", "n/c=FR/a.parquet"], "n/c=*/", ["n/c=DE/"], "n/c=FR/"),
        (["c=DE/dt=1/a.parquet", "c=FR/dt=1/a.parquet"], "c=*/dt=1/", ["c=DE/dt=1/"], "c=FR/dt=1/"),
        (["n/b/c/a.parquet"], "n/", ["n/b/"], None),
    ],
)
def test_each_file_needs_the_marker_beside_it_or_above_it_in_the_location(
    place: tuple[str, Puts], files: list[str], location: str, markers: list[str], lacking: str | None
) -> None:
    root, put = place
    for name in [*files, *(f"{folder}{MARKER}" for folder in markers)]:
        put(name)
    if lacking is None:
        assert [item.uri.removeprefix(root) for item in list_objects(root + location, MARKER)] == files
        return
    with pytest.raises(SnapshotMissing) as raised:
        list_objects(root + location, MARKER)
    assert f"not complete yet: {root}{lacking} has no _SUCCESS (snapshots.complete)" in str(raised.value)
    assert raised.value.retryable
    assert list_objects(root + location)


def test_a_file_that_comes_between_the_look_at_files_and_the_look_at_the_marker_is_not_lost(
    place: tuple[str, Puts], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, put = place
    put("n/a.parquet")
    look = locations._without

    def slow(*asked: object) -> str | None:
        put("n/b.parquet")
        put(f"n/{MARKER}")
        return look(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(locations, "_without", slow)
    with pytest.raises(SnapshotMissing, match="not complete yet"):
        list_objects(f"{root}n/", MARKER)
    monkeypatch.undo()
    assert len(list_objects(f"{root}n/", MARKER)) == 2
