"""What `init` writes lets quiet nights pass: made from some nights of four data sets, held against others.

Of a hundred quiet nights that a suite was not made from, at most one may fail it. The short form looks at a few nights
and allows for chance; `NIGHTJAR_FUZZ_EXAMPLES` says how many nights of each data set to look at instead.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.checks.quality import Limits, load_suite, validate
from pipeline.cli import main
from pipeline.config import monitor_files as monitors
from pipeline.results import ColumnType, PinnedObject, Snapshot, SnapshotPair
from tests.authoring.shapes import SHAPES, Shape, day_of
from tests.project import Project

SEEN = 14
NIGHTS = int(os.environ.get("NIGHTJAR_FUZZ_EXAMPLES", "12"))
ALLOWED = 0.01
BY_CHANCE = 1 if NIGHTS < 100 else 0
"""In the short form one night of a data set may fail, as one in a hundred does."""


def snapshot(path: Path, rows: int, day: int) -> Snapshot:
    written = datetime.combine(day_of(day), datetime.min.time(), UTC).isoformat()
    item = PinnedObject(uri=str(path), size=1, sha256=f"{day:064}", rows=rows, modified=written)
    return Snapshot(uri=str(path), objects=(item,), fields=(ColumnType(name="x", type="x"),), rows=rows)


def failures(project: Project, shape: Shape, first: int, nights: int) -> dict[int, list[str]]:
    """What fails on nights that were not seen, by night; columns that come later are no part of them."""
    monitor = monitors.load(shape.name, project.settings)
    suite = load_suite(project.root / f"expectations/{shape.name}.json")
    reference = project.root / f"data/{shape.name}/reference/part-0.parquet"
    of_reference = snapshot(reference, len(shape.reference()), 0)
    found: dict[int, list[str]] = {}
    recent = [len(shape.production(day)) for day in range(first - 14, first)]
    for day in range(first, first + nights):
        night = shape.production(day)
        path = project.write_parquet("night.parquet", night)
        pair = SnapshotPair(
            monitor=shape.name, run_date=day_of(day), reference=of_reference, production=snapshot(path, len(night), day)
        )
        limits = Limits(threads=1)
        result = validate(monitor, suite, [reference], [path], pair, recent_rows=recent[-14:], limits=limits)
        recent.append(len(night))
        found[day] = [f"{item.check or 'suite'}: {item.sentence}: {item.observed}" for item in result.failures]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_quiet_nights_pass_the_suite_that_was_made_from_others(
    project: Project, monkeypatch: pytest.MonkeyPatch, shape: Shape
) -> None:
    monkeypatch.chdir(project.root)
    shape.write(project, range(SEEN))
    assert main(["init", shape.name, *shape.addresses()]) == 0
    found = failures(project, shape, SEEN, NIGHTS)
    failed = {day: said for day, said in found.items() if said}
    print(f"{shape.name}: {len(failed)} of {len(found)} quiet nights failed", failed)  # noqa: T201
    assert len(failed) <= BY_CHANCE + ALLOWED * len(found), failed
