"""Thresholds and limits that nights choose keep the wanted rate on nights that did not choose them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.checks.backtest.fitted import Column, Scores, chance_of, fitted_limit, fitted_thresholds, unlikely

FLOATS = npt.NDArray[np.float64]
NAMES = ("a", "b", "c", "d", "e", "f")
DISTANCES = [Column(name, "wasserstein", 0.1) for name in NAMES]
TESTS = [Column(name, "ks", 0.05) for name in NAMES]


def scores(columns: list[Column], found: FLOATS) -> Scores:
    return Scores(columns, found, np.full(found.shape, 1 / len(columns)))


def nights(many: int, seed: int) -> FLOATS:
    """Distances that are too large by far for the threshold, half of them moving together from night to night."""
    random = np.random.default_rng(seed)
    together = random.lognormal(0, 0.5, (many, 1))
    return np.asarray(random.lognormal(-1.5, 0.5, (many, 6)) * np.where(np.arange(6) < 3, together, 1.0))


def thresholds(columns: list[Column], chosen: dict[str, float]) -> list[float]:
    return [chosen.get(column.name, column.threshold) for column in columns]


@pytest.mark.parametrize("looser", [False, True])
@pytest.mark.parametrize(("many", "rate"), [(19, 0.05), (45, 0.05), (30, 0.2)])
def test_thresholds_keep_the_rate_on_nights_to_come(many: int, rate: float, looser: bool) -> None:
    alarms = trials = 0
    for seed in range(400):
        found = nights(many + 5, seed)
        fitted = fitted_thresholds(scores(DISTANCES, found[:many]), 0.3, rate, looser=looser)
        assert fitted is not None
        assert fitted.chance <= rate
        chosen = thresholds(DISTANCES, fitted.thresholds)
        before, after = (scores(DISTANCES, part) for part in (found[:many], found[many:]))
        assert chance_of(before.alarms(before.past(chosen), 0.3), many) <= rate
        alarms += after.alarms(after.past(chosen), 0.3)
        trials += 5
    assert not unlikely(alarms, trials, rate)
    assert alarms > 0  # it is no rule that never fires


def test_a_limit_keeps_the_rate_on_nights_to_come() -> None:
    columns = [Column(str(place), "wasserstein", 0.1) for place in range(20)]
    found, alarms = np.random.default_rng(1).lognormal(-2.5, 0.4, (200, 60, 20)), 0
    for part in found:
        fitted = fitted_limit(scores(columns, part[:19]), 0.3, 0.05)
        if fitted is not None and fitted.limit is not None:
            assert fitted.limit > 0.3
            rest = scores(columns, part[19:])
            alarms += rest.alarms(rest.past([0.1] * 20), fitted.limit)
    assert alarms > 0
    assert not unlikely(alarms, 200 * 41, 0.05)


def test_too_few_nights_choose_nothing() -> None:
    found = scores(DISTANCES, nights(18, 0))
    assert fitted_thresholds(found, 0.3, 0.05) is None
    assert fitted_limit(found, 0.3, 0.05) is None


def test_a_column_that_keeps_its_threshold_is_not_named() -> None:
    found = nights(60, 0) * np.array([1, 1, 1, 1, 0.01, 0.01])
    fitted = fitted_thresholds(scores(DISTANCES, found), 0.3, 0.05)
    assert fitted is not None
    assert set(fitted.thresholds) == {"a", "b", "c", "d"}
    assert all(threshold > 0.1 for threshold in fitted.thresholds.values())
    looser = fitted_thresholds(scores(DISTANCES, found), 0.3, 0.05, looser=True)
    assert looser is not None
    assert looser.thresholds["e"] < 0.1


def test_p_values_are_stricter_the_smaller_they_are() -> None:
    found = np.random.default_rng(0).uniform(0, 1, (60, 6)) ** 3
    fitted = fitted_thresholds(scores(TESTS, found), 0.3, 0.05)
    assert fitted is not None
    assert all(0 < threshold < 0.05 for threshold in fitted.thresholds.values())
    for name, threshold in fitted.thresholds.items():
        assert float(f"{threshold:.2e}") == threshold, name
    after = scores(TESTS, found)
    assert chance_of(after.alarms(after.past(thresholds(TESTS, fitted.thresholds)), 0.3), 60) <= 0.05


def test_columns_without_a_score_and_columns_of_several_methods_stay_as_they_are() -> None:
    found = nights(40, 3)
    found[:, 4] = np.nan
    columns = [*DISTANCES[:5], Column("f", "wasserstein", 0.1, fixed=True)]
    fitted = fitted_thresholds(scores(columns, found), 0.5, 0.05)
    assert fitted is not None
    assert {"e", "f"}.isdisjoint(fitted.thresholds)


def test_a_column_that_decides_alone_is_no_matter_of_the_limit() -> None:
    columns = [*DISTANCES[:5], Column("f", "wasserstein", 0.1, critical=True)]
    found = scores(columns, np.full((40, 6), [0.0] * 5 + [0.2]))
    assert fitted_limit(found, 0.3, 0.05) is None
    fitted = fitted_thresholds(found, 0.3, 0.025)
    assert fitted is not None
    assert fitted.thresholds == {"f": 0.22}  # beyond 0.2, which it has on every night


def test_no_limit_is_proposed_that_asks_for_most_of_the_columns() -> None:
    found = scores(DISTANCES, np.full((40, 6), [1.0] * 4 + [0.0] * 2))
    assert fitted_limit(found, 0.3, 0.05) is None


def test_alarms_contradict_a_rate_from_where_they_come_once_in_a_hundred() -> None:
    assert not unlikely(0, 10, 1 / 365)
    assert not unlikely(1, 100, 1 / 365)
    assert unlikely(3, 100, 1 / 365)
