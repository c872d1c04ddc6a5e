"""Profiles of made-up nights, for tests of what is judged from profiles alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pipeline.checks.alarms.past import PastNight
from pipeline.results import ColumnProfile, Kind, NightProfile, SideProfile

FIRST = date(2026, 1, 5)  # a Monday


def side(cells: Sequence[int], missing: int = 0) -> SideProfile:
    return SideProfile(rows=sum(cells) + missing, missing=missing, cells=tuple(cells))


def column(
    reference: Sequence[int],
    production: Sequence[int],
    name: str = "x",
    kind: Kind = "categorical",
    missing: tuple[int, int] = (0, 0),
) -> ColumnProfile:
    """A column with a cell for each given count; of categories the last is of all others."""
    cells = len(reference) - 1
    return ColumnProfile(
        name=name,
        kind=kind,
        edges=tuple(map(float, range(cells))) if kind == "numerical" else (),
        categories=tuple(f"c{place}" for place in range(cells)) if kind == "categorical" else (),
        reference=side(reference, missing[0]),
        production=side(production, missing[1]),
    )


def night(*columns: ColumnProfile, reference: str = "reference") -> NightProfile:
    return NightProfile(snapshots="night", reference=reference, columns=columns)


def past(profile: NightProfile, number: int, **drifted: tuple[str, ...]) -> PastNight:
    """A night so many days after the first, with the columns that drifted by what they were held against."""
    named = {key.replace("_", " "): names for key, names in drifted.items()}
    return PastNight(FIRST + timedelta(number), profile.model_copy(update={"drifted": named}))
