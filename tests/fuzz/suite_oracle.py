"""Plain Great Expectations on pandas: what the generated suites are held against.

One entry at a time, on all columns, with a frame as pandas reads the files. Where pandas itself changes values before
Great Expectations sees them, the frame has them as they are: whole numbers with gaps stay exact, moments are UTC.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.tables import DATES, TIMES

READING = ("expect_column_value_lengths", "expect_column_values_", "expect_column_distinct")


def frame_of(paths: Sequence[Path], *, whole: bool) -> pd.DataFrame:
    """All rows; whole numbers with gaps as pandas' nullable integers, or as objects with NaN."""
    data = pa.concat_tables([pq.read_table(path) for path in paths])
    columns: dict[str, pd.Series] = {}
    for name, column in zip(data.column_names, data.columns, strict=True):
        plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        series = plain.to_pandas()
        if pa.types.is_integer(plain.type) and plain.null_count:
            listed = plain.to_pylist()
            nullable = str(plain.type).replace("int", "Int").replace("uI", "UI")
            series = pd.Series(listed, dtype=nullable) if whole else _floats_or_objects(listed)
        if isinstance(series.dtype, pd.DatetimeTZDtype):
            series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        columns[name] = series.reset_index(drop=True)
    return pd.DataFrame(columns)


def _floats_or_objects(values: list[Any]) -> pd.Series:
    if all(item is None or abs(item) <= 2**53 for item in values):
        return pd.Series(values, dtype="float64")
    return pd.Series([float("nan") if item is None else item for item in values], dtype=object)


def arguments(kwargs: Mapping[str, Any], schema: pa.Schema) -> dict[str, Any]:
    """Limits and sets as objects of the column's type, read by another parser than ours."""
    read = dict(kwargs)
    name = kwargs.get("column")
    if name is not None:
        kind = _plain(schema.field(name).type)
        for key in ("min_value", "max_value"):
            if key in read:
                read[key] = _value(read[key], kind)
        if "value_set" in read:
            read["value_set"] = [_value(item, kind) for item in read["value_set"]]
        if "quantile_ranges" in read:
            ranges = read["quantile_ranges"]["value_ranges"]
            told = [[None if end is None else _value(end, kind) for end in pair] for pair in ranges]
            read["quantile_ranges"] = {**read["quantile_ranges"], "value_ranges": told}
    if "value_pairs_set" in read:
        kinds = [_plain(schema.field(read[side]).type) for side in ("column_A", "column_B")]
        read["value_pairs_set"] = [
            tuple(_value(item, kind) for item, kind in zip(pair, kinds, strict=True))
            for pair in read["value_pairs_set"]
        ]
    return read


def _plain(arrow_type: pa.DataType) -> pa.DataType:
    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def _value(found: Any, kind: pa.DataType) -> Any:
    if pa.types.is_temporal(kind) and isinstance(found, str):
        stamp = pd.Timestamp(found)
        moment = (stamp if stamp.tzinfo is None else stamp.tz_convert("UTC").tz_localize(None)).to_pydatetime()
        whole_day = pa.types.is_date(kind) and moment.time() == time()
        return moment.date() if whole_day else moment
    if pa.types.is_decimal(kind) and isinstance(found, int | float) and not isinstance(found, bool):
        return Decimal(str(found))
    return found


def chosen(condition: Any, paths: Sequence[Path]) -> pd.DataFrame | None:
    """The rows of a condition, by the library's own query; None where pandas cannot answer it."""
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.expectations.row_conditions import deserialize_row_condition

    engine = PandasExecutionEngine()
    frame = frame_of(paths, whole=False)
    for name in DATES:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name])  # a date equals no text; a moment does
    try:
        query = engine.condition_to_filter_clause(deserialize_row_condition(_as_pandas_means_it(condition)))
        return frame.query(query)
    except Exception:
        return None


def _as_pandas_means_it(condition: Any) -> Any:
    """With parameters that pandas compares as they are meant: moments in UTC, floats as long as the column's.

    Raises:
        ValueError: pandas finds a decimal different from every number with places.
    """
    if "conditions" in condition:
        return {**condition, "conditions": [_as_pandas_means_it(item) for item in condition["conditions"]]}
    if "parameter" not in condition:
        return condition
    name, parameter = condition["column"]["name"], condition["parameter"]
    if isinstance(parameter, list):
        return {**condition, "parameter": [_parameter(name, item) for item in parameter]}
    return {**condition, "parameter": _parameter(name, parameter)}


def _parameter(name: str, found: Any) -> Any:
    if name in TIMES and isinstance(found, str):
        return _value(found, pa.timestamp("us")).isoformat()
    if name in ("f32", "f16"):
        return float((np.float32 if name == "f32" else np.float16)(found))
    if name == "dec" and found != int(found):
        raise ValueError(name)
    return found


@cache
def _asset() -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("plain").add_dataframe_asset("all")
    return asset.add_batch_definition_whole_dataframe("rows")


def answer(kind: str, kwargs: Mapping[str, Any], frame: pd.DataFrame) -> Any:
    """The library's result; None where it raised."""
    from pipeline.checks.quality.suite.build import build_expectation

    batch = _asset().get_batch({"dataframe": frame})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = batch.validate(build_expectation(kind, kwargs, {}), result_format="BASIC")
    except Exception:
        return None
    information = result.exception_info or {}
    nested = [item for item in information.values() if isinstance(item, dict)]
    raised = information.get("raised_exception") or any(item.get("raised_exception", True) for item in nested)
    return None if raised or result.success is None else result


def told(success: Any, details: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a result says, with numbers to six digits."""
    return (
        bool(success),
        plain(details.get("observed_value")),
        details.get("unexpected_count") or 0,
        plain(details.get("unexpected_percent") or 0.0),
    )


def plain(found: Any) -> Any:
    """A value so that equal ones of twin types are equal."""
    if isinstance(found, dict):
        return {key: plain(item) for key, item in found.items()}
    if isinstance(found, list | tuple | set):
        return sorted((plain(item) for item in found), key=str)
    if found is None or found is pd.NaT or isinstance(found, str | bool):
        return None if found is pd.NaT else found
    if isinstance(found, datetime | date | np.datetime64):
        return str(pd.Timestamp(found))
    number = float(found)
    return None if number != number else float(f"{number:.6g}")
