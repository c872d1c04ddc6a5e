"""What is usual on a night: from nights that are there, and from the days of the reference, where it can be cut so.

A limit that quiet nights keep has room for two things: chance, which is larger the fewer rows a night has, and what
moves from night to night. Where nobody has seen enough of the second, there is no limit.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from pipeline.authoring.built_in import rows_by_chance
from pipeline.authoring.names import cycle
from pipeline.authoring.observe import Night, Seen
from pipeline.checks.quality.built_in.reference import Numbers, Profile

_ROWS_UNKNOWN = 100
_A_WEEK = 7
_MONTH = 30
_CERTAIN = 0.999
_CHANCE = 6.0  # standard errors
_LEAST_ROOM = 0.25  # standard deviations
_ROOM_UNSEEN = 0.5
_WIDE = 5.0
_BROKEN_OF = 5


@dataclass(frozen=True)
class Usual:
    """Nights, and days of the reference as if they were nights; none of either where nothing is known."""

    nights: Sequence[Night] = ()
    days: Sequence[Night] = ()

    @property
    def least_rows(self) -> int | None:
        """Of the smallest night that was seen."""
        return min((night.rows for night in self.nights if night.rows), default=None)

    def of(self, name: str) -> list[Seen]:
        """A column on the nights that have rows."""
        return [night.seen[name] for night in self.nights if name in night.seen and night.rows]

    def row_limits(self) -> tuple[int, int] | None:
        """Half the smallest and twice the largest night; further where fewer than a week of them were seen."""
        sizes = [night.rows for night in self.nights if night.rows]
        if not sizes:
            return None
        factor = 2 if len(sizes) >= _A_WEEK else 5
        return max(1, min(sizes) // factor), max(sizes) * factor

    def missing(self, profile: Profile) -> float | None:
        """The largest share of missing values on quiet nights; None where there should be none, or nobody knows."""
        if profile.missing_share is None:
            return None
        shares = [1 - seen.values / seen.rows for seen in self.of(profile.name)]
        usual = _without_one(shares)
        if not profile.missing and not usual:
            return None
        expected = max(profile.missing_share, statistics.median(shares or [0.0]))
        rows = self.least_rows or min(profile.rows, _ROWS_UNKNOWN)
        return max(1.5 * max(expected, usual) + 0.01, self.by_chance(rows, expected))

    def strangers(self, profile: Profile) -> float:
        """The share of rows that may have a value the reference never had.

        By Good and Turing (1953), values that were seen once are as many as rows with a value never seen.
        """
        counts = list(profile.categories.values())
        once, twice, rows = counts.count(1), counts.count(2), sum(counts)
        if not once:
            return 0.0
        expected = (once + 2 * math.sqrt(once + 2 * twice)) / rows
        return max(0.01, self.by_chance(self.least_rows or min(profile.rows, _ROWS_UNKNOWN), expected))

    @staticmethod
    def by_chance(rows: int, share: float) -> float:
        """The largest share of a night's rows that chance makes of an expected one."""
        return (rows_by_chance(rows, share) + 0.5) / rows

    def extremes(self, profile: Profile, numbers: Numbers, limits: tuple[float, float]) -> tuple[float, float]:
        """From where to where values go, on nights too; one night that lies outside of `limits` may be broken."""
        seen = [item for item in self.of(profile.name) if item.low is not None and item.high is not None]
        lows, highs = ([item.low for item in seen if item.low is not None], [item.high or 0.0 for item in seen])
        if len(seen) >= _BROKEN_OF:
            lows.remove(min(lows)) if min(lows) < limits[0] else None
            highs.remove(max(highs)) if max(highs) > limits[1] else None
        return min([numbers.low, *lows]), max([numbers.high, *highs])

    def mean_limits(self, name: str, numbers: Numbers) -> tuple[float, float] | None:
        """Where the mean of quiet nights stays; None where that is not known.

        Not of codes that begin again, such as months; nor of columns whose mean hangs on a few rows.
        """
        middle = (numbers.quantiles[3] - numbers.quantiles[1]) / 1.349
        if cycle(name) or not numbers.deviation or numbers.deviation > _WIDE * middle:
            return None
        means = self._means(name)
        if self.moves(name, numbers):
            if len(means) < _MONTH:
                return None
            apart = statistics.pstdev(means)
            room = _LEAST_ROOM * numbers.deviation
            return min(min(means) - apart, numbers.mean - room), max(max(means) + apart, numbers.mean + room)
        least = _LEAST_ROOM if len(means) >= _A_WEEK else _ROOM_UNSEEN
        room = max(least, _CHANCE / math.sqrt(self.least_rows or _ROWS_UNKNOWN)) * numbers.deviation
        return numbers.mean - room, numbers.mean + room

    def moves(self, name: str, numbers: Numbers) -> bool:
        """Whether the means of nights lie further from the reference's than chance takes them."""
        from scipy.stats import chi2

        found = [seen for seen in self._seen(name) if seen.mean is not None]
        if not found or not numbers.deviation:
            return False
        far = sum(((seen.mean or 0.0) - numbers.mean) ** 2 * seen.values for seen in found) / numbers.deviation**2
        return bool(far > chi2.ppf(_CERTAIN, len(found)))

    def _seen(self, name: str) -> list[Seen]:
        found = [night.seen[name] for night in (*self.nights, *self.days) if name in night.seen]
        return [seen for seen in found if seen.values]

    def _means(self, name: str) -> list[float]:
        return [seen.mean for seen in self._seen(name) if seen.mean is not None]


def moving_date(nights: Sequence[Night]) -> str | None:
    """A column of dates or moments that on every night is the night's own day: the reference can be cut by it."""
    known = [night for night in nights if night.rows]
    for name in (name for name, found in (known[0].seen if known else {}).items() if found.moment):
        if all(_is_of(night, night.seen.get(name)) for night in known):
            return name
    return None


def _is_of(night: Night, seen: Seen | None) -> bool:
    if seen is None or seen.low is None or seen.high is None:
        return False
    start = datetime.combine(night.day, time(), UTC).timestamp()
    return start <= seen.low and seen.high < start + 86_400


def _without_one(shares: Sequence[float]) -> float:
    """The largest; where there are several, without the one night that may be broken."""
    ordered = sorted(shares)
    return ordered[-2] if len(ordered) >= _BROKEN_OF else (ordered or [0.0])[-1]
