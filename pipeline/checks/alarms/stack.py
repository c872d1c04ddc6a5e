"""Columns of nights side by side, as arrays: those of one kind and as many cells make a stack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.checks.alarms.variation import BoolArray
from pipeline.checks.scan.types import FloatArray
from pipeline.results import ColumnProfile, Kind, NightProfile

_MOST_KEPT = 1024
_Key = tuple[int, tuple[str, ...], tuple[str, int, int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """c columns of one night that have k cells each. `reference`: rows in each cell, shape (c, k), the missing last."""

    columns: tuple[ColumnProfile, ...]
    names: tuple[str, ...]
    reference: FloatArray

    @property
    def kind(self) -> Kind:
        """Of all of them."""
        return self.columns[0].kind


def stacks_of(profile: NightProfile) -> list[Stack]:
    """The columns of a night, each in one of them."""
    alike: dict[tuple[str, int, int, int], list[ColumnProfile]] = {}
    for column in profile.columns:
        alike.setdefault(column.laid, []).append(column)
    return [
        Stack(
            tuple(columns),
            tuple(column.name for column in columns),
            np.array([column.reference.counts for column in columns]),
        )
        for columns in alike.values()
    ]


_kept: dict[_Key, tuple[object, FloatArray, BoolArray]] = {}


def on_night(stack: Stack, night: NightProfile) -> tuple[FloatArray, BoolArray]:
    """The columns of a stack on a night of the same reference: rows in each cell, shape (c, k), and which of them were
    counted in the same cells then, (c,); the others have no rows. Asked again, it is the same array.
    """
    laid = stack.columns[0].laid
    key = id(night.columns), stack.names, laid
    if key not in _kept:
        while len(_kept) >= _MOST_KEPT:
            del _kept[next(iter(_kept))]
        found = [night.by_name.get(name) for name in stack.names]
        none = np.zeros(stack.reference.shape[1])
        there = np.array([column is not None and column.laid == laid for column in found])
        counts = [column.production.counts if column is not None and column.laid == laid else none for column in found]
        # with the columns themselves, so that no others can come to lie where they do
        _kept[key] = night.columns, np.array(counts), there
    return _kept[key][1:]
