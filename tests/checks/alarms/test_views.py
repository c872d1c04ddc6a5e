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
    gap = view.point(first) - view.point(second)
    return float(gap @ gap)


def found(kind: Kind, base: FloatArray, rows: float = 300.0) -> dict[str, View]:
    return {view.name: view for view in views_of(kind, base, rows)}


@given(COUNTS, st.data())
def test_sides_that_are_the_same_are_no_distance_apart_and_distances_have_no_direction(
    base: list[int], data: st.DataObject
) -> None:
    other = data.draw(st.lists(st.integers(0, 500), min_size=len(base), max_size=len(base)))
    first, second = np.array(base, np.float64), np.array(other, np.float64)
    for kind in KINDS:
        for view in views_of(kind, first, 300.0):
            assert distance(view, first, first) == 0.0
            assert distance(view, first, second) == distance(view, second, first) >= 0.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shares", [[0.25] * 4, [0.6, 0.2, 0.15, 0.05]], ids=["even", "uneven"])
def test_where_nothing_changed_the_mean_squared_distance_is_the_chance_of_both_sides(
    kind: Kind, shares: list[float]
) -> None:
    rng, before, after = np.random.default_rng(1), 2_000, 500
    parts = np.array([*(0.9 * np.array(shares)), 0.1])
    for view in views_of(kind, parts * before, effective(before, after)):
        pairs = zip(rng.multinomial(before, parts, 4_000), rng.multinomial(after, parts, 4_000), strict=True)
        drawn = [distance(view, first.astype(float), second.astype(float)) for first, second in pairs]
        rows = 1.0 if view.name == "missing" else 0.9
        assert np.mean(drawn) == pytest.approx((1 / before + 1 / after) / rows, rel=0.06)


@pytest.mark.parametrize("kind", KINDS)
def test_the_squares_of_a_view_add_up_to_one_and_the_largest_leads(kind: Kind) -> None:
    for view in views_of(kind, np.array([50.0, 30, 15, 5, 0]), 300.0):
        squares = view.squares()
        assert squares.sum() == pytest.approx(1.0)
        assert view.lead == pytest.approx(squares.max())
        assert view.evenness == pytest.approx((squares**2).sum())


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
    assert view.freedom == 1.0, "one cell beside the rest"
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
    view = views_of("numerical", base, 300.0)[1]
    squared = distance(view, base, np.array([300.0, 0, 0])) * 300
    assert chi2.sf(squared, 1) > np.exp(-8) / 4
