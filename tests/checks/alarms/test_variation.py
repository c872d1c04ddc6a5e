"""How much nights differ beyond chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from pipeline.checks.alarms.variation import (
    LEAST,
    PRIOR,
    PRIOR_NIGHTS,
    BoolArray,
    Nights,
    Variation,
    apart,
    between,
    effective,
    expected,
    from_night_to_night,
    together,
    unknown,
)
from pipeline.checks.alarms.views import View, views_of
from pipeline.checks.scan import FloatArray
from pipeline.results import Kind

ROWS = 2_000
EVEN = np.array([0.25, 0.25, 0.25, 0.25, 0.0])
VIEWS = {view.name: view for view in views_of("categorical", EVEN[None] * 20_000, np.array([float(ROWS)]))}
NUMBERS = {view.name: view for view in views_of("numerical", EVEN[None] * 20_000, np.array([float(ROWS)]))}


class Told(NamedTuple):
    """Of the one column that was looked at."""

    size: float
    nights: float
    lead: float


def told(variation: Variation) -> Told:
    (size,), (many,), (lead,) = variation.size, variation.nights, variation.lead
    return Told(float(size), float(many), float(lead))


def of(view: View, counts: FloatArray) -> tuple[Nights, BoolArray]:
    """Nights of one column, shape (n, k), all of which count."""
    found = Nights.of(view, [night[None] for night in counts])
    return found, found.rows > 0


def varied(view: View, counts: FloatArray, alike: BoolArray | None = None) -> Told:
    return told(between(view, *of(view, counts), alike))


def stepped(view: View, counts: FloatArray) -> Told:
    return told(from_night_to_night(view, *of(view, counts)))


def seen(size: float, many: float) -> Variation:
    return Variation(np.array([size]), np.array([many]), np.ones(1))


def nights(many: int, moved: float, seed: int, level: FloatArray = EVEN) -> FloatArray:
    """Rows of so many nights whose first two categories exchange a share that moves by so much."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, moved, many)[:, None] * np.array([1.0, -1, 0, 0, 0])
    return np.array([rng.multinomial(ROWS, parts) for parts in np.clip(level + moves, 0, 1)], np.float64)


def test_of_nights_that_chance_alone_tells_apart_the_variation_is_near_nothing() -> None:
    found = [varied(VIEWS["shares"], nights(20, 0.0, seed)).size for seed in range(40)]
    assert np.mean(found) < 0.3 / ROWS


def test_the_variation_is_that_of_the_nights() -> None:
    """A category of a quarter that moves by d moves the point by d / sqrt(1/4 * 3), and two of them do."""
    found = [varied(VIEWS["shares"], nights(20, 0.03, seed)).size for seed in range(60)]
    assert np.mean(found) == pytest.approx(2 * 0.03**2 / 0.25 / 3, rel=0.1)


def test_nights_that_move_one_way_vary_along_one_direction() -> None:
    assert varied(VIEWS["shares"], nights(40, 0.05, 0)).lead > 0.8


def test_numbers_move_as_a_whole() -> None:
    assert {varied(view, nights(10, 0.05, 0)).lead for view in NUMBERS.values()} == {1.0}


def test_how_far_a_weekday_lies_from_the_others_is_no_news() -> None:
    week = nights(20, 0.0, 1)
    sundays = nights(4, 0.0, 2, np.array([0.35, 0.15, 0.25, 0.25, 0.0]))
    every = np.concatenate([week, sundays])
    plain, alike = (varied(VIEWS["shares"], every, days).size for days in (None, np.arange(24) >= 20))
    gap = VIEWS["shares"].point(sundays.sum(axis=0)[None]) - VIEWS["shares"].point(every.sum(axis=0)[None])
    assert alike - plain == pytest.approx(float((gap**2).sum()), rel=0.1)


def test_one_night_says_nothing_of_how_nights_differ() -> None:
    assert varied(VIEWS["shares"], nights(1, 0.0, 0)).nights == 0
    assert stepped(VIEWS["shares"], nights(2, 0.0, 0)).nights == 0
    assert varied(VIEWS["shares"], nights(3, 0.0, 0)).nights > 0


def test_steps_see_what_moves_and_not_a_change_that_came_to_stay() -> None:
    assert stepped(VIEWS["shares"], nights(60, 0.03, 3)).size > 0.3 * 2 * 0.03**2 / 0.25 / 3
    changed = np.concatenate([nights(5, 0.0, 4), nights(5, 0.0, 5, np.array([0.45, 0.05, 0.25, 0.25, 0.0]))])
    assert stepped(VIEWS["shares"], changed).size < 2 / ROWS


def test_nights_of_other_cells_are_each_held_against_their_own_reference() -> None:
    rng = np.random.default_rng(6)
    wide = np.append(np.full(7, 1 / 7), 0.0)
    sides = [(rng.multinomial(ROWS, parts).astype(float), parts * 1e6) for parts in [wide] * 30 + [EVEN] * 30]
    found = [apart("categorical", night[None], reference[None])["shares"] for night, reference in sides]
    size, many = together(np.concatenate([rows for _, rows in found]))
    assert 10 < many < 60
    assert size < 0.3 / ROWS
    moved = [apart("categorical", night[None], EVEN[None] * 1e6)["shares"][1] for night in nights(30, 0.03, 1)]
    assert together(np.concatenate(moved))[0] == pytest.approx(2 * 0.03**2 / 0.25 / 3, rel=0.5)


def test_without_nights_what_is_expected_counts_and_with_many_what_was_seen() -> None:
    view = VIEWS["missing"]
    noise = np.array([0.01])
    assert told(expected(view, unknown(1), noise)) == (PRIOR["missing"] + 0.01, PRIOR_NIGHTS, 1.0)
    assert told(expected(view, seen(0.5, 1e6), noise)).size == pytest.approx(0.5, rel=1e-4)
    assert told(expected(view, seen(0.0, 1e9), noise)).size == LEAST * PRIOR["missing"]


def test_nights_of_few_rows_say_little_of_how_much_nights_differ() -> None:
    """A variance that chance of the rows drowns is known from fewer nights than were seen."""
    view, parts = VIEWS["shares"], EVEN / EVEN.sum()
    rng = np.random.default_rng(8)
    few, many = (rng.multinomial(rows, parts, 30).astype(float) for rows in (40, 400_000))
    assert varied(view, few).nights < 2
    assert 28 < varied(view, many).nights < 29
    assert 25 < varied(view, nights(30, 0.05, 9)).nights < 29


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
    for view in views_of(kind, shares[None] * rows * 30, np.array([float(rows)])):
        found = float(view.point(counts[:, None]).var(axis=0, ddof=1).sum())
        usual = view.rows(counts[:, None]).mean(axis=0)
        assert float(view.scatter(shares[None], usual)[0]) == pytest.approx(found, rel=0.08), view.name


def test_two_equal_sides_are_as_good_as_half_of_one() -> None:
    found = effective(np.array([100.0, 100.0, 1e9, 0.0]), np.array([100.0, 0.0, 100.0, 0.0]))
    assert found == pytest.approx([50, 0, 100, 0])


def test_columns_side_by_side_vary_as_each_by_itself_also_where_nights_are_missing() -> None:
    rng = np.random.default_rng(11)
    base = np.array([EVEN, [0.7, 0.1, 0.1, 0.1, 0.05], [0.97, 0.01, 0.01, 0.01, 0.0]]) * 20_000
    drawn = [nights(12, moved, seed, base[seed] / base[seed].sum()) for seed, moved in enumerate((0.0, 0.05, 0.005))]
    every = np.array(drawn).transpose(1, 0, 2)
    every[rng.random((12, 3)) < 0.3] = 0.0
    alike = rng.random(12) < 0.4
    for view in views_of("categorical", base, np.full(3, float(ROWS))):
        together_found = Nights.of(view, list(every))
        which = (together_found.rows > 0) & (rng.random(together_found.rows.shape) < 0.8)
        for place, column in enumerate(view.columns.tolist()):
            kept = which[:, place]
            (alone,) = [
                v for v in views_of("categorical", base[column][None], np.array([float(ROWS)])) if v.name == view.name
            ]
            own = Nights.of(alone, [night[None] for night in every[kept][:, column]])
            for whole, part in (
                (between(view, together_found, which, alike), between(alone, own, own.rows > 0, alike[kept])),
                (from_night_to_night(view, together_found, which), from_night_to_night(alone, own, own.rows > 0)),
            ):
                assert told(whole.only(slice(place, place + 1))) == pytest.approx(told(part), abs=1e-12)
