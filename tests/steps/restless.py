"""Published nights whose columns are restless: their distances from the reference, and profiles; no data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.results import (
    ColumnDrift,
    ColumnProfile,
    Decision,
    DriftResult,
    NightProfile,
    QualityResult,
    SideProfile,
    SnapshotPair,
)
from tests.project import Project

Distances = npt.NDArray[np.float64]
FIRST = date(2026, 1, 1)
NAMES = ("age", "income", "city", "plan", "tenure", "visits")
CELLS = 10
ROWS = 4_000


def day(place: int) -> date:
    return FIRST + timedelta(days=place)


def distances(nights: int, restless: int = 2) -> Distances:
    """Quiet nights, on many of which the first columns are past the default threshold."""
    found = np.random.default_rng(0).lognormal(-3.5, 0.25, (nights, len(NAMES)))
    found[:, :restless] *= 3
    return found


def publish(
    project: Project, scores: Distances, broken: Sequence[int] = (), moved: Mapping[int, float] | None = None
) -> None:
    """A night for each row of distances; `moved` has nights whose first three columns moved by so much."""
    random = np.random.default_rng(1)
    for place, row in enumerate(scores):
        _publish(project, place, row, place in broken, _profile(random, (moved or {}).get(place, 0.0)))


def _publish(project: Project, place: int, row: Distances, broken: bool, profile: Any) -> None:
    side = {"uri": "data", "objects": [], "fields": [], "rows": ROWS}
    told = {"monitor": "people", "run_date": day(place), "reference": side, "production": side}
    pair = SnapshotPair.model_validate(told)
    columns = tuple(
        ColumnDrift(
            name=name, kind="numerical", method="wasserstein", direction="distance", score=float(score), threshold=0.1,
            drifted=float(score) >= 0.1, status="evaluated",
        )
        for name, score in zip(NAMES, row, strict=True)
    )  # fmt: skip
    share = sum(item.drifted for item in columns) / len(columns)
    drift = DriftResult(snapshots=pair.digest, drift_share=share, limit=0.3, drifted=share > 0.3, columns=columns)
    status = "data_broken" if broken else "drifted" if drift.drifted else "healthy"
    decision = Decision.model_validate(
        {"snapshots": pair.digest, "status": status, "retrain": status == "drifted", "reason": "r"}
    )
    quality = QualityResult(snapshots=pair.digest, suite="people", passed=not broken, outcomes=())
    made = NightProfile(snapshots=pair.digest, reference="r", columns=profile)
    kept = (pair, quality, drift, made, decision)
    project.night(str(day(place))).publish({f"{result.file}.json": result.to_json() for result in kept})


def _profile(random: np.random.Generator, moved: float) -> tuple[ColumnProfile, ...]:
    even = np.full(CELLS, 1 / CELLS)
    tilted = even + moved * np.linspace(-1, 1, CELLS) / CELLS
    reference = SideProfile(rows=ROWS * 10, missing=0, cells=(ROWS,) * CELLS)
    return tuple(
        ColumnProfile(
            name=name,
            kind="numerical",
            edges=tuple(map(float, range(CELLS - 1))),
            reference=reference,
            production=SideProfile(
                rows=ROWS, missing=0, cells=tuple(map(int, random.multinomial(ROWS, tilted if place < 3 else even)))
            ),
        )
        for place, name in enumerate(NAMES)
    )
