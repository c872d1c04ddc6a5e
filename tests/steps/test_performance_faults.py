"""Whatever labels, answers and references look like: a metric is right, or there is a sentence that says why not.

Every case goes through the steps of a night on files. Truths are kept beside the files, and scikit-learn judges them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as oracle

from pipeline.config import Monitor
from pipeline.errors import ConfigError
from pipeline.results import Decision, PerformanceResult
from pipeline.steps import nightly as steps
from tests.project import Project

pytestmark = pytest.mark.slow

DAY = date(2026, 1, 14)
ROWS = 240
COLUMNS = {"id": "id", "label": "y", "prediction": "p", "score": "s", "numerical": ["x"], "categorical": []}
SUITE = [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "x"}}]


@dataclass
class World:
    """The files of a night, and what they mean: `truth` by id, `said` and `score` by production row.

    `said` is -1 where there is no prediction, `score` NaN where there is none.
    """

    reference: pd.DataFrame
    production: pd.DataFrame
    labels: pd.DataFrame
    truth: dict[Any, Any]
    said: np.ndarray[Any, Any]
    score: np.ndarray[Any, Any]
    columns: dict[str, Any] = field(default_factory=lambda: dict(COLUMNS))
    monitor: dict[str, Any] = field(default_factory=dict)
    performance: dict[str, Any] = field(default_factory=dict)
    arrived: bool = True

    @property
    def labelled(self) -> pd.DataFrame:
        """Rows with a label, by their meaning."""
        rows = pd.DataFrame({"id": self.production["id"], "said": self.said, "score": self.score})
        rows["truth"] = [self.truth.get(one) for one in rows["id"]]
        return rows[rows["truth"].notna()].astype({"truth": type(next(iter(self.truth.values()), 0))})

    def write(self, project: Project) -> None:
        if not (project.root / "monitors/people.yaml").exists():
            project.write_suite(expectations=SUITE)
        self.configure(project)
        project.write_parquet("reference/part-0.parquet", self.reference)
        project.write_parquet(f"production/dt={DAY}/part-0.parquet", self.production)
        if self.arrived:
            project.write_parquet(f"labels/dt={DAY}/part-0.parquet", self.labels)

    def configure(self, project: Project) -> None:
        performance = {"label_delay_days": 0} | self.performance
        project.write_monitor(columns=self.columns, performance=performance, **self.monitor)


def side(rows: int, seed: int, first: int) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    score = 1 / (1 + np.exp(-2 * x))
    frame = pd.DataFrame({"id": np.arange(first, first + rows), "x": x, "p": (score > 0.5).astype("int64"), "s": score})
    return frame, (random.random(rows) < score).astype("int64")


def classifier() -> World:
    reference, before = side(600, 0, 0)
    production, truth = side(ROWS, 1, 10_000)
    labels = pd.DataFrame({"id": production["id"], "y": truth})
    known = dict(zip(production["id"].tolist(), truth.tolist(), strict=True))
    said, score = production["p"].to_numpy(), production["s"].to_numpy()
    return World(reference.assign(y=before), production, labels, known, said, score)


def regressor() -> World:
    """Whole numbers, few of them, that are forecast with fractions."""
    made = classifier()
    random = np.random.default_rng(5)
    for frame in (made.reference, made.production):
        frame["truth"] = np.round(3 + 2 * frame["x"] + random.normal(size=len(frame))).clip(-3, 9).astype("int64")
        frame["p"] = 3 + 2 * frame["x"]
    made.reference["y"] = made.reference.pop("truth")
    truth = made.production.pop("truth")
    made.labels = pd.DataFrame({"id": made.production["id"], "y": truth})
    made.truth = dict(zip(made.production["id"].tolist(), truth.tolist(), strict=True))
    made.said = made.production["p"].to_numpy()
    made.columns.pop("score")
    for frame in (made.reference, made.production):
        frame.drop(columns="s", inplace=True)
    return made


def night_of(project: Project, day: date = DAY) -> tuple[PerformanceResult, Decision]:
    """The measurements of a night, and what they decide; drift and quality are none the worse."""
    night = project.night(str(day))
    steps.pull_snapshots(night)
    quality, drift = steps.validate_quality(night), steps.measure_drift(night)
    found = steps.measure_performance(night)
    decision = steps.decide(night)
    assert found.failure is None, found.failure
    assert (quality.failure, drift.failure) == (None, None)
    assert [item.passed for item in quality.outcomes if item.check is None] == [True]
    assert {column.name: column.status for column in drift.columns}["x"] == "evaluated"
    return found, decision


def same(found: PerformanceResult, expected: dict[str, float]) -> None:
    assert found.status == "measured", found.reason
    assert {name: found.realised.get(name) for name in expected} == pytest.approx(expected)


def classified(made: World) -> dict[str, float]:
    """The metrics of a classification of 0 and 1, as scikit-learn has them."""
    rows = made.labelled
    told, ranked = rows[rows["said"] >= 0], rows[rows["score"].notna()]
    found = {}
    if len(told):
        truth, said = told["truth"], told["said"]
        found["accuracy"] = oracle.accuracy_score(truth, said)
        if truth.nunique() == 2:
            found |= {
                "precision": oracle.precision_score(truth, said, zero_division=0),
                "recall": oracle.recall_score(truth, said),
                "f1": oracle.f1_score(truth, said),
                "matthews_correlation": oracle.matthews_corrcoef(truth, said),
            }
    if ranked["truth"].nunique() == 2:
        found["roc_auc"] = oracle.roc_auc_score(ranked["truth"], ranked["score"])
        found["average_precision"] = oracle.average_precision_score(ranked["truth"], ranked["score"])
    return {name: float(value) for name, value in found.items()}


def regressed(made: World) -> dict[str, float]:
    rows = made.labelled
    truth, said = rows["truth"].astype(float), rows["said"]
    return {
        "mean_absolute_error": float(oracle.mean_absolute_error(truth, said)),
        "root_mean_squared_error": float(oracle.root_mean_squared_error(truth, said)),
        "r2": float(oracle.r2_score(truth, said)),
        "mean_error": float((said - truth).mean()),
    }


Change = Callable[[World], None]
RIGHT: dict[str, Change] = {}
"""Changes after which every metric is still that of scikit-learn."""


def right(change: Change) -> Change:
    RIGHT[change.__name__.replace("_", " ")] = change
    return change


@right
def nothing_special(made: World) -> None:
    pass


@right
def labels_for_unknown_ids(made: World) -> None:
    made.labels = pd.concat([made.labels, pd.DataFrame({"id": range(50), "y": [0, 1] * 25})])


@right
def duplicates_that_disagree(made: World) -> None:
    made.labels = pd.concat([made.labels.assign(y=lambda frame: 1 - frame["y"]), made.labels])


@right
def a_later_entry_without_a_label_takes_nothing_back(made: World) -> None:
    made.labels = pd.concat([made.labels, made.labels.assign(y=np.nan)])


@right
def duplicate_ids_in_production(made: World) -> None:
    made.production["id"] = made.production["id"] // 2 * 2
    made.labels = made.labels[made.labels["id"] % 2 == 0]
    made.truth = {key: value for key, value in made.truth.items() if key % 2 == 0}


@right
def half_the_labels(made: World) -> None:
    made.labels = made.labels.iloc[::2]
    made.truth = {one: made.truth[one] for one in made.labels["id"].tolist()}


@right
def predictions_as_text(made: World) -> None:
    made.production["p"] = made.production["p"].astype(str)


@right
def predictions_as_booleans(made: World) -> None:
    made.production["p"] = made.production["p"].astype(bool)


@right
def predictions_as_floats_with_a_gap(made: World) -> None:
    made.production["p"] = made.production["p"].astype("float64")
    made.production.loc[::7, "p"] = np.nan
    made.said = made.production["p"].fillna(-1).to_numpy().astype(int)


@right
def true_in_the_labels_and_the_text_true_as_prediction(made: World) -> None:
    for frame in (made.labels, made.reference):
        frame["y"] = frame["y"].astype(bool)
    made.production["p"] = made.production["p"].map({0: "False", 1: "true"})


@right
def labels_as_text_with_blanks_for_none(made: World) -> None:
    made.labels["y"] = made.labels["y"].astype(str)
    made.labels.loc[:9, "y"] = "  "
    for one in made.labels["id"].head(10).tolist():
        del made.truth[one]


@right
def ids_of_another_width(made: World) -> None:
    made.labels["id"] = made.labels["id"].astype("uint16")


@right
def scores_with_gaps(made: World) -> None:
    made.production.loc[::5, "s"] = np.nan
    made.score = made.production["s"].to_numpy()


@right
def scores_as_text_of_numbers(made: World) -> None:
    made.production["s"] = [f" {value!r}" for value in made.score.tolist()]


@right
def scores_as_percentages(made: World) -> None:
    made.production["s"] = made.production["s"] * 100


@right
def scores_outside_of_all_probabilities(made: World) -> None:
    made.production["s"] = np.log(made.score / (1 - made.score))


@right
def an_infinite_score(made: World) -> None:
    made.score = made.score.copy()
    made.score[made.score.argmax()] = 1e9
    made.production["s"] = np.where(made.score == 1e9, np.inf, made.score)


@right
def a_constant_score(made: World) -> None:
    made.score = np.full(ROWS, 0.5)
    made.production["s"] = made.score


@right
def one_prediction_for_all(made: World) -> None:
    made.said = np.ones(ROWS, dtype=int)
    made.production["p"] = made.said


@right
def labels_of_one_class(made: World) -> None:
    made.labels["y"] = 1
    made.truth = dict.fromkeys(made.truth, 1)


@right
def a_single_row(made: World) -> None:
    made.labels = made.labels.head(1)
    made.truth = {made.labels["id"].iloc[0]: made.labels["y"].iloc[0]}


@right
def a_version_that_no_row_names(made: World) -> None:
    made.columns["model_version"] = "v"
    made.production["v"] = pd.Series([None] * ROWS, dtype="str")


@right
def a_version_column_that_is_not_there(made: World) -> None:
    made.columns["model_version"] = "v"


@right
def a_reference_without_predictions(made: World) -> None:
    made.reference.drop(columns="p", inplace=True)


@right
def a_reference_without_scores(made: World) -> None:
    made.reference.drop(columns="s", inplace=True)


@right
def a_reference_without_labels(made: World) -> None:
    made.reference.drop(columns="y", inplace=True)


@right
def a_reference_whose_labels_are_all_missing(made: World) -> None:
    made.reference["y"] = np.nan


@right
def a_reference_of_a_row_of_each_class(made: World) -> None:
    made.reference = made.reference.groupby("y").head(1)


@right
def labels_beside_columns_of_their_own(made: World) -> None:
    made.labels = made.labels.assign(p="not this one", s="nor this", when="2026-01-15")[["when", "s", "y", "p", "id"]]


@right
def other_labels_in_production(made: World) -> None:
    made.production["y"] = 1 - made.labels["y"]


@pytest.mark.parametrize("case", RIGHT)
def test_a_metric_that_is_told_is_right(project: Project, case: str) -> None:
    made = classifier()
    RIGHT[case](made)
    made.write(project)
    found, decision = night_of(project)
    expected = classified(made)
    same(found, expected)
    told = {"accuracy", "precision", "recall", "f1", "roc_auc", "average_precision", "matthews_correlation"}
    assert told & found.realised.keys() == expected.keys()
    assert found.labelled_rows == len(made.labelled)
    assert found.coverage == pytest.approx(len(made.labelled) / ROWS)
    assert found.verdict is not None
    assert found.verdict.sentence
    assert "no labels have arrived" not in found.verdict.sentence
    assert decision.status in {"healthy", "degraded", "data_broken"}
    assert not found.degraded or decision.status != "healthy"


def no_label_column(made: World) -> None:
    made.labels = made.labels.rename(columns={"y": "outcome"})


def no_id_column(made: World) -> None:
    made.labels = made.labels.rename(columns={"id": "customer"})


def an_empty_label_file(made: World) -> None:
    made.labels = made.labels.head(0)


def labels_that_are_all_missing(made: World) -> None:
    made.labels["y"] = np.nan


def labels_of_others_only(made: World) -> None:
    made.labels["id"] -= 5_000


def ids_of_another_kind(made: World) -> None:
    made.labels["id"] = made.labels["id"].astype(str)


def yes_is_not_one(made: World) -> None:
    made.production["p"] = made.production["p"].map({0: "no", 1: "yes"})


def true_is_not_yes(made: World) -> None:
    for frame in (made.labels, made.reference):
        frame["y"] = frame["y"].map({0: "no", 1: "yes"})
    made.production["p"] = made.production["p"].astype(bool)


def classes_that_nobody_knows(made: World) -> None:
    made.labels["y"] = made.labels["y"] + 7


def predictions_that_are_all_missing_and_no_score(made: World) -> None:
    made.production["p"] = np.nan
    made.production.drop(columns="s", inplace=True)


def no_answers_in_production(made: World) -> None:
    made.production.drop(columns=["p", "s"], inplace=True)


def probabilities_as_predictions(made: World) -> None:
    made.production["p"] = made.production["s"]


def scores_that_are_words_and_no_prediction(made: World) -> None:
    made.columns.pop("prediction")
    made.production["s"] = "high"


def labels_that_are_lists(made: World) -> None:
    made.labels["y"] = pd.Series([[value] for value in made.labels["y"].tolist()])


REASONS: dict[Change, str] = {
    no_label_column: "has no column 'y', only id, outcome",
    no_id_column: "has no column 'id', only customer, y",
    an_empty_label_file: "none of its ids is in .* with a label",
    labels_that_are_all_missing: "none of its ids is in .* with a label",
    labels_of_others_only: "none of its ids is in .* with a label",
    ids_of_another_kind: "id is int64 in .*string in .*write the ids as one type",
    yes_is_not_one: r"no prediction is one of the 2 classes \(0, 1\) of the label",
    true_is_not_yes: r"no prediction is one of the 2 classes \(no, yes\) of the label",
    classes_that_nobody_knows: "none of the labels is one of the 2 known classes",
    predictions_that_are_all_missing_and_no_score: "no row has both a label and a prediction",
    no_answers_in_production: "has no column 'p'",
    probabilities_as_predictions: "the predictions have fractions, so they are no classes",
    scores_that_are_words_and_no_prediction: "s in .* is string, and not all of it can be read as numbers",
    labels_that_are_lists: "whose values are no classes",
}


@pytest.mark.parametrize("change", REASONS, ids=lambda change: change.__name__.replace("_", " "))
def test_what_cannot_be_measured_says_why(project: Project, change: Change) -> None:
    made = classifier()
    change(made)
    made.write(project)
    found, decision = night_of(project)
    assert found.status == "not_evaluable"
    assert found.reason is not None
    assert re.search(REASONS[change], found.reason), found.reason
    assert found.realised == {}
    assert found.verdict is not None
    assert not found.degraded
    assert decision.status in {"healthy", "data_broken"}


def test_a_class_that_was_never_seen_is_one_of_its_own(project: Project) -> None:
    made = classifier()
    made.labels.loc[:19, "y"] = 5
    made.write(project)
    found, _ = night_of(project)
    truth, said = made.labels["y"], made.production["p"]
    same(found, {"accuracy": float((truth == said).mean()), "recall": float(said[truth == 1].mean())})
    assert (len(found.by_class), found.by_class[-1].support) == (3, 20)
    assert any("20 labels" in note and "none of the 2 known classes" in note for note in found.notes)


def test_scores_that_are_no_probabilities_say_what_is_not_measured(project: Project) -> None:
    made = classifier()
    scores_as_percentages(made)
    made.write(project)
    found, _ = night_of(project)
    assert not {"log_loss", "brier_score", "calibration_error"} & found.realised.keys()
    assert any("look like percentages" in note for note in found.notes)
    assert found.estimated is not None
    assert (found.estimated.status, found.estimated.metrics) == ("not_evaluable", {})
    assert "outside 0 to 1" in (found.estimated.reason or "")


def test_a_reference_of_one_class_judges_by_what_it_has(project: Project) -> None:
    made = classifier()
    made.reference["y"] = 1
    made.write(project)
    found, _ = night_of(project)
    assert found.estimated is not None
    assert found.estimated.status == "not_evaluable"
    assert "one class" in (found.estimated.reason or "")
    same(found, {"accuracy": classified(made)["accuracy"]})


def test_no_label_anywhere_is_awaited(project: Project) -> None:
    made = classifier()
    made.arrived = False
    made.reference.drop(columns="y", inplace=True)
    made.write(project)
    found, decision = night_of(project)
    assert (found.status, found.reason) == ("awaiting_labels", f"no labels for {DAY} yet")
    assert decision.status == "healthy"


def test_a_night_without_a_row_is_a_reason(project: Project) -> None:
    made = classifier()
    made.production = made.production.head(0)
    made.write(project)
    night = project.night(str(DAY))
    steps.pull_snapshots(night)
    found = steps.measure_performance(night)
    assert (found.status, found.failure) == ("not_evaluable", None)
    assert found.estimated is not None
    assert found.estimated.status == "not_evaluable"
    assert not found.degraded


def whole_numbers(made: World) -> None:
    pass


def a_reference_without_forecasts(made: World) -> None:
    """As few whole numbers as classes have: what says that they are none is tonight's forecast, or the monitor."""
    made.reference.drop(columns="p", inplace=True)
    made.monitor["task"] = "regression"


def numbers_as_text(made: World) -> None:
    made.labels["y"] = made.labels["y"].astype(str)


def forecasts_with_gaps(made: World) -> None:
    made.production.loc[::4, "p"] = np.nan
    kept = set(made.production["id"][made.production["p"].notna()].tolist())
    made.truth = {one: value for one, value in made.truth.items() if one in kept}


@pytest.mark.parametrize(
    "change",
    [whole_numbers, a_reference_without_forecasts, numbers_as_text, forecasts_with_gaps],
    ids=lambda change: change.__name__.replace("_", " "),
)
def test_an_error_that_is_told_is_right(project: Project, change: Change) -> None:
    made = regressor()
    change(made)
    made.write(project)
    found, decision = night_of(project)
    assert found.task == "regression"
    same(found, regressed(made))
    assert (found.verdict is not None, decision.status) == (True, "healthy")


def test_a_quantile_is_judged_by_its_own_loss(project: Project) -> None:
    made = regressor()
    made.performance["quantile"] = 0.9
    made.write(project)
    found, _ = night_of(project)
    rows = made.labelled
    loss = float(oracle.mean_pinball_loss(rows["truth"].astype(float), rows["said"], alpha=0.9))
    same(found, {"quantile_loss": loss} | regressed(made))


def an_infinite_label(made: World) -> None:
    made.labels["y"] = made.labels["y"].astype(float).where(made.labels.index > 0, np.inf)


def an_infinite_forecast(made: World) -> None:
    made.production.loc[0, "p"] = -np.inf


def forecasts_that_are_words(made: World) -> None:
    made.production["p"] = "many"


def labels_that_are_words(made: World) -> None:
    made.labels["y"] = "many"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (an_infinite_label, "there are infinite numbers"),
        (an_infinite_forecast, "there are infinite numbers"),
        (forecasts_that_are_words, "not all of it can be read as numbers"),
        (labels_that_are_words, "not all of it can be read as numbers"),
    ],
    ids=lambda value: getattr(value, "__name__", "").replace("_", " "),
)
def test_an_error_that_cannot_be_told_says_why(project: Project, change: Change, words: str) -> None:
    made = regressor()
    change(made)
    made.write(project)
    found, decision = night_of(project)
    assert (found.status, found.realised, decision.status) == ("not_evaluable", {}, "healthy")
    assert words in (found.reason or "")
    assert not found.degraded


def test_labels_that_are_all_the_same_have_no_r2(project: Project) -> None:
    made = regressor()
    made.labels["y"] = 3
    made.truth = dict.fromkeys(made.truth, 3)
    made.write(project)
    found, _ = night_of(project)
    assert "r2" not in found.realised
    same(found, {"mean_absolute_error": regressed(made)["mean_absolute_error"]})


def days_of(project: Project, many: int) -> list[World]:
    """So many days of predictions with labels, the last one tonight."""
    worlds = []
    for back in range(many - 1, -1, -1):
        day = DAY - timedelta(days=back)
        made = classifier()
        made.production, truth = side(ROWS, 100 + back, 10_000 * (back + 1))
        made.labels = pd.DataFrame({"id": made.production["id"], "y": truth})
        made.truth = dict(zip(made.production["id"].tolist(), truth.tolist(), strict=True))
        made.said, made.score = made.production["p"].to_numpy(), made.production["s"].to_numpy()
        project.write_parquet(f"production/dt={day}/part-0.parquet", made.production)
        project.write_parquet(f"labels/dt={day}/part-0.parquet", made.labels)
        worlds.append(made)
    worlds[-1].write(project)
    return worlds


def part(project: Project, kind: str, back: int) -> Any:
    return project.root / f"data/{kind}/dt={DAY - timedelta(days=back)}/part-0.parquet"


@pytest.mark.parametrize("kind", ["production", "labels"])
def test_a_day_that_is_not_there_is_a_gap_and_the_others_are_right(project: Project, kind: str) -> None:
    worlds = days_of(project, 5)
    part(project, kind, 2).unlink()
    found, _ = night_of(project)
    together = pd.concat([made.labelled for place, made in enumerate(worlds) if place != 2])
    span = found.spans["7"]
    assert (span.nights, span.labelled_rows) == (4, 4 * ROWS)
    expected = oracle.roc_auc_score(together["truth"], together["score"])
    assert span.metrics["roc_auc"].value == pytest.approx(expected, abs=1e-4)
    assert DAY - timedelta(days=2) not in {night.day for night in found.nights if night.labelled_rows}


def test_a_day_that_was_measured_and_whose_production_is_gone_keeps_its_values(project: Project) -> None:
    days_of(project, 3)
    before, _ = night_of(project)
    part(project, "production", 1).unlink()
    after, _ = night_of(project)
    assert after == before


@pytest.mark.parametrize("empty", ["production", "labels"])
def test_an_empty_day_in_the_window_is_no_day(project: Project, empty: str) -> None:
    worlds = days_of(project, 3)
    frame = getattr(worlds[1], empty)
    project.write_parquet(f"{empty}/dt={DAY - timedelta(days=1)}/part-0.parquet", frame.head(0))
    found, _ = night_of(project)
    assert found.spans["7"].nights == 2


def test_labels_of_another_shape_on_one_day_cost_that_day(project: Project) -> None:
    days_of(project, 3)
    odd = pd.DataFrame({"who": ["a"], "outcome": ["?"]})
    project.write_parquet(f"labels/dt={DAY - timedelta(days=1)}/part-0.parquet", odd)
    found, _ = night_of(project)
    assert [night.status for night in found.nights if night.rows] == ["measured", "not_evaluable", "measured"]


def test_labels_that_turn_bad_after_they_were_measured_are_said_and_not_kept_for_good(project: Project) -> None:
    days_of(project, 2)
    first, _ = night_of(project)
    project.write_parquet(f"labels/dt={DAY}/part-0.parquet", pd.DataFrame({"id": [1], "outcome": [1]}))
    wrong, _ = night_of(project)
    assert wrong.status == "not_evaluable"
    days_of(project, 2)
    assert night_of(project)[0].realised == first.realised


def test_a_main_metric_of_the_other_task_is_told(project: Project) -> None:
    made = classifier()
    made.performance["main"] = "mean_absolute_error"
    made.write(project)
    found, decision = night_of(project)
    assert found.verdict is not None
    assert (found.verdict.status, decision.status) == ("unknown", "healthy")
    assert "mean absolute error is a metric of a regression" in found.verdict.sentence
    assert "classification" in found.verdict.sentence


def test_a_floor_of_the_other_task_is_told(project: Project) -> None:
    made = classifier()
    made.performance["floors"] = {"r2": 0.5}
    made.write(project)
    found, _ = night_of(project)
    assert any("r2" in note and "regression" in note for note in found.notes)
    assert not found.degraded


def test_a_main_metric_that_the_rows_do_not_give_is_told(project: Project) -> None:
    made = classifier()
    made.columns.pop("score")
    made.performance["main"] = "log_loss"
    made.write(project)
    found, _ = night_of(project)
    assert found.verdict is not None
    assert (found.verdict.status, found.verdict.sentence) == ("unknown", "the labels that have come give no log loss")


@pytest.mark.parametrize(
    ("task", "performance", "words"),
    [
        ("classification", {"floors": {"r2": 0.5}}, "metrics of the task classification"),
        ("regression", {"main": "roc_auc"}, "metrics of the task regression"),
        ("auto", {"main": "roc_auc", "floors": {"mean_absolute_error": 3.0}}, "metrics of one task"),
    ],
)
def test_metrics_of_the_other_task_are_found_before_a_night(
    project: Project, task: str, performance: dict[str, Any], words: str
) -> None:
    project.write_suite()
    project.write_monitor(task=task, performance=performance)
    with pytest.raises(ConfigError, match=words):
        project.night(str(DAY))
    assert Monitor.model_fields["performance"].default.main == "auto"


SECRETS = ("hepatitis", "measles")


def private(made: World) -> None:
    names = dict(enumerate(SECRETS))
    for frame, column in ((made.reference, "y"), (made.labels, "y"), (made.reference, "p"), (made.production, "p")):
        frame[column] = frame[column].map(names)
    made.columns["private"] = ["y", "p"]
    made.columns["positive"] = SECRETS[1]


def an_unknown_illness(made: World) -> None:
    made.labels.loc[:9, "y"] = "hepatitis Q"


def an_unknown_prediction(made: World) -> None:
    made.production.loc[:9, "p"] = "hepatitis Q"


def nothing_but_unknown_predictions(made: World) -> None:
    made.production["p"] = "hepatitis Q"


def a_score_of_the_other_one(made: World) -> None:
    made.reference["s"] = 1 - made.reference["s"]


def a_structure_of_other_classes(made: World) -> None:
    made.production["s"] = pd.Series([{"hepatitis": value, "mumps": 1 - value} for value in made.score.tolist()])


def scores_as_words(made: World) -> None:
    made.production["s"] = "hepatitis"


def a_version_that_is_private(made: World) -> None:
    made.columns |= {"model_version": "v", "private": ["y", "p", "v"]}
    made.production["v"] = "hepatitis-model"


@pytest.mark.parametrize(
    "change",
    [
        nothing_special, an_unknown_illness, an_unknown_prediction, nothing_but_unknown_predictions,
        a_score_of_the_other_one, a_structure_of_other_classes, scores_as_words, a_version_that_is_private,
        labels_of_others_only,
    ],
    ids=lambda change: change.__name__.replace("_", " "),
)  # fmt: skip
def test_no_class_of_a_private_label_is_named(project: Project, change: Change) -> None:
    made = classifier()
    private(made)
    change(made)
    made.write(project)
    night_of(project)
    kept = [path for path in project.store.rglob("*.json") if path.name != "snapshots.json"]
    assert {"performance.json", "decision.json", f"{DAY}.json"} <= {path.name for path in kept}
    for path in kept:
        text = path.read_text(encoding="utf-8")
        assert not [secret for secret in (*SECRETS, "mumps") if secret in text], path.name
        json.loads(text)
