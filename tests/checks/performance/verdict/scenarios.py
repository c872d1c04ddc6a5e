"""Sound models whose false verdicts are counted, and falls whose labels are: the cases of docs/performance.md.

`python -m tests.checks.performance.verdict.scenarios 1000` prints both tables; the tests run a few of each case.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from multiprocessing import Pool
from statistics import median

import numpy as np

from pipeline.config.monitor import PerformancePolicy
from tests.checks.performance.verdict.simulation import (
    ACCURACY,
    F1,
    LOG_LOSS,
    MAE_OF_LOGNORMAL,
    MAE_OF_T,
    ROC_AUC,
    Metric,
    Model,
    Random,
    ever_degraded,
    labels_needed,
)

NIGHTS = 200
CHANGE = 40
_AFTER = 25
T_MEAN = 2 * math.sqrt(3) / math.pi
"""The mean of the size of a number of Student's t distribution with 3 degrees of freedom."""


def sound(
    metric: Metric,
    quality: float,
    rows: tuple[int, int],
    reference: int | None,
    varies: float = 0.0,
    **policy: object,
) -> Callable[[Random], Model]:
    """A model that stays what it is, but for what it varies from day to day; rows of a night in even proportions."""

    def make(random: Random) -> Model:
        counts = np.exp(random.uniform(math.log(rows[0]), math.log(rows[1] + 1), NIGHTS)).astype(int)
        qualities = np.clip(random.normal(quality, varies, NIGHTS), 0, 1) if varies else np.full(NIGHTS, quality)
        asked = PerformancePolicy.model_validate(policy)
        return Model(metric, qualities.tolist(), counts.tolist(), reference, quality, asked)

    return make


def fallen(
    metric: Metric, before: float, after: float, rows: tuple[int, int] = (100, 200), reference: int | None = 5000,
    **policy: object,
) -> Callable[[Random], Model]:  # fmt: skip
    """A model that falls on one night."""

    def make(random: Random) -> Model:
        counts = random.integers(rows[0], rows[1] + 1, CHANGE + _AFTER)
        asked = PerformancePolicy.model_validate(policy)
        return Model(metric, [before] * CHANGE + [after] * _AFTER, counts.tolist(), reference, None, asked)

    return make


SMALL, USUAL, LARGE, ANY = (20, 60), (100, 200), (2000, 5000), (20, 5000)
SOUND: dict[str, Callable[[Random], Model]] = {
    "accuracy 0.7, 20 to 60 rows, reference 300": sound(ACCURACY, 0.7, SMALL, 300),
    "accuracy 0.7, 100 to 200 rows, reference 300": sound(ACCURACY, 0.7, USUAL, 300),
    "accuracy 0.7, 2,000 to 5,000 rows, reference 300": sound(ACCURACY, 0.7, LARGE, 300),
    "accuracy 0.8, 20 to 5,000 rows, reference 5,000": sound(ACCURACY, 0.8, ANY, 5000),
    "accuracy 0.9, 20 to 5,000 rows, reference 300": sound(ACCURACY, 0.9, ANY, 300),
    "accuracy 0.97, 20 rows, reference 50,000": sound(ACCURACY, 0.97, (20, 20), 50_000),
    "accuracy 0.9 ± 0.01 by day, 2,000 to 5,000 rows, reference 5,000": sound(ACCURACY, 0.9, LARGE, 5000, 0.01),
    "accuracy 0.7 ± 0.01 by day, 20 to 5,000 rows, reference 300": sound(ACCURACY, 0.7, ANY, 300, 0.01),
    "accuracy 0.9, max_drop 0.01, 20 to 5,000 rows, reference 5,000": sound(ACCURACY, 0.9, ANY, 5000, max_drop=0.01),
    "accuracy 0.9, lost 0.025, 100 to 200 rows, exact reference": lambda random: replace(
        sound(ACCURACY, 0.875, USUAL, 10**7)(random), reference_quality=0.9
    ),
    "ROC AUC 0.64, 100 to 200 rows, reference 300": sound(ROC_AUC, 0.5, USUAL, 300),
    "ROC AUC 0.86, 20 to 5,000 rows, reference 300": sound(ROC_AUC, 1.5, ANY, 300),
    "F1 0.8, 20 to 60 rows, reference 300": sound(F1, 0.8, SMALL, 300),
    "MAE of Student's t (3), 20 to 5,000 rows, reference 300": sound(MAE_OF_T, 1.0, ANY, 300),
    "MAE of a log-normal (1.2), 100 to 200 rows, reference 300": sound(MAE_OF_LOGNORMAL, 1.0, USUAL, 300),
    "MAE of a log-normal (1.2), 2,000 to 5,000 rows, reference 300": sound(MAE_OF_LOGNORMAL, 1.0, LARGE, 300),
    "log loss, 20 to 60 rows, reference 300": sound(LOG_LOSS, 1.0, SMALL, 300),
    "log loss, 20 to 5,000 rows, reference 5,000": sound(LOG_LOSS, 1.0, ANY, 5000),
    "accuracy 0.9, floor 0.89, 20 to 5,000 rows": sound(ACCURACY, 0.9, ANY, None, floors={"accuracy": 0.89}),
    "accuracy 0.9 exactly on its floor, 2,000 to 5,000 rows": sound(
        ACCURACY, 0.9, LARGE, None, floors={"accuracy": 0.9}
    ),
    "F1 0.8 exactly on its floor, 20 to 60 rows": sound(F1, 0.8, SMALL, None, floors={"f1": 0.8}),
    "ROC AUC 0.86, floor 0.855, 100 to 200 rows": sound(ROC_AUC, 1.5, USUAL, None, floors={"roc_auc": 0.855}),
    "MAE of Student's t (3) exactly on its floor, 20 to 60 rows": sound(
        MAE_OF_T, 1.0, SMALL, None, floors={"mean_absolute_error": T_MEAN}
    ),
    "accuracy 0.9 ± 0.01 by day, floor 0.89, 100 to 200 rows": sound(
        ACCURACY, 0.9, USUAL, None, 0.01, floors={"accuracy": 0.89}
    ),
    "accuracy 0.9 ± 0.01 by day, floor 0.89, 2,000 to 5,000 rows": sound(
        ACCURACY, 0.9, LARGE, None, 0.01, floors={"accuracy": 0.89}
    ),
}
FALLEN: dict[str, Callable[[Random], Model]] = {
    "accuracy 0.80 to 0.70": fallen(ACCURACY, 0.8, 0.7),
    "accuracy 0.90 to 0.80": fallen(ACCURACY, 0.9, 0.8),
    "accuracy 0.95 to 0.85": fallen(ACCURACY, 0.95, 0.85),
    "accuracy 0.90 to 0.80, reference 300": fallen(ACCURACY, 0.9, 0.8, reference=300),
    "accuracy 0.90 to 0.80, 20 to 60 rows": fallen(ACCURACY, 0.9, 0.8, (20, 60)),
    "accuracy 0.90 to 0.80, nights of 5,000": fallen(ACCURACY, 0.9, 0.8, (5000, 5000)),
    "accuracy 0.90 to 0.75": fallen(ACCURACY, 0.9, 0.75),
    "accuracy 0.90 to 0.80, floor 0.85": fallen(ACCURACY, 0.9, 0.8, reference=None, floors={"accuracy": 0.85}),
    "ROC AUC 0.86 to 0.76": fallen(ROC_AUC, 1.5, 1.0),
    "ROC AUC 0.93 to 0.50": fallen(ROC_AUC, 2.1, 0.0),
    "F1 0.80 to 0.65": fallen(F1, 0.8, 0.65),
    "MAE of Student's t (3), times 1.5": fallen(MAE_OF_T, 1.0, 1.5),
    "MAE of a log-normal (1.2), times 2": fallen(MAE_OF_LOGNORMAL, 1.0, 2.0),
    "log loss, three times too sure of itself": fallen(LOG_LOSS, 1.0, 3.0),
}


def false_verdicts(name: str, many: int, first: int = 0) -> int:
    """How many of so many sound models are ever called degraded."""
    return sum(ever_degraded(SOUND[name](random), random) for random in _randoms(name, many, first))


def labels(name: str, many: int, first: int = 0) -> list[float]:
    """After how many labels each of so many falls is called degraded, ascending."""
    return sorted(labels_needed(FALLEN[name](random), random, CHANGE) for random in _randoms(name, many, first))


def quantile(found: list[float], part: float) -> float:
    """The value that such a part of the ascending values does not exceed."""
    return found[math.ceil(part * len(found)) - 1]


def _randoms(name: str, many: int, first: int) -> list[Random]:
    seed = list(name.encode())
    return [np.random.default_rng([*seed, position]) for position in range(first, first + many)]


def tables(many: int, processes: int) -> Iterator[str]:
    """Both tables, in Markdown, line by line."""
    with Pool(processes) as pool:
        yield "| sound models | ever called degraded in 200 nights |\n|---|---|"
        for name, wrong in zip(SOUND, pool.imap(partial(false_verdicts, many=many), SOUND), strict=True):
            yield f"| {name} | {wrong / many:.1%} |"
        yield "\n| fall | labels: median | 95% | found within 1,500 |\n|---|---|---|---|"
        for name, found in zip(FALLEN, pool.imap(partial(labels, many=many), FALLEN), strict=True):
            within = sum(item <= 1500 for item in found) / many
            yield f"| {name} | {median(found):,.0f} | {quantile(found, 0.95):,.0f} | {within:.1%} |"


if __name__ == "__main__":
    for line in tables(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
