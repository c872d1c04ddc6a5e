"""Which classes there are, and what means one of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import ColumnRoles
from pipeline.labels.classes import MISSING, Classes, classes_of, distinct, encode, has_fractions, known_classes
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.numbers import numbers, scores

ROLES = ColumnRoles(label="y")


@pytest.mark.parametrize(
    ("values", "same", "other"),
    [
        ([0, 1], [1, 1.0, Decimal("1.00"), True, np.int8(1), np.bool_(True), "1", "1.0", " 1 ", "+1", "01"],
         ["yes", "true", 2, 0.5, "1.5", "0x1", "one"]),
        ([False, True], [True, 1, "true", "TRUE", "True ", "1"], ["yes", 2, "t", 0.5]),
        (["no", "yes"], ["yes"], ["Yes", "yes ", True, 1]),
        (["0", "1"], ["1", 1, True, 1.0, "1.0", Decimal(1)], ["true", 2]),
        (["False", "True"], ["True", True, "true"], ["yes", 1]),
        ([0.5, 1.5], [1.5, Decimal("1.50")], [1, "2"]),
    ],
)  # fmt: skip
def test_a_value_means_a_class_however_it_is_stored(values: list[Any], same: list[Any], other: list[Any]) -> None:
    classes = classes_of(values, ROLES)
    assert len(classes.values) == 2
    second = classes.values[1]
    for value in same:
        assert classes.find(value) == second, value
    for value in other:
        assert not classes.knows(value), value


def test_text_that_only_looks_alike_stays_apart() -> None:
    classes = classes_of(["01", "1", "2"], ROLES)
    assert classes.values == ("01", "1", "2")
    assert (classes.find("01"), classes.find("1")) == ("01", "1")
    assert not classes.knows("001")  # which of the two nobody knows


def test_classes_are_in_order_numbers_by_size() -> None:
    assert classes_of([10, 9], ROLES).values == (9, 10)
    assert classes_of(["10", "9"], ROLES).values == ("9", "10")
    assert classes_of(["b", "a"], ROLES).positive == "b"
    assert classes_of([3, 1, 2], ROLES).positive is None
    assert classes_of([True, False], ROLES).name(1) == "true"
    assert classes_of([2**63 + 1, 2**63], ROLES).values == (2**63, 2**63 + 1)


def test_classes_are_those_of_the_reference_else_of_the_monitor_else_of_the_model() -> None:
    named = ColumnRoles(label="y", scores={"a": "pa", "b": "pb"}, positive="c")
    assert known_classes(ROLES, ["x", "y"], ["z"], ["w"]).values == ("x", "y")
    assert known_classes(named, [], ["z"], ["w"]).values == ("a", "b", "c")
    assert known_classes(ROLES, [], ["z"], ["w"]).values == ("z",)
    assert known_classes(ROLES, [], [], ["w"]).values == ("w",)
    assert known_classes(
        named.model_copy(update={"scores": {"1": "a", "2": "b"}, "positive": None}), [], [], [1]
    ).values == (1, 2)
    assert known_classes(ROLES, [], ["0", "1"], [1]).values == (0, 1)
    assert known_classes(ROLES, [], [0.25, 0.5], [1]).values == (1,)  # these are no classes, but probabilities
    with pytest.raises(LabelsUnusable, match="no row has a label"):
        known_classes(ROLES, [], [], [])


def test_a_private_label_is_not_named() -> None:
    with pytest.raises(LabelsUnusable) as caught:
        classes_of(["healthy", "ill"], ColumnRoles(label="y", positive="sick", private=("y",)))
    assert "healthy" not in str(caught.value)


def test_columns_are_encoded_alike_and_strangers_have_positions_of_their_own() -> None:
    classes = classes_of(["a", "b"], ROLES)
    truth = pa.chunked_array([pa.array(["a", None, "z"]), pa.array(["b"])])
    said = pa.chunked_array([pa.array(["z", "a", "z", ""]).dictionary_encode()])
    first, second = encode(classes, [truth, said], ["y", "p"])
    assert first.tolist() == [0, MISSING, 2, 1]
    assert second.tolist() == [2, 0, 2, MISSING]


def test_what_holds_no_classes_is_a_reason() -> None:
    lists = pa.chunked_array([pa.array([[1], [2]])])
    for ask in (lambda: distinct(lists, "y"), lambda: encode(classes_of([1], ROLES), [lists], ["y"])):
        with pytest.raises(LabelsUnusable, match="y is list<item: int64>, whose values are no classes"):
            ask()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 1.0], False), ([0.5, 1.0], True), ([float("nan"), None, 1.0], False), ([float("inf")], False),
        ([Decimal("1.00")], False), ([Decimal("1.50")], True), ([1], False), (["0.5"], False), ([], False),
    ],
)  # fmt: skip
def test_fractions(values: list[Any], expected: bool) -> None:
    assert has_fractions(pa.chunked_array([pa.array(values)])) is expected


# -- numbers and scores -----------------------------------------------------------------------------------------------


def column(values: Any, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    "values",
    [
        column([1, None, 3], pa.int8()), column([1, None, 3], pa.uint64()), column([1.0, float("nan"), 3.0]),
        column([1.0, None, 3.0], pa.float16()), column([Decimal("1.00"), None, Decimal(3)]),
        column([Decimal(1), None, Decimal(3)], pa.decimal32(9, 2)),
        column([Decimal(1), None, Decimal(3)], pa.decimal64(18)),
        column(["1", None, " 3.0 "]), column(["1e0", "", "3"]), column(["1", None, "3"]).dictionary_encode(),
    ],
    ids=lambda values: str(values.type),
)  # fmt: skip
def test_numbers_of_every_type_are_the_same(values: pa.ChunkedArray) -> None:
    assert np.array_equal(numbers(values, "s"), [1.0, np.nan, 3.0], equal_nan=True)


@pytest.mark.parametrize(
    "kind",
    [pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.decimal32(9), pa.decimal64(18), pa.decimal128(38),
     pa.decimal256(76), pa.string(), pa.string_view(), pa.large_string()],
    ids=str,
)  # fmt: skip
def test_classes_of_every_type_are_the_same(kind: pa.DataType) -> None:
    values = column([1, 3, None, 1])
    values = values.cast(pa.decimal128(38)).cast(kind) if pa.types.is_decimal(kind) else values.cast(kind)
    classes = classes_of(distinct(values, "y"), ROLES)
    assert [classes.find(number) for number in (1, 3)] == list(classes.values)
    assert encode(classes, [values], ["y"])[0].tolist() == [0, 1, MISSING, 0]


def test_booleans_are_numbers_and_text_and_moments_are_not() -> None:
    assert numbers(column([True, False]), "s").tolist() == [1.0, 0.0]
    assert np.isnan(numbers(column([None]), "s")).all()
    for values in (["90.3%", "1"], ["one"], [[1]], [b"1"], ["1,5"]):
        with pytest.raises(LabelsUnusable, match=r"^s is "):
            numbers(column(values), "s")


def scored(**columns: Any) -> pa.Table:
    return pa.table(columns)


def test_a_single_score_is_of_the_positive_class() -> None:
    roles = ColumnRoles(label="y", score="s")
    found = scores(scored(s=[0.25, None]), roles, classes_of([0, 1], ROLES), "here")
    assert found is not None
    assert found.classes == (1,)
    assert np.array_equal(found.values, [[0.25], [np.nan]], equal_nan=True)
    assert scores(scored(x=[1]), roles, classes_of([0, 1], ROLES), "here") is None
    assert scores(scored(s=[0.5]), roles, classes_of([0], ROLES), "here") is None
    with pytest.raises(LabelsUnusable, match=r"one score for 3 classes.* set columns.positive, or columns.scores"):
        scores(scored(s=[0.5]), roles, classes_of([0, 1, 2], ROLES), "here")


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float64(), 2)])
def test_a_list_is_a_probability_for_each_class_in_order(kind: pa.DataType) -> None:
    roles = ColumnRoles(label="y", score="s")
    found = scores(
        scored(s=pa.array([[0.25, 0.75], None, [0.5, 0.5]], kind)), roles, classes_of(["b", "a"], ROLES), "here"
    )
    assert found is not None
    assert found.classes == ("a", "b")
    assert np.array_equal(found.values, [[0.25, 0.75], [np.nan, np.nan], [0.5, 0.5]], equal_nan=True)


def test_scores_by_class_are_named_as_the_classes_are_written() -> None:
    roles = ColumnRoles(label="y", scores={"2": "two", "1": "one"})
    found = scores(scored(one=[0.25], two=[0.75]), roles, classes_of([1, 2], ROLES), "here")
    assert found is not None
    assert found.classes == (2, 1)
    assert found.values.tolist() == [[0.75, 0.25]]
    with pytest.raises(LabelsUnusable, match=r"columns.scores names '2', which is none of the classes of y: a, b"):
        scores(scored(one=[0.25], two=[0.75]), roles, classes_of(["a", "b"], ROLES), "here")
    with pytest.raises(LabelsUnusable, match="here has no column 'two'"):
        scores(scored(one=[0.25]), roles, classes_of([1, 2], ROLES), "here")


def test_a_column_of_nothing_has_no_class() -> None:
    nothing = pa.chunked_array([pa.nulls(3)])
    assert encode(Classes((0, 1)), [nothing], ["y"])[0].tolist() == [MISSING] * 3
