"""Quantiles out of counts: how near they are to those of the rows, and what they say of a private column."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.publish.facts.quantiles import PARTS, ranks_at, values_at
from pipeline.results import PROFILE_QUANTILES, ColumnProfile, SideProfile
from tests.publish import profiles

Rows = NDArray[np.float64]
CHANCE = np.random.default_rng(11)
SHAPES: dict[str, tuple[Rows, Rows]] = {
    "normal": (CHANCE.normal(40, 10, 20_000), CHANCE.normal(44, 14, 3_000)),
    "heavy-tailed": (CHANCE.standard_t(2, 5_000), CHANCE.standard_t(2, 300) * 3),
    "counts": (CHANCE.poisson(3, 20_000).astype(float), CHANCE.poisson(4, 700).astype(float)),
    "mostly zero": (
        np.where(CHANCE.random(9_000) < 0.7, 0.0, CHANCE.lognormal(0, 1, 9_000)),
        np.where(CHANCE.random(900) < 0.6, 0.0, CHANCE.lognormal(0, 1, 900)),
    ),
    "far away": (CHANCE.normal(0, 1, 4_000), CHANCE.normal(1_000, 1, 400)),
    "a handful": (CHANCE.normal(0, 1, 30), CHANCE.normal(0, 1, 4)),
}


def counted(reference: Rows, production: Rows) -> ColumnProfile:
    """Both in the cells that the reference's quantiles make."""
    steps = np.arange(1, PROFILE_QUANTILES) / PROFILE_QUANTILES
    quantiles = np.quantile(reference, steps, method="inverted_cdf")
    edges = np.unique([np.nextafter(reference.min(), -np.inf), *quantiles, reference.max()])
    sides = {"reference": _side(reference, edges), "production": _side(production, edges)}
    return ColumnProfile(name="x", kind="numerical", edges=tuple(edges.tolist()), **sides)


def _side(rows: Rows, edges: Rows) -> SideProfile:
    cells = np.bincount(np.searchsorted(edges, rows, side="left"), minlength=edges.size + 1)
    return SideProfile(
        rows=rows.size, missing=0, cells=tuple(cells.tolist()), low=float(rows.min()), high=float(rows.max())
    )


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_a_quantile_lies_in_the_cell_of_the_rows_own(shape: str) -> None:
    reference, production = SHAPES[shape]
    column = counted(reference, production)
    for rows, side in ((reference, column.reference), (production, column.production)):
        bounds = np.array([-np.inf, *column.edges, np.inf])
        for told, exact in zip(
            values_at(column, side) or (), np.quantile(rows, PARTS, method="inverted_cdf"), strict=True
        ):
            cell = np.searchsorted(bounds, exact, side="left")
            assert max(bounds[cell - 1], rows.min()) <= told <= min(bounds[cell], rows.max()), (told, exact)


@pytest.mark.parametrize("shape", ["normal", "heavy-tailed", "mostly zero"])
def test_the_references_own_quantiles_are_those_of_its_rows(shape: str) -> None:
    column = counted(*SHAPES[shape])
    own = np.quantile(SHAPES[shape][0], PARTS, method="inverted_cdf")
    assert values_at(column, column.reference) == pytest.approx(own, rel=0.01, abs=0.01)


def test_a_column_of_few_values_has_these_as_quantiles() -> None:
    reference, production = SHAPES["counts"]
    column = counted(reference, production)
    exact = np.quantile(production, PARTS, method="inverted_cdf")
    assert (values_at(column, column.production) or ())[1:4] == pytest.approx(exact[1:4], abs=1e-9)


def test_beyond_the_reference_quantiles_lie_between_the_nights_own_ends() -> None:
    column = counted(*SHAPES["far away"])
    told = values_at(column, column.production) or ()
    assert column.production.low is not None
    assert column.production.high is not None
    assert all(column.edges[-1] < value <= column.production.high for value in told)
    assert list(told) == sorted(told)


def test_without_a_row_or_in_other_cells_there_is_no_quantile() -> None:
    column = profiles.numbers("age")
    empty = column.production.model_copy(update={"cells": (0,) * len(column.production.cells)})
    damaged = column.production.model_copy(update={"cells": (3, 4)})
    for side in (empty, damaged):
        assert values_at(column, side) is None
        assert ranks_at(column, side) is None
    assert values_at(profiles.private(column), column.production) is None


def test_ranks_say_how_far_up_the_reference_a_column_is_and_nothing_of_its_values() -> None:
    column = profiles.private(profiles.numbers("age", 0.5))
    assert ranks_at(column, column.reference) == pytest.approx(PARTS, abs=1e-3)
    ranks = ranks_at(column, column.production)
    assert ranks == pytest.approx((0.126, 0.431, 0.691, 0.88, 0.984), abs=0.01)  # of a normal half a deviation further
    elsewhere = profiles.private(profiles.numbers("age", 0.5, middle=9_000.0))
    assert ranks_at(elsewhere, elsewhere.production) == ranks


def test_ranks_beyond_the_reference_are_none_and_all() -> None:
    column = profiles.numbers("age", 50.0)
    assert ranks_at(column, column.production) == (1.0,) * 5
    column = profiles.numbers("age", -50.0)
    assert ranks_at(column, column.production) == (0.0,) * 5
