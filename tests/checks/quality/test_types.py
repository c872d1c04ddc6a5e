"""Expectations about types are answered from two rows, and say what the whole column would."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.checks.quality.check import Check, Limits
from pipeline.checks.quality.engines.chunks import read_columns
from pipeline.checks.quality.engines.evaluate import _batch, _run, evaluate
from pipeline.checks.quality.validate import open_files
from tests.checks.quality.samples import write_parts
from tests.checks.quality.test_parity import snapshot

TYPES = ("int64", "float64", "float32", "uint8", "str", "bool", "object", "datetime64", "Decimal", "date")


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Gaps are rare enough to lie beyond the first rows."""
    return snapshot().append_column("late gap", pa.array([*range(2_000), None]))


def test_two_rows_say_what_all_rows_say(tmp_path: Path, table: pa.Table) -> None:
    files = open_files(write_parts(tmp_path, table, parts=3))
    checks = [
        Check("expect_column_values_to_be_of_type", {"column": name, "type_": kind}, "info", "")
        for name in table.column_names
        for kind in TYPES
    ]
    checks += [
        Check("expect_column_values_to_be_in_type_list", {"column": name, "type_list": ["str", "int64"]}, "info", "")
        for name in table.column_names
    ]
    frame = read_columns(files, table.column_names)
    for name in ("gaps", "late gap"):
        frame[name] = frame[name].fillna(0).astype("int64")  # whole numbers, whatever is missing
    whole = _run(_batch(frame), dict(enumerate(checks)), "pandas", 0)
    quick = evaluate(checks, files, Limits(threads=1))
    for place, check in enumerate(checks):
        told = (quick[place].success, quick[place].error)
        assert told == (whole[place].success, whole[place].error), dict(check.kwargs)
    assert {item.engine for item in quick} == {"pandas"}
    assert sum(bool(item.success) for item in quick) > 20
