"""What the nights of a new monitor are best held against, as its columns do from day to day.

Days are the newest nights, and the days of the reference where a date in it says which rows are whose. Looked for are

- weekdays: the means of days, less those of their weeks, differ by weekday, or on weekends, beyond chance (F test);
- slow moves, such as a trend or a season: the means of stretches of four weeks differ beyond chance (F test), or where
  fewer than eight weeks are known, a line through the days rises or falls. Days that hang together are worth fewer:
  n (1 - r) / (1 + r), by the correlation r of what is left of a day with what is left of the day before.

Either has to be a tenth of a standard deviation of the reference, or more: less is not worth a comparison of its own.
Slow moves that a reference in order has been through, such as a season, it teaches by itself (see docs/alarms.md): then
it decides, and the last four weeks are beside it. Otherwise they decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipeline.authoring.evidence import Evidence
from pipeline.authoring.names import cycle
from pipeline.authoring.observe import Night, by_day
from pipeline.authoring.usual import moving_date
from pipeline.config.documents import yaml_text
from pipeline.wording import clip, count, listed, number

if TYPE_CHECKING:
    from pipeline.authoring.roles import Columns

FloatArray = npt.NDArray[np.float64]
_LEAST = 0.1  # standard deviations of the reference
_RARE = 0.001
_TWO_WEEKS, _MONTH, _EIGHT_WEEKS = 14, 28, 56
_NONE = 1e-12
_NAMES = 4
_AS_FAR = 2.0  # standard deviations between stretches
_WEEKDAY = "[{same_weekday: 8}, reference]"
_TRAILING = "[{trailing: 28}, reference]"
_BESIDE = "[reference, {trailing: 28}]"


@dataclass(frozen=True)
class Fitting:
    """What to write under `drift.alarms.against`, as in a monitor file, and why; None for the reference alone."""

    against: str | None
    why: str

    @property
    def words(self) -> str:
        """What decides."""
        if self.against is None:
            return "the reference"
        if "weekday" in self.against:
            return "the last 8 quiet nights of the same weekday"
        trailing = "the quiet nights of the last 28 days"
        return f"the reference, and beside it {trailing}" if self.against == _BESIDE else trailing


def fitting(evidence: Evidence, columns: Columns) -> Fitting:
    """The comparison that fits what the compared numbers do from day to day."""
    nights = [night for night in evidence.nights if night.rows]
    dated = moving_date(nights)
    before = _means(by_day(evidence.reference, dated, evidence.limits) if dated else ())
    days = before | _means(nights)
    if len(days) < _TWO_WEEKS:
        return Fitting(None, f"how columns move from day to day is not known from {count(len(days), 'day')}")
    slow, weekly = dict[str, float](), dict[str, float]()
    for name in columns.numerical:
        numbers = evidence.profiles[name].numbers
        if numbers is not None and numbers.deviation and not cycle(name):
            series = _series(days, name, numbers.deviation)
            slow |= _found(name, _slow_move(series, len(columns.numerical)))
            weekly |= _found(name, _weekday_move(series, len(columns.numerical)))
    seen = f"{count(len(days), 'day')} seen"
    if slow:
        why = f"{_named(slow)} in four weeks ({seen})"
        taught = dated is not None and _in_order(evidence.reference, dated)
        if taught and all(_been_there(_series(before, name, 1.0), _series(_means(nights), name, 1.0)) for name in slow):
            return Fitting(_BESIDE, f"{why}, as the reference shows by itself")
        return Fitting(_TRAILING, why)
    if weekly:
        return Fitting(_WEEKDAY, f"{_named(weekly)} from weekday to weekday ({seen})")
    return Fitting(None, f"no column moves slowly or by weekday ({seen})")


def _series(days: Mapping[date, Mapping[str, float]], name: str, deviation: float) -> dict[date, float]:
    return {day: means[name] / deviation for day, means in days.items() if name in means}


def _been_there(before: Mapping[date, float], nights: Mapping[date, float]) -> bool:
    """Whether the nights lie where stretches of four weeks of the reference lie, give or take."""
    days = sorted(before)
    if len(days) < _EIGHT_WEEKS or not nights:
        return False
    stretches = [days[start : start + _MONTH] for start in range(0, len(days) - _MONTH + 1, _TWO_WEEKS)]
    means = np.array([np.mean([before[day] for day in stretch]) for stretch in stretches])
    gap = abs(float(np.mean(list(nights.values()))) - float(means.mean()))
    return gap <= _AS_FAR * float(means.std())


def _in_order(reference: Sequence[Path], column: str) -> bool:
    """Whether rows of one day follow those of the day before: only then are parts of the reference like nights."""
    import pyarrow as pa

    from pipeline.checks.scan import open_table

    last = -np.inf
    for batch in open_table([str(path) for path in reference]).batches(column):
        days = batch.drop_null().cast(pa.date32(), safe=False).cast(pa.int32()).to_numpy()
        if days.size:
            if days[0] < last or (np.diff(days) < 0).any():
                return False
            last = days[-1]
    return True


def _found(name: str, size: float) -> dict[str, float]:
    return {name: size} if size >= _LEAST else {}


def _named(sizes: Mapping[str, float]) -> str:
    """The columns that move most first, and how far."""
    ordered = sorted(sizes, key=lambda name: -sizes[name])
    names = listed([clip(yaml_text(name), 40) for name in ordered], _NAMES)
    verb = "moves" if len(sizes) == 1 else "move"
    return f"{names} {verb} by up to {number(max(sizes.values()), 1)} standard deviations"


def _means(nights: Iterable[Night]) -> dict[date, dict[str, float]]:
    """The mean of each column of numbers on each day."""
    return {
        night.day: {name: seen.mean for name, seen in night.seen.items() if seen.mean is not None} for night in nights
    }


def _weekday_move(series: Mapping[date, float], columns: int) -> float:
    """How far the means of weekdays lie from each other at most, in standard deviations; 0 where that may be chance."""
    from scipy.stats import f

    days = sorted(series)
    values = np.array([series[day] for day in days])
    weeks = _indicators([(day - timedelta(days=day.weekday())).toordinal() for day in days])
    found = _squares(weeks, values)
    effects = 0.0
    for groups in ([day.weekday() for day in days], [int(day.weekday() > 4) for day in days]):
        design = np.column_stack((weeks, _indicators(groups)))
        left, rank = _squares(design, values), np.linalg.matrix_rank(design)
        more, free = int(rank - np.linalg.matrix_rank(weeks)), len(days) - int(rank)
        if more < 1 or free < 1:
            continue
        ratio = (found - left) / more / max(left / free, _NONE)
        if f.sf(ratio, more, free) < _RARE / (2 * columns):
            means = [float(values[np.array(groups) == group].mean()) for group in set(groups)]
            effects = max(effects, max(means) - min(means))
    return effects


def _indicators(groups: Sequence[int]) -> FloatArray:
    """One column for each group, 1 where a row is of it."""
    found = np.array(groups)
    return np.asarray(found[:, None] == np.unique(found), dtype=np.float64)


def _squares(design: FloatArray, values: FloatArray) -> float:
    """The sum of squares that a least-squares fit leaves."""
    rest, _ = _left(design, values)
    return float(rest @ rest)


def _slow_move(series: Mapping[date, float], columns: int) -> float:
    """How far stretches of four weeks lie from the one before at most, in standard deviations; 0 where by chance."""
    from scipy.stats import f

    days = sorted(series)
    if len(days) < _EIGHT_WEEKS:
        return _rise(series, columns)
    values, weekend = _values(series, days)
    stretch = np.array([(day - days[0]).days // _MONTH for day in days])
    within = np.column_stack((_indicators(stretch.tolist()), weekend))
    between = np.unique(stretch).size - 1
    rest, worth = _left(within, values)
    before = _squares(np.column_stack((np.ones(len(days)), weekend)), values)
    ratio = (before - float(rest @ rest)) / between / (max(float(rest @ rest), _NONE) / max(worth, 1.0))
    if f.sf(ratio * worth / len(days), between, max(worth, 1.0)) >= _RARE / columns:
        return 0.0
    means = {int(place): float(values[stretch == place].mean()) for place in np.unique(stretch)}
    return max((abs(mean - means[place - 1]) for place, mean in means.items() if place - 1 in means), default=0.0)


def _rise(series: Mapping[date, float], columns: int) -> float:
    """How far a line through the days goes in four weeks; 0 where that may be chance."""
    from scipy.stats import t

    days = sorted(series)
    if len(days) < _TWO_WEEKS:
        return 0.0
    values, weekend = _values(series, days)
    at = np.array([float((day - days[0]).days) for day in days])
    at -= at.mean()
    design = np.column_stack((at, np.ones(len(days)), weekend))
    rest, worth = _left(design, values)
    slope = abs(float(np.linalg.lstsq(design, values, rcond=None)[0][0]))
    error = float(np.sqrt(max(float(rest @ rest), _NONE) / max(worth, 1.0) / float(at @ at)))
    error *= float(np.sqrt(len(days) / max(worth, 1.0)))
    return slope * _MONTH if t.sf(slope / error, max(worth, 1.0)) < _RARE / (2 * columns) else 0.0


def _values(series: Mapping[date, float], days: Sequence[date]) -> tuple[FloatArray, FloatArray]:
    """In order, and which days are of a weekend."""
    return np.array([series[day] for day in days]), np.array([float(day.weekday() > 4) for day in days])


def _left(design: FloatArray, values: FloatArray) -> tuple[FloatArray, float]:
    """What a least-squares fit leaves, and how many independent values that is worth."""
    rest = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    together = max(0.0, float(rest[1:] @ rest[:-1]) / max(float(rest @ rest), _NONE))
    return rest, len(values) * (1 - together) / (1 + together) - np.linalg.matrix_rank(design)
