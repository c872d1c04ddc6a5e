"""One column compared: verdict, reason, what scores miss, and no exception whatever the column holds."""

from __future__ import annotations

import dataclasses
import math
import re
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
from pipeline.checks.drift.compare_columns import ColumnPlan, compare_columns, infer_plans
from pipeline.checks.drift.statistics import METHODS, methods
from pipeline.checks.scan import scan, scan_pair
from pipeline.config import DriftFlags
from pipeline.errors import ExitCode
from pipeline.results import ColumnDrift, Kind
from tests.checks.drift.summaries import categories, numbers, table


def drifts(*sides: Any, **options: Any) -> list[ColumnDrift]:
    """The columns as they were compared, without what is kept of them."""
    return [item.drift for item in compare_columns(*sides, **options)]


def compared(folder: Path, first: pa.Array, second: pa.Array, kind: Kind = "numerical", **options: Any) -> ColumnDrift:
    sides = table(folder / "reference", first), table(folder / "production", second)
    return compare_column(*scan_pair(*sides, "x", kind), kind, **options)


def draws(size: int = 1200, centre: float = 0.0) -> pa.Array:
    return pa.array(np.random.default_rng(int(centre * 10) + 3).normal(centre, 1, size))


def test_a_drifted_column_carries_score_threshold_direction_and_reason(tmp_path: Path) -> None:
    found = compared(tmp_path, draws(), draws(centre=1.0))
    assert (found.status, found.method, found.direction, found.drifted) == (
        "evaluated",
        "wasserstein",
        "distance",
        True,
    )
    assert found.threshold == 0.1
    assert found.score == pytest.approx(1.0, abs=0.1)
    assert found.error_bound == 0.0
    assert str(found.reason).startswith("mean moved up by 0.97 reference standard deviations")


def test_a_steady_column_has_no_reason(tmp_path: Path) -> None:
    found = compared(tmp_path, draws(), draws())
    assert not found.drifted
    assert found.reason is None
    assert found.score == 0.0


def test_a_given_threshold_replaces_the_default(tmp_path: Path) -> None:
    assert not compared(tmp_path, draws(), draws(centre=1.0), threshold=5.0).drifted
    assert compared(tmp_path, draws(), draws(centre=0.1), method="psi", threshold=0.0).drifted


BAD: dict[str, tuple[pa.Array, pa.Array, Kind, str]] = {
    "empty": (draws(), pa.array([], pa.float64()), "numerical", "production has no rows"),
    "all null": (draws(), pa.array([None] * 5, pa.float64()), "numerical", "all 5 values are missing in production"),
    "null type": (pa.array([None] * 5, pa.null()), draws(), "numerical", "all 5 values are missing in the reference"),
    "all NaN": (draws(), pa.array([math.nan] * 5), "numerical", "all 5 values are missing in production"),
    "infinite": (draws(), pa.array([1.0, math.inf]), "numerical", "1 of 2 values are infinite in production"),
    "infinite category": (pa.array([1.0]), pa.array([math.inf]), "categorical", "infinite in production"),
    "too large": (pa.array([1e200, 2e200]), draws(), "numerical", "too large to compute with"),
    "text for numbers": (draws(), pa.array(["1"]), "numerical", "in production: the column is listed as numerical"),
    "numbers for text": (pa.array(["1"]), pa.array([1]), "categorical", "text in the reference, integer in production"),
    "dates for numbers": (draws(), pa.array([1], pa.date32()), "numerical", "float in the reference, date in"),
    "nested": (pa.array([[1]]), draws(), "numerical", "in the reference: the column holds nested values"),
    "binary": (pa.array([b"a"]), pa.array([b"a"]), "categorical", "unsupported type"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_a_bad_column_is_not_evaluable_with_a_reason(
    case: tuple[pa.Array, pa.Array, Kind, str], tmp_path: Path
) -> None:
    found = compared(tmp_path, *case[:3])
    assert found.status == "not_evaluable"
    assert not found.drifted
    assert found.score is None
    assert case[3] in str(found.reason)


def test_unknown_and_unfitting_methods_are_reasons_too(tmp_path: Path) -> None:
    assert "unknown drift method" in str(compared(tmp_path, draws(), draws(), method="guesswork").reason)
    found = compared(tmp_path, draws(), draws(), method="fisher_exact")
    assert found.reason == "method fisher_exact is not for numerical columns"


def test_a_statistic_that_fails_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*_: Any) -> float:
        raise ZeroDivisionError("inside\nthe statistic")

    monkeypatch.setitem(METHODS, "ks", dataclasses.replace(METHODS["ks"], sorted=fails))
    found = compared(tmp_path, draws(), draws(), method="ks")
    assert str(found.reason).startswith("ks failed: ZeroDivisionError in checks/drift/")
    monkeypatch.setitem(METHODS, "ks", dataclasses.replace(METHODS["ks"], sorted=lambda *_: math.nan))
    assert "no finite number" in str(compared(tmp_path, draws(), draws(), method="ks").reason)


def test_missing_values_are_measured_and_flagged_though_the_score_does_not_see_them(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=2000)
    holed = pa.array(values, mask=np.arange(2000) % 4 == 0)
    found = compared(tmp_path, pa.array(values), holed)
    assert not found.drifted
    assert (found.missing_reference_share, found.missing_production_share) == (0.0, 0.25)
    assert found.flags == ("missing values rose from 0% to 25%",)
    assert compared(tmp_path, pa.array(values), holed, limits=DriftFlags(missing_rise=0.3)).flags == ()
    assert compared(tmp_path, pa.array(values), holed, limits=DriftFlags(missing_rise=None)).flags == ()
    assert compared(tmp_path, holed, pa.array(values)).flags == ()


def test_small_rises_of_missing_values_are_flagged_when_the_limit_is_smaller(tmp_path: Path) -> None:
    holed = pa.array([None] + [1.5] * 999)
    found = compared(tmp_path, pa.array([1.5] * 1000), holed, limits=DriftFlags(missing_rise=0.0))
    assert found.flags == ("missing values rose from 0% to 0.1%",)


def test_new_and_vanished_categories_are_listed_and_flagged(tmp_path: Path) -> None:
    first = pa.array(["a"] * 60 + ["b"] * 40)
    second = pa.array(["a"] * 90 + ["c"] * 9 + ["rare\n"])
    found = compared(tmp_path, first, second, "categorical", limits=DriftFlags(new_category=0.05))
    assert [(item.label, item.share) for item in found.new_categories] == [("c", 0.09), ("rare\\n", 0.01)]
    assert [(item.label, item.share) for item in found.vanished_categories] == [("b", 0.4)]
    assert found.flags == ("category 'c' is new (9% of the values)", "category 'b' vanished (40% of the values)")
    off = DriftFlags(new_category=None, vanished_category=None)
    assert compared(tmp_path, first, second, "categorical", limits=off).flags == ()


def test_lists_of_categories_are_bounded_and_counted(tmp_path: Path) -> None:
    first, second = pa.array([f"old {n}" for n in range(50)]), pa.array([f"new {n}" for n in range(70)])
    found = compared(tmp_path, first, second, "categorical")
    assert (len(found.new_categories), found.new_category_count) == (20, 70)
    assert (len(found.vanished_categories), found.vanished_category_count) == (20, 50)
    assert len(found.flags) == 12
    assert found.flags[5] == "65 more categories of at least 1% are new"


SECRETS: dict[str, tuple[pa.Array, pa.Array]] = {
    "text": (pa.array(["alice"] * 60 + ["bob"] * 40), pa.array(["alice"] * 50 + ["carol"] * 50)),
    "dictionary": (
        pa.array(["alice"] * 60 + ["bob"] * 40).dictionary_encode(),
        pa.array(["carol"] * 100).dictionary_encode(),
    ),
    "integer": (pa.array([7701] * 60 + [7702] * 40), pa.array([7701] * 10 + [7703] * 90)),
    "float": (pa.array([7701.5] * 60), pa.array([7703.5] * 90)),
    "decimal": (pa.array([Decimal("7701.5")] * 60), pa.array([Decimal("7703.5")] * 60)),
    "date": (pa.array([1] * 60, pa.date32()), pa.array([1] * 20 + [2] * 40, pa.date32())),
    "timestamp": (pa.array([1] * 60, pa.timestamp("s")), pa.array([2] * 60, pa.timestamp("s"))),
    "changed type": (pa.array(["7701"] * 60), pa.array([7703] * 60)),
    "only missing": (pa.array(["alice"] * 60), pa.array([None] * 60, pa.string())),
}
VALUES = ("alice", "bob", "carol", "770", "1970")


@pytest.mark.parametrize("sides", SECRETS.values(), ids=SECRETS)
def test_no_category_of_a_private_column_is_named_and_its_verdict_stays(
    sides: tuple[pa.Array, pa.Array], tmp_path: Path
) -> None:
    found = compared(tmp_path, *sides, "categorical", private=True)
    shown = compared(tmp_path, *sides, "categorical")
    assert not [value for value in VALUES if value in found.to_json().decode()]
    assert (found.new_categories, found.vanished_categories) == ((), ())
    same = ("score", "drifted", "status", "new_category_count", "vanished_category_count", "changed_type")
    assert found.model_dump(include=set(same)) == shown.model_dump(include=set(same))
    if shown.shape is not None:
        assert found.shape is not None
        assert sorted(found.shape.reference) == sorted(shown.shape.reference)
        assert [value for value in VALUES if value in shown.to_json().decode()]


@pytest.mark.parametrize("scored", [True, False])
@pytest.mark.parametrize("production", [[1234.5] * 60, [2469.0 + n for n in range(60)], [1.7e308, -1.7e308] * 30])
def test_no_number_of_a_private_column_is_told_and_its_verdict_stays(
    tmp_path: Path, production: list[float], scored: bool
) -> None:
    sides = pa.array([1234.5 + n for n in range(60)]), pa.array(production)
    found, shown = (compared(tmp_path, *sides, private=private, scored=scored) for private in (True, False))
    value = re.compile(r"(?<![\d.])(?:1,?2\d\d|2,?[45]\d\d)(?!\d)|308")
    assert value.search(shown.to_json().decode())
    assert not value.findall(found.to_json().decode())
    same = {"score", "drifted", "status"}
    assert found.model_dump(include=same) == shown.model_dump(include=same)
    if shown.shape is not None and found.shape is not None:
        assert (found.shape.edges, found.shape.reference) == ((), shown.shape.reference)


def test_a_changed_type_is_flagged(tmp_path: Path) -> None:
    found = compared(tmp_path, pa.array(range(50)), pa.array(np.arange(50) / 3))
    assert found.changed_type == "integer to float"
    assert "the type changed from integer to float" in found.flags
    assert compared(tmp_path, pa.array(["1"]), pa.array([1]), "categorical").changed_type == "text to integer"
    silent = compared(tmp_path, pa.array(["1"]), pa.array([1]), "categorical", limits=DriftFlags(changed_type=False))
    assert silent.flags == ()


def test_integers_that_became_floats_only_through_missing_values_are_no_changed_type(tmp_path: Path) -> None:
    found = compared(tmp_path, pa.array(range(50)), pa.array([None, *map(float, range(49))]))
    assert found.changed_type is None


def test_wider_or_encoded_types_are_no_changed_type(tmp_path: Path) -> None:
    assert compared(tmp_path, pa.array([1] * 9, pa.int8()), pa.array([1] * 9, pa.int64())).changed_type is None
    encoded = pa.array(["a"] * 9).dictionary_encode()
    assert compared(tmp_path, pa.array(["a"] * 9, pa.large_string()), encoded, "categorical").changed_type is None


def test_shapes_are_shares_of_the_rows_present(tmp_path: Path) -> None:
    found = compared(tmp_path, pa.array([*np.linspace(0, 1, 999), 1e9]), pa.array([*np.linspace(0, 2, 500), None]))
    assert found.shape is not None
    assert len(found.shape.edges) == len(found.shape.reference) + 1 == len(found.shape.production) + 1
    assert sum(found.shape.reference) == pytest.approx(1.0)
    assert sum(found.shape.production) == pytest.approx(1.0)
    assert found.shape.edges[-1] < 3  # one outlier does not squeeze the others into one bar
    labelled = compared(tmp_path, pa.array([f"c{n % 30}" for n in range(600)]), pa.array(["c0", "c1"]), "categorical")
    assert labelled.shape is not None
    assert labelled.shape.categories[-1] == "all others"
    assert len(labelled.shape.categories) == 10 == len(labelled.shape.production)
    assert sum(labelled.shape.reference) == pytest.approx(1.0)


anything = st.one_of(
    st.lists(st.one_of(st.none(), st.floats(), st.integers(-(2**40), 2**40).map(float)), max_size=30).map(
        lambda values: pa.array(values, pa.float64())
    ),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=30).map(
        lambda values: pa.array(values, pa.int64())
    ),
    st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=30).map(lambda values: pa.array(values, pa.string())),
    st.lists(st.one_of(st.none(), st.booleans()), max_size=30).map(lambda values: pa.array(values, pa.bool_())),
    st.lists(st.decimals(-1000, 1000, places=2), max_size=30).map(
        lambda values: pa.array([Decimal(value) for value in values], pa.decimal128(12, 2))
    ),
    st.lists(st.none(), max_size=4).map(lambda values: pa.array(values, pa.null())),
    st.just(pa.array([[1.0]])),
    st.just(pa.array([b"\x00"])),
)


@settings(
    deadline=None,
    max_examples=150,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    first=anything,
    second=anything,
    kind=st.sampled_from(["numerical", "categorical"]),
    method=st.sampled_from(["auto", *(name for name in METHODS if name != "empirical_mmd")]),
)
def test_whatever_two_columns_hold_the_answer_is_strict_json(
    first: pa.Array, second: pa.Array, kind: Kind, method: str, tmp_path: Path
) -> None:
    found = compared(tmp_path, first, second, kind, method=method)
    assert ColumnDrift.model_validate_json(found.to_json()) == found
    assert (found.status == "evaluated") == (found.score is not None)
    assert found.status == "evaluated" or found.reason


def test_comparing_the_kinds_of_one_column_gives_a_reason() -> None:
    labelled = dataclasses.replace(categories([1]), form="integer")
    assert "different kinds" in str(compare_column(numbers([1.0]), labelled, "numerical", method="ks").reason)


# -- all columns ------------------------------------------------------------------------------------------------------


def snapshot(folder: Path, seed: int, shift: float = 0.0) -> list[str]:
    rng = np.random.default_rng(seed)
    columns = {
        "steady": pa.array(rng.normal(size=3000)),
        "moved": pa.array(rng.normal(shift, 1, 3000)),
        "label": pa.array(rng.choice(["a", "b", "c"], 3000)),
        "seen_at": pa.array(np.arange(3000), pa.timestamp("s")),
        "nested": pa.array([[1]] * 3000),
    }
    folder.mkdir()
    pq.write_table(pa.table(columns), folder / "data.parquet", row_group_size=700)
    return [str(folder / "data.parquet")]


def test_all_columns_are_compared_in_the_order_of_the_plans(tmp_path: Path) -> None:
    before, after = snapshot(tmp_path / "r", 0), snapshot(tmp_path / "p", 1, shift=2.0)
    plans = infer_plans(before, after)
    assert [(plan.name, plan.kind) for plan in plans] == [
        ("steady", "numerical"), ("moved", "numerical"), ("label", "categorical"),
    ]  # fmt: skip
    more = (
        *plans,
        ColumnPlan("nested", "numerical"),
        ColumnPlan("absent", "numerical"),
        ColumnPlan("moved", "numerical", "ks"),
    )
    found = drifts(before, after, more, threads=3)
    assert [item.name for item in found] == [plan.name for plan in more]
    assert [item.drifted for item in found] == [False, True, False, False, False, True]
    assert "missing" in str(found[4].reason)


@pytest.mark.parametrize("budget", [1, 200 * 2**20, 2**31])
@pytest.mark.parametrize("threads", [1, 4])
def test_neither_threads_nor_budget_change_a_verdict(threads: int, budget: int, tmp_path: Path) -> None:
    before, after = snapshot(tmp_path / "r", 0), snapshot(tmp_path / "p", 1, shift=2.0)
    plans = infer_plans(before, after)
    found = drifts(before, after, plans, threads=threads, budget_bytes=budget)
    expected = drifts(before, after, plans)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.drifted == theirs.drifted
        assert ours.score is not None
        assert theirs.score is not None
        assert abs(ours.score - theirs.score) <= ours.error_bound + 1e-12


@pytest.mark.parametrize("threads", [1, 3])
def test_a_damaged_column_takes_no_other_down(threads: int, tmp_path: Path) -> None:
    before, after = snapshot(tmp_path / "r", 0), snapshot(tmp_path / "p", 1, shift=2.0)
    plans = infer_plans(before, after)
    damage(Path(after[0]), "steady")
    found = {item.name: item for item in drifts(before, after, plans, threads=threads)}
    assert (found["steady"].status, found["moved"].status, found["label"].status) == (
        "not_evaluable", "evaluated", "evaluated",
    )  # fmt: skip
    assert found["steady"].failure is not None
    assert found["steady"].failure.exit_code == ExitCode.SNAPSHOT
    assert "data.parquet" in str(found["steady"].reason)


def damage(path: Path, column: str) -> None:
    """Overwrite what a column's pages hold."""
    import pyarrow.parquet as pq

    group = pq.read_metadata(path).row_group(0)
    chunk = next(found for place in range(group.num_columns) if (found := group.column(place)).path_in_schema == column)
    first = min(filter(None, (chunk.dictionary_page_offset, chunk.data_page_offset)))
    content = bytearray(path.read_bytes())
    content[first : first + chunk.total_compressed_size] = bytes(chunk.total_compressed_size)
    path.write_bytes(content)


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_that_nobody_foresaw_is_the_columns_own(
    threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = snapshot(tmp_path / "r", 0), snapshot(tmp_path / "p", 1, shift=2.0)

    def broken(*sides: object, **how: object) -> object:
        raise KeyError("a value from the data")

    monkeypatch.setattr(methods, "wasserstein_distance", broken)
    found = drifts(before, after, infer_plans(before, after), threads=threads)
    assert [item.status for item in found] == ["not_evaluable", "not_evaluable", "evaluated"]
    assert "wasserstein failed: KeyError in checks/drift/" in str(found[0].reason)
    assert "a value" not in str(found)


def test_identifiers_are_told_by_their_values_unless_somebody_lists_them(tmp_path: Path) -> None:
    before = table(tmp_path / "r", pa.array([f"order {row}" for row in range(500)])).paths
    after = table(tmp_path / "p", pa.array([f"order {row}" for row in range(500, 900)])).paths
    (guessed,) = drifts(before, after, infer_plans(before, after))
    assert (guessed.status, guessed.drifted) == ("not_evaluable", False)
    assert "list the column under columns.categorical" in str(guessed.reason)
    (listed,) = drifts(before, after, [ColumnPlan("x", "categorical", listed=True)])
    assert (listed.status, listed.drifted) == ("evaluated", True)


@pytest.mark.parametrize("rows", [8, 5_000])
def test_categories_are_no_identifiers_however_many_and_however_few_rows(tmp_path: Path, rows: int) -> None:
    some = np.random.default_rng(0).integers(0, rows // 2, rows)
    side = table(tmp_path / "r", pa.array([f"city {row}" for row in some])).paths
    assert drifts(side, side, infer_plans(side, side))[0].status == "evaluated"


def test_a_column_of_one_snapshot_only_is_planned_and_reported(tmp_path: Path) -> None:
    before = table(tmp_path / "r", draws(20), name="gone").paths
    after = table(tmp_path / "p", draws(20), name="fresh").paths
    plans = infer_plans(before, after)
    assert [plan.name for plan in plans] == ["gone", "fresh"]
    reasons = [item.reason for item in drifts(before, after, plans)]
    assert reasons == ["in production: the column is missing", "in the reference: the column is missing"]


def test_scanning_does_not_import_heavy_libraries(tmp_path: Path) -> None:
    import subprocess
    import sys

    before, after = snapshot(tmp_path / "r", 0), snapshot(tmp_path / "p", 1, shift=2.0)
    code = (
        "import sys\n"
        "from pipeline.checks.drift.compare_columns import compare_columns, infer_plans\n"
        f"plans = infer_plans({before!r}, {after!r})\n"
        f"compare_columns({before!r}, {after!r}, plans)\n"
        "print([name for name in ('pandas', 'scipy', 'evidently', 'sklearn') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_summaries_of_scans_feed_comparisons(tmp_path: Path) -> None:
    side = table(tmp_path, draws(50))
    assert compare_column(scan(side, "x", "numerical"), scan(side, "x", "numerical"), "numerical").score == 1.0


def test_what_the_floor_of_wasserstein_hides_is_flagged_and_the_score_stays(tmp_path: Path) -> None:
    tiny = pa.array(np.asarray(draws()) * 1e-4)
    moved = pa.array(np.asarray(draws()) * 1e-4 + 0.9e-4)
    found = compared(tmp_path / "moved", tiny, moved)
    assert not found.drifted
    assert found.score == pytest.approx(0.09)
    assert found.flags == ("values moved by 0.9 reference standard deviations; the score divides by at least 0.001",)
    assert compared(tmp_path / "same", tiny, tiny).flags == ()
    large = compared(tmp_path / "large", draws(), draws(centre=1.0))
    assert (large.drifted, large.flags) == (True, ())
