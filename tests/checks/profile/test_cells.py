"""Cells: as many rows in each as numpy and Python count, however a column is held, written or hidden."""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.profile.build import profile_of
from pipeline.checks.profile.cells import CATEGORIES, CategoryCells, NumberCells
from pipeline.checks.scan import CategoricalSummary, Cells, NumericalSummary, Summary, scan, scan_pair
from pipeline.checks.scan.streaming import Resolution
from pipeline.results import Kind
from tests.checks.drift.summaries import categories, numbers, table

TINY = Resolution(chunk_rows=512, max_distinct=100, sample_size=400, depth_edges=64, width_edges=16)
VALUES = st.lists(st.one_of(st.integers(-5, 5), st.floats(-1e6, 1e6)), min_size=1, max_size=80)


def summary(folder: Path, *parts: pa.Array, kind: Kind = "numerical") -> Summary:
    return scan(table(folder, *parts), "x", kind)


def by_numpy(edges: Any, values: Any) -> list[int]:
    """Rows in (-inf, edges[0]], (edges[0], edges[1]], ..., (edges[-1], inf)."""
    counts: list[int] = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1).tolist()
    return counts


@given(VALUES, VALUES)
def test_numbers_are_counted_as_numpy_does_with_ties_and_beyond_the_reference(
    before: list[float], after: list[float]
) -> None:
    cells = NumberCells.of(numbers(before))
    assert (np.diff(cells.edges) > 0).all()
    for values in (before, after):
        assert cells.count(numbers(values)).tolist() == by_numpy(cells.edges, values)
    outermost = cells.count(numbers(before))[[0, -1]]
    assert outermost.tolist() == [0, 0]


@given(VALUES, VALUES)
def test_the_place_of_each_number_is_the_cell_that_it_is_counted_in(before: list[float], after: list[float]) -> None:
    cells = NumberCells.of(numbers(before))
    places = cells.places([pa.array(after, pa.float64())])
    assert np.bincount(places, minlength=cells.edges.size + 1).tolist() == cells.count(numbers(after)).tolist()


def test_a_negative_zero_is_a_zero() -> None:
    cells = NumberCells.of(numbers([-1.0, 0.0, 1.0]))
    assert cells.count(numbers([-0.0])).tolist() == cells.count(numbers([0.0])).tolist()
    assert cells.places([pa.array([-0.0])]).tolist() == cells.places([pa.array([0.0])]).tolist()


def test_missing_and_infinite_numbers_have_no_place() -> None:
    cells = NumberCells.of(numbers([1.0, 2.0]))
    found = cells.places([pa.array([None, math.nan, math.inf, -math.inf, 1.5]), pa.array([2], pa.int64())])
    assert found.tolist()[:4] == [-1] * 4
    assert (found[4:] > 0).all()


def test_a_column_too_long_to_hold_is_counted_alike_up_to_where_its_edges_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=4_000), rng.normal(0.2, 1, 3_000)
    sides = table(tmp_path / "before", pa.array(before)), table(tmp_path / "after", pa.array(after))
    streamed = scan_pair(*sides, "x", "numerical", budget_bytes=1, resolution=TINY)
    assert isinstance(streamed[0], NumericalSummary)
    assert isinstance(streamed[1], NumericalSummary)
    assert isinstance(streamed[1].distribution, Cells)
    cells = NumberCells.of(streamed[0])
    found = cells.count(streamed[1])
    assert found.sum() == 3_000
    known = streamed[1].distribution.edges
    below = known[np.maximum(np.searchsorted(known, cells.edges, side="right") - 1, 0)]
    assert np.cumsum(found)[:-1].tolist() == [int((after <= edge).sum()) for edge in below]


LABELS: dict[str, pa.Array] = {
    "text": pa.array(["a", "b", "a", None, "c", "a"]),
    "large text": pa.array(["a", "b", "a", None, "c", "a"], pa.large_string()),
    "booleans": pa.array([True, False, True, None, True]),
    "integers": pa.array([1, 2, 1, None, 3, 1]),
    "floats with NaN": pa.array([1.0, 2.0, 1.0, None, math.nan, 1.0]),
    "half floats": pa.array(np.array([1.5, 2.0, 1.5, math.nan, 4.0, 1.5], np.float16)),
    "decimals of 32 bits": pa.array(list(map(Decimal, "121031")), pa.decimal32(5, 0)),
    "decimals of 64 bits": pa.array(list(map(Decimal, "121031")), pa.decimal64(9, 0)),
    "dates": pa.array([1, 2, 1, None, 3, 1], pa.date32()),
    "moments": pa.array([1, 2, 1, None, 3, 1], pa.timestamp("us")),
    "a dictionary": pa.array(["a", "b", "a", None, "c", "a"]).dictionary_encode(),
    "a dictionary whose labels repeat": pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 2, 0, None]), pa.array(["a", "b", "a"])
    ),
}  # fmt: skip


@pytest.mark.parametrize("values", LABELS.values(), ids=LABELS)
def test_categories_of_every_type_are_counted_as_python_does_and_found_in_their_place(
    tmp_path: Path, values: pa.Array
) -> None:
    found = summary(tmp_path, values, kind="categorical")
    assert isinstance(found, CategoricalSummary)
    present = Counter(label for label in values.to_pylist() if label is not None and label == label)
    cells = CategoryCells.of(found)
    assert cells.count(found).tolist() == [*sorted(present.values(), reverse=True), 0]
    places = cells.places([values])
    assert len(places) == len(values)
    assert (places == -1).sum() == len(values) - present.total()
    assert np.bincount(places[places >= 0], minlength=len(present) + 1).tolist() == cells.count(found).tolist()


def test_a_label_that_is_null_has_no_place() -> None:
    labels = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1, 0, None]), pa.array(["a", None]))
    assert CategoryCells.of(categories(["a"])).places([labels]).tolist() == [0, -1, -1, 0, -1]


def test_beyond_forty_categories_the_rest_are_one_cell_and_unknown_ones_are_in_it() -> None:
    before = [f"c{number}" for number in range(60) for _ in range(100 - number)]
    cells = CategoryCells.of(categories(before))
    assert list(cells.named) == [f"c{number}" for number in range(CATEGORIES)]
    assert cells.count(categories(["c0", "c50", "new", "new"])).tolist() == [1, *([0] * (CATEGORIES - 1)), 3]
    assert cells.places([pa.array(["c0", "c50", "new", None])]).tolist() == [0, CATEGORIES, CATEGORIES, -1]


def test_equally_frequent_categories_have_the_same_cells_in_any_order() -> None:
    assert CategoryCells.of(categories(["b", "a", "c"])).named == CategoryCells.of(categories(["c", "b", "a"])).named


def test_nothing_of_a_private_columns_values_is_kept(tmp_path: Path) -> None:
    secrets = pa.array(["sesame", "sesame", "abracadabra", "hush"])
    ages = pa.array([41.25, 42.5, 77.75, 77.75])
    for number, (values, kind) in enumerate(((secrets, "categorical"), (ages, "numerical"))):
        found = summary(tmp_path / f"{number}", values, kind=kind)  # type: ignore[arg-type]
        profile = profile_of(found, found, [values] * 8, 8, private=True)
        assert profile is not None
        written = profile.model_dump_json()
        assert all(str(value) not in written for value in values.to_pylist())
        assert sum(profile.production.cells) == 4
        plain = profile_of(found, found)
        assert plain is not None
        assert plain.production.cells == profile.production.cells
        assert any(str(value) in plain.model_dump_json() for value in values.to_pylist())
