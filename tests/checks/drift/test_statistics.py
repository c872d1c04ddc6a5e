"""Hand-computed values, symmetry, and what every distance has in common."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.checks.drift.statistics import (
    METHODS,
    Method,
    NotEvaluable,
    aligned_counts,
    drifted,
    score_categorical,
    score_numerical,
    wasserstein,
)
from pipeline.checks.drift.statistics import numerical as statistics
from pipeline.checks.drift.statistics.binned import without_zeros
from pipeline.checks.drift.statistics.pooled import pooled_runs
from pipeline.checks.drift.statistics.wasserstein import wasserstein_distance
from pipeline.checks.scan import SortedValues, sturges_edges
from tests.checks.drift.summaries import numbers

quick = settings(
    deadline=None, max_examples=40, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
DISTANCES = [name for name, method in METHODS.items() if method.direction == "distance"]
short = st.lists(st.one_of(st.sampled_from([0.0, 1.0, 2.5]), st.floats(-100, 100)), min_size=1, max_size=40)


def ascending(values: list[float]) -> SortedValues:
    return SortedValues(np.sort(np.array(values, float)))


def counts(reference: list[int], production: list[int]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(reference, np.int64), np.array(production, np.int64)


def categorical(method: str, reference: list[int], production: list[int]) -> float:
    return score_categorical(METHODS[method], counts(reference, production)).value


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_wasserstein_is_the_mean_distance_that_rows_of_equal_rank_moved() -> None:
    assert wasserstein_distance(ascending([0, 1, 3]), ascending([5, 6, 8])) == 5.0


def test_wasserstein_of_unequal_sizes_splits_rows() -> None:
    # Each of the two rows is one and a half of the three: 0 goes to 0 and 1, 2 goes to 1 and 2.
    assert wasserstein_distance(ascending([0, 2]), ascending([0, 1, 2])) == pytest.approx(1 / 3)


def test_wasserstein_score_is_in_reference_deviations() -> None:
    score = score_numerical(METHODS["wasserstein"], numbers([0.0, 2.0]), numbers([3.0, 5.0]))
    assert score.value == 3.0
    assert score.error_bound == 0.0


def test_wasserstein_of_a_constant_reference_is_in_thousandths() -> None:
    assert score_numerical(METHODS["wasserstein"], numbers([1.0, 1.0]), numbers([1.5])).value == 500.0


def test_energy_distance_of_two_points() -> None:
    # F - G is 1 on an interval of length 3.
    assert statistics.energy_distance(ascending([1]), ascending([4])) == pytest.approx(math.sqrt(6))


def test_ks_statistic_is_the_largest_gap() -> None:
    assert statistics.ks_statistic(ascending([1, 2, 3, 4]), ascending([3, 4, 5, 6])) == 0.5


def test_t_test_of_two_small_samples() -> None:
    # Means 2 and 4, pooled variance 1, so t = -2 / sqrt(2/3) with four degrees of freedom.
    from scipy.stats import t

    p_value = score_numerical(METHODS["t_test"], numbers([1.0, 2.0, 3.0]), numbers([3.0, 4.0, 5.0])).value
    assert p_value == pytest.approx(2 * t.sf(2 / math.sqrt(2 / 3), 4), rel=1e-12)


def test_jensen_shannon_of_disjoint_categories_is_the_root_of_ln_2() -> None:
    assert categorical("jensenshannon", [10, 0], [0, 7]) == pytest.approx(math.sqrt(math.log(2)))


def test_psi_by_hand() -> None:
    expected = (0.5 - 0.25) * math.log(0.5 / 0.25) + (0.5 - 0.75) * math.log(0.5 / 0.75)
    assert categorical("psi", [50, 50], [25, 75]) == pytest.approx(expected)


def test_kl_div_by_hand() -> None:
    expected = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert categorical("kl_div", [50, 50], [25, 75]) == pytest.approx(expected)


def test_hellinger_by_hand() -> None:
    overlap = math.sqrt(0.5 * 0.25) + math.sqrt(0.5 * 0.75)
    assert categorical("hellinger", [50, 50], [25, 75]) == pytest.approx(math.sqrt(1 - overlap))
    assert categorical("hellinger", [5, 0], [0, 3]) == 1.0


def test_chi_square_by_hand() -> None:
    from scipy.stats import chi2

    assert categorical("chisquare", [50, 50], [40, 60]) == pytest.approx(chi2.sf(4.0, 1))


def test_g_test_scales_the_reference_to_the_size_of_production() -> None:
    assert categorical("g_test", [50, 50], [40, 60]) == pytest.approx(categorical("g_test", [500, 500], [40, 60]))


@pytest.mark.parametrize("method", ["chisquare", "g_test"])
def test_a_category_the_reference_never_had_is_certain_drift(method: str) -> None:
    assert categorical(method, [50, 50, 0], [40, 50, 1]) == 0.0


def test_z_test_by_hand() -> None:
    from scipy.stats import norm

    z = (0.5 - 0.6) / math.sqrt(0.55 * 0.45 * (1 / 100 + 1 / 100))
    assert categorical("z", [50, 50], [40, 60]) == pytest.approx(2 * norm.sf(abs(z)))
    assert categorical("z", [100], [30]) == 1.0


def test_fisher_of_a_tea_tasting() -> None:
    assert categorical("fisher_exact", [3, 1], [1, 3]) == pytest.approx(34 / 70)
    assert categorical("fisher_exact", [4], [9]) == 1.0
    with pytest.raises(NotEvaluable, match="two categories"):
        categorical("fisher_exact", [1, 2, 3], [1, 2, 3])


def test_total_variation_of_equal_and_of_disjoint_columns() -> None:
    assert categorical("TVD", [40, 40], [40, 40]) == 1.0
    assert categorical("TVD", [40, 0], [0, 40]) == 0.0
    assert categorical("TVD", [30, 12], [20, 25]) == categorical("TVD", [30, 12], [20, 25])


def test_zeros_become_small_shares_by_the_rule_of_evidently() -> None:
    assert without_zeros(np.array([0.5, 0.0, 0.5])).tolist() == [0.5, 0.0001, 0.5]
    assert without_zeros(np.array([0.9999, 0.0, 0.0001])).tolist() == [0.9999, 1e-10, 0.0001]


def test_mann_whitney_and_anderson_know_their_limits() -> None:
    same = numbers([2.0] * 30)
    assert score_numerical(METHODS["mannw"], same, same).value == 1.0
    for method in ("anderson", "cramer_von_mises", "es", "t_test"):
        with pytest.raises(NotEvaluable):
            score_numerical(METHODS[method], same, same)
    for method in ("anderson", "cramer_von_mises", "es", "empirical_mmd"):
        with pytest.raises(NotEvaluable, match="at least"):
            score_numerical(METHODS[method], numbers([1.0]), numbers([2.0]))


def test_anderson_stays_within_its_table() -> None:
    rng = np.random.default_rng(0)
    same, far = numbers(rng.normal(size=500)), numbers(rng.normal(9, 1, 500))
    assert score_numerical(METHODS["anderson"], same, same).value == 0.25
    assert score_numerical(METHODS["anderson"], same, far).value == 0.001


def test_maximum_mean_discrepancy_is_refused_where_its_matrices_do_not_fit() -> None:
    column = numbers(np.arange(2500.0))
    with pytest.raises(NotEvaluable, match="4,000"):
        score_numerical(METHODS["empirical_mmd"], column, column)


# -- in general -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", DISTANCES)
@quick
@given(values=short)
def test_a_column_has_no_distance_from_itself(method: str, values: list[float]) -> None:
    column = numbers(values)
    try:
        assert score_numerical(METHODS[method], column, column).value == 0.0
    except NotEvaluable as error:
        assert "narrow" in str(error)


@pytest.mark.parametrize("method", ["jensenshannon", "psi", "hellinger"])
@quick
@given(pairs=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).filter(any), min_size=1, max_size=8))
def test_symmetric_distances_of_categories(method: str, pairs: list[tuple[int, int]]) -> None:
    reference, production = ([pair[side] for pair in pairs] for side in (0, 1))
    if any(reference) and any(production):
        there, back = categorical(method, reference, production), categorical(method, production, reference)
        assert there == pytest.approx(back, rel=1e-12, abs=1e-15)
        assert there >= 0


@quick
@given(first=short, second=short)
def test_wasserstein_and_energy_distance_are_symmetric(first: list[float], second: list[float]) -> None:
    for function in (wasserstein_distance, statistics.energy_distance, statistics.ks_statistic):
        there, back = function(ascending(first), ascending(second)), function(ascending(second), ascending(first))
        assert there == pytest.approx(back, rel=1e-9, abs=1e-12)


@quick
@given(first=short, second=short)
def test_both_computations_of_wasserstein_agree(first: list[float], second: list[float]) -> None:
    def counted(values: list[float]) -> SortedValues:
        return SortedValues(*np.unique(np.array(values) + 0.0, return_counts=True))

    plain = wasserstein_distance(ascending(first), ascending(second))
    weighted = wasserstein_distance(counted(first), counted(second))
    assert weighted == pytest.approx(plain, rel=1e-9, abs=1e-10)


few = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=60)


@quick
@given(
    first=st.one_of(short, few), second=st.one_of(short, few), block=st.integers(1, 7), blocks=st.integers(1, 3),
    steps=st.integers(1, 9),
)  # fmt: skip
def test_wasserstein_does_not_depend_on_the_blocks_it_is_measured_in(
    first: list[float], second: list[float], block: int, blocks: int, steps: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wasserstein, "_SHORTEST_BLOCK", block)
        patch.setattr(wasserstein, "_PIECE", block * blocks)
        patch.setattr(wasserstein, "_STEPS", steps)
        found = wasserstein_distance(ascending(first), ascending(second))
    assert found == pytest.approx(scipy.stats.wasserstein_distance(first, second), rel=1e-9, abs=1e-12)


LONG: dict[str, tuple[int, int, Callable[[np.random.Generator, int, int], np.ndarray]]] = {
    "the same": (98_000, 98_123, lambda rng, side, size: rng.normal(size=size)),
    "moved": (98_000, 98_123, lambda rng, side, size: rng.normal(side, 1, size)),
    "wider": (40_000, 98_123, lambda rng, side, size: rng.normal(0, 1 + side, size)),
    "heavy tails": (60_000, 60_001, lambda rng, side, size: rng.standard_t(2, size)),
    "whole numbers": (29_999, 100_000, lambda rng, side, size: rng.poisson(40 + side, size).astype(float)),
    "a single one": (1, 30_001, lambda rng, side, size: rng.lognormal(size=size)),
    "seconds since 1970": (30_000, 98_000, lambda rng, side, size: 1.7e9 + 3_600 * rng.normal(side / 50, 1, size)),
    "two heaps far apart": (
        98_000,
        98_124,
        lambda rng, side, size: np.repeat([-1e9, 1e9], size // 2) + rng.normal(size=size),
    ),
    "one value": (30_000, 98_000, lambda rng, side, size: np.full(size, 0.1 + side)),
}


@pytest.mark.parametrize("case", LONG.values(), ids=LONG)
@pytest.mark.parametrize("turned", [False, True])
def test_wasserstein_of_long_columns_is_exact(
    case: tuple[int, int, Callable[[np.random.Generator, int, int], np.ndarray]], turned: bool
) -> None:
    """Held against whole numbers of any length, as sums of floats would be no measure."""
    *sizes, draw = case
    first, second = (np.sort(draw(np.random.default_rng(side), side, size)) for side, size in enumerate(sizes))
    sides = (second, first) if turned else (first, second)
    found = wasserstein_distance(*map(SortedValues, sides))
    assert found == pytest.approx(by_whole_numbers(first, second), rel=1e-11, abs=1e-16 * first.std())


def by_whole_numbers(short: np.ndarray, long: np.ndarray) -> float:
    """Every pair of steps, its units as Python counts them, added up without rounding."""
    n, m = short.size, long.size
    below, above, parts, at = 0, 0, [], 0
    while at < n * m:
        end = min((below + 1) * m, (above + 1) * n)
        parts.append((end - at) * abs(float(short[below]) - float(long[above])))
        below, above, at = below + (end == (below + 1) * m), above + (end == (above + 1) * n), end
    return math.fsum(parts) / n / m


@quick
@given(values=short, shift=st.floats(-50, 50), copies=st.integers(1, 4))
def test_moving_all_rows_moves_the_distance_by_as_much(values: list[float], shift: float, copies: int) -> None:
    moved = ascending([value + shift for value in values] * copies)
    assert wasserstein_distance(ascending(values), moved) == pytest.approx(abs(shift), abs=1e-9)


@quick
@given(first=short, second=short, block=st.integers(1, 7))
def test_pooled_runs_cover_every_row_once_whatever_the_block(
    first: list[float], second: list[float], block: int
) -> None:
    runs = list(pooled_runs(ascending(first), ascending(second), block=block))
    values = np.concatenate([run.values for run in runs])
    assert values.tolist() == sorted({value + 0.0 for value in first + second})
    for side, given_values in (("reference", first), ("production", second)):
        rows = np.concatenate([getattr(run, side) for run in runs])
        assert rows.tolist() == [sum(value == item for item in given_values) for value in values]
        before = np.concatenate([getattr(run, f"{side}_before") for run in runs])
        assert before.tolist() == [sum(item < value for item in given_values) for value in values]
    assert all(run.values.size <= 2 * block for run in runs)


@quick
@given(low=st.floats(-1e6, 1e6), span=st.floats(0, 1e6), size=st.integers(1, 10**7), whole=st.booleans())
def test_sturges_edges_are_those_of_numpy(low: float, span: float, size: int, whole: bool) -> None:
    if whole:
        low, span = float(round(low)), float(round(span))
    high = low + span
    values = np.full(min(size, 1000), low)
    values[-1] = high
    given_values = values.astype(np.int64) if whole else values
    if values.size == 1:
        high = low = float(values[0])
    try:
        expected = np.histogram_bin_edges(given_values, "sturges")
    except ValueError:
        with pytest.raises(ValueError, match="narrow"):
            sturges_edges(low, high, values.size, whole=whole)
        return
    assert sturges_edges(low, high, values.size, whole=whole).tolist() == expected.tolist()


def test_ranges_that_cannot_be_binned_are_refused() -> None:
    with pytest.raises(ValueError, match="wide"):
        sturges_edges(-1.7e308, 1.7e308, 100, whole=False)
    with pytest.raises(ValueError, match="narrow"):
        sturges_edges(1.0, np.nextafter(1.0, 2.0), 100, whole=False)


def test_counts_are_aligned_in_the_order_of_the_categories() -> None:
    reference, production = aligned_counts({"b": 2, "a": 1}, {"c": 5, "a": 3})
    assert reference.tolist() == [1, 2, 0]
    assert production.tolist() == [3, 0, 5]


def test_a_high_distance_and_a_low_p_value_mean_drift() -> None:
    assert drifted(METHODS["wasserstein"], 0.2, 0.1)
    assert not drifted(METHODS["wasserstein"], 0.05, 0.1)
    assert drifted(METHODS["ks"], 0.01, 0.05)
    assert not drifted(METHODS["ks"], 0.2, 0.05)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_method_has_what_scores_each_kind_that_it_is_for(method: Method) -> None:
    assert method.kinds
    assert ("categorical" in method.kinds) <= (method.counted is not None)
    assert "numerical" not in method.kinds or any((method.exact, method.sorted, method.counted))
    assert (method.streamed is None) or (method.beyond_budget == "bounded")
