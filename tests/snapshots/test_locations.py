"""Which files a location means: one contract, and the same list for the same tree on disk and on S3."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import NightjarError, SnapshotMissing, SnapshotUnreadable, SourceUnavailable
from pipeline.snapshots.locations import list_objects
from pipeline.storage import s3 as s3_client
from tests.servers.s3 import S3

NIGHT = {
    "n/part-0.parquet": 9,
    "n/part-1.PARQUET": 9,
    "n/000_0": 9,
    "n/empty-marker": 0,
    "n/_SUCCESS": 0,
    "n/notes.txt": 9,
    "n/part-0.parquet.crc": 9,
    "n/values.dat": 9,
    "n/.hidden.parquet": 9,
    "n/_temporary/0/part-9.parquet": 9,
    "n/h=00/part-2.pq": 9,
    "n/h=01/deep/part-3.parquet": 9,
    "n/h=01/_tmp.parquet": 9,
    "n/_x=1/part-4.parq": 9,
    "n/archive/part-9.parquet": 9,
    "near/part-0.parquet": 9,
    "n.parquet": 9,
}
ALL = ["000_0", "_x=1/part-4.parq", "archive/part-9.parquet", "h=00/part-2.pq", "h=01/deep/part-3.parquet",
       "part-0.parquet", "part-1.PARQUET"]  # fmt: skip
ODD = {
    "prod [v1]/dt=1/p[0].parquet": 9,
    "prod v/p.parquet": 9,
    "prod 1/p.parquet": 9,
    "a#b/c?d/50%.parquet": 9,
    "a#b/cxd/50%.parquet": 9,
    "sp ace/x%20y.parquet": 9,
    "é/ü.parquet": 9,
    "s*r/p.parquet": 9,
    "star/p.parquet": 9,
}


def in_night(*names: str) -> list[str]:
    return [f"n/{name}" for name in names]


# A tree, what is asked of it, and what is meant.
TABLE: list[tuple[Mapping[str, int], str, list[str]]] = [
    (NIGHT, "n", in_night(*ALL)),
    (NIGHT, "n/", in_night(*ALL)),
    (NIGHT, "n/part-0.parquet", in_night("part-0.parquet")),
    (NIGHT, "n/values.dat", in_night("values.dat")),
    (NIGHT, "n/_temporary/", in_night("_temporary/0/part-9.parquet")),
    (NIGHT, "n/.hidden.parquet", in_night(".hidden.parquet")),
    (NIGHT, "n/*.parquet", in_night("part-0.parquet")),
    (NIGHT, "n/*", in_night(*ALL)),
    (
        NIGHT,
        "n/*/",
        in_night("_x=1/part-4.parq", "archive/part-9.parquet", "h=00/part-2.pq", "h=01/deep/part-3.parquet"),
    ),
    (NIGHT, "n/**", in_night(*ALL)),
    (NIGHT, "n/**/*.parquet", in_night("archive/part-9.parquet", "h=01/deep/part-3.parquet", "part-0.parquet")),
    (NIGHT, "n/**/h=*/", in_night("h=00/part-2.pq", "h=01/deep/part-3.parquet")),
    (NIGHT, "n/**/deep/**", in_night("h=01/deep/part-3.parquet")),
    (NIGHT, "n/h=*/", in_night("h=00/part-2.pq", "h=01/deep/part-3.parquet")),
    (NIGHT, "n/h=*", in_night("h=00/part-2.pq", "h=01/deep/part-3.parquet")),
    (NIGHT, "n/h=*/*", in_night("h=00/part-2.pq", "h=01/deep/part-3.parquet")),
    (NIGHT, "n/h=0?/*.pq", in_night("h=00/part-2.pq")),
    (NIGHT, "n/h=0[!0]/", in_night("h=01/deep/part-3.parquet")),
    (NIGHT, "n/part-[0-1].parquet", in_night("part-0.parquet")),
    (NIGHT, "n/*.dat", in_night("values.dat")),
    (NIGHT, "n/*.crc", in_night("part-0.parquet.crc")),
    (NIGHT, "n/_temp*/**/*.parquet", in_night("_temporary/0/part-9.parquet")),
    (NIGHT, "n/h=01/_*", in_night("h=01/_tmp.parquet")),
    (NIGHT, "*/part-0.parquet", ["n/part-0.parquet", "near/part-0.parquet"]),
    (NIGHT, "n*/part-0.parquet", ["n/part-0.parquet", "near/part-0.parquet"]),
    (NIGHT, "**/part-0.parquet", ["n/part-0.parquet", "near/part-0.parquet"]),
    (NIGHT, "n*.parquet", ["n.parquet"]),
    (ODD, "prod [v1]/", ["prod [v1]/dt=1/p[0].parquet"]),
    (ODD, "prod [v1]/dt=1/p[0].parquet", ["prod [v1]/dt=1/p[0].parquet"]),
    (ODD, "prod [v1]/dt=*/*.parquet", ["prod [v1]/dt=1/p[0].parquet"]),
    (ODD, "prod [v1]/dt=*/p[0].parquet", ["prod [v1]/dt=1/p[0].parquet"]),
    (ODD, "prod [v2]/", ["prod v/p.parquet"]),
    (ODD, "prod [[]v1]/", ["prod [v1]/dt=1/p[0].parquet"]),
    (ODD, "a#b/c?d/", ["a#b/c?d/50%.parquet"]),
    (ODD, "a#b/c?d/*%.parquet", ["a#b/c?d/50%.parquet"]),
    (ODD, "a#b/*", ["a#b/c?d/50%.parquet", "a#b/cxd/50%.parquet"]),
    (ODD, "sp ace/x%20y.parquet", ["sp ace/x%20y.parquet"]),
    (ODD, "sp ace", ["sp ace/x%20y.parquet"]),
    (ODD, "é/*", ["é/ü.parquet"]),
    (ODD, "s*r/", ["s*r/p.parquet"]),
    (ODD, "st*r/", ["star/p.parquet"]),
]
NOTHING: list[tuple[Mapping[str, int], str]] = [
    (NIGHT, "n/nothing-*"),
    (NIGHT, "n/h=*/*.parquet"),
    (NIGHT, "n/part-0.parquet/"),
    (NIGHT, "n/part-*/"),
    (NIGHT, "n/empty-marker*"),
    (NIGHT, "absent/"),
    ({"n/notes.txt": 9, "n/_SUCCESS": 0}, "n/"),
]  # fmt: skip
Lists = Callable[[Mapping[str, int], str], list[str]]


def on_disk(root: Path, tree: Mapping[str, int], location: str) -> list[str]:
    for name, size in tree.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(bytes(size))
    return [item.uri.removeprefix(f"{root}/") for item in list_objects(f"{root}/{location}")]


def on_s3(s3: S3, tree: Mapping[str, int], location: str, root: str = "") -> list[str]:
    for name, size in tree.items():
        s3.put(root + name, bytes(size))
    return [item.uri.removeprefix(s3.uri(root)) for item in list_objects(s3.uri(root + location))]


@pytest.fixture(params=["disk", pytest.param("s3", marks=pytest.mark.slow)])
def lists(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lists]:
    """Puts a tree down and lists a location of it."""
    if request.param == "disk":
        yield lambda tree, location: on_disk(tmp_path, tree, location)
        return
    server = request.getfixturevalue("s3")
    s3_client.client.cache_clear()
    yield lambda tree, location: on_s3(server, tree, location)
    s3_client.client.cache_clear()


@pytest.mark.parametrize(("tree", "location", "meant"), TABLE)
def test_a_location_means_these_files(lists: Lists, tree: Mapping[str, int], location: str, meant: list[str]) -> None:
    assert lists(tree, location) == meant


@pytest.mark.parametrize(("tree", "location"), NOTHING)
def test_or_none(lists: Lists, tree: Mapping[str, int], location: str) -> None:
    with pytest.raises(SnapshotMissing, match=r"no parquet file there.*check the path"):
        lists(tree, location)


def test_what_lies_there_instead_is_said(lists: Lists) -> None:
    with pytest.raises(SnapshotMissing) as raised:
        lists({"n/notes.txt": 9, "n/a.csv": 9, "n/_SUCCESS": 0, "n/b.csv": 1}, "n/")
    assert (
        "no parquet file there, but 4 other files (_SUCCESS, a.csv, b.csv and 1 more): what counts ends in .parq"
        in (str(raised.value))
    )


DELTA, HUDI = "_delta_log/00000000000000000000.json", ".hoodie/hoodie.properties"
ICEBERG = "metadata/00000-9f.metadata.json"


@pytest.mark.parametrize(
    ("log", "name"), [(DELTA, "a Delta table"), (HUDI, "a Hudi table"), (ICEBERG, "an Iceberg table")]
)
@pytest.mark.parametrize(
    "location", ["t", "t/", "t/*.parquet", "t/data/", "t/data/x=1/p.parquet", "t/**/*.parquet", "t*/", "*/p.parquet"]
)
def test_a_table_is_refused_by_name(lists: Lists, log: str, name: str, location: str) -> None:
    tree = {f"t/{log}": 9, "t/p.parquet": 9, "t/data/x=1/p.parquet": 9, "other/p.parquet": 9}
    with pytest.raises(
        SnapshotUnreadable,
        match=rf"t/ is {name} .*Export the version that is meant to a folder of plain parquet files elsewhere",
    ):
        lists(tree, location)


def test_a_table_beside_what_is_meant_does_not_matter(lists: Lists) -> None:
    tree = {f"t/{DELTA}": 9, "t/p.parquet": 9, "plain/p.parquet": 9, "plain/metadata/readme.json": 9}
    assert lists(tree, "plain/") == ["plain/p.parquet"]


PARTS = ["a", "b", "_x", ".h", "x=1", "_y=2", "[a]", "a[b", "a b"]
FILES = ["p.parquet", "q.parquet", "part-0", "_SUCCESS", "n.txt", ".p.parquet", "r.PQ", "[p].parquet"]
TREES = st.dictionaries(
    st.tuples(st.lists(st.sampled_from(PARTS), max_size=3), st.sampled_from(FILES)).map(
        lambda made: "/".join([*made[0], made[1]])
    ),
    st.sampled_from([0, 4]),
    min_size=1,
    max_size=8,
)
PATTERNS = st.tuples(
    st.lists(
        st.sampled_from(
            [*PARTS, *FILES, "*", "**", "?", "[ab]", "[!a]", "*=*", "_*", "*.parquet", "[_a]*", "*.txt", "x=?"]
        ),
        min_size=1,
        max_size=4,
    ).map("/".join),
    st.sampled_from(["", "/"]),
).map("".join)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES, patterns=st.lists(PATTERNS, min_size=1, max_size=4))
def test_disk_and_s3_agree_on_any_tree_and_pattern(
    s3: S3, tmp_path: Path, tree: dict[str, int], patterns: list[str]
) -> None:
    s3_client.client.cache_clear()
    number = len(list(tmp_path.iterdir()))
    folder = tmp_path / str(number)
    folder.mkdir()
    for pattern in patterns:
        here = found(on_disk, folder, tree, pattern)
        there = found(on_s3, s3, tree, pattern, f"{number}/")
        assert here == there, (sorted(tree), pattern)
        assert set(here) <= set(tree)


def found(lists: Callable[..., list[str]], *what: object) -> list[str]:
    try:
        return lists(*what)
    except SnapshotMissing:
        return []


@pytest.mark.slow
def test_markers_of_folders_are_no_data(s3: S3) -> None:
    s3_client.client.cache_clear()
    for key in ("n/", "n/h=0/", "n_$folder$", "n"):
        s3.put(key, b"")
    s3.put("n/h=0/p.parquet", b"x")
    for location in ("n/", "n", "n/h=0/", "n/*", "n/h=*/"):
        assert [item.uri for item in list_objects(s3.uri(location))] == [s3.uri("n/h=0/p.parquet")]


def test_links_are_followed_and_count_once(tmp_path: Path) -> None:
    for name in ("v1/p.parquet", "v1/q.parquet", "elsewhere/r.parquet"):
        (tmp_path / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "s" / name).write_bytes(b"x")
    (tmp_path / "s" / "latest").symlink_to(tmp_path / "s" / "v1")
    (tmp_path / "s" / "v1" / "back").symlink_to(tmp_path / "s")
    (tmp_path / "s" / "v1" / "itself").symlink_to(tmp_path / "s" / "v1" / "itself")
    (tmp_path / "s" / "v1" / "same.parquet").symlink_to(tmp_path / "s" / "v1" / "p.parquet")

    def names(location: str) -> list[str]:
        return [os.path.relpath(item.uri, tmp_path / "s") for item in list_objects(str(tmp_path / "s" / location))]

    assert names("") == ["elsewhere/r.parquet", "v1/p.parquet", "v1/q.parquet"]
    with pytest.raises(SnapshotUnreadable, match="back: a link out of"):
        names("latest")
    (tmp_path / "s" / "v1" / "back").unlink()
    assert names("latest") == ["latest/p.parquet", "latest/q.parquet"]


def test_a_link_to_nothing_and_names_that_are_no_text_are_errors_that_say_so(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "p.parquet").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SnapshotMissing, match=r"p\.parquet: a link to a file that is not there"):
        list_objects(str(tmp_path / "gone"))
    (tmp_path / "bytes").mkdir()
    with open(os.fsencode(tmp_path / "bytes") + b"/p\xff.parquet", "wb") as file:
        file.write(b"x")
    with pytest.raises(SnapshotUnreadable, match=r"p\\udcff\.parquet: its name is not UTF-8"):
        list_objects(str(tmp_path / "bytes"))


@pytest.mark.parametrize("location", ["", "pipe.parquet", "*"])
def test_pipes_are_no_data(tmp_path: Path, location: str) -> None:
    os.mkfifo(tmp_path / "pipe.parquet")
    with pytest.raises(SnapshotMissing, match="no parquet file there"):
        list_objects(str(tmp_path / location))


def test_what_nobody_may_look_into_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(SourceUnavailable, match="cannot be listed: Permission denied; check its permissions"):
        list_objects(str(tmp_path))
    assert issubclass(SourceUnavailable, NightjarError)
