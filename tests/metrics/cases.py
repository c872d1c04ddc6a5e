"""Rows for tests of metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.metrics.counting import count_classes, count_forecasts
from pipeline.metrics.counts import Counts

SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Classified:
    """Labels and predictions as positions of classes, and a column of probabilities for each class."""

    truth: NDArray[np.int64]
    said: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    known: int

    @property
    def positive(self) -> int | None:
        return 1 if self.known == 2 else None

    def counts(self, rows: slice | NDArray[np.int64] = slice(None)) -> Counts:
        places = [1] if self.known == 2 else list(range(self.known))
        scores = self.probabilities[rows][:, places]
        return count_classes(self.truth[rows], self.said[rows], (places, scores), self.known, self.positive)


def classified(seed: int, known: int, rows: int, *, strange: float = 0.0, digits: int = 2) -> Classified:
    """Labels of all classes where the rows suffice; ties where `digits` are few. `strange` labels and predictions are
    one value that is none of the classes.
    """
    random = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(known), random.integers(0, known, max(rows - known, 0))])[:rows]
    raw = random.random((rows, known)) + 0.01 + 0.6 * (np.arange(known) == truth[:, None])
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    if known == 2:
        second = probabilities[:, 1].round(digits)
        probabilities = np.column_stack([1 - second, second])
    said = probabilities.argmax(axis=1)
    if strange:
        truth = np.where(random.random(rows) < strange, known, truth)
        said = np.where(random.random(rows) < strange, known, said)
    return Classified(truth, said, probabilities, known)


def forecast(seed: int, rows: int, *, mean: float = 100.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Labels, and what was forecast of them."""
    random = np.random.default_rng(seed)
    truth = random.normal(mean, 3, rows)
    return truth, truth + random.normal(0.2, 1, rows)


def forecasts(seed: int, rows: int, quantile: float | None = None, *, mean: float = 100.0) -> Counts:
    return count_forecasts(*forecast(seed, rows, mean=mean), quantile)
