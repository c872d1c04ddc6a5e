"""Every drift method by the name Evidently gives it, with its direction, default threshold and source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.checks.drift.statistics import binned, bounded, bridge, categorical, numerical
from pipeline.checks.drift.statistics.binned import Counts
from pipeline.checks.drift.statistics.epps_singleton import epps_singleton
from pipeline.checks.drift.statistics.score import NotEvaluable, Score
from pipeline.checks.scan import NumericalSummary, SortedValues
from pipeline.results import Direction, Kind

NumericalScore = Callable[[NumericalSummary, NumericalSummary], Score]
CategoricalScore = Callable[[Counts], Score]

# Evidently's rule: tests of significance up to this many reference rows, distances beyond.
_LARGEST_TESTED_REFERENCE = 1_000
# ... and a numerical column of so few distinct values is compared like a category.
FEW_DISTINCT = 5


@dataclass(frozen=True, slots=True)
class Method:
    """One way to compare two columns.

    `kinds` are those a monitor may ask it for; `auto` also uses chisquare and z on numerical columns of few values.
    `strict` says whether a score equal to the threshold still counts as no drift. `beyond_budget` says whether the
    method also works, with a stated bound, on columns too long to hold.
    """

    name: str
    kinds: tuple[Kind, ...]
    direction: Direction
    default_threshold: float
    strict: bool
    beyond_budget: Literal["exact", "bounded", "no"]
    source: str


_BOTH: tuple[Kind, ...] = ("numerical", "categorical")
_NUMERICAL: tuple[Kind, ...] = ("numerical",)
_CATEGORICAL: tuple[Kind, ...] = ("categorical",)

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("wasserstein", _NUMERICAL, "distance", 0.1, False, "bounded", "Vallender 1974, over max(std, 0.001)"),
        Method("ed", _NUMERICAL, "distance", 0.1, True, "bounded", "Szekely 2002"),
        Method("jensenshannon", _BOTH, "distance", 0.1, False, "exact", "Endres & Schindelin 2003"),
        Method("psi", _BOTH, "distance", 0.1, False, "exact", "Siddiqi 2006"),
        Method("kl_div", _BOTH, "distance", 0.1, False, "exact", "Kullback & Leibler 1951"),
        Method("hellinger", _BOTH, "distance", 0.1, False, "no", "Hellinger 1909"),
        Method("ks", _NUMERICAL, "p_value", 0.05, False, "bounded", "Smirnov 1939; Simard & L'Ecuyer 2011"),
        Method("t_test", _NUMERICAL, "p_value", 0.05, True, "exact", "Student 1908"),
        Method("mannw", _NUMERICAL, "p_value", 0.05, True, "bounded", "Mann & Whitney 1947"),
        Method("anderson", _NUMERICAL, "p_value", 0.1, True, "no", "Scholz & Stephens 1987"),
        Method("cramer_von_mises", _NUMERICAL, "p_value", 0.1, False, "no", "Anderson 1962; Csorgo & Faraway 1996"),
        Method("es", _NUMERICAL, "p_value", 0.05, True, "no", "Epps & Singleton 1986"),
        Method("empirical_mmd", _NUMERICAL, "p_value", 0.1, True, "no", "Gretton and others 2012"),
        Method("chisquare", _CATEGORICAL, "p_value", 0.05, True, "exact", "Pearson 1900"),
        Method("z", _CATEGORICAL, "p_value", 0.05, True, "exact", "test of two proportions"),
        Method("fisher_exact", _CATEGORICAL, "p_value", 0.1, True, "exact", "Fisher 1922"),
        Method("g_test", _CATEGORICAL, "p_value", 0.1, True, "exact", "Wilks 1938"),
        Method("TVD", _CATEGORICAL, "p_value", 0.1, True, "exact", "permutation test, seed 0"),
    )
}
ALIASES = {"energy_distance": "ed"}


def get_method(name: str) -> Method:
    """The method of this name or alias.

    Raises:
        KeyError: there is none; the message lists all names.
    """
    try:
        return METHODS[ALIASES.get(name, name)]
    except KeyError:
        raise KeyError(f"unknown drift method {name!r}; known: {', '.join(METHODS)}") from None


def auto_method(kind: Kind, reference_size: int, n_unique: int) -> Method:
    """The method Evidently picks when none is asked for.

    Args:
        kind: how the column is looked at.
        reference_size: non-missing values of the reference.
        n_unique: distinct non-missing values of both sides together; exact up to 6, any larger number beyond.
    """
    if reference_size > _LARGEST_TESTED_REFERENCE:
        few = kind == "categorical" or n_unique <= FEW_DISTINCT
        return METHODS["jensenshannon" if few else "wasserstein"]
    if kind == "numerical" and n_unique > FEW_DISTINCT:
        return METHODS["ks"]
    return METHODS["chisquare" if n_unique > 2 else "z"]


def drifted(method: Method, score: float, threshold: float) -> bool:
    """Whether a score means drift: a distance from the threshold up, a p-value from it down.

    Whether the threshold itself belongs to drift differs from method to method, as it does in Evidently.
    """
    if method.direction == "distance":
        return score > threshold if method.strict else score >= threshold
    return score < threshold if method.strict else score <= threshold


def score_numerical(method: Method, reference: NumericalSummary, production: NumericalSummary) -> Score:
    """The score of two non-empty numerical columns without infinite values.

    Raises:
        NotEvaluable: the method has no meaning for these values, or needs all of them and they do not fit the budget.
    """
    if not (reference.exact and production.exact) and method.name in _STREAMED:
        return _STREAMED[method.name](reference, production)
    if method.name in _EXACT:
        return Score(_EXACT[method.name](reference, production))
    if method.name in _SORTED:
        return Score(_SORTED[method.name](_held(reference), _held(production)))
    # chisquare and z come here by `auto` alone, for columns of few distinct values.
    counted = binned.distinct_counts if method.kinds == _CATEGORICAL else binned.binned_counts
    return score_categorical(method, counted(reference, production))


def score_categorical(method: Method, counts: Counts) -> Score:
    """The score of two rows of category counts, both non-empty, categories in ascending order.

    Raises:
        NotEvaluable: the method has no meaning for these counts.
    """
    return Score(_COUNTED[method.name](counts))


def _held(summary: NumericalSummary) -> SortedValues:
    if not isinstance(summary.distribution, SortedValues):
        raise NotEvaluable("this method needs every value, and the column is too long for the memory budget")
    return summary.distribution


def _wasserstein(reference: NumericalSummary, production: NumericalSummary) -> float:
    return numerical.normed(numerical.wasserstein_distance(_held(reference), _held(production)), reference.moments)


_EXACT: dict[str, Callable[[NumericalSummary, NumericalSummary], float]] = {
    "wasserstein": _wasserstein,
    "t_test": lambda reference, production: numerical.t_test(reference.moments, production.moments),
    "hellinger": lambda reference, production: binned.hellinger(binned.hellinger_counts(reference, production)),
}
_SORTED: dict[str, Callable[[SortedValues, SortedValues], float]] = {
    "ed": numerical.energy_distance,
    "ks": numerical.ks,
    "mannw": numerical.mann_whitney,
    "anderson": numerical.anderson_darling,
    "cramer_von_mises": numerical.cramer_von_mises,
    "es": epps_singleton,
    "empirical_mmd": bridge.empirical_mmd,
}
_STREAMED: dict[str, NumericalScore] = {
    "wasserstein": bounded.wasserstein,
    "ed": bounded.energy_distance,
    "ks": bounded.ks,
    "mannw": bounded.mann_whitney,
}
_COUNTED: dict[str, Callable[[Counts], float]] = {
    "jensenshannon": binned.jensen_shannon,
    "psi": binned.population_stability_index,
    "kl_div": binned.kullback_leibler,
    "hellinger": binned.hellinger,
    "chisquare": categorical.chi_square,
    "z": categorical.z_test,
    "fisher_exact": categorical.fisher_exact,
    "g_test": categorical.g_test,
    "TVD": categorical.total_variation,
}
