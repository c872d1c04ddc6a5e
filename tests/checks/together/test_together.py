"""Columns of a night together: what is found, what is left alone, and what odd columns come to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import binom

from benchmarks.together_nights import ALONE, Setting, butterfly, correlated, factors, mixed, nights, threefold
from pipeline.checks.scan import open_table
from pipeline.checks.together.cells import coder
from pipeline.checks.together.counts import count
from pipeline.checks.together.measure import measure
from pipeline.checks.together.rows import CHUNK_ROWS, drawn
from pipeline.config import TogetherPolicy
from pipeline.results import TogetherResult
from tests.checks.together.nights import POLICY, held

NIGHTS = 10


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("draw", [factors, mixed])
def test_quiet_nights_keep_the_budget(draw: object) -> None:
    setting = Setting("quiet", draw, 1_000, 5_000)  # type: ignore[arg-type]
    found = [night for seed in range(2) for night in nights(setting, seed, NIGHTS, per_nights=20)]
    assert sum(night.changed for night in found) <= binom.ppf(0.999, len(found), 1 / 20)
    assert all(night.plane is not None and night.sides is not None and night.pairs_compared for night in found)


@pytest.mark.parametrize("name", ["butterfly", "flipped"])
def test_a_butterfly_and_a_flipped_correlation_are_found_at_3000_rows_though_no_column_drifts(
    tmp_path: Path, name: str
) -> None:
    before = {"butterfly": butterfly, "flipped": correlated}[name](random(), 10_000)
    found = []
    for seed in range(1, 4):
        source = random(seed)
        after = butterfly(source, 3_000, True) if name == "butterfly" else correlated(source, 3_000, -0.5)
        found.append(held(tmp_path, before, after))
    assert all(night.changed for night in found)
    changed = {frozenset((one.first, one.second)) for night in found for one in night.pairs if one.changed}
    assert changed == ({frozenset("xz"), frozenset("yz")} if name == "butterfly" else {frozenset("xy")})


def test_three_columns_of_which_every_two_are_as_before_are_found_and_named(tmp_path: Path) -> None:
    found = held(tmp_path, threefold(random(), 20_000), threefold(random(1), 3_000, 0.6))
    assert found.changed
    assert found.pairs_changed == 0
    assert found.sides is not None
    assert {item.name for item in found.sides.telling} == {"x", "y", "z"}


@pytest.mark.parametrize(("change", "setting", "draw"), ALONE, ids=[case[0] for case in ALONE])
def test_a_column_that_changes_by_itself_changes_nothing_together(
    tmp_path: Path, change: str, setting: Setting, draw: object
) -> None:
    after = draw(random(1), 3_000)  # type: ignore[operator]
    found = held(tmp_path, setting.draw(random(), 20_000), after)
    assert found.pairs_changed == 0
    assert found.sides is not None
    assert not found.sides.changed
    assert not found.changed, change


def test_a_correlation_that_moves_every_night_is_usual_once_that_is_known(tmp_path: Path) -> None:
    before, source, past = correlated(random(), 6_000, 0.3), random(2), list[TogetherResult]()
    for _ in range(12):
        past.append(held(tmp_path, before, correlated(source, 3_000, 0.3 + 0.05 * source.normal()), past))
    away = correlated(random(3), 3_000, 0.55)
    alone, told = held(tmp_path, before, away), held(tmp_path, before, away, past)
    chances = [next(one.chance for one in night.pairs if one.first == "x") for night in (alone, told)]
    assert chances[0] < 1e-3
    assert chances[1] > 2 * chances[0]
    assert (alone.nights, told.nights) == (0, 12)


def test_equal_columns_give_equal_bytes_and_the_order_of_past_columns_is_no_matter(tmp_path: Path) -> None:
    before, after = mixed(random(), 3_000), mixed(random(1), 500)
    first = held(tmp_path, before, after)
    assert held(tmp_path, before, after).to_json() == first.to_json()
    turned = held(tmp_path, dict(reversed(before.items())), after)
    one, two = (held(tmp_path, before, after, [night] * 9) for night in (first, turned))
    assert one.chance == pytest.approx(two.chance, rel=0.2)


def test_the_tables_and_moments_of_a_pass_are_those_of_the_rows(tmp_path: Path) -> None:
    rows = 2 * CHUNK_ROWS + 77
    source = random()
    first = np.where(source.random(rows) < 0.1, np.nan, source.normal(size=rows))
    second = np.array(["a", "b", None], object)[source.integers(0, 3, rows)]
    table = pa.table({"x": pa.array(first, from_pandas=True), "c": pa.array(second)})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=50_000)
    opened = open_table([str(tmp_path / "t.parquet")])
    made = [coder("x", "numerical", [table["x"].combine_chunks()]), coder("c", "categorical", [pa.array(second)])]
    coders = [item for item in made if item is not None]
    found = count(opened, coders)
    codes = [item.code(item.read(table[item.name].combine_chunks())) for item in coders]
    expected = np.zeros((coders[0].cells + 1, coders[1].cells + 1))
    np.add.at(expected, (codes[0], codes[1]), 1)
    assert found.rows == rows
    assert (found.table[: expected.shape[0], expected.shape[0] :] == expected).all()
    assert found.moments.rows[0, 0] == np.isfinite(first).sum()
    assert found.halves[0].rows[0, 0] == np.isfinite(first[::2]).sum()


def odd(rows: int, seed: int) -> dict[str, np.ndarray]:
    source = random(seed)
    base = source.normal(size=rows)
    return {
        "number": base,
        "copy": base,
        "constant": np.ones(rows),
        "missing": np.full(rows, np.nan),
        "infinite": np.where(source.random(rows) < 0.05, np.inf, base),
        "huge": base * 1e200,
        "hardly": np.where(source.random(rows) < 0.01, base, np.nan),
        "text": np.array(["a", "b", "c"], object)[source.integers(0, 3, rows)],
        "one": np.array(["a"] * rows, object),
    }


def test_constant_missing_infinite_and_huge_columns_take_no_other_along(tmp_path: Path) -> None:
    found = held(tmp_path, odd(5_000, 0), odd(2_000, 1))
    assert not found.changed
    assert {"constant", "missing", "one"}.isdisjoint(found.columns)
    assert {"number", "copy", "infinite", "text"} <= set(found.columns)
    json.loads(found.to_json(), parse_constant=pytest.fail)
    turned = odd(2_000, 1) | {"copy": -odd(2_000, 1)["number"]}
    assert held(tmp_path, odd(5_000, 0), turned).changed


@pytest.mark.parametrize("rows", [0, 1, 2, 40])
def test_sides_of_hardly_a_row_say_nothing(tmp_path: Path, rows: int) -> None:
    many, few = mixed(random(), 2_000), mixed(random(1), max(rows, 1))
    few = {name: values[:rows] for name, values in few.items()}
    types = {name: pa.array(values, from_pandas=True).type for name, values in many.items()}
    path = tmp_path / "few.parquet"
    pq.write_table(
        pa.table({name: pa.array(values, types[name], from_pandas=True) for name, values in few.items()}), path
    )
    whole = held(tmp_path, many, many)
    assert whole.pairs_compared > 0
    kinds = {name: "categorical" if values.dtype == object else "numerical" for name, values in many.items()}
    for before, after in (([path], [tmp_path / "reference.parquet"]), ([tmp_path / "reference.parquet"], [path])):
        found = measure(POLICY, before, after, kinds, "night")  # type: ignore[arg-type]
        assert not found.changed
        assert found.sides is None


def test_categories_alone_are_held_together_in_pairs_and_by_the_classifier(tmp_path: Path) -> None:
    def letters(seed: int, rows: int, same: float) -> dict[str, np.ndarray]:
        source = random(seed)
        first = source.integers(0, 3, rows)
        second = np.where(source.random(rows) < same, first, source.integers(0, 3, rows))
        return {name: np.array(["a", "b", "c"], object)[codes] for name, codes in (("one", first), ("two", second))}

    quiet = held(tmp_path, letters(0, 20_000, 0.7), letters(1, 3_000, 0.7))
    changed = held(tmp_path, letters(0, 20_000, 0.7), letters(2, 3_000, 0.2))
    assert (quiet.changed, changed.changed) == (False, True)
    assert changed.plane is None
    assert changed.pairs[0].correlation_now is None
    assert changed.pairs[0].association_before == pytest.approx(0.7, abs=0.02)
    assert changed.pairs[0].association_now == pytest.approx(0.2, abs=0.05)
    assert changed.sides is not None


def test_of_very_many_columns_the_first_hundred_are_looked_at(tmp_path: Path) -> None:
    values = random().normal(size=(400, 103))
    columns = {f"x{place}": values[:, place] for place in range(103)}
    found = held(tmp_path, columns, columns, policy=TogetherPolicy(per_nights=2))
    assert (len(found.columns), found.left_out) == (100, 3)
    assert found.pairs_compared == 100 * 99 // 2
    assert len(found.beyond) == 100 * 99 // 2


def test_the_same_rows_are_drawn_on_every_run_and_all_where_they_are_few() -> None:
    assert drawn(5).tolist() == [0, 1, 2, 3, 4]
    assert drawn(1_000_000).tolist() == drawn(1_000_000).tolist()
    assert np.unique(drawn(1_000_000)).size == 20_000
