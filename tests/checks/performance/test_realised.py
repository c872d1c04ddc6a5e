"""Realised performance where labels have arrived."""

from __future__ import annotations

from collections.abc import Sequence
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
from pipeline.config import ColumnRoles
from pipeline.results import PerformanceResult
from tests.checks.performance.one_night import measure
from tests.label_columns import FRACTIONS, WHOLE, Column

ROLES = ColumnRoles(id="id", label="y", prediction="p", score="s")
NOTHING = pd.DataFrame({"x": [1]})


def rows(frame: pd.DataFrame) -> Rows:
    """As a step reads them: rows that have a label."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return Rows(table, "labels/", "production/")


def judged(
    tonight: pd.DataFrame, reference: pd.DataFrame = NOTHING, roles: ColumnRoles | None = None, wanted: str = "auto"
) -> PerformanceResult:
    """With the usual roles; without a score where neither side has one."""
    if roles is None:
        has_scores = "s" in tonight or "s" in reference
        roles = ROLES if has_scores else ROLES.model_copy(update={"score": None})
    return measure(rows(tonight), rows(reference), roles, date(2026, 1, 7), "digest", wanted=wanted)


BASIC = (
    "accuracy", "precision", "recall", "f1", "roc_auc", "mean_absolute_error", "root_mean_squared_error", "r2",
)  # fmt: skip


def told(found: PerformanceResult) -> dict[str, float]:
    """The metrics that are worked out by hand here; tests/metrics has all of them."""
    return {name: value for name, value in found.realised.items() if name in BASIC}


def metrics(frame: pd.DataFrame, roles: ColumnRoles | None = None, wanted: str = "auto") -> dict[str, float]:
    found = judged(frame, roles=roles, wanted=wanted)
    assert found.status == "measured", found.reason
    return told(found)


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
    ties = metrics(frame([1, 1, 0, 0], [1, 1, 0, 0], [0.5, 0.5, 0.5, 0.1]), ROLES)
    assert ties["roc_auc"] == pytest.approx((1 + 0.5 + 1 + 0.5) / 4)


def test_regression_metrics_computed_by_hand() -> None:
    labels = np.arange(40, dtype=float)
    found = metrics(frame(list(labels), list(labels + 2)), ROLES, "regression")
    assert found["mean_absolute_error"] == pytest.approx(2)
    assert found["root_mean_squared_error"] == pytest.approx(2)
    assert found["r2"] == pytest.approx(1 - 4 / np.var(labels))


def test_one_class_alone_gives_what_it_can() -> None:
    found = judged(frame([1, 1], [1, 1], [0.2, 0.3]), frame([1, 0], [1, 0]))
    assert told(found) == {"accuracy": 1.0}
    assert [(item.name, item.support) for item in found.by_class] == [("0", 0), ("1", 2)]


def test_a_missing_prediction_or_score_costs_only_the_metrics_that_need_it() -> None:
    tonight = pd.DataFrame({"y": [1, 1, 0, 0], "p": [1, None, 0, 1], "s": [0.9, 0.8, None, 0.1]})
    found = judged(tonight, frame([1, 0], [1, 0]))
    assert found.labelled_rows == 4
    assert told(found) == pytest.approx(
        {"accuracy": 2 / 3, "precision": 1 / 2, "recall": 1.0, "f1": 2 / 3, "roc_auc": 1.0}
    )


def test_nothing_to_measure_is_a_result_with_a_reason_that_names_the_files() -> None:
    result = judged(frame([], []), frame([1, 0], [1, 0]))
    assert result.status == "not_evaluable"
    assert "no row of production/ has both a label and a prediction" in (result.reason or "")
    assert "labels/" in (result.reason or "")
    found = judged(pd.DataFrame({"y": [1, 0], "p": [None, None]}), frame([1, 0], [1, 0]))
    assert found.status == "not_evaluable"
    assert "no row has both a label and a prediction" in (found.reason or "")


def test_the_reference_is_measured_the_same_way() -> None:
    result = judged(frame([1, 0], [1, 1]), frame([1, 0], [1, 0]))
    assert (result.realised["accuracy"], result.reference["accuracy"], result.labelled_rows) == (0.5, 1.0, 2)
    assert judged(frame([1, 0], [1, 1]), frame([None, None], [1, 0])).notes == ()


# -- classes and the positive one -------------------------------------------------------------------------------------


def test_three_classes_are_measured_class_by_class_whatever_tonight_holds() -> None:
    three = frame(["a", "b", "c"], ["a", "b", "c"])
    found = judged(frame(["a", "a", "b", "b"], ["a", "b", "c", "b"]), three)
    assert told(found) == {"accuracy": 0.5}
    assert [(item.name, item.support, item.predicted) for item in found.by_class] == [
        ("a", 2, 1), ("b", 2, 2), ("c", 0, 1),
    ]  # fmt: skip
    assert [(item.precision, item.recall, item.f1) for item in found.by_class] == [
        (1.0, 0.5, pytest.approx(2 / 3)), (0.5, 0.5, 0.5), (0.0, None, 0.0),
    ]  # fmt: skip
    assert found.notes == ()


def fraud(rows: int = 400) -> pd.DataFrame:
    """Text classes whose score is the probability of the first one in order."""
    random = np.random.default_rng(0)
    is_fraud = random.random(rows) < 0.1
    score = np.clip(np.where(is_fraud, 0.7, 0.3) + random.normal(0, 0.15, rows), 0, 1)
    texts = np.where(is_fraud, "fraud", "legit"), np.where(score > 0.6, "fraud", "legit")
    return pd.DataFrame({"y": texts[0], "p": texts[1], "s": score})


def test_the_positive_class_is_what_the_monitor_says() -> None:
    from sklearn.metrics import precision_score, roc_auc_score

    tonight = fraud()
    found = judged(tonight, fraud(), ROLES.model_copy(update={"positive": "fraud"}))
    is_fraud = tonight["y"] == "fraud"
    assert found.realised["roc_auc"] == pytest.approx(roc_auc_score(is_fraud, tonight["s"]))
    assert found.realised["precision"] == pytest.approx(precision_score(is_fraud, tonight["p"] == "fraud"))
    assert (found.positive, found.notes) == ("fraud", ())


def test_a_score_of_the_other_class_is_questioned() -> None:
    found = judged(fraud(), fraud())
    assert found.positive == "legit"
    assert found.realised["roc_auc"] < 0.05
    assert len(found.notes) == 1
    assert found.notes[0].startswith("the score looks like the probability of 'fraud': on the reference it ranks 9")
    assert found.notes[0].endswith("set columns.positive")
    mistaken = judged(fraud(), fraud(), ROLES.model_copy(update={"positive": "legit"}))
    assert mistaken.notes[0].endswith("check columns.positive")
    private = judged(fraud(), fraud(), ROLES.model_copy(update={"private": ("y",)}))
    assert "fraud" not in private.to_json().decode()
    assert (private.positive, private.by_class) == (None, ())


def test_a_weak_score_is_not_questioned_nor_is_one_on_a_handful_of_rows() -> None:
    random = np.random.default_rng(1)
    weak = fraud().assign(s=random.random(400))
    assert judged(weak, weak).notes == ()
    few = frame([0, 1, 0, 1], [0, 1, 0, 1], [0.9, 0.1, 0.8, 0.2])
    assert judged(few, few).realised["roc_auc"] == 0.0
    assert judged(few, few).notes == ()


@pytest.mark.parametrize(
    ("labels", "positive", "expected"),
    [
        ([0, 1], 0, "0"), ([0, 1], "0", "0"), ([0, 1], False, "0"), ([True, False], "false", "false"),
        (["0", "1"], 0, "0"), (["no", "yes"], False, "no"), (["on", "off"], True, "on"), ([False, True], 0, "false"),
    ],
)  # fmt: skip
def test_the_positive_class_may_be_written_as_people_write_it(
    labels: list[object], positive: Any, expected: str
) -> None:
    known = frame(labels, labels)
    assert judged(known, known, ROLES.model_copy(update={"positive": positive})).positive == expected


def test_a_positive_class_that_is_none_is_a_reason() -> None:
    known = frame(["a", "b"], ["a", "b"])
    found = judged(known, known, ROLES.model_copy(update={"positive": "fraud"}))
    assert found.status == "not_evaluable"
    assert found.reason == "columns.positive of the monitor file is fraud, which is none of the 2 classes of y: a, b"


def test_unknown_labels_and_predictions_do_not_change_what_is_measured() -> None:
    known = frame([0, 1], [0, 1])
    found = judged(frame([0, 1, 1, 7, 7], [0, 1, 9, 7, 1]), known)
    assert told(found) == pytest.approx({"accuracy": 3 / 5, "precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2})
    assert [(item.name, item.support) for item in found.by_class] == [("0", 1), ("1", 2), ("not a known class", 2)]
    assert found.notes == (
        "2 labels in labels/ are none of the 2 known classes (0, 1); each different one counts as a class of its own",
        (
            "2 predictions in production/ are none of the 2 known classes (0, 1); that is right only where the label "
            "is the same"
        ),
    )


def test_without_labels_in_the_reference_the_classes_are_those_that_the_monitor_or_the_model_names() -> None:
    one = pd.DataFrame({"y": ["a", "a"], "p": ["a", "b"], "a": [0.9, 0.4], "b": [0.1, 0.6]})
    named = ColumnRoles(label="y", prediction="p", scores={"a": "a", "b": "b"})
    assert [item.name for item in judged(one, roles=named).by_class] == ["a", "b"]
    answered = pd.DataFrame({"p": ["a", "b", "c"]})
    assert [item.name for item in judged(one, answered).by_class] == ["a", "b", "c"]
    assert [item.name for item in judged(one).by_class] == ["a"]


def test_scores_of_several_classes_are_ranked_each_against_the_rest() -> None:
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(0)
    labels = random.choice(["a", "b", "c"], 300)
    given = random.dirichlet([1, 1, 1], 300) + 0.4 * np.stack([labels == name for name in "abc"], axis=1)
    given /= given.sum(axis=1, keepdims=True)
    tonight = pd.DataFrame({"y": labels, "pa": given[:, 0], "pb": given[:, 1], "pc": given[:, 2]})
    roles = ColumnRoles(label="y", scores={"c": "pc", "a": "pa", "b": "pb"})
    assert metrics(tonight, roles) == pytest.approx({"roc_auc": roc_auc_score(labels, given, multi_class="ovr")})
    of_b = metrics(tonight, roles.model_copy(update={"positive": "b"}))
    assert of_b == pytest.approx({"roc_auc": roc_auc_score(labels == "b", given[:, 1])})
    lists = pd.DataFrame({"y": labels, "s": list(given)})
    assert metrics(lists, ColumnRoles(label="y", score="s")) == pytest.approx(
        {"roc_auc": roc_auc_score(labels, given, multi_class="ovr")}
    )


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (["90.3%", "10%", "20%", "80%"], "s in production/ is string, and not all of it can be read as numbers"),
        ([{"a": 0.1}] * 4, "s in production/ is struct<a: double>, whose fields are not the 2 classes of y (0, 1)"),
        ([[0.1, 0.2, 0.7]] * 4, "not with 2 probabilities in each row, one for each class in order"),
        ([date(2026, 1, 1)] * 4, "s in production/ is date32[day], which are no numbers"),
    ],
)
def test_an_unreadable_score_is_a_note_where_predictions_tell(score: list[Any], words: str) -> None:
    tonight = frame([0, 1, 0, 1], [0, 1, 1, 1]).assign(s=score)
    found = judged(tonight, frame([0, 1], [0, 1]))
    assert found.realised["accuracy"] == 0.75
    assert any(words in note for note in found.notes)
    alone = judged(tonight.drop(columns="p"), frame([0, 1], [0, 1]))
    assert alone.status == "not_evaluable"
    assert words in str(alone.reason)


def test_a_column_that_is_not_there_is_named() -> None:
    tonight = frame([0, 1], [0, 1], [0.1, 0.9])
    found = judged(tonight.drop(columns="p"), tonight)
    assert found.notes == ("production/ has no column 'p', so no prediction is judged",)
    assert "production/ has no column 'p'" in str(judged(tonight[["y"]]).reason)
    found = judged(tonight.drop(columns="s"), tonight)
    assert found.notes == ("production/ has no column 's', so ROC AUC is not measured",)
    assert judged(tonight, tonight).notes == ()


# -- labels of every kind ---------------------------------------------------------------------------------------------

REFERENCE = pd.DataFrame({"y": range(70), "p": range(70)})


def night(labels: pd.Series, said: pd.Series, reference: pd.DataFrame = REFERENCE, wanted: str = "auto") -> Any:
    return judged(pd.DataFrame({"y": labels, "p": said}), reference, wanted=wanted)


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
        assert len(told(found)) == (3 if rows > 1 else 2)  # there is no R2 of a single row
        assert found.reference["mean_absolute_error"] == 0.0


@pytest.mark.parametrize("said", FRACTIONS.values(), ids=FRACTIONS)
def test_ratings_forecast_with_fractions_are_measured_as_numbers(said: Column) -> None:
    ratings = pd.Series([1, 2, 3, 4, 5])
    reference = pd.DataFrame({"y": ratings, "p": said([1.5, 2.5, 3.5, 4.5, 4.5])})
    found = night(pd.Series([3]), pd.Series([3.25]), reference)
    assert told(found) == {"mean_absolute_error": 0.25, "root_mean_squared_error": 0.25}
    assert found.reference["mean_absolute_error"] == 0.5


@pytest.mark.parametrize("said", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("labels", WHOLE.values(), ids=WHOLE)
def test_whole_numbers_of_few_values_give_the_metrics_of_their_plain_twins(labels: Column, said: Column) -> None:
    truth, answers = [1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 1, 0, 0, 0]
    plain = night(pd.Series(truth), pd.Series(answers), frame(truth, answers))
    first, second = (column.dropna().reset_index(drop=True) for column in (labels(truth), said(answers)))
    found = night(first, second, pd.DataFrame({"y": first, "p": second}))
    assert found == plain
    assert told(found) == pytest.approx({"accuracy": 0.75, "precision": 0.75, "recall": 0.75, "f1": 0.75})


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
            found = told(night(labels, wrong_once, pd.DataFrame({"y": labels, "p": said})))
            assert found == pytest.approx({"accuracy": 0.75, "precision": 1.0, "recall": 0.5, "f1": 2 / 3})


def test_the_classes_are_those_of_the_reference_whatever_tonight_holds() -> None:
    two = frame(["a", "b"], ["a", "b"])
    labels, said = pd.Series(["a", "a", "b", "b"]), pd.Series(["a", "b", "c", "b"])
    assert told(night(labels, said, two)) == pytest.approx(
        {"accuracy": 0.5, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    )
    assert told(night(labels[:2], said[:2], two)) == {"accuracy": 0.5}


def test_what_the_monitor_says_decides_for_the_night() -> None:
    labels, said = pd.Series([1, 2, 3]), pd.Series([1, 2, 4])
    assert night(labels, said, wanted="classification").realised["accuracy"] == pytest.approx(2 / 3)
    few = frame([1, 2, 3], [1, 2, 3])
    assert night(labels, said, few).realised["accuracy"] == pytest.approx(2 / 3)
    assert night(labels, said, few, "regression").realised["mean_absolute_error"] == pytest.approx(1 / 3)


TWINS: dict[str, list[list[Any]]] = {
    "numbers": [
        [1, 0, 1, 1, 0, 1, 0, 0], [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0], ["1", "0", "1", "1", "0", "1", "0", "0"],
        ["1.0", "0.0", "1.0", "1.0", "0.0", "1.0", "0.0", "0.0"],
        [Decimal(number) for number in ("1.00", "0.00", "1.00", "1.00", "0.00", "1.00", "0.00", "0.00")],
        [True, False, True, True, False, True, False, False],
    ],
    "flags": [
        [True, False, True, True, False, True, False, False],
        ["true", "false", "true", "true", "false", "true", "false", "false"],
        ["True", "False", "True", "True", "False", "True", "False", "False"],
    ],
    "words": [
        ["yes", "no", "yes", "yes", "no", "yes", "no", "no"],
        [b"yes", b"no", b"yes", b"yes", b"no", b"yes", b"no", b"no"],
    ],
}  # fmt: skip


@pytest.mark.parametrize("as_categories", [False, True])
@pytest.mark.parametrize("kind", TWINS)
def test_one_dataset_in_every_combination_of_types_gives_the_same_figures(kind: str, as_categories: bool) -> None:
    truth = TWINS[kind]
    said = [[values[place] for place in (0, 1, 2, 1, 4, 5, 0, 7)] for values in truth]
    scores = [0.9, 0.2, 0.6, 0.4, 0.3, 0.8, 0.7, 0.1]
    expected = {"accuracy": 0.75, "precision": 0.75, "recall": 0.75, "f1": 0.75, "roc_auc": 14 / 16}
    for known in truth:
        for labels in truth:
            for answers in said:
                columns = pd.DataFrame({"y": labels, "p": answers}, dtype=object)
                if as_categories:
                    columns = columns.astype("category")
                found = judged(columns.assign(s=scores), frame(known, known))
                assert told(found) == pytest.approx(expected), (known, labels, answers)
                assert found.notes == ()


@pytest.mark.parametrize(
    ("labels", "said", "types"),
    [
        ([0, 1, 1], ["yes", "no", "yes"], "y is int64 in labels/, p is string in production/"),
        (["yes", "no", "no"], [1, 0, 0], "y is string in labels/, p is int64 in production/"),
        (["a", "b", "b"], [True, False, True], "y is string in labels/, p is bool in production/"),
        ([0, 1, 1], [0.25, 0.75, 1.0], "y is int64 in labels/, p is double in production/"),
        ([0, 1, 1], ["0.25", "0.75", "0.5"], "y is int64 in labels/, p is string in production/"),
        ([True, False, True], [0.25, 0.75, 1.0], "y is bool in labels/, p is double in production/"),
        ([0, 1, 1], [[0], [1], [1]], "p in production/ is list<"),
        ([[0], [1], [1]], [0, 1, 1], "is list<"),
    ],
)
def test_answers_of_another_kind_are_a_reason_that_names_both_types(
    labels: list[Any], said: list[Any], types: str
) -> None:
    found = judged(frame(labels, said), frame(labels, said))
    assert (found.status, found.realised) == ("not_evaluable", {})
    assert types in str(found.reason)
    assert "0.75" not in str(found.reason)


def test_labels_of_another_kind_than_the_reference_are_a_reason() -> None:
    found = judged(frame(["yes", "no"], ["yes", "no"]), frame([0, 1], [0, 1]))
    assert found.reason == "y is string in labels/: none of the labels is one of the 2 known classes (0, 1)"


def test_numbers_written_as_text_are_a_regression_where_the_monitor_says_so() -> None:
    known = frame([1.5, 2.5, 4.0], [1.0, 2.5, 5.0])
    plain = told(judged(known, known))
    for labels in (["1.5", " 2.5", "4"], [Decimal("1.5"), Decimal("2.5"), Decimal(4)]):
        for said in (["1.0", "2.5", "5e0"], [1.0, 2.5, 5.0]):
            assert told(judged(frame(labels, said), known)) == pytest.approx(plain)
    found = judged(frame(["many", "few", "3"], [1.0, 2.0, 3.0]), known)
    assert found.reason == "y in labels/ is string, and not all of it can be read as numbers"
    assert "infinite" in str(judged(frame([1.5, 2.0], [float("inf"), 2.0]), known).reason)


def test_a_score_alone_needs_both_classes() -> None:
    joined = pd.DataFrame({"y": [1, 1], "s": [0.2, 0.9]})
    found = judged(joined, joined)
    assert (found.status, found.labelled_rows) == ("not_evaluable", 2)
    assert "no metric of a classification" in str(found.reason)


# Columns as Arrow can hold them: one type each, and with gaps.
KINDS = (
    st.booleans(), st.integers(-3, 90), st.integers(0, 3), st.floats(), st.text(max_size=3), st.binary(max_size=2),
    st.dates(), st.decimals(-9, 9, allow_nan=False, places=1), st.lists(st.integers(-9, 9), max_size=2),
    st.sampled_from(["0", "1", "true", "no", ""]), st.fixed_dictionaries({"a": st.floats()}), st.none(),
)  # fmt: skip
columns = st.one_of(*(st.lists(st.none() | kind, min_size=8, max_size=8) for kind in KINDS))


@settings(deadline=None, max_examples=200, derandomize=True, database=None)
@given(
    labels=columns,
    said=columns,
    scores=columns,
    known=columns,
    wanted=st.sampled_from(["auto", "classification", "regression"]),
    many=st.integers(0, 8),
)
def test_whatever_the_columns_hold_the_night_goes_on(
    labels: list[Any], said: list[Any], scores: list[Any], known: list[Any], wanted: str, many: int
) -> None:
    tonight = Rows(pa.table({"y": labels, "p": said, "s": scores}).slice(0, many), "labels/", "production/")
    before = Rows(pa.table({"y": known, "p": said, "s": scores}), "reference/", "reference/")
    found = measure(tonight, before, ROLES, date(2026, 1, 7), "digest", wanted=wanted)
    assert (found.status == "measured") == bool(found.realised)
    assert found.status == "measured" or found.reason
    assert PerformanceResult.model_validate_json(found.to_json()) == found


def test_scores_in_a_structure_are_those_of_the_classes_that_its_fields_name() -> None:
    labels, said = ["a", "b", "c", "a", "b", "c"], ["a", "b", "c", "b", "b", "a"]
    chances = [(0.8, 0.1, 0.1), (0.2, 0.7, 0.1), (0.1, 0.1, 0.8), (0.3, 0.4, 0.3), (0.1, 0.8, 0.1), (0.6, 0.1, 0.3)]
    three = frame(["a", "b", "c"], ["a", "b", "c"])
    lists = pd.DataFrame({"y": labels, "p": said, "s": [list(row) for row in chances]})
    # In another order than the classes, and one of them missing as a whole.
    named = [dict(zip("cab", (row[2], row[0], row[1]), strict=True)) for row in chances]
    expected = judged(lists, three, ROLES).realised
    assert "roc_auc" in expected
    assert judged(lists.assign(s=pd.Series(named, dtype=object)), three, ROLES).realised == pytest.approx(expected)
    gap = judged(lists.assign(s=pd.Series([None, *named[1:]], dtype=object)), three, ROLES)
    assert gap.realised["roc_auc"] == pytest.approx(judged(lists.iloc[1:], three, ROLES).realised["roc_auc"])
