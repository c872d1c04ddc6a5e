"""What the answers of two versions say, and that it does not matter when their labels came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import ColumnRoles
from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.labels.columns import LabelsUnusable
from pipeline.metrics.draws import Answers
from pipeline.results import Task, Watch
from pipeline.retrain.beside.answered import Said
from pipeline.retrain.beside.compared import FEWEST_ROWS, Beside, compare

FIRST = date(2026, 1, 5)
ROLES = ColumnRoles(id="id", label="label")
ACCURACY = RetrainPolicy(main_metric="accuracy")
BLANK = Watch(
    kind="probation",
    version="2",
    against="1",
    since=FIRST,
    until=FIRST + timedelta(days=6),
    night=FIRST + timedelta(days=6),
)


def said(
    predictions: Any, probabilities: Any = None, classes: tuple[Any, ...] = (0, 1), task: Task = "classification"
) -> Said:
    found = None if probabilities is None else np.column_stack([1 - np.asarray(probabilities), probabilities])
    return Said(Answers(np.asarray(predictions), () if task == "regression" else classes, found), task)


def column(values: Sequence[Any]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(list(values), from_pandas=True)])


def values(labels: pa.ChunkedArray | None) -> list[Any]:
    assert labels is not None
    found: list[Any] = labels.to_pylist()
    return found


def night(number: int, rows: int = 200, wrong: float = 0.3, wrong_before: float = 0.1, seed: int = 0) -> Beside:
    """Two models that are wrong on so many rows, all of which have a label."""
    random = np.random.default_rng([seed, number])
    truth = random.integers(0, 2, rows)
    new, old = (np.where(random.random(rows) < share, 1 - truth, truth) for share in (wrong, wrong_before))
    sure = [np.where(answers == 1, 0.8, 0.2) for answers in (new, old)]
    return Beside(
        FIRST + timedelta(days=number),
        said(new, sure[0]),
        said(old, sure[1]),
        column(truth.tolist()),
        column([f"{number}-{row}" for row in range(rows)]),
    )


def compared(*nights: Beside, policy: RetrainPolicy = ACCURACY) -> Watch:
    return compare(BLANK, nights, ROLES, policy)


def test_a_model_that_is_worse_is_said_to_be_so_with_its_figures() -> None:
    found = compared(night(0), night(1), night(2))

    assert (found.nights, found.rows, found.labelled_nights, found.labelled_rows) == (3, 600, 3, 600)
    assert found.loss is not None
    assert found.main is not None
    assert found.loss.loss == "error"
    assert found.loss.version == pytest.approx(0.3, abs=0.06)
    assert found.loss.difference == pytest.approx(found.loss.version - found.loss.against)
    assert found.main.challenger == pytest.approx(1 - found.loss.version)
    assert found.decision == "worse"
    assert "version 2 against version 1 on 600 labelled rows of 3 nights: error rate " in found.sentence
    assert found.sentence.endswith("worse beyond the noise")


def test_one_that_is_better_and_one_that_is_the_same() -> None:
    assert compared(*(night(number, wrong=0.1, wrong_before=0.3) for number in range(4))).decision == "better"
    same = replace(night(0), version=night(0).against)
    found = compared(same)
    assert (found.agreement, found.decision) == (1.0, "open")
    assert found.loss is not None
    assert (found.loss.low, found.loss.difference, found.loss.high) == (0, 0, 0)


def test_few_rows_decide_nothing_however_bad_they_look() -> None:
    found = compared(night(0, rows=FEWEST_ROWS - 1, wrong=1.0, wrong_before=0.0))

    assert found.loss is not None
    assert found.loss.low is None
    assert found.decision == "open"
    assert "nothing is decided on fewer than 100" in found.sentence
    assert compared(night(0, rows=FEWEST_ROWS, wrong=1.0, wrong_before=0.0)).decision == "worse"


def test_without_labels_there_is_agreement_at_once() -> None:
    found = compared(replace(night(0), labels=None), replace(night(1), labels=column([None] * 200)))

    assert found.loss is None
    assert found.main is None
    assert found.agreement == pytest.approx(0.66, abs=0.08)
    assert found.decision == "open"
    assert found.sentence.endswith("no label has come yet")


def test_labels_that_came_late_in_parts_or_were_corrected_end_at_the_same() -> None:
    at_once = [night(number) for number in range(3)]
    half = column([value if row % 2 else None for row, value in enumerate(values(at_once[1].labels))])
    wrong = column([1 - value for value in values(at_once[2].labels)])
    looks = [
        [replace(at_once[0], labels=None), at_once[1], replace(at_once[2], labels=wrong)],
        [at_once[0], replace(at_once[1], labels=half), replace(at_once[2], labels=wrong)],
        at_once,
    ]

    found = [compared(*nights) for nights in looks]

    assert [item.labelled_rows for item in found] == [400, 500, 600]
    assert found[-1] == compared(*at_once)
    assert found[0].loss != found[-1].loss


def test_who_comes_again_every_night_counts_once() -> None:
    first = night(0)
    found = compared(first, replace(first, day=FIRST + timedelta(days=1)), night(2))

    assert (found.rows, found.labelled_rows, found.repeated_rows) == (600, 400, 200)
    assert found.loss == compared(first, night(2)).loss


def test_long_ids_with_gaps_are_not_taken_for_each_other() -> None:
    ids = column([2**62 + row for row in range(199)] + [None])
    assert compared(replace(night(0), ids=ids)).labelled_rows == 200


def test_a_row_without_an_id_counts() -> None:
    ids = column([None] * 200)
    assert compared(replace(night(0), ids=ids), replace(night(1), ids=ids)).labelled_rows == 400
    assert compared(replace(night(0), ids=None), night(1)).labelled_rows == 400


@pytest.mark.parametrize("kind", [str, float, bool])
def test_labels_of_other_types_are_the_same_classes(kind: Any) -> None:
    first = night(0)
    other = replace(first, labels=column([kind(value) for value in values(first.labels)]))
    assert compared(other).loss == compared(first).loss


def test_a_version_that_learnt_its_classes_as_text_is_compared_with_one_that_learnt_numbers() -> None:
    first = night(0)
    text = said([str(value) for value in first.against.answers.predictions], classes=("0", "1"))
    assert compared(replace(first, against=text)).loss == compared(first).loss


def test_labels_that_are_no_class_of_either_are_wrong_for_both() -> None:
    first = night(0, wrong=0.0, wrong_before=0.0)
    found = compared(replace(first, labels=column([2] * 200)), policy=RetrainPolicy(main_metric="log_loss"))

    assert found.loss is not None
    assert found.loss.version == found.loss.against == pytest.approx(6.9, abs=0.1)
    assert found.decision == "open"


def test_probabilities_decide_where_the_main_metric_is_about_them() -> None:
    nights = [night(number, rows=400) for number in range(2)]
    found = compared(*nights, policy=RetrainPolicy())
    assert found.loss is not None
    assert found.main is not None
    assert (found.loss.loss, found.main.name, found.decision) == ("log_loss", "roc_auc", "worse")
    blind = [replace(item, against=said(item.against.answers.predictions)) for item in nights]
    without = compared(*blind, policy=RetrainPolicy())
    assert without.loss is not None
    assert without.loss.loss == "error"


def test_the_loss_does_not_undo_what_the_main_metric_finds_better() -> None:
    """A new model that ranks far better, but is far too sure of itself."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 2, 2_000)
    ranked = np.where(truth == 1, 0.9995, 0.9)
    before = np.clip(0.5 + 0.1 * (truth - 0.5) + random.normal(0, 0.1, 2_000), 0.01, 0.99)
    ids = column(range(2_000))
    beside = Beside(FIRST, said(truth, ranked), said((before > 0.5) * 1, before), column(truth.tolist()), ids)

    found = compared(beside, policy=RetrainPolicy())

    assert found.loss is not None
    assert found.main is not None
    assert found.main.improvement is not None
    assert (found.loss.low or 0) > 0
    assert found.main.improvement > 0
    assert found.decision == "open"
    assert found.sentence.endswith("the two measures do not agree")


def regression(number: int, off: float, off_before: float) -> Beside:
    random = np.random.default_rng(number)
    truth = random.normal(100, 20, 300)
    new, old = truth + random.normal(off, 5, 300), truth + random.normal(off_before, 5, 300)
    ids = column([f"{number}-{row}" for row in range(300)])
    numbers = (said(new, task="regression"), said(old, task="regression"))
    return Beside(FIRST + timedelta(days=number), *numbers, column(truth.tolist()), ids)


def test_forecasts_are_compared_by_their_errors() -> None:
    found = compared(regression(0, 8, 0), regression(1, 8, 0), policy=RetrainPolicy())

    assert found.task == "regression"
    assert found.agreement is None
    assert found.mean_difference == pytest.approx(8, abs=0.7)
    assert found.correlation == pytest.approx(0.94, abs=0.03)
    assert found.loss is not None
    assert found.loss.loss == "absolute_error"
    assert found.decision == "worse"


def test_a_forecast_that_is_no_number_is_left_out_and_said() -> None:
    first = regression(0, 0, 0)
    gone = first.version.answers.predictions.copy()
    gone[:10] = np.nan
    found = compared(replace(first, version=said(gone, task="regression")), policy=RetrainPolicy())

    assert found.labelled_rows == 290
    assert found.notes == ("10 rows left out, for which one of the two gave no number",)


def test_labels_of_a_regression_that_are_no_numbers_are_named() -> None:
    with pytest.raises(LabelsUnusable, match="label is string, and not all of it can be read as numbers"):
        compared(replace(regression(0, 0, 0), labels=column(["many"] * 300)))


def test_a_classifier_and_a_regression_cannot_be_compared() -> None:
    first = night(0)
    found = compared(replace(first, against=said(first.against.answers.predictions, task="regression")))

    assert found.done == "not_possible"
    assert "they cannot be compared" in found.sentence


def test_nights_whose_labels_are_stored_otherwise_go_together() -> None:
    first, second = night(0), night(1)
    text = column([str(value) for value in values(second.labels)])

    assert compared(first, replace(second, labels=text)).loss == compared(first, second).loss


def test_one_class_alone_is_compared_without_a_metric_that_needs_two() -> None:
    first = night(0)
    found = compared(replace(first, labels=column([1] * 200)), policy=RetrainPolicy())

    assert found.main is None
    assert found.loss is not None
