"""Equal values score alike, whatever type, encoding, writer and split into files they lie in."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.drift.compare_columns import ColumnPlan, compare_columns
from pipeline.results import ColumnDrift, Kind
from tests.fuzz.examples import examples

Values = Sequence[Any]
Maker = Callable[[Values], pa.Array]


def typed(arrow_type: pa.DataType) -> Maker:
    return lambda values: pa.array(values, type=arrow_type)


def encoded(index: pa.DataType, value: pa.DataType) -> Maker:
    return lambda values: pa.array(values, type=value).dictionary_encode().cast(pa.dictionary(index, value))


def with_nan(arrow_type: pa.DataType) -> Maker:
    return lambda values: pa.array([float("nan") if value is None else value for value in values], type=arrow_type)


def decimals(values: Values) -> pa.Array:
    return pa.array([None if value is None else Decimal(value) for value in values], type=pa.decimal128(12, 3))


def days_as_moments(unit: str, zone: str | None) -> Maker:
    def make(values: Values) -> pa.Array:
        moments = [
            None if value is None else datetime(value.year, value.month, value.day, tzinfo=UTC) for value in values
        ]
        return pa.array(moments, type=pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone))

    return make


# By what the values are: how they are looked at, and every way to hold them. The first is the plain one.
TWINS: dict[str, tuple[Kind, dict[str, Maker]]] = {
    "numbers": (
        "numerical",
        {
            **{
                str(name): typed(name)
                for name in (pa.int64(), pa.int8(), pa.int16(), pa.int32(), pa.float64(), pa.float32())
            },
            "halffloat": typed(pa.float16()),
            "nan64": with_nan(pa.float64()),
            "nan32": with_nan(pa.float32()),
            "decimal": decimals,
            "dictionary": encoded(pa.int16(), pa.int64()),
        },
    ),
    "classes": (
        "categorical",
        {
            **{str(name): typed(name) for name in (pa.int64(), pa.int8(), pa.int32(), pa.float64(), pa.float32())},
            "nan64": with_nan(pa.float64()),
            "decimal": decimals,
            "dictionary": encoded(pa.int8(), pa.int32()),
        },
    ),
    "text": (
        "categorical",
        {
            **{str(name): typed(name) for name in (pa.string(), pa.large_string(), pa.string_view())},
            "dictionary8": encoded(pa.int8(), pa.string()),
            "dictionary32": encoded(pa.int32(), pa.large_string()),
        },
    ),
    "days": (
        "numerical",
        {
            "date32": typed(pa.date32()),
            "date64": typed(pa.date64()),
            **{
                f"{unit}{zone or ''}": days_as_moments(unit, zone)
                for unit in ("s", "ms", "us", "ns")
                for zone in (None, "UTC")
            },
        },
    ),
}
DRAWN: dict[str, st.SearchStrategy[Any]] = {
    "numbers": st.integers(-100, 100),
    "classes": st.integers(-3, 3),
    "text": st.sampled_from(["", "a", "b", "é", "NaN", "null", "01", "1"]),
    "days": st.integers(-40_000, 40_000).map(lambda day: date(1970, 1, 1) + timedelta(days=day)),
}
WRITERS: tuple[dict[str, Any], ...] = (
    {},
    {"version": "1.0", "use_dictionary": False},
    {"data_page_version": "2.0", "use_dictionary": False, "compression": "zstd"},
    {"compression": "gzip", "row_group_size": 3},
    {"write_statistics": False, "data_page_size": 64},
)


@st.composite
def sides(draw: st.DrawFn) -> tuple[str, list[list[Any]], list[list[Any]]]:
    """What the values are, and the reference's and production's, each in one to three files, some of them empty."""
    what = draw(st.sampled_from(sorted(TWINS)))
    value = st.one_of(DRAWN[what], DRAWN[what], DRAWN[what], st.none())
    files = st.lists(st.lists(value, max_size=40), min_size=1, max_size=3)
    return what, draw(files), draw(files)


def write(
    folder: Path, twins: dict[str, Maker], files: list[list[Any]], writers: Sequence[dict[str, Any]]
) -> list[str]:
    folder.mkdir()
    paths = [str(folder / f"part-{place}.parquet") for place in range(len(files))]
    for path, values, writer in zip(paths, files, writers, strict=False):
        pq.write_table(pa.table({name: make(values) for name, make in twins.items()}), path, **writer)
    return paths


def told(found: ColumnDrift) -> dict[str, Any]:
    """Everything that is said of a column, but for its name and what was found out about its type."""
    said = found.model_dump(exclude={"name", "changed_type", "score", "shape"})
    return said | {"score": None if found.score is None else round(found.score, 9)}


@examples(40)
@given(drawn=sides(), order=st.permutations(range(len(WRITERS))))
def test_equal_values_say_the_same_in_any_type_encoding_and_split(
    drawn: tuple[str, list[list[Any]], list[list[Any]]], order: list[int]
) -> None:
    what, reference, production = drawn
    kind, twins = TWINS[what]
    writers = [WRITERS[place] for place in order]
    with tempfile.TemporaryDirectory() as folder:
        before = write(Path(folder) / "r", twins, reference, writers)
        after = write(Path(folder) / "p", twins, production, writers[::-1])
        whole = [[value for part in side for value in part] for side in (reference, production)]
        alone = [
            write(Path(folder) / name, {"alone": next(iter(twins.values()))}, [side], [{}])
            for name, side in zip("ab", whole, strict=True)
        ]
        found = [item.drift for item in compare_columns(before, after, [ColumnPlan(name, kind) for name in twins])]
        plain = compare_columns(alone[0], alone[1], [ColumnPlan("alone", kind)])[0].drift
    for item in found:
        assert told(item) == told(plain), item.name
