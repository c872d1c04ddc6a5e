"""The profile of one column, out of the two summaries that drift compares as well."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pipeline.checks.profile.cells import CategoryCells, NumberCells
from pipeline.checks.profile.pieces import variation
from pipeline.checks.scan import CategoricalSummary, IntArray, NumericalSummary, Summary
from pipeline.results import ColumnProfile, Kind, SideProfile
from pipeline.wording import label


def profile_of(
    reference: Summary,
    production: Summary,
    picked: Sequence[pa.Array] = (),
    pieces: int = 0,
    *,
    private: bool = False,
    known: IntArray | None = None,
) -> ColumnProfile | None:
    """What is kept of a column; None where a side has no summary, no value, or one of another kind.

    Args:
        reference: the column as it was.
        production: the column as it is.
        picked: values of the reference's rows that `pieces.rows_of_pieces` names, piece by piece.
        pieces: how many pieces those are.
        private: no value of a row may be kept.
        known: the cells of those rows, where they need not be looked for.
    """
    if isinstance(reference, NumericalSummary) and isinstance(production, NumericalSummary):
        if not reference.moments.count:
            return None
        cells = NumberCells.of(reference)
        places = _by_piece(cells.places(picked) if known is None else known, pieces)
        sides = [_numbers(side, cells.count(side), private) for side in (reference, production)]
        edges = () if private else tuple(cells.edges.tolist())
        return _profile(reference.name, "numerical", sides, places, edges=edges)
    if isinstance(reference, CategoricalSummary) and isinstance(production, CategoricalSummary):
        if not reference.counts:
            return None
        groups = CategoryCells.of(reference)
        places = _by_piece(groups.places(picked) if known is None else known, pieces)
        sides = [_categories(side, groups.count(side)) for side in (reference, production)]
        names = tuple(f"private {place + 1}" if private else label(key) for key, place in groups.named.items())
        return _profile(reference.name, "categorical", sides, places, categories=names)
    return None


def _profile(
    name: str, kind: Kind, sides: Sequence[SideProfile], places: IntArray, **cells: tuple[float, ...] | tuple[str, ...]
) -> ColumnProfile:
    found = variation(kind, places, len(sides[0].cells))
    return ColumnProfile.model_validate(
        {"name": name, "kind": kind, "reference": sides[0], "production": sides[1], "pieces": found, **cells}
    )


def _by_piece(places: IntArray, pieces: int) -> IntArray:
    """Shape (pieces, rows); without pieces where a file had other rows than its footer said."""
    if not pieces or places.size % pieces:
        return np.empty((0, 0), np.int64)
    return places.reshape(pieces, -1)


def _numbers(side: NumericalSummary, cells: IntArray, private: bool) -> SideProfile:
    """Of a private column counts alone: the mean of a row is its value."""
    moments, told = side.moments, side.moments.count > 0 and not private
    return SideProfile(
        rows=side.presence.rows,
        missing=side.presence.missing,
        cells=tuple(cells.tolist()),
        mean=_finite(moments.mean) if told else None,
        deviation=_finite(moments.deviation) if told else None,
        low=_finite(moments.low) if told else None,
        high=_finite(moments.high) if told else None,
    )


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _categories(side: CategoricalSummary, cells: IntArray) -> SideProfile:
    presence = side.presence
    return SideProfile(
        rows=presence.rows, missing=presence.missing, cells=tuple(cells.tolist()), distinct=len(side.counts)
    )
