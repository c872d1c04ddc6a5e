"""A handful of production values: past a threshold only where unchanged data would hardly ever come so far."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.checks.drift.compare_column import compare_column
from pipeline.checks.drift.statistics import METHODS
from pipeline.results import ColumnDrift, DriftResult, Kind
from tests.checks.drift.summaries import categories, numbers

RANDOM = np.random.default_rng(5)
REFERENCE = RANDOM.lognormal(0, 1, 2_000)
PARTS = [0.4, 0.3, 0.2, 0.1]
LETTERS = RANDOM.choice(list("abcd"), 2_000, p=PARTS)
BINARY = RANDOM.choice(list("ab"), 2_000, p=[0.6, 0.4])


def compared(values: np.ndarray, kind: Kind, method: str, reference: np.ndarray | None = None) -> ColumnDrift:
    if kind == "numerical":
        return compare_column(numbers(REFERENCE), numbers(values), kind, method=method)
    return compare_column(
        categories(LETTERS if reference is None else reference), categories(values), kind, method=method
    )


def methods(kind: Kind) -> list[str]:
    return [name for name, method in METHODS.items() if kind in method.kinds]


@pytest.mark.parametrize("value", [1e6, -5.0, float(np.median(REFERENCE))])
@pytest.mark.parametrize("method", ["auto", *methods("numerical")])
def test_one_number_is_never_drift(method: str, value: float) -> None:
    found = compared(np.array([value]), "numerical", method)
    assert not found.drifted
    assert found.status == "evaluated" or found.score is None


@pytest.mark.parametrize("value", ["d", "never seen"])
@pytest.mark.parametrize("method", ["auto", *methods("categorical")])
@pytest.mark.parametrize("reference", [LETTERS, BINARY], ids=["four", "two"])
def test_one_category_is_never_drift(method: str, value: str, reference: np.ndarray) -> None:
    assert not compared(np.array([value]), "categorical", method, reference).drifted


def test_what_is_left_out_says_how_many_values_there_are() -> None:
    found = compared(RANDOM.lognormal(0, 1, 3), "numerical", "wasserstein")
    assert (found.status, found.score, found.few) == ("not_evaluable", None, 3)
    assert (found.method, found.threshold) == ("wasserstein", 0.1)
    assert found.reason == "3 values in production cannot be told from chance"


@pytest.mark.parametrize("method", ["wasserstein", "jensenshannon", "psi", "ks", "anderson", "ed"])
def test_unchanged_numbers_hardly_ever_drift(method: str) -> None:
    random = np.random.default_rng(1)
    nights = [random.lognormal(0, 1, size) for size in (2, 3, 5, 9) for _ in range(60)]
    assert sum(compared(night, "numerical", method).drifted for night in nights) <= 2


@pytest.mark.parametrize("method", ["jensenshannon", "psi", "hellinger", "chisquare", "g_test"])
def test_unchanged_categories_hardly_ever_drift(method: str) -> None:
    random = np.random.default_rng(2)
    nights = [random.choice(list("abcd"), size, p=PARTS) for size in (2, 3, 5, 9) for _ in range(60)]
    assert sum(compared(night, "categorical", method).drifted for night in nights) <= 2


@pytest.mark.parametrize("method", ["wasserstein", "jensenshannon", "ks"])
def test_a_change_that_chance_hardly_ever_makes_is_drift_in_nine_values(method: str) -> None:
    found = compared(1_000 + RANDOM.lognormal(0, 1, 9), "numerical", method)
    assert (found.drifted, found.few) == (True, None)


def test_from_ten_values_on_a_threshold_is_a_threshold() -> None:
    assert compared(RANDOM.lognormal(0, 1, 10), "numerical", "wasserstein").status == "evaluated"


def result(*columns: ColumnDrift) -> DriftResult:
    return DriftResult(snapshots="s", drift_share=0.0, limit=0.3, drifted=False, columns=columns)


def test_a_night_of_nothing_but_handfuls_has_too_few_rows() -> None:
    few = [compared(RANDOM.lognormal(0, 1, size), "numerical", "wasserstein") for size in (3, 2)]
    assert result(*few).few_rows == (3, 1, 10)
    told = compared(REFERENCE[:50], "numerical", "ks")
    assert result(*few, told).few_rows is None
    assert result().few_rows is None
