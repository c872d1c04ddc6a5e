"""How much nights differ beyond chance."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.checks.alarms.variation import (
    LEAST,
    PRIOR,
    PRIOR_NIGHTS,
    Variation,
    apart,
    between,
    effective,
    expected,
    from_night_to_night,
)
from pipeline.checks.alarms.views import views_of
from pipeline.checks.scan import FloatArray
from pipeline.results import Kind

ROWS = 2_000
EVEN = np.array([0.25, 0.25, 0.25, 0.25, 0.0])
VIEWS = {view.name: view for view in views_of("categorical", EVEN * 20_000, ROWS)}


def nights(many: int, moved: float, seed: int, level: FloatArray = EVEN) -> FloatArray:
    """Rows of so many nights whose first two categories exchange a share that moves by so much."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, moved, many)[:, None] * np.array([1.0, -1, 0, 0, 0])
    return np.array([rng.multinomial(ROWS, parts) for parts in np.clip(level + moves, 0, 1)], np.float64)


def test_of_nights_that_chance_alone_tells_apart_the_variation_is_near_nothing() -> None:
    found = [between([VIEWS["shares"]], nights(20, 0.0, seed))["shares"].size for seed in range(40)]
    assert np.mean(found) < 0.3 / ROWS


def test_the_variation_is_that_of_the_nights() -> None:
    """A category of a quarter that moves by d moves the point by d / sqrt(1/4 * 3), and two of them do."""
    found = [between([VIEWS["shares"]], nights(20, 0.03, seed))["shares"].size for seed in range(60)]
    assert np.mean(found) == pytest.approx(2 * 0.03**2 / 0.25 / 3, rel=0.1)


def test_nights_that_move_one_way_vary_along_one_direction() -> None:
    assert between([VIEWS["shares"]], nights(40, 0.05, 0))["shares"].lead > 0.8


def test_numbers_move_as_a_whole() -> None:
    views = views_of("numerical", EVEN * 20_000, ROWS)
    assert {item.lead for item in between(views, nights(10, 0.05, 0)).values()} == {1.0}


def test_how_far_a_weekday_lies_from_the_others_is_no_news() -> None:
    week = nights(20, 0.0, 1)
    sundays = nights(4, 0.0, 2, np.array([0.35, 0.15, 0.25, 0.25, 0.0]))
    every = np.concatenate([week, sundays])
    plain, alike = (between([VIEWS["shares"]], every, days)["shares"].size for days in (None, sundays))
    gap = VIEWS["shares"].point(sundays.sum(axis=0)) - VIEWS["shares"].point(every.sum(axis=0))
    assert alike - plain == pytest.approx(float(gap @ gap), rel=0.1)


def test_one_night_says_nothing_of_how_nights_differ() -> None:
    assert between([VIEWS["shares"]], nights(1, 0.0, 0)) == {}
    assert from_night_to_night([VIEWS["shares"]], nights(2, 0.0, 0)) == {}


def test_steps_see_what_moves_and_not_a_change_that_came_to_stay() -> None:
    moving = from_night_to_night([VIEWS["missing"], VIEWS["shares"]], nights(60, 0.03, 3))["shares"]
    assert moving.size > 0.3 * 2 * 0.03**2 / 0.25 / 3
    changed = np.concatenate([nights(5, 0.0, 4), nights(5, 0.0, 5, np.array([0.45, 0.05, 0.25, 0.25, 0.0]))])
    assert from_night_to_night([VIEWS["shares"]], changed)["shares"].size < 2 / ROWS


def test_nights_of_other_cells_are_each_held_against_their_own_reference() -> None:
    rng = np.random.default_rng(6)
    wide = np.full(7, 1 / 7)
    counts = [rng.multinomial(ROWS, np.append(wide, 0.0)).astype(float) for _ in range(30)]
    counts += [rng.multinomial(ROWS, EVEN).astype(float) for _ in range(30)]
    references = [np.append(wide, 0.0) * 1e6] * 30 + [EVEN * 1e6] * 30
    found = apart("categorical", counts, references)["shares"]
    assert 10 < found.nights < 60
    assert found.size < 0.3 / ROWS


def test_without_nights_what_is_expected_counts_and_with_many_what_was_seen() -> None:
    view = VIEWS["missing"]
    assert expected(view, None, 0.01) == Variation(PRIOR["missing"] + 0.01, PRIOR_NIGHTS, 1.0)
    assert expected(view, Variation(0.5, 1e6), 0.01).size == pytest.approx(0.5, rel=1e-4)
    assert expected(view, Variation(0.0, 1e9), 0.01).size == LEAST * PRIOR["missing"]


def test_nights_of_few_rows_say_little_of_how_much_nights_differ() -> None:
    """A variance that chance of the rows drowns is known from fewer nights than were seen."""
    views, parts = [VIEWS["shares"]], EVEN / EVEN.sum()
    rng = np.random.default_rng(8)
    few, many = (rng.multinomial(rows, parts, 30).astype(float) for rows in (40, 400_000))
    assert between(views, few)["shares"].nights < 2
    assert 28 < between(views, many)["shares"].nights < 29
    assert 25 < between(views, nights(30, 0.05, 9))["shares"].nights < 29


@pytest.mark.parametrize(
    ("kind", "parts", "rows"),
    [
        ("categorical", [0.1, 0.3, 0.55, 0.05], 300),
        ("numerical", [*[1 / 40] * 40, 0.05], 300),
        ("numerical", [*[1 / 40] * 40, 0.05], 3_000),
    ],
)
def test_what_chance_makes_of_a_point_is_known_also_where_cells_expect_few_rows(
    kind: Kind, parts: list[float], rows: int
) -> None:
    shares = np.array(parts) / sum(parts)
    counts = np.random.default_rng(0).multinomial(rows, shares, 4_000).astype(float)
    for view in views_of(kind, shares * rows * 30, rows):
        found = float(view.point(counts).var(axis=0, ddof=1).sum())
        assert float(view.scatter(shares, view.rows(counts)).mean()) == pytest.approx(found, rel=0.08), view.name


def test_two_equal_sides_are_as_good_as_half_of_one() -> None:
    assert effective(100, 100) == 50
    assert effective(100, 0) == 0
    assert effective(1e9, 100) == pytest.approx(100)
