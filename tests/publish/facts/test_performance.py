"""How well the model does, in words."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish.facts import performance as words
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.night import NightView
from pipeline.results import METRICS, Decision, Estimate, NightPerformance, PerformanceResult, Shift
from pipeline.wording import metric_name
from tests.publish import performances, samples
from tests.publish.performances import VIEWS, estimate


@pytest.mark.parametrize(
    ("metric", "realised", "reference", "word"),
    [
        ("roc_auc", 0.8, 0.9, "worse"),
        ("accuracy", 0.9, 0.8, "better"),
        ("mean_absolute_error", 2.0, 1.0, "worse"),
        ("root_mean_squared_error", 1.0, 2.0, "better"),
        ("log_loss", 0.7, 0.5, "worse"),
        ("f1", 0.70001, 0.70002, "equal"),
        ("calibration_error", 0.2, 0.1, "worse"),
        ("mean_error", -3.0, 1.0, "worse"),
        ("mean_error", -1.0, 3.0, "better"),
    ],
)
def test_a_comparison_knows_which_side_is_good(metric: str, realised: float, reference: float, word: str) -> None:
    assert words.comparison_words(metric, realised, reference) == word


def test_performance_that_was_not_measured_says_why() -> None:
    assert "have not arrived" in words.performance_words(samples.performance(measured=False))
    unset = PerformanceResult(snapshots="", status="not_configured")
    assert "no label column is configured" in words.performance_words(unset)


@pytest.mark.parametrize("name", ["degraded", "degraded-drifted", "guessed", "regression"])
def test_a_degraded_night_says_so_first_in_what_it_is_and_by_what(name: str) -> None:
    expected = {
        "degraded": "degraded: ROC AUC 0.47, at least 0.81 expected",
        "degraded-drifted": "degraded: ROC AUC 0.47, at least 0.81 expected; 9 of 18 columns drifted (50%)",
        "guessed": "degraded: estimated ROC AUC 0.77, at least 0.81 expected",
        "regression": "degraded: mean absolute error 126, at most 49 expected",
    }
    view = VIEWS[name]
    assert view.headline == expected[name]
    assert view.headline.isascii()
    assert view.state == "degraded"
    assert view.tonight.headline == view.headline
    assert PastNight.model_validate_json(view.tonight.to_json()) == view.tonight


def test_a_fall_is_told_as_one_and_other_metrics_by_their_name() -> None:
    breach = performances.verdict("degraded", 0.83).breaches[0]
    trend = breach.model_copy(update={"why": "trend", "nights": 10})
    assert words.worse_words(trend) == "ROC AUC 0.83, getting worse over 10 nights"
    floor = performances.verdict("degraded", 0.83).breaches[1]
    assert words.worse_words(floor) == "recall 0.41, at least 0.50 expected"
    bias = breach.model_copy(update={"metric": "mean_error", "value": estimate(-84.1), "limit": 10.0})
    assert words.worse_words(bias) == "mean error -84, at most 10 either way expected"


@given(st.sampled_from(sorted(METRICS)), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_value_never_reads_as_if_it_stood_on_the_other_side_of_its_limit(
    metric: str, value: float, limit: float
) -> None:
    shown, asked = words.held_words(metric, value, limit, 2)
    number = float(asked.split()[2])
    assert (float(shown) < number) == (value < limit)
    assert (float(shown) > number) == (value > limit)
    assert asked.split()[1] == ("least" if METRICS[metric].better == "higher" else "most")


def test_a_degraded_night_without_a_breach_still_says_what_is_known() -> None:
    night = VIEWS["degraded"].tonight.model_copy(update={"breach": None})
    assert night.headline == "degraded: ROC AUC 0.47, at least 0.81 expected"
    bare = night.model_copy(update={"value": None})
    assert bare.headline == "degraded: worse than expected"


def degraded(retrain: bool, **said: object) -> NightView:
    decision = performances.decision("degraded", retrain).model_copy(update=said)
    return dataclasses.replace(VIEWS["degraded"], decision=decision)


def test_what_a_degraded_night_is_followed_by() -> None:
    asked = degraded(True)
    assert asked.subject.endswith("on 2026-01-14, retraining requested")
    assert "step in if the labels are wrong" in asked.next_step
    assert asked.command is None
    held = degraded(False, hold="cooldown")
    assert held.consequence == "Retraining held: cooldown"
    assert held.command == "python -m pipeline retrain churn --date 2026-01-14"
    guessed = dataclasses.replace(VIEWS["guessed"], decision=asked.decision)
    assert "step in if the inputs are at fault" in guessed.next_step


def test_a_night_that_was_not_to_ask_for_a_retraining_is_not_held() -> None:
    view = degraded(False, hold=None)
    assert view.consequence == "The model is worse than it may be"
    assert view.subject.endswith("expected on 2026-01-14")
    assert "`retrain.on` does not name what was found" in view.next_step
    assert view.tonight.action == ""
    older = Decision.model_validate({"snapshots": "", "status": "drifted", "retrain": False, "reason": ""})
    assert dataclasses.replace(samples.view(), decision=older).subject.endswith("retraining held")


def test_performance_is_told_before_drift_and_broken_data_before_both() -> None:
    assert [line[:9] for line in VIEWS["degraded-drifted"].changed] == ["The model", "9 of 18 c", "1 of 10 e"]
    broken = dataclasses.replace(
        VIEWS["degraded-drifted"], quality=samples.quality(True), decision=samples.decision(failed=True)
    )
    assert [line[:9] for line in broken.changed] == ["2 of 10 e", "The model", "9 of 18 c"]
    assert broken.headline == "data broken: 1 critical expectation failed"
    assert samples.view().changed[0].startswith("9 of 18 columns drifted")


def test_better_and_worse_are_said_beyond_the_noise_only() -> None:
    small, large = estimate(0.80, 165), estimate(0.80, 40_000)
    before = estimate(0.83, 40_000)
    assert words.beyond_noise("roc_auc", small, before) == ""
    assert words.beyond_noise("roc_auc", large, before) == "worse"
    assert words.beyond_noise("log_loss", large, before) == "better"
    assert words.beyond_noise("roc_auc", Estimate(value=0.5), before) == ""
    ends = Estimate(value=0.8, low=0.79, high=0.81)
    assert words.beyond_noise("roc_auc", ends, Estimate(value=0.83, low=0.82, high=0.84)) == "worse"
    assert words.beyond_noise("roc_auc", ends, Estimate(value=0.83, low=0.805, high=0.84)) == ""


@given(st.floats(0.001, 0.2), st.floats(0.001, 0.2), st.floats(-1, 1))
def test_the_noise_of_both_sides_counts(one: float, other: float, apart: float) -> None:
    now, before = Estimate(value=0.5 + apart, error=one), Estimate(value=0.5, error=other)
    told = words.beyond_noise("roc_auc", now, before)
    assert bool(told) == (abs(now.value - before.value) > 1.96 * math.hypot(one, other))


def test_the_figure_says_value_reference_limit_and_on_what_it_rests() -> None:
    shown = words.figure(performances.performance("degraded"))
    assert shown is not None
    assert (shown.name, shown.value, shown.look) == ("ROC AUC", "0.471", "degraded")
    assert shown.against == "0.863 on the reference; at least 0.813 expected"
    assert shown.basis.startswith("Realised, 2026-01-01 to 2026-01-07, 22,830 labels; 95% interval 0.46")
    guess = words.figure(performances.performance("estimated"))
    assert guess is not None
    assert guess.basis.startswith("Estimated, 2026-01-14, 3,412 predictions")
    assert guess.look == ""


def test_a_figure_that_nobody_knows_says_why_and_one_that_nobody_wants_is_not_there() -> None:
    waiting = words.figure(samples.performance(measured=False))
    assert waiting is not None
    assert (waiting.value, waiting.basis) == ("not known", "No labels for 2026-01-07 yet")
    assert words.figure(PerformanceResult(snapshots="", status="not_configured")) is None


def test_a_value_that_is_worse_and_within_its_limit_is_coloured() -> None:
    judged = performances.verdict("sound", 0.83)
    shown = words.figure(performances.performance().model_copy(update={"verdict": judged}))
    assert shown is not None
    assert shown.look == "worse"


def test_the_estimate_says_what_it_cannot_see_and_is_withdrawn_with_its_reason() -> None:
    lines = words.estimator_words(performances.estimated(0.86, "withdrawn"))
    assert lines[0].startswith("The estimate is withdrawn. On 5 of the last 7 labelled nights")
    assert "cannot see that the relation between inputs and label has changed (concept drift)" in lines[1]
    assert lines[2].endswith("in 5 of 7 labelled nights; in the mean they lay apart: ROC AUC by 0.31.")
    assert words.estimator_words(None) == []


def test_how_labels_came_is_told_step_by_step() -> None:
    assert words.grew_words(performances.labelled()) == (
        "Labels came step by step: 8.8% on 2026-01-15, 35.1% on 2026-01-16"
    )


def test_days_without_labels_are_overdue_once_they_are_due() -> None:
    due = performances.LABELS_DATE
    nights = tuple(
        NightPerformance(day=day, status="awaiting_labels", rows=rows, labelled_rows=labelled)
        for day, rows, labelled in (
            (due.replace(day=due.day - 2), 100, 0),
            (due.replace(day=due.day - 1), 0, 0),
            (due, 100, 3),
            (samples.RUN_DATE, 100, 0),
        )
    )
    waiting = samples.performance(measured=False)
    assert words.days_overdue(waiting.model_copy(update={"nights": nights})) == 1
    assert words.days_overdue(waiting) == 1
    assert words.days_overdue(samples.performance()) == 0


def test_a_private_label_has_no_mean_and_what_moved_comes_first() -> None:
    shifts = (Shift(name="mean_label", now=3.2), Shift(name="label_share", now=0.3, before=0.2, moved=True))
    found = performances.performance().model_copy(update={"shifts": shifts})
    assert [item.name for item in words.shown_shifts(samples.monitor(), found)] == ["label_share", "mean_label"]
    assert [item.name for item in words.shown_shifts(performances.private_monitor(), found)] == ["label_share"]


def test_every_metric_has_a_name_that_people_read() -> None:
    assert all("_" not in metric_name(name) for name in METRICS)
