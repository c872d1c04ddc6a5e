"""Every method gives Evidently's score and verdict, on data of every kind people have."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipeline.checks.drift.compare_column import compare_column
from pipeline.checks.drift.statistics import METHODS, auto_method, drifted
from pipeline.checks.scan import CategoricalSummary, NumericalSummary
from tests.checks.drift.summaries import Values, categories, evidently, numbers

quick = settings(
    deadline=None, max_examples=30, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)

# Both of these are the root of a difference that cancels: near zero, Evidently's own digits are noise of about 1e-8,
# more where its Hellinger distance divides by bin widths that are differences of large edges.
_ROOTS = {"jensenshannon": 1e-14, "hellinger": 1e-11}
# p-values that are one minus a number near one carry no more than 16 digits after the point.
_COMPLEMENTS = {"cramer_von_mises", "z", "ks"}


@pytest.fixture(scope="module", autouse=True)
def _evidently_imported() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import evidently.legacy.calculations.stattests  # noqa: F401


def normal(rng: np.random.Generator, size: int, shift: float) -> Values:
    return rng.normal(shift, 1, size)


def shifted_far(rng: np.random.Generator, size: int, shift: float) -> Values:
    return rng.normal(1e4 + 3 * shift, 2 + shift, size)


def heavy(rng: np.random.Generator, size: int, shift: float) -> Values:
    return np.asarray(rng.standard_t(2, size) * np.exp(shift) + shift)


def tied(rng: np.random.Generator, size: int, shift: float) -> Values:
    return np.asarray(np.round(rng.normal(shift, 3, size), 1))


def integers(rng: np.random.Generator, size: int, shift: float) -> Values:
    return rng.integers(0, 60, size) + round(4 * shift)


def few_integers(rng: np.random.Generator, size: int, shift: float) -> Values:
    return np.asarray(rng.binomial(8, min(0.9, 0.4 + shift / 5), size))


def mostly_zero(rng: np.random.Generator, size: int, shift: float) -> Values:
    return np.asarray(rng.exponential(1 + shift, size) * (rng.random(size) < 0.3))


SHAPES = [normal, shifted_far, heavy, tied, integers, few_integers, mostly_zero]
sizes = st.integers(900, 1200)
seeds = st.integers(0, 2**32 - 1)
shifts = st.sampled_from([0.0, 0.02, 0.1, 0.5, 2.0])


@dataclass(frozen=True)
class Numbers:
    """How to generate two numerical columns: what hypothesis prints when a test fails."""

    seed: int
    shape: Callable[[np.random.Generator, int, float], Values]
    sizes: tuple[int, int]
    shift: float

    @property
    def columns(self) -> tuple[Values, Values]:
        rng = np.random.default_rng(self.seed)
        return self.shape(rng, self.sizes[0], 0.0), self.shape(rng, self.sizes[1], self.shift)


pairs_of_sizes = st.one_of(sizes.map(lambda size: (size, size)), st.tuples(sizes, sizes))
two_columns = st.builds(Numbers, seeds, st.sampled_from(SHAPES), pairs_of_sizes, shifts)


def assert_same(method: str, ours: float, theirs: float) -> None:
    if method in _ROOTS:
        assert ours**2 == pytest.approx(theirs**2, rel=1e-9, abs=_ROOTS[method])
    else:
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-13 if method in _COMPLEMENTS else 1e-300)


def check(method: str, first: Any, second: Any, reference: Any, production: Any, kind: str) -> None:
    """Both score and verdict of `compare_column` are those of Evidently."""
    score, verdict = evidently(method, first, second, kind)
    compared = compare_column(reference, production, "numerical" if kind == "num" else "categorical", method=method)
    assert compared.status == "evaluated", compared.reason
    assert compared.score is not None
    assert compared.error_bound == 0.0
    assert_same(str(compared.method), compared.score, score)
    threshold = METHODS[str(compared.method)].default_threshold
    if not math.isclose(score, threshold, rel_tol=1e-9):
        assert compared.drifted == verdict


NUMERICAL = [name for name, method in METHODS.items() if "numerical" in method.kinds and name != "empirical_mmd"]


@pytest.mark.parametrize("method", NUMERICAL)
@quick
@given(drawn=two_columns)
def test_numerical_methods_give_the_scores_of_evidently(method: str, drawn: Numbers) -> None:
    first, second = drawn.columns
    if method == "es":
        quartiles = np.percentile(np.concatenate([first, second]), [25, 75])
        assume(quartiles[0] != quartiles[1])
    check(method, first, second, numbers(first), numbers(second), "num")


@quick
@given(drawn=two_columns, nulls=st.floats(0, 0.5), seed=seeds)
def test_nulls_are_left_out_as_evidently_leaves_them_out(drawn: Numbers, nulls: float, seed: int) -> None:
    rng, columns = np.random.default_rng(seed), drawn.columns
    kept = [column[rng.random(column.size) >= nulls] for column in columns]
    holed = [np.where(rng.random(column.size) < nulls, np.nan, column) for column in columns]
    for first, second in (kept, holed):
        present = [side[~np.isnan(side.astype(float))] for side in (first, second)]
        for method in ("wasserstein", "jensenshannon", "psi"):
            check(method, first, second, numbers(present[0]), numbers(present[1]), "num")


@pytest.mark.parametrize("size", [200, 1000, 1001, 1500])
@quick
@given(seed=seeds, distinct=st.integers(1, 12), shift=st.integers(0, 3))
def test_auto_picks_what_evidently_picks_for_numbers(size: int, seed: int, distinct: int, shift: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, distinct, size), rng.integers(0, distinct, size // 2) + shift
    check("auto", first, second, numbers(first), numbers(second), "num")


@pytest.mark.parametrize("size", [200, 1000, 1001, 1500])
@quick
@given(seed=seeds, distinct=st.integers(1, 12), shift=st.integers(0, 3))
def test_auto_picks_what_evidently_picks_for_categories(size: int, seed: int, distinct: int, shift: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.array([f"label {n:02d}" for n in range(distinct + shift)])
    first, second = labels[rng.integers(0, distinct, size)], labels[rng.integers(0, distinct, size // 2) + shift]
    check("auto", first, second, categories(first), categories(second), "cat")


def test_auto_follows_the_rule_by_name_and_size() -> None:
    chosen = {
        (kind, rows, unique): auto_method(kind, rows, unique).name
        for kind in ("numerical", "categorical")
        for rows in (1000, 1001)
        for unique in (1, 2, 3, 5, 6)
    }
    assert chosen == {
        ("numerical", 1000, 1): "z",
        ("numerical", 1000, 2): "z",
        ("numerical", 1000, 3): "chisquare",
        ("numerical", 1000, 5): "chisquare",
        ("numerical", 1000, 6): "ks",
        ("numerical", 1001, 1): "jensenshannon",
        ("numerical", 1001, 2): "jensenshannon",
        ("numerical", 1001, 3): "jensenshannon",
        ("numerical", 1001, 5): "jensenshannon",
        ("numerical", 1001, 6): "wasserstein",
        ("categorical", 1000, 1): "z",
        ("categorical", 1000, 2): "z",
        ("categorical", 1000, 3): "chisquare",
        ("categorical", 1000, 5): "chisquare",
        ("categorical", 1000, 6): "chisquare",
        ("categorical", 1001, 1): "jensenshannon",
        ("categorical", 1001, 2): "jensenshannon",
        ("categorical", 1001, 3): "jensenshannon",
        ("categorical", 1001, 5): "jensenshannon",
        ("categorical", 1001, 6): "jensenshannon",
    }


@dataclass(frozen=True)
class Labels:
    """How to generate two categorical columns, with skewed frequencies and labels that only one side has."""

    seed: int
    pool: str
    count: int
    skew: float
    sizes: tuple[int, int]
    changed: bool

    @property
    def columns(self) -> tuple[Values, Values]:
        rng = np.random.default_rng(self.seed)
        labels: Values = {
            "text": np.array([f"category {n}" for n in range(self.count)]),
            "numbers": np.arange(self.count) * 7,
            "booleans": np.array([False, True]),
        }[self.pool]
        weights = rng.dirichlet(np.full(labels.size, self.skew), 2)
        first = rng.choice(labels, self.sizes[0], p=weights[0])
        return first, rng.choice(labels, self.sizes[1], p=weights[int(self.changed)])


skews = st.sampled_from([0.2, 1.0, 20.0])
two_labelled = st.builds(
    Labels, seeds, st.sampled_from(["text", "numbers", "booleans"]), st.integers(2, 40), skews, pairs_of_sizes,
    st.booleans(),
)  # fmt: skip
same_sizes = sizes.map(lambda size: (size, size))
two_labelled_alike = st.builds(
    Labels, seeds, st.sampled_from(["text", "booleans"]), st.integers(2, 9), skews, same_sizes, st.booleans()
)
two_binary_alike = st.builds(Labels, seeds, st.just("text"), st.just(2), skews, same_sizes, st.booleans())


@pytest.mark.parametrize("method", ["jensenshannon", "psi", "kl_div", "hellinger", "chisquare", "z"])
@quick
@given(drawn=two_labelled)
def test_categorical_methods_give_the_scores_of_evidently(method: str, drawn: Labels) -> None:
    first, second = drawn.columns
    assume(method != "chisquare" or np.unique(np.concatenate([first, second])).size > 1)
    check(method, first, second, categories(first), categories(second), "cat")


@quick
@given(drawn=two_labelled_alike)
def test_g_test_gives_the_score_of_evidently_where_evidently_has_one(drawn: Labels) -> None:
    first, second = drawn.columns
    assume(np.unique(np.concatenate([first, second])).size > 1)
    check("g_test", first, second, categories(first), categories(second), "cat")


@quick
@given(drawn=two_binary_alike)
def test_fisher_gives_the_score_of_evidently_where_evidently_has_one(drawn: Labels) -> None:
    first, second = drawn.columns
    check("fisher_exact", first, second, categories(first), categories(second), "cat")


@settings(quick, max_examples=3)
@given(seed=seeds, shift=st.sampled_from([0.0, 0.05, 0.2]))
def test_total_variation_agrees_with_evidently_to_the_noise_of_a_thousand_permutations(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.choice(3, 60, p=[0.5, 0.3, 0.2]), rng.choice(3, 50, p=[0.5 - shift, 0.3, 0.2 + shift])
    theirs, _ = evidently("TVD", first, second, "cat")
    ours = compare_column(categories(first), categories(second), "categorical", method="TVD").score
    assert ours is not None
    # Two estimates of one share from 1,000 draws each: five standard deviations of their difference.
    assert abs(ours - theirs) <= 5 * math.sqrt(2 * 0.25 / 1000)


@settings(quick, max_examples=3)
@given(seed=seeds)
def test_maximum_mean_discrepancy_is_the_function_of_evidently_on_ascending_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = np.sort(rng.normal(0, 1, 40)), np.sort(rng.normal(0.4, 1, 50))
    check("empirical_mmd", first, second, numbers(first), numbers(second), "num")


@pytest.mark.parametrize("method", ["ks", "mannw", "cramer_von_mises", "anderson", "t_test", "wasserstein", "ed"])
@quick
@given(seed=seeds, first=st.integers(4, 30), second=st.integers(21, 40))
def test_small_samples_take_the_same_exact_paths(method: str, seed: int, first: int, second: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.normal(size=first), rng.normal(0.3, 1, size=second)
    check(method, before, after, numbers(before), numbers(after), "num")


@pytest.mark.parametrize("method", ["ks", "mannw", "cramer_von_mises", "wasserstein", "ed", "anderson", "es"])
def test_sizes_beyond_one_block_and_beyond_exact_p_values(method: str) -> None:
    rng = np.random.default_rng(5)
    before, after = np.round(rng.normal(size=150_000), 3), np.round(rng.normal(0.002, 1, 90_001), 3)
    check(method, before, after, numbers(before), numbers(after), "num")


CONSTANTS: list[tuple[list[float], list[float]]] = [
    ([3.0] * 1000, [3.0] * 900),
    ([3.0] * 1000, [4.0] * 900),
    ([0.1] * 1500, [0.1] * 1500),
    ([0.0] * 1200, [0.0] * 1199 + [1.0]),
]


@pytest.mark.parametrize("columns", CONSTANTS)
@pytest.mark.parametrize("method", NUMERICAL)
def test_constant_columns_follow_evidently_or_say_why_not(
    method: str, columns: tuple[list[float], list[float]]
) -> None:
    first, second = columns
    compared = compare_column(numbers(first), numbers(second), "numerical", method=method)
    if compared.status == "not_evaluable":
        assert compared.reason
        assert method in ("t_test", "anderson", "cramer_von_mises", "es")
        return
    check(method, first, second, numbers(first), numbers(second), "num")


def test_registry_names_thresholds_and_kinds_are_those_of_evidently() -> None:
    from evidently.legacy.calculations.stattests.registry import _registered_stat_tests
    from evidently.legacy.core import ColumnType

    kinds = {ColumnType.Numerical: "numerical", ColumnType.Categorical: "categorical"}
    theirs = {
        name: (next(iter(tests.values())).default_threshold, {kinds[kind] for kind in tests if kind in kinds})
        for name, tests in _registered_stat_tests.items()
        if set(tests) & set(kinds)
    }
    ours = {name: (method.default_threshold, set(method.kinds)) for name, method in METHODS.items()}
    assert ours == theirs


class _Exactly:
    """Stands in for every computation, so that the score falls on the threshold."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self.value


@pytest.mark.parametrize(
    ("method", "module", "function", "result"),
    [
        ("wasserstein", "wasserstein_distance_norm", "stats.wasserstein_distance", lambda t: t * 0.5),
        ("jensenshannon", "jensenshannon", "distance.jensenshannon", lambda t: t),
        ("kl_div", "kl_div", "stats.entropy", lambda t: t),
        ("ed", "energy_distance", "energy_distance", lambda t: t),
        ("ks", "ks_stattest", "ks_2samp", lambda t: (0, t)),
        ("t_test", "t_test", "ttest_ind", lambda t: (0, t)),
        ("mannw", "mann_whitney_urank_stattest", "mannwhitneyu", lambda t: (0, t)),
        ("es", "epps_singleton_stattest", "epps_singleton_2samp", lambda t: (0, t)),
        ("anderson", "anderson_darling_stattest", "anderson_ksamp", lambda t: (0, 0, t)),
        ("chisquare", "chisquare_stattest", "chisquare", lambda t: (0, t)),
        ("g_test", "g_stattest", "power_divergence", lambda t: (0, t)),
        ("z", "z_stattest", "proportions_diff_z_test", lambda t: t),
        ("fisher_exact", "fisher_exact_stattest", "fisher_exact", lambda t: (0, t)),
        ("TVD", "tvd_stattest", "permutation_test", lambda t: t),
        ("empirical_mmd", "mmd_stattest", "mmd_pval", lambda t: (t, 0)),
        ("psi", "psi", "np.sum", lambda t: t),
    ],
)
def test_a_score_on_the_threshold_is_judged_as_evidently_judges_it(
    method: str, module: str, function: str, result: Callable[[float], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    import evidently.legacy.calculations.stattests as stattests

    target = importlib.import_module(f"{stattests.__name__}.{module}")
    threshold = METHODS[method].default_threshold
    values = [0.0, 1.0] * 20  # of deviation 0.5
    kind = "num" if "numerical" in METHODS[method].kinds else "cat"
    owner, _, name = function.rpartition(".")
    if owner:
        # Only this module's view of the library is replaced, not the library.
        from types import SimpleNamespace

        real = getattr(target, owner)
        names = {key: getattr(real, key) for key in dir(real) if not key.startswith("__")}
        monkeypatch.setattr(target, owner, SimpleNamespace(**{**names, name: _Exactly(result(threshold))}))
    else:
        monkeypatch.setattr(target, name, _Exactly(result(threshold)))
    score, verdict = evidently(method, values, values, kind)
    assert score == threshold
    assert drifted(METHODS[method], threshold, threshold) == verdict


def test_hellinger_and_the_cramer_von_mises_count_the_threshold_as_drift() -> None:
    # Their sources read `>= threshold` and `<= threshold`; they have no single call to stand in for.
    assert drifted(METHODS["hellinger"], 0.1, 0.1)
    assert drifted(METHODS["cramer_von_mises"], 0.1, 0.1)


def test_summaries_of_this_module_are_what_the_code_under_test_takes() -> None:
    assert isinstance(numbers([1.0]), NumericalSummary)
    assert isinstance(categories(["a"]), CategoricalSummary)
