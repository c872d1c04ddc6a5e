"""Realised performance where labels have arrived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checks.performance.realised import NotMeasurable, join_labels, measure
from pipeline.checks.performance.realised import metrics as measured
from pipeline.config import ColumnRoles
from pipeline.results import PerformanceResult, Task
from tests.label_columns import FRACTIONS, WHOLE, Column

ROLES = ColumnRoles(id="id", label="y", prediction="p", score="s")


def metrics(frame: pd.DataFrame, roles: ColumnRoles = ROLES, task: Task = "classification") -> dict[str, float]:
    return measured(frame, roles, task)


def frame(labels: Sequence[object], predictions: Sequence[object], scores: list[float] | None = None) -> pd.DataFrame:
    data = {"id": range(len(labels)), "y": labels, "p": predictions}
    return pd.DataFrame(data | ({"s": scores} if scores else {}))


def test_classification_metrics_computed_by_hand() -> None:
    # three true positives, one false negative, one false positive, three true negatives
    found = metrics(frame([1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 1, 0, 0, 0]), ROLES)
    assert found == pytest.approx({"accuracy": 0.75, "precision": 0.75, "recall": 0.75, "f1": 0.75})


def test_roc_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    found = metrics(frame([1, 1, 0, 0], [1, 1, 0, 0], [0.9, 0.3, 0.4, 0.1]), ROLES)
    assert found["roc_auc"] == pytest.approx(3 / 4)


def test_text_labels_and_more_than_two_classes_give_accuracy() -> None:
    assert metrics(frame(["a", "b", "c"], ["a", "b", "b"]), ROLES) == pytest.approx({"accuracy": 2 / 3})


def test_regression_metrics_computed_by_hand() -> None:
    labels = np.arange(40, dtype=float)
    found = metrics(frame(list(labels), list(labels + 2)), ROLES, "regression")
    assert found["mean_absolute_error"] == pytest.approx(2)
    assert found["root_mean_squared_error"] == pytest.approx(2)
    assert found["r2"] == pytest.approx(1 - 4 / np.var(labels))


def test_rows_without_label_or_prediction_are_left_out() -> None:
    assert metrics(frame([1, None, 0], [1, 1, None]), ROLES)["accuracy"] == 1.0
    for rows in (frame([None], [1]), pd.DataFrame({"p": [1]}), pd.DataFrame()):
        with pytest.raises(NotMeasurable, match="no row has both a label and a prediction"):
            metrics(rows)


def test_one_class_alone_gives_what_it_can() -> None:
    assert metrics(frame([1, 1], [1, 1], [0.2, 0.3]), ROLES) == {"accuracy": 1.0}


def test_labels_join_by_id_and_the_last_label_of_an_id_counts() -> None:
    predictions = pd.DataFrame({"id": ["a", "a", "b", None], "p": [1, 0, 1, 1], "y": [9, 9, 9, 9]})
    labels = pd.DataFrame({"id": ["a", "b", "b", "c"], "y": [1, 0, 1, 1]})
    joined = join_labels(predictions, labels, ROLES)
    assert joined[["id", "p", "y"]].to_numpy().tolist() == [["a", 1, 1], ["a", 0, 1], ["b", 1, 1]]


def test_nothing_to_measure_is_a_result_with_a_reason() -> None:
    empty = pd.DataFrame({"id": [], "y": [], "p": []})
    result = measure(empty, frame([1, 0], [1, 0]), ROLES, date(2026, 1, 7), "digest")
    assert result.status == "not_evaluable"
    assert "no row has both a label and a prediction" in (result.reason or "")


def test_the_reference_is_measured_the_same_way() -> None:
    result = measure(frame([1, 0], [1, 1]), frame([1, 0], [1, 0]), ROLES, date(2026, 1, 7), "digest")
    assert (result.realised["accuracy"], result.reference["accuracy"], result.labelled_rows) == (0.5, 1.0, 2)


# -- labels of every kind ---------------------------------------------------------------------------------------------

REFERENCE = pd.DataFrame({"y": range(70), "p": range(70)})


def night(labels: pd.Series, said: pd.Series, reference: pd.DataFrame = REFERENCE, wanted: str = "auto") -> Any:
    joined = pd.DataFrame({"y": labels, "p": said})
    return measure(joined, reference, ROLES, date(2026, 1, 7), "digest", wanted=wanted)


@pytest.mark.parametrize("said", (WHOLE | FRACTIONS).values(), ids=WHOLE | FRACTIONS)
@pytest.mark.parametrize("labels", WHOLE.values(), ids=WHOLE)
def test_whole_numbers_of_many_values_are_measured_as_numbers_on_nights_of_any_size(
    labels: Column, said: Column
) -> None:
    for rows in (1, 2, 12, 20, 21, 23):
        truth, forecasts = labels(list(range(3, 3 + rows))), said([number + 2 for number in range(3, 3 + rows)])
        first, second = (column.dropna().reset_index(drop=True) for column in (truth, forecasts))
        found = night(first, second)
        assert found.realised["mean_absolute_error"] == found.realised["root_mean_squared_error"] == 2.0
        assert len(found.realised) == (3 if rows > 1 else 2)  # there is no R2 of a single row
        assert found.reference["mean_absolute_error"] == 0.0


@pytest.mark.parametrize("said", FRACTIONS.values(), ids=FRACTIONS)
def test_ratings_forecast_with_fractions_are_measured_as_numbers(said: Column) -> None:
    ratings = pd.Series([1, 2, 3, 4, 5])
    reference = pd.DataFrame({"y": ratings, "p": said([1.5, 2.5, 3.5, 4.5, 4.5])})
    found = night(pd.Series([3]), pd.Series([3.25]), reference)
    assert found.realised == {"mean_absolute_error": 0.25, "root_mean_squared_error": 0.25}
    assert found.reference["mean_absolute_error"] == 0.5


@pytest.mark.parametrize("said", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("labels", WHOLE.values(), ids=WHOLE)
def test_whole_numbers_of_few_values_give_the_metrics_of_their_plain_twins(labels: Column, said: Column) -> None:
    truth, answers = [1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 1, 0, 0, 0]
    plain = night(pd.Series(truth), pd.Series(answers), frame(truth, answers))
    first, second = (column.dropna().reset_index(drop=True) for column in (labels(truth), said(answers)))
    found = night(first, second, pd.DataFrame({"y": first, "p": second}))
    assert found == plain
    assert found.realised == pytest.approx({"accuracy": 0.75, "precision": 0.75, "recall": 0.75, "f1": 0.75})


FLAGS = {
    "bool": pd.Series([True, True, False, False]),
    "boolean": pd.Series([True, True, False, False], dtype="boolean"),
    "bool with gaps": pd.Series([True, True, False, False], dtype=object),
    "int": pd.Series([1, 1, 0, 0]),
}
TEXTS = {
    "text": pd.Series(["yes", "yes", "no", "no"]),
    "string": pd.Series(["yes", "yes", "no", "no"], dtype="string"),
    "category": pd.Series(pd.Categorical(["yes", "yes", "no", "no"], ["yes", "no", "unused"])),
}


@pytest.mark.parametrize("twins", [FLAGS, TEXTS], ids=["flags", "texts"])
def test_twin_types_of_labels_and_predictions_are_the_same_classes(twins: dict[str, pd.Series]) -> None:
    for labels in twins.values():
        for said in twins.values():
            wrong_once = said.copy()
            wrong_once.iloc[0] = said.iloc[3]
            found = night(labels, wrong_once, pd.DataFrame({"y": labels, "p": said})).realised
            assert found == pytest.approx({"accuracy": 0.75, "precision": 1.0, "recall": 0.5, "f1": 2 / 3})


def test_the_classes_are_those_of_the_reference_whatever_tonight_holds() -> None:
    three = pd.DataFrame({"y": ["a", "b", "c"], "p": ["a", "b", "c"]})
    two = pd.DataFrame({"y": ["a", "b"], "p": ["a", "b"]})
    labels, said = pd.Series(["a", "a", "b", "b"]), pd.Series(["a", "b", "c", "b"])
    assert night(labels, said, three).realised == {"accuracy": 0.5}
    assert night(labels, said, two).realised == pytest.approx(
        {"accuracy": 0.5, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    )
    assert night(labels[:2], said[:2], two).realised == {"accuracy": 0.5}


def test_what_the_monitor_says_decides_for_the_night() -> None:
    labels, said = pd.Series([1, 2, 3]), pd.Series([1, 2, 4])
    assert night(labels, said, wanted="classification").realised == pytest.approx({"accuracy": 2 / 3})
    few = pd.DataFrame({"y": [1, 2, 3], "p": [1, 2, 3]})
    assert night(labels, said, few).realised == pytest.approx({"accuracy": 2 / 3})
    assert night(labels, said, few, "regression").realised["mean_absolute_error"] == pytest.approx(1 / 3)


def test_answers_of_another_kind_are_not_evaluable_and_the_reason_names_types_and_no_value() -> None:
    few = pd.DataFrame({"y": [0, 1], "p": [0, 1]})
    for said in (["yes", "no"], [0.25, 0.75], ["90.3%", "8%"]):
        found = night(pd.Series([0, 1]), pd.Series(said), few)
        assert (found.status, found.realised) == ("not_evaluable", {})
        assert str(found.reason).startswith(f"y holds integer, p holds {'floating' if said[0] == 0.25 else 'string'}")
        assert str(said[0]) not in str(found.reason)
    found = night(pd.Series([1, 2]), pd.Series(["many", "few"]), wanted="regression")
    assert found.reason == "y holds integer, p holds string, which give no metric of a regression (ValueError)"


def test_a_score_alone_needs_both_classes() -> None:
    joined = pd.DataFrame({"y": [1, 1], "s": [0.2, 0.9]})
    found = measure(joined, joined, ROLES, date(2026, 1, 7), "digest")
    assert (found.status, found.labelled_rows) == ("not_evaluable", 0)
    assert "no metric of a classification" in str(found.reason)


anything = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 90), st.floats(), st.text(max_size=2), st.just(b"\x00"), st.dates(),
    st.decimals(allow_nan=False, places=1), st.lists(st.integers(), max_size=2),
)  # fmt: skip
columns = st.one_of(
    st.lists(anything, min_size=8, max_size=8),
    *(st.lists(kind, min_size=8, max_size=8) for kind in (st.booleans(), st.integers(0, 3), st.floats(), st.text())),
)


@settings(deadline=None, max_examples=200, derandomize=True, database=None)
@given(
    labels=columns,
    said=columns,
    scores=columns,
    known=columns,
    wanted=st.sampled_from(["auto", "classification", "regression"]),
    rows=st.integers(0, 8),
)
def test_whatever_the_columns_hold_the_night_goes_on(
    labels: list[Any], said: list[Any], scores: list[Any], known: list[Any], wanted: str, rows: int
) -> None:
    joined = pd.DataFrame({"y": labels, "p": said, "s": scores}).iloc[:rows]
    reference = pd.DataFrame({"y": known, "p": said, "s": scores})
    found = measure(joined, reference, ROLES, date(2026, 1, 7), "digest", wanted=wanted)
    assert (found.status == "measured") == bool(found.realised)
    assert found.status == "measured" or found.reason
    assert PerformanceResult.model_validate_json(found.to_json()) == found
