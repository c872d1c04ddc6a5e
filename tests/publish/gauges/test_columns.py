"""Gauges of what a night's columns hold, where a monitor asks for them."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.config import Monitor
from pipeline.publish.facts.night import NightView
from pipeline.publish.gauges import night as gauges
from tests.publish import profiles, samples
from tests.publish.reading import read_gauges

KEPT = profiles.profile(
    [profiles.numbers("age", 0.5, missing=60), profiles.countries("country"), profiles.numbers("orders_90d")]
)


def asking(*, asks: bool = True, private: tuple[str, ...] = ()) -> NightView:
    told = samples.monitor().model_dump(by_alias=True)
    told["drift"]["profile_gauges"] = asks
    told["columns"]["private"] = private
    return dataclasses.replace(samples.view(), monitor=Monitor.model_validate(told))


def test_they_say_what_the_profile_says() -> None:
    found = read_gauges(gauges.exposition(asking(), KEPT))
    assert ({"column": "age"}, 45.0) in found["column_mean"]
    assert ({"column": "age"}, 10.0) in found["column_deviation"]
    assert ({"column": "age"}, 0.02) in found["column_missing_ratio"]
    assert found["column_distinct_ratio"] == [({"column": "country"}, 7 / profiles.ROWS)]
    of_age = {labels["quantile"]: value for labels, value in found["column_quantile"] if labels["column"] == "age"}
    assert list(of_age) == ["0.05", "0.25", "0.5", "0.75", "0.95"]
    assert of_age["0.5"] == pytest.approx(45, abs=0.5)
    assert {labels["column"] for labels, _ in found["column_missing_ratio"]} == {"age", "country", "orders_90d"}


def test_a_monitor_that_does_not_ask_has_none() -> None:
    assert gauges.exposition(asking(asks=False), KEPT) == gauges.exposition(samples.view())
    assert not Monitor.model_validate(samples.monitor().model_dump(by_alias=True)).drift.profile_gauges


def test_private_columns_have_none() -> None:
    found = read_gauges(gauges.exposition(asking(private=("age", "country")), KEPT))
    told = [labels["column"] for name in ("column_mean", "column_missing_ratio") for labels, _ in found[name]]
    assert set(told) == {"orders_90d"}
    assert "column_distinct_ratio" not in found
    assert {labels["column"] for labels, _ in found["column_quantile"]} == {"orders_90d"}
