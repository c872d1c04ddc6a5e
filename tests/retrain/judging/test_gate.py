"""What the gate makes of two models' answers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.metrics.draws import Answers
from pipeline.results import Evaluation
from pipeline.retrain.judging.gate import Judged, evaluate

ROWS = 2_000


def model(truth: np.ndarray, skill: float, seed: int, wrong: np.ndarray | None = None) -> Answers:
    """Answers that know the truth as well as `skill` (0 to 1) says; backwards where `wrong`."""
    random = np.random.default_rng(seed)
    known = truth if wrong is None else np.where(wrong, 1 - truth, truth)
    sure = np.clip(0.5 + skill * (known - 0.5) + random.normal(0, 0.25, len(truth)), 0.01, 0.99)
    return Answers((sure > 0.5).astype(int), (0, 1), np.column_stack([1 - sure, sure]))


def judge(
    challenger: float, champion: float | None, wrong: np.ndarray | None = None, must_beat: bool = True, **policy: Any
) -> Evaluation:
    truth = np.random.default_rng(0).integers(0, 2, ROWS)
    city = np.array(["Bern", "Graz"])[(np.arange(ROWS) % 10 == 0).astype(int)]
    return evaluate(
        Judged(
            task="classification",
            truth=truth,
            challenger=model(truth, challenger, 1, wrong),
            champion=None if champion is None else model(truth, champion, 2),
            against="nobody" if champion is None else "version",
            must_beat=must_beat,
            segments=pd.DataFrame({"city": city, "age": np.arange(ROWS)}),
        ),
        RetrainPolicy(**policy),
    )


def test_better_beyond_the_noise_passes() -> None:
    evaluation = judge(0.6, 0.3)

    assert not evaluation.failed
    assert evaluation.main_metric == "roc_auc"
    main = evaluation.main
    assert main is not None
    assert main.low is not None
    assert main.improvement is not None
    assert main.high is not None
    assert 0 < main.low < main.improvement < main.high


def test_better_within_the_noise_does_not_pass() -> None:
    evaluation = judge(0.41, 0.4)

    assert [check.name for check in evaluation.failed] == ["main_metric"]
    assert "not beyond the noise" in evaluation.checks[0].sentence


def test_not_worse_lets_an_equal_model_pass_but_no_worse_one() -> None:
    assert not judge(0.4, 0.4, policy="not_worse").failed
    assert judge(0.25, 0.4, policy="not_worse").failed


def test_the_same_answers_differ_by_exactly_nothing() -> None:
    truth = np.random.default_rng(0).integers(0, 2, 500)
    same = model(truth, 0.4, 1)

    evaluation = evaluate(
        Judged("classification", truth, same, same, "version", True, pd.DataFrame(index=range(500))), RetrainPolicy()
    )

    for metric in evaluation.metrics:
        assert (metric.improvement, metric.low, metric.high) == (0, 0, 0)
    assert evaluation.failed


def test_a_segment_that_falls_blocks_a_model_that_is_better_overall() -> None:
    wrong = np.arange(ROWS) % 10 == 0  # all of Graz

    assert not judge(0.9, 0.3, wrong).failed
    evaluation = judge(0.9, 0.3, wrong, segments=("city",))

    assert [check.name for check in evaluation.failed] == ["segments"]
    assert "city = Graz" in evaluation.checks[1].sentence
    assert [(item.value, item.rows, item.passed) for item in evaluation.segments] == [
        ("Bern", 1800, True),
        ("Graz", 200, False),
    ]
    assert not judge(0.9, 0.3, wrong, segments=("city",), max_segment_drop=1.0).failed


def test_numbers_make_four_segments_and_absent_columns_none() -> None:
    evaluation = judge(0.6, 0.3, segments=("age", "plan"))

    assert [item.rows for item in evaluation.segments] == [500] * 4
    assert {item.column for item in evaluation.segments} == {"age"}


def test_segments_with_few_rows_are_shown_but_not_judged() -> None:
    truth = np.array([0, 1] * 60)
    judged = Judged(
        task="classification",
        truth=truth,
        challenger=Answers(truth, (0, 1), np.eye(2)[truth]),
        champion=Answers(1 - truth, (0, 1), np.eye(2)[1 - truth]),
        against="version",
        must_beat=True,
        segments=pd.DataFrame({"city": ["Bern"] * 80 + ["Graz"] * 40}),
    )

    found = {item.value: item.judged for item in evaluate(judged, RetrainPolicy(segments=("city",))).segments}

    assert found == {"Bern": True, "Graz": False}


def test_floors_hold_for_good_and_for_bad_metrics() -> None:
    assert not judge(0.6, 0.3, floors={"roc_auc": 0.8, "log_loss": 0.6}).failed
    assert judge(0.6, 0.3, floors={"roc_auc": 0.99}).failed
    assert judge(0.6, 0.3, floors={"log_loss": 0.01}).failed
    assert judge(0.6, 0.3, floors={"r2": 0.1}).failed  # has no value here


def test_the_first_model_passes_when_the_floors_hold() -> None:
    assert not judge(0.4, None, must_beat=False).failed
    assert not judge(0.4, 0.9, must_beat=False).failed  # logged predictions are for information
    assert judge(0.4, None, must_beat=False, floors={"roc_auc": 0.99}).failed


def test_the_first_model_has_to_be_of_more_use_than_one_fixed_answer() -> None:
    evaluation = judge(0.5, None, np.ones(ROWS, dtype=bool), must_beat=False)

    assert [check.name for check in evaluation.failed] == ["beats_a_constant"]


def test_a_champion_nobody_can_ask_is_not_beaten() -> None:
    evaluation = judge(0.6, None)

    assert evaluation.failed
    assert evaluation.checks[0].sentence == "ROC AUC cannot be compared on these rows"


def test_the_metric_that_the_monitor_names_decides() -> None:
    assert judge(0.6, 0.3, main_metric="log_loss").main_metric == "log_loss"
    assert judge(0.6, 0.3, main_metric="r2").failed


@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_errors_of_a_regression_are_better_when_lower(noise: float) -> None:
    random = np.random.default_rng(0)
    truth = random.normal(10, 3, 1000)
    judged = Judged(
        task="regression",
        truth=truth,
        challenger=Answers(truth + random.normal(0, noise, 1000)),
        champion=Answers(truth + random.normal(0, 1, 1000)),
        against="version",
        must_beat=True,
        segments=pd.DataFrame(index=range(1000)),
    )

    evaluation = evaluate(judged, RetrainPolicy())

    assert evaluation.main_metric == "root_mean_squared_error"
    assert (not evaluation.failed) is (noise < 1)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """Two equally good models: 95% of the intervals should hold zero."""
    covered = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        truth = random.normal(0, 1, 200)
        one, other = (Answers(truth + random.normal(0, 1, 200)) for _ in range(2))
        judged = Judged("regression", truth, one, other, "version", True, pd.DataFrame(index=range(200)))
        main = evaluate(judged, RetrainPolicy()).main
        assert main is not None
        assert main.low is not None
        assert main.high is not None
        covered += main.low <= 0 <= main.high
    assert 52 <= covered <= 60


def segment_names(column: pd.Series) -> list[str]:
    rows = len(column)
    truth = np.random.default_rng(0).integers(0, 2, rows)
    judged = Judged(
        task="classification",
        truth=truth,
        challenger=model(truth, 0.6, 1),
        champion=model(truth, 0.3, 2),
        against="version",
        must_beat=True,
        segments=pd.DataFrame({"column": column}),
    )
    return sorted(item.value for item in evaluate(judged, RetrainPolicy(segments=("column",))).segments)


def test_segments_are_named_by_their_values_as_they_are() -> None:
    assert segment_names(pd.Series([2023.0, 2024.0] * 200)) == ["2023", "2024"]
    assert segment_names(pd.Series(["01067", "1067", None, None] * 100, dtype=object)) == ["01067", "1067", "missing"]
    assert segment_names(pd.Series([True, False] * 200)) == ["false", "true"]


def test_quarters_of_a_column_keep_names_of_their_own_however_close_they_are() -> None:
    years = segment_names(pd.Series(np.linspace(1950, 2025, 400)))
    assert years == ["1950 to 1969", "1969 to 1988", "1988 to 2006", "2006 to 2025"]
    close = segment_names(pd.Series(1e9 + np.linspace(0, 1, 400)))
    assert len(set(close)) == 4
    assert not any("," in name for name in years + close)


def test_the_gate_writes_numbers_that_it_compares_so_that_they_differ() -> None:
    evaluation = judge(0.6, 0.3, floors={"roc_auc": 0.9})
    main = evaluation.main
    assert main is not None
    assert main.challenger is not None
    floor = next(check.sentence for check in evaluation.checks if check.name == "floor")
    exact = judge(0.6, 0.3, floors={"roc_auc": main.challenger + 1e-9})
    beside = next(check.sentence for check in exact.checks if check.name == "floor")
    assert "at least 0.9 is asked for" in floor
    shown, asked = re.findall(r"[0-9.]+", beside)
    assert float(shown) < float(asked)
    assert not any(re.search(r"e[-+]?\d", check.sentence) for check in evaluation.checks)


def test_a_floor_may_be_on_any_metric() -> None:
    floors = {"matthews_correlation": 0.1, "f1_macro": 0.5, "brier_score": 0.25, "average_precision": 0.6}

    evaluation = judge(0.6, 0.3, floors=floors)

    assert not evaluation.failed
    assert [check.passed for check in evaluation.checks if check.name == "floor"] == [True] * 4
    assert judge(0.6, 0.3, floors={"matthews_correlation": 0.99}).failed
    assert judge(0.6, 0.3, floors={"brier_score": 0.01}).failed


def test_means_over_classes_are_compared_only_where_they_are_named() -> None:
    names = {item.name for item in judge(0.6, 0.3).metrics}
    assert {"roc_auc", "average_precision", "balanced_accuracy", "matthews_correlation", "brier_score"} <= names
    assert not {name for name in names if name.endswith(("_macro", "_weighted"))}

    asked = {item.name for item in judge(0.6, 0.3, main_metric="f1_macro", floors={"recall_weighted": 0.1}).metrics}
    assert asked == names | {"f1_macro", "recall_weighted"}


def test_a_mean_error_is_the_better_the_nearer_to_0_it_is() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(10, 3, 500)
    low, high = (Answers(truth + bias + random.normal(0, 1, 500)) for bias in (-0.2, 1.0))
    policy = RetrainPolicy(main_metric="mean_error", floors={"mean_error": 0.5})

    for challenger, champion, passed in ((low, high, True), (high, low, False)):
        judged = Judged("regression", truth, challenger, champion, "version", True, pd.DataFrame(index=range(500)))
        evaluation = evaluate(judged, policy)
        main = evaluation.main
        assert main is not None
        assert main.improvement is not None
        assert main.challenger is not None
        assert (main.improvement > 0.5) is passed
        assert {check.name: check.passed for check in evaluation.checks}["main_metric"] is passed
        assert {check.name: check.passed for check in evaluation.checks}["floor"] is passed
        assert (main.challenger < 0) is passed  # shown with its sign


def test_forecasts_of_a_quantile_are_judged_by_what_they_lose() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(10, 3, 500)
    judged = Judged(
        task="regression",
        truth=truth,
        challenger=Answers(np.full(500, float(np.quantile(truth, 0.9)))),
        champion=Answers(np.full(500, float(truth.mean()))),
        against="version",
        must_beat=True,
        segments=pd.DataFrame(index=range(500)),
        quantile=0.9,
    )

    evaluation = evaluate(judged, RetrainPolicy(main_metric="quantile_loss"))

    assert evaluation.main is not None
    assert evaluation.main.low is not None
    assert evaluation.main.low > 0
