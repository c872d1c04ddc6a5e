"""The training set as it is kept: production's columns and types, the new model's scores."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config import ColumnRoles
from pipeline.retrain.data.snapshot_file import Told, scored, write

LIKE = pa.schema(
    [
        ("age", pa.int32()),
        ("city", pa.dictionary(pa.int8(), pa.string())),
        ("seen", pa.timestamp("us", tz="UTC")),
        ("prediction", pa.bool_()),
        ("label", pa.string()),
    ]
)
ROWS = pd.DataFrame(
    {
        "age": [1.0, None],
        "city": ["Bern", None],
        "seen": pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True),
        "prediction": [0, 1],
        "label": [1, 0],
        "of the reference only": [1, 2],
    }
)


def test_it_has_the_columns_and_types_of_production_and_the_label_of_the_labels(tmp_path: Path) -> None:
    write(ROWS, LIKE, "label", tmp_path / "a.parquet")
    write(ROWS.copy(), LIKE, "label", tmp_path / "b.parquet")

    kept = pq.read_table(tmp_path / "a.parquet")

    assert kept.schema.names == ["age", "city", "seen", "prediction", "label"]
    assert kept.schema.field("age").type == pa.int32()
    assert pa.types.is_dictionary(kept.schema.field("city").type)
    assert kept.schema.field("seen").type == pa.timestamp("us", tz="UTC")
    assert kept.schema.field("prediction").type == pa.bool_()
    assert kept.column("age").to_pylist() == [1, None]
    assert kept.column("prediction").to_pylist() == [False, True]
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_value_that_does_not_fit_keeps_its_own_type(tmp_path: Path) -> None:
    write(ROWS.assign(age=[1.5, 2.0]), LIKE, "label", tmp_path / "a.parquet")

    assert pq.read_table(tmp_path / "a.parquet").column("age").to_pylist() == [1.5, 2.0]


def test_scores_are_those_of_the_new_model() -> None:
    rows = pd.DataFrame({"prediction": [9, 9], "score": [9.0, 9.0]})
    roles = ColumnRoles(prediction="prediction", score="score")
    two = pd.DataFrame({"prediction": [0, 1], "p0": [0.9, 0.2], "p1": [0.1, 0.8]})
    three = two.assign(p2=[0.0, 0.95])

    assert scored(rows, None, Told((0, 1)), roles).equals(rows)
    assert scored(rows, two, Told((0, 1)), roles).to_dict("list") == {"prediction": [0, 1], "score": [0.1, 0.8]}
    assert scored(rows, three, Told((0, 1, 2)), roles)["score"].tolist() == [0.9, 0.95]
    assert scored(rows, two[["prediction"]], Told((0, 1)), roles)["score"].tolist() == [9.0, 9.0]  # it gives none
    assert scored(rows, two[["prediction"]], Told(), roles)["score"].tolist() == [0, 1]  # a regression
    assert "score" not in scored(rows[["prediction"]], two, Told((0, 1)), roles)


def test_the_score_is_the_probability_of_the_positive_class() -> None:
    rows = pd.DataFrame({"score": [9.0, 9.0]})
    roles = ColumnRoles(score="score", positive="bad")
    two = pd.DataFrame({"prediction": ["bad", "good"], "p0": [0.9, 0.2], "p1": [0.1, 0.8]})

    assert scored(rows, two, Told(("bad", "good"), "bad"), roles)["score"].tolist() == [0.9, 0.2]
    assert scored(rows, two, Told(("bad", "good"), "good"), roles)["score"].tolist() == [0.1, 0.8]
    assert scored(rows, two, Told(("bad", "good"), "ugly"), roles)["score"].tolist() == [0.0, 0.0]  # it knows no such


@pytest.mark.parametrize("classes", [(0, 1, 2), ("0", "1", "2")])
def test_a_column_for_each_class_has_its_probability_and_they_sum_to_one(classes: tuple[object, ...]) -> None:
    roles = ColumnRoles(scores={"1": "one", "0": "none", "2": "two", "3": "three"})
    rows = pd.DataFrame(9.0, index=range(2), columns=["none", "one", "two", "three"])
    three = pd.DataFrame({"prediction": classes[:2], "p0": [0.5, 0.2], "p1": [0.25, 0.8], "p2": [0.25, 0.0]})

    found = scored(rows, three, Told(classes), roles)

    assert found.to_dict("list") == {
        "none": [0.5, 0.2], "one": [0.25, 0.8], "two": [0.25, 0.0], "three": [0.0, 0.0],
    }  # fmt: skip
    assert found.sum(axis=1).tolist() == [1.0, 1.0]


def test_labels_of_several_types_are_kept_as_text(tmp_path: Path) -> None:
    write(ROWS.assign(label=[True, "yes"]), LIKE, "label", tmp_path / "a.parquet")

    assert pq.read_table(tmp_path / "a.parquet").column("label").to_pylist() == ["True", "yes"]
