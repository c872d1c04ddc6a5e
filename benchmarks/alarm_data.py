"""Which nights of real data drift, on a budget of alarms and by fixed thresholds.

    python -m benchmarks.alarm_data FOLDER [--columns monitors/NAME.yaml] [--against reference ...] [--window N]
    python -m benchmarks.alarm_data --bikes Bikeshare.csv FOLDER     (a file of ISLP: makes the folder)
    python -m benchmarks.alarm_data --cars DIRECTORY FOLDER          (NannyML's data sets: makes the folder)

The folder holds `reference/` and `production/dt=DAY/`, as of a monitor.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from pipeline.checks.alarms.past import PastNight
from pipeline.checks.drift.measure import Measured, measure
from pipeline.config import Monitor
from pipeline.results import Snapshot, SnapshotPair

BIKES = ["hr", "holiday", "weekday", "workingday", "weathersit", "temp", "atemp", "hum", "windspeed"]
NUMBERS = ["hr", "temp", "atemp", "hum", "windspeed"]
HALF_A_YEAR = 182


def bikes(file: Path, folder: Path) -> None:
    """The hours of 2011 in Washington: the first half year is the reference, each day after that a night."""
    hours = pd.read_csv(file).sort_values(["day", "hr"])[["day", *BIKES]]
    hours[NUMBERS] = hours[NUMBERS].astype(float)
    hours = hours.astype({name: str for name in BIKES if name not in NUMBERS})
    hours["dteday"] = pd.Timestamp("2011-01-01") + pd.to_timedelta(hours["day"] - 1, unit="D")  # as UCI's file has it
    _write(hours[hours["day"] <= HALF_A_YEAR], folder / "reference")
    for number, part in hours[hours["day"] > HALF_A_YEAR].groupby("day"):
        _write(part, folder / f"production/dt={date(2011, 1, 1) + timedelta(days=int(str(number)) - 1)}")


def cars(directory: Path, folder: Path) -> None:
    """Car loans, a night a day of the data."""
    before, after = (pd.read_csv(directory / f"synthetic_car_loan_{side}.csv") for side in ("reference", "analysis"))
    _write(before, folder / "reference")
    for day, part in after.groupby(after["timestamp"].str[:10]):
        _write(part, folder / f"production/dt={day}")


def _write(table: pd.DataFrame, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table.drop(columns=["day"], errors="ignore").to_parquet(folder / "part.parquet", index=False)


def nights(folder: Path, drift: dict[str, Any], columns: dict[str, Any]) -> list[tuple[date, Measured]]:
    """Each night as it is measured, by those before it."""
    monitor = Monitor.model_validate(
        {
            "name": "data",
            "owner": "a@example.com",
            "snapshots": {"reference": "reference", "production": "production/dt={date}"},
            "columns": columns,
            "quality": {"suite": "data"},
            "drift": drift,
        }
    )
    reference, found = sorted((folder / "reference").glob("*.parquet")), []
    past: list[PastNight] = []
    for night in sorted((folder / "production").iterdir()):
        day = date.fromisoformat(night.name.removeprefix("dt="))
        files = sorted(night.glob("*.parquet"))
        item = measure(monitor, reference, files, _pair(day), budget_bytes=2**30, past=past)
        past.append(PastNight(day, item.profile))
        found.append((day, item))
    return found


def _pair(day: date) -> SnapshotPair:
    empty = Snapshot(uri="data", objects=(), fields=(), rows=0)
    return SnapshotPair(monitor="data", run_date=day, reference=empty, production=empty)


def told(day: date, item: Measured) -> str:
    """A line about a night."""
    drift, alarms = item.drift, item.drift.alarms
    names = ", ".join(column.name for column in drift.drifted_columns)
    if alarms is None:
        return f"{day}  {drift.drift_share:.0%}{' over' if drift.drifted else ''}  {names}"
    others = "; ".join(f"{other.against}: {', '.join(other.drifted) or 'none'}" for other in alarms.comparisons[1:])
    state = " over" if drift.drifted else " too few rows" if drift.too_few_rows else ""
    return f"{day}  {alarms.rows} rows  1 in {1 / alarms.chance:.0f}  {drift.drift_share:.0%}{state}  {names}  {others}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bikes", type=Path)
    parser.add_argument("--cars", type=Path)
    words = "a monitor file that says what each column is, and what its budget is held against"
    parser.add_argument("--columns", type=Path, help=words)
    parser.add_argument("--against", nargs="*", help="such as reference trailing=28")
    parser.add_argument("--window", type=int, default=1)
    options = parser.parse_args()
    for source, make in ((options.bikes, bikes), (options.cars, cars)):
        if source:
            make(source, options.folder)
    file = yaml.safe_load(options.columns.read_text()) if options.columns else {}
    columns, said = file.get("columns", {}), (file.get("drift", {}).get("alarms") or {}).get("against", ["reference"])
    if options.against:
        said = [name if "=" not in name else {(part := name.split("="))[0]: int(part[1])} for name in options.against]
    budget = {"alarms": {"per_nights": 365, "window": options.window, "against": said}}
    for words, drift in (("on a budget of one in 365 nights", budget), ("fixed thresholds", {})):
        found = nights(options.folder, drift, columns)
        some = [item for item in found if item[1].drift.drifted_columns]
        over = sum(item.drift.drifted for _, item in found)
        few = sum(item.drift.too_few_rows for _, item in found)
        print(f"{words}: {len(found)} nights, {len(some)} with drifted columns, {over} over 30%, {few} too few rows")
        for night in some:
            print(f"  {told(*night)}")


if __name__ == "__main__":
    main()
