"""Labels against an oracle of a few lines: dictionaries for the join, scikit-learn for the metrics.

Short and always the same in the suite; with NIGHTJAR_FUZZ_EXAMPLES=20000 as long and as random as somebody has time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from pipeline.checks.performance.labelled_rows import Rows
from pipeline.labels.join import join, labelled
from pipeline.results import ColumnType, PinnedObject, Snapshot
from pipeline.retrain.data.gather import gather
from tests.checks.performance.one_night import measure
from tests.retrain.data.test_training_set import monitor

EXAMPLES = int(os.environ.get("NIGHTJAR_FUZZ_EXAMPLES", "0"))
fuzz = settings(
    deadline=None,
    max_examples=EXAMPLES or 60,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
Ids = list[int | None]
Written = Callable[[Ids], pa.ChunkedArray]

LONG = 4_611_686_018_427_387_904  # 2**62: as floats, a thousand neighbours are one
DAY = date(2026, 1, 10)


def as_type(kind: pa.DataType, value: Callable[[int], Any]) -> Written:
    return lambda ids: pa.chunked_array([pa.array([None if one is None else value(one) for one in ids], kind)])


def as_categories(written: Written) -> Written:
    return lambda ids: written(ids).dictionary_encode()


def in_parts(written: Written) -> Written:
    """As several files have it."""

    def parts(ids: Ids) -> pa.ChunkedArray:
        cut = len(ids) // 2
        chunks = [chunk for part in (ids[:cut], ids[cut:]) for chunk in written(part).chunks]
        return pa.chunked_array(chunks, type=written([]).type)

    return parts


def day(number: int) -> date:
    return date(2026, 1, 1) + timedelta(days=number)


def midnight(number: int) -> datetime:
    return datetime.combine(day(number), datetime.min.time())


def moment(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)


SMALL = ("int8", "int32", "int64", "uint16", "uint64", "float64", "float32")
BYTES = (pa.binary(), pa.large_binary(), pa.binary(4))
KINDS: dict[str, list[Written]] = {
    "small": [
        *(as_type(getattr(pa, name)(), int) for name in SMALL),
        as_type(pa.decimal128(12, 2), Decimal), as_type(pa.decimal256(50, 0), Decimal),
    ],
    "long": [
        as_type(pa.int64(), lambda number: LONG + number), as_type(pa.uint64(), lambda number: LONG + number),
        as_type(pa.decimal128(30, 2), lambda number: Decimal(LONG + number)),
    ],
    "huge": [
        as_type(pa.uint64(), lambda number: 3 * LONG + number),
        as_type(pa.decimal128(38, 0), lambda number: Decimal(3 * LONG + number)),
    ],
    "text": [as_type(kind, "customer {}".format) for kind in (pa.string(), pa.large_string())],
    "codes": [as_type(pa.string(), "{:05}".format)],
    "bytes": [as_type(kind, lambda number: number.to_bytes(4)) for kind in BYTES],
    "days": [
        *(as_type(kind, day) for kind in (pa.date32(), pa.date64())),
        *(as_type(pa.timestamp(unit), midnight) for unit in ("s", "us", "ns")),
    ],
    "moments": [as_type(pa.timestamp(*kind), moment) for kind in (("s", "UTC"), ("ns", "Asia/Tokyo"), ("us", "UTC"))],
}  # fmt: skip
ids = st.lists(st.none() | st.integers(0, 12), max_size=25)
outcomes = st.sampled_from([None, 0, 1, 2])


@st.composite
def written_as(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[Written, Written]:
    """How the ids of both sides are written: two types of one kind."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    change = st.sampled_from([lambda written: written, as_categories, in_parts])
    first, second = (draw(change)(draw(st.sampled_from(kind))) for _ in range(2))
    return first, second


@dataclass(frozen=True)
class Case:
    """Production rows, and entries of labels, with the answers of a dictionary."""

    rows: Ids
    entries: Sequence[tuple[int | None, int | None]]

    @property
    def known(self) -> dict[int, int]:
        return {one: label for one, label in self.entries if one is not None and label is not None}

    @property
    def labels(self) -> list[int | None]:
        return [None if one is None else self.known.get(one) for one in self.rows]

    def tables(self, rows: Written, entries: Written, label: pa.DataType) -> tuple[pa.Table, pa.Table]:
        """`row` is the position of a production row."""
        production = pa.table({"id": rows(self.rows), "row": range(len(self.rows)), "said": self.said})
        return production, pa.table(
            {"id": entries([one for one, _ in self.entries]), "label": pa.array([y for _, y in self.entries], label)}
        )

    @property
    def said(self) -> pa.Array:
        return pa.array([place % 3 for place in range(len(self.rows))], pa.int64())


cases = st.builds(Case, ids, st.lists(st.tuples(st.none() | st.integers(0, 15), outcomes), max_size=40))
label_types = st.sampled_from([pa.int8(), pa.int64(), pa.float64()])


@fuzz
@given(case=cases, written=written_as(), label=label_types)
def test_the_join_is_that_of_a_dictionary(case: Case, written: tuple[Written, Written], label: pa.DataType) -> None:
    production, entries = case.tables(*written, label)
    found = join(production, entries, "id", "label", ("production", "labels"))
    assert found.labels.to_pylist() == case.labels
    assert found.labelled == sum(y is not None for y in case.labels)
    assert found.known == len(case.known)
    assert found.elsewhere == len(set(case.known) - set(case.rows))
    sound = [one for one, y in case.entries if one is not None and y is not None]
    assert (found.replaced, found.empty) == (len(sound) - len(set(sound)), len(case.entries) - len(sound))


@dataclass(frozen=True)
class Tables:
    """The source of a training set with one labelled night."""

    production: pa.Table
    labels: pa.Table
    base: pa.Table

    def snapshot(self, name: str) -> Snapshot:
        table: pa.Table = getattr(self, name)
        objects = (PinnedObject(uri=name, size=1, sha256=name, rows=len(table)),)
        fields = tuple(ColumnType(name=field.name, type=str(field.type)) for field in table.schema)
        return Snapshot(uri=name, objects=objects, fields=fields, rows=len(table))

    def pin(self, template: str, day: date) -> Snapshot | None:
        return self.snapshot("production" if template.startswith("p/") else "labels")

    def read(self, snapshot: Snapshot, columns: Sequence[str] | None = None, part: int | None = None) -> pa.Table:
        table: pa.Table = getattr(self, snapshot.uri)
        return table if columns is None else table.select([name for name in columns if name in table.column_names])

    def is_sound(self, day: date, production: Snapshot) -> bool:
        return True


@fuzz
@given(case=cases, written=written_as(), label=label_types)
def test_night_and_training_set_agree_to_the_row(
    case: Case, written: tuple[Written, Written], label: pa.DataType
) -> None:
    production, entries = case.tables(*written, label)
    source = Tables(production, entries, pa.table({"row": [-1]}))
    found = gather(monitor(window_days=1), DAY, source.snapshot("base"), source, lambda _: None)

    night = labelled(production, join(production, entries, "id", "label", ("", "")), "label")
    told = list(zip(night["row"].to_pylist(), night["label"].to_pylist(), strict=True))
    newest = {case.rows[row]: row for row, _ in told}  # of an id that several rows have, the last one is learnt from
    learnt = [
        (row, y)
        for part in (found.found.training, found.found.holdout)
        if len(part)
        for row, y in zip(part["row"].tolist(), part["label"].tolist(), strict=True)
    ]
    assert learnt == [(row, y) for row, y in told if newest[case.rows[row]] == row]
    assert [row for row, _ in told] == [place for place, y in enumerate(case.labels) if y is not None]
    counts = found.found.counts
    assert counts.labelled_rows + counts.duplicate_rows == len(told)
    assert counts.unlabelled_rows == len(case.rows) - len(told)


classes: dict[str, list[Callable[[int], Any]]] = {
    "numbers": [int, float, str, Decimal, lambda value: f"{value}.0"],
    "words": [lambda value: f"class {value}", lambda value: f"class {value}".encode()],
}
flags: list[Callable[[int], Any]] = [bool, lambda value: str(bool(value)), lambda value: str(bool(value)).lower()]


@st.composite
def judged(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[list[int], list[int], list[float], int, list[Any]]:
    """Truth, predictions, scores, how many classes, and how truth, predictions and reference are written."""
    many = draw(st.sampled_from([2, 3]))
    known = {**classes, **({"flags": flags} if many == 2 else {})}
    ways = known[draw(st.sampled_from(sorted(known)))]
    rows = draw(st.integers(1, 40))
    values = st.lists(st.integers(0, many - 1), min_size=rows, max_size=rows)
    scores = draw(st.lists(st.floats(0, 1, width=16), min_size=rows, max_size=rows))
    return draw(values), draw(values), scores, many, [draw(st.sampled_from(ways)) for _ in range(3)]


@fuzz
@given(case=judged(), positive=st.none() | st.integers(0, 1))
def test_metrics_are_those_of_scikit_learn_whatever_the_types(
    case: tuple[list[int], list[int], list[float], int, list[Any]], positive: int | None
) -> None:
    truth, said, scores, many, (of_truth, of_said, of_known) = case
    known = pa.table({"label": [of_known(value) for value in range(many)]})
    table = pa.table({"label": list(map(of_truth, truth)), "said": list(map(of_said, said)), "score": scores})
    roles = monitor().columns.model_copy(
        update={
            "prediction": "said",
            "score": "score",
            "positive": None if positive is None else _plain(of_known(positive)),
        }
    )
    found = measure(Rows(table, "l", "p"), Rows(known, "r", "r"), roles, DAY, "digest", wanted="classification")

    expected = {"accuracy": oracle.accuracy_score(truth, said)}
    own = positive if positive is not None else (1 if many == 2 else None)
    is_own = np.array(truth) == own
    if own is not None and 0 < is_own.sum() < len(truth):
        names, said_own = ("precision", "recall", "f1"), np.array(said) == own
        values = oracle.precision_recall_fscore_support(is_own, said_own, average="binary", zero_division=0)
        expected |= dict(zip(names, map(float, values[:3]), strict=True))
        expected["roc_auc"] = oracle.roc_auc_score(is_own, scores)
    assert {name: found.realised.get(name) for name in expected} == pytest.approx(expected)
    by_class = oracle.precision_recall_fscore_support(truth, said, labels=list(range(many)), zero_division=0)
    assert [item.support for item in found.by_class] == by_class[3].tolist()
    for place, name in enumerate(("precision", "recall", "f1")):
        assert [getattr(item, name) or 0.0 for item in found.by_class] == pytest.approx(by_class[place].tolist())


def _plain(value: Any) -> Any:
    """As a monitor file can say it."""
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, bool | int | str) else int(value)
