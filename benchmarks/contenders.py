"""What is raced: each function runs alone in a process of its own and prints one line of JSON.

    python benchmarks/contenders.py NAME FOLDER THREADS

The folder holds `reference.parquet` and `production.parquet`. The line says how long the imports took and, where the
contender has them, the score of every column.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Scores = dict[str, float]


def nightjar(folder: Path, threads: int, imported: Callable[[], None]) -> Scores:
    """`compare_columns` as the nightly run calls it."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from pipeline.checks.columns import compare_columns, infer_plans

    imported()
    before, after = [str(folder / "reference.parquet")], [str(folder / "production.parquet")]
    compared = compare_columns(before, after, infer_plans(before, after), threads=threads)
    return {item.name: item.score for item in compared if item.score is not None}


def floor(folder: Path, threads: int, imported: Callable[[], None]) -> Scores:
    """The least that any exact rank statistic must do: decode every column and sort the numbers."""
    import numpy as np
    import pyarrow.parquet as pq

    imported()

    def decode_and_sort(task: tuple[str, str]) -> None:
        side, name = task
        with pq.ParquetFile(folder / f"{side}.parquet") as file:
            values = file.read(columns=[name], use_threads=False).column(0)
        if name[0] != "c":
            # Straight from Arrow's buffers, whatever lies under the nulls: `to_numpy` would first import pandas.
            kind = np.dtype(np.int64 if name[0] == "i" else np.float64)
            parts = [np.frombuffer(part.buffers()[1], kind, len(part), part.offset * 8) for part in values.chunks]
            np.sort(np.concatenate(parts))

    names = pq.read_schema(folder / "reference.parquet").names
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(decode_and_sort, [(side, name) for name in names for side in ("reference", "production")]))
    return {}


def evidently(folder: Path, threads: int, imported: Callable[[], None]) -> Scores:
    """`DataDriftPreset` with its defaults, over data frames read by pandas."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    imported()
    before, after = (pd.read_parquet(folder / f"{side}.parquet") for side in ("reference", "production"))
    definition = DataDefinition(
        numerical_columns=[name for name in before.columns if name[0] != "c"],
        categorical_columns=[name for name in before.columns if name[0] == "c"],
    )
    datasets = [Dataset.from_pandas(frame, definition) for frame in (after, before)]
    result: Any = Report([DataDriftPreset()]).run(*datasets)
    return {
        metric["config"]["column"]: float(metric["value"])
        for metric in result.dict()["metrics"]
        if "column" in metric.get("config", {})
    }


def nannyml(folder: Path, threads: int, imported: Callable[[], None]) -> Scores:
    """`UnivariateDriftCalculator` with the methods that Evidently and Nightjar choose, production as one chunk."""
    import nannyml as nml
    import pandas as pd

    imported()
    before, after = (pd.read_parquet(folder / f"{side}.parquet") for side in ("reference", "production"))
    calculator = nml.UnivariateDriftCalculator(
        column_names=list(before.columns),
        treat_as_categorical=[name for name in before.columns if name[0] == "c"],
        continuous_methods=["wasserstein"],
        categorical_methods=["jensen_shannon"],
        chunk_number=1,
    )
    calculator.fit(before)
    calculator.calculate(after).to_df()
    return {}


CONTENDERS: dict[str, Callable[[Path, int, Callable[[], None]], Scores]] = {
    "floor": floor,
    "nightjar": nightjar,
    "evidently": evidently,
    "nannyml": nannyml,
}


def main() -> None:
    name, folder, threads = sys.argv[1:]
    started = time.perf_counter()
    imports: list[float] = []
    scores = CONTENDERS[name](Path(folder), int(threads), lambda: imports.append(time.perf_counter() - started))
    print(json.dumps({"imports": imports[0], "scores": scores}))


if __name__ == "__main__":
    main()
