"""The grid that scores are kept on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics import grid
from pipeline.metrics.ranking import levels

NUMBERS = st.lists(
    st.one_of(
        st.floats(allow_nan=False),
        st.floats(0, 1),
        st.floats(0, 1e-6).map(lambda small: 1 - small),
        st.sampled_from([0.0, -0.0, 0.5, 1.0, np.nextafter(0.5, 1), np.nextafter(1, 0), np.nextafter(1, 2), 5e-324]),
    ),
    min_size=1,
    max_size=50,
)
STEPS = st.integers(0, grid.COARSEST)


@settings(max_examples=200, deadline=None)
@given(NUMBERS, STEPS)
def test_places_are_in_the_order_of_the_scores_and_stay_where_they_are(numbers: list[float], step: int) -> None:
    scores = np.sort(np.array(numbers))

    cells = grid.places(scores, step)
    middles = grid.scores_at(cells, step)

    assert (np.diff(cells) >= 0).all()
    assert (np.diff(middles) >= 0).all()
    assert (grid.places(middles, step) == cells).all()


@settings(max_examples=200, deadline=None)
@given(NUMBERS, STEPS, STEPS)
def test_a_cell_is_a_part_of_one_on_every_coarser_grid(numbers: list[float], one: int, other: int) -> None:
    fine, coarse = sorted((one, other))
    scores = np.array(numbers)

    middles = grid.scores_at(grid.places(scores, fine), fine)

    assert (grid.places(middles, coarse) == grid.places(scores, coarse)).all()


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-12, 1), STEPS)
def test_precision_is_relative_near_0_and_near_1(size: float, step: int) -> None:
    allowed = 2.0 ** (step - grid.COARSEST) * 0.51
    for score, distance in ((size, size), (1 - size, size), (1e9 * size, 1e9 * size), (-size, size)):
        middle = float(grid.scores_at(grid.places(np.array([score]), step), step)[0])
        smallest = min(distance, abs(score)) if score > 0.5 else distance
        assert abs(middle - score) <= allowed * max(smallest, abs(score) if score > 1 else smallest) + 1e-15


def test_0_a_half_and_1_stay_what_they_are() -> None:
    edges = np.array([0.0, 0.5, 1.0])
    for step in range(grid.COARSEST + 1):
        assert grid.scores_at(grid.places(edges, step), step).tolist() == [0.0, 0.5, 1.0]


@settings(max_examples=50, deadline=None)
@given(NUMBERS, st.integers(1, 30))
def test_what_is_written_is_read(numbers: list[float], most: int) -> None:
    scores = np.array(numbers)
    found = grid.fitted([levels(scores, scores > 0)], most)[0]

    back = grid.read(grid.written([found], most, 10_000)[0])

    assert found.rows == back.rows == len(numbers)
    assert back.step == found.step
    for name in ("scores", "own", "others"):
        assert getattr(back, name).tolist() == getattr(found, name).tolist()
    assert len(found.scores) <= most or found.step == grid.COARSEST


def test_counts_on_different_grids_are_added_up_on_the_coarser_one() -> None:
    random = np.random.default_rng(0)
    scores = random.random(1000)
    one, other = (levels(part, part > 0.7) for part in (scores[:500], scores[500:]))

    found = grid.added([grid.rounded(one, 3), grid.rounded(other, 15)])

    expected = grid.rounded(levels(scores, scores > 0.7), 15)
    assert found.step == 15
    assert found.scores.tolist() == expected.scores.tolist()
    assert found.own.tolist() == expected.own.tolist()


def test_no_levels_are_written_and_read_too() -> None:
    empty = levels(np.array([]), np.array([], dtype=bool))

    assert grid.read(grid.written([empty], 10, 10)[0]).rows == 0
    assert grid.written([], 10, 10) == []


def test_one_score_alone_is_on_the_finest_grid() -> None:
    found = grid.fitted([levels(np.array([0.3]), np.array([True]))], 1)[0]

    assert found.step == 0
    assert found.scores[0] == pytest.approx(0.3, rel=1e-6)


def test_what_takes_too_many_letters_is_written_on_a_coarser_grid() -> None:
    scores = np.random.default_rng(0).random(2000)
    found = levels(scores, scores > 0.5)

    kept = grid.written([found, found], 10_000, 3_000)

    assert sum(len(part.counts) for part in kept) <= 3_000
    assert kept[0].step == kept[1].step > 0
    finer = grid.written([found, found], 10_000, 100_000)
    assert finer[0].step == 0
    assert grid.read(kept[0]).rows == grid.read(finer[0]).rows == 2000
