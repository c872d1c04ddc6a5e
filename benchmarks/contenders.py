"""What is raced: each function runs alone in a process of its own and prints one line of JSON.

    python benchmarks/contenders.py NAME FOLDER THREADS

The folder holds `reference.parquet` and `production.parquet`, for quality `production.parquet` and `suite.json`. The
line says how long the imports took, what CPU the work took after them, and what the contender tells of its results: the
score of every column, or what came of every expectation.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Told = dict[str, Any]


def nightjar(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """`compare_columns` as the nightly run calls it."""
    _find_pipeline()
    import scipy.special  # noqa: F401 - so that its import is counted as one

    from pipeline.checks.drift.compare_columns import compare_columns, infer_plans

    imported()
    before, after = [str(folder / "reference.parquet")], [str(folder / "production.parquet")]
    found = compare_columns(before, after, infer_plans(before, after), threads=threads)
    compared: Any = [getattr(item, "drift", item) for item in found]  # earlier versions kept no profile beside it
    return {"scores": {item.name: item.score for item in compared if item.score is not None}}


def pinned(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """Both snapshots in a cache, as a night's first task leaves them; not raced itself."""
    _find_pipeline()
    from pipeline.snapshots import Cache, pin

    imported()
    for side in ("reference", "production"):
        snapshot = pin(str(folder / f"{side}.parquet"), Cache(folder / "cache", 2**40))
        (folder / f"{side}.json").write_text(snapshot.model_dump_json())
    return {}


def nightjar_kept(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """`compare_columns` on snapshots in the cache, which keeps the reference: the first time it is kept, then read."""
    _find_pipeline()
    import scipy.special  # noqa: F401 - so that its import is counted as one

    from pipeline.checks.drift.compare_columns import compare_columns, infer_plans
    from pipeline.results import Snapshot
    from pipeline.snapshots import Cache, Shelf, open_snapshot

    imported()
    cache = Cache(folder / "cache", 2**40)
    reference, production = (
        Snapshot.model_validate_json((folder / f"{side}.json").read_text()) for side in ("reference", "production")
    )
    with open_snapshot(reference, cache) as first, open_snapshot(production, cache) as second:
        before, after = list(map(str, first)), list(map(str, second))
        shelf = Shelf(cache, reference)
        found = compare_columns(before, after, infer_plans(before, after), threads=threads, shelf=shelf)
    return {"scores": {item.drift.name: item.drift.score for item in found if item.drift.score is not None}}


def decoding(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """The least that reading every row must do."""
    return _floor(folder, threads, imported, sort=False)


def floor(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """The least that any exact rank statistic must do: decode every column and sort the numbers."""
    return _floor(folder, threads, imported, sort=True)


def _floor(folder: Path, threads: int, imported: Callable[[], None], *, sort: bool) -> Told:
    import numpy as np
    import pyarrow.parquet as pq

    imported()

    def decode_and_sort(task: tuple[str, str]) -> None:
        side, name = task
        with pq.ParquetFile(folder / f"{side}.parquet") as file:
            values = file.read(columns=[name], use_threads=False).column(0)
        if sort and name[0] != "c":
            # Straight from Arrow's buffers, whatever lies under the nulls: `to_numpy` would first import pandas.
            kind = np.dtype(np.int64 if name[0] == "i" else np.float64)
            parts = [np.frombuffer(part.buffers()[1], kind, len(part), part.offset * 8) for part in values.chunks]
            np.sort(np.concatenate(parts))

    names = pq.read_schema(folder / "reference.parquet").names
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(decode_and_sort, [(side, name) for name in names for side in ("reference", "production")]))
    return {}


def evidently(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
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
    scores = {
        metric["config"]["column"]: float(metric["value"])
        for metric in result.dict()["metrics"]
        if "column" in metric.get("config", {})
    }
    return {"scores": scores}


def nannyml(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
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


def gate(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """The quality gate on a suite: `validate_suite` as the nightly run calls it, without the built-in checks."""
    _find_pipeline()
    import great_expectations  # noqa: F401 - so that its import is counted as one

    from pipeline.checks.quality import Limits, load_suite, validate_suite
    from pipeline.checks.quality.engines import database  # noqa: F401 - so that its import is counted, too

    imported()
    suite = load_suite(folder / "suite.json")
    result = validate_suite(suite, [folder / "production.parquet"], "benchmark", limits=Limits(threads=threads))
    engines = Counter(item.engine for item in result.outcomes[1:])
    outcomes = [item.model_dump(mode="json") for item in result.outcomes[1:]]
    return {"outcomes": outcomes, "engines": dict(engines)}


def one_query(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """Every figure that the suite asks for, by one query that a person wrote. It judges nothing."""
    _find_pipeline()
    import duckdb

    from benchmarks import hand_written

    imported()
    entries = json.loads((folder / "suite.json").read_text())["expectations"]
    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {threads}")
        connection.execute(hand_written.one_query(folder / "production.parquet", entries)).fetchall()
    return {}


def great_expectations_on_pandas(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """The suite as Great Expectations' own documentation runs it on a data frame read by pandas."""
    import great_expectations as gx
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    imported()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    entries = json.loads((folder / "suite.json").read_text())["expectations"]
    suite = gx.ExpectationSuite(
        name="suite",
        expectations=[
            ExpectationConfiguration(type=entry["type"], kwargs=entry["kwargs"], meta={"place": place}).to_domain_obj()
            for place, entry in enumerate(entries)
        ],
    )
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("snapshot")
    frame = pd.read_parquet(folder / "production.parquet")
    batch = asset.add_batch_definition_whole_dataframe("night").get_batch({"dataframe": frame})
    told: list[Any] = [None] * len(entries)
    for result in batch.validate(
        suite, result_format={"result_format": "BASIC", "partial_unexpected_count": 0}
    ).results:
        details = {key: value for key, value in result.result.items() if not isinstance(value, list)}
        told[result.expectation_config.meta["place"]] = {"success": bool(result.success), "details": details}
    return {"results": json.loads(json.dumps(told, default=float))}


def labelled_day(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """Labels joined by id, every metric with its interval, and the packed counts, as a night measures a day."""
    _find_pipeline()
    from datetime import date

    import pyarrow.parquet as pq
    import scipy.stats  # noqa: F401 - so that its import is counted as one

    from pipeline.checks.performance.labelled_rows import Rows
    from pipeline.checks.performance.one_day import measure
    from pipeline.checks.performance.standard import Standard
    from pipeline.config import ColumnRoles
    from pipeline.labels.classes import classes_of
    from pipeline.labels.join import join, labelled

    imported()
    roles = ColumnRoles(id="id", label="y", prediction="p", score="s")
    answers = pq.read_table(folder / "production", columns=["id", "p", "s"])
    labels = pq.read_table(folder / "labels-production")
    joined = join(answers, labels, "id", "y", ("production/", "labels/"))
    standard = Standard(roles, "classification", classes_of([0, 1], roles), None)
    rows = Rows(labelled(answers, joined, "y"), "labels/", "production/")
    found = measure(rows, date(2026, 1, 1), len(answers), standard)
    return {"metrics": {name: item.value for name, item in found.metrics.items()}, "tally": bool(found.tally)}


def scikit_learn(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """The same metrics' values alone, on rows that pandas joined."""
    import pandas as pd
    from sklearn import metrics

    imported()
    rows = pd.read_parquet(folder / "production", columns=["id", "p", "s"])
    rows = rows.merge(pd.read_parquet(folder / "labels-production"), on="id")
    truth, said, score = (rows[name].to_numpy() for name in ("y", "p", "s"))
    return {
        "metrics": {
            "roc_auc": metrics.roc_auc_score(truth, score),
            "average_precision": metrics.average_precision_score(truth, score),
            "log_loss": metrics.log_loss(truth, score),
            "brier_score": metrics.brier_score_loss(truth, score),
            "accuracy": metrics.accuracy_score(truth, said),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, said),
            "precision": metrics.precision_score(truth, said),
            "recall": metrics.recall_score(truth, said),
            "f1": metrics.f1_score(truth, said),
            "matthews_correlation": metrics.matthews_corrcoef(truth, said),
        }
    }


def estimate(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """Fitted on the reference, asked about the night, before labels."""
    _find_pipeline()
    import pyarrow.parquet as pq
    from sklearn import ensemble, isotonic  # noqa: F401 - so that their import is counted as one

    from pipeline.checks.performance.estimated.estimator import fit
    from pipeline.checks.performance.estimated.features import Features
    from pipeline.checks.performance.labelled_rows import Rows
    from pipeline.config import ColumnRoles
    from pipeline.labels.classes import classes_of

    imported()
    roles = ColumnRoles(id="id", label="y", prediction="p", score="s")
    before, after = (Rows(pq.read_table(folder / side), "labels/", side) for side in ("reference", "production"))
    features = Features([f"x{place}" for place in range(10)])
    found = fit(before, roles, classes_of([0, 1], roles), features).expect(after)
    return {"estimated": {name: item.value for name, item in found.metrics.items()}, "method": found.method}


def nannyml_performance(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """Realised performance, and CBPE, the day as one chunk."""
    import nannyml as nml
    import pandas as pd

    imported()
    before = pd.read_parquet(folder / "reference")
    after = pd.read_parquet(folder / "production").drop(columns="y")
    after = after.merge(pd.read_parquet(folder / "labels-production"), on="id")
    asked: dict[str, Any] = {
        "metrics": ["roc_auc", "average_precision", "accuracy", "precision", "recall", "f1"],
        "y_pred_proba": "s",
        "y_pred": "p",
        "y_true": "y",
        "problem_type": "classification_binary",
        "chunk_number": 1,
    }
    nml.PerformanceCalculator(**asked).fit(before).calculate(after).to_df()
    nml.CBPE(**asked).fit(before).estimate(after).to_df()
    return {}


def together(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """Columns together: pairs, plane and classifier, and lists, as the nightly run measures them."""
    _find_pipeline()
    import pyarrow as pa
    import pyarrow.parquet as pq

    from pipeline.checks.together.measure import measure
    from pipeline.config import TogetherPolicy

    imported()
    before, after = (folder / f"{side}.parquet" for side in ("reference", "production"))
    names = [field.name for field in pq.read_schema(before) if not pa.types.is_nested(field.type)]
    kinds: Any = {name: "categorical" if name[0] == "c" else "numerical" for name in names}
    found = measure(TogetherPolicy(per_nights=365), [before], [after], kinds, "night")
    return {"pairs": found.pairs_compared, "lists": len(found.vectors)}


def _nannyml_sides(folder: Path) -> tuple[Any, Any, list[str]]:
    import pandas as pd

    before, after = (pd.read_parquet(folder / f"{side}.parquet") for side in ("reference", "production"))
    return before, after, list(before.columns)


def nannyml_reconstruction(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """`DataReconstructionDriftCalculator` with its defaults, production as one chunk."""
    import nannyml as nml

    imported()
    before, after, names = _nannyml_sides(folder)
    calculator = nml.DataReconstructionDriftCalculator(column_names=names, chunk_number=1)
    calculator.fit(before).calculate(after).to_df()
    return {}


def nannyml_classifier(folder: Path, threads: int, imported: Callable[[], None]) -> Told:
    """`DomainClassifierCalculator` with its defaults, production as one chunk."""
    import nannyml as nml

    imported()
    before, after, names = _nannyml_sides(folder)
    calculator = nml.DomainClassifierCalculator(feature_column_names=names, chunk_number=1)
    calculator.fit(before).calculate(after).to_df()
    return {}


def _find_pipeline() -> None:
    """Imported before numpy, as everywhere, which it tells how its libraries should behave."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import pipeline  # noqa: F401


CONTENDERS: dict[str, Callable[[Path, int, Callable[[], None]], Told]] = {
    "decoding": decoding,
    "floor": floor,
    "nightjar": nightjar,
    "pinned": pinned,
    "nightjar_first": nightjar_kept,
    "nightjar_again": nightjar_kept,
    "evidently": evidently,
    "nannyml": nannyml,
    "gate": gate,
    "one_query": one_query,
    "great_expectations": great_expectations_on_pandas,
    "labelled_day": labelled_day,
    "scikit_learn": scikit_learn,
    "estimate": estimate,
    "nannyml_performance": nannyml_performance,
    "together": together,
    "nannyml_reconstruction": nannyml_reconstruction,
    "nannyml_classifier": nannyml_classifier,
}


def main() -> None:
    name, folder, threads = sys.argv[1:]
    started = time.perf_counter()
    spent: list[dict[str, float]] = []

    def imported() -> None:
        spent.append({"imports": time.perf_counter() - started, "imports_cpu": time.process_time()})

    told = CONTENDERS[name](Path(folder), int(threads), imported)
    spent[0]["work_cpu"] = time.process_time() - spent[0]["imports_cpu"]
    print(json.dumps(spent[0] | told))


if __name__ == "__main__":
    main()
