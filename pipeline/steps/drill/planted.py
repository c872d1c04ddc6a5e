"""The data of a drill: some rows of the reference, and the same rows with faults that nobody can overlook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import Monitor
from pipeline.config.monitor import SnapshotSources
from pipeline.config.quality_checks import MissingColumn
from pipeline.config.retrain_policy import AfterPromotion
from pipeline.errors import SnapshotUnreadable
from pipeline.wording import count

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 20_000


@dataclass(frozen=True)
class Planted:
    """Two files, and in words what was done to the second."""

    reference: Path
    production: Path
    words: str


def plant(monitor: Monitor, files: Sequence[Path], folder: Path) -> Planted:
    """Write the first rows of a reference, and beside them the faulty ones: a column is gone, and in each column of
    numbers every row has the largest of them.

    Args:
        monitor: says which columns are none of the model's features.
        files: local parquet files of the reference, in order.
        folder: where to write, for nobody else's eyes.

    Raises:
        SnapshotUnreadable: there is no row, or no column to plant a fault in.
    """
    import pyarrow.parquet as pq

    rows = _rows(files)
    features = [name for name in rows.column_names if name not in _no_features(monitor)]
    if not features:
        raise SnapshotUnreadable(f"{monitor.name}: its reference has no column to plant a fault in")
    gone, *others = features
    moved = [name for name in others if _is_number(rows.schema.field(name).type)]
    faulty = rows.drop_columns([gone])
    for name in moved:
        faulty = faulty.set_column(faulty.column_names.index(name), name, _all_largest(rows.column(name)))
    reference, production = folder / "reference.parquet", folder / "production.parquet"
    pq.write_table(rows, reference)
    pq.write_table(faulty, production)
    many = count(len(moved), "column")
    words = f"planted: {count(rows.num_rows, 'row')} of the reference without the column {gone}, and with {many} moved"
    return Planted(reference, production, words)


def monitor_of(monitor: Monitor, name: str, data: Planted) -> Monitor:
    """The monitor of a drill: as the real one, but for its data, and without anything that could follow from a night.

    Args:
        monitor: the real one.
        name: of the drill's.
        data: from `plant`.
    """
    checks = monitor.quality.checks.model_copy(update={"missing_column": MissingColumn(severity="critical")})
    retrain = {"on": (), "after_promotion": AfterPromotion(), "probation_days": 0}
    changes = {
        "name": name,
        "description": f"A drill. Nothing is wrong with {monitor.name}: its faults are planted.",
        "snapshots": SnapshotSources(reference=str(data.reference), production=str(data.production)),
        "quality": monitor.quality.model_copy(update={"checks": checks}),
        "expected": (),
        "retrain": monitor.retrain.model_copy(update=retrain),
        "notify": monitor.notify.model_copy(update={"when": "always"}),
    }
    return monitor.model_copy(update=changes)


def _rows(files: Sequence[Path]) -> pa.Table:
    import pyarrow as pa

    batch = next(_batches(files), None)
    if batch is None:
        raise SnapshotUnreadable("the reference has no rows to plant a fault in")
    return pa.Table.from_batches([batch])


def _batches(files: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    for path in files:
        with pq.ParquetFile(path) as file:
            yield from (batch for batch in file.iter_batches(batch_size=ROWS) if batch.num_rows)


def _no_features(monitor: Monitor) -> set[str]:
    roles = monitor.columns
    named = {roles.id, roles.label, roles.model_version, *roles.answers, *roles.ignore}
    return {name for name in named if name is not None}


def _is_number(arrow_type: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type))


def _all_largest(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pa.repeat(pc.max(column), len(column))
