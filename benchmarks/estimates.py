"""Metrics estimated before labels against those that labels then showed, night by night, beside NannyML's.

    python -m benchmarks.estimates NAME DATA [NANNYML.json]     NAME: employment, cards or cars
    python -m benchmarks.estimates verdict NAME DATA            what the verdict says of each day without a label
    python -m benchmarks.estimates time DATA                    fit and estimate of one large night
    python -m benchmarks.estimates make ROWS DATA               such a night: reference and production of so many rows

DATA is a folder with `reference/`, `production/dt=DAY/` and `labels/dt=DAY/`; NANNYML.json is what
`estimates_nannyml.py` wrote of the same. Realised values are scikit-learn's, the same for both sides.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import metrics

from pipeline.checks.performance.estimated.estimator import Estimator, fit
from pipeline.checks.performance.estimated.features import Features
from pipeline.checks.performance.labelled_rows import Rows
from pipeline.checks.performance.pooled import estimated
from pipeline.checks.performance.realised import own
from pipeline.checks.performance.standard import standard_of
from pipeline.checks.performance.verdict.judge import judge
from pipeline.config import ColumnRoles
from pipeline.config.monitor import PerformancePolicy
from pipeline.labels.classes import Classes, classes_of
from pipeline.results import Estimate

OF_PEER = {"mean_absolute_error": "mae", "root_mean_squared_error": "rmse"}
MAX_DROP = {"roc_auc": 0.05, "accuracy": 0.05}


@dataclass(frozen=True)
class Case:
    """A data set: its columns, and what is compared."""

    roles: ColumnRoles
    numerical: list[str]
    labels: list[object] = field(default_factory=list)

    @property
    def classes(self) -> Classes | None:
        return classes_of(self.labels, self.roles) if self.labels else None

    def features(self, names: list[str]) -> Features:
        others = {*self.numerical, *self.roles.answers, self.roles.id, self.roles.label}
        return Features(self.numerical, [name for name in names if name not in others])

    def realised(self, rows: pd.DataFrame) -> dict[str, float]:
        truth, said = rows[str(self.roles.label)], rows[str(self.roles.prediction)]
        if not self.labels:
            return {
                "mean_absolute_error": metrics.mean_absolute_error(truth, said),
                "root_mean_squared_error": metrics.root_mean_squared_error(truth, said),
            }
        columns = (
            [self.roles.scores[str(label)] for label in sorted(map(str, self.labels))] if self.roles.scores else []
        )
        score = rows[columns] if columns else rows[str(self.roles.score)]
        return {
            "roc_auc": metrics.roc_auc_score(truth, score, multi_class="ovr"),
            "accuracy": metrics.accuracy_score(truth, said),
        }


CARDS = ["prepaid_card", "highstreet_card", "upmarket_card"]
CASES = {
    "employment": Case(
        ColumnRoles(id="id", label="employed", prediction="prediction", score="predicted_probability"), ["AGEP"], [0, 1]
    ),
    "cards": Case(
        ColumnRoles(
            id="id", label="y_true", prediction="y_pred", scores={name: f"y_pred_proba_{name}" for name in CARDS}
        ),
        ["app_behavioral_score", "requested_credit_limit", "credit_bureau_score", "stated_income"],
        list(CARDS),
    ),
    "cars": Case(
        ColumnRoles(id="id", label="y_true", prediction="y_pred"),
        ["car_age", "km_driven", "price_new", "accident_count", "door_count"],
    ),
}


def read(folder: Path) -> Rows:
    return Rows(pq.read_table(folder, partitioning=None), str(folder), str(folder))


def nights(data: Path) -> Iterator[tuple[str, Rows, pd.DataFrame]]:
    for path in sorted(data.glob("production/dt=*")):
        rows = read(path)
        labels = pd.read_parquet(data / "labels" / path.name)
        yield path.name.removeprefix("dt="), rows, rows.table.to_pandas().merge(labels, on="id", validate="one_to_one")


def compare(name: str, data: Path, peer: dict[str, Any]) -> pd.DataFrame:
    """A line for each night and metric: realised, and what was estimated by whom."""
    case, reference = CASES[name], read(data / "reference")
    features = case.features(reference.table.column_names)
    estimators: dict[str, Estimator] = {"chosen": fit(reference, case.roles, case.classes, features)}
    if case.labels:
        estimators["cbpe"] = fit(reference, case.roles, case.classes)
    before, lines = case.realised(reference.table.to_pandas()), []
    for day, rows, labelled in nights(data):
        expected = {key: estimator.expect(rows) for key, estimator in estimators.items()}
        for metric, value in case.realised(labelled).items():
            line: dict[str, Any] = {"day": day, "metric": metric, "realised": value, "before": before[metric]}
            line["method"] = expected["chosen"].method
            for key, found in expected.items():
                told = found.metrics[metric]
                line |= {key: told.value, f"{key}_low": told.low, f"{key}_high": told.high}
            theirs = peer.get(day, {}).get(OF_PEER.get(metric, metric), {})
            line |= {"nannyml": theirs.get("value"), "nannyml_alert": theirs.get("alert")}
            lines.append(line)
    return pd.DataFrame(lines)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean absolute differences, how often intervals held, and nights that rang, by metric."""
    lines = []
    for metric, rows in table.groupby("metric", sort=False):
        line: dict[str, Any] = {"metric": metric, "nights": len(rows), "pape": int((rows["method"] == "pape").sum())}
        for key in ("nannyml", "cbpe", "chosen"):
            if key in rows and rows[key].notna().all():
                line[f"{key} off"] = (rows[key].astype(float) - rows["realised"]).abs().mean()
        line["held"] = rows["realised"].between(rows["chosen_low"], rows["chosen_high"]).mean()
        rang = rows["chosen_high"] < rows["before"] - MAX_DROP.get(str(metric), np.inf)
        halves = np.arange(len(rows)) >= len(rows) // 2
        for words, part in (("nannyml rang", rows["nannyml_alert"]), ("rang", rang)):
            line[words] = f"{int(part[~halves].sum())}, {int(part[halves].sum())}"
        lines.append(line)
    return pd.DataFrame(lines)


def make(rows: int, data: Path) -> None:
    """A reference and a night of a model with ten features; the night's inputs moved."""
    for side, shift in (("reference", 0.0), ("production", 0.4)):
        chance = np.random.default_rng(int(shift * 10))
        inputs = chance.normal(shift, 1, (rows, 10))
        logit = inputs[:, :3].sum(axis=1)
        truth = (chance.random(rows) < 1 / (1 + np.exp(-logit - 0.5 * inputs[:, 3]))).astype(np.int64)
        score = 1 / (1 + np.exp(-1.3 * logit))
        table = {f"x{place}": column for place, column in enumerate(inputs.T)}
        (data / side).mkdir(parents=True, exist_ok=True)
        table["id"] = np.arange(rows)
        (data / f"labels-{side}").mkdir(exist_ok=True)
        order = chance.permutation(rows)
        pq.write_table(pa.table({"id": order, "y": truth[order]}), data / f"labels-{side}" / "part-0.parquet")
        answers = {"y": truth, "s": score, "p": (score >= 0.5).astype(np.int64)}
        pq.write_table(pa.table({**table, **answers}), data / side / "part-0.parquet")


def timed(data: Path) -> None:
    started, roles = time.perf_counter(), ColumnRoles(label="y", prediction="p", score="s")
    features = Features([f"x{place}" for place in range(10)])
    estimator = fit(read(data / "reference"), roles, classes_of([0, 1], roles), features)
    found = estimator.expect(read(data / "production"))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = {"wall": time.perf_counter() - started, "cpu": used.ru_utime + used.ru_stime}
    accuracy = found.metrics["accuracy"].value
    print(json.dumps({**seconds, "peak_mib": used.ru_maxrss / 1024, "method": found.method, "accuracy": accuracy}))


def verdicts(name: str, data: Path) -> dict[str, str]:
    """The status by day of a classifier, judged by ROC AUC on estimates alone, with default settings."""
    case, reference = CASES[name], read(data / "reference")
    standard = standard_of(reference, case.roles, reference, "classification", None)
    before = own(reference, standard).metrics
    estimator = fit(reference, case.roles, standard.classes, case.features(reference.table.column_names))
    known: dict[date, Estimate] = {}
    found: dict[str, str] = {}
    for path in sorted(data.glob("production/dt=*")):
        day, expected = date.fromisoformat(path.name.removeprefix("dt=")), estimator.expect(read(path))
        known[day] = expected.metrics["roc_auc"]
        window = {night: value for night, value in known.items() if (day - night).days < 30}
        stretches = estimated(window, expected.reference_errors["roc_auc"], "roc_auc")
        found[str(day)] = judge(PerformancePolicy(), "roc_auc", {"roc_auc": {"estimated": stretches}}, before).status
    return found


def main(arguments: list[str]) -> None:
    command, *rest = arguments
    if command == "make":
        make(int(rest[0]), Path(rest[1]))
    elif command == "time":
        timed(Path(rest[0]))
    elif command == "verdict":
        found = verdicts(rest[0], Path(rest[1]))
        degraded = [day for day, status in found.items() if status == "degraded"]
        print(f"{len(degraded)} of {len(found)} days degraded: {degraded[0]} to {degraded[-1]}" if degraded else "none")
    else:
        peer = json.loads(Path(rest[1]).read_text()) if len(rest) > 1 else {}
        table = compare(command, Path(rest[0]), peer)
        print(summary(table).round(5).to_string(index=False))


if __name__ == "__main__":
    main(sys.argv[1:])
