"""How much nights differ beyond the noise of their rows: found where it is there, nothing where it is not."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest

from pipeline.checks.performance.verdict.stretches import Stretch
from pipeline.checks.performance.verdict.variation import NO_VARIATION, Variation, variation
from pipeline.results import Estimate

DAY = date(2026, 1, 1)
Nights = list[tuple[date, Estimate]]


def nights(random: np.random.Generator, varies: float, many: int, rows: int = 2000, fall: float = 0.0) -> Nights:
    """Accuracies around 0.9; from the middle on lower by a fall."""
    levels = np.clip(random.normal(0.9, varies, many), 0, 1) - fall * (np.arange(many) >= many // 2)
    values = random.binomial(rows, levels) / rows
    return [
        (DAY + timedelta(days=day), Estimate(value=value, error=math.sqrt(value * (1 - value) / rows), rows=rows))
        for day, value in enumerate(values.tolist())
    ]


def test_it_is_found_where_it_is_there() -> None:
    random = np.random.default_rng(1)
    found = [variation("accuracy", nights(random, 0.015, 30)).variance for _ in range(100)]
    assert math.sqrt(float(np.median(found))) == pytest.approx(0.015, rel=0.2)


@pytest.mark.parametrize("fall", [0.0, 0.1])
def test_chance_and_a_fall_are_not_taken_for_it(fall: float) -> None:
    random = np.random.default_rng(2)
    found = [variation("accuracy", nights(random, 0.0, 30, fall=fall)) for _ in range(200)]
    assert sum(item != NO_VARIATION for item in found) <= 0.05 * 200


def test_a_few_nights_or_nights_of_few_rows_say_nothing_of_it() -> None:
    random = np.random.default_rng(3)
    assert variation("accuracy", nights(random, 0.05, 9)) == NO_VARIATION
    assert variation("accuracy", nights(random, 0.05, 30, rows=99)) == NO_VARIATION
    assert variation("accuracy", [(DAY, Estimate(value=0.9, rows=500))] * 30) == NO_VARIATION


def test_a_stretch_has_the_less_of_it_the_more_even_nights_it_has() -> None:
    days = [DAY + timedelta(days=day) for day in range(5)]
    found = Variation(0.01, tuple(zip(days, (100, 100, 100, 100, 10_000), strict=True)))

    def of(first: int, last: int) -> float:
        return found.of(Stretch(days[first], days[last], last - first + 1, Estimate(value=0.9)))

    assert of(0, 3) == pytest.approx(0.01 / 4)
    assert of(4, 4) == pytest.approx(0.01)
    assert of(0, 4) == pytest.approx(0.01, rel=0.1)  # nearly all of its rows are of one night
    assert NO_VARIATION.of(Stretch(DAY, DAY, 1, Estimate(value=0.9))) == 0
