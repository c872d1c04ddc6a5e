"""Builds summaries and parquet files for the drift tests, and asks Evidently's own functions for the expected score."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.checks.scan import (
    CategoricalSummary,
    Moments,
    NumericalSummary,
    SortedValues,
    Table,
    open_table,
)
from pipeline.checks.scan.summary import Presence

Values = npt.NDArray[Any]


def numbers(values: Sequence[float] | Values, *, whole: bool | None = None) -> NumericalSummary:
    """The summary a scan would give of finite numbers."""
    given = np.asarray(values)
    ordered = np.sort(given.astype(np.float64))
    is_whole = given.dtype.kind in "iub" if whole is None else whole
    form = "integer" if is_whole else "float"
    return NumericalSummary(
        "x", form, Presence(rows=ordered.size), Moments.of(ordered), SortedValues(ordered), whole=is_whole
    )


def categories(values: Sequence[Any] | Values) -> CategoricalSummary:
    """The summary a scan would give of labels."""
    counts = Counter(values.tolist() if isinstance(values, np.ndarray) else values)
    return CategoricalSummary("x", "text", Presence(rows=len(values)), dict(counts))


def table(folder: Path, *columns: pa.Array | pa.ChunkedArray, name: str = "x", row_group: int = 200) -> Table:
    """One parquet file for each given version of the column `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, column in enumerate(columns):
        path = folder / f"part-{number}.parquet"
        pq.write_table(pa.table({name: column}), path, row_group_size=row_group)
        paths.append(str(path))
    return open_table(paths)


def evidently(method: str, reference: Any, production: Any, kind: str) -> tuple[float, bool]:
    """Score and verdict at the default threshold of Evidently's registered function, on series of any dtype.

    `kind` is "num" or "cat". Random permutations are seeded, as they are in the code under test.
    """
    import pandas as pd
    from evidently.legacy.calculations.stattests.registry import get_stattest
    from evidently.legacy.core import ColumnType

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = (pd.Series(side).dropna().reset_index(drop=True) for side in (reference, production))
        test = get_stattest(first, second, ColumnType(kind), None if method == "auto" else method)
        np.random.seed(0)
        result = test(first, second, ColumnType(kind), None)
    return float(result.drift_score), bool(result.drifted)
