"""The training set as it is kept: production's columns and types, the new model's scores."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config import ColumnRoles
from pipeline.retrain.data.snapshot_file import scored, write

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

    assert scored(rows, None, [0, 1], roles).equals(rows)
    assert scored(rows, two, [0, 1], roles).to_dict("list") == {"prediction": [0, 1], "score": [0.1, 0.8]}
    assert scored(rows, three, [0, 1, 2], roles)["score"].tolist() == [0.9, 0.95]
    assert scored(rows, two[["prediction"]], [0, 1], roles)["score"].tolist() == [9.0, 9.0]  # it gives none
    assert scored(rows, two[["prediction"]], [], roles)["score"].tolist() == [0, 1]  # a regression
    assert "score" not in scored(rows[["prediction"]], two, [0, 1], roles)
