"""Columns of lists of numbers, each looked at as a whole: what is found, what is left alone, and what odd lists do."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import binom

from benchmarks.together_nights import Setting, embeddings, factors, nights, write
from pipeline.checks.scan import open_table
from pipeline.checks.together.measure import measure
from pipeline.checks.together.vectors import MOST_VECTORS
from pipeline.checks.together.vectors.lists import BATCH_NUMBERS, BATCH_ROWS, Tally, drawn, matrix, picked, width_of
from pipeline.checks.together.vectors.moments import Scale, sums_of
from pipeline.results import TogetherResult, VectorDrift
from tests.checks.together.nights import POLICY, held
from tests.faults.seams import watched

TYPES = {
    "list of singles": pa.list_(pa.float32()),
    "list of doubles": pa.list_(pa.float64()),
    "list of halves": pa.list_(pa.float16()),
    "large list": pa.large_list(pa.float32()),
    "list of one size": pa.list_(pa.float32(), 8),
    "list of whole numbers": pa.list_(pa.int32()),
}


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def lists(rows: int, seed: int = 0, width: int = 8, moved: float = 0.0) -> np.ndarray:
    """Mixes of three factors."""
    source = random(seed)
    mix = random(99).normal(size=(3, width))
    return source.normal(size=(rows, 3)) @ mix + source.normal(size=(rows, width)) + moved


def written(
    path: Path, *parts: object, kind: pa.DataType = TYPES["list of doubles"], groups: int = 1_000
) -> list[Path]:
    """Lists in the column `e`, a file for each part; a part is an array, or Python lists of which some are odd."""
    paths = []
    for number, part in enumerate(parts):
        rows = part.tolist() if isinstance(part, np.ndarray) else part
        found = path.with_name(f"{path.name}-{number}.parquet")
        array = pa.array(rows, pa.list_(kind.value_type)).cast(kind)
        pq.write_table(pa.table({"e": array}), found, row_group_size=groups)
        paths.append(found)
    return paths


def looked_at(before: Sequence[Path], after: Sequence[Path]) -> VectorDrift:
    return measure(POLICY, before, after, {}, "night").vectors[0]


@pytest.mark.parametrize(("rows", "reference", "streams"), [(1_000, 5_000, 1), (300, 3_000, 3)])
def test_quiet_nights_of_embeddings_keep_the_budget(rows: int, reference: int, streams: int) -> None:
    setting = Setting("quiet", embeddings, rows, reference)
    found = [night for seed in range(streams) for night in nights(setting, seed, 20, per_nights=20)]
    assert sum(night.changed for night in found) <= binom.ppf(0.999, len(found), 1 / 20)
    assert all(night.vectors[0].plane and night.vectors[0].sides and night.vectors[0].mean for night in found)


@pytest.mark.parametrize(
    ("change", "part"), [({"moved": 0.3}, "mean"), ({"change": "spread"}, "sides"), ({"change": "turned"}, "sides")]
)
def test_a_moved_mean_a_narrower_and_a_turned_cloud_of_embeddings_are_found_at_3000_rows(
    tmp_path: Path, change: dict[str, Any], part: str
) -> None:
    found = held(tmp_path, embeddings(random(), 20_000), embeddings(random(1), 3_000, **change))
    assert found.changed
    assert [one.name for one in found.vectors if one.changed] == ["embedding"]
    assert getattr(found.vectors[0], part).changed


def test_lists_that_leave_the_plane_of_the_reference_are_found_by_it(tmp_path: Path) -> None:
    before, after = embeddings(random(), 20_000), embeddings(random(1), 3_000)
    noise = random(2).normal(size=after["embedding"].shape) / 40
    found = held(tmp_path, before, {"embedding": after["embedding"] + noise}).vectors[0]
    assert found.plane is not None
    assert found.plane.changed
    assert found.plane.error_now > found.plane.error_before


def test_a_mean_that_moves_every_night_is_usual_once_that_is_known(tmp_path: Path) -> None:
    before, source, past = {"e": lists(6_000)}, random(2), list[TogetherResult]()
    for number in range(10):
        past.append(held(tmp_path, before, {"e": lists(3_000, number + 3, moved=0.1 * source.normal())}, past))
    away = {"e": lists(3_000, 1, moved=0.15)}
    alone, told = (held(tmp_path, before, away, nights_before).vectors[0] for nights_before in ([], past))
    assert alone.mean is not None
    assert told.mean is not None
    assert alone.mean.chance < 1e-3
    assert told.mean.chance > 5 * alone.mean.chance


def test_columns_and_lists_share_one_budget_and_each_warns_for_itself(tmp_path: Path) -> None:
    before = factors(random(), 10_000) | embeddings(random(), 10_000)
    calm = factors(random(1), 3_000)
    for change in ("", "turned"):
        found = held(tmp_path, before, calm | embeddings(random(2), 3_000, change=change))
        assert found.changed == found.vectors[0].changed == bool(change)
        assert found.pairs_changed == 0
        assert len(found.columns) == 10


def test_equal_lists_give_equal_bytes(tmp_path: Path) -> None:
    before, after = embeddings(random(), 2_000), embeddings(random(1), 500)
    assert held(tmp_path, before, after).to_json() == held(tmp_path, before, after).to_json()


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_sums_of_a_pass_are_those_of_all_rows_over_files_and_row_groups(tmp_path: Path, kind: pa.DataType) -> None:
    values = lists(BATCH_ROWS + 4_321, seed=4)
    values = np.round(values * 10) if kind == TYPES["list of whole numbers"] else values
    cut = 12_345
    table = open_table(list(map(str, written(tmp_path / "t", values[:cut], values[cut:], kind=kind, groups=5_000))))
    stored = values.astype(np.dtype(kind.value_type.to_pandas_dtype())).astype(float)
    scale = Scale.of(stored)
    assert scale is not None
    rows = drawn(table, "e", every_other=True)
    side = sums_of(table, "e", scale, rows, halves=True)
    expected = np.clip((stored - stored.mean(axis=0)) / stored.std(axis=0), scale.low, scale.high)
    assert side.tally == Tally(rows=len(values), used=len(values))
    for half, part in zip(side.halves, (expected[::2], expected[1::2]), strict=True):
        assert half.rows == len(part)
        np.testing.assert_allclose(half.mean, part.mean(axis=0), atol=2e-3)
        np.testing.assert_allclose(half.products, part.T @ part, rtol=5e-3, atol=60)
    exact = scale.measured(stored).astype(float)
    both = side.moments
    np.testing.assert_allclose(both.products, exact.T @ exact, rtol=1e-5, atol=0.05)
    np.testing.assert_allclose(both.around(both.mean), np.cov(exact.T, bias=True), atol=1e-5)
    np.testing.assert_array_equal(side.drawn, exact[rows].astype(np.float32))


def odd(values: np.ndarray, seed: int) -> tuple[list[object], np.ndarray]:
    """Lists of which a fifteenth each are none, empty, too short, with a number missing, not a number or infinite; and
    their kinds, 6 and more as they were.
    """
    rows: list[object] = values.tolist()
    kinds = random(seed).integers(0, 15, len(rows))
    for place, kind in enumerate(kinds.tolist()):
        row = list(values[place])
        odd_ones = [None, [], row[:5], [None, *row[1:]], [np.nan, *row[1:]], [*row[:-1], np.inf]]
        rows[place] = odd_ones[kind] if kind < len(odd_ones) else row
    return rows, kinds


@pytest.mark.parametrize("name", ["list of doubles", "large list"])
def test_rows_without_a_list_are_missing_and_odd_lists_are_left_out_and_counted(tmp_path: Path, name: str) -> None:
    values = lists(5_000)
    rows, kinds = odd(values, 1)
    before = written(tmp_path / "before", values, kind=TYPES[name])
    found = looked_at(before, written(tmp_path / "after", rows[:2_000], rows[2_000:], kind=TYPES[name]))
    assert found.reason is None
    assert not found.changed
    assert found.missing_now == pytest.approx((kinds == 0).mean())
    assert found.unusable_now == ((kinds > 0) & (kinds < 6)).sum()
    assert found.rows_now == (kinds >= 6).sum()
    assert (found.rows_before, found.unusable_before, found.missing_before) == (5_000, 0, 0.0)


def test_rows_that_are_read_are_those_of_a_batch_that_starts_in_the_middle() -> None:
    values = lists(50)
    rows, kinds = odd(values, 3)
    whole = pa.array(rows, TYPES["list of doubles"])
    tally = Tally()
    found, places = matrix(whole.slice(7, 30), 8, tally)
    right = np.flatnonzero(kinds[7:37] >= 6)
    assert places.tolist() == right.tolist()
    np.testing.assert_array_equal(found, values[7:37][right])
    assert tally.used == right.size


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (lists(500, width=6), "0 of 500 lists in production can be used: 500 have 6 numbers instead of 8"),
        (np.full((500, 8), np.nan), "the others have numbers that are missing or infinite"),
        ([None] * 500, "production has 0 lists to look at, and it takes 100"),
        (lists(60), "production has 60 lists to look at, and it takes 100"),
        (lists(0), "production has 0 lists to look at, and it takes 100"),
    ],
    ids=["other width", "not a number", "missing", "few", "no rows"],
)
def test_lists_that_cannot_be_looked_at_say_why(tmp_path: Path, after: object, words: str) -> None:
    found = looked_at(written(tmp_path / "before", lists(1_000)), written(tmp_path / "after", after))
    assert found.reason is not None
    assert words in found.reason
    assert found.chance is None
    assert not found.changed


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ([[]] * 300, "the reference has no list that holds a number"),
        ([None] * 300, "the reference has no list that holds a number"),
        ([], "the reference has no list that holds a number"),
        ([[1.0, 2.0]] * 300, "all lists of the reference are one"),
        ([[np.nan, 2.0]] * 300, "all lists of the reference are one, or hold numbers that are missing"),
        (np.ones((2, 2_049)), "lists of 2,049 numbers are longer than 2,048"),
        (lists(150), "the reference has 150 lists to look at, and it takes 200"),
    ],
    ids=["empty", "missing", "no rows", "one list", "not a number", "long", "few"],
)
def test_a_reference_that_nothing_can_be_held_against_says_why(tmp_path: Path, before: object, words: str) -> None:
    found = looked_at(written(tmp_path / "before", before), written(tmp_path / "after", lists(300)))
    assert found.reason is not None
    assert words in found.reason


def test_a_column_that_is_missing_or_no_list_on_one_side_says_so(tmp_path: Path) -> None:
    before = written(tmp_path / "before", lists(1_000))
    for table, words in (
        (pa.table({"x": [1.0]}), "in production: the column is missing"),
        (pa.table({"e": [1.0]}), "in production: the column holds no lists of numbers (double)"),
        (pa.table({"e": [["a"]]}), "in production: the column holds nested values (list<element: string>)"),
    ):
        path = tmp_path / "after.parquet"
        pq.write_table(table, path)
        assert looked_at(before, [path]).reason == words


def test_of_a_column_of_which_hardly_a_row_has_a_list_the_mean_alone_is_told(tmp_path: Path) -> None:
    few = [row if place % 200 == 0 else None for place, row in enumerate(lists(40_000, 1).tolist())]
    found = looked_at(written(tmp_path / "before", lists(1_000)), written(tmp_path / "after", few, groups=40_000))
    assert (found.reason, found.rows_now, found.missing_now) == (None, 200, 0.995)
    assert found.mean is not None
    assert found.sides is None


def test_numbers_out_of_all_range_count_as_the_outermost(tmp_path: Path) -> None:
    values = lists(3_000, seed=1)
    values[0, 0] = 1e300
    found = looked_at(written(tmp_path / "before", lists(5_000)), written(tmp_path / "after", values))
    assert found.reason is None
    assert not found.changed


def test_a_place_that_was_always_one_value_and_no_longer_is_is_found(tmp_path: Path) -> None:
    still, moving = lists(5_000), lists(3_000, seed=1)
    still[:, 3] = 0.0
    found = looked_at(written(tmp_path / "before", still), written(tmp_path / "after", moving))
    assert found.changed
    moving[:, 3] = 0.0
    assert not looked_at(written(tmp_path / "before", still), written(tmp_path / "after", moving)).changed


def test_the_rounding_of_lists_that_lie_on_a_line_is_no_change_and_leaving_it_is(tmp_path: Path) -> None:
    def on_a_line(rows: int, seed: int) -> np.ndarray:
        return np.outer(random(seed).normal(size=rows), [1.0, -2.0, 3.0, 0.1])

    before = written(tmp_path / "before", on_a_line(5_000, 0))
    for kind in (TYPES["list of doubles"], TYPES["list of singles"]):
        assert not looked_at(before, written(tmp_path / "calm", on_a_line(3_000, 1), kind=kind)).changed
    left = on_a_line(3_000, 2)
    left[:, 3] += random(3).normal(size=3_000) / 10
    found = looked_at(before, written(tmp_path / "left", left))
    assert found.plane is not None
    assert found.plane.changed


def test_lists_of_one_number_are_looked_at(tmp_path: Path) -> None:
    before = written(tmp_path / "before", lists(5_000, width=1))
    calm, moved = (written(tmp_path / name, lists(1_000, 1, 1, by)) for name, by in (("calm", 0.0), ("moved", 1.0)))
    assert [looked_at(before, after).changed for after in (calm, moved)] == [False, True]


def test_lists_of_text_and_columns_set_aside_are_not_looked_at_and_very_many_are_counted(tmp_path: Path) -> None:
    column = pa.array(lists(300).tolist())
    columns = {f"e{place:02}": column for place in range(MOST_VECTORS + 3)}
    table = pa.table(columns | {"words": pa.array([["a", "b"]] * 300), "aside": column})
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    found = measure(POLICY, [path], [path], {}, "night", aside={"aside"})
    assert [one.name for one in found.vectors] == list(columns)[:MOST_VECTORS]
    assert found.vectors_left_out == 3


def test_a_pass_holds_no_more_than_a_batch_however_many_rows_there_are(tmp_path: Path) -> None:
    width, most = 64, 0
    values = lists(120_000, width=width).astype(np.float32)
    peaks = []
    for rows in (60_000, 120_000):
        paths = written(tmp_path / f"t{rows}", values[:rows], kind=TYPES["list of singles"], groups=10_000)
        table = open_table(list(map(str, paths)))
        some = np.arange(0, 1_000, dtype=np.int64)
        parts = picked(table, "e", some)
        assert width_of(parts) == width
        scale = Scale.of(np.concatenate([matrix(part, width, Tally())[0] for part in parts]))
        assert scale is not None
        tracemalloc.start()
        sums_of(table, "e", scale, some, halves=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        most = max(most, peaks[-1])
    assert peaks[1] < 1.2 * peaks[0]
    assert most < 8 * BATCH_NUMBERS * 8


def test_of_long_lists_fewer_are_drawn(tmp_path: Path) -> None:
    short, long = (
        open_table([str(write(tmp_path, f"w{width}", {"e": np.ones((25_000, width))}))]) for width in (2, 1_000)
    )
    assert drawn(short, "e").size == 20_000
    assert 16_000 < drawn(long, "e").size < 17_000
    assert (drawn(long, "e", every_other=True) % 2 == 1).all()


def test_an_error_over_one_column_of_lists_is_its_own(tmp_path: Path) -> None:
    before, after = embeddings(random(), 2_000), embeddings(random(1), 600)
    first, second = (side | {"again": next(iter(side.values()))} for side in (before, after))
    with watched("checks/together/vectors/principal.py:hold") as watch:
        found = held(tmp_path, first, second)
    assert watch.thrown
    broken, sound = found.vectors
    assert broken.reason == "an error kept it from being measured (Foreign): the log says where"
    assert (sound.reason, sound.mean is not None) == (None, True)
