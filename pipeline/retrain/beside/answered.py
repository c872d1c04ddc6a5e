"""What a version says of the rows of a night: asked once of its model files, and kept in the run store.

    <store>/<monitor>/.probation/<version>/<night>.parquet

holds an answer for each row, in the order of production's, and nothing of the rows themselves; labels that come later
need no second asking. What was said of other bytes, or by other files, is asked anew.
"""

from __future__ import annotations

import io
import json
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config import Monitor
from pipeline.errors import TrainingFailed
from pipeline.metrics.draws import Answers
from pipeline.results import Snapshot, Task
from pipeline.retrain.champion.registry import Registry, Version
from pipeline.retrain.data.frames import frame_of
from pipeline.retrain.data.gather import Source
from pipeline.retrain.data.training_set import draw
from pipeline.retrain.judging.trial import ask
from pipeline.retrain.model.model_files import Description, describe
from pipeline.retrain.model.process import run
from pipeline.retrain.progress import Progress
from pipeline.storage.run_store import RunStore
from pipeline.wording import listed

if TYPE_CHECKING:
    import pyarrow as pa

_STAMP = b"nightjar"


class NightLacksColumns(Exception):
    """Production has not all that a version learnt from, so what it would say of that night is not what it is worth."""


@dataclass(frozen=True)
class Said:
    """A version's answers, one for each of the chosen rows of a night, in order; `positive` as in a `Description`."""

    answers: Answers
    task: Task
    positive: int | str | None = None


@dataclass
class Desk:
    """Where versions are asked. `scratch` is an empty folder with room for the rows of a night and for models."""

    monitor: Monitor
    registry: Registry
    store: RunStore
    source: Source
    scratch: Path
    progress: Progress
    models: dict[str, Path] = field(default_factory=dict)

    def model(self, version: Version) -> Path:
        """The verified files of a version, fetched once.

        Raises:
            ModelTampered: they are not the registered ones, or Nightjar did not register any.
        """
        if version.number not in self.models:
            folder = self.scratch / f"version-{version.number}"
            folder.mkdir()
            self.models[version.number] = self.registry.fetch(version, folder)
        return self.models[version.number]


def said(desk: Desk, version: Version, day: date, production: Snapshot) -> Said:
    """What a version says of a night's production.

    Raises:
        ModelTampered: its files are not the registered ones.
        TrainingFailed: it could not be loaded or asked.
        NightLacksColumns: production lacks a column that it learnt from.
    """
    key, stamp = place(desk.monitor.name, version, day), _stamp(desk, version, production)
    content = desk.store.read_page(key)
    kept = None if content is None else _unpack(content, stamp)
    if kept is None:
        desk.progress(f"{day}: version {version.number} answers")
        content = _pack(_ask(desk, version, production), stamp)
        desk.store.write_page(key, content)
        kept = _unpack(content, stamp)  # as every later look will read it
    if kept is None:
        raise TrainingFailed(f"the answers of version {version.number} cannot be kept")
    return kept


def place(monitor: str, version: Version, day: date) -> str:
    """Where the run store keeps what a version said of a night."""
    return f"{monitor}/.probation/{version.number}/{day}.parquet"


def chosen_rows(desk: Desk, production: Snapshot, columns: list[str]) -> pa.Table:
    """The rows of a night that are asked about, with some columns: at most `retrain.max_rows`, always the same ones.

    Part by part, so that a large night is never in memory whole.
    """
    import pyarrow as pa

    present = [name for name in columns if name in {item.name for item in production.fields}]
    chosen, parts, first = draw(production.rows, desk.monitor.retrain.max_rows), [], 0
    for position, item in enumerate(production.objects):
        rows = [row - first for row in chosen if first <= row < first + item.rows]
        first += item.rows
        parts.append(desk.source.read(production, present, position).take(rows))
    return pa.concat_tables(parts, promote_options="permissive")


def _stamp(desk: Desk, version: Version, production: Snapshot) -> dict[str, Any]:
    return {
        "production": production.digest,
        "model": version.tags.get("model_sha256"),
        "most_rows": desk.monitor.retrain.max_rows,
    }


def _ask(desk: Desk, version: Version, production: Snapshot) -> Said:
    model = desk.model(version)
    kept = _description(version, model)
    present = {item.name for item in production.fields}
    missing = [name for name in kept.features.names if name not in present]
    if missing:
        raise NightLacksColumns(
            f"production has no column {listed(missing)}, which version {version.number} learnt from"
        )
    rows = frame_of(chosen_rows(desk, production, list(kept.features.names)), exact=())
    minutes = desk.monitor.retrain.time_limit_minutes
    deadline = time.monotonic() + minutes * 60

    def work(command: str, folder: Path) -> dict[str, Any]:
        return run(command, folder, deadline - time.monotonic(), minutes, desk.progress)

    with tempfile.TemporaryDirectory(dir=desk.scratch) as folder:
        answers = ask(model, rows, desk.monitor.retrain, Path(folder) / "job", work)
    return Said(answers, kept.task, kept.positive)


def _description(version: Version, model: Path) -> Description:
    try:
        return describe(model)
    except (KeyError, TypeError, OSError) as error:
        raise TrainingFailed(
            f"version {version.number} is no model that Nightjar saved, so it cannot be asked"
        ) from error


def _pack(found: Said, stamp: dict[str, Any]) -> bytes:
    """As parquet: a column for the prediction and one for the probability of each class."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"prediction": pa.array(found.answers.predictions)}
    if found.answers.probabilities is not None:
        for nth, values in enumerate(found.answers.probabilities.T):
            columns[f"p{nth}"] = pa.array(values.astype("float32"))
    told = stamp | {"classes": list(found.answers.classes), "task": found.task, "positive": found.positive}
    buffer = io.BytesIO()
    table = pa.table(columns).replace_schema_metadata({_STAMP: json.dumps(told).encode()})
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _unpack(content: bytes, stamp: dict[str, Any]) -> Said | None:
    """None where it is about other bytes, or cannot be read."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
        told = json.loads((table.schema.metadata or {})[_STAMP])
    except (pa.ArrowException, KeyError, ValueError):
        return None
    if any(told.get(name) != value for name, value in stamp.items()):
        return None
    named = [name for name in table.column_names if name != "prediction"]
    probabilities = np.column_stack([table[name].to_numpy().astype("float64") for name in named]) if named else None
    answers = Answers(table["prediction"].to_numpy(), tuple(told["classes"]), probabilities)
    return Said(answers, told["task"], told["positive"])
