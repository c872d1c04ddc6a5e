"""Bike rentals by hour, as a regression whose relation changes: what the verdict says with labels, and without.

    python -m benchmarks.bikes Bikeshare.csv

The file is the hourly rentals of 2011 in Washington that the Python package ISLP carries (UCI, Fanaee-T and Gama 2013).
A model learns the first 75 days of the year, days 76 to 105 are the reference, every day after that is a night.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingRegressor

from pipeline.checks.performance.estimated.estimator import fit
from pipeline.checks.performance.estimated.features import Features
from pipeline.checks.performance.labelled_rows import Rows
from pipeline.checks.performance.one_day import measure
from pipeline.checks.performance.pooled import estimated, realised
from pipeline.checks.performance.realised import own
from pipeline.checks.performance.standard import standard_of
from pipeline.checks.performance.verdict.judge import judge
from pipeline.config import ColumnRoles
from pipeline.config.monitor import PerformancePolicy
from pipeline.results import Estimate, LabelledDay

FEATURES = ["hr", "holiday", "weekday", "workingday", "temp", "atemp", "hum", "windspeed"]
LEARNT, REFERENCE, WINDOW = 75, 105, 30
METRIC = "mean_absolute_error"


def read(path: Path) -> pd.DataFrame:
    """The hours in order, with what a model of the first 75 days forecasts."""
    hours = pd.read_csv(path).sort_values(["day", "hr"]).reset_index(drop=True)
    hours[FEATURES] = hours[FEATURES].astype(float)
    learnt = hours[hours["day"] <= LEARNT]
    model = HistGradientBoostingRegressor(max_iter=80, random_state=0).fit(learnt[FEATURES], learnt["bikers"])
    return hours.assign(forecast=model.predict(hours[FEATURES]))


def rows(hours: pd.DataFrame) -> Rows:
    table = pa.Table.from_pandas(hours[[*FEATURES, "forecast", "bikers"]], preserve_index=False)
    return Rows(table, "labels", "production")


def main(path: Path) -> None:
    hours, roles, policy = read(path), ColumnRoles(label="bikers", prediction="forecast"), PerformancePolicy()
    reference = rows(hours[hours["day"].between(LEARNT + 1, REFERENCE)])
    standard = standard_of(reference, roles, reference, "regression", None)
    before, estimator = own(reference, standard).metrics, fit(reference, roles, None, Features(FEATURES))
    days: list[LabelledDay] = []
    expected: list[tuple[date, Estimate]] = []
    found: dict[str, list[date]] = {"realised": [], "estimated": []}
    for number, part in hours[hours["day"] > REFERENCE].groupby("day"):
        day, told = date(2011, 1, 1) + timedelta(days=int(str(number)) - 1), estimator.expect(rows(part))
        days.append(measure(rows(part), day, len(part), standard))
        expected.append((day, told.metrics[METRIC]))
        stretches = {
            "realised": realised(days[-WINDOW:], [METRIC])[METRIC],
            "estimated": estimated(dict(expected[-WINDOW:]), told.reference_errors[METRIC], METRIC),
        }
        for basis, given in (("realised", stretches["realised"]), ("estimated", stretches["estimated"])):
            if judge(policy, METRIC, {METRIC: {basis: given}}, before).status == "degraded":  # type: ignore[dict-item]
                found[basis].append(day)
    came = float(np.mean([item.metrics[METRIC].value for item in days]))
    said = float(np.mean([value.value for _, value in expected]))
    print(f"mean absolute error {before[METRIC].value:.1f} on the reference; realised {came:.1f}, estimated {said:.1f}")
    for basis, degraded in found.items():
        print(f"{basis}: {len(degraded)} of {len(days)} days degraded{f', first {degraded[0]}' if degraded else ''}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
