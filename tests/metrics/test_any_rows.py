"""Whatever the rows are: no error, no warning, and every value within its interval, and this within the range."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.metrics.counting import count_classes, count_forecasts
from pipeline.metrics.counts import Counts, merged, unpacked
from pipeline.metrics.details import by_class, details
from pipeline.metrics.measure import measure
from pipeline.results import METRICS
from tests.metrics.cases import SEEDS

EVERY = settings(max_examples=150, deadline=None)
NUMBERS = st.lists(st.one_of(st.floats(), st.sampled_from([0.0, 1.0, 1e154, 1e-160, -1e308])), min_size=1, max_size=8)


def require_sound(counts: Counts) -> None:
    for found in (counts, unpacked(counts.packed()), merged(counts, counts)):
        for name, estimate in measure(found).items():
            kind = METRICS[name]
            assert kind.low - 1e-9 <= estimate.value <= kind.high + 1e-9, name
            assert 0 < estimate.rows <= found.rows, name
            assert estimate.error is None or estimate.error >= 0, name
            assert (estimate.low is None) is (estimate.high is None), name
            if estimate.low is not None and estimate.high is not None:
                assert kind.low - 1e-9 <= estimate.low <= estimate.value + 1e-9, name
                assert estimate.value - 1e-9 * abs(estimate.value) <= estimate.high + 1e-9, name
        details(found, [str(place) for place in range(found.known)])
        by_class(found, [str(place) for place in range(found.known)])


@EVERY
@given(
    SEEDS,
    st.integers(1, 4),
    st.integers(0, 30),
    st.sampled_from(["none", "single", "all", "some"]),
    st.sampled_from(["sum to 1", "random", "percent", "wild", "equal"]),
    st.booleans(),
)
def test_of_classes(seed: int, known: int, rows: int, columns: str, values: str, said: bool) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(-1, known + random.integers(0, 3), rows)
    predicted = random.integers(-1, known + 2, rows) if said else None
    positive = int(random.integers(0, known)) if random.random() < 0.5 else None
    places = {"none": 0, "single": 1, "all": known, "some": max(known - 1, 1)}[columns]
    given_scores = random.random((rows, places))
    if values == "sum to 1" and places:
        given_scores /= given_scores.sum(axis=1, keepdims=True)
    if values == "percent":
        given_scores = (100 * given_scores).round()
    if values == "wild":
        given_scores = random.choice([np.nan, np.inf, -np.inf, 0.0, 1.0, 1e300, -5e-324], (rows, places))
    if values == "equal":
        given_scores[:] = 0.5
    given_scores[random.random((rows, places)) < 0.1] = np.nan
    scores = (random.permutation(known)[:places].tolist(), given_scores) if places else None

    require_sound(count_classes(truth, predicted, scores, known, positive))


@EVERY
@example([1.5095849699286165e169], [1.5095849699286157e169], None)
@example([0.0], [1.2e308], None)
@example([0.0], [2.2e-309], None)
@given(NUMBERS, NUMBERS, st.sampled_from([None, 0.1, 0.5]))
def test_of_forecasts(truth: list[float], said: list[float], quantile: float | None) -> None:
    rows = min(len(truth), len(said))

    require_sound(count_forecasts(np.array(truth[:rows]), np.array(said[:rows]), quantile))
