"""Suites, snapshots and nights for tests of the quality gate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.checks.quality import Limits, load_suite, validate
from pipeline.config import Monitor
from pipeline.results import (
    ColumnType,
    ExpectationOutcome,
    PinnedObject,
    QualityResult,
    Snapshot,
    SnapshotPair,
)

RUN_DATE = date(2026, 1, 14)
OFF: dict[str, None] = dict.fromkeys((
    "missing_column", "retyped_column", "extra_column", "row_volume", "row_history", "missing_values",
    "unseen_category", "out_of_range", "outliers", "duplicate_id", "freshness", "prediction_skew", "class_imbalance",
    "duplicate_rows", "same_data",
))  # fmt: skip


def entry(kind: str, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    """One expectation as a suite file has it."""
    return {"type": kind, "kwargs": kwargs, "severity": severity}


def write_suite(folder: Path, content: Any) -> Path:
    """A suite file: a list of entries, or any text."""
    path = folder / "suite.json"
    path.write_text(content if isinstance(content, str) else json.dumps({"name": "s", "expectations": content}))
    return path


def write_parts(folder: Path, data: pd.DataFrame | pa.Table, parts: int = 1) -> list[Path]:
    """The data as parquet files of about equal size."""
    table = data if isinstance(data, pa.Table) else pa.Table.from_pandas(data, preserve_index=False)
    folder.mkdir(parents=True, exist_ok=True)
    size = max(1, -(-table.num_rows // parts))
    paths = []
    for part in range(parts):
        paths.append(folder / f"part-{part:04d}.parquet")
        pq.write_table(table.slice(part * size, size), paths[-1])
    return paths


def monitor(
    columns: Mapping[str, Any] | None = None, checks: Mapping[str, Any] | None = None, examples: int = 0
) -> Monitor:
    """A monitor; `checks` says which built-in checks are on, by default none."""
    return Monitor.model_validate(
        {
            "name": "people",
            "owner": "team",
            "snapshots": {"reference": "r", "production": "p"},
            "columns": dict(columns or {}),
            "quality": {"suite": "s", "examples": examples, "checks": {**OFF, **(checks or {})}},
        }
    )


def snapshot(paths: Sequence[Path], modified: str | None = None) -> Snapshot:
    """Parquet files as pinned."""
    schema = pq.read_schema(paths[0])
    rows = [pq.read_metadata(path).num_rows for path in paths]
    objects = tuple(
        PinnedObject(uri=str(path), size=1, sha256=f"{path.parent.name}/{path.name}", rows=count, modified=modified)
        for path, count in zip(paths, rows, strict=True)
    )
    fields = tuple(ColumnType(name=field.name, type=str(field.type)) for field in schema)
    return Snapshot(uri=str(paths[0].parent), objects=objects, fields=fields, rows=sum(rows))


def night(
    folder: Path,
    reference: pd.DataFrame | pa.Table,
    production: pd.DataFrame | pa.Table,
    monitored: Monitor,
    *entries: dict[str, Any],
    recent_rows: Sequence[int] = (),
    modified: str | None = None,
    limits: Limits | None = None,
) -> QualityResult:
    """The gate on two snapshots."""
    before, after = write_parts(folder / "reference", reference), write_parts(folder / "production", production)
    pair = SnapshotPair(
        monitor="people", run_date=RUN_DATE, reference=snapshot(before), production=snapshot(after, modified)
    )
    always = entry("expect_table_row_count_to_be_between", "info", min_value=0)
    suite = load_suite(write_suite(folder, list(entries) or [always]))
    return validate(monitored, suite, before, after, pair, recent_rows=recent_rows, limits=limits)


def run(folder: Path, data: pd.DataFrame | pa.Table, *entries: dict[str, Any], **roles: Any) -> QualityResult:
    """A suite alone on a snapshot; `examples` and column roles by name."""
    examples = roles.pop("examples", 0)
    return night(folder, data, data, monitor(roles, examples=examples), *entries)


def only(result: QualityResult) -> ExpectationOutcome:
    """The one outcome beside that of the check for rows."""
    empty, outcome = result.outcomes
    assert empty.expectation == "snapshot_not_empty"
    return outcome


def made_by(result: QualityResult, check: str) -> list[ExpectationOutcome]:
    """Outcomes of one built-in check."""
    return [item for item in result.outcomes if item.check == check]
