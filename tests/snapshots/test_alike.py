"""Parts of one snapshot that were written differently: one table for every reader, or an error that names the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checks.quality.engines.sql import VIEW, setup_statements
from pipeline.checks.scan import CategoricalSummary, open_table, scan
from pipeline.checks.scan.types import form_of
from pipeline.errors import SnapshotUnreadable
from pipeline.results import Snapshot
from pipeline.snapshots import Cache, open_snapshot, pin
from tests.snapshots.reading import read_frame

DAY = datetime(2026, 1, 14, 12, tzinfo=UTC)
NAIVE = DAY.replace(tzinfo=None)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**9)


def write(folder: Path, parts: Sequence[pa.Table | Mapping[str, pa.Array]], **options: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for place, part in enumerate(parts):
        pq.write_table(part if isinstance(part, pa.Table) else pa.table(part), folder / f"{place}.parquet", **options)
    return folder


def in_duckdb(paths: Sequence[Path], spill: Path) -> list[tuple[Any, ...]]:
    """All rows as the quality engine sees them."""
    with duckdb.connect() as database:
        for statement in setup_statements(paths, open_files_schema(paths), spill, 2**28, 1):
            database.execute(statement)
        return database.execute(f"SELECT * FROM {VIEW}").fetchall()


def open_files_schema(paths: Sequence[Path]) -> pa.Schema:
    return open_table([str(path) for path in paths]).schemas[0]


def values_of(snapshot: Snapshot, cache: Cache, tmp_path: Path) -> list[Any]:
    """The column `a`, after every reader was asked for it and said the same."""
    with open_snapshot(snapshot, cache) as paths:
        frame = read_frame(paths)
        table = open_table([str(path) for path in paths])
        scanned = pa.concat_arrays([_plain(batch) for batch in table.batches("a")])
        (tmp_path / "spill").mkdir(exist_ok=True)
        rows = in_duckdb(paths, tmp_path / "spill")
        assert [_named_alike(kind) for kind in table.types_of("a")] == [_named_alike(snapshot.fields[0].type)]
    assert len(frame) == len(rows) == snapshot.rows
    assert [row[0] is None for row in rows] == scanned.is_null().to_pylist() == frame["a"].isna().tolist()
    return list(scanned.to_pylist())


def _named_alike(kind: object) -> str:
    """Parquet calls what is in a list "element", Arrow often "item"."""
    return str(kind).replace("item: ", "element: ")


def _plain(values: pa.Array) -> pa.Array:
    values = values.storage if isinstance(values, pa.ExtensionArray) else values
    return values.dictionary_decode() if isinstance(values, pa.DictionaryArray) else values


def array(values: Sequence[Any], kind: pa.DataType | None = None) -> pa.Array:
    return pa.array(values, kind)


def words(values: Sequence[str | None], index: pa.DataType | None = None, value: pa.DataType | None = None) -> pa.Array:
    return (
        pa.array(values, value or pa.string())
        .dictionary_encode()
        .cast(pa.dictionary(index or pa.int32(), value or pa.string()))
    )


HARMLESS: list[tuple[str, list[pa.Array], str, list[Any]]] = [
    ("int32 and int64", [array([1, None], pa.int32()), array([2**53 + 1])], "int64", [1, None, 2**53 + 1]),
    ("int8 to int64", [array([1], pa.int8()), array([2], pa.int16()), array([3])], "int64", [1, 2, 3]),
    ("signed and unsigned", [array([-1], pa.int8()), array([255], pa.uint8())], "int16", [-1, 255]),
    ("large unsigned", [array([-1]), array([2**40], pa.uint64())], "int64", [-1, 2**40]),
    ("float32 and float64", [array([0.5], pa.float32()), array([0.1])], "double", [0.5, 0.1]),
    ("half floats", [array([0.5], pa.float16()), array([0.25], pa.float32())], "float", [0.5, 0.25]),
    ("whole numbers and floats", [array([1, 2**53]), array([0.5, None])], "double", [1.0, 2.0**53, 0.5, None]),
    ("string and large_string", [array(["a"]), array(["b"], pa.large_string())], "large_string", ["a", "b"]),
    ("string_view", [array(["a"], pa.string_view()), array(["b"])], "large_string", ["a", "b"]),
    ("binary", [array([b"a"]), array([b"b"], pa.large_binary())], "large_binary", [b"a", b"b"]),
    ("fixed binary", [array([b"ab"], pa.binary(2)), array([b"c"])], "large_binary", [b"ab", b"c"]),
    ("dictionary indices", [words(["a", None], pa.int8()), words(["b"], pa.int64())],
     "dictionary<values=string, indices=int64, ordered=0>", ["a", None, "b"]),
    ("dictionary and text", [words(["a"]), array(["b", None])], "string", ["a", "b", None]),
    ("dictionary and large text", [words(["a"]), array(["b"], pa.large_string())], "large_string", ["a", "b"]),
    ("dictionary and nothing", [words(["a"]), pa.nulls(1)],
     "dictionary<values=string, indices=int32, ordered=0>", ["a", None]),
    ("units", [array([NAIVE], pa.timestamp("ms")), array([NAIVE], pa.timestamp("ns"))], "timestamp[ns]", [NAIVE] * 2),
    ("units with a zone", [array([DAY], pa.timestamp("ms", "UTC")), array([DAY], pa.timestamp("us", "UTC"))],
     "timestamp[us, tz=UTC]", [DAY] * 2),
    ("zones", [array([DAY], pa.timestamp("us", "UTC")), array([DAY], pa.timestamp("us", "Europe/Berlin"))],
     "timestamp[us, tz=UTC]", [DAY] * 2),
    ("decimals", [array([Decimal("1.5")], pa.decimal128(5, 1)), array([Decimal("0.25")], pa.decimal128(9, 4))],
     "decimal128(9, 4)", [Decimal("1.5"), Decimal("0.25")]),
    ("decimals and whole numbers", [array([Decimal("1.5")], pa.decimal128(5, 1)), array([7])],
     "decimal128(21, 1)", [Decimal("1.5"), Decimal(7)]),
    ("nothing", [pa.nulls(2), array(["a"])], "string", [None, None, "a"]),
    ("nothing later", [array([1]), pa.nulls(1), array([True]).cast(pa.int8())], "int64", [1, None, 1]),
    ("nothing anywhere", [pa.nulls(1), pa.nulls(1)], "null", [None, None]),
    ("no rows of another type", [array(["a"]), array([], pa.float64())], "string", ["a"]),
    ("no rows first", [pa.nulls(0), array([date(2026, 1, 14)])], "date32[day]", [date(2026, 1, 14)]),
    ("lists", [array([[1], None], pa.list_(pa.int32())), array([[2]], pa.large_list(pa.int64()))],
     "large_list<element: int64>", [[1], None, [2]]),
    ("lists of nothing", [array([[], [None]]), array([["a"]])], "list<element: string>", [[], [None], ["a"]]),
    ("structs", [array([{"x": 1, "y": "a"}], pa.struct({"x": pa.int32(), "y": pa.string()})),
                 array([{"y": "b", "x": 2}], pa.struct({"y": pa.string(), "x": pa.int64()}))],
     "struct<x: int64, y: string>", [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]),
    ("lists of one size and nothing", [pa.nulls(1), array([[1, 2]], pa.list_(pa.int8(), 2))],
     "list<element: int8>", [None, [1, 2]]),
    ("lists of one size within others", [array([{"x": [1, 2]}, None], pa.struct({"x": pa.list_(pa.int8(), 2)})),
                                         array([{"x": None}], pa.struct({"x": pa.list_(pa.int16(), 2)}))],
     "struct<x: list<element: int16>>", [{"x": [1, 2]}, None, {"x": None}]),
    ("durations", [array([timedelta(seconds=1)], pa.duration("s")), array([timedelta(seconds=2)], pa.duration("us"))],
     "duration[us]", [timedelta(seconds=1), timedelta(seconds=2)]),
    ("flags of a byte each", [array([1, None], pa.bool8()), array([False])], "bool", [True, None, False]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "kind", "values"), [case[1:] for case in HARMLESS], ids=[case[0] for case in HARMLESS]
)
def test_parts_that_differ_harmlessly_are_one_table(
    tmp_path: Path, cache: Cache, parts: list[pa.Array], kind: str, values: list[Any]
) -> None:
    folder = write(tmp_path / "s", [{"a": part} for part in parts])
    snapshot = pin(str(folder), cache)
    assert [(field.name, field.type) for field in snapshot.fields] == [("a", kind)]
    assert values_of(snapshot, cache, tmp_path) == values
    again = Snapshot.model_validate_json(snapshot.to_json())
    elsewhere = Cache(tmp_path / "elsewhere", 10**9)
    assert values_of(again, elsewhere, tmp_path) == values


REFUSED: list[tuple[str, list[pa.Array], str]] = [
    ("text and numbers", [array(["1"]), array([1])], r"a \(string / int64\)"),
    ("booleans and numbers", [array([True]), array([1])], r"a \(bool / int64\)"),
    ("text and bytes", [array(["a"]), array([b"a"])], r"a \(string / binary\)"),
    ("dates and moments", [array([date(2026, 1, 14)]), array([NAIVE], pa.timestamp("us"))], r"a \(date32\[day\] / t"),
    ("with and without a zone", [array([NAIVE], pa.timestamp("us")), array([DAY], pa.timestamp("us", "UTC"))],
     r"a \(timestamp\[us\] / timestamp\[us, tz=UTC\]\)"),
    ("decimals and floats", [array([Decimal("0.1")]), array([0.1])], r"a \(decimal128\(1, 1\) / double\)"),
    ("categories of others", [words(["a"]), array([1]).dictionary_encode()], r"a \(dictionary.* / int64"),
    ("structs with other fields", [array([{"x": 1}]), array([{"y": 1}])], r"a \(struct<x: int64> / struct<y: int64>\)"),
    ("lists and values", [array([["a"]]), array(["a"])], r"a \(list<.* / string\)"),
    ("after nothing", [pa.nulls(1), array(["a"]), array([1])], r"1\.parquet: a \(string / int64\)"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_parts_of_different_kinds_are_refused_by_name(
    tmp_path: Path, cache: Cache, parts: list[pa.Array], said: str
) -> None:
    write(tmp_path / "s", [{"a": part} for part in parts])
    with pytest.raises(SnapshotUnreadable, match=rf"s/\d\.parquet: its columns differ from those of .*/s/.*{said}"):
        pin(str(tmp_path / "s"), cache)


POOL = [part for case in (*HARMLESS, *REFUSED) for part in case[1] if len(part)]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(POOL), min_size=2, max_size=3))
def test_any_parts_are_one_table_or_refused(parts: list[pa.Array]) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        cache = Cache(root / "cache", 10**9)
        try:
            snapshot = pin(str(write(root / "s", [{"a": part} for part in parts])), cache)
        except SnapshotUnreadable as error:
            assert str(root / "s") in str(error)
            assert str(root / "cache") not in str(error)
            return
        assert len(values_of(snapshot, cache, root)) == sum(map(len, parts))


@pytest.mark.parametrize(
    "parts",
    [
        [array([2**53 + 1]), array([0.5])],
        [array([2**64 - 1], pa.uint64()), array([-1])],
        [array([2**60], pa.timestamp("us")), array([1], pa.timestamp("ns"))],
    ],
    ids=["no exact float", "too large", "too late for nanoseconds"],
)
def test_a_value_that_would_change_is_refused_without_being_quoted(
    tmp_path: Path, cache: Cache, parts: list[pa.Array]
) -> None:
    write(tmp_path / "s", [{"a": part} for part in parts])
    with pytest.raises(
        SnapshotUnreadable, match=r"s/0\.parquet: column a \(.*\) does not fit .* write all of them"
    ) as told:
        pin(str(tmp_path / "s"), cache)
    assert parts[0].cast(pa.string())[0].as_py() not in str(told.value)


def test_columns_in_another_order_and_other_metadata_are_one_table(tmp_path: Path, cache: Cache) -> None:
    tables = [
        pa.table({"a": [1], "A": ["x"]}),
        pa.table({"A": ["y"], "a": [2]}).replace_schema_metadata({"written": "by somebody else"}),
        pa.Table.from_arrays([pa.array([3]), pa.array(["z"])], schema=pa.schema([
            pa.field("a", pa.int64(), nullable=False), pa.field("A", pa.string(), nullable=False)])),
    ]  # fmt: skip
    snapshot = pin(str(write(tmp_path / "s", tables)), cache)
    assert values_of(snapshot, cache, tmp_path) == [1, 2, 3]
    with open_snapshot(snapshot, cache) as paths:
        assert read_frame(paths).to_dict("list") == {"a": [1, 2, 3], "A": ["x", "y", "z"]}
        assert in_duckdb(paths, tmp_path) == [(1, "x"), (2, "y"), (3, "z")]


def test_a_part_without_rows_may_have_any_columns(tmp_path: Path, cache: Cache) -> None:
    folder = write(tmp_path / "s", [{"a": array([1])}, {"b": pa.nulls(0)}])
    pd.DataFrame().to_parquet(folder / "2.parquet")
    snapshot = pin(str(folder), cache)
    assert values_of(snapshot, cache, tmp_path) == [1]
    for place in range(3):
        alone = snapshot.model_copy(update={"objects": (snapshot.objects[place],)})
        with open_snapshot(alone, cache) as paths:
            assert read_frame(paths).dtypes.to_dict() == {"a": np.dtype("int64")}


@pytest.mark.parametrize("rows", [0, 5])
def test_a_file_without_columns_is_refused(tmp_path: Path, cache: Cache, rows: int) -> None:
    pd.DataFrame(index=pd.RangeIndex(rows)).to_parquet(tmp_path / "s.parquet")
    with pytest.raises(SnapshotUnreadable, match=r"s\.parquet: has no columns; write it again"):
        pin(str(tmp_path / "s.parquet"), cache)


def test_files_that_are_alike_are_read_without_a_copy(tmp_path: Path, cache: Cache) -> None:
    folder = write(tmp_path / "s", [{"a": array([1])}, {"a": array([2])}, {"a": array([3], pa.int32())}])
    snapshot = pin(str(folder), cache)
    with open_snapshot(snapshot, cache) as paths:
        assert [path.name == item.sha256 for path, item in zip(paths, snapshot.objects, strict=True)] == [
            True,
            True,
            False,
        ]
        kept = sorted(path.name for path in paths[0].parent.iterdir())
    with open_snapshot(snapshot, cache) as paths:
        assert sorted(path.name for path in paths[0].parent.iterdir()) == kept
    same = write(tmp_path / "t", [{"a": array([1])}, {"a": array([2])}])
    assert pin(str(same), cache).form is None


NESTED = pa.array([[b"0123456789abcdef"], None], pa.list_(pa.binary(16)))
EXTENSIONS = [
    ("bool8", pa.array([1, None], pa.bool8()), [True, None], "bool"),
    ("uuid", pa.array([b"0123456789abcdef", None], pa.uuid()), [b"0123456789abcdef", None], "fixed_size_binary[16]"),
    ("json", pa.array(['{"x": 1}', None], pa.json_()), ['{"x": 1}', None], "string"),
    ("opaque", pa.array([1, None], pa.opaque(pa.int32(), "money", "bank")), [1, None], "int32"),
    ("tensor", pa.FixedShapeTensorArray.from_numpy_ndarray(np.array([[1, 2], [3, 4]])), [[1, 2], [3, 4]],
     "fixed_size_list<item: int64>[2]"),
    ("nested", NESTED.cast(pa.list_(pa.uuid())), [[b"0123456789abcdef"], None],
     "list<element: fixed_size_binary[16]>"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "values", "kind"), [case[1:] for case in EXTENSIONS], ids=[e[0] for e in EXTENSIONS])
def test_extension_types_are_read_as_what_they_are_stored_as(
    tmp_path: Path, cache: Cache, found: pa.Array, values: list[Any], kind: str
) -> None:
    snapshot = pin(str(write(tmp_path / "s", [{"a": found}])), cache)
    assert snapshot.fields[0].type == kind
    assert values_of(snapshot, cache, tmp_path) == values


ROWS = 3000
TEXT = ["PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"]
ENCODED: list[tuple[str, pa.Array, list[str]]] = [
    ("text", array([f"customer-{row % 97:03d}" for row in range(ROWS)]), TEXT),
    ("text with gaps", array([None if row % 3 else f"c{row % 7}" for row in range(ROWS)]), ["DELTA_BYTE_ARRAY"]),
    ("large text", array([f"c{row}" for row in range(ROWS)], pa.large_string()), ["DELTA_BYTE_ARRAY"]),
    ("text views", array([f"c{row % 9}" for row in range(ROWS)], pa.string_view()), ["PLAIN", "DELTA_BYTE_ARRAY"]),
    ("categories", words([f"c{row % 9}" for row in range(ROWS)]), TEXT),
    ("bytes", array([str(row).encode() for row in range(ROWS)]), TEXT),
    ("fixed bytes", array([f"{row:08d}".encode() for row in range(ROWS)], pa.binary(8)),
     ["DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT"]),
    ("int32", array(range(ROWS), pa.int32()), ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]),
    ("int64", array([row * 2**40 for row in range(ROWS)]), ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]),
    ("float", array([row / 4 for row in range(ROWS)], pa.float32()), ["BYTE_STREAM_SPLIT"]),
    ("double", array([row / 3 for row in range(ROWS)]), ["BYTE_STREAM_SPLIT"]),
    ("moments", array([NAIVE] * ROWS, pa.timestamp("us")), ["DELTA_BINARY_PACKED"]),
    ("decimals", array([Decimal(row) for row in range(ROWS)], pa.decimal128(38, 2)), ["BYTE_STREAM_SPLIT"]),
    ("keys", array([f"{row:016d}".encode() for row in range(ROWS)], pa.uuid()), ["PLAIN", "BYTE_STREAM_SPLIT"]),
    ("booleans", array([row % 3 == 0 for row in range(ROWS)]), ["RLE"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "encoding"),
    [(found, encoding) for _, found, encodings in ENCODED for encoding in encodings],
    ids=[f"{name}, {encoding}" for name, _, encodings in ENCODED for encoding in encodings],
)
@pytest.mark.parametrize(("version", "compression"), [("1.0", "none"), ("2.0", "zstd")])
def test_every_reader_knows_every_encoding(
    tmp_path: Path, cache: Cache, found: pa.Array, encoding: str, version: Any, compression: str
) -> None:
    options = {"use_dictionary": False, "column_encoding": {"a": encoding}, "data_page_version": version}
    folder = write(tmp_path / "s", [{"a": found}], compression=compression, **options)
    snapshot = pin(str(folder), cache)
    assert values_of(snapshot, cache, tmp_path) == _plain(found).to_pylist()
    if form_of(found.type) == "text":
        with open_snapshot(snapshot, cache) as paths:
            summary = scan(open_table([str(path) for path in paths]), "a", "categorical")
        assert isinstance(summary, CategoricalSummary)
        assert sum(summary.counts.values()) == ROWS - found.null_count


def test_moments_of_96_bits_are_those_that_were_written(tmp_path: Path, cache: Cache) -> None:
    """As Spark writes them, with the end of time that warehouses like: in nanoseconds it would be the year 1816."""
    moments = [datetime(9999, 12, 31), NAIVE, datetime(1, 1, 1), None]
    found = array(moments, pa.timestamp("us"))
    folder = write(tmp_path / "s", [{"a": found}], use_deprecated_int96_timestamps=True, store_schema=False)
    snapshot = pin(str(folder), cache)
    assert values_of(snapshot, cache, tmp_path) == moments
    with open_snapshot(snapshot, cache) as paths:
        assert [None if pd.isna(value) else value for value in read_frame(paths)["a"]] == moments


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
def test_every_reader_knows_every_compression(tmp_path: Path, cache: Cache, compression: str) -> None:
    found = array([row % 1000 for row in range(ROWS)])
    snapshot = pin(str(write(tmp_path / "s", [{"a": found}, {"a": found}], compression=compression)), cache)
    assert values_of(snapshot, cache, tmp_path) == found.to_pylist() * 2


class TestIndexOfPandas:
    def test_an_index_with_a_name_is_a_column(self, tmp_path: Path, cache: Cache) -> None:
        frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="customer_id"))
        frame.to_parquet(tmp_path / "s.parquet")
        with open_snapshot(pin(str(tmp_path / "s.parquet"), cache), cache) as paths:
            assert read_frame(paths).to_dict("list") == {"a": [1, 2], "customer_id": ["x", "y"]}
            assert read_frame(paths, ["customer_id"])["customer_id"].tolist() == ["x", "y"]

    @pytest.mark.parametrize("step", [1, -2])
    def test_a_range_with_a_name_is_a_column_although_no_file_holds_it(
        self, tmp_path: Path, cache: Cache, step: int
    ) -> None:
        index = pd.RangeIndex(7, 7 + 300_000 * step, step, name="customer_id")
        pd.DataFrame({"a": range(300_000)}, index=index).to_parquet(tmp_path / "s.parquet")
        assert pq.read_schema(tmp_path / "s.parquet").names == ["a"]
        snapshot = pin(str(tmp_path / "s.parquet"), cache)
        assert [(field.name, field.type) for field in snapshot.fields] == [("a", "int64"), ("customer_id", "int64")]
        with open_snapshot(snapshot, cache) as paths:
            assert read_frame(paths)["customer_id"].tolist() == list(index)
            assert in_duckdb(paths, tmp_path)[-1] == (299_999, index[-1])

    @pytest.mark.parametrize(
        "told",
        [
            "no JSON",
            "[]",
            "{}",
            '{"index_columns": [{"kind": "range"}]}',
            '{"index_columns": [{"kind": "range", "name": 1, "start": 0, "stop": 1, "step": 1}]}',
            '{"index_columns": [{"kind": "range", "name": "a", "start": 0, "stop": 1, "step": 1}]}',
            '{"index_columns": [{"kind": "range", "name": "of more rows", "start": 0, "stop": 9, "step": 1}]}',
        ],
    )
    def test_what_pandas_would_not_write_is_no_index(self, tmp_path: Path, cache: Cache, told: str) -> None:
        table = pa.table({"a": [1]}).replace_schema_metadata({"pandas": told})
        snapshot = pin(str(write(tmp_path / "s", [table])), cache)
        assert values_of(snapshot, cache, tmp_path) == [1]
        assert snapshot.form is None

    @pytest.mark.parametrize("last", [True, False])
    def test_an_index_without_a_name_is_seen_by_nobody(self, tmp_path: Path, cache: Cache, last: bool) -> None:
        frame = pd.DataFrame({"a": [1, 2, 3]})[lambda rows: rows["a"] > 1]
        frame.to_parquet(tmp_path / "s.parquet")
        if not last:
            table = pq.read_table(tmp_path / "s.parquet")
            pq.write_table(table.select(["__index_level_0__", "a"]), tmp_path / "s.parquet")
        snapshot = pin(str(tmp_path / "s.parquet"), cache)
        assert [field.name for field in snapshot.fields] == ["a"]
        assert values_of(snapshot, cache, tmp_path) == [2, 3]
        with open_snapshot(snapshot, cache) as paths:
            assert open_table([str(path) for path in paths]).column_names == ("a",)
            assert read_frame(paths).to_dict("list") == {"a": [2, 3]}
            assert list(read_frame(paths, ["a", "__index_level_0__"])) == ["a"]
            assert in_duckdb(paths, tmp_path) == [(2,), (3,)]

    def test_parts_with_and_without_one_are_one_table(self, tmp_path: Path, cache: Cache) -> None:
        folder = write(tmp_path / "s", [{"a": array([1])}])
        two = pd.MultiIndex.from_tuples([(1, "x"), (2, "y")])
        pd.DataFrame({"a": [2, 3]}, index=two).to_parquet(folder / "1.parquet")
        pd.DataFrame({"a": [4]}, index=pd.RangeIndex(7, 8)).to_parquet(folder / "0-first.parquet")
        assert values_of(pin(str(folder), cache), cache, tmp_path) == [4, 1, 2, 3]


WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_with_gaps_stay_whole_numbers(tmp_path: Path, cache: Cache, name: str) -> None:
    largest = int(np.iinfo(name).max)
    folder = write(
        tmp_path / "s", [{"a": array([largest, None], name), "b": array([1, 2], name), "c": array([0.5, None])}]
    )
    with open_snapshot(pin(str(folder), cache), cache) as paths:
        frame = read_frame(paths)
    assert [str(kind) for kind in frame.dtypes] == ["object", name, "float64"]
    assert list(frame) == ["a", "b", "c"]
    assert frame["a"][0] == largest
    assert frame["a"].isna().tolist() == [False, True]


DAMAGE = {"scan": "cannot be read", "frame": "cannot be decoded", "copy": "cannot be decoded"}


@pytest.mark.parametrize("reader", list(DAMAGE))
def test_damage_is_said_of_the_source_not_of_the_cache(tmp_path: Path, cache: Cache, reader: str) -> None:
    numbers = array(list(range(1000)))
    folder = write(tmp_path / "s", [{"a": numbers}, {"a": numbers}], use_dictionary=False, compression="none")
    content = bytearray((folder / "1.parquet").read_bytes())
    content[4:40] = bytes([255] * 36)
    (folder / "1.parquet").write_bytes(bytes(content))
    if reader == "copy":
        write(folder, [{"a": array([0.5])}])
    with pytest.raises(SnapshotUnreadable) as told:
        read_by(reader, folder, cache)
    assert f"{folder / '1.parquet'}: " in str(told.value)
    assert DAMAGE[reader] in str(told.value)
    assert str(tmp_path / "cache") not in str(told.value)


def read_by(reader: str, folder: Path, cache: Cache) -> None:
    with open_snapshot(pin(str(folder), cache), cache) as paths:
        if reader == "scan":
            scan(open_table([str(path) for path in paths]), "a", "numerical")
        read_frame(paths)


def test_what_arrow_cannot_decode_as_it_calls_it_is_still_read_with_all_other_columns(
    tmp_path: Path, cache: Cache
) -> None:
    columns = {
        "a": words([f"c{row % 9}" for row in range(100)]),
        "other": words(["x", None] * 50, pa.int8(), pa.large_string()),
        "lasted": array([timedelta(seconds=row) for row in range(100)], pa.duration("s")),
        "at": array([DAY] * 100, pa.timestamp("us", "Europe/Berlin")),
        "day": array([date(2026, 1, 14)] * 100),
        "pair": array([[1, 2], None] * 50, pa.list_(pa.int8(), 2)),
        "a.b": array(range(100), pa.uint16()),
        "key": array([b"0123456789abcdef"] * 100, pa.uuid()),
    }
    (tmp_path / "s").mkdir()
    pq.write_table(
        pa.table(columns),
        tmp_path / "s" / "p.parquet",
        use_dictionary=["other"],
        column_encoding={"a": "DELTA_BYTE_ARRAY"},
    )
    snapshot = pin(str(tmp_path / "s"), cache)
    types = {field.name: field.type for field in snapshot.fields}
    assert (types["a"], types["pair"], types["at"]) == (
        "string",
        "list<element: int8>",
        "timestamp[us, tz=Europe/Berlin]",
    )
    assert values_of(snapshot, cache, tmp_path) == columns["a"].to_pylist()
    with open_snapshot(snapshot, cache) as paths:
        frame = read_frame(paths)
    assert [None if pair is None else list(pair) for pair in frame["pair"]] == columns["pair"].to_pylist()
    for name in ("other", "lasted", "at", "day", "a.b"):
        assert frame[name].astype(object).where(frame[name].notna(), None).tolist() == columns[name].to_pylist()


@pytest.mark.parametrize(
    ("found", "values"),
    [
        (pa.array([1], pa.timestamp("s", "Mars/Base")), [pd.Timestamp("1970-01-01 00:00:01", tz="UTC")]),
        (pa.array([1001, None], pa.time64("ns")), [time(0, 0, 0, 1), None]),
        (pa.array([[b"ab"], None], pa.list_(pa.binary(2))), [[b"ab"], None]),
    ],
    ids=["a zone that nobody knows", "nanoseconds of a day", "lists of bytes"],
)
def test_what_arrow_knows_no_way_to_pandas_for_is_in_a_frame_too(
    tmp_path: Path, cache: Cache, found: pa.Array, values: list[Any]
) -> None:
    with open_snapshot(pin(str(write(tmp_path / "s", [{"a": found, "b": found.is_valid()}])), cache), cache) as paths:
        frame = read_frame(paths)
    assert frame["a"].tolist() == values
    assert list(frame) == ["a", "b"]


@pytest.mark.parametrize(
    ("found", "keys"),
    [
        (pa.array(np.array([0.5, 2], "float16")), {0.5: 1, 2: 1}),
        (pa.array([Decimal("0.5"), Decimal(2), None], pa.decimal32(5, 2)), {0.5: 1, 2: 1}),
        (pa.array([Decimal("0.5"), Decimal(2), None], pa.decimal64(12, 2)), {0.5: 1, 2: 1}),
    ],
)
def test_small_numbers_are_counted_as_categories(tmp_path: Path, found: pa.Array, keys: dict[float, int]) -> None:
    write(tmp_path / "s", [{"a": found}])
    summary = scan(open_table([str(tmp_path / "s" / "0.parquet")]), "a", "categorical")
    assert isinstance(summary, CategoricalSummary)
    assert summary.counts == keys
