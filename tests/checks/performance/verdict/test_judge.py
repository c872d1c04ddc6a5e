"""The verdict from values: what it says, of what it says nothing, and what must not matter."""

from __future__ import annotations

import math
import random as randomness
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks.performance.verdict import Stretch, judge
from pipeline.config.monitor import PerformancePolicy
from pipeline.results import METRICS, Basis, Estimate, PerformanceVerdict

DEFAULT = PerformancePolicy()
DAY = date(2026, 3, 30)


def estimate(value: float, error: float | None, rows: int) -> Estimate:
    """With the usual interval."""
    if error is None:
        return Estimate(value=value, rows=rows)
    return Estimate(value=value, error=error, low=value - 1.96 * error, high=value + 1.96 * error, rows=rows)


def steady(value: float, spread: float, rows: int, nights: int = 6, last: date = DAY) -> list[Stretch]:
    """Every stretch has the same value; `rows` a night, of such a standard deviation."""
    return [
        Stretch(last - timedelta(days=k - 1), last, k, estimate(value, spread / math.sqrt(rows * k), rows * k))
        for k in range(1, nights + 1)
    ]


def nightly(values: Sequence[float], rows: int = 200, spread: float = 0.3) -> list[tuple[date, Estimate]]:
    return [
        (DAY - timedelta(days=len(values) - 1 - position), estimate(value, spread / math.sqrt(rows), rows))
        for position, value in enumerate(values)
    ]


def policy(**keys: object) -> PerformancePolicy:
    return PerformancePolicy.model_validate(keys)


REFERENCE = {"roc_auc": estimate(0.93, 0.004, 5000)}


def of_auc(
    value: float, rows: int = 170, asked: PerformancePolicy = DEFAULT, own: Mapping[str, Estimate] = REFERENCE
) -> PerformanceVerdict:
    return judge(asked, "roc_auc", {"roc_auc": {"realised": steady(value, 0.5, rows)}}, own)


def test_a_fall_beyond_the_noise_is_said_with_all_of_its_numbers() -> None:
    found = of_auc(0.81)
    assert found.status == "degraded"
    assert found.sentence == (
        "ROC AUC 0.81 over 6 nights (1,020 labels, 95% interval 0.78 to 0.84), below 0.88: "
        "the reference has 0.93, and a fall by 0.05 is allowed"
    )
    breach = found.breaches[0]
    assert (breach.metric, breach.why, breach.basis) == ("roc_auc", "drop", "realised")
    assert (breach.nights, breach.since, breach.before) == (6, DAY - timedelta(days=5), 0.93)
    assert breach.limit == pytest.approx(0.88)
    assert found.limit == breach.limit
    assert found.before == REFERENCE["roc_auc"]


def test_a_sound_model_is_said_with_its_limit() -> None:
    found = of_auc(0.92)
    assert (found.status, found.breaches) == ("sound", ())
    assert found.sentence == (
        "ROC AUC 0.920 over 3 nights (510 labels, 95% interval 0.877 to 0.963), not below 0.880: "
        "the reference has 0.930, and a fall by 0.05 is allowed"
    )
    assert found.value is not None
    assert (found.value.rows, found.first, found.last) == (510, DAY - timedelta(days=2), DAY)


def test_what_may_be_noise_is_called_so() -> None:
    found = of_auc(0.87)
    assert found.status == "sound"
    assert found.sentence.endswith("a fall by 0.05 is allowed; not beyond the noise")


def test_whose_value_it_is_can_be_another_ones() -> None:
    found = judge(DEFAULT, "roc_auc", {"roc_auc": {"realised": steady(0.7, 0.5, 500)}}, REFERENCE, whose="the champion")
    assert "the champion has 0.93" in found.sentence


@pytest.mark.parametrize(
    ("metric", "before", "now", "words"),
    [
        ("mean_absolute_error", 10.0, 14.0, "mean absolute error 14.0"),
        ("log_loss", 0.30, 0.45, "log loss 0.45"),
        ("brier_score", 0.10, 0.18, "Brier score 0.18"),
        ("calibration_error", 0.02, 0.10, "calibration error 0.10"),
        ("r2", 0.80, 0.60, "R2 0.60"),
        ("matthews_correlation", 0.60, 0.40, "Matthews correlation 0.40"),
    ],
)
def test_every_metric_falls_to_its_own_side(metric: str, before: float, now: float, words: str) -> None:
    own = {metric: estimate(before, before / 50, 5000)}
    for value, status in ((now, "degraded"), (before, "sound"), (before - (now - before), "sound")):
        values: dict[Basis, list[Stretch]] = {"realised": steady(value, abs(before), 1000)}
        found = judge(DEFAULT, metric, {metric: values}, own)
        assert found.status == status, value
        assert not found.breaches or words in found.sentence


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("before", [2.0, -2.0])
def test_a_bias_counts_to_either_side(before: float, sign: int) -> None:
    own = {"mean_error": estimate(before, 0.05, 5000)}
    for size, status in ((4.0, "degraded"), (2.0, "sound"), (0.0, "sound")):
        values: dict[Basis, list[Stretch]] = {"realised": steady(sign * size, 3.0, 1000)}
        assert judge(DEFAULT, "mean_error", {"mean_error": values}, own).status == status


def test_a_floor_holds_for_any_metric_and_without_a_reference() -> None:
    asked = policy(floors={"recall": 0.8})
    values: dict[str, dict[Basis, list[Stretch]]] = {
        "roc_auc": {"realised": steady(0.9, 0.5, 500)},
        "recall": {"realised": steady(0.6, 0.5, 500)},
    }
    found = judge(asked, "roc_auc", values, {})
    assert found.status == "degraded"
    assert [(item.metric, item.why, item.limit) for item in found.breaches] == [("recall", "floor", 0.8)]
    assert found.sentence == (
        "recall 0.60 over 6 nights (3,000 labels, 95% interval 0.58 to 0.62), below 0.80, its floor"
    )
    assert found.metric == "roc_auc"


def test_the_tighter_limit_is_the_one_that_is_shown() -> None:
    assert of_auc(0.92, asked=policy(floors={"roc_auc": 0.9})).limit == 0.9
    assert of_auc(0.92, asked=policy(floors={"roc_auc": 0.7})).limit == pytest.approx(0.88)


def test_no_labels_and_no_estimates_are_unknown() -> None:
    assert judge(DEFAULT, "roc_auc", {}, REFERENCE).sentence == "no labels have arrived and nothing can be estimated"
    realised = judge(policy(on=["realised"]), "roc_auc", {"roc_auc": {"estimated": steady(0.5, 0.5, 500)}}, REFERENCE)
    assert (realised.status, realised.sentence) == ("unknown", "no labels have arrived")


def test_few_rows_are_unknown() -> None:
    found = judge(DEFAULT, "roc_auc", {"roc_auc": {"realised": steady(0.2, 0.01, 23, nights=1)}}, REFERENCE)
    assert (found.status, found.sentence) == ("unknown", "too few labelled rows (23), a verdict needs 100")


@pytest.mark.parametrize(
    ("own", "asked", "words"),
    [
        ({}, DEFAULT, "the reference has no value of it that is sure enough, and it has no floor"),
        ({"roc_auc": estimate(0.93, 0.01, 40)}, DEFAULT, "the reference has no value of it that is sure enough"),
        ({"roc_auc": estimate(0.93, None, 5000)}, DEFAULT, "the reference has no value of it that is sure enough"),
        (REFERENCE, policy(max_drop=None), "it may fall by anything, and it has no floor"),
    ],
)
def test_a_value_with_nothing_to_hold_it_against_is_unknown(
    own: dict[str, Estimate], asked: PerformancePolicy, words: str
) -> None:
    found = of_auc(0.5, asked=asked, own=own)
    assert found.status == "unknown"
    assert words in found.sentence
    assert found.value is not None


@pytest.mark.parametrize("error", [None, 0.0])
def test_values_of_which_nobody_knows_how_sure_they_are_decide_nothing(error: float | None) -> None:
    blind = [item._replace(value=estimate(0.2, error, item.value.rows)) for item in steady(0.2, 0.5, 500)]
    found = judge(DEFAULT, "roc_auc", {"roc_auc": {"realised": blind}}, REFERENCE)
    assert found.status == "unknown"
    assert "how sure that is cannot be told" in found.sentence


def test_a_share_of_nothing_is_judged_by_its_interval() -> None:
    dead = [
        item._replace(value=Estimate(value=0.0, error=0.0, low=0.0, high=0.02, rows=item.value.rows))
        for item in steady(0.0, 0.1, 200)
    ]
    found = judge(policy(floors={"recall": 0.3}), "recall", {"recall": {"realised": dead}}, {})
    assert found.status == "degraded"


def test_estimated_values_decide_where_no_labels_are() -> None:
    fallen = {"roc_auc": {"estimated": steady(0.7, 0.6, 500)}}
    found = judge(DEFAULT, "roc_auc", fallen, REFERENCE)  # type: ignore[arg-type]
    assert (found.status, found.basis, found.breaches[0].basis) == ("degraded", "estimated", "estimated")
    assert found.sentence.startswith("estimated ROC AUC 0.70 over 6 nights (3,000 rows, 95% interval")
    assert judge(policy(on=["realised"]), "roc_auc", fallen, REFERENCE).status == "unknown"  # type: ignore[arg-type]


def test_labels_decide_on_the_nights_that_have_them() -> None:
    """An estimator that cries over nights whose labels say that all is well is not heard; over later ones it is."""
    labelled = steady(0.93, 0.5, 500, last=DAY - timedelta(days=3))
    values: dict[str, dict[Basis, list[Stretch]]] = {
        "roc_auc": {"realised": labelled, "estimated": steady(0.7, 0.6, 500, last=DAY - timedelta(days=3))}
    }
    assert judge(DEFAULT, "roc_auc", values, REFERENCE).status == "sound"
    values["roc_auc"]["estimated"] = steady(0.7, 0.6, 500)
    found = judge(DEFAULT, "roc_auc", values, REFERENCE)
    assert found.status == "degraded"
    assert found.breaches[0].since == DAY - timedelta(days=2)


def test_a_handful_of_labels_does_not_silence_estimates() -> None:
    """Labels that trickle in: 15 a night of the last three nights, all of the nights before."""
    values: dict[str, dict[Basis, list[Stretch]]] = {"roc_auc": {"estimated": steady(0.7, 0.6, 500)}}
    values["roc_auc"]["realised"] = steady(0.93, 0.5, 15, nights=3)
    assert judge(DEFAULT, "roc_auc", values, REFERENCE).breaches[0].nights == 6
    full = [
        item._replace(value=estimate(0.93, 0.01, 45 + 500 * (item.nights - 3)))
        for item in steady(0.93, 0.5, 15)
        if item.nights > 3
    ]
    values["roc_auc"]["realised"] += full
    found = judge(DEFAULT, "roc_auc", values, REFERENCE)
    assert found.breaches[0].since == DAY - timedelta(days=2)


def test_a_model_that_recovered_is_sound() -> None:
    fallen = steady(0.75, 0.5, 500)
    newest = fallen[0]._replace(value=estimate(0.93, 0.02, 500))
    found = judge(DEFAULT, "roc_auc", {"roc_auc": {"realised": [newest, *fallen[1:]]}}, REFERENCE)
    assert found.status == "sound"


def test_a_reference_of_few_rows_makes_the_verdict_careful() -> None:
    unsure = {"roc_auc": estimate(0.93, 0.03, 300)}
    assert of_auc(0.84, 500).status == "degraded"
    assert of_auc(0.84, 500, own=unsure).status == "sound"


def test_a_slide_is_a_breach_even_without_a_reference() -> None:
    sliding = nightly([0.95 - 0.015 * night for night in range(10)])
    found = judge(DEFAULT, "roc_auc", {"roc_auc": {"realised": steady(0.9, 0.5, 100)}}, {}, sliding)
    assert found.status == "degraded"
    assert found.breaches[0].why == "trend"
    assert found.sentence == "ROC AUC fell in 9 of 10 nights, from 0.95 to 0.82: a fall by 0.05 is allowed"
    assert found.breaches[0].since == DAY - timedelta(days=9)
    assert found.breaches[0].value.rows == 2000


def test_a_slide_down_to_the_references_own_value_is_only_told() -> None:
    sliding = nightly([0.99 - 0.006 * night for night in range(10)])
    own = {"roc_auc": estimate(0.90, 0.004, 5000)}
    found = judge(DEFAULT, "roc_auc", {"roc_auc": {"realised": steady(0.95, 0.5, 500)}}, own, sliding)
    assert found.status == "sound"
    assert found.trend is not None
    assert found.trend.sentence == "ROC AUC fell in 9 of 10 nights, from 0.99 to 0.94"


def test_a_slide_of_less_than_is_allowed_is_only_told() -> None:
    sliding = nightly([0.92 - 0.004 * night for night in range(10)])
    found = judge(DEFAULT, "roc_auc", {"roc_auc": {"realised": steady(0.9, 0.5, 500)}}, REFERENCE, sliding)
    assert found.status == "sound"
    assert found.trend is not None
    assert found.trend.p_value < 0.01


def test_nights_that_differ_anyway_are_not_a_floor_broken() -> None:
    """A night of 5,000 rows below the floor by five of its own errors, of a model whose nights always differ so."""
    random = randomness.Random(4)
    values = [random.gauss(0.90, 0.012) for _ in range(24)]
    steadily = [random.gauss(0.90, 0.003) for _ in range(24)]
    asked = policy(floors={"roc_auc": 0.893})
    low: dict[str, dict[Basis, list[Stretch]]] = {"roc_auc": {"realised": steady(0.870, 0.3, 5000, nights=1)}}
    for nights, status in ((values, "sound"), (steadily, "degraded")):
        found = judge(asked, "roc_auc", low, {}, nightly([*nights, 0.870], rows=5000, spread=0.3))
        assert found.status == status


@st.composite
def worlds(draw: st.DrawFn) -> tuple[str, list[Stretch], dict[str, Estimate], PerformancePolicy]:
    """A metric, its stretches, the reference and what is asked."""
    metric = draw(st.sampled_from(sorted(METRICS)))
    number = st.floats(0.01, 0.99)
    rows = draw(st.integers(1, 3000))
    stretches = [
        item._replace(value=estimate(draw(number), draw(st.none() | st.floats(0, 0.2)), item.value.rows))
        for item in steady(0.5, 0.5, rows, nights=draw(st.integers(0, 8)))
    ]
    own = draw(st.none() | st.builds(estimate, number, st.none() | st.floats(0, 0.1), st.integers(0, 20_000)))
    asked = policy(
        floors={metric: draw(number)} if draw(st.booleans()) else {},
        max_drop=draw(st.just("auto") | st.none() | st.floats(0, 0.5)),
    )
    return metric, stretches, {} if own is None else {metric: own}, asked


def status_of(
    metric: str, stretches: Sequence[Stretch], own: Mapping[str, Estimate], asked: PerformancePolicy
) -> PerformanceVerdict:
    return judge(asked, metric, {metric: {"realised": stretches}}, own)


@given(worlds(), st.randoms())
def test_nothing_raises_and_the_order_of_stretches_does_not_matter(
    world: tuple[str, list[Stretch], dict[str, Estimate], PerformancePolicy], random: randomness.Random
) -> None:
    metric, stretches, own, asked = world
    shuffled = random.sample(stretches, len(stretches))
    found = status_of(metric, stretches, own, asked)
    assert status_of(metric, shuffled, own, asked) == found
    assert found.sentence
    assert (found.status == "degraded") == bool(found.breaches)


@given(worlds())
def test_few_rows_never_shout(world: tuple[str, list[Stretch], dict[str, Estimate], PerformancePolicy]) -> None:
    metric, stretches, own, asked = world
    few = [item._replace(value=item.value.model_copy(update={"rows": min(item.value.rows, 99)})) for item in stretches]
    assert status_of(metric, few, own, asked).status == "unknown"


@given(worlds(), st.floats(0, 0.5))
def test_better_values_never_turn_sound_into_degraded(
    world: tuple[str, list[Stretch], dict[str, Estimate], PerformancePolicy], better: float
) -> None:
    metric, stretches, own, asked = world
    if METRICS[metric].better == "near_zero":
        return
    by = better if METRICS[metric].better == "higher" else -better

    def improved(found: Estimate) -> Estimate:
        ends = {name: None if end is None else end + by for name, end in (("low", found.low), ("high", found.high))}
        return found.model_copy(update={"value": found.value + by, **ends})

    if status_of(metric, stretches, own, asked).status == "sound":
        improvements = [item._replace(value=improved(item.value)) for item in stretches]
        assert status_of(metric, improvements, own, asked).status == "sound"


@given(worlds(), st.sampled_from([1e-6, 0.25, 1024.0, 1e9]))
def test_the_unit_of_an_error_does_not_matter(
    world: tuple[str, list[Stretch], dict[str, Estimate], PerformancePolicy], unit: float
) -> None:
    _, stretches, own, asked = world
    metric = "mean_absolute_error"

    def scaled(found: Estimate) -> Estimate:
        sizes = {name: getattr(found, name) for name in ("value", "low", "high", "error")}
        return found.model_copy(update={name: None if size is None else size * unit for name, size in sizes.items()})

    asked = asked.model_copy(update={"floors": {}})
    base = {} if not own else {metric: next(iter(own.values()))}
    values = [item._replace(value=scaled(item.value)) for item in stretches]
    before = status_of(metric, stretches, base, asked)
    assert status_of(metric, values, {name: scaled(item) for name, item in base.items()}, asked).status == before.status


@given(st.lists(st.floats(0.5, 1), min_size=1, max_size=40), st.randoms())
def test_the_order_in_which_nights_are_given_does_not_matter(values: list[float], random: randomness.Random) -> None:
    nights = nightly(values)
    stretches: dict[str, dict[Basis, list[Stretch]]] = {"roc_auc": {"realised": steady(values[-1], 0.5, 500)}}
    shuffled = random.sample(nights, len(nights))
    assert judge(DEFAULT, "roc_auc", stretches, REFERENCE, shuffled) == judge(
        DEFAULT, "roc_auc", stretches, REFERENCE, nights
    )
