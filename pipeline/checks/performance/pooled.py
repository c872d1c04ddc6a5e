"""Several nights measured together: a loss that no single night can tell from noise shows over many."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.checks.performance.labelled_rows import metrics_of
from pipeline.checks.performance.verdict.stretches import Stretch
from pipeline.metrics.counts import Counts, merged, unpacked
from pipeline.metrics.measure import measure_one
from pipeline.results import METRICS, Estimate, LabelledDay, Span

SPANS = (7, 30)
"""So many of the newest labelled nights are shown together."""

_Z95 = 1.96


@dataclass(frozen=True)
class Serving:
    """Which model answers tonight: its version, where the data says so, else since when it has been serving."""

    version: str | None = None
    since: date | None = None

    def answered(self, day: LabelledDay) -> bool:
        """Whether it is this one whose answers a day has, as far as anybody says."""
        if self.version is not None:
            return day.model_version == self.version
        return self.since is None or day.day >= self.since


def telling(days: Iterable[LabelledDay], standard: str, serving: Serving) -> list[LabelledDay]:
    """The days that tell of the model that answers tonight, oldest first.

    Measured by one standard, without those that another model answered (of a version that comes back, also those from
    before), and final: labels that come early are often those of one kind (who leaves is known before who stays), so a
    provisional result is shown and decides nothing.
    """
    usable = (day for day in days if _is_usable(day, standard) and serving.answered(day))
    return sorted(usable, key=lambda day: day.day)


def spans(days: Sequence[LabelledDay]) -> dict[str, Span]:
    """Every metric over the newest 7 and 30 of some days, by number; a span that would say the same again is left out.

    Args:
        days: those of one model, oldest first.
    """
    shortest, _ = SPANS
    wanted = [many for many in SPANS if len(days) > (1 if many == shortest else shortest)]
    return {str(many): _span(days[-many:]) for many in wanted}


def _span(days: Sequence[LabelledDay]) -> Span:
    return Span(
        first=days[0].day,
        last=days[-1].day,
        nights=len(days),
        rows=sum(day.rows for day in days),
        labelled_rows=sum(day.labelled_rows for day in days),
        metrics=metrics_of(merged(*_counts(days))),
    )


def realised(days: Sequence[LabelledDay], metrics: Collection[str]) -> dict[str, list[Stretch]]:
    """By metric: over the last day, the last two, and so on, as far as rows allow a value.

    Args:
        days: those of one model, oldest first.
        metrics: names.
    """
    found: dict[str, list[Stretch]] = {name: [] for name in metrics}
    whole: Counts | None = None
    for place in range(len(days) - 1, -1, -1):
        counts = _counts(days[place : place + 1])
        whole = merged(*counts) if whole is None else merged(*counts, whole)
        for name in metrics:
            value = measure_one(whole, name)
            if value is not None:
                found[name].append(Stretch(days[place].day, days[-1].day, len(days) - place, value))
    return found


def estimated(nights: Mapping[date, Estimate], shared_error: float, metric: str) -> list[Stretch]:
    """Estimates of the last night, the last two, and so on, weighted by rows.

    Args:
        nights: what was expected of each.
        shared_error: the part of the standard error that all of them have in common, as it comes from the reference.
        metric: its name.
    """
    days, found = sorted(nights), []
    rows, total, variance = 0, 0.0, 0.0
    for many, day in enumerate(reversed(days), 1):
        night = nights[day]
        if night.error is None or not night.rows:
            break
        own = max(night.error**2 - shared_error**2, 0.0)
        rows, total, variance = rows + night.rows, total + night.rows * night.value, variance + night.rows**2 * own
        value = _within(metric, total / rows, math.sqrt(variance / rows**2 + shared_error**2), rows)
        found.append(Stretch(day, days[-1], many, value))
    return found


def _within(metric: str, value: float, error: float, rows: int) -> Estimate:
    kind = METRICS[metric]
    low, high = max(value - _Z95 * error, kind.low), min(value + _Z95 * error, kind.high)
    return Estimate(value=value, low=low, high=high, error=error, rows=rows)


def _counts(days: Iterable[LabelledDay]) -> list[Counts]:
    return [unpacked(day.tally) for day in days if day.tally is not None]


def _is_usable(day: LabelledDay, standard: str) -> bool:
    return day.status == "measured" and day.final and day.standard == standard and day.tally is not None
