"""`python -m demo`: two weeks of nights of a made-up churn model through a real Airflow, and what came of them.

Everything lands where it would by default: data in `data/churn`, results in `var/store`, MLflow in `var/mlflow.db`. Run
again, it goes through the same nights again and publishes the same files.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from demo import churn
from demo.embedded_airflow import PROJECT_ROOT, EmbeddedAirflow
from pipeline.config import Settings, load_settings
from pipeline.results import Decision, DriftResult, QualityResult, SnapshotPair
from pipeline.store import RunStore

MONITOR = "churn"
NIGHTLY, RETRAIN = f"nightly_{MONITOR}", f"retrain_{MONITOR}"
NIGHT_SECONDS = 900.0
_STARTED = time.monotonic()


@dataclass(frozen=True)
class Told:
    """One line of the table: a night as it was published."""

    run_date: date
    shows: str
    rows: int
    quality: str
    drift: str
    decision: str
    page: str


def say(line: str) -> None:
    """Progress, with the seconds since the start."""
    print(f"{time.monotonic() - _STARTED:6.0f} s  {line}", flush=True)


def main() -> int:
    """Run the demo; 0 when every night ended as it should."""
    settings = load_settings(os.environ)
    data = churn.write()
    say(f"made {data.reference_rows:,} reference rows and {len(data.nights)} nights in {_short(data.root)}")
    home = PROJECT_ROOT / "var" / "airflow"
    shutil.rmtree(home, ignore_errors=True)
    with EmbeddedAirflow(home, progress=say) as airflow:
        airflow.wait_for_dags(NIGHTLY, RETRAIN)
        told = [_run_night(airflow, night, settings, len(data.nights)) for night in data.nights]
        retrained = _wait_for_retraining(airflow)
    _print_table(told)
    _print_retraining(retrained)
    _print_look_around(settings, told)
    return 0


def _run_night(airflow: EmbeddedAirflow, night: churn.Night, settings: Settings, nights: int) -> Told:
    run_id = airflow.trigger(NIGHTLY, {"run_date": str(night.run_date)}, run_id=f"demo__{night.run_date}")
    state = airflow.wait_run(NIGHTLY, run_id, timeout=NIGHT_SECONDS)
    told = _read(night, RunStore(settings.store))
    expected = "failed" if told.decision.startswith("data broken") else "success"
    if state != expected:
        states = airflow.task_states(NIGHTLY, run_id)
        raise SystemExit(f"the night of {night.run_date} ended {state}: {states}; logs in {airflow.log_folder}")
    position = (night.run_date - churn.FIRST_NIGHT).days + 1
    say(f"night {position:2} of {nights}  {night.run_date}  {told.decision}")
    return told


def _read(night: churn.Night, store: RunStore) -> Told:
    published = store.read_night(MONITOR, night.run_date)
    if published is None:
        raise SystemExit(f"the night of {night.run_date} was not published; see {PROJECT_ROOT / 'var/airflow/logs'}")
    pair = SnapshotPair.model_validate_json(published["snapshots.json"])
    quality = QualityResult.model_validate_json(published["quality.json"])
    drift = DriftResult.model_validate_json(published["drift.json"])
    decision = Decision.model_validate_json(published["decision.json"])
    return Told(
        run_date=night.run_date,
        shows=night.shows,
        rows=pair.production.rows,
        quality=f"{len(quality.outcomes) - len(quality.failures)}/{len(quality.outcomes)}",
        drift=f"{drift.drift_share:.0%}",
        decision=decision.status.replace("_", " ") + (", retraining requested" if decision.retrain else ""),
        page=_short(Path(store.night_uri(MONITOR, night.run_date, "index.html"))),
    )


def _wait_for_retraining(airflow: EmbeddedAirflow) -> list[tuple[str, str, str]]:
    """Run id, state and result of every retraining run."""
    found = []
    for run in airflow.list_runs(RETRAIN):
        say(f"waiting for {run.run_id}")
        state = airflow.wait_run(RETRAIN, run.run_id, timeout=NIGHT_SECONDS)
        found.append((run.run_id, state, str(airflow.result(RETRAIN, run.run_id, "retrain") or "")))
    return found


def _print_table(told: list[Told]) -> None:
    print(f"\n{'night':12}{'shows':15}{'rows':>6}  {'quality':>7}  {'drift':>5}  {'decision':32}report")
    for line in told:
        print(
            f"{line.run_date!s:12}{line.shows:15}{line.rows:>6,}  {line.quality:>7}  {line.drift:>5}  "
            f"{line.decision:32}{line.page}"
        )


def _print_retraining(retrained: list[tuple[str, str, str]]) -> None:
    print()
    for run_id, state, words in retrained:
        print(f"{run_id}: {state}. {words}")
    if not retrained:
        print("no retraining run")


def _print_look_around(settings: Settings, told: list[Told]) -> None:
    last = told[-1]
    print(f"""
Look around:
  the pages          {_short(Path(settings.store))}/index.html, or this night's: {last.page}
  a mail             {last.page.replace("index.html", "summary.eml")}
  the gauges         {last.page.replace("index.html", "gauges.prom")}
  MLflow             .venv/bin/mlflow server --backend-store-uri {settings.embedded_mlflow_uri}
  one more night     .venv/bin/python -m pipeline run {MONITOR} --date {last.run_date}
  your own model     README.md, 'Add your own model in five minutes'""")


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
