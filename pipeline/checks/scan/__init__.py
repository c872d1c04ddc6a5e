"""Reads pinned parquet files column by column and yields what drift needs to know of each.

`open_table` reads footers, `scan_pair` both sides of one column within a byte budget, `scan` one side, exactly. The
summaries are frozen. `keep` and `read_kept` save reading a reference again that did not change.
"""

from pipeline.checks.scan.bins import sturges_edges
from pipeline.checks.scan.kept import Kept, Shelf, is_exact, keep, read_kept
from pipeline.checks.scan.one_column import scan
from pipeline.checks.scan.pair import DEFAULT_BUDGET_BYTES, scan_pair, sorted_bytes
from pipeline.checks.scan.streaming import STREAMING_BYTES
from pipeline.checks.scan.summary import (
    CategoricalSummary,
    Cells,
    Moments,
    NumericalSummary,
    SortedValues,
    Summary,
    Unscannable,
    count_distinct,
)
from pipeline.checks.scan.table import Table, open_table
from pipeline.checks.scan.types import FAMILIES, FloatArray, IntArray, Key, infer_kind, is_number_list

__all__ = [
    "DEFAULT_BUDGET_BYTES",
    "FAMILIES",
    "STREAMING_BYTES",
    "CategoricalSummary",
    "Cells",
    "FloatArray",
    "IntArray",
    "Kept",
    "Key",
    "Moments",
    "NumericalSummary",
    "Shelf",
    "SortedValues",
    "Summary",
    "Table",
    "Unscannable",
    "count_distinct",
    "infer_kind",
    "is_exact",
    "is_number_list",
    "keep",
    "open_table",
    "read_kept",
    "scan",
    "scan_pair",
    "sorted_bytes",
    "sturges_edges",
]
