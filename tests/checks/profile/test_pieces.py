"""The reference cut into pieces as long as a night."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.checks.profile.pieces import rows_of_pieces, variation

CELLS = 5


def places(pieces: int, rows: int, moved: float, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Places of a column whose first two categories exchange a share that moves from piece to piece."""
    rng = np.random.default_rng(seed)
    even = np.array([0.25, 0.25, 0.25, 0.25, 0.0])
    moves = rng.normal(0, moved, pieces)[:, None] * np.array([1.0, -1, 0, 0, 0])
    return np.array([rng.choice(CELLS, rows, p=even + move) for move in moves]).astype(np.int64)


def test_a_reference_of_fewer_than_eight_nights_has_no_pieces() -> None:
    assert rows_of_pieces(7_999, 1_000).size == 0
    assert rows_of_pieces(8_000, 1_000).shape[0] == 8
    assert rows_of_pieces(1_000, 0).size == 0


@pytest.mark.parametrize(("reference", "production"), [(240, 24), (30_000, 3_000), (10_000_000, 1_000), (8_500, 1_000)])
def test_pieces_are_whole_nights_in_order_and_few_rows_are_looked_at(reference: int, production: int) -> None:
    found = rows_of_pieces(reference, production)
    assert found.size <= 24_000
    assert (np.diff(found.ravel()) > 0).all()
    assert found.min() >= 0
    assert found.max() < reference
    assert (found // production == found[:, :1] // production).all()
    assert np.unique(found[:, 0]).size == len(found)


def test_of_short_nights_every_row_is_looked_at() -> None:
    assert rows_of_pieces(240, 24).ravel().tolist() == list(range(240))


def test_a_reference_without_pieces_says_nothing() -> None:
    assert variation("categorical", np.empty((0, 0), np.int64), CELLS) is None


def test_pieces_that_only_chance_tells_apart_hide_no_change() -> None:
    sure = [variation("categorical", places(20, 400, 0.0, seed), CELLS) for seed in range(40)]
    assert sum(bool(found.variation) for found in sure if found is not None) <= 2


def test_pieces_that_move_say_by_how_much() -> None:
    found = variation("categorical", places(60, 400, 0.06), CELLS)
    assert found is not None
    assert found.count == 60
    assert found.variation["shares"] == pytest.approx(2 * 0.06**2 / 0.25 / 3, rel=0.5)
    assert "missing" not in found.variation
    assert 0.5 < found.lead["shares"] <= 1  # one exchange between two categories is one direction


def test_pieces_that_move_every_way_say_so() -> None:
    rng = np.random.default_rng(0)
    parts = rng.dirichlet(np.full(CELLS, 30.0), 60)
    found = variation("categorical", np.array([rng.choice(CELLS, 400, p=part) for part in parts]), CELLS)
    assert found is not None
    assert found.lead["shares"] < 0.5
