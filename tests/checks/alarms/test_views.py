"""Views of a column: what is a distance in them, and what chance makes of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from pipeline.checks.alarms.variation import effective
from pipeline.checks.alarms.views import View, views_of
from pipeline.checks.scan import FloatArray
from pipeline.results import Kind

KINDS: list[Kind] = ["numerical", "categorical"]
COUNTS = st.lists(st.integers(0, 500), min_size=4, max_size=9)


def distance(view: View, first: FloatArray, second: FloatArray) -> float:
    """Of the one column that a view has."""
    gap = view.point(first[None]) - view.point(second[None])
    return float((gap**2).sum())


def made(kind: Kind, base: FloatArray, rows: float = 300.0) -> tuple[View, ...]:
    return views_of(kind, base[None], np.array([rows]))


def found(kind: Kind, base: FloatArray, rows: float = 300.0) -> dict[str, View]:
    return {view.name: view for view in made(kind, base, rows)}


@given(COUNTS, st.data())
def test_sides_that_are_the_same_are_no_distance_apart_and_distances_have_no_direction(
    base: list[int], data: st.DataObject
) -> None:
    other = data.draw(st.lists(st.integers(0, 500), min_size=len(base), max_size=len(base)))
    first, second = np.array(base, np.float64), np.array(other, np.float64)
    for kind in KINDS:
        for view in made(kind, first):
            assert distance(view, first, first) == 0.0
            assert distance(view, first, second) == distance(view, second, first) >= 0.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shares", [[0.25] * 4, [0.6, 0.2, 0.15, 0.05]], ids=["even", "uneven"])
def test_where_nothing_changed_the_mean_squared_distance_is_the_chance_of_both_sides(
    kind: Kind, shares: list[float]
) -> None:
    rng, before, after = np.random.default_rng(1), 2_000, 500
    parts = np.array([*(0.9 * np.array(shares)), 0.1])
    rows_of_both = float(effective(np.array([float(before)]), np.array([float(after)]))[0])
    for view in made(kind, parts * before, rows_of_both):
        pairs = zip(rng.multinomial(before, parts, 4_000), rng.multinomial(after, parts, 4_000), strict=True)
        drawn = [distance(view, first.astype(float), second.astype(float)) for first, second in pairs]
        rows = 1.0 if view.name == "missing" else 0.9
        assert np.mean(drawn) == pytest.approx((1 / before + 1 / after) / rows, rel=0.06)


def test_chance_is_as_the_largest_square_and_the_others_make_it() -> None:
    """Drawn counts of two sides: the variance of their squared distance is twice the sum of the squares' squares."""
    rng, parts = np.random.default_rng(2), np.array([0.4, 0.3, 0.2, 0.1, 0.0])
    for kind in KINDS:
        for name, view in found(kind, parts * 1e7, 1e7).items():
            if name == "missing":
                continue
            points = view.point(rng.multinomial(100_000, parts, 20_000)[:, None].astype(float))[:, 0]
            gaps = points - points.mean(axis=0)
            squared = (gaps**2).sum(axis=1)
            assert squared.var() / squared.mean() ** 2 / 2 == pytest.approx(view.evenness[0], rel=0.1)
            along = np.linalg.eigvalsh(np.cov(gaps, rowvar=False))[-1]
            assert along / squared.mean() == pytest.approx(view.lead[0], rel=0.05)


def test_columns_side_by_side_have_the_views_that_each_has_by_itself() -> None:
    rng = np.random.default_rng(3)
    base = np.array([[50.0, 30, 15, 5, 0, 2], [0, 0, 0, 0, 0, 9], [97, 0, 0, 3, 0, 0], [20, 20, 20, 20, 20, 0]])
    tonight = rng.multinomial(200, [0.3, 0.2, 0.2, 0.1, 0.1, 0.1], 4).astype(float)
    rows = np.array([300.0, 10.0, 80.0, 3_000.0])
    for kind in KINDS:
        for view in views_of(kind, base, rows):
            seen = view.seen(tonight)
            for place, column in enumerate(view.columns.tolist()):
                alone = found(kind, base[column], rows[column])[view.name]
                own = alone.point(tonight[None, column])[0]
                assert seen.point[place][: own.size] == pytest.approx(own)
                assert not seen.point[place][own.size :].any()
                for one, other in ((view.freedom, alone.freedom), (view.lead, alone.lead), (view.rest, alone.rest)):
                    assert one[place] == pytest.approx(other[0], nan_ok=True)
            there = {name for column in range(4) for name in found(kind, base[column], rows[column])}
            assert view.name in there


def test_where_a_category_stands_makes_no_difference_as_long_as_it_is_not_the_rest() -> None:
    base, other = np.array([50.0, 30, 15, 5, 0]), np.array([30.0, 40, 10, 20, 0])
    order = [2, 0, 1, 3, 4]
    first, second = found("categorical", base)["shares"], found("categorical", base[order])["shares"]
    assert distance(first, base, other) == pytest.approx(distance(second, base[order], other[order]))


def test_the_order_of_numbers_makes_no_difference_backwards() -> None:
    base, other = np.array([50.0, 30, 15, 5, 0]), np.array([30.0, 40, 10, 20, 0])
    order = [3, 2, 1, 0, 4]
    for name in ("quantiles", "shares"):
        first, second = found("numerical", base)[name], found("numerical", base[order])[name]
        assert distance(first, base, other) == pytest.approx(distance(second, base[order], other[order]))


def test_categories_have_no_quantiles() -> None:
    assert set(found("categorical", np.array([50.0, 50, 0]))) == {"missing", "shares"}
    assert set(found("numerical", np.array([50.0, 50, 0]))) == {"missing", "shares", "quantiles"}


def test_a_column_without_values_shows_only_what_is_missing() -> None:
    assert set(found("numerical", np.array([0.0, 0, 100]))) == {"missing"}


def test_categories_of_too_few_rows_are_counted_with_the_rest() -> None:
    base = np.array([90.0, 3, 3, 4, 0])
    view = found("categorical", base, rows=50.0)["shares"]
    assert view.freedom[0] == 1.0, "one cell beside the rest"
    assert distance(view, base, np.array([90.0, 10, 0, 0, 0])) == pytest.approx(0.0)


def test_a_column_that_had_one_value_shows_another() -> None:
    for kind, base, after in (
        ("categorical", [1000.0, 0, 0], [900.0, 100, 0]),
        ("numerical", [0.0, 1000, 0, 0], [0.0, 900, 100, 0]),
    ):
        view = found(kind, np.array(base))["shares"]  # type: ignore[arg-type]
        assert distance(view, np.array(base), np.array(after)) > 20 * 2 / 1000


def test_a_category_that_falls_from_eight_rows_to_none_is_hardly_rarer_than_it_is() -> None:
    """Poisson counts of mean 8 are 0 once in 2,981 times; Anscombe's constant would make it once in 190,000."""
    base = np.array([292_000.0, 8_000, 0])
    view = found("numerical", base)["shares"]
    squared = distance(view, base, np.array([300.0, 0, 0])) * 300
    assert chi2.sf(squared, 1) > np.exp(-8) / 4
