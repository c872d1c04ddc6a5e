"""NannyML's side of `estimates.py`, for an environment of its own (nannyml 0.13.1; see benchmarks/README.md).

    python estimates_nannyml.py export FOLDER             its data sets as FOLDER/cards and FOLDER/cars
    python estimates_nannyml.py estimate NAME DATA OUT    estimates of every night as JSON
    python estimates_nannyml.py time DATA                 fit and estimate of one large night

DATA is a folder with `reference/`, `production/dt=DAY/` and `labels/dt=DAY/`. Nothing is told to its makers: set
NML_DISABLE_USAGE_LOGGING=1.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import nannyml
import pandas as pd

warnings.filterwarnings("ignore")

CARDS = {name: f"y_pred_proba_{name}" for name in ("prepaid_card", "highstreet_card", "upmarket_card")}


def export(folder: Path) -> None:
    for name, load in (
        ("cards", nannyml.load_synthetic_multiclass_classification_dataset),
        ("cars", nannyml.load_synthetic_car_price_dataset),
    ):
        reference, analysis, labels = load()
        (folder / name / "reference").mkdir(parents=True, exist_ok=True)
        reference.drop(columns="timestamp").to_parquet(folder / name / "reference" / "part-0.parquet", index=False)
        for day, rows in analysis.groupby(analysis["timestamp"].str[:10]):
            for kind, part in (
                ("production", rows.drop(columns="timestamp")),
                ("labels", labels[labels["id"].isin(rows["id"])]),
            ):
                night = folder / name / kind / f"dt={day}"
                night.mkdir(parents=True, exist_ok=True)
                part.to_parquet(night / "part-0.parquet", index=False)


def estimator(name: str) -> Any:
    if name == "employment":
        return nannyml.CBPE(
            metrics=["roc_auc", "accuracy"], y_pred_proba="predicted_probability", y_pred="prediction",
            y_true="employed", problem_type="classification_binary", timestamp_column_name="day", chunk_period="D",
        )  # fmt: skip
    if name == "cards":
        return nannyml.CBPE(
            metrics=["roc_auc", "accuracy"], y_pred_proba=CARDS, y_pred="y_pred", y_true="y_true",
            problem_type="classification_multiclass", timestamp_column_name="day", chunk_period="D",
        )  # fmt: skip
    features = ["car_age", "km_driven", "price_new", "accident_count", "door_count", "fuel", "transmission"]
    return nannyml.DLE(
        metrics=["mae", "rmse"], feature_column_names=features, y_pred="y_pred", y_true="y_true",
        timestamp_column_name="day", chunk_period="D",
    )  # fmt: skip


def estimate(name: str, data: Path, out: Path) -> None:
    reference = pd.read_parquet(data / "reference")
    # as many days as there are nights, so that its thresholds come from chunks of about that size
    nights = [(path.name.removeprefix("dt="), pd.read_parquet(path)) for path in sorted(data.glob("production/dt=*"))]
    size = sum(len(rows) for _, rows in nights) // len(nights)
    start = pd.Timestamp("2000-01-01")
    reference["day"] = start + pd.to_timedelta([place // size for place in range(len(reference))], unit="D")
    analysis = pd.concat([rows.assign(day=pd.Timestamp(day)) for day, rows in nights], ignore_index=True)
    found = estimator(name).fit(reference).estimate(analysis).filter(period="analysis").to_df(multilevel=False)
    told = {}
    for _, row in found.iterrows():
        told[str(row["chunk_start_date"])[:10]] = {
            column.removesuffix("_value"): {"value": float(row[column]), "alert": bool(row[f"{column[:-6]}_alert"])}
            for column in found.columns
            if column.endswith("_value")
        }
    out.write_text(json.dumps(told, indent=1))


def timed(data: Path) -> None:
    started = time.perf_counter()
    reference, night = pd.read_parquet(data / "reference"), pd.read_parquet(data / "production")
    found = nannyml.CBPE(
        metrics=["roc_auc", "accuracy"], y_pred_proba="s", y_pred="p", y_true="y",
        problem_type="classification_binary", chunk_number=1,
    ).fit(reference).estimate(night)  # fmt: skip
    assert len(found.filter(period="analysis").to_df()) == 1
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = {"wall": time.perf_counter() - started, "cpu": used.ru_utime + used.ru_stime}
    print(json.dumps({**seconds, "peak_mib": used.ru_maxrss / 1024}))


def main(arguments: list[str]) -> None:
    command, *rest = arguments
    if command == "export":
        export(Path(rest[0]))
    elif command == "estimate":
        estimate(rest[0], Path(rest[1]), Path(rest[2]))
    else:
        timed(Path(rest[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
