"""Made-up suites on made-up tables say what plain Great Expectations says on pandas, and the same alone.

A few seeds run with all tests. `NIGHTJAR_FUZZ_EXAMPLES=2000` or `NIGHTJAR_FUZZ_SECONDS=600` runs more, from
`NIGHTJAR_FUZZ_SEED` on; whatever is found names its seed.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.checks.quality.check import Check, Evaluation, Limits
from pipeline.checks.quality.engines.evaluate import evaluate
from pipeline.checks.quality.outcomes import outcome_of
from pipeline.checks.quality.validate import open_files
from tests.fuzz import suite_oracle, suites, tables

pytestmark = pytest.mark.fuzz
FEW = 5
SECONDS = float(os.environ.get("NIGHTJAR_FUZZ_SECONDS", "0"))
EXAMPLES = int(os.environ.get("NIGHTJAR_FUZZ_EXAMPLES", "0")) or (10**9 if SECONDS else FEW)
FIRST = int(os.environ.get("NIGHTJAR_FUZZ_SEED", "0"))
LIMITS = Limits(threads=1)
_COMPUTED = ("expect_column_mean", "expect_column_stdev", "expect_column_sum", "expect_column_median")


def seeds() -> Iterator[int]:
    """As many as are wanted, or as there is time for."""
    end = time.monotonic() + SECONDS if SECONDS else math.inf
    for seed in range(FIRST, FIRST + EXAMPLES):
        if time.monotonic() > end:
            return
        yield seed


def test_suites_say_what_great_expectations_says_on_pandas(tmp_path: Path) -> None:
    wrong, compared = [], 0
    for seed in seeds():
        data, paths, entries = made(seed, tmp_path)
        checks = [Check(kind, kwargs, "info", "") for kind, kwargs in entries]
        answers = evaluate(checks, open_files(paths), LIMITS)
        frames = {whole: suite_oracle.frame_of(paths, whole=whole) for whole in (False, True)}
        for check, ours in zip(checks, answers, strict=True):
            plain = held_against(check, data.schema, paths, frames)
            if plain is None:
                continue
            compared += 1
            first, second = suite_oracle.told(plain.success, plain.result), told(ours)
            if first != second and settled(check, data, first, ours) is None:
                columns = {name: (str(data.schema.field(name).type), data[name].to_pylist()) for name in check.columns}
                wrong.append(
                    f"seed {seed}: {check.type} {dict(check.kwargs)}\n  {columns}\n  pandas {first}\n  {second}"
                )
    assert not wrong, "\n".join(wrong)
    assert compared > 5 * min(EXAMPLES, FEW)


@pytest.mark.parametrize("pandas_only", [False, True])
def test_an_entry_says_the_same_alone_and_in_company(tmp_path: Path, pandas_only: bool) -> None:
    for seed in seeds():
        _, paths, entries = made(seed, tmp_path)
        files = open_files(paths)
        checks = [Check(kind, kwargs, "info", "") for kind, kwargs in (*entries, *varied(entries))]
        together = evaluate(checks, files, LIMITS, pandas_only=pandas_only)
        for check, found in list(zip(checks, together, strict=True))[:: 1 if SECONDS or EXAMPLES > FEW else 4]:
            (alone,) = evaluate([check], files, LIMITS, pandas_only=pandas_only)
            assert outcome_of(check, alone) == outcome_of(check, found), (
                f"seed {seed}: {check.type} {dict(check.kwargs)}"
            )


def made(seed: int, folder: Path) -> tuple[pa.Table, list[Path], list[suites.Entry]]:
    """A table, its files, and entries for it: always the same of a seed."""
    random = Random(seed)
    data = tables.table(random)
    where = folder / str(seed)
    where.mkdir(exist_ok=True)
    return data, tables.write(random, data, where), suites.entries(random, data.column_names)


def varied(entries: list[suites.Entry]) -> Iterator[suites.Entry]:
    """Some of them again, with one argument changed."""
    for kind, kwargs in entries:
        if "value_set" in kwargs:
            yield kind, {**kwargs, "value_set": kwargs["value_set"][:1]}
        elif "row_condition" in kwargs:
            yield kind, {key: item for key, item in kwargs.items() if key != "row_condition"}
        elif "quantile_ranges" in kwargs:
            yield kind, {**kwargs, "quantile_ranges": {"quantiles": [0.1], "value_ranges": [[None, 1]]}}
        elif "regex" in kwargs:
            yield kind, {**kwargs, "regex": "b"}


def held_against(check: Check, schema: pa.Schema, paths: list[Path], frames: Mapping[bool, Any]) -> Any:
    """What the library says; None where pandas cannot say it."""
    frame, kwargs = frames[check.type.startswith(suite_oracle.READING)], dict(check.kwargs)
    condition = kwargs.pop("row_condition", None)
    if condition is not None:
        rows = suite_oracle.chosen(condition, paths)
        if rows is None:
            return None
        frame = frame.loc[rows.index]
    return suite_oracle.answer(check.type, suite_oracle.arguments(kwargs, schema), frame)


def told(found: Evaluation) -> tuple[Any, ...]:
    return ("error", found.error) if found.error else suite_oracle.told(found.success, found.details)


def settled(check: Check, data: pa.Table, plain: tuple[Any, ...], ours: Evaluation) -> str | None:
    """Why the answers may differ; None where they may not."""
    if ours.error is not None:
        told_more = "is above max_value" in ours.error and not plain[0]
        return "an error that says more than the failure" if told_more else None
    if check.type == "expect_column_most_common_value_to_be_in_set":
        if pa.types.is_timestamp(data.schema.field(check.kwargs["column"]).type):
            return "pandas makes integers of moments"
        return "ties have no order" if plain[0] == ours.success else None
    if check.type == "expect_column_values_to_be_between" and check.kwargs["column"] in ("f32", "f16"):
        limits = [check.kwargs[key] for key in ("min_value", "max_value") if key in check.kwargs]
        if any(_shorter(limit, check.kwargs["column"]) != limit for limit in limits):
            return "pandas holds short floats against a longer limit here, and against a short one for the maximum"
    if check.type == "expect_select_column_values_to_be_unique_within_record" and _several_gaps(check, data):
        return "pandas finds NaN and None different"
    return _computed_otherwise(check, data, plain, told(ours)) if check.type.startswith(_COMPUTED) else None


def _computed_otherwise(check: Check, data: pa.Table, plain: tuple[Any, ...], ours: tuple[Any, ...]) -> str | None:
    first, second = plain[1], ours[1]
    if check.type == "expect_column_sum_to_be_between":
        if first == 0 and second is None:
            return "the sum of no values is 0 in pandas, which lets an empty column pass"
        if pa.types.is_integer(data.schema.field(check.kwargs["column"]).type) and abs(second or 0) >= 2**63:
            return "the sum of whole numbers overflows in pandas"
    alike = plain[0] == ours[0] and isinstance(first, float) and isinstance(second, float)
    return "pandas computes in 16 and 32 bits" if alike and math.isclose(first, second, rel_tol=2e-3) else None


def _shorter(limit: float, name: str) -> float:
    return float((np.float32 if name == "f32" else np.float16)(limit))


def _several_gaps(check: Check, data: pa.Table) -> bool:
    """Whether a row misses two of the columns."""
    rows = zip(*(data[name].to_pandas().isna() for name in check.kwargs["column_list"]), strict=True)
    return any(sum(row) > 1 for row in rows)
