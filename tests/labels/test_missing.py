"""What drift and quality count as missing has no label, joins nobody, is in no segment, and is a gap to a trainer."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.checks.scan.missing import missing_in
from pipeline.labels.columns import present
from pipeline.labels.join import join
from pipeline.retrain.data.features import features_of, typed
from pipeline.retrain.data.frames import frame_of
from tests.checks.quality.test_missing import COLUMNS

VALUES = {name: column for name, column in COLUMNS.items() if name not in ("list", "struct", "text", "category")}
LABELS = [name for name in VALUES if name not in ("time", "duration")]


@pytest.mark.parametrize("name", VALUES)
def test_the_same_rows_have_no_value_for_labels_and_trainers(name: str) -> None:
    column = VALUES[name]
    gone = [missing_in(column.slice(place, 1)) == 1 for place in range(len(column))]
    table = pa.table({"x": column})
    assert pc.invert(present(table["x"])).to_pylist() == gone
    frame = frame_of(table, ())
    assert frame["x"].isna().tolist() == gone
    seen = typed(frame, features_of(frame, [], ["x"]))["x"]
    assert seen.isna().tolist() == gone


@pytest.mark.parametrize("name", LABELS)
def test_rows_without_a_label_are_counted_alike_when_labels_are_joined(name: str) -> None:
    column = VALUES[name]
    rows = pa.table({"id": range(len(column))})
    found = join(rows, rows.append_column("label", column), "id", "label", ("production", "labels"))
    assert found.labelled == len(column) - missing_in(column) == 18
    assert found.empty == 6


def test_a_blank_text_is_a_value_but_no_label() -> None:
    column = pa.chunked_array([pa.array(["", "  ", "NaN", None])])
    assert missing_in(column.chunk(0)) == 1
    assert present(column).to_pylist() == [False, False, True, False]
