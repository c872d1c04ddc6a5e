"""Expected metrics of classifications, from scores."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from pipeline.checks.performance.estimated import counts, thin
from pipeline.checks.performance.estimated.calibrate import cut
from pipeline.checks.performance.estimated.estimator import fit
from pipeline.checks.performance.estimated.scored import Scored, Seen
from pipeline.config import ColumnRoles
from pipeline.labels.classes import classes_of
from pipeline.labels.columns import LabelsUnusable
from pipeline.results import METRICS
from tests.checks.performance.estimated.made import CLASSES, ROLES, binary, fitted, rows

Metric = Callable[..., float]
MANY = int(os.environ.get("NIGHTJAR_SIMULATIONS", "0")) or 40
OF_PREDICTIONS: dict[str, Metric] = {
    "accuracy": sklearn_metrics.accuracy_score,
    "balanced_accuracy": sklearn_metrics.balanced_accuracy_score,
    "precision": sklearn_metrics.precision_score,
    "recall": sklearn_metrics.recall_score,
    "f1": sklearn_metrics.f1_score,
    "matthews_correlation": sklearn_metrics.matthews_corrcoef,
}
OF_SCORES: dict[str, Metric] = {
    "roc_auc": sklearn_metrics.roc_auc_score,
    "average_precision": sklearn_metrics.average_precision_score,
    "log_loss": sklearn_metrics.log_loss,
    "brier_score": sklearn_metrics.brier_score_loss,
}
SEEN = Seen(ROLES, CLASSES, is_single=True)


def realised(frame: pd.DataFrame) -> dict[str, float]:
    found = {name: metric(frame["y"], frame["p"]) for name, metric in OF_PREDICTIONS.items()}
    return found | {name: metric(frame["y"], frame["s"]) for name, metric in OF_SCORES.items()}


def told(score: np.ndarray, truth: np.ndarray, said: np.ndarray, seen: Seen = SEEN) -> dict[str, float]:
    scored = Scored(score, said, None, np.arange(len(score)))
    cuts = cut(score)
    return counts.metrics(counts.counted(scored, truth, cuts.places(score), cuts.parts, seen), seen)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 300))
def test_labels_that_are_known_give_the_metrics_of_scikit_learn(seed: int, many: int) -> None:
    frame = binary(seed, many)
    frame.loc[:1, "y"] = [0, 1]
    truth = np.eye(2)[frame["y"]]
    found = told(frame[["s"]].to_numpy(), truth, frame["p"].to_numpy())
    for name, value in realised(frame).items():
        assert found[name] == pytest.approx(value, abs=1e-9), name


def test_several_classes_that_are_known_give_the_metrics_of_scikit_learn() -> None:
    chance = np.random.default_rng(5)
    score = chance.dirichlet(np.ones(3), 400)
    truth, said = chance.integers(0, 3, 400), score.argmax(axis=1)
    seen = Seen(ROLES, classes_of(["a", "b", "c"], ROLES), is_single=False)
    found = told(score, np.eye(3)[truth], said, seen)
    assert found["roc_auc"] == pytest.approx(sklearn_metrics.roc_auc_score(truth, score, multi_class="ovr"))
    assert found["log_loss"] == pytest.approx(sklearn_metrics.log_loss(truth, score))
    for name, metric in (
        ("precision", sklearn_metrics.precision_score),
        ("recall", sklearn_metrics.recall_score),
        ("f1", sklearn_metrics.f1_score),
    ):
        assert found[name] == pytest.approx(metric(truth, said, average="macro"))
        assert found[f"{name}_macro"] == pytest.approx(metric(truth, said, average="macro"))
        assert found[f"{name}_weighted"] == pytest.approx(metric(truth, said, average="weighted"))


def test_expected_counts_are_means_over_all_labels_that_may_come() -> None:
    score, chance = np.array([[0.2], [0.6], [0.7]]), np.array([0.3, 0.5, 0.9])
    truth = np.column_stack([1 - chance, chance])
    accuracy = told(score, truth, np.array([0, 1, 1]))["accuracy"]
    assert accuracy == pytest.approx((0.7 + 0.5 + 0.9) / 3)
    # E[pairs in order] / E[pairs], by hand: a row of the class above one that is not
    in_order = 0.5 * 0.7 + 0.9 * 0.7 + 0.9 * 0.5
    pairs = in_order + 0.3 * 0.5 + 0.3 * 0.1 + 0.5 * 0.1
    assert told(score, truth, np.array([0, 1, 1]))["roc_auc"] == pytest.approx(in_order / pairs)


@pytest.mark.parametrize(("reference", "night", "steep", "shift"), [(800, 400, 2.0, 0.4), (4_000, 3_000, 1.0, 0.5)])
def test_intervals_hold_the_realised_value_in_about_95_of_100_nights(
    reference: int, night: int, steep: float, shift: float
) -> None:
    inside: dict[str, list[bool]] = {}
    for seed in range(MANY):  # a reference and a night each; only the inputs change
        estimator = fitted(binary(seed, reference, steep=steep), seed=seed)
        frame = binary(10_000 + seed, night, steep=steep, shift=shift)
        found = estimator.expect(rows(frame)).metrics
        for name, value in realised(frame).items():
            inside.setdefault(name, []).append(bool((found[name].low or 0) <= value <= (found[name].high or 0)))
    for name, hits in inside.items():  # three standard errors below 0.95
        assert np.mean(hits) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / MANY), (name, np.mean(hits))
    assert np.mean([hit for hits in inside.values() for hit in hits]) <= 0.99  # and are not just wide


def test_a_score_that_is_too_sure_is_calibrated() -> None:
    estimator, frame = fitted(binary(1, 20_000, steep=3.0)), binary(2, 20_000, steep=3.0)
    expected = estimator.expect(rows(frame)).metrics["log_loss"]
    believed = -(frame["s"] * np.log(frame["s"]) + (1 - frame["s"]) * np.log1p(-frame["s"])).mean()
    truth = sklearn_metrics.log_loss(frame["y"], frame["s"])
    reach = 3 * (expected.error or 0)
    assert abs(expected.value - truth) < reach < 0.1 < abs(believed - truth)


def test_every_value_lies_in_its_interval_and_this_in_the_range_of_the_metric() -> None:
    found = fitted(binary(1, 500)).expect(rows(binary(2, 60))).metrics
    assert {"accuracy", "roc_auc", "f1_macro", "log_loss"} <= found.keys() <= METRICS.keys()
    for name, item in found.items():
        assert item.low is not None
        assert item.high is not None
        assert METRICS[name].low <= item.low <= item.value <= item.high <= METRICS[name].high
        assert item.rows == 60


def test_equal_input_gives_equal_output() -> None:
    reference, night = binary(1, 3_000), binary(2, 500)
    assert fitted(reference).expect(rows(night)) == fitted(reference).expect(rows(night))


def test_a_night_in_pieces_is_the_night_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    estimator, night = fitted(binary(1, 3_000)), rows(binary(2, 1_000))
    whole = estimator.expect(night).metrics
    monkeypatch.setattr(thin, "PIECE", 130)
    pieces = estimator.expect(night).metrics
    assert {name: item.value for name, item in pieces.items()} == pytest.approx(
        {name: item.value for name, item in whole.items()}
    )


def test_a_long_reference_is_thinned_by_its_seed() -> None:
    reference = rows(pd.DataFrame({"n": range(1_000)}))
    first, again, other = (thin.thinned(reference, 100, seed).table["n"].to_pylist() for seed in (1, 1, 2))
    assert first == again == sorted(set(first))
    assert first != other
    assert len(first) == 100
    assert thin.thinned(reference, 1_000, 1) is reference


def test_several_classes_are_each_against_the_rest() -> None:
    chance = np.random.default_rng(3)
    roles = ColumnRoles(label="y", prediction="p", scores={"a": "sa", "b": "sb", "c": "sc"})

    def made(many: int) -> pd.DataFrame:
        truth = chance.dirichlet(np.ones(3), many)
        labels = [chance.choice(["a", "b", "c"], p=line) for line in truth]
        sure = truth**2 / (truth**2).sum(axis=1, keepdims=True)  # more sure than is right
        said = np.array(["a", "b", "c"])[sure.argmax(axis=1)]
        return pd.DataFrame({"y": labels, "p": said, "sa": sure[:, 0], "sb": sure[:, 1], "sc": sure[:, 2]})

    found = fit(rows(made(6_000)), roles, classes_of(["a", "b", "c"], roles)).expect(rows(night := made(4_000)))
    accuracy, area = found.metrics["accuracy"], found.metrics["roc_auc"]
    assert abs(accuracy.value - (night["y"] == night["p"]).mean()) < 3 * (accuracy.error or 0)
    truth = sklearn_metrics.roc_auc_score(night["y"], night[["sa", "sb", "sc"]], multi_class="ovr")
    assert abs(area.value - truth) < 3 * (area.error or 0)


def test_the_score_of_one_of_several_classes_tells_what_is_about_that_class() -> None:
    frame = binary(1, 2_000)
    frame["y"] = np.where(frame["y"] == 1, "a", np.where(np.arange(2_000) % 2, "b", "c"))
    frame["p"] = np.where(frame["p"] == 1, "a", "b")
    roles = ColumnRoles(label="y", prediction="p", score="s", positive="a")
    found = fit(rows(frame), roles, classes_of(["a", "b", "c"], roles)).expect(rows(frame)).metrics
    assert found.keys() == {"roc_auc", "average_precision", "precision", "recall", "f1"}
    truth = sklearn_metrics.precision_score(frame["y"] == "a", frame["p"] == "a")
    assert abs(found["precision"].value - truth) < 3 * (found["precision"].error or 0)


def test_a_constant_score_ranks_nothing() -> None:
    frame = binary(1, 2_000).assign(s=0.4, p=0)
    found = fitted(frame).expect(rows(frame)).metrics
    assert found["roc_auc"].value == pytest.approx(0.5)
    assert found["accuracy"].value == pytest.approx(1 - frame["y"].mean(), abs=0.01)


def test_rows_without_a_score_are_counted_and_left_out() -> None:
    night = binary(2, 400)
    night.loc[:9, "s"] = np.nan
    found = fitted(binary(1, 2_000)).expect(rows(night))
    assert found.metrics["roc_auc"].rows == 390
    assert found.notes == ["10 rows without a score are not estimated"]


def test_without_a_prediction_tonight_only_what_needs_none_is_told() -> None:
    found = fitted(binary(1, 2_000)).expect(rows(binary(2, 400).drop(columns="p")))
    assert found.metrics.keys() == {"roc_auc", "average_precision", "log_loss", "brier_score"}
    assert found.notes == ["production/ has no prediction, so what is about predictions is not estimated"]


def test_predictions_that_are_none_of_the_classes_are_wrong() -> None:
    night = binary(2, 1_000).astype({"p": str})
    sound = fitted(binary(1, 2_000)).expect(rows(night)).metrics["accuracy"].value
    night.loc[:499, "p"] = "unheard of"
    found = fitted(binary(1, 2_000)).expect(rows(night)).metrics["accuracy"].value
    assert found == pytest.approx(sound / 2, abs=0.03)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="y"), "has no label 'y'"),
        (lambda frame: frame.drop(columns="s"), "has no column 's'"),
        (lambda frame: frame.assign(y=1), "one class"),
        (lambda frame: frame.assign(s=100 * frame["s"]), "outside 0 to 1"),
        (lambda frame: frame.assign(s=np.inf), "outside 0 to 1"),
        (lambda frame: frame.assign(s=np.nan), "0 rows of the reference"),
        (lambda frame: frame.head(40), "40 rows of the reference"),
        (lambda frame: frame.assign(s="high"), "numbers"),
    ],
)
def test_a_reference_that_cannot_tell_says_why(change: Callable[[pd.DataFrame], pd.DataFrame], words: str) -> None:
    with pytest.raises(LabelsUnusable, match=words):
        fitted(change(binary(1, 500)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="s"), "production/ has no column 's'"),
        (lambda frame: frame.head(0), "production/ has no row"),
        (lambda frame: frame.assign(s=np.nan), "production/ has no row with a score"),
        (lambda frame: frame.assign(s=frame["s"] * 100), "outside 0 to 1"),
    ],
)
def test_a_night_that_cannot_be_estimated_says_why(change: Callable[[pd.DataFrame], pd.DataFrame], words: str) -> None:
    with pytest.raises(LabelsUnusable, match=words):
        fitted(binary(1, 500)).expect(rows(change(binary(2, 100))))


def test_a_monitor_without_a_score_says_so() -> None:
    roles = ColumnRoles(label="y", prediction="p")
    with pytest.raises(LabelsUnusable, match=r"columns\.score"):
        fit(rows(binary(1, 500)), roles, classes_of([0, 1], roles))
