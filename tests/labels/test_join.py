"""How labels and rows come together: exactly, by keys of one kind, and never by floats."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.join import Join, join, labelled, own

PLACES = ("production/", "labels/")
LONG = 7_000_000_000_000_000_000  # 19 digits: as floats, 512 of them on end are one


def joined(rows: pa.Array | list[Any], ids: pa.Array | list[Any], labels: list[Any] | pa.Array | None = None) -> Join:
    entries = pa.table({"id": ids, "y": labels if labels is not None else [f"of {place}" for place in range(len(ids))]})
    return join(pa.table({"id": rows}), entries, "id", "y", PLACES)


def told(rows: pa.Array | list[Any], ids: pa.Array | list[Any], labels: list[Any] | None = None) -> list[Any]:
    found: list[Any] = joined(rows, ids, labels).labels.to_pylist()
    return found


def test_a_row_has_the_label_of_its_id_and_the_last_entry_counts() -> None:
    found = joined([3, 1, 1, 7, None], [1, 2, 1, 3, 9], ["a", "b", "c", "d", "e"])
    assert found.labels.to_pylist() == ["d", "c", "c", None, None]
    assert (found.labelled, found.unlabelled) == (3, 2)
    assert (found.known, found.elsewhere, found.replaced, found.empty) == (4, 2, 1, 0)


@pytest.mark.parametrize(
    ("labels", "nothing"),
    [([1, 0, None], None), ([1.5, 0.0, float("nan")], None), (["x", "y", None], None), (["x", "y", " "], None)],
)
def test_entries_without_a_label_know_nothing_and_erase_nothing(labels: list[Any], nothing: None) -> None:
    found = joined(["a", "b", "c"], ["a", "b", "a"], labels)
    assert found.labels.to_pylist() == [*labels[:2], nothing]
    assert (found.known, found.empty, found.replaced) == (2, 1, 0)


def test_of_a_thousand_entries_of_which_few_are_known_the_known_ones_count() -> None:
    labels = [1 if place < 150 else None for place in range(1000)]
    found = joined(list(range(1000)), list(range(1000)), labels)
    assert (found.labelled, found.known, found.empty) == (150, 150, 850)


def test_rows_and_entries_without_an_id_do_not_meet() -> None:
    assert told([None, "a", None], ["a", None, None]) == [None, "of 0", None]
    assert told([None, None], [None, "a"]) == [None, None]
    assert told(pa.array([None, None]), ["a"]) == [None, None]  # a column without a type
    assert told(pa.array([1.0, float("nan")]), pa.array([float("nan"), 1.0])) == ["of 1", None]


@pytest.mark.parametrize(("rows", "ids"), [([], [1]), ([1], []), ([], [])])
def test_empty_tables_join_too(rows: list[int], ids: list[int]) -> None:
    found = joined(pa.array(rows, pa.int64()), pa.array(ids, pa.int64()), pa.array([None] * len(ids), pa.int8()))
    assert found.labels.to_pylist() == [None] * len(rows)


@pytest.mark.parametrize("gap", [True, False])
def test_long_ids_stay_apart_with_gaps_and_without(gap: bool) -> None:
    many = [LONG + place for place in range(500)]
    ids = [*many, None] if gap else many
    found = joined(pa.array([*reversed(many), None]), pa.array(ids), [*range(500), *([0] if gap else [])])
    assert found.labels.to_pylist() == [*reversed(range(500)), None]
    assert found.known == 500


def categories(values: list[Any]) -> pa.Array:
    return pa.array(values).dictionary_encode()


def chunks_of_categories(values: list[Any]) -> pa.ChunkedArray:
    """As two files have them: each with categories of its own."""
    second = pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int32()), pa.array([*reversed(values[1:])]))
    return pa.chunked_array([categories(values[:1]), second])


def uuids(values: list[UUID]) -> pa.Array:
    return pa.ExtensionArray.from_storage(pa.uuid(), pa.array([value.bytes for value in values], pa.binary(16)))


NUMBERS = [5, 70, 127]
MOMENTS = [datetime(2026, 1, day) for day in (1, 2, 3)]
INSTANTS = [moment.replace(tzinfo=UTC) for moment in MOMENTS]
TOKENS = [UUID(int=place) for place in (1, 2, 3)]
KINDS: dict[str, list[pa.Array | pa.ChunkedArray]] = {
    "whole numbers": [
        *(pa.array(NUMBERS, getattr(pa, name)()) for name in ("int8", "int16", "int32", "int64")),
        *(pa.array(NUMBERS, getattr(pa, name)()) for name in ("uint8", "uint16", "uint32", "uint64")),
        pa.array(NUMBERS, pa.float64()), pa.array(NUMBERS, pa.float32()), categories(NUMBERS),
        pa.array([Decimal(f"{number}.00") for number in NUMBERS]),
        pa.array([Decimal(number) for number in NUMBERS], pa.decimal128(38, 0)),
        pa.array([Decimal(number) for number in NUMBERS], pa.decimal256(60, 10)),
        pa.chunked_array([pa.array(NUMBERS[:1]), pa.array(NUMBERS[1:])]), chunks_of_categories(NUMBERS),
    ],
    "text": [
        *(pa.array(["a", "b", "c"], kind) for kind in (pa.string(), pa.large_string(), pa.string_view())),
        categories(["a", "b", "c"]), chunks_of_categories(["a", "b", "c"]),
    ],
    "bytes": [
        *(pa.array([b"ab", b"bc", b"cd"], kind) for kind in (pa.binary(), pa.large_binary(), pa.binary(2))),
        categories([b"ab", b"bc", b"cd"]),
    ],
    "tokens": [uuids(TOKENS), pa.array([token.bytes for token in TOKENS])],
    "days": [
        pa.array([moment.date() for moment in MOMENTS]), pa.array([moment.date() for moment in MOMENTS], pa.date64()),
        *(pa.array(MOMENTS, pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")),
    ],
    "moments": [pa.array(INSTANTS, pa.timestamp(unit, zone)) for unit in ("s", "ns") for zone in ("UTC", "Asia/Tokyo")],
    "times": [pa.array([time(1), time(2), time(3)], kind) for kind in (pa.time32("s"), pa.time64("ns"))],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_one_kind_meet_whatever_their_type(kind: str) -> None:
    for rows in KINDS[kind]:
        for ids in KINDS[kind]:
            assert told(rows, ids) == ["of 0", "of 1", "of 2"], (rows.type, ids.type)
            assert told(rows, ids.slice(1)) == [None, "of 0", "of 1"], (rows.type, ids.type)


@pytest.mark.parametrize("one", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_ids_of_two_kinds_are_a_reason_that_names_both_types_and_what_to_do(one: str, other: str) -> None:
    if one == other or {one, other} == {"bytes", "tokens"}:
        return
    with pytest.raises(LabelsUnusable) as caught:
        joined(KINDS[one][0], KINDS[other][0])
    words = str(caught.value)
    assert f"id is {KINDS[one][0].type} in production/ and {KINDS[other][0].type} in labels/" in words
    assert "write the ids as one type" in words


def test_ids_beyond_every_integer_type_are_still_exact() -> None:
    large = [2**63 + 1, 2**63 + 2]
    assert told(pa.array(large, pa.uint64()), [Decimal(2**63 + 2), Decimal(2**63 + 1)]) == ["of 1", "of 0"]
    assert told(pa.array([2**63 + 1, 5], pa.uint64()), pa.array([5, 6], pa.int8())) == [None, "of 0"]


def test_moments_are_told_apart_to_the_nanosecond() -> None:
    exact = pa.array([1_767_225_600_000_000_001, 1_767_225_600_000_000_000], pa.timestamp("ns"))
    assert told(exact, pa.array([datetime(2026, 1, 1)], pa.timestamp("s"))) == [None, "of 0"]
    rome = [
        datetime(2026, 1, 1, 1, tzinfo=ZoneInfo("Europe/Rome")),
        datetime(2026, 7, 1, 2, tzinfo=ZoneInfo("Europe/Rome")),
    ]
    assert told(rome, [datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]) == ["of 1", "of 0"]


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (pa.array([1.5, 2.0]), "id is double in labels/, with values that no float holds exactly or that are not"),
        (pa.array([1.0, 2.0**53]), "id is double in labels/"),
        (pa.array([1.0, float("inf")]), "id is double in labels/"),
        (pa.array([1.0, 2.0**24], pa.float32()), "id is float in labels/"),
        (pa.array([Decimal("1.5"), Decimal("2.0")]), "id is decimal128(2, 1) in labels/, and not all of them are"),
        (pa.array([[1], [2]]), "id is list<item: int64> in labels/, which cannot tell rows apart"),
        (pa.array([{"a": 1}, {"a": 2}]), "id is struct<a: int64> in labels/, which cannot tell rows apart"),
        (pa.array([timedelta(1), timedelta(2)]), "id is duration[us] in labels/, which cannot tell rows apart"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_key_is_a_reason(ids: pa.Array, words: str) -> None:
    with pytest.raises(LabelsUnusable) as caught:
        joined([1, 2], ids)
    assert words in str(caught.value)
    assert "write the ids as" in str(caught.value) or "columns.id needs" in str(caught.value)


def test_columns_that_are_not_there_are_a_reason_that_names_the_file() -> None:
    rows, entries = pa.table({"id": [1], "p": [1]}), pa.table({"id": [1], "y": [1]})
    for production, labels, words in (
        (rows.drop_columns(["id"]), entries, "production/ has no column 'id', only p"),
        (rows, entries.drop_columns(["id"]), "labels/ has no column 'id', only y"),
        (rows, entries.drop_columns(["y"]), "labels/ has no column 'y', only id"),
    ):
        with pytest.raises(LabelsUnusable) as caught:
            join(production, labels, "id", "y", PLACES)
        assert str(caught.value) == words
    with pytest.raises(LabelsUnusable, match=r"columns\.id of the monitor file names no id"):
        join(rows, entries, None, "y", PLACES)


def test_labels_keep_their_type_and_rows_their_columns() -> None:
    rows = pa.table({"id": [1, 2, 3], "y": ["its", "own", "ones"], "p": [1, 0, 1]})
    for labels in (
        pa.array([7, 8], pa.uint8()),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array([date(2026, 1, 1)] * 2),
    ):
        found = join(rows, pa.table({"id": [3, 1], "y": labels}), "id", "y", PLACES)
        kept = labelled(rows, found, "y")
        assert kept.column_names == ["id", "p", "y"]
        assert kept["id"].to_pylist() == [1, 3]
        assert kept["y"].to_pylist() == [labels[1].as_py(), labels[0].as_py()]
        assert kept.schema.field("y").type == labels.type


def test_labels_in_production_are_missing_by_the_same_rule() -> None:
    for column in (
        pa.array([1.0, None, float("nan")]),
        pa.array(["a", None, ""]),
        pa.array(["a", None, " "]).dictionary_encode(),
    ):
        found = own(pa.table({"id": [1, 2, 3], "y": column}), "y")
        assert (found.labelled, found.unlabelled) == (1, 2)
        assert pc.is_valid(found.labels).to_pylist() == [True, False, False]
    assert own(pa.table({"id": [1, 2]}), "y").labelled == 0
