"""A night reads no column of a reference that another night has read."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from pipeline.checks.scan import Table
from pipeline.results import NightProfile
from pipeline.snapshots import shelf
from pipeline.steps import nightly
from tests.project import Project, people

NIGHTS = tuple(f"2026-01-{day}" for day in (11, 12, 13, 14))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Rows and names of the columns that are read."""
    monkeypatch.setattr(shelf, "FEWEST_ROWS", 0)
    found: list[tuple[int, str]] = []
    batches = Table.batches

    def counted(table: Table, name: str, **options: int) -> Iterator[pa.Array]:
        found.append((table.rows, name))
        return batches(table, name, **options)

    monkeypatch.setattr(Table, "batches", counted)
    return found


def write(project: Project) -> None:
    """Nights of other sizes: the reference is more than eight times as long as the last two."""
    project.complete()
    for number, (day, rows) in enumerate(zip(NIGHTS, (1_500, 1_400, 170, 190), strict=True)):
        project.write_parquet(f"production/dt={day}/part-0.parquet", people(rows, number + 1))


def measure(project: Project, day: str) -> tuple[bytes, bytes]:
    """The drift and the profile of a night, as they are kept."""
    night = project.night(day)
    nightly.pull_snapshots(night)
    drift = nightly.measure_drift(night)
    return drift.to_json(), night.load(NightProfile).to_json()


def test_nights_with_the_same_reference_stop_reading_it_and_find_the_same(
    project: Project, read: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project)
    with monkeypatch.context() as patch:
        patch.setattr(shelf, "FEWEST_ROWS", 10**9)
        plain = [measure(project, day) for day in NIGHTS]
    was_read = []
    for day, found in (*zip(NIGHTS, plain, strict=True), *zip(NIGHTS, plain, strict=True)):
        read.clear()
        assert measure(project, day) == found
        was_read.append({name for rows, name in read if rows == 2_000})
    columns = {"age", "income", "city", "score", "prediction"}
    # On the first night nobody knows that it stays, and the third is the first to ask how pieces of it differ.
    assert was_read == [columns] * 3 + [set()] * 5
    project.write_parquet("reference/part-0.parquet", people(2_000, seed=9))
    read.clear()
    measure(project, NIGHTS[0])
    assert {name for rows, name in read if rows == 2_000} == columns


def test_of_a_reference_that_is_another_every_night_nothing_is_kept_but_that_it_was_seen(
    project: Project, read: list[tuple[int, str]]
) -> None:
    write(project)
    for seed, day in enumerate(NIGHTS):
        project.write_parquet("reference/part-0.parquet", people(2_000, seed))
        read.clear()
        measure(project, day)
        assert {name for rows, name in read if rows == 2_000}
    made = {path.name for path in (project.root / "var/cache/made_of").iterdir()}
    assert {(project.root / "var/cache/objects" / name).read_bytes() for name in made} == {b"seen"}


def test_of_a_small_reference_nothing_is_kept(project: Project) -> None:
    write(project)
    for day in NIGHTS:
        measure(project, day)
    assert not list((project.root / "var/cache/made_of").iterdir())


def validate(project: Project, day: str) -> bytes:
    night = project.night(day)
    nightly.pull_snapshots(night)
    return nightly.validate_quality(night).to_json()


def test_the_quality_gate_reads_what_drift_kept(project: Project, read: list[tuple[int, str]]) -> None:
    """And finds the same; on its own it keeps nothing, and does not count as a night that saw the reference."""
    write(project)
    plain = [validate(project, day) for day in NIGHTS[:2]]
    for day in NIGHTS[:2]:
        measure(project, day)
    read.clear()
    assert [validate(project, day) for day in NIGHTS[:2]] == plain
    assert {name for rows, name in read if rows == 2_000} == {"id", "prediction"}  # no column of drift's, a class here
