"""What nights keep of their columns, made up. Equal arguments give equal values."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from statistics import NormalDist

from pipeline.publish.facts.history import PastNight
from pipeline.results import PROFILE_QUANTILES, ColumnProfile, NightProfile, SideProfile
from tests.publish.samples import CATEGORICAL, KNOWN

ROWS, REFERENCE_ROWS = 3_000, 20_000
COUNTRIES = ("PT", "ES", "FR", "IT", "DE", "AT", "CH")
_COMMON = (0.4, 0.3, 0.12, 0.08, 0.05, 0.03, 0.02)


def numbers(
    name: str, shift: float = 0.0, *, middle: float = 40.0, missing: int = 0, rows: int = ROWS
) -> ColumnProfile:
    """Normal numbers with a deviation of 10, whose middle moved by so many deviations."""
    before = NormalDist(middle, 10)
    ends = before.inv_cdf(1e-4), before.inv_cdf(1 - 1e-4)
    quantiles = [before.inv_cdf(step / PROFILE_QUANTILES) for step in range(1, PROFILE_QUANTILES)]
    edges = (ends[0] - 1e-9, *quantiles, ends[1])
    return ColumnProfile(
        name=name,
        kind="numerical",
        edges=edges,
        reference=_normal(before, edges, REFERENCE_ROWS, ends),
        production=_normal(NormalDist(middle + 10 * shift, 10), edges, rows, None, missing),
    )


def _normal(
    shape: NormalDist, edges: Sequence[float], rows: int, ends: tuple[float, float] | None, missing: int = 0
) -> SideProfile:
    below = [0, *(round(shape.cdf(edge) * (rows - missing)) for edge in edges), rows - missing]
    if ends is not None:
        below = [0, 0, *below[2:-2], rows - missing, rows - missing]
    low, high = ends or (shape.inv_cdf(1 / rows), shape.inv_cdf(1 - 1 / rows))
    cells = tuple(after - before for before, after in pairwise(below))
    return SideProfile(
        rows=rows, missing=missing, cells=cells, mean=shape.mean, deviation=shape.stdev, low=low, high=high
    )


def countries(name: str, shift: float = 0.0, *, missing: int = 0, known: Sequence[str] = COUNTRIES) -> ColumnProfile:
    """Seven categories, the first of which lost so much of its share to the second."""
    after = (_COMMON[0] * (1 - shift), _COMMON[1] + _COMMON[0] * shift, *_COMMON[2:])
    return ColumnProfile(
        name=name,
        kind="categorical",
        categories=tuple(known),
        reference=_shared(_COMMON, REFERENCE_ROWS, 0),
        production=_shared(after, ROWS, missing),
    )


def _shared(shares: Sequence[float], rows: int, missing: int) -> SideProfile:
    cells = [round(part * (rows - missing)) for part in shares[1:]]
    cells.insert(0, rows - missing - sum(cells))
    return SideProfile(rows=rows, missing=missing, cells=(*cells, 0), distinct=len(shares))


def private(column: ColumnProfile) -> ColumnProfile:
    """The column as it is kept where no value may be."""
    named = tuple(f"private {place + 1}" for place in range(len(column.categories)))
    sides = {
        side: getattr(column, side).model_copy(update={"low": None, "high": None})
        for side in ("reference", "production")
    }
    return column.model_copy(update={"edges": (), "categories": named, **sides})


def profile(columns: Sequence[ColumnProfile], reference: str = "0" * 64) -> NightProfile:
    """A night that kept these columns."""
    return NightProfile(snapshots="1" * 64, reference=reference, columns=tuple(columns))


def of_night(night: PastNight, names: Sequence[str] = KNOWN) -> NightProfile:
    """A night as its strengths have it: a column on its threshold moved by three tenths of a deviation."""
    chance = random.Random(night.run_date.toordinal())
    return profile([_moved(name, 0.3 * night.strengths.get(name, 0.0), chance) for name in names])


def _moved(name: str, shift: float, chance: random.Random) -> ColumnProfile:
    shift += chance.gauss(0, 0.03)
    missing = chance.randint(20, 60) if len(name) % 3 == 0 else 0
    if name in CATEGORICAL or name.startswith("category"):
        return countries(name, min(max(shift, 0.0), 1.0), missing=missing)
    return numbers(name, shift, missing=missing)


def of_nights(nights: Sequence[PastNight], names: Sequence[str] = KNOWN) -> Iterator[tuple[date, NightProfile]]:
    """Those of many nights, the newest first."""
    return ((night.run_date, of_night(night, names)) for night in reversed(nights))
