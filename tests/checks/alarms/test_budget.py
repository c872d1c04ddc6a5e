"""Many columns at once: Benjamini and Hochberg's procedure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.alarms.budget import chance_of, level_of

CHANCES = st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=12)
LEVELS = st.floats(1e-4, 0.5)


def rejected(chances: list[float], level: float) -> list[float]:
    """As the paper has it: the largest k with the k-th smallest at most k / m of the level, and all up to it."""
    ordered = sorted(chances)
    for many in range(len(ordered), 0, -1):
        if ordered[many - 1] <= many * level / len(ordered):
            return ordered[:many]
    return []


@given(CHANCES, LEVELS)
def test_columns_are_called_as_the_paper_says(chances: list[float], level: float) -> None:
    found = level_of(chances, level)
    assert sorted(chance for chance in chances if chance <= found) == rejected(chances, level)


@given(CHANCES, LEVELS)
def test_a_night_is_as_rare_as_its_budget_exactly_where_a_column_drifted(chances: list[float], level: float) -> None:
    rare = chance_of(chances)
    if abs(rare - level) > 1e-12:
        assert (rare <= level) == bool(rejected(chances, level))


def test_one_column_alone_has_the_whole_budget() -> None:
    assert level_of([0.5], 0.01) == 0.01
    assert chance_of([0.004]) == 0.004


def test_copies_of_a_column_count_once() -> None:
    assert chance_of([0.004] * 10) == pytest.approx(0.004)


def test_without_columns_nothing_is_rare() -> None:
    assert chance_of([]) == 1.0
    assert level_of([], 0.01) == 0.01
