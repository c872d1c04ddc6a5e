"""Expected errors of regressions."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.checks.performance import pooled
from pipeline.checks.performance.estimated import dle
from pipeline.checks.performance.estimated.compare import judged
from pipeline.checks.performance.estimated.estimator import fit
from pipeline.checks.performance.estimated.features import Features
from pipeline.checks.performance.one_day import measure
from pipeline.checks.performance.standard import Standard
from pipeline.checks.performance.verdict.judge import judge
from pipeline.config import ColumnRoles
from pipeline.config.monitor import PerformancePolicy
from pipeline.labels.columns import LabelsUnusable
from tests.checks.performance.estimated.made import rows

MANY = int(os.environ.get("NIGHTJAR_SIMULATIONS", "0")) or 12
ROLES = ColumnRoles(label="y", prediction="p")
FEATURES = Features(["x"], ["kind"])


def made(seed: int, many: int, *, shift: float = 0.0) -> pd.DataFrame:
    """Forecasts whose error grows with x, and is twice as large for one kind."""
    chance = np.random.default_rng(seed)
    x, kind = chance.normal(shift, 1, many), chance.choice(["a", "b"], many)
    spread = np.exp(0.4 * x) * np.where(kind == "a", 1, 2)
    forecast = 10 + 3 * x
    return pd.DataFrame({"x": x, "kind": kind, "p": forecast, "y": forecast + spread * chance.normal(0, 1, many)})


def realised(frame: pd.DataFrame) -> dict[str, float]:
    error = frame["y"] - frame["p"]
    found = {"mean_absolute_error": error.abs().mean(), "root_mean_squared_error": np.sqrt((error**2).mean())}
    return {name: float(value) for name, value in found.items()}


def test_intervals_hold_the_realised_error_where_only_the_inputs_change() -> None:
    inside: dict[str, list[bool]] = {}
    for seed in range(MANY):
        estimator = fit(rows(made(seed, 2_000)), ROLES, None, FEATURES, seed=seed)
        night = made(1_000 + seed, 800, shift=0.6)
        found = estimator.expect(rows(night))
        assert found.method == "dle"
        for name, value in realised(night).items():
            item = found.metrics[name]
            inside.setdefault(name, []).append((item.low or 0) <= value <= (item.high or 0))
    for name, hits in inside.items():  # three standard errors of 12 nights below 0.95
        assert np.mean(hits) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / MANY), (name, np.mean(hits))


def test_errors_that_grow_with_the_inputs_are_expected_to_grow() -> None:
    reference = made(1, 5_000)
    estimator = fit(rows(reference), ROLES, None, FEATURES)
    calm, wild = (estimator.expect(rows(made(2, 2_000, shift=shift))).metrics for shift in (0.0, 1.0))
    for name, before in realised(reference).items():
        assert calm[name].value == pytest.approx(before, rel=0.1)
        assert wild[name].value > 1.25 * before


def test_of_a_long_night_some_rows_are_asked_about_and_the_interval_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    estimator, night = fit(rows(made(1, 2_000)), ROLES, None, FEATURES), rows(made(2, 4_000))
    whole = estimator.expect(night).metrics
    monkeypatch.setattr(dle, "JUDGED", 500)
    some = estimator.expect(night).metrics
    for name, item in some.items():
        assert item.rows == 4_000
        assert (item.error or 0) > (whole[name].error or 0)
        assert abs(item.value - whole[name].value) < 2 * (item.error or 0)


def test_a_relation_that_changes_is_seen_in_labels_only() -> None:
    reference, night = made(1, 3_000), made(2, 1_500)
    turned = night.assign(y=night["y"] + 1.5 * night["x"])  # the inputs, and the forecasts, stay as they were
    estimator = fit(rows(reference), ROLES, None, FEATURES)
    assert estimator.expect(rows(turned)) == estimator.expect(rows(night))
    name, standard = "mean_absolute_error", Standard(ROLES, "regression", None, None)
    own = measure(rows(reference), date(2026, 1, 1), len(reference), standard).metrics
    days = [measure(rows(turned), date(2026, 1, 2 + day), len(turned), standard) for day in range(7)]
    found = judge(PerformancePolicy(), name, {name: {"realised": pooled.realised(days, [name])[name]}}, own)
    assert found.status == "degraded"
    expected = estimator.expect(rows(turned)).metrics[name]
    judgement = judged(name, [(day.day, expected, day.metrics[name]) for day in days])
    assert judgement.withdrawn
    assert "concept drift" in judgement.sentence


def test_equal_input_gives_equal_output() -> None:
    first, second = (fit(rows(made(1, 600)), ROLES, None, FEATURES).expect(rows(made(2, 100))) for _ in range(2))
    assert first == second


def test_a_mean_error_is_not_told() -> None:
    found = fit(rows(made(1, 600)), ROLES, None, FEATURES).expect(rows(made(2, 100)))
    assert found.metrics.keys() == {"mean_absolute_error", "root_mean_squared_error"}


def test_what_is_missing_tonight_is_said() -> None:
    night = made(2, 100).drop(columns="x")
    night.loc[:3, "p"] = np.nan
    found = fit(rows(made(1, 600)), ROLES, None, FEATURES).expect(rows(night))
    assert found.notes == [
        "4 rows without a forecast not estimated",
        "estimated without x, which production/ does not have as the reference has",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="y"), "no column 'y'"),
        (lambda frame: frame.drop(columns="p"), "no column 'p'"),
        (lambda frame: frame.head(150), "150 rows"),
        (lambda frame: frame.assign(y=frame["p"]), "all nothing"),
        (lambda frame: frame.assign(y=1e200), "too large"),
        (lambda frame: frame.assign(p="much"), "numbers"),
    ],
)
def test_a_reference_that_cannot_tell_says_why(change: Callable[[pd.DataFrame], pd.DataFrame], words: str) -> None:
    with pytest.raises(LabelsUnusable, match=words):
        fit(rows(change(made(1, 600))), ROLES, None, FEATURES)


def test_a_night_without_forecasts_says_so() -> None:
    estimator = fit(rows(made(1, 600)), ROLES, None, FEATURES)
    for night in (made(2, 0), made(2, 100).assign(p=np.nan)):
        with pytest.raises(LabelsUnusable, match="no row with a forecast"):
            estimator.expect(rows(night))
