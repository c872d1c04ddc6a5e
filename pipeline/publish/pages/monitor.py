"""The page of a monitor over all its nights, made without a clock from what the run store remembers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby

from markupsafe import Markup

from pipeline.config import Monitor, Mute
from pipeline.publish import charts
from pipeline.publish.facts.history import PastNight, since
from pipeline.publish.facts.incidents import Incident, incidents_of, page_of
from pipeline.publish.facts.muted import standing_words
from pipeline.publish.facts.retraining import PastRetraining, by_date
from pipeline.publish.pages.performance_history import monitor_part, serving_words
from pipeline.publish.templates import page
from pipeline.wording import clip, count, share, times

MAX_NIGHTS = 90
HEAT_NIGHTS = 60
HEAT_COLUMNS = 30
HEAT_FEW = 30  # so many nights leave room for wide cells, and for the number of every day
MAX_TABLE = 400
MAX_INCIDENTS = 30


def monitor_page(
    monitor: Monitor,
    nights: Sequence[PastNight],
    retrainings: Sequence[PastRetraining] = (),
    mutes: Sequence[Mute] = (),
    environment: str | None = None,
) -> bytes:
    """The monitor's `index.html`: its newest verdict, and how it came to it over all nights.

    Args:
        monitor: the monitor.
        nights: its published nights, in any order; none when it has not run yet.
        retrainings: its published retrainings, in any order.
        mutes: when nobody is told of it, in any order.
        environment: the name of the installation.
    """
    ordered = sorted(nights, key=lambda night: night.run_date)
    places = charts.slots(ordered, MAX_NIGHTS)
    outcomes = by_date(retrainings)
    incidents = incidents_of(ordered)
    return page(
        "monitor.html.j2",
        environment,
        monitor=monitor,
        description=clip(monitor.description, 300),
        owner=clip(monitor.owner, 120),
        newest=ordered[-1] if ordered else None,
        since=since(ordered),
        muted=standing_words(mutes, ordered[-1].run_date if ordered else None),
        nights=list(reversed(ordered))[:MAX_TABLE],
        more_nights=max(len(ordered) - MAX_TABLE, 0),
        ends=(places[0].day, places[-1].day) if places else None,
        drift=_drift(ordered, places, outcomes),
        heat=_heat(ordered),
        failures=_failures(ordered, places),
        volume=charts.bars_chart(places, lambda night: night.rows, lambda night: count(night.rows, "row"), _page_of),
        most_rows=count(max((slot.night.rows for slot in places if slot.night), default=0)),
        performance=monitor_part(ordered, MAX_NIGHTS, outcomes),
        serving=serving_words(monitor, ordered, retrainings) if ordered else [],
        retrainings=_retrainings(ordered, outcomes),
        incidents=[_incident(one) for one in reversed(incidents[-MAX_INCIDENTS:])],
        more_incidents=max(len(incidents) - MAX_INCIDENTS, 0),
    )


def _incident(incident: Incident) -> dict[str, object]:
    worst = incident.troubled[-1] if incident.is_open else incident.worst
    return {
        "span": incident.span,
        "page": page_of(incident.first),
        "sign": worst.state,
        "words": incident.words[:1].upper() + incident.words[1:],
        "began": incident.troubled[0].headline,
    }


def _retrainings(
    nights: Sequence[PastNight], outcomes: Mapping[date, PastRetraining]
) -> list[tuple[date, PastNight | None, PastRetraining | None, date | None]]:
    """Every date on which a night asked for retraining or one took place, the newest first; and the night on which its
    version was rolled back, if it was.
    """
    undone = {night.probation.version: night.run_date for night in nights if night.probation and night.rolled_back}
    by_day = {night.run_date: night for night in nights}
    days = {night.run_date for night in nights if night.retrain} | outcomes.keys()
    newest = sorted(days, reverse=True)[:MAX_NIGHTS]
    return [(day, by_day.get(day), outcomes.get(day), _undone(outcomes.get(day), undone)) for day in newest]


def _undone(outcome: PastRetraining | None, nights: Mapping[str, date]) -> date | None:
    if outcome is None or outcome.version is None or outcome.since != "rolled back in its probation":
        return None
    return nights.get(outcome.version)


def _drift(
    nights: Sequence[PastNight], places: Sequence[charts.Slot], outcomes: Mapping[date, PastRetraining]
) -> dict[str, object] | None:
    if not nights:
        return None
    shown = [slot.night for slot in places if slot.night is not None]
    newest = nights[-1]
    marked = [outcomes[slot.day] for slot in places if slot.day in outcomes]
    return {
        "chart": charts.share_chart(
            places,
            newest.limit,
            newest.run_date,
            _page_of,
            height=220,
            retrainings=outcomes,
        ),
        "promoted": sum(item.served for item in marked),
        "tried": sum(not item.served for item in marked),
        "shown": len(shown),
        "over": sum(night.over for night in shown),
        "alone": sum(bool(night.critical) and not night.over for night in shown),
        "retrainings": sum(night.retrain for night in shown),
        "broken": sum(night.status == "data_broken" for night in shown),
        "few": sum(night.status == "too_few_rows" for night in shown),
        "missing": len(places) - len(shown),
    }


def _failures(nights: Sequence[PastNight], places: Sequence[charts.Slot]) -> dict[str, object]:
    shown = [slot.night for slot in places if slot.night is not None]
    failed = [night for night in shown if night.failures]
    return {
        "chart": charts.bars_chart(places, lambda night: night.failures, _failed_words, _page_of) if failed else None,
        "nights": len(failed),
        "critical": sum(night.critical_failures > 0 for night in shown),
        "most": max((night.failures for night in shown), default=0),
        "passed": share(nights[-1].passed_share) if nights else "",
    }


def _failed_words(night: PastNight) -> str:
    return f"{count(night.failures)} failed, {share(night.passed_share)} passed"


def _page_of(day: date) -> str:
    return f"{day}/index.html"


def _heat(nights: Sequence[PastNight]) -> dict[str, object] | None:
    """Columns by nights: those that drifted most often on top."""
    places = charts.slots(nights, HEAT_NIGHTS)
    shown = [slot.night for slot in places if slot.night is not None and slot.night.strengths]
    drifted = {night.run_date: frozenset(night.drifted) for night in shown}
    weight: dict[str, tuple[int, float]] = {}
    for night in shown:
        for name, strength in night.strengths.items():
            times, most = weight.get(name, (0, 0.0))
            weight[name] = (times + (name in drifted[night.run_date]), max(most, strength))
    if not weight:
        return None
    names = sorted(weight, key=lambda name: (-weight[name][0], -weight[name][1], name))
    days = [slot.day for slot in places]
    return {
        "months": [(month, len(list(group))) for month, group in groupby(days, key=lambda day: day.strftime("%Y-%m"))],
        "days": [(slot.day, slot.night is not None) for slot in places],
        "few": len(places) <= HEAT_FEW,
        "rows": [
            (clip(name, 26), [_heat_cell(slot, name, drifted) for slot in places]) for name in names[:HEAT_COLUMNS]
        ],
        "more": max(len(names) - HEAT_COLUMNS, 0),
        "columns": len(names),
    }


def _heat_cell(slot: charts.Slot, name: str, drifted: Mapping[date, frozenset[str]]) -> Markup:
    strength = slot.night.strengths.get(name) if slot.night is not None else None
    if strength is None:
        return Markup("<td></td>")
    look = f"h{charts.heat_level(strength)}" + (" x" if name in drifted[slot.day] else "")
    return Markup('<td class="{}"><b>{}</b></td>').format(look, times(strength))
