"""How long it takes to decide many stored nights of a wide monitor again. See benchmarks/README.md.

python -m benchmarks.backtest [--nights 90] [--columns 500] [--rows 20000] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config import Monitor
from pipeline.config.changes import read_changes
from pipeline.config.monitor_files import load_changed
from pipeline.results import (
    ColumnDrift,
    ColumnProfile,
    Decision,
    DriftResult,
    NightProfile,
    Pieces,
    QualityResult,
    Shape,
    SideProfile,
    SnapshotPair,
)
from pipeline.steps.backtest import Asked, backtest
from pipeline.steps.night import Workspace, open_workspace

FIRST = date(2026, 1, 1)
CELLS, CATEGORIES, REFERENCE_ROWS = 40, 25, 100_000
MOVED = 0.06
"""How far a column moves from night to night, in parts of its cells' rows; of one night in ten a tenth of them far."""
SETTINGS: dict[str, list[tuple[str, str]]] = {
    "limit": [("drift.limit", "0.4")],
    "alarms": [("drift.alarms.per_nights", "365")],
}
MONITOR = """\
name: wide
owner: team@example.com
snapshots: {reference: data/reference/, production: "data/dt={date}/"}
quality: {suite: wide}
retrain: {min_labelled_rows: 0}
"""


def home(folder: Path, nights: int, columns: int, rows: int) -> Workspace:
    """A home with stored nights, as thresholds judged them."""
    for place, content in (("monitors/wide.yaml", MONITOR), ("expectations/wide.json", '{"name": "wide"}')):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    os.environ["PIPELINE_HOME"] = str(folder)
    workspace, rng = open_workspace("wide"), np.random.default_rng(0)
    shares = [rng.dirichlet(np.full(CATEGORIES, 2.0)) if _is_text(at) else _even() for at in range(columns)]
    for number in range(nights):
        results = night(rng, FIRST + timedelta(days=number), shares, rows, far=number % 10 == 9)
        workspace.on(FIRST + timedelta(days=number)).publish(
            {f"{found.file}.json": found.to_json() for found in results}
        )
    return workspace


def _is_text(column: int) -> bool:
    return column % 6 == 5


def _even() -> np.ndarray[Any, Any]:
    return np.array([0.0, *np.full(CELLS, 1 / CELLS), 0.0])


def night(rng: np.random.Generator, day: date, shares: list[Any], rows: int, *, far: bool) -> list[Any]:
    """The results of a night."""
    snapshot = {"uri": "data", "objects": [], "fields": [], "rows": rows}
    pair = SnapshotPair.model_validate(
        {"monitor": "wide", "run_date": day, "reference": {**snapshot, "rows": REFERENCE_ROWS}, "production": snapshot}
    )
    made = [_column(rng, at, share, rows, far=far and at % 10 == 0) for at, share in enumerate(shares)]
    drifts = tuple(drift for drift, _ in made)
    share = sum(item.drifted for item in drifts) / len(drifts)
    profile = NightProfile(snapshots=pair.digest, reference="r", columns=tuple(found for _, found in made))
    return [
        pair,
        QualityResult(snapshots=pair.digest, suite="wide", passed=True, outcomes=()),
        DriftResult(snapshots=pair.digest, drift_share=share, limit=0.3, drifted=share > 0.3, columns=drifts),
        profile,
        Decision(snapshots=pair.digest, status="drifted" if share > 0.3 else "healthy", retrain=False, reason="r"),
    ]


def _column(
    rng: np.random.Generator, at: int, share: np.ndarray[Any, Any], rows: int, *, far: bool
) -> tuple[ColumnDrift, ColumnProfile]:
    size = 0.5 if far else MOVED
    tilt = np.exp(size * rng.normal() * np.linspace(-1, 1, share.size))
    cells = rng.multinomial(rows, share * tilt / (share * tilt).sum())
    missing = int(rng.binomial(rows, 0.02))
    before = np.round(share * REFERENCE_ROWS).astype(int)
    name, score = f"{'c' if _is_text(at) else 'f'}{at}", float(abs(rng.normal(0.0, 0.05)))
    kind: Any = "categorical" if _is_text(at) else "numerical"
    names: dict[str, Any] = {"edges": tuple(np.linspace(-2, 2, share.size - 1).tolist())}
    if _is_text(at):
        names = {"categories": tuple(f"category {number:02d}" for number in range(share.size - 1))}
    bars = tuple(np.full(20, 0.05).tolist())
    drift = ColumnDrift(
        name=name, kind=kind, method="jensenshannon" if _is_text(at) else "wasserstein", direction="distance",
        score=score, threshold=0.1, drifted=score >= 0.1, status="evaluated",
        shape=Shape(edges=(*np.linspace(-2, 2, 21).tolist(),), reference=bars, production=bars),
    )  # fmt: skip
    counted = {"mean": 0.0, "deviation": 1.0, "low": -4.0, "high": 4.0}
    return drift, ColumnProfile(
        name=name,
        kind=kind,
        **names,
        reference=SideProfile(rows=REFERENCE_ROWS, missing=2_000, cells=tuple(before.tolist()), **counted),
        production=SideProfile(rows=rows, missing=missing, cells=tuple(cells.tolist()), **counted),
        pieces=Pieces(count=8, variation={"quantiles": 0.0, "shares": 0.0, "missing": 0.0}),
    )


def main() -> None:
    """Seconds for each kind of question, the fastest of three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("nights", 90), ("columns", 500), ("rows", 20_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = home(Path(folder), options.nights, options.columns, options.rows)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.json"))
        print(f"{options.nights} nights of {options.columns} columns, {size / 1e6:.0f} MB")
        for name, settings in SETTINGS.items():
            _once(workspace, load_changed("wide", workspace.settings, {}), 2, False)  # imports
            monitor = load_changed("wide", workspace.settings, read_changes(settings, ("drift",)))
            runs = 1 if options.profile else 3
            taken = [_once(workspace, monitor, options.nights, options.profile) for _ in range(runs)]
            print(f"{name}: {min(taken):.2f} s")


def _once(workspace: Workspace, monitor: Monitor, nights: int, profiled: bool) -> float:
    profile = cProfile.Profile()
    started = time.process_time()
    if profiled:
        profile.enable()
    found = backtest(workspace, Asked(FIRST, FIRST + timedelta(days=nights - 1), monitor))
    profile.disable()
    taken = time.process_time() - started
    drifted = sum(len(night.after.columns) for night in found.nights if night.after)
    print(f"  {found.compared} nights, {drifted} times a column drifted: {taken:.2f} s of CPU time")
    if profiled:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    return taken


if __name__ == "__main__":
    main()
