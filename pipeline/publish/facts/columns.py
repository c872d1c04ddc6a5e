"""Columns over many nights, out of the profiles that nights keep."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.quantiles import ranks_at, values_at
from pipeline.results import ColumnProfile, Kind, NightProfile, SideProfile

SHOWN_CATEGORIES = 5
OTHERS = "all others"


@dataclass(frozen=True)
class Side:
    """A column on one side of a night. `missing` is a fraction of all rows; None where there are none.

    Of numbers `quantiles` are those of `quantiles.PARTS`, in the column's unit, or of a private one as ranks of the
    reference in [0, 1]. Of categories `shares` are fractions of the non-missing rows, one for each that is shown and
    one for all others. Both None where nothing is known. `distinct` counts categories, `values` non-missing rows.
    """

    rows: int
    values: int
    missing: float | None
    quantiles: tuple[float, ...] | None = None
    shares: tuple[float, ...] | None = None
    mean: float | None = None
    deviation: float | None = None
    distinct: int | None = None

    @property
    def distinct_share(self) -> float | None:
        """Different categories as a fraction of the non-missing rows."""
        return None if self.distinct is None or not self.values else self.distinct / self.values

    @property
    def told(self) -> tuple[float, ...] | None:
        """What is known of its values."""
        return self.quantiles or self.shares


@dataclass(frozen=True)
class ColumnNight:
    """A column on a night, beside what the night was compared with."""

    reference: Side
    production: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        """The night's own, and what it was compared with."""
        return self.production, self.reference


@dataclass
class ColumnOverTime:
    """A column over many nights. `categories` are those that are shown, the most frequent of the newest night's
    reference first; `nights` those that kept a profile of it, as a column of this kind.

    Of a private column no value is told: its numbers are ranks of the reference, its categories are numbered.
    """

    name: str
    kind: Kind
    private: bool
    categories: tuple[str, ...]
    nights: dict[date, ColumnNight] = field(default_factory=dict)
    drifted: frozenset[date] = frozenset()

    @property
    def newest(self) -> tuple[date, ColumnNight]:
        """The newest night that has the column."""
        day = max(self.nights)
        return day, self.nights[day]


def anchor(name: str) -> str:
    """Where the page of columns has a column: a digest, as a name may hold what no address does."""
    return f"c-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def ranked(
    nights: Sequence[PastNight], profile: NightProfile | None, importances: Mapping[str, float]
) -> tuple[str, ...]:
    """Every known column: those that drifted most often, then what the champion relies on most, then in their order.

    Args:
        nights: those that are shown.
        profile: the newest.
        importances: by column, where that is known.
    """
    times = Counter(name for night in nights for name in night.drifted)
    known = dict.fromkeys([] if profile is None else profile.by_name)
    known |= dict.fromkeys(name for night in reversed(nights) for name in (*night.strengths, *night.drifted))
    return tuple(sorted(known, key=lambda name: (-times[name], -importances.get(name, 0.0))))


def over_time(
    names: Sequence[str],
    nights: Sequence[PastNight],
    profiles: Iterable[tuple[date, NightProfile]],
    private: Collection[str],
) -> list[ColumnOverTime]:
    """Columns over the nights that are shown, in the order of their names; without those that no night has kept.

    Args:
        names: of the columns.
        nights: those that are shown.
        profiles: of these nights, the newest first; each is let go of before the next one is asked for.
        private: names of columns of which no value may be told, whatever was kept of them.
    """
    found: dict[str, ColumnOverTime] = {}
    for day, profile in profiles:
        for name in names:
            column = profile.by_name.get(name)
            if column is None:
                continue
            whole = found.setdefault(name, _begun(column, name in private))
            if whole.kind == column.kind:
                whole.nights[day] = night_of(column, whole.categories, private=whole.private)
    for name, whole in found.items():
        whole.drifted = frozenset(night.run_date for night in nights if name in night.drifted)
    return [found[name] for name in names if name in found]


def _begun(column: ColumnProfile, private: bool) -> ColumnOverTime:
    named = column.categories[:SHOWN_CATEGORIES]
    categories = tuple(f"private {place + 1}" for place in range(len(named))) if private else named
    return ColumnOverTime(column.name, column.kind, private, categories)


def night_of(column: ColumnProfile, categories: Sequence[str] = (), *, private: bool) -> ColumnNight:
    """A column of one night.

    Args:
        column: what was kept of it.
        categories: those whose shares are told.
        private: no value may be told.
    """
    places = [] if column.kind == "numerical" else _places(column, categories, private)
    return ColumnNight(*(_side(column, side, places, private) for side in (column.reference, column.production)))


def _places(column: ColumnProfile, categories: Sequence[str], private: bool) -> list[int | None]:
    """Which cells the shown categories are, None where a night counted one among the others. Private ones have no name
    but their place in the night's own reference.
    """
    if private:
        return [place if place < len(column.categories) else None for place in range(len(categories))]
    known = {name: place for place, name in enumerate(column.categories)}
    return [known.pop(name, None) for name in categories]  # long names may look alike: none counts twice


def _side(column: ColumnProfile, side: SideProfile, places: Sequence[int | None], private: bool) -> Side:
    quantiles = (ranks_at if private else values_at)(column, side) if column.kind == "numerical" else None
    return Side(
        rows=side.rows,
        values=sum(side.cells),
        missing=side.missing / side.rows if side.rows else None,
        quantiles=quantiles,
        shares=_shares(side, places) if len(side.cells) == len(column.categories) + 1 else None,
        mean=None if private else side.mean,
        deviation=None if private else side.deviation,
        distinct=side.distinct,
    )


def _shares(side: SideProfile, places: Sequence[int | None]) -> tuple[float, ...] | None:
    """None where none of the categories has a cell: then all are named otherwise."""
    total = sum(side.cells)
    if not total or all(place is None for place in places):
        return None
    counts = [0 if place is None else side.cells[place] for place in places]
    return (*(rows / total for rows in counts), (total - sum(counts)) / total)
