"""Classification or regression: one rule, whatever type the labels have, for nights and retrainings alike."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checks.performance.labelled_rows import Rows
from pipeline.config import Monitor
from pipeline.labels.task import task_of, values_of
from pipeline.retrain.data.gather import gather
from tests.checks.performance.one_night import measure
from tests.label_columns import FRACTIONS, WHOLE, Column
from tests.retrain.data.test_gather import DAY, Shelf
from tests.retrain.data.test_training_set import monitor

# What is no number is a class, however many different ones there are.
NAMES: dict[str, pd.Series] = {
    "text": pd.Series([f"name {number}" for number in range(70)]),
    "text of numbers": pd.Series([str(number) for number in range(70)]),
    "string": pd.Series([f"name {number}" for number in range(70)], dtype="string"),
    "category": pd.Series([f"name {number}" for number in range(70)], dtype="category"),
    "category of numbers": pd.Series(range(70), dtype="category"),
    "bool": pd.Series([True, False] * 35),
    "boolean": pd.Series([True, False, None], dtype="boolean"),
    "bool with gaps": pd.Series([True, False, None], dtype=object),
    "all missing": pd.Series([None, None], dtype=object),
    "all NaN": pd.Series([np.nan, np.nan]),
    "dates": pd.Series(pd.date_range("2026-01-01", periods=70)),
}


def columns(frame: pd.DataFrame) -> dict[str, pd.Series]:
    return {str(name): frame[name] for name in frame}


def task(labels: pd.Series, said: pd.Series | None = None, wanted: str = "auto") -> str:
    frame = pd.DataFrame({"y": labels}) if said is None else pd.DataFrame({"y": labels, "p": said})
    of_arrow = task_of(wanted, [values_of(pa.Table.from_pandas(frame), "y", "p")], "y", "p")
    assert of_arrow == task_of(wanted, [columns(frame)], "y", "p")
    return of_arrow


@pytest.mark.parametrize("column", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize(
    ("different", "expected"),
    [(1, "classification"), (2, "classification"), (20, "classification"), (21, "regression"), (70, "regression")],
)
def test_whole_numbers_are_classes_up_to_twenty_different_ones(column: Column, different: int, expected: str) -> None:
    assert task(column(list(range(different)) * 3)) == expected


@pytest.mark.parametrize("column", FRACTIONS.values(), ids=FRACTIONS)
def test_numbers_with_a_fraction_are_a_regression_however_few(column: Column) -> None:
    assert task(column([1.5, 2.0, 2.0])) == "regression"
    assert task(column([float(value) + 0.25 for value in range(70)])) == "regression"


@pytest.mark.parametrize("labels", NAMES.values(), ids=NAMES)
def test_what_is_no_number_is_a_class(labels: pd.Series) -> None:
    assert task(labels) == "classification"


@pytest.mark.parametrize("said", FRACTIONS.values(), ids=FRACTIONS)
@pytest.mark.parametrize("labels", WHOLE.values(), ids=WHOLE)
def test_ratings_that_are_forecast_with_fractions_are_a_regression(labels: Column, said: Column) -> None:
    assert task(labels([1, 2, 3, 4, 5]), said([1.2, 2.0, 2.9, 4.4, 4.8])) == "regression"
    assert task(labels([1, 2, 3, 4, 5]), said([1.0, 2.0, 3.0, 4.0, 4.0])) == "classification"


@pytest.mark.parametrize("said", FRACTIONS.values(), ids=FRACTIONS)
@pytest.mark.parametrize("labels", WHOLE.values(), ids=WHOLE)
def test_probabilities_of_two_classes_are_no_forecasts_of_numbers(labels: Column, said: Column) -> None:
    assert task(labels([0, 1, 1, 0]), said([0.1, 0.9, 1.0, 0.5])) == "classification"


@pytest.mark.parametrize("wanted", ["classification", "regression"])
@pytest.mark.parametrize("labels", [pd.Series(range(70)), pd.Series(["a", "b"]), pd.Series([0.5]), pd.Series([0, 1])])
def test_what_the_monitor_says_decides(labels: pd.Series, wanted: str) -> None:
    assert task(labels, wanted=wanted) == wanted


def test_the_first_rows_that_have_labels_tell_and_the_first_that_have_predictions() -> None:
    nothing, few = {"p": pd.Series([1.5])}, {"y": pd.Series([1, 2])}
    many, empty = {"y": pd.Series(range(70))}, {"y": pd.Series([None]), "p": pd.Series([None])}
    assert task_of("auto", [many, few], "y") == "regression"
    assert task_of("auto", [few, many], "y") == "classification"
    assert task_of("auto", [empty, nothing, many, few], "y") == "regression"
    assert task_of("auto", [few, empty, nothing], "y", "p") == "regression"
    assert task_of("auto", [], "y", "p") == "classification"


# -- nights and retrainings -------------------------------------------------------------------------------------------

LABELS: dict[str, list[Any]] = {
    "counts": list(range(70)),
    "ratings": [1, 2, 3, 4, 5] * 14,
    "flags": [0, 1] * 35,
    "measures": [number / 8 for number in range(70)],
    "text": ["1", "2"] * 35,
    "booleans": [True, False] * 35,
    "decimals": [Decimal(number) for number in range(70)],
    "classes": [number % 3 for number in range(70)],
}


def watched(wanted: str) -> Monitor:
    found = monitor(window_days=1, task=wanted)
    return found.model_copy(update={"columns": found.columns.model_copy(update={"prediction": "said"})})


def night_of(reference: pd.DataFrame, tonight: pd.DataFrame, wanted: str) -> str:
    """The task that a night's metrics are of."""
    rows, before = (Rows(pa.Table.from_pandas(part), "labels", "production") for part in (tonight, reference))
    found = measure(rows, before, watched(wanted).columns, date(2026, 1, 7), "digest", wanted=wanted)
    assert found.status == "measured", found.reason
    return "regression" if "mean_absolute_error" in found.realised else "classification"


def retraining_of(reference: pd.DataFrame, tonight: pd.DataFrame, wanted: str) -> str:
    """The task that a model is trained for."""
    shelf = Shelf(
        base=[reference.iloc[:40], reference.iloc[40:]],
        p_9=[tonight.drop(columns="label")],
        l_9=[tonight[["id", "label"]]],
    )
    return gather(watched(wanted), DAY, shelf.snapshot("base"), shelf, lambda _: None).task


@pytest.mark.parametrize("wanted", ["auto", "classification", "regression"])
@pytest.mark.parametrize("has_labels", [True, False])
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_a_night_and_a_retraining_come_to_the_same_task(labels: list[Any], has_labels: bool, wanted: str) -> None:
    reference = pd.DataFrame({"id": [f"r{place}" for place in range(70)], "label": labels, "said": labels})
    tonight = reference.assign(id=[f"t{place}" for place in range(70)])
    reference = reference if has_labels else reference.drop(columns="label")
    assert night_of(reference, tonight, wanted) == retraining_of(reference, tonight, wanted)


@pytest.mark.parametrize("labels", [LABELS["counts"], LABELS["ratings"], LABELS["flags"], LABELS["measures"]])
@settings(deadline=None, max_examples=40, derandomize=True, database=None)
@given(rows=st.lists(st.integers(0, 69), min_size=1, max_size=30))
def test_no_night_however_small_changes_the_task_of_the_reference(labels: list[Any], rows: list[int]) -> None:
    reference = pd.DataFrame({"id": range(70), "label": labels, "said": labels})
    whole = night_of(reference, reference, "auto")
    assert night_of(reference, reference.iloc[rows].reset_index(drop=True), "auto") == whole
