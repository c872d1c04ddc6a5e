"""How often a fixed threshold is passed by chance: what is told against what the real methods do without change."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import Generator

from pipeline.checks.drift.chance import chance_of
from pipeline.checks.drift.compare_column import compare_column
from pipeline.checks.drift.statistics import (
    METHODS,
    Method,
    NotEvaluable,
    aligned_counts,
    drifted,
    score_categorical,
    score_numerical,
)
from pipeline.checks.scan import CategoricalSummary, NumericalSummary, SortedValues, Summary, Unscannable
from pipeline.checks.scan.streaming import cells_of
from pipeline.checks.scan.summary import Presence
from tests.checks.drift.summaries import Values, categories, numbers

Draw = Callable[[Generator, int], Values]
NIGHTS_OF_A_REFERENCE = 5


def labels(many: int, power: float = 1.0) -> Draw:
    weights = np.arange(1.0, many + 1) ** -power
    return lambda random, rows: random.choice(many, rows, p=weights / weights.sum())


NUMBERS: dict[str, Draw] = {
    "normal": lambda random, rows: random.normal(size=rows),
    "t4": lambda random, rows: random.standard_t(4, rows),
    "lognormal": lambda random, rows: random.lognormal(0, 1, rows),
    "lognormal2": lambda random, rows: random.lognormal(0, 2, rows),
    "poisson40": lambda random, rows: random.poisson(40, rows),
    "die": lambda random, rows: random.integers(1, 7, rows),
    "mostly_zero": lambda random, rows: np.where(random.random(rows) < 0.9, 0.0, random.lognormal(0, 1, rows)),
    "rounded": lambda random, rows: np.round(random.normal(size=rows), 2),
}
LABELS: dict[str, Draw] = {
    "two": labels(2),
    "rare": labels(2, 5.0),
    "five": labels(5),
    "twenty_five": labels(25),
    "even_twenty_five": labels(25, 0.0),
    "hundred": labels(100),
    "thousand": labels(1_000),
}
CASES = (
    ("wasserstein", "normal", 10_000, 300),
    ("wasserstein", "t4", 10_000, 300),
    ("wasserstein", "lognormal", 2_500, 250),
    ("wasserstein", "lognormal2", 5_000, 700),
    ("wasserstein", "die", 5_000, 100),
    ("wasserstein", "normal", 30, 20),
    ("ed", "t4", 5_000, 200),
    ("jensenshannon", "twenty_five", 10_000, 300),
    ("jensenshannon", "hundred", 2_000, 2_000),
    ("jensenshannon", "even_twenty_five", 1_200, 600),
    ("jensenshannon", "die", 5_000, 100),
    ("jensenshannon", "normal", 5_000, 150),
    ("psi", "twenty_five", 5_000, 300),
    ("psi", "rare", 5_000, 30),
    ("kl_div", "twenty_five", 5_000, 200),
    ("hellinger", "twenty_five", 5_000, 300),
    ("hellinger", "normal", 3_000, 200),
    ("chisquare", "two", 1_000, 1_000),
    ("chisquare", "five", 1_000, 500),
    ("chisquare", "twenty_five", 1_000, 200),
    ("g_test", "five", 1_000, 1_000),
    ("g_test", "twenty_five", 1_000, 300),
    ("z", "two", 1_000, 40),
    ("fisher_exact", "rare", 500, 200),
    ("ks", "poisson40", 1_000, 300),
    ("ks", "die", 1_000, 300),
    ("cramer_von_mises", "poisson40", 1_000, 300),
    ("cramer_von_mises", "rounded", 1_000, 200),
    ("cramer_von_mises", "mostly_zero", 500, 500),
    ("anderson", "mostly_zero", 500, 500),
    ("es", "normal", 1_000, 100),
    ("t_test", "t4", 1_000, 300),
    ("mannw", "die", 1_000, 300),
)
SIZES = ((300, 300), (1_000, 30), (1_000, 3_000), (10_000, 400))
# Tests that take seconds for every night are not simulated a thousand times.
SLOW_METHODS = frozenset({"TVD", "empirical_mmd"})
LARGER = tuple(
    (name, shape, *sizes)
    for name, method in METHODS.items()
    for kind, shapes in (("numerical", NUMBERS), ("categorical", LABELS))
    for shape in shapes
    for sizes in SIZES
    if kind in method.kinds
    and name not in SLOW_METHODS
    # With 30 rows it fires where a category is new, and of a thousand the reference has not seen all that there are.
    and (name, shape, sizes) != ("g_test", "thousand", (1_000, 30))
)
DISTANCES = [name for name, method in METHODS.items() if method.direction == "distance"]


def column(shape: str, random: Generator, rows: int) -> NumericalSummary | CategoricalSummary:
    drawn = (NUMBERS | LABELS)[shape](random, rows)
    return numbers(drawn) if shape in NUMBERS else categories(np.char.zfill(drawn.astype(str), 4))


def fired(method: Method, reference: Summary, production: Summary) -> bool:
    """Whether the real method calls the night drifted, at its default threshold."""
    try:
        if isinstance(reference, NumericalSummary) and isinstance(production, NumericalSummary):
            score = score_numerical(method, reference, production)
        else:
            assert isinstance(reference, CategoricalSummary)
            assert isinstance(production, CategoricalSummary)
            score = score_categorical(method, aligned_counts(reference.counts, production.counts))
    except NotEvaluable:
        return False
    return drifted(method, score.value, method.default_threshold)


def measured_and_told(name: str, shape: str, size: int, rows: int, nights: int) -> tuple[float, float]:
    """The share of nights without change that are called drifted, and the mean of what is told of it."""
    random, method = np.random.default_rng(17), METHODS[name]
    verdicts, told = list[bool](), list[float]()
    with np.errstate(all="ignore"):
        for _ in range(nights // NIGHTS_OF_A_REFERENCE):
            reference = column(shape, random, size)
            verdicts += [fired(method, reference, column(shape, random, rows)) for _ in range(NIGHTS_OF_A_REFERENCE)]
            if len(told) < 20:
                told.append(known(method, method.default_threshold, reference, rows))
    return float(np.mean(verdicts)), float(np.mean(told))


def known(method: Method, threshold: float, reference: Summary, rows: int) -> float:
    found = chance_of(method, threshold, reference, rows)
    assert found is not None
    return found


def within(measured: float, told: float, nights: int) -> bool:
    """Both are shares of draws: of so many nights, and of some hundred."""
    middle = (measured + told) / 2
    return abs(measured - told) <= 0.015 + 3.5 * math.sqrt(middle * (1 - middle) * (1 / nights + 1 / 400))


# -- what is told is what happens --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "shape", "size", "rows"), CASES)
def test_nights_without_change_are_called_drifted_as_often_as_told(name: str, shape: str, size: int, rows: int) -> None:
    measured, told = measured_and_told(name, shape, size, rows, nights=400)
    assert within(measured, told, 400), (measured, told)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:ks_2samp:RuntimeWarning")  # scipy turns to the limiting distribution by itself
@pytest.mark.parametrize(("name", "shape", "size", "rows"), LARGER)
def test_so_they_are_for_every_method_shape_and_size(name: str, shape: str, size: int, rows: int) -> None:
    measured, told = measured_and_told(name, shape, size, rows, nights=500)
    assert within(measured, told, 500), (measured, told)


@pytest.mark.parametrize(
    ("name", "shape", "rows", "expected"),
    [
        ("jensenshannon", "twenty_five", 300, 0.575),
        ("jensenshannon", "hundred", 1_000, 0.995),
        ("wasserstein", "t4", 300, 0.265),
        ("wasserstein", "t4", 100_000, 0.0),
        ("jensenshannon", "twenty_five", 100_000, 0.0),
    ],
)
def test_a_threshold_of_a_tenth_fires_half_the_nights_or_never(
    name: str, shape: str, rows: int, expected: float
) -> None:
    """The expected shares were measured with the real methods, on 2,000 nights."""
    random = np.random.default_rng(1)
    told = [known(METHODS[name], 0.1, column(shape, random, 10_000), rows) for _ in range(10)]
    assert np.mean(told) == pytest.approx(expected, abs=0.04)


def test_a_test_of_fit_takes_a_small_reference_for_the_truth_and_fires_more_often_than_its_level() -> None:
    reference = column("five", np.random.default_rng(0), 100_000)
    told = [known(METHODS["chisquare"], 0.05, reference, rows) for rows in (1_000, 100_000, 10_000_000)]
    assert told[0] == pytest.approx(0.05, abs=0.005)
    # Twice a chi-square variable with four degrees of freedom is over 9.49 in 31.5 of 100 cases.
    assert told[1] == pytest.approx(0.315, abs=0.005)
    assert told[2] > 0.9


def test_a_rare_chance_is_told_though_no_draw_reaches_the_threshold() -> None:
    """One in some thousand nights: measured on 40,000."""
    reference = column("normal", np.random.default_rng(0), 10_000)
    assert 0.001 < known(METHODS["wasserstein"], 0.1, reference, 1_000) < 0.008


# -- for all of them ---------------------------------------------------------------------------------------------------


def columns_of(method: Method) -> Iterator[NumericalSummary | CategoricalSummary]:
    random = np.random.default_rng(0)
    for kind, shapes in (("numerical", NUMBERS), ("categorical", LABELS)):
        if kind in method.kinds:
            for shape in sorted({"normal", "lognormal2", "mostly_zero", "rare", "hundred"} & shapes.keys()):
                yield column(shape, random, 150)


def odd_columns(method: Method) -> Iterator[NumericalSummary | CategoricalSummary]:
    """One row, a constant, two values, values as far apart as they can be, and one value beside many."""
    if "numerical" in method.kinds:
        for values in (
            [3.0],
            [2.0] * 50,
            [1.0] * 30 + [2.0] * 20,
            [-1e150, 0.0, 1e150],
            [1.0, 2.0],
            [0.0] * 99 + [1e9],
        ):
            yield numbers(values)
    if "categorical" in method.kinds:
        for names in (["a"], ["a"] * 50, ["a"] * 30 + ["b"] * 20, ["a", "b", "c"], ["a", *"bbbbbbbbbbbb"]):
            yield categories(names)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_chance_is_a_share_of_nights_and_grows_as_the_threshold_gets_laxer(method: Method) -> None:
    thresholds = [0.0, 1e-6, 0.01, 0.1, 0.26, 0.9, 3.0]
    for reference in (*columns_of(method), *odd_columns(method)):
        for rows in (1, 40):
            told = [known(method, threshold, reference, rows) for threshold in thresholds]
            assert all(0 <= chance <= 1 for chance in told)
            assert told == sorted(told, reverse=method.direction == "distance")


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_constant_never_fires(method: Method) -> None:
    for reference in odd_columns(method):
        values = reference.counts if isinstance(reference, CategoricalSummary) else reference.distribution
        constant = len(values) == 1 if isinstance(values, dict) else reference.moments.low == reference.moments.high  # type: ignore[union-attr]
        if constant:
            assert known(method, method.default_threshold, reference, 100) == 0.0


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_nobody_knows_of_a_column_without_values_or_a_night_without_rows(method: Method) -> None:
    empty = (
        Unscannable("x", "damaged"),
        replace(numbers([]), presence=Presence(rows=5, nulls=5)),
        replace(categories([]), presence=Presence(rows=5, nulls=5)),
        numbers([]),
    )
    assert [chance_of(method, 0.1, reference, 100) for reference in empty] == [None] * 4
    for reference in columns_of(method):
        assert chance_of(method, 0.1, reference, 0) is None


@pytest.mark.parametrize("name", DISTANCES)
def test_a_distance_fires_less_often_the_more_rows_a_night_has(name: str) -> None:
    for reference in columns_of(METHODS[name]):
        told = [known(METHODS[name], 0.1, reference, rows) for rows in (10, 50, 500)]
        assert told[0] >= told[1] - 0.05
        assert told[1] >= told[2] - 0.05


def test_the_same_is_told_again_whatever_was_asked_meanwhile() -> None:
    first, other = (column("lognormal", np.random.default_rng(seed), 5_000) for seed in (0, 1))
    told = known(METHODS["wasserstein"], 0.1, first, 300)
    for rows in range(100, 40_000, 2_000):
        known(METHODS["wasserstein"], 0.1, other, rows)
    assert known(METHODS["wasserstein"], 0.1, first, 300) == told


# -- how a summary is held makes no difference -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wasserstein", "ed", "ks", "jensenshannon", "psi", "mannw", "t_test"])
@pytest.mark.parametrize("shape", ["t4", "poisson40"])
def test_values_with_counts_and_cells_are_told_as_sorted_values_are(name: str, shape: str) -> None:
    plain = column(shape, np.random.default_rng(0), 20_000)
    assert isinstance(plain, NumericalSummary)
    assert isinstance(plain.distribution, SortedValues)
    values, counts = np.unique(plain.distribution.values, return_counts=True)
    counted = replace(plain, distribution=SortedValues(values, counts))
    edges = np.unique(np.concatenate((values[::40], np.linspace(values[0], values[-1], 500), values)))
    streamed = replace(plain, distribution=cells_of(plain.distribution, edges))
    told = [known(METHODS[name], 0.05, held, 400) for held in (plain, counted, streamed)]
    assert told[1] == told[0]
    assert told[2] == pytest.approx(told[0], abs=0.02)


@pytest.mark.parametrize("name", ["jensenshannon", "psi", "kl_div", "hellinger", "chisquare", "g_test", "z"])
def test_many_pairs_of_counts_are_scored_at_once_as_one_by_one(name: str) -> None:
    random = np.random.default_rng(0)
    method = METHODS[name]
    assert method.counted is not None
    sides = random.multinomial(500, [0.5, 0.3, 0.15, 0.05], 20), random.multinomial(30, [0.5, 0.3, 0.15, 0.05], 20)
    with np.errstate(all="ignore"):
        at_once = np.asarray(method.counted(sides))
        one_by_one = [score_categorical(method, pair).value for pair in zip(*sides, strict=True)]
    assert at_once.tolist() == pytest.approx(one_by_one, rel=1e-12)


# -- beside a score ----------------------------------------------------------------------------------------------------


def test_a_column_tells_the_chance_of_its_method_and_threshold_on_as_many_rows_as_tonights() -> None:
    random = np.random.default_rng(0)
    reference, tonight = column("t4", random, 5_000), column("t4", random, 300)
    with_missing = replace(tonight, presence=Presence(rows=450, nulls=100, nans=50))
    found = compare_column(reference, with_missing, "numerical", threshold=0.15)
    assert found.chance == chance_of(METHODS["wasserstein"], 0.15, reference, 300)
    assert found.chance is not None
    assert 0 < found.chance < 0.2


def test_a_column_without_a_score_tells_no_chance() -> None:
    found = compare_column(numbers([1.0, 2.0]), replace(numbers([]), presence=Presence(rows=3, nulls=3)), "numerical")
    assert found.status == "not_evaluable"
    assert found.chance is None


def test_bins_over_a_range_that_nobody_knows_have_no_chance(caplog: pytest.LogCaptureFixture) -> None:
    """A range wider than the largest float, and that of a night with many more rows than the reference."""
    log_normal = column("lognormal2", np.random.default_rng(0), 150)
    with caplog.at_level(logging.INFO):
        assert chance_of(METHODS["psi"], 0.1, numbers([-1.7e308, *range(30), 1.7e308]), 100) is None
        assert chance_of(METHODS["psi"], 0.1, log_normal, 10_000) is None
    assert caplog.text.count("the chance of psi is not known") == 2
    assert chance_of(METHODS["psi"], 0.1, log_normal, 600) is not None
    assert chance_of(METHODS["psi"], 0.1, column("die", np.random.default_rng(0), 150), 10_000) is not None


def test_an_error_costs_nothing_but_the_chance(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: object) -> float:
        raise ZeroDivisionError("no cells")

    assert chance_of(replace(METHODS["psi"], counted=fails), 0.1, categories(list("abc") * 9), 30) is None
    assert chance_of(replace(METHODS["psi"], counted=fails), math.nan, categories(list("abc") * 900), 3_000) is None
    assert "ZeroDivisionError" in caplog.text
    assert "is no finite number" in caplog.text
