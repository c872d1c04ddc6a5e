"""A reference that is the same on another night: not read again, and nothing is told otherwise."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.checks.drift.compare_columns import ColumnPlan, compare_columns, infer_plans
from pipeline.checks.profile.cells import CATEGORIES
from pipeline.checks.scan import Table
from pipeline.results import PROFILE_QUANTILES, Kind
from pipeline.snapshots import Cache, Shelf, pin

ROOT = Path(__file__).parents[3]
ROWS = 1_200
KINDS: tuple[Kind, ...] = ("numerical", "categorical")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**9)


def hard_table(seed: int, rows: int) -> pa.Table:
    """Columns of all kinds, with what is hard to keep: values without a twin in JSON, ties, gaps, nothing at all."""
    rng = np.random.default_rng(seed)
    gaps = rng.random(rows) < 0.1
    zeros = np.where(rng.random(rows) < 0.5, -0.0, 0.0)
    labels = [f"Tür {number} \"\\' \u2028🦉" for number in range(60)] + ["", " ", "nan", "None", "true", "1"]
    texts = [labels[place] for place in rng.integers(0, len(labels), rows)]
    days = [date(2026, 1, 1) + timedelta(int(day)) for day in rng.integers(0, 90, rows)]
    columns: dict[str, pa.Array] = {
        "floats": pa.array(np.where(gaps, np.nan, rng.standard_cauchy(rows))),
        "nulls": pa.array(rng.normal(size=rows), mask=gaps),
        "infinite": pa.array(np.where(gaps, np.inf, rng.normal(size=rows))),
        "below": pa.array(np.where(gaps, -np.inf, rng.normal(size=rows))),
        "zeros": pa.array(np.where(gaps, rng.normal(size=rows), zeros)),
        "tiny": pa.array(rng.integers(-3, 3, rows) * 5e-324),
        "huge": pa.array(rng.choice([1.7e308, -1.7e308], rows)),
        "half": pa.array(rng.normal(size=rows).astype(np.float16)),
        "single": pa.array(rng.normal(size=rows).astype(np.float32)),
        "beyond": pa.array(2**53 + rng.integers(-5, 5, rows)),
        "largest": pa.array(rng.integers(2**63 - 9, 2**63 - 1, rows).astype(np.uint64) * 2),
        "whole": pa.array(rng.integers(0, 9, rows), pa.int8()),
        "decimals": pa.array([Decimal(int(cents)) / 100 for cents in rng.integers(0, 999, rows)], pa.decimal128(9, 2)),
        "booleans": pa.array(rng.random(rows) < 0.3, mask=gaps),
        "texts": pa.array(texts, mask=gaps),
        "codes": pa.array(texts).dictionary_encode(),
        "numbers": pa.array(rng.choice([0.5, 7.0, np.nan, np.inf, 1e300], rows)).dictionary_encode(),
        "identifiers": pa.array([f"row {number}" for number in range(rows)]),
        "days": pa.array(days),
        "moments": pa.array(days).cast(pa.timestamp("ns")),
        "missing": pa.array([None] * rows, pa.float64()),
        "untyped": pa.nulls(rows),
        "lists": pa.array([[1.0, 2.0]] * rows),
        "constant": pa.array([7.0] * rows),
    }
    return pa.table(columns)


def plans_for(table: pa.Table) -> list[ColumnPlan]:
    """Every column as both kinds: most of them are not what they are listed as."""
    return [ColumnPlan(name, kind, listed=name != "texts") for name in [*table.column_names, "gone"] for kind in KINDS]


def write(path: Path, table: pa.Table) -> list[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=701)
    return [str(path)]


def told(before: list[str], after: list[str], plans: list[ColumnPlan], shelf: Shelf | None = None) -> str:
    """Everything that is found out, to the last bit."""
    return repr(compare_columns(before, after, plans, threads=1, shelf=shelf))


def kept_files(cache: Path, *others: Path) -> list[Path]:
    """The files that the cache has beside copies of others."""
    known = {path.read_bytes() for path in others}
    return [path for path in sorted((cache / "objects").iterdir()) if path.read_bytes() not in known]


@contextmanager
def read_columns(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Files and columns of which values are read."""
    found: list[tuple[str, str]] = []
    batches = Table.batches

    def counted(table: Table, name: str, **options: int) -> Iterator[pa.Array]:
        found.append((Path(table.paths[0]).name, name))
        return batches(table, name, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Table, "batches", counted)
        yield found


@pytest.mark.parametrize("rows", [0, 1, ROWS])
def test_what_is_kept_tells_the_same_to_the_last_bit(tmp_path: Path, cache: Cache, rows: int) -> None:
    table = hard_table(0, rows)
    before, plans = write(tmp_path / "r.parquet", table), plans_for(table)
    shelf = Shelf(cache, pin(before[0], cache))
    for seed, size in ((1, ROWS), (2, ROWS // 11), (3, ROWS // 20), (4, 0)):
        after = write(tmp_path / "p.parquet", hard_table(seed, size))
        plain = told(before, after, plans)
        assert "failure=Failure" not in plain
        assert told(before, after, plans, shelf) == plain, size
        assert told(before, after, plans, shelf) == plain, size


@pytest.mark.parametrize("threads", [1, 3])
def test_another_night_reads_no_column_of_an_unchanged_reference(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    table = hard_table(0, ROWS).drop_columns(["identifiers"])
    before = write(tmp_path / "r.parquet", table)
    shelf = Shelf(cache, pin(before[0], cache))
    for night, size in enumerate((ROWS // 10, ROWS // 12, ROWS, ROWS // 9)):
        after = write(tmp_path / "p.parquet", hard_table(night, size))
        with read_columns(monkeypatch) as read:
            compare_columns(before, after, infer_plans(before, after), threads=threads, shelf=shelf)
        names = {name for path, name in read if path == "r.parquet"}
        assert {name for path, name in read if path == "p.parquet"} > {"floats", "texts"}
        assert bool(names) == (night == 0), (night, names)


def test_a_night_that_asks_for_pieces_has_those_of_a_reference_that_was_kept_without(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = hard_table(0, ROWS).select(["floats", "half", "codes"])
    before, plans = write(tmp_path / "r.parquet", table), plans_for(table)
    shelf = Shelf(cache, pin(before[0], cache))
    for number, (size, is_read) in enumerate(((ROWS, True), (ROWS // 10, True), (ROWS // 12, False), (ROWS, False))):
        after = write(tmp_path / "p.parquet", hard_table(number, size))
        with read_columns(monkeypatch) as read:
            found = told(before, after, plans, shelf)
        assert found == told(before, after, plans)
        assert (("r.parquet", "floats") in read) == is_read
    assert CATEGORIES < 127
    assert PROFILE_QUANTILES + 1 < 127


def test_another_reference_another_kind_and_another_form_are_other_columns(tmp_path: Path, cache: Cache) -> None:
    folder = tmp_path / "r"
    first = write(folder / "a.parquet", pa.table({"x": [1, 2, 3, 4]}))
    snapshot = pin(first[0], cache)
    after, plans = write(tmp_path / "p.parquet", pa.table({"x": [1, 2, 2, 9]})), [ColumnPlan("x", "numerical")]
    told(first, after, plans, Shelf(cache, snapshot))
    for what in (
        snapshot.model_copy(update={"form": "other"}),
        pin(write(folder / "b.parquet", pa.table({"x": [5, 6, 7, 8]}))[0], cache),
        pin(f"{folder}/", cache),
    ):
        paths = [item.uri for item in what.objects]
        assert told(paths, after, plans, Shelf(cache, what)) == told(paths, after, plans)
    kinds = [ColumnPlan("x", "categorical"), ColumnPlan("x", "numerical")]
    assert told(first, after, kinds, Shelf(cache, snapshot)) == told(first, after, kinds)


def _cut(path: Path, other: Path) -> None:
    os.truncate(path, path.stat().st_size - 8)


def _lengthened(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0" * 8)


def _emptied(path: Path, other: Path) -> None:
    path.write_bytes(b"")


def _changed(path: Path, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 0x40
    path.write_bytes(content)


def _header(path: Path, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8:16] = b"\xff" * 8
    path.write_bytes(content)


def _words(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"values": ', b'"values": 1'))


def _no_json(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'{"what"', b"{'what'"))


def _of_another(path: Path, other: Path) -> None:
    path.write_bytes(other.read_bytes())


def _of_anybody(path: Path, other: Path) -> None:
    path.write_bytes(b"PAR1" * 5_000)


DAMAGE = [_cut, _lengthened, _emptied, _changed, _header, _words, _no_json, _of_another, _of_anybody]


@pytest.mark.parametrize("sealed", [False, True], ids=["unsealed", "sealed"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_kept_column_that_is_not_what_was_written_is_made_anew(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path, Path], None], sealed: bool
) -> None:
    """`sealed`: the cache itself does not know that the file is another one."""
    table = hard_table(0, ROWS).select(["floats", "whole"])
    before, after = write(tmp_path / "r.parquet", table), write(tmp_path / "p.parquet", hard_table(1, ROWS))
    shelf, plans = Shelf(cache, pin(before[0], cache)), infer_plans(before, before)
    plain = told(before, after, list(plans), shelf)
    first, second = kept_files(tmp_path / "cache", Path(before[0]))
    if sealed and damage is _changed:
        first.write_bytes(first.read_bytes().replace(b'"moments": [', b'"moments": [9'))
    else:
        damage(first, second)
    if sealed:
        seal = tmp_path / "cache/seals" / first.name
        seal.write_text(references_state(first))
    with read_columns(monkeypatch) as read:
        assert told(before, after, list(plans), shelf) == plain
    assert len({name for path, name in read if path == "r.parquet"}) == 1
    with read_columns(monkeypatch) as read:
        assert told(before, after, list(plans), shelf) == plain
    assert not {name for path, name in read if path == "r.parquet"}


def references_state(path: Path) -> str:
    from pipeline.snapshots.disk import file_state

    return file_state(path.stat())


def test_a_disk_that_takes_no_more_costs_time_and_nothing_else(
    tmp_path: Path, cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    table = hard_table(0, ROWS)
    before, after = write(tmp_path / "r.parquet", table), write(tmp_path / "p.parquet", hard_table(1, ROWS))
    shelf, plans = Shelf(cache, pin(before[0], cache)), plans_for(table)
    plain = told(before, after, plans)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, limits[1]))
    try:
        found = told(before, after, plans, shelf)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert found == plain
    assert "nothing is kept" in caplog.text
    assert [path.name for path in (tmp_path / "cache/partial").iterdir() if path.suffix != ".lock"] == []
    assert told(before, after, plans, shelf) == plain


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.checks.drift.compare_columns import compare_columns, infer_plans
from pipeline.snapshots import Cache, Shelf, pin

folder, before, after = Path(sys.argv[1]), [sys.argv[2]], [sys.argv[3]]
CHANGES = {"os.rename", "os.remove", "os.chmod", "os.utime", "fcntl.flock"}


def night(kill_at, folder):
    left = [kill_at]

    def hook(event, arguments):
        changes = event in CHANGES or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if changes and left[0] is not None:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    cache = Cache(folder, 10**9)
    shelf = Shelf(cache, pin(before[0], cache))
    if kill_at is not None:
        sys.addaudithook(hook)
    return repr(compare_columns(before, after, infer_plans(before, after), threads=1, shelf=shelf))


plain = repr(compare_columns(before, after, infer_plans(before, after), threads=1))
killed = 0
for place in range(1_000):
    child = os.fork()
    if not child:
        os._exit(0 if night(place, folder / str(place)) == plain else 1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != -signal.SIGKILL:
        break
    killed += 1
    assert night(None, folder / str(place)) == night(None, folder / str(place)) == plain, place
print(killed, status)
"""


def program(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_night_that_is_killed_while_it_keeps_a_column_leaves_nothing_that_is_believed(tmp_path: Path) -> None:
    before = write(tmp_path / "r.parquet", hard_table(0, ROWS).select(["floats", "texts"]))
    after = write(tmp_path / "p.parquet", hard_table(1, ROWS // 10).select(["floats", "texts"]))
    found, complaints = program(KILLED, tmp_path / "cache", before[0], after[0]).communicate(timeout=120)
    killed, status = map(int, found.split()) if found else pytest.fail(complaints)
    assert status == 0, complaints
    assert killed > 20


TOGETHER = """
import sys
from pathlib import Path
from pipeline.checks.drift.compare_columns import compare_columns, infer_plans
from pipeline.snapshots import Cache, Shelf, pin

cache, before, after = Cache(Path(sys.argv[1]), 10**9), [sys.argv[2]], [sys.argv[3]]
snapshot, plans = pin(before[0], cache), infer_plans(before, after)
shelf, plain = Shelf(cache, snapshot), repr(compare_columns(before, after, plans))
sys.stdin.readline()
for round in range(20):
    if round % 5 == 4:
        cache.forget({path.name for path in (Path(sys.argv[1]) / "made_of").iterdir()})
    assert repr(compare_columns(before, after, plans, shelf=shelf)) == plain, round
"""


def test_nights_that_keep_the_same_reference_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    before = write(tmp_path / "r.parquet", hard_table(0, ROWS))
    after = [write(tmp_path / f"p{size}.parquet", hard_table(1, size)) for size in (ROWS, ROWS // 10)]
    nights = [program(TOGETHER, tmp_path / "cache", before[0], path[0]) for path in after]
    ended = [night.communicate("go\n", timeout=120) for night in nights]
    assert [(night.returncode, said[1]) for night, said in zip(nights, ended, strict=True)] == [(0, "")] * 2
