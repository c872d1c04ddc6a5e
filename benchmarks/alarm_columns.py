"""Columns that a benchmark of alarms draws: each is a function of a standard normal score that a night can move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri
from scipy.stats import poisson

from pipeline.checks.scan import CategoricalSummary, Key, Moments, NumericalSummary, SortedValues
from pipeline.checks.scan.summary import Presence

Floats = npt.NDArray[np.float64]
Shift = float | Floats
"""Of numbers one, of categories one each."""
_ZEROS = ndtri(0.6)
_ONES = ndtri(0.99)


@dataclass(frozen=True)
class Numbers:
    """`value` takes scores to values, ascending; `level` takes a value to the largest score that gives no more.

    `missing` is the share of missing values.
    """

    name: str
    value: Callable[[Floats], Floats]
    level: Callable[[Floats], Floats]
    missing: float = 0.0

    def draw(self, rng: np.random.Generator, rows: int, shift: Shift) -> Floats:
        """Values of so many present rows; `shift` in standard deviations of the score."""
        return self.value(rng.normal(shift, 1.0, rows))

    def shares(self, edges: Floats, shift: Shift) -> Floats:
        """The share of present rows in each cell between the edges, shape (edges + 1,)."""
        with np.errstate(divide="ignore"):
            below = ndtr(self.level(edges) - shift)
        return np.diff(np.maximum.accumulate(below), prepend=0.0, append=1.0)

    def summary(self, values: Floats, missing: int) -> NumericalSummary:
        """As a scan makes it."""
        held = np.sort(values)
        presence = Presence(rows=held.size + missing, nulls=missing)
        return NumericalSummary(self.name, "float", presence, Moments.of(held), SortedValues(held))


@dataclass(frozen=True)
class Categories:
    """`weights` of the categories, shape (k,); a shift multiplies each by exp(shift times a normal of its own)."""

    name: str
    weights: Floats
    missing: float = 0.0

    def draw(self, rng: np.random.Generator, rows: int, shift: Shift) -> Floats:
        """The numbers of the categories of so many present rows."""
        return rng.choice(self.weights.size, rows, p=self.parts(shift)).astype(np.float64)

    def parts(self, shift: Shift) -> Floats:
        """The share of each category, shape (k,)."""
        moved = self.weights * np.exp(shift)
        return np.asarray(moved / moved.sum())

    def summary(self, values: Floats, missing: int) -> CategoricalSummary:
        """As a scan makes it."""
        keys, counts = np.unique(values.astype(np.int64), return_counts=True)
        named: dict[Key, int] = {f"c{key:04d}": int(rows) for key, rows in zip(keys, counts, strict=True)}
        return CategoricalSummary(self.name, "text", Presence(rows=values.size + missing, nulls=missing), named)


Column = Numbers | Categories


def normal(name: str, missing: float = 0.0) -> Numbers:
    return Numbers(name, lambda score: score, lambda value: value, missing)


def heavy(name: str) -> Numbers:
    """Log-normal with sigma 2."""
    return Numbers(name, lambda score: np.exp(2 * score), lambda value: np.log(np.maximum(value, 0.0)) / 2)


def cauchy(name: str) -> Numbers:
    return Numbers(
        name,
        lambda score: np.tan(np.pi * (ndtr(score) - 0.5)),
        lambda value: np.asarray(ndtri(0.5 + np.arctan(value) / np.pi)),
    )


def counted(name: str, mean: float = 0.3) -> Numbers:
    """Poisson."""
    return Numbers(
        name,
        lambda score: np.asarray(poisson.ppf(ndtr(score), mean)),
        lambda value: np.asarray(ndtri(poisson.cdf(value, mean))),
    )


def rare_ones(name: str) -> Numbers:
    """0, and 1 in a hundredth of the rows."""
    return Numbers(
        name, lambda score: np.where(score > _ONES, 1.0, 0.0), lambda value: _steps(value, (0.0, _ONES), (1.0, np.inf))
    )


def mostly_zero(name: str) -> Numbers:
    """60% zeros, the rest log-normal."""
    return Numbers(
        name,
        lambda score: np.where(score > _ZEROS, np.exp(score - _ZEROS) - 1, 0.0),
        lambda value: np.where(value < 0, -np.inf, _ZEROS + np.log1p(np.maximum(value, 0.0))),
    )


def zipf(name: str, categories: int) -> Categories:
    return Categories(name, 1 / np.arange(1.0, categories + 1))


def _steps(value: Floats, *steps: tuple[float, float]) -> Floats:
    found = np.full(np.shape(value), -np.inf)
    for least, score in steps:
        found = np.where(value >= least, score, found)
    return found


MAKERS: dict[str, Callable[[str], Column]] = {
    "normal": normal,
    "heavy": heavy,
    "cauchy": cauchy,
    "poisson": counted,
    "rare": rare_ones,
    "zeros": mostly_zero,
    "missing": lambda name: normal(name, 0.01),
    "zipf25": lambda name: zipf(name, 25),
    "zipf100": lambda name: zipf(name, 100),
    "zipf1000": lambda name: zipf(name, 1000),
}


def columns(many: int, *kinds: str) -> tuple[Column, ...]:
    """So many columns, of these kinds by turns."""
    return tuple(MAKERS[kinds[place % len(kinds)]](f"x{place}") for place in range(many))
