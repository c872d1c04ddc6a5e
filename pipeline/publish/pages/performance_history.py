"""A metric night by night, on the page of a night and on that of a monitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pipeline.config import Monitor
from pipeline.publish import charts
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.performance import (
    kind_of,
    limit_words,
    usual_metric,
    with_interval,
)
from pipeline.publish.facts.probation import standing_words
from pipeline.publish.facts.retraining import PastRetraining, by_date
from pipeline.results import METRICS, NightPerformance
from pipeline.wording import apart, clip, count, measured, metric_name, share

HISTORY_NIGHTS = 30
MAX_METRICS = 12


def legend(
    days: Sequence[charts.Point], metric: str, retrainings: Mapping[date, PastRetraining]
) -> list[tuple[str, str]]:
    """The signs of a performance chart, by look, each with what it stands for."""
    before = next((day.before for day in reversed(days) if day.before is not None), None)
    limit = next((day.limit for day in reversed(days) if day.limit is not None), None)
    realised = [day for day in days if day.realised is not None]
    final = sum(day.final for day in realised)
    found = [
        ("point", "realised, final" if final < len(realised) else "realised", final > 0),
        ("waiting", "realised, labels still come", final < len(realised)),
        ("estimated", "estimated before labels", any(day.estimated is not None for day in days)),
        ("own", f"reference {measured(before)}" if before is not None else "", before is not None),
        ("limit", limit_words(metric, measured(limit)) if limit is not None else "", limit is not None),
        (
            "promotion",
            "another model promoted",
            any(day.day in retrainings and retrainings[day.day].served for day in days),
        ),
        ("rollback", "rolled back", any(day.night is not None and day.night.rolled_back for day in days)),
        ("covered", "share that has a label", any(day.labelled_share is not None for day in days)),
    ]
    return [(look, words) for look, words, there in found if there]


def night_history(view: NightView, metric: str) -> dict[str, object] | None:
    """The main metric of the nights before and of this one; None where no value is known."""
    nights = (*view.before, view.tonight)
    seen = _seen(view, metric)
    places = charts.slots(nights, HISTORY_NIGHTS, (item.day for item in seen))
    days = charts.points(places, metric, seen)
    retrainings = by_date((*view.retrainings, *([] if view.retraining is None else [view.retraining])))
    chart = charts.performance_chart(days, metric, _page_of, retrainings=retrainings, base="../")
    if not chart:
        return None
    known = [day for day in days if day.realised is not None]
    return {
        "metric": metric_name(metric),
        "chart": chart,
        "legend": legend(days, metric, retrainings),
        "first": places[0].day if len(places) > 1 else "",
        "words": _chart_words(days, known),
        "has_noise": any(
            found is not None and found.low is not None for day in days for found in (day.realised, day.estimated)
        ),
    }


def _seen(view: NightView, metric: str) -> list[NightPerformance]:
    """Days as this night saw them: those of the window, and the one whose labels were due."""
    performance, found = view.performance, view.performance.intervals.get(metric)
    seen = [item for item in performance.nights if item.day <= view.run_date]
    if found is None or performance.labels_date is None or performance.labels_date in {item.day for item in seen}:
        return seen
    due = NightPerformance(
        day=performance.labels_date, status="measured", final=performance.final, realised={metric: found}
    )
    return [*seen, due]


def _chart_words(days: Sequence[charts.Point], known: Sequence[charts.Point]) -> str:
    """What the chart shows, in words."""
    estimated = sum(day.estimated is not None for day in days)
    parts = [f"{count(len(known), 'day')} of {count(len(days))} with labels"]
    waiting = sum(not day.final for day in known)
    parts += [f"{count(waiting)} of them provisional"] if waiting else []
    parts += [f"{count(estimated)} estimated before labels came"] if estimated else []
    below = [day for day in known if day.limit is not None and _is_beyond(day)]
    parts += [f"{count(len(below))} beyond the limit when taken alone"] if below else []
    return ", ".join(parts) + "."


def _is_beyond(day: charts.Point) -> bool:
    """Whether a day's value is on the bad side of what its night asked for."""
    metric = None if day.night is None else day.night.metric
    if metric is None or day.realised is None or day.limit is None:
        return False
    return kind_of(metric).is_beyond(day.realised.value, day.limit)


def _page_of(day: date) -> str:
    return f"../{day}/index.html"


def monitor_part(
    nights: Sequence[PastNight], last: int, retrainings: Mapping[date, PastRetraining]
) -> dict[str, object] | None:
    """The long history of a monitor's metrics: the main one with all that is known of it, the others below it."""
    places = charts.slots(nights, last)
    known = list(dict.fromkeys(name for slot in places if slot.night for name in slot.night.performance))
    metric = next((night.metric for night in reversed(nights) if night.metric is not None), None)
    metric = metric or usual_metric(known)
    if metric is None:
        return None
    days = charts.points(places, metric)
    chart = charts.performance_chart(days, metric, _night_of, height=230, retrainings=retrainings)
    if not chart and not known:
        return None
    realised = [day for day in days if day.realised is not None]
    marked = [retrainings[slot.day] for slot in places if slot.day in retrainings]
    return {
        "metric": metric_name(metric),
        "chart": chart,
        "legend": legend(days, metric, retrainings),
        "words": _chart_words(days, realised),
        "degraded": sum(slot.night is not None and slot.night.degraded for slot in places),
        "promoted": sum(item.served for item in marked),
        "tried": sum(not item.served for item in marked),
        "rolled_back": sum(slot.night is not None and slot.night.rolled_back for slot in places),
        "asked": sum(slot.night is not None and slot.night.retrain for slot in places),
        "newest": _newest(realised),
        "others": [
            _other(places, name, retrainings) for name in known if name in METRICS and (name != metric or not chart)
        ][:MAX_METRICS],
    }


def _other(places: Sequence[charts.Slot], metric: str, retrainings: Mapping[date, PastRetraining]) -> dict[str, object]:
    """A metric with a small chart; in figures only where its days lie before those that are shown."""
    days = charts.points(places, metric)
    values = [day.realised.value for day in days if day.realised is not None]
    values = values or [
        slot.night.performance[metric] for slot in places if slot.night and metric in slot.night.performance
    ]
    return {
        "name": metric_name(metric),
        "newest": measured(values[-1]) if values else "",
        "range": " to ".join(apart(min(values), max(values), write=measured)) if len(values) > 1 else "",
        "chart": charts.performance_chart(days, metric, _night_of, height=64, retrainings=retrainings, small=True),
    }


def _newest(realised: Sequence[charts.Point]) -> str:
    """The newest day that has labels: `0.812 (0.801 to 0.823) on 2026-01-07, labels of 96%, final`."""
    if not realised:
        return ""
    day = realised[-1]
    found = day.realised
    if found is None:
        return ""
    labels = "" if day.labelled_share is None else f", labels of {share(day.labelled_share)}"
    return f"{with_interval(found)} on {day.day}{labels}, {'final' if day.final else 'provisional'}"


def serving_words(monitor: Monitor, nights: Sequence[PastNight], retrainings: Sequence[PastRetraining]) -> list[str]:
    """Which champion serves since when, on which reference, how its probation goes, and until when there are labels."""
    promoted = [item for item in sorted(retrainings, key=lambda item: item.run_date) if item.promoted]
    reference = monitor.snapshots.reference_words(lambda address: clip(address, 120))
    if promoted:
        champion = promoted[-1]
        version = "A retrained version" if champion.version is None else f"Version {clip(champion.version, 20)}"
        how = " by hand" if champion.since is not None else ""
        words = f"{version} serves since the retraining of {champion.run_date}, promoted{how}"
        against = "what it was trained on" if monitor.snapshots.follows_champion else reference
    else:
        undone = "" if any(item.served for item in retrainings) else "No retrained version was promoted; "
        words, against = f"{undone}the model serves that was there before", reference
        words = words[:1].upper() + words[1:]
    told = [f"{words}. It is compared with {against}."]
    watched = [(night.run_date, night.probation) for night in nights if night.probation is not None]
    told += filter(None, [standing_words(nights[-1].run_date, watched, retrainings)])
    days = _labelled_days(nights)
    if days:
        final = [day for day, is_final in days if is_final]
        until = f"Labels have come until {days[-1][0]}"
        told.append(until + (f", final until {final[-1]}." if final and final[-1] != days[-1][0] else "."))
    return told


def _labelled_days(nights: Sequence[PastNight]) -> list[tuple[date, bool]]:
    """Days of which labels are known, in order, and whether they are final."""
    days = {night.run_date: night.final for night in nights if night.labelled_share}
    for night in nights:
        if night.labelled_share is None and night.performance and night.labels_date is not None:
            days.setdefault(night.labels_date, True)
    return sorted(days.items())


def _night_of(day: date) -> str:
    return f"{day}/index.html"
