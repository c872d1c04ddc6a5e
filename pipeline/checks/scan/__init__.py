"""Reads pinned parquet files column by column and yields what drift needs to know of each.

`open_table` reads footers, `scan_pair` both sides of one column within a byte budget, `scan` one side, exactly.
The summaries are frozen and merge.
"""

from pipeline.checks.scan.bins import sturges_edges
from pipeline.checks.scan.one_column import MAX_CATEGORIES, scan
from pipeline.checks.scan.pair import DEFAULT_BUDGET_BYTES, scan_pair, sorted_bytes
from pipeline.checks.scan.streaming import STREAMING_BYTES, Resolution
from pipeline.checks.scan.summary import (
    CategoricalSummary,
    Cells,
    Moments,
    NumericalSummary,
    Presence,
    SortedValues,
    Summary,
    Unscannable,
    count_distinct,
    merge_categorical,
    merge_numerical,
)
from pipeline.checks.scan.table import Table, open_table
from pipeline.checks.scan.types import FAMILIES, FloatArray, IntArray, Key, infer_kind

__all__ = [
    "DEFAULT_BUDGET_BYTES",
    "FAMILIES",
    "MAX_CATEGORIES",
    "STREAMING_BYTES",
    "CategoricalSummary",
    "Cells",
    "FloatArray",
    "IntArray",
    "Key",
    "Moments",
    "NumericalSummary",
    "Presence",
    "Resolution",
    "SortedValues",
    "Summary",
    "Table",
    "Unscannable",
    "count_distinct",
    "infer_kind",
    "merge_categorical",
    "merge_numerical",
    "open_table",
    "scan",
    "scan_pair",
    "sorted_bytes",
    "sturges_edges",
]
