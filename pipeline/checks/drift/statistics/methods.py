"""Every drift method by the name Evidently gives it: one row says how it is judged and what computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.checks.drift.statistics import binned, bounded, bridge, categorical, numerical
from pipeline.checks.drift.statistics.binned import Counts
from pipeline.checks.drift.statistics.epps_singleton import epps_singleton
from pipeline.checks.drift.statistics.score import NotEvaluable, Score
from pipeline.checks.drift.statistics.wasserstein import wasserstein_distance
from pipeline.checks.scan import FloatArray, NumericalSummary, SortedValues
from pipeline.results import Direction, Kind

# Evidently's rule: tests of significance up to this many reference rows, distances beyond.
_LARGEST_TESTED_REFERENCE = 1_000
# ... and a numerical column of so few distinct values is compared like a category.
FEW_DISTINCT = 5


@dataclass(frozen=True, slots=True)
class Method:
    """One way to compare two columns: how it is judged, and what computes it.

    `kinds` are those a monitor may ask it for; `auto` also uses chisquare and z on numerical columns of few values.
    `strict` says whether a score equal to the threshold still counts as no drift.

    A numerical column is scored by the first that the method has of `streamed` (with a bound, where a side is too long
    to hold), `exact` (from the two summaries), `sorted` (from every value of both sides) and `counted` (from the rows
    of both sides in each of the `bins`); a categorical one by `counted`, from the rows in each category.
    """

    name: str
    kinds: tuple[Kind, ...]
    direction: Direction
    default_threshold: float
    strict: bool
    exact: Callable[[NumericalSummary, NumericalSummary], float] | None = None
    sorted: Callable[[SortedValues, SortedValues], float] | None = None
    streamed: Callable[[NumericalSummary, NumericalSummary], Score] | None = None
    counted: Callable[[Counts], float | FloatArray] | None = None
    bins: Callable[[NumericalSummary, NumericalSummary], Counts] = binned.distinct_counts

    @property
    def beyond_budget(self) -> Literal["exact", "bounded", "no"]:
        """Whether the method also works, exactly or with a stated bound, on numerical columns too long to hold."""
        if self.streamed is not None:
            return "bounded"
        needs_every_value = self.sorted is not None or self.bins is binned.hellinger_counts
        return "no" if needs_every_value else "exact"


def _held(summary: NumericalSummary) -> SortedValues:
    if not isinstance(summary.distribution, SortedValues):
        raise NotEvaluable("this method needs every value, and the column is too long for the memory budget")
    return summary.distribution


def _wasserstein(reference: NumericalSummary, production: NumericalSummary) -> float:
    return numerical.normed(wasserstein_distance(_held(reference), _held(production)), reference.moments)


def _t_test(reference: NumericalSummary, production: NumericalSummary) -> float:
    return numerical.t_test(reference.moments, production.moments)


_BOTH: tuple[Kind, ...] = ("numerical", "categorical")
_NUMERICAL: tuple[Kind, ...] = ("numerical",)
_CATEGORICAL: tuple[Kind, ...] = ("categorical",)

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("wasserstein", _NUMERICAL, "distance", 0.1, False, exact=_wasserstein, streamed=bounded.wasserstein),
        Method(
            "ed", _NUMERICAL, "distance", 0.1, True, sorted=numerical.energy_distance, streamed=bounded.energy_distance
        ),
        Method(
            "jensenshannon", _BOTH, "distance", 0.1, False, counted=binned.jensen_shannon, bins=binned.binned_counts
        ),
        Method(
            "psi", _BOTH, "distance", 0.1, False, counted=binned.population_stability_index, bins=binned.binned_counts
        ),
        Method("kl_div", _BOTH, "distance", 0.1, False, counted=binned.kullback_leibler, bins=binned.binned_counts),
        Method("hellinger", _BOTH, "distance", 0.1, False, counted=binned.hellinger, bins=binned.hellinger_counts),
        Method("ks", _NUMERICAL, "p_value", 0.05, False, sorted=numerical.ks, streamed=bounded.ks),
        Method("t_test", _NUMERICAL, "p_value", 0.05, True, exact=_t_test),
        Method(
            "mannw", _NUMERICAL, "p_value", 0.05, True, sorted=numerical.mann_whitney, streamed=bounded.mann_whitney
        ),
        Method("anderson", _NUMERICAL, "p_value", 0.1, True, sorted=numerical.anderson_darling),
        Method("cramer_von_mises", _NUMERICAL, "p_value", 0.1, False, sorted=numerical.cramer_von_mises),
        Method("es", _NUMERICAL, "p_value", 0.05, True, sorted=epps_singleton),
        Method("empirical_mmd", _NUMERICAL, "p_value", 0.1, True, sorted=bridge.empirical_mmd),
        Method("chisquare", _CATEGORICAL, "p_value", 0.05, True, counted=categorical.chi_square),
        Method("z", _CATEGORICAL, "p_value", 0.05, True, counted=categorical.z_test),
        Method("fisher_exact", _CATEGORICAL, "p_value", 0.1, True, counted=categorical.fisher_exact),
        Method("g_test", _CATEGORICAL, "p_value", 0.1, True, counted=categorical.g_test),
        Method("TVD", _CATEGORICAL, "p_value", 0.1, True, counted=categorical.total_variation),
    )
}


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
    if method.streamed is not None and not (reference.exact and production.exact):
        return method.streamed(reference, production)
    if method.exact is not None:
        return Score(method.exact(reference, production))
    if method.sorted is not None:
        return Score(method.sorted(_held(reference), _held(production)))
    return score_categorical(method, method.bins(reference, production))


def score_categorical(method: Method, counts: Counts) -> Score:
    """The score of two rows of counts, both non-empty, categories or bins in ascending order.

    Raises:
        NotEvaluable: the method has no meaning for these counts, or for counts at all.
    """
    if method.counted is None:
        raise NotEvaluable(f"method {method.name} is not for counts")
    return Score(float(method.counted(counts)))
