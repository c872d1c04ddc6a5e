"""Sentences a person reads in a mail, computed from two summaries."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.checks.drift.explain import explain, explain_missing
from pipeline.checks.scan import Summary
from pipeline.checks.scan.summary import Presence
from tests.checks.drift.summaries import categories, numbers


def spread_out(centre: float, deviation: float) -> Any:
    values = np.random.default_rng(0).normal(size=2000)
    return (values - values.mean()) / values.std() * deviation + centre


def why(reference: Any, production: Any) -> str:
    return "; ".join(explain(numbers(reference), numbers(production)))


def with_missing(summary: Summary, missing: int) -> Summary:
    return dataclasses.replace(summary, presence=Presence(rows=summary.presence.rows, nulls=missing))


def test_a_moved_mean() -> None:
    assert why(spread_out(34.1, 10.6), spread_out(47.9, 10.6)) == (
        "mean moved up by 1.3 reference standard deviations (34.1 to 47.9)"
    )


def test_a_moved_median_when_the_mean_stayed() -> None:
    reference = np.concatenate([np.full(600, 10.0), np.full(400, 20.0)])
    production = np.concatenate([np.full(400, 10.0), np.full(599, 16.7), [0.0]])
    sentence = why(reference, production)
    assert sentence.startswith("median moved up by 1.4 reference standard deviations (10 to 16.7)")


def test_a_changed_spread() -> None:
    assert why(spread_out(0, 1), spread_out(0, 3)) == ("spread is 3.0 times as wide (standard deviation 1 to 3)")
    assert why(spread_out(0, 4), spread_out(0, 1)) == (
        "spread is narrower, 25% of the reference (standard deviation 4 to 1)"
    )


def test_a_column_that_became_or_was_constant() -> None:
    assert "all values are now 3" in why(spread_out(3, 1), [3.0] * 50)
    assert why([3.0] * 50, [4.0] * 50) == "mean moved up from a constant (3 to 4)"


def test_a_changed_shape_between_equal_means_and_spreads() -> None:
    values = spread_out(0, 1)
    skewed = np.random.default_rng(1).exponential(size=2000)
    skewed = (skewed - skewed.mean()) / skewed.std()
    sentences = explain(numbers(values), numbers(skewed))
    assert sentences
    assert "deviations" in sentences[0] or "stayed about the same" in sentences[0]
    assert why(values, values).startswith("the shape changed")


@pytest.mark.parametrize(
    ("convert", "expected"),
    [
        (lambda v: v * 100, "multiplied by 100, as between a fraction and percent"),
        (lambda v: v / 1000, "divided by 1000"),
        (lambda v: v * 2.54, "multiplied by 2.54, as between inches and centimetres"),
        (lambda v: v / 1.609344, "divided by 1.609, as between miles and kilometres"),
        (lambda v: v * 0.45359237, "divided by 2.205, as between kilograms and pounds"),
        (lambda v: v * 60, "multiplied by 60"),
        (lambda v: v / 3600, "divided by 3600"),
        (lambda v: v * 24, "multiplied by 24, as between hours and days"),
        (lambda v: v * 1.8 + 32, "converted from Celsius to Fahrenheit (median 20 to 68)"),
        (lambda v: (v - 32) / 1.8, "converted from Fahrenheit to Celsius"),
    ],
)
def test_a_change_of_unit_comes_first(convert: Any, expected: str) -> None:
    reference = spread_out(20, 4)
    reference = reference - np.median(reference) + 20
    assert expected in explain(numbers(reference), numbers(convert(reference)))[0]


def test_an_ordinary_shift_is_no_change_of_unit() -> None:
    for production in (spread_out(24, 4), spread_out(200, 4), spread_out(-20, 4), spread_out(20, 400)):
        assert "look" not in why(spread_out(20, 4), production)


@pytest.mark.parametrize(
    ("production", "told"),
    [
        (spread_out(24, 4), ("mean moved up by 1.0 reference standard deviations",)),
        (spread_out(20, 8), ("spread is 2.0 times as wide",)),
        (spread_out(20, 2), ("spread is narrower, 50% of the reference",)),
        (np.full(2_000, 20.0), ("all values are now the same",)),
        (spread_out(20, 4) * 1.8 + 32, ("values look converted from Celsius to Fahrenheit",)),
    ],
)
def test_of_a_private_column_what_changed_is_told_without_a_value(production: Any, told: tuple[str, ...]) -> None:
    reference = numbers(spread_out(20, 4))
    sentences = explain(reference, numbers(production), private=True)
    assert set(told) <= set(sentences)
    assert not any("(" in sentence or " to " in sentence.replace("Celsius to", "") for sentence in sentences)


def test_a_private_constant_and_private_tails_are_told_without_a_value() -> None:
    constant, other = numbers(np.full(2_000, 7.0)), numbers(np.full(2_000, 9.0))
    assert explain(constant, other, private=True) == ("mean moved up from a constant",)
    values = np.sort(spread_out(20, 4))
    tail = numbers(np.concatenate([values[:-150], values[-150:] + 1.5]))
    assert explain(numbers(values), tail, private=True) == (
        "mean and spread stayed about the same, but the highest 5% now begins higher",
    )


def test_missing_values() -> None:
    column = numbers(spread_out(0, 1))
    assert explain(column, with_missing(column, 600))[-1] == "missing values rose from 0% to 30%"
    assert explain_missing(with_missing(column, 600), column) == "missing values fell from 30% to 0%"
    assert explain_missing(column, with_missing(column, 10)) is None


def test_categories_that_grew_appeared_and_vanished() -> None:
    reference = categories(["a"] * 50 + ["b"] * 30 + ["c"] * 20)
    production = categories(["a"] * 55 + ["b"] * 5 + ["d"] * 40)
    assert explain(reference, production) == (
        "category 'd' is new, with 40% of the values",
        "category 'b' shrank from 30% to 5%",
        "category 'c' vanished (it had 20%)",
        "1 more category changed by at least 1% of the rows",
    )


def test_many_small_categories() -> None:
    reference, production = categories([f"r{n}" for n in range(300)]), categories([f"p{n}" for n in range(200)])
    assert explain(reference, production) == (
        "200 new and 300 vanished categories, none with more than 1% of the rows",
    )
    spread = categories([f"r{n % 200}" for n in range(2000)] + ["r1"])
    assert explain(spread, categories([f"r{n % 200}" for n in range(2000)])) == (
        "many categories changed a little, none by more than 1% of the rows",
    )


@settings(derandomize=True, deadline=None, database=None, max_examples=60)
@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20), st.lists(st.floats(-1e300, 1e300), min_size=1))
def test_any_two_columns_have_an_explanation_or_none(reference: list[float], production: list[float]) -> None:
    for sentence in explain(numbers(reference), numbers(production)):
        assert sentence
        assert "nan" not in sentence
        assert not sentence.endswith(".")
