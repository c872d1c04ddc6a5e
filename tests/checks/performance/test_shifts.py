"""What is watched beside the metrics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.checks.performance.labelled_rows import Rows
from pipeline.checks.performance.shifts import shifts
from pipeline.config import ColumnRoles
from pipeline.labels.classes import classes_of
from pipeline.results import Shift

ROLES = ColumnRoles(label="y", prediction="p", score="s")
CLASSES = classes_of([0, 1], ROLES)
SEVERAL = ColumnRoles(label="y", prediction="p", scores={"a": "a", "b": "b", "c": "c"})


def rows(frame: pd.DataFrame) -> Rows:
    return Rows(pa.Table.from_pandas(frame, preserve_index=False), "labels/", "production/")


def made(seed: int, many: int, *, shift: float = 0.0, tilt: float = 0.0) -> pd.DataFrame:
    """`shift` moves the inputs; `tilt` what is true of them."""
    chance = np.random.default_rng(seed)
    logit = chance.normal(shift, 1.5, many)
    score = 1 / (1 + np.exp(-logit))
    truth = chance.random(many) < 1 / (1 + np.exp(-logit - tilt))
    return pd.DataFrame({"y": truth.astype(int), "s": score, "p": (score >= 0.5).astype(int)})


def of_several(seed: int, many: int, weights: tuple[float, float, float] = (1, 1, 1)) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    score = chance.dirichlet(weights, many)
    labels = [chance.choice(["a", "b", "c"], p=line) for line in score]
    said = np.array(["a", "b", "c"])[score.argmax(axis=1)]
    return pd.DataFrame({"y": labels, "p": said, "a": score[:, 0], "b": score[:, 1], "c": score[:, 2]})


def found(tonight: pd.DataFrame, reference: pd.DataFrame) -> dict[str, Shift]:
    return {item.name: item for item in shifts(rows(tonight), rows(reference), ROLES, CLASSES, rows(tonight))}


def test_quiet_on_data_that_does_not_change() -> None:
    reference, rung = made(1, 5_000), 0
    for seed in range(100):
        rung += sum(item.moved for item in found(made(10 + seed, 2_000), reference).values())
    assert rung <= 2  # of 500 looks at a level of 0.001 one in two


def test_inputs_that_moved_show_in_predictions_and_confidence() -> None:
    now = found(made(2, 3_000, shift=1.0), made(1, 5_000))
    assert {name for name, item in now.items() if item.moved} == {
        "prediction_share",
        "mean_confidence",
        "label_share",
        "grey_zone_share",
    }
    assert not now["calibration"].moved  # at equal scores as much comes true as before


def test_a_relation_that_moved_shows_in_labels_and_calibration() -> None:
    now = found(made(2, 3_000, tilt=1.0), made(1, 5_000))
    assert {name for name, item in now.items() if item.moved} == {"label_share", "calibration"}
    assert now["calibration"].now > 0.1


def test_values_are_those_of_both_sides_and_the_sentence_names_the_test() -> None:
    reference = pd.DataFrame({"y": [0, 1] * 500, "s": [0.5, 0.9] * 500, "p": [0, 1] * 500})
    tonight = pd.DataFrame({"y": [0, 1, 1, 1] * 250, "s": [0.5, 0.9, 0.9, 0.9] * 250, "p": [0, 1, 1, 1] * 250})
    now = found(tonight, reference)
    assert (now["label_share"].now, now["label_share"].before) == (0.75, 0.5)
    assert (now["grey_zone_share"].now, now["grey_zone_share"].before) == (0.25, 0.5)
    assert now["mean_confidence"].now == pytest.approx(0.8)
    assert now["label_share"].sentence == "75%, the reference had 50% (two-proportion z test, p < 0.001)"


def test_what_is_sure_and_too_small_to_matter_does_not_shout() -> None:
    many = 2_000_000
    reference = pd.DataFrame({"y": np.arange(many) % 2, "s": 0.5, "p": 1})
    tonight = reference.assign(y=(np.arange(many) % 100 < 51).astype(int))
    now = found(tonight, reference)
    assert "p < 0.001" in now["label_share"].sentence
    assert not now["label_share"].moved


def test_several_classes_have_distances() -> None:
    classes = classes_of(["a", "b", "c"], SEVERAL)
    reference = rows(of_several(1, 3_000))
    for weights, moved in (((1.0, 1.0, 1.0), False), ((4.0, 1.0, 1.0), True)):
        tonight = rows(of_several(2, 2_000, weights))
        now = {item.name: item for item in shifts(tonight, reference, SEVERAL, classes, tonight)}
        assert now.keys() == {"prediction_distance", "mean_confidence", "grey_zone_share", "label_distance"}
        assert now["label_distance"].moved is moved
        assert now["prediction_distance"].moved is moved


def test_a_regression_has_means() -> None:
    roles = ColumnRoles(label="y", prediction="p")
    chance = np.random.default_rng(1)
    before = pd.DataFrame({"y": chance.normal(10, 2, 2_000), "p": chance.normal(10, 1, 2_000)})
    now = pd.DataFrame({"y": chance.normal(11, 2, 1_000), "p": chance.normal(10, 1, 1_000)})
    by_name = {item.name: item for item in shifts(rows(now), rows(before), roles, None, rows(now))}
    assert {name: item.moved for name, item in by_name.items()} == {"mean_prediction": False, "mean_label": True}


def test_what_cannot_be_read_is_left_out() -> None:
    reference, night = made(1, 500), made(2, 300)
    assert found(night.assign(s=50.0), reference).keys() == {"prediction_share", "label_share"}
    assert found(night.drop(columns=["s", "p"]), reference).keys() == {"label_share"}
    assert found(night.head(20), reference) == {}
    assert shifts(rows(night.head(0)), rows(reference.head(0)), ROLES, CLASSES) == []
    without = shifts(rows(night), rows(reference.drop(columns="y")), ROLES, CLASSES, rows(night))
    assert "label_share" not in {item.name for item in without}
