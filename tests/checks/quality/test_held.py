"""Rows of a wide and small snapshot are read once for all queries, and say what they say as they are looked up."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.checks.quality.check import Check, Limits
from pipeline.checks.quality.engines import in_duckdb, sql
from pipeline.checks.quality.engines.evaluate import evaluate
from pipeline.checks.quality.validate import open_files
from tests.checks.quality.samples import write_parts
from tests.checks.quality.test_company import told
from tests.checks.quality.test_parity import cases, snapshot


def test_what_is_wide_and_small_is_held(tmp_path: Path) -> None:
    wide = pa.table({f"c{place}": range(20) for place in range(200)})
    assert sql.is_worth_holding(write_parts(tmp_path / "wide", wide), wide.schema)
    narrow = wide.select(wide.column_names[:-1])
    assert not sql.is_worth_holding(write_parts(tmp_path / "narrow", narrow), narrow.schema)
    long = pa.table({f"c{place}": pa.nulls(26_000, pa.int8()) for place in range(200)})
    assert not sql.is_worth_holding(write_parts(tmp_path / "long", long, parts=2), long.schema)


@pytest.mark.slow
def test_what_is_held_says_what_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = open_files(write_parts(tmp_path, snapshot().slice(0, 101), parts=2))
    rows = {"row_condition": 'col("whole") > 2', "condition_parser": "great_expectations"}
    named = {"unexpected_rows_query": "SELECT * FROM {batch} WHERE whole > 40"}
    checks = [Check(kind, kwargs, "info", "") for kind, kwargs in cases()][::3]
    checks.append(Check("expect_column_values_to_not_be_null", {"column": "txt", **rows}, "info", ""))
    checks.append(Check("unexpected_rows_expectation", named, "info", ""))
    looked_up = evaluate(checks, files, Limits(threads=1))
    monkeypatch.setattr(in_duckdb, "_TOGETHER", 2)
    few_at_a_time = evaluate(checks, files, Limits(threads=1))
    monkeypatch.setattr(sql, "_WIDE", 1)
    held = evaluate(checks, files, Limits(threads=1))
    for other in (few_at_a_time, held):
        assert [found.engine for found in other] == [found.engine for found in looked_up]
        for check, first, second in zip(checks, looked_up, other, strict=True):
            assert told(check, first) == told(check, second), check


def test_checks_that_hold_need_no_query_each(tmp_path: Path, statements: list[str]) -> None:
    wide = pa.table({f"c{place}": range(20) for place in range(300)})
    files = open_files(write_parts(tmp_path, wide))
    limit = {"min_value": 0, "max_value": 19}
    checks = [
        Check("expect_column_values_to_be_between", {"column": name, **limit}, "info", "") for name in wide.column_names
    ]
    found = evaluate(checks, files, Limits(threads=1, examples=3))
    assert {item.success for item in found} == {True}
    assert len([text for text in statements if text.startswith("SELECT")]) == 3  # of 100 columns each


def test_what_does_not_fit_into_memory_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short file may repeat a long text: what it takes shows when it is held."""
    monkeypatch.setattr(sql, "_WIDE", 1)
    text = pa.array(["x" * 100_000 + str(place % 7) for place in range(7_000)]).dictionary_encode()
    files = open_files(write_parts(tmp_path, pa.table({"said": text})))
    limits = Limits(threads=1, budget_bytes=2**20)  # DuckDB has 256 MiB
    (found,) = evaluate([Check("expect_column_values_to_not_be_null", {"column": "said"}, "info", "")], files, limits)
    assert found.error is None
    assert found.engine == "duckdb"
