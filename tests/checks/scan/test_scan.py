"""What is kept of a column: the same for every encoding of the same values, mergeable, and bounded in memory."""

from __future__ import annotations

import math
import random
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.checks.drift.compare_column import compare_column
from pipeline.checks.drift.statistics import METHODS
from pipeline.checks.scan import (
    CategoricalSummary,
    Cells,
    NumericalSummary,
    SortedValues,
    Summary,
    Unscannable,
    infer_kind,
    open_table,
    scan,
    scan_pair,
)
from pipeline.checks.scan.streaming import Resolution, outline
from pipeline.checks.scan.types import key_counts
from pipeline.errors import SnapshotUnreadable
from pipeline.results import Kind
from tests.checks.drift.summaries import Values, table

quick = settings(
    deadline=None,
    max_examples=30,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
TINY = Resolution(chunk_rows=97, max_distinct=20, sample_size=60, depth_edges=25, width_edges=9)


def numerical(summary: Summary) -> NumericalSummary:
    assert isinstance(summary, NumericalSummary), summary
    return summary


def held(summary: Summary) -> Values:
    kept = numerical(summary).distribution
    assert isinstance(kept, SortedValues)
    return kept.values


def counted(summary: Summary) -> dict[Any, int]:
    assert isinstance(summary, CategoricalSummary), summary
    return dict(summary.counts)


# -- one pass ---------------------------------------------------------------------------------------------------------


def test_counts_nulls_nan_and_infinities_apart(tmp_path: Path) -> None:
    column = pa.array([1.5, None, math.nan, math.inf, -math.inf, -math.inf, 0.5, None], pa.float64())
    summary = numerical(scan(table(tmp_path, column), "x", "numerical"))
    found = summary.presence
    assert (found.rows, found.nulls, found.nans) == (8, 2, 1)
    assert (found.negative_infinities, found.positive_infinities) == (2, 1)
    assert found.missing_share == 3 / 8
    assert held(summary).tolist() == [0.5, 1.5]


def test_moments_are_those_of_numpy(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(50, 3, 1000)
    moments = numerical(scan(table(tmp_path, pa.array(values)), "x", "numerical")).moments
    assert moments.count == 1000
    assert moments.mean == pytest.approx(values.mean(), rel=1e-14)
    assert moments.deviation == pytest.approx(values.std(), rel=1e-13)
    assert (moments.low, moments.high) == (values.min(), values.max())


def test_values_come_out_sorted_over_row_groups_and_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=size) for size in (450, 1, 300)]
    summary = scan(table(tmp_path, *(pa.array(part) for part in parts), row_group=64), "x", "numerical")
    assert held(summary).tolist() == sorted(np.concatenate(parts).tolist())


def test_histogram_is_that_of_numpy_with_the_last_edge_included(tmp_path: Path) -> None:
    values = np.round(np.random.default_rng(2).normal(size=500), 1)
    edges = np.array([-1.0, -0.5, 0.0, 0.3, 1.2, values.max()])
    summary = numerical(scan(table(tmp_path, pa.array(values)), "x", "numerical"))
    assert summary.histogram(edges).tolist() == np.histogram(values, edges)[0].tolist()


def test_quantiles_are_those_of_numpy(tmp_path: Path) -> None:
    values = np.random.default_rng(3).exponential(size=337)
    summary = numerical(scan(table(tmp_path, pa.array(values)), "x", "numerical"))
    for share in (0.0, 0.01, 0.25, 0.5, 0.99, 1.0):
        assert summary.quantile(share) == pytest.approx(np.quantile(values, share), rel=1e-14)


def test_categories_are_counted_exactly(tmp_path: Path) -> None:
    labels = np.random.default_rng(4).choice(["a", "b", "", "\u00e9", "NULL"], 2000).tolist()
    summary = scan(table(tmp_path, pa.array([*labels, None, None])), "x", "categorical")
    assert counted(summary) == dict(Counter(labels))
    assert summary.presence.nulls == 2


def test_an_empty_table_has_an_empty_summary(tmp_path: Path) -> None:
    empty = table(tmp_path, pa.array([], pa.float64()))
    assert numerical(scan(empty, "x", "numerical")).moments.count == 0
    assert scan(empty, "x", "numerical").presence.rows == 0


# -- twins ------------------------------------------------------------------------------------------------------------

WHOLE = [3, 1, None, 2, 2, 7, -4, 3, 3, 0] * 30
EXACT = [0.5, 0.25, None, 1.75, 1.75, -2.5, 1000.125, 0.5, 0.0, 8.0] * 30
WORDS = ["x", "y", None, "y", "zebra", "", "x", "x", "y", "long label"] * 30
FLAGS = [True, False, None, True, True, False, True, True, False, True] * 30
MOMENTS = [datetime(2024, 1, 1, 12, n, 30, 125000) if n != 2 else None for n in range(10)] * 30
DAYS = [date(2024, 2, n + 1) if n != 2 else None for n in range(10)] * 30


def words(arrow_type: pa.DataType) -> pa.Array:
    return pa.array(WORDS, arrow_type)


NUMERICAL_TWINS: dict[str, tuple[pa.Array, pa.Array]] = {
    "int8": (pa.array(WHOLE, pa.int64()), pa.array(WHOLE, pa.int8())),
    "integers as floats": (pa.array(WHOLE, pa.int64()), pa.array(WHOLE, pa.float64())),
    "integers in a dictionary": (pa.array(WHOLE, pa.int64()), pa.array(WHOLE, pa.int64()).dictionary_encode()),
    "float32": (pa.array(EXACT, pa.float64()), pa.array(EXACT, pa.float32())),
    "decimal": (
        pa.array(EXACT, pa.float64()),
        pa.array([None if v is None else Decimal(str(v)) for v in EXACT], pa.decimal128(20, 4)),
    ),
    "boolean": (pa.array([None if v is None else float(v) for v in FLAGS]), pa.array(FLAGS)),
    "timestamp": (
        pa.array([None if v is None else v.timestamp() for v in (m and m.replace(tzinfo=None) for m in MOMENTS)]),
        pa.array(MOMENTS, pa.timestamp("ns")),
    ),
    "timestamp with a zone": (
        pa.array(MOMENTS, pa.timestamp("ms")),
        pa.array(MOMENTS, pa.timestamp("us", tz="UTC")),
    ),
    "date": (pa.array(DAYS, pa.date32()), pa.array(DAYS, pa.date64())),
}
CATEGORICAL_TWINS: dict[str, tuple[pa.Array, pa.Array]] = {
    "large string": (words(pa.string()), words(pa.large_string())),
    "string view": (words(pa.string()), words(pa.string_view())),
    "dictionary": (words(pa.string()), words(pa.string()).dictionary_encode()),
    "int32": (pa.array(WHOLE, pa.int64()), pa.array(WHOLE, pa.int32())),
    "integers as floats": (pa.array(WHOLE, pa.int64()), pa.array(WHOLE, pa.float64())),
    "decimal": (
        pa.array(EXACT, pa.float64()),
        pa.array([None if v is None else Decimal(str(v)) for v in EXACT], pa.decimal128(20, 4)),
    ),
    "boolean in a dictionary": (pa.array(FLAGS), pa.array(FLAGS).dictionary_encode()),
    "timestamp": (pa.array(MOMENTS, pa.timestamp("ms")), pa.array(MOMENTS, pa.timestamp("ns", tz="UTC"))),
    "date": (pa.array(DAYS, pa.date32()), pa.array(DAYS, pa.date64())),
}


def with_zone_free_epoch(values: Values) -> Values:
    return np.asarray(values - values.min())


@pytest.mark.parametrize("twins", NUMERICAL_TWINS.values(), ids=NUMERICAL_TWINS)
def test_numbers_are_the_same_in_every_encoding(twins: tuple[pa.Array, pa.Array], tmp_path: Path) -> None:
    plain, twin = (scan(table(tmp_path / str(n), column), "x", "numerical") for n, column in enumerate(twins))
    first, second = held(plain), held(twin)
    if twins[0].type == pa.float64() and pa.types.is_timestamp(twins[1].type):
        first, second = with_zone_free_epoch(first), with_zone_free_epoch(second)
    assert first.tolist() == second.tolist()
    assert plain.presence == twin.presence


@pytest.mark.parametrize("twins", CATEGORICAL_TWINS.values(), ids=CATEGORICAL_TWINS)
def test_categories_are_the_same_in_every_encoding(twins: tuple[pa.Array, pa.Array], tmp_path: Path) -> None:
    plain, twin = (scan(table(tmp_path / str(n), column), "x", "categorical") for n, column in enumerate(twins))
    assert counted(plain) == counted(twin)
    assert plain.presence == twin.presence


def test_what_pandas_writes_is_the_same_column(tmp_path: Path) -> None:
    import pandas as pd

    plain = pd.Series(WHOLE, dtype="float64")
    frame = pd.DataFrame(
        {
            "plain": plain,
            "nullable": plain.astype("Int64"),
            "arrow": plain.astype("Int64").astype("int64[pyarrow]"),
            "category": plain.astype("category"),
        }
    )
    frame.to_parquet(tmp_path / "frame.parquet")
    opened = open_table([str(tmp_path / "frame.parquet")])
    expected = held(scan(opened, "plain", "numerical")).tolist()
    for name in ("nullable", "arrow", "category"):
        assert held(scan(opened, name, "numerical")).tolist() == expected


def test_a_dictionary_with_null_unused_and_repeated_entries_is_counted_by_value() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, 3, None]), pa.array(["a", None, "a", "b", "unused"]))
    found: Counter[Any] = Counter()
    for key, count in key_counts(column):
        found[key] += count
    assert found == {"a": 2, "b": 2}


@pytest.mark.parametrize("code", [pa.int8(), pa.uint8(), pa.int16(), pa.uint32(), pa.int64(), pa.uint64()], ids=str)
@pytest.mark.parametrize("rows", [0, 1, 127, 5_000])
def test_a_dictionary_is_counted_whatever_its_codes_are_and_wherever_it_starts(code: pa.DataType, rows: int) -> None:
    rng = random.Random(rows)
    labels = [f"label {number}" for number in range(128)]  # as many as a signed byte has codes
    codes = [rng.choice([None, *range(127)]) for _ in range(rows + 20)]
    column = pa.DictionaryArray.from_arrays(pa.array(codes, code), pa.array(labels)).slice(20)
    expected = Counter(labels[place] for place in codes[20:] if place is not None)
    assert dict(key_counts(column)) == expected


def test_dates_become_seconds_since_1970(tmp_path: Path) -> None:
    for number, arrow_type in enumerate((pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ns"))):
        column = pa.array([datetime(1970, 1, 2) if pa.types.is_timestamp(arrow_type) else date(1970, 1, 2)], arrow_type)
        assert held(scan(table(tmp_path / str(number), column), "x", "numerical")).tolist() == [86400.0]


@pytest.mark.parametrize(
    ("arrow_type", "kind"),
    [
        (pa.int8(), "numerical"),
        (pa.uint64(), "numerical"),
        (pa.float16(), "numerical"),
        (pa.decimal128(10, 2), "numerical"),
        (pa.bool_(), "categorical"),
        (pa.string(), "categorical"),
        (pa.large_string(), "categorical"),
        (pa.dictionary(pa.int8(), pa.string()), "categorical"),
        (pa.dictionary(pa.int8(), pa.int64()), "categorical"),
        (pa.date32(), None),
        (pa.timestamp("us"), None),
        (pa.binary(), None),
        (pa.list_(pa.int64()), None),
        (pa.struct([("a", pa.int64())]), None),
        (pa.null(), None),
    ],
)
def test_kind_by_type(arrow_type: pa.DataType, kind: Kind | None) -> None:
    assert infer_kind(arrow_type) == kind


def test_whole_means_integers_without_gaps(tmp_path: Path) -> None:
    def whole(number: int, column: pa.Array) -> bool:
        return numerical(scan(table(tmp_path / str(number), column), "x", "numerical")).whole

    assert whole(0, pa.array([1, 2, 3]))
    assert not whole(1, pa.array([1, None, 3]))  # pandas reads this as floats
    assert not whole(2, pa.array([1.0, 2.0]))


# -- columns without a summary ----------------------------------------------------------------------------------------


def reason(summary: Summary) -> str:
    assert isinstance(summary, Unscannable), summary
    return summary.reason


def test_a_missing_nested_or_textual_column_is_a_value_with_a_reason(tmp_path: Path) -> None:
    nested = table(tmp_path / "nested", pa.array([[1], [2, 3]]))
    assert reason(scan(nested, "y", "numerical")) == "the column is missing"
    assert "nested" in reason(scan(nested, "x", "numerical"))
    assert "holds text" in reason(scan(table(tmp_path / "text", pa.array(["1"])), "x", "numerical"))
    assert "unsupported type" in reason(scan(table(tmp_path / "bytes", pa.array([b"1"])), "x", "categorical"))


def test_files_of_one_snapshot_must_agree(tmp_path: Path) -> None:
    mixed = table(tmp_path / "mixed", pa.array([1]), pa.array(["a"]))
    assert "disagree" in reason(scan(mixed, "x", "categorical"))
    absent = table(tmp_path / "absent", pa.array([1]))
    pq.write_table(pa.table({"y": pa.array([1])}), tmp_path / "other.parquet")
    both = open_table([*absent.paths, str(tmp_path / "other.parquet")])
    assert "missing in 1 of 2 files" in reason(scan(both, "x", "numerical"))


def test_files_may_differ_in_width_and_an_all_null_file_fits_any_column(tmp_path: Path) -> None:
    parts = table(tmp_path, pa.array([1], pa.int8()), pa.array([2.5]), pa.array([None, None], pa.null()))
    summary = scan(parts, "x", "numerical")
    assert held(summary).tolist() == [1.0, 2.5]
    assert summary.presence.nulls == 2


def test_too_many_categories_stop_the_scan_early(tmp_path: Path) -> None:
    ids = table(tmp_path, pa.array([f"id-{n}" for n in range(500)]))
    assert "more than 100 distinct values" in reason(scan(ids, "x", "categorical", max_categories=100))
    assert len(counted(scan(ids, "x", "categorical", max_categories=500))) == 500


def test_a_column_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), tmp_path / "twice.parquet")
    assert "more than once" in reason(scan(open_table([str(tmp_path / "twice.parquet")]), "x", "numerical"))


def test_names_with_dots_are_plain_names(tmp_path: Path) -> None:
    data = {"a.b": pa.array([1.0, 2.0]), "a": pa.array([{"b": 9.0}, {"b": 8.0}])}
    pq.write_table(pa.table(data), tmp_path / "dots.parquet")
    assert held(scan(open_table([str(tmp_path / "dots.parquet")]), "a.b", "numerical")).tolist() == [1.0, 2.0]


def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    whole = table(tmp_path, pa.array(np.random.default_rng(0).normal(size=5000)), row_group=5000)
    path = Path(whole.paths[0])
    content = bytearray(path.read_bytes())
    content[4:2000] = bytes(1996)
    path.write_bytes(content)
    with pytest.raises(SnapshotUnreadable, match="part-0"):
        scan(whole, "x", "numerical")
    path.write_bytes(b"not parquet")
    with pytest.raises(SnapshotUnreadable, match="part-0"):
        open_table([str(path)])
    path.unlink()
    with pytest.raises(SnapshotUnreadable, match="part-0"):
        scan(whole, "x", "numerical")
    with pytest.raises(SnapshotUnreadable, match="without files"):
        open_table([])


# -- columns beyond the budget ----------------------------------------------------------------------------------------


def heavy_tail(rng: np.random.Generator, size: int) -> Values:
    return np.asarray(rng.standard_cauchy(size))


def far_from_zero(rng: np.random.Generator, size: int) -> Values:
    return rng.normal(1.7e9, 5e4, size)


def half_zeros(rng: np.random.Generator, size: int) -> Values:
    return np.asarray(rng.exponential(3, size) * (rng.random(size) < 0.5))


def rounded(rng: np.random.Generator, size: int) -> Values:
    return np.asarray(np.round(rng.normal(0, 5, size), 1))


def mixed_scales(rng: np.random.Generator, size: int) -> Values:
    return np.asarray(rng.normal(size=size) * 10.0 ** rng.integers(-8, 8, size))


def beyond_budget(how: str) -> list[str]:
    """The methods of numerical columns that say so of themselves."""
    return [name for name, method in METHODS.items() if "numerical" in method.kinds and method.beyond_budget == how]


COLUMNS = [heavy_tail, far_from_zero, half_zeros, rounded, mixed_scales]


@pytest.mark.parametrize("shape", COLUMNS)
@pytest.mark.parametrize("method", beyond_budget("bounded"))
@settings(quick, max_examples=12)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(300, 700), st.integers(300, 700)),
    shift=st.sampled_from([0.0, 0.01, 0.3, 5.0]),
)
def test_a_streamed_score_is_within_its_stated_bound(
    shape: Any, method: str, seed: int, sizes: tuple[int, int], shift: float, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    first, second = shape(rng, sizes[0]), shape(rng, sizes[1])
    second = second + shift * np.std(first)
    sides = table(tmp_path / "a", pa.array(first)), table(tmp_path / "b", pa.array(second))
    exact = compare_column(*scan_pair(*sides, "x", "numerical"), "numerical", method=method)
    if method == "ks":
        # Small samples have exact p-values; the streamed one is the limiting one, as it is for any streamed size.
        from pipeline.checks.drift.statistics.numerical import ks_p_value, ks_statistic

        kept = [scan(side, "x", "numerical") for side in sides]
        gap = ks_statistic(*(numerical(side).distribution for side in kept))  # type: ignore[arg-type]
        expected = ks_p_value(gap, *sizes)
    else:
        assert exact.score is not None
        expected = exact.score
    pair = scan_pair(*sides, "x", "numerical", budget_bytes=1, resolution=TINY)
    streamed = compare_column(*pair, "numerical", method=method)
    assert all(isinstance(numerical(side).distribution, Cells) for side in pair)
    assert streamed.status == "evaluated", streamed.reason
    assert streamed.score is not None
    assert streamed.error_bound > 0
    assert abs(streamed.score - expected) <= streamed.error_bound + 1e-12 * abs(expected)


def test_the_bound_is_tight_enough_to_use_at_the_default_resolution(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    first, second = rng.normal(size=400_000), rng.normal(0.05, 1, 390_000)
    sides = (
        table(tmp_path / "a", pa.array(first), row_group=100_000),
        table(tmp_path / "b", pa.array(second), row_group=100_000),
    )
    pair = scan_pair(*sides, "x", "numerical", budget_bytes=1)
    assert isinstance(numerical(pair[0]).distribution, Cells)
    for method, limit in {"wasserstein": 1e-5, "ed": 1e-4}.items():
        exact = compare_column(*scan_pair(*sides, "x", "numerical"), "numerical", method=method)
        streamed = compare_column(*pair, "numerical", method=method)
        assert streamed.score is not None
        assert exact.score is not None
        assert abs(streamed.score - exact.score) <= streamed.error_bound <= limit


@pytest.mark.parametrize("method", beyond_budget("exact"))
@pytest.mark.parametrize("shape", COLUMNS)
def test_binned_methods_and_moments_stay_exact_beyond_the_budget(shape: Any, method: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    first, second = shape(rng, 1500), shape(rng, 900)
    sides = table(tmp_path / "a", pa.array(first)), table(tmp_path / "b", pa.array(second))
    exact = compare_column(*scan_pair(*sides, "x", "numerical"), "numerical", method=method)
    streamed = compare_column(
        *scan_pair(*sides, "x", "numerical", budget_bytes=1, resolution=TINY), "numerical", method=method
    )
    assert streamed.score == pytest.approx(exact.score, rel=1e-9)
    assert streamed.error_bound == 0.0


@pytest.mark.parametrize("method", ["wasserstein", "jensenshannon", "hellinger", "ks", "mannw", "anderson", "ed", "es"])
def test_few_distinct_values_stay_exact_at_any_length(method: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    first, second = rng.integers(0, 18, 1500), rng.integers(2, 19, 900)
    sides = table(tmp_path / "a", pa.array(first)), table(tmp_path / "b", pa.array(second))
    pair = scan_pair(*sides, "x", "numerical", budget_bytes=1, resolution=TINY)
    assert all(numerical(side).exact for side in pair)
    exact = compare_column(*scan_pair(*sides, "x", "numerical"), "numerical", method=method)
    streamed = compare_column(*pair, "numerical", method=method)
    assert streamed.score == pytest.approx(exact.score, rel=1e-9)
    assert streamed.error_bound == 0.0


@pytest.mark.parametrize("method", beyond_budget("no"))
def test_methods_that_need_every_value_say_so_beyond_the_budget(method: str, tmp_path: Path) -> None:
    values = np.random.default_rng(9).normal(size=600)
    sides = table(tmp_path / "a", pa.array(values)), table(tmp_path / "b", pa.array(values + 1))
    streamed = compare_column(
        *scan_pair(*sides, "x", "numerical", budget_bytes=1, resolution=TINY), "numerical", method=method
    )
    assert streamed.status == "not_evaluable"
    assert "memory budget" in str(streamed.reason)


def test_one_long_side_and_one_of_few_values_meet_on_the_same_edges(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    first, second = rng.normal(size=900), rng.integers(-2, 3, 500).astype(float)
    sides = table(tmp_path / "a", pa.array(first)), table(tmp_path / "b", pa.array(second))
    exact = compare_column(*scan_pair(*sides, "x", "numerical"), "numerical", method="wasserstein")
    streamed = compare_column(
        *scan_pair(*sides, "x", "numerical", budget_bytes=1, resolution=TINY), "numerical", method="wasserstein"
    )
    assert streamed.score is not None
    assert exact.score is not None
    assert abs(streamed.score - exact.score) <= streamed.error_bound


floats = st.one_of(
    st.none(), st.just(math.nan), st.sampled_from([0.0, -0.0, 1.0, math.inf, -math.inf]), st.floats(-1e6, 1e6)
)


@quick
@given(values=st.lists(floats, max_size=120), chunk=st.integers(1, 50), most=st.sampled_from([2, 1000]))
def test_a_column_read_in_chunks_is_the_column_read_whole(
    values: list[float | None], chunk: int, most: int, tmp_path: Path
) -> None:
    side = table(tmp_path, pa.array(values, pa.float64()))
    whole = numerical(scan(side, "x", "numerical"))
    streamed = outline(side, "x", Resolution(chunk_rows=chunk, max_distinct=most))
    distinct, rows = np.unique(held(whole) + 0.0, return_counts=True)
    assert (streamed.distinct is None) == (distinct.size > most)
    if streamed.distinct is not None:
        assert streamed.distinct.values.tolist() == distinct.tolist()
        assert np.diff(streamed.distinct.below).tolist() == rows.tolist()
    assert streamed.presence == whole.presence
    assert (streamed.moments.count, streamed.moments.low) == (whole.moments.count, whole.moments.low)
    assert streamed.moments.high == whole.moments.high
    assert streamed.moments.mean == pytest.approx(whole.moments.mean, rel=1e-9, abs=1e-9)
    assert streamed.moments.squares == pytest.approx(whole.moments.squares, rel=1e-9, abs=1e-6)


def test_streaming_counts_what_is_missing_and_infinite(tmp_path: Path) -> None:
    column = pa.array([None, math.nan, math.inf, *np.linspace(0, 1, 300)], pa.float64())
    sides = table(tmp_path / "a", column), table(tmp_path / "b", column)
    pair = scan_pair(*sides, "x", "numerical", budget_bytes=1, resolution=TINY)
    assert pair[0].presence == scan(sides[0], "x", "numerical").presence
    assert "infinite" in str(compare_column(*pair, "numerical").reason)


def test_an_unscannable_side_is_found_before_a_long_column_is_read(tmp_path: Path) -> None:
    sides = table(tmp_path / "a", pa.array([1.0])), table(tmp_path / "b", pa.array(["1"]))
    compared = compare_column(*scan_pair(*sides, "x", "numerical", budget_bytes=1), "numerical")
    assert compared.status == "not_evaluable"
    assert "production" in str(compared.reason)
    assert "holds text" in str(compared.reason)
