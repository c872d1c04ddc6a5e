"""Data that is late, huge in little, or built so that readers lose their way: a verdict or a named state, in bounds."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.checks.quality import Limits
from pipeline.checks.quality.engines.chunks import read_columns
from pipeline.checks.quality.suite.arguments import Unsuitable
from pipeline.checks.quality.validate import open_files
from pipeline.cli import main
from pipeline.errors import ExitCode, SnapshotMissing, SnapshotUnreadable
from pipeline.results import QualityResult
from pipeline.snapshots import Cache, pin
from tests.project import Project, people

DAY = "2026-01-14"
NIGHT = ["run", "people", "--date", DAY]
ROOT = Path(__file__).parents[2]


def test_a_snapshot_that_is_still_being_written_is_waited_for(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = {"reference": "data/reference/", "production": "data/production/dt={date}/"}
    project.complete(snapshots={**sources, "settle": "1h"})
    assert main(NIGHT) == ExitCode.SNAPSHOT
    told = capsys.readouterr().out
    assert "still being written" in told
    assert "part-0.parquet changed" in told
    assert SnapshotMissing.retryable
    project.write_monitor(snapshots={**sources, "settle": "1s"})
    time.sleep(1.1)
    assert main(NIGHT) == ExitCode.SOUND


def test_a_file_that_was_copied_with_its_old_time_is_new_and_one_of_the_future_is_not_waited_for(
    tmp_path: Path,
) -> None:
    import os

    cache = Cache(tmp_path / "cache", 10**9)
    (tmp_path / "s").mkdir()
    people(10, 1).to_parquet(tmp_path / "s/x.parquet")
    os.utime(tmp_path / "s/x.parquet", (1, 1))
    with pytest.raises(SnapshotMissing, match="still being written"):
        pin(f"{tmp_path}/s/", cache, settle=60)
    os.utime(tmp_path / "s/x.parquet", (4e9, 4e9))
    assert pin(f"{tmp_path}/s/", cache, settle=60).rows == 10


@pytest.mark.parametrize("wrong", ["10", "10 m", "-1s", "1d", 600, "99999s", [1]])
def test_a_settle_time_that_is_none_is_told(
    project: Project, wrong: object, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write_suite()
    project.write_monitor(snapshots={"reference": "a", "production": "b", "settle": wrong})
    assert main(["check", "--without-data"]) == ExitCode.USAGE
    assert "snapshots.settle: found" in capsys.readouterr().err


def deep(levels: int, rows: int) -> pa.Array:
    kind, value = pa.int64(), 1
    for _ in range(levels):
        kind, value = pa.list_(kind), [value]  # type: ignore[assignment]
    return pa.array([value] * rows, kind)


def add_column(path: Path, column: pa.Array) -> None:
    pq.write_table(pq.read_table(path).append_column("deep", column), path)


def test_lists_in_lists_in_lists_are_a_column_like_others_that_cannot_be_compared(project: Project) -> None:
    asked: list[dict[str, Any]] = [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "deep"}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "age"}},
    ]
    night = project.complete()
    project.write_suite(expectations=asked)
    for name, rows in (("reference", 2_000), (f"production/dt={DAY}", 1_500)):
        add_column(project.root / "data" / name / "part-0.parquet", deep(40, rows))
    assert main(NIGHT) == ExitCode.SOUND
    quality = night.read(QualityResult)
    assert quality is not None
    suite = [item for item in quality.outcomes if item.expectation == asked[0]["type"] and item.check is None]
    assert [(item.passed, item.engine) for item in suite] == [(True, "pandas"), (True, "duckdb")]


def test_a_column_that_is_nested_beyond_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"deep": deep(120, 2)}), path)
    with pytest.raises(SnapshotUnreadable, match="nested more than 100 levels deep"):
        pin(str(path), Cache(tmp_path / "cache", 10**9))


def repeated(path: Path, text: str, rows: int) -> Path:
    """A text in every row: a few kilobytes."""
    codes = pa.array(np.zeros(rows, dtype=np.int32))
    column = pa.DictionaryArray.from_arrays(codes, pa.array([text]))
    pq.write_table(pa.table({"city": column}), path, store_schema=False)
    return path


MEASURED = """
import resource, sys
from pathlib import Path
from pipeline.checks.quality import Limits
from pipeline.checks.quality.suite.read import load_suite
from pipeline.checks.quality.validate import validate_suite
import great_expectations
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = validate_suite(load_suite(Path(sys.argv[1])), [Path(sys.argv[2])], "x", limits=Limits(budget_bytes=2**28))
asked = [item for item in found.outcomes if item.engine == "pandas"]
print(len(asked), all(item.passed for item in asked))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_long_text_that_is_repeated_takes_the_memory_of_one(project: Project) -> None:
    rows, text = 1_000_000, "x" * 2_000  # 2 GB, written out
    path = repeated(project.root / "data/long.parquet", text, rows)
    asked = {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "city", "regex": "^(?=x)"}}
    suite = project.write_suite(expectations=[asked])
    command = [sys.executable, "-W", "ignore", "-c", MEASURED, str(suite), str(path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    verdict, megabytes = ended.stdout.splitlines()
    assert verdict == "1 True"
    assert int(megabytes) < 700


def test_text_beyond_the_budget_is_a_reason_and_no_lack_of_memory(tmp_path: Path) -> None:
    frame = pd.DataFrame({"city": [f"{row:0>3000}" for row in range(3_000)]})
    frame.to_parquet(tmp_path / "x.parquet", index=False)
    files = open_files([tmp_path / "x.parquet"])
    assert read_columns(files, ["city"], budget_bytes=2**24)["city"].tolist() == frame["city"].tolist()
    with pytest.raises(Unsuitable, match=r"more than 1\.0 MB of memory \(PIPELINE_MEMORY_BUDGET_BYTES\)"):
        read_columns(files, ["city"], budget_bytes=10**6)


def test_a_small_budget_sends_no_more_checks_to_pandas_than_a_large_one(project: Project) -> None:
    from pipeline.checks.quality.suite.read import load_suite
    from pipeline.checks.quality.validate import validate_suite

    random = np.random.default_rng(0)
    frame = pd.DataFrame({f"n{place}": random.normal(size=400_000) for place in range(12)})
    path = project.write_parquet("wide.parquet", frame)
    limits = {"min_value": -1, "max_value": 1}
    asked = [
        {"type": kind, "kwargs": {"column": name, **limits}}
        for name in frame
        for kind in ("expect_column_median_to_be_between", "expect_column_mean_to_be_between")
    ]
    suite = load_suite(project.write_suite(expectations=asked))
    small, large = (
        validate_suite(suite, [path], "x", limits=Limits(budget_bytes=budget)) for budget in (64 * 2**20, 2**31)
    )
    assert small.outcomes == large.outcomes
    assert {item.engine for item in small.outcomes} <= {"duckdb", "metadata", None}
