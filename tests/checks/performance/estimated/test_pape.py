"""The reference weighted to be like tonight."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.checks.performance.estimated.features import Features, encoder
from tests.checks.performance.estimated.made import blind, fitted, rows

FEATURES = Features(["x"], ["group"])


def misses(method_features: Features | None, share: float) -> tuple[list[float], set[str], list[bool]]:
    """Estimated minus realised accuracy on a few nights, by which methods, and whether intervals held the value."""
    estimator = fitted(blind(1, 20_000, share=0.2), method_features)
    gaps: list[float] = []
    methods: set[str] = set()
    inside: list[bool] = []
    for seed in range(5):
        night = blind(100 + seed, 4_000, share=share)
        found, realised = estimator.expect(rows(night)), float((night["y"] == night["p"]).mean())
        accuracy = found.metrics["accuracy"]
        gaps.append(accuracy.value - realised)
        methods.add(found.method)
        inside.append((accuracy.low or 0) <= realised <= (accuracy.high or 0))
    return gaps, methods, inside


def test_a_shift_of_inputs_that_the_score_does_not_show_is_seen_with_weights_only() -> None:
    plain, _, _ = misses(None, share=0.8)
    weighted, methods, inside = misses(FEATURES, share=0.8)
    assert methods == {"pape"}
    assert np.mean(plain) > 0.1  # calibrated on a reference where the model was right much more often
    assert abs(np.mean(weighted)) < 0.02
    assert sum(inside) >= 4


def test_nights_like_the_reference_keep_the_plain_estimate() -> None:
    gaps, methods, inside = misses(FEATURES, share=0.2)
    assert methods == {"cbpe"}
    assert abs(np.mean(gaps)) < 0.01
    assert sum(inside) >= 4


def test_tonights_labels_have_no_part_in_it() -> None:
    estimator, night = fitted(blind(1, 5_000, share=0.2), FEATURES), blind(2, 1_000, share=0.8)
    turned = night.assign(y=1 - night["y"])
    assert estimator.expect(rows(night)) == estimator.expect(rows(turned))


def test_few_rows_keep_the_plain_estimate() -> None:
    assert fitted(blind(1, 5_000, share=0.2), FEATURES).expect(rows(blind(2, 40, share=1.0))).method == "cbpe"


@pytest.mark.parametrize("gone", [["x"], ["group"], ["x", "group"]])
def test_columns_that_are_gone_tonight_are_done_without(gone: list[str]) -> None:
    estimator = fitted(blind(1, 5_000, share=0.2), FEATURES)
    assert estimator.expect(rows(blind(2, 1_000, share=0.8).drop(columns=gone))).metrics["accuracy"].rows == 1_000


def test_what_the_model_wrote_is_no_feature() -> None:
    estimator = fitted(blind(1, 500, share=0.2), Features(["x", "s", "p", "y", "id"], ["group"]))
    assert estimator.encoder.names == ("x", "group")


def test_rare_categories_are_one_and_missing_ones_are_missing() -> None:
    often = [f"c{place}" for place in range(200) for _ in range(2)]
    known = encoder(rows(pd.DataFrame({"c": [*often, "rare"]})), Features([], ["c"]))
    found = known.matrix(rows(pd.DataFrame({"c": ["c0", "rare", "never seen", None]})))[:, 0]
    assert found[:3].tolist() == [0, 200, 200]
    assert np.isnan(found[3])


def test_a_column_that_holds_no_numbers_is_left_out() -> None:
    frame = pd.DataFrame({"x": ["a", "b"], "z": [1.0, np.inf], "l": [[1], [2]]})
    known = encoder(rows(frame), Features(["x", "z"], ["l"]))
    assert known.names == ("z",)
    assert np.isnan(known.matrix(rows(frame))).tolist() == [[False], [True]]
