"""`min_rows`: nights drawn from the reference go over the limit by chance, unless they have as many rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.authoring.evidence import Evidence, gather
from pipeline.authoring.quiet import _columns, least_rows, shares_of_draws
from pipeline.checks.quality import Limits
from pipeline.results import Kind
from tests.authoring.shapes import ORDERS

KINDS: dict[str, Kind] = {
    "amount": "numerical",
    "weight": "numerical",
    "residual": "numerical",
    "country": "categorical",
}


def evidence(tmp_path: Path, rows: int) -> Evidence:
    path = tmp_path / f"{rows}.parquet"
    ORDERS.reference().head(rows).to_parquet(path)
    return gather([path], Limits(threads=1))


def over(found: Evidence, size: int, draws: int = 100) -> float:
    columns, random = _columns(found, KINDS), np.random.default_rng(7)
    return sum(share > 0.3 for share in shares_of_draws(columns, size, draws, random)) / draws


def test_nights_of_fewer_rows_would_ask_for_retraining_by_chance(tmp_path: Path) -> None:
    found = evidence(tmp_path, 8_000)
    least = least_rows(found, KINDS)
    assert least is not None
    assert 100 <= least <= 700
    assert over(found, 20) > 0.5
    assert over(found, least) <= 0.03


@pytest.mark.parametrize(("rows", "kinds", "least"), [(8_000, {}, 0), (0, KINDS, 0)])
def test_where_nothing_is_compared_nothing_is_asked(
    tmp_path: Path, rows: int, kinds: dict[str, Kind], least: int
) -> None:
    assert least_rows(evidence(tmp_path, rows), kinds) == least
    assert least_rows(evidence(tmp_path, rows), kinds) == least_rows(evidence(tmp_path, rows), kinds)


def test_of_two_columns_by_p_values_no_size_is_enough(tmp_path: Path) -> None:
    assert least_rows(evidence(tmp_path, 900), {"amount": "numerical", "weight": "numerical"}) is None
