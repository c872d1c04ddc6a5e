"""How often fixed thresholds are passed by chance: measured on nights in which nothing changed, beside what is told.

python -m benchmarks.chance [--nights 1000] [--output docs/chance.md]

Columns are made up from a seed. References and nights are draws of one distribution; each reference serves ten nights.
"Measured" is the share of nights that `compare_column` calls drifted at the method's default threshold, "told" the mean
of the `chance` that it tells beside them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.race import report
from pipeline.checks.drift.compare_column import compare_column
from pipeline.checks.drift.statistics import METHODS
from pipeline.checks.scan import CategoricalSummary, Moments, NumericalSummary, SortedValues, Summary
from pipeline.checks.scan.summary import Presence
from pipeline.results import Kind
from pipeline.wording import count, number

Draw = Callable[[Generator, int], NDArray[np.float64] | NDArray[np.int64]]
NIGHTS_OF_A_REFERENCE = 10


def labels(many: int, power: float = 1.0) -> Draw:
    """So many categories, the k-th with a share proportional to k ** -power."""
    weights = np.arange(1.0, many + 1) ** -power
    return lambda random, rows: random.choice(many, rows, p=weights / weights.sum())


COLUMNS: dict[str, tuple[Kind, Draw]] = {
    "2 categories": ("categorical", labels(2)),
    "5 categories": ("categorical", labels(5)),
    "25 categories": ("categorical", labels(25)),
    "25 categories, even": ("categorical", labels(25, 0.0)),
    "100 categories": ("categorical", labels(100)),
    "normal": ("numerical", lambda random, rows: random.normal(size=rows)),
    "heavy tails (t, 4)": ("numerical", lambda random, rows: random.standard_t(4, rows)),
    "log-normal": ("numerical", lambda random, rows: random.lognormal(0, 1, rows)),
    "log-normal, sigma 2": ("numerical", lambda random, rows: random.lognormal(0, 2, rows)),
    "counts (Poisson, 40)": ("numerical", lambda random, rows: random.poisson(40, rows)),
    "six values": ("numerical", lambda random, rows: random.integers(1, 7, rows)),
    "nine in ten zero": (
        "numerical",
        lambda random, rows: np.where(random.random(rows) < 0.9, 0, random.lognormal(0, 1, rows)),
    ),
}


@dataclass(frozen=True)
class Case:
    """A column, a method at its default threshold, and the sizes of both sides."""

    column: str
    method: str
    reference: int
    night: int


def _cases(reference: int, nights: tuple[int, ...], method: str, *columns: str) -> tuple[Case, ...]:
    return tuple(Case(column, method, reference, night) for column in columns for night in nights)


CASES = (
    *_cases(10_000, (300, 1_000, 4_000), "jensenshannon", "25 categories", "25 categories, even", "100 categories"),
    *_cases(10_000, (300, 1_000, 100_000), "wasserstein", "heavy tails (t, 4)", "normal", "log-normal"),
    *_cases(10_000, (300, 1_000), "wasserstein", "log-normal, sigma 2", "counts (Poisson, 40)"),
    *_cases(3_000, (3_000,), "wasserstein", "heavy tails (t, 4)", "log-normal, sigma 2"),
    *_cases(10_000, (300, 1_000), "ed", "normal", "heavy tails (t, 4)"),
    *_cases(10_000, (300, 1_000), "psi", "25 categories", "100 categories", "normal"),
    *_cases(10_000, (300, 1_000), "kl_div", "25 categories", "100 categories"),
    *_cases(10_000, (300, 1_000), "hellinger", "25 categories", "normal"),
    *_cases(1_000, (100, 1_000), "chisquare", "2 categories", "5 categories", "25 categories", "100 categories"),
    *_cases(1_000, (100, 1_000), "g_test", "5 categories", "25 categories"),
    *_cases(1_000, (100, 1_000), "z", "2 categories"),
    *_cases(1_000, (100, 1_000), "fisher_exact", "2 categories"),
    *_cases(1_000, (100,), "TVD", "5 categories", "25 categories"),
    *_cases(1_000, (300,), "ks", "normal", "counts (Poisson, 40)", "six values", "nine in ten zero"),
    *_cases(1_000, (300, 1_000), "cramer_von_mises", "normal", "counts (Poisson, 40)", "nine in ten zero"),
    *_cases(1_000, (300,), "anderson", "normal", "six values", "nine in ten zero"),
    *_cases(1_000, (100, 1_000), "es", "normal", "six values"),
    *_cases(1_000, (300,), "t_test", "normal", "heavy tails (t, 4)"),
    *_cases(1_000, (300,), "mannw", "normal", "six values"),
)


def summary_of(column: str, random: Generator, rows: int) -> Summary:
    """The summary a scan would give of so many rows of a column."""
    kind, draw = COLUMNS[column]
    drawn, presence = draw(random, rows), Presence(rows=rows)
    if kind == "categorical":
        found = zip(*np.unique(drawn, return_counts=True), strict=True)
        return CategoricalSummary(column, "text", presence, {f"{code:03.0f}": int(many) for code, many in found})
    values, whole = np.sort(drawn.astype(np.float64)), drawn.dtype.kind == "i"
    form = "integer" if whole else "float"
    return NumericalSummary(column, form, presence, Moments.of(values), SortedValues(values), whole)


def measured_and_told(case: Case, nights: int, seed: int = 0) -> tuple[float, float]:
    """The share of nights that are called drifted, and the mean of what is told of it beforehand."""
    random = np.random.default_rng(seed)
    fired, told = 0, list[float]()
    for night in range(nights):
        if night % NIGHTS_OF_A_REFERENCE == 0:
            reference = summary_of(case.column, random, case.reference)
        tonight = summary_of(case.column, random, case.night)
        found = compare_column(reference, tonight, COLUMNS[case.column][0], method=case.method)
        fired += found.drifted
        told += [] if found.chance is None else [found.chance]
    return fired / nights, float(np.mean(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--nights", type=int, default=1_000, help="of each row of the table")
    parser.add_argument("--output", type=Path, help="markdown file to append the result to")
    options = parser.parse_args()
    lines = ["| Column | Method, default threshold | Reference | Night | Measured | Told |", "| --- |" + " --- |" * 5]
    for case in CASES:
        measured, told = measured_and_told(case, options.nights)
        method = f"`{case.method}` {number(METHODS[case.method].default_threshold)}"
        sizes = f"{count(case.reference)} | {count(case.night)}"
        lines.append(f"| {case.column} | {method} | {sizes} | {measured:.1%} | {told:.1%} |")
    report(["\n".join(lines), f"{count(options.nights, 'night')} a row, seed 0."], options.output)


if __name__ == "__main__":
    main()
