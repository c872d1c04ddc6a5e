"""The monitor's page over all its nights, and the fleet's page over all monitors.

Both are made from what the run store remembers, without a clock: "now" is the newest night of the fleet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, takewhile

from markupsafe import Markup

from pipeline.config import Monitor
from pipeline.config.schedule import day_that_ended, next_moment
from pipeline.publish.facts import fleet
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.night import PastNight
from pipeline.publish.facts.retraining import PastRetraining, by_date
from pipeline.publish.facts.verdict import STATES, State
from pipeline.publish.facts.words import clip, count, measured, metric_name, rows_of, share
from pipeline.publish.pages import charts
from pipeline.publish.templates import page

MAX_NIGHTS = 90
HEAT_NIGHTS = 60
HEAT_COLUMNS = 30
HEAT_FEW = 30  # so many nights leave room for wide cells, and for the number of every day
MAX_TABLE = 400
MAX_METRICS = 12
_MISSED_ENOUGH = 3


def monitor_page(monitor: Monitor, nights: Sequence[PastNight], retrainings: Sequence[PastRetraining] = ()) -> bytes:
    """The monitor's `index.html`: its newest verdict, and how it came to it over all nights.

    Args:
        monitor: the monitor.
        nights: its published nights, in any order; none when it has not run yet.
        retrainings: its published retrainings, in any order.
    """
    ordered = sorted(nights, key=lambda night: night.run_date)
    places = charts.slots(ordered, MAX_NIGHTS)
    outcomes = by_date(retrainings)
    return page(
        "monitor.html.j2",
        monitor=monitor,
        description=clip(monitor.description, 300),
        owner=clip(monitor.owner, 120),
        newest=ordered[-1] if ordered else None,
        since=since(ordered),
        nights=list(reversed(ordered))[:MAX_TABLE],
        more_nights=max(len(ordered) - MAX_TABLE, 0),
        ends=(places[0].day, places[-1].day) if places else None,
        drift=_drift(ordered, places, outcomes),
        heat=_heat(ordered),
        failures=_failures(ordered, places),
        volume=charts.bars_chart(places, lambda night: night.rows, lambda night: rows_of(night.rows), _page_of),
        most_rows=count(max((slot.night.rows for slot in places if slot.night), default=0)),
        performance=_performance(places),
        retrainings=_retrainings(ordered, outcomes),
    )


def since(nights: Sequence[PastNight]) -> date | None:
    """Since when a monitor is in the state of its newest night; nights are oldest first."""
    same = takewhile(lambda night: night.state == nights[-1].state, reversed(nights))
    return min((night.run_date for night in same), default=None)


def _retrainings(
    nights: Sequence[PastNight], outcomes: Mapping[date, PastRetraining]
) -> list[tuple[date, PastNight | None, PastRetraining | None]]:
    """Every date on which a night asked for retraining or one took place, the newest first."""
    by_day = {night.run_date: night for night in nights}
    days = {night.run_date for night in nights if night.retrain} | outcomes.keys()
    return [(day, by_day.get(day), outcomes.get(day)) for day in sorted(days, reverse=True)[:MAX_NIGHTS]]


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
        "promoted": sum(item.promoted for item in marked),
        "tried": sum(not item.promoted for item in marked),
        "shown": len(shown),
        "over": sum(night.over for night in shown),
        "retrainings": sum(night.retrain for night in shown),
        "broken": sum(night.status == "data_broken" for night in shown),
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


def _performance(places: Sequence[charts.Slot]) -> list[dict[str, object]]:
    metrics = list(dict.fromkeys(name for slot in places if slot.night for name in slot.night.performance))
    rows: list[dict[str, object]] = []
    for metric in metrics[:MAX_METRICS]:
        values = [slot.night.performance.get(metric) if slot.night else None for slot in places]
        known = [value for value in values if value is not None]
        rows.append(
            {
                "name": metric_name(metric),
                "newest": measured(known[-1]),
                "range": f"{measured(min(known))} to {measured(max(known))}" if len(known) > 1 else "",
                "chart": charts.line_chart(places, values, measured) if len(known) > 1 else "",
            }
        )
    return rows


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
    value = f"{strength:.1f}" if strength < 1000 else "1000+"
    return Markup('<td class="{}"><b>{}</b></td>').format(look, value)


@dataclass(frozen=True)
class _Row:
    """A monitor on the fleet's page; the lowest `rank` needs attention most. A note has an address or an empty one."""

    rank: int
    name: str
    state: State
    says: str
    notes: list[tuple[str, str]]
    since: date | None
    newest: PastNight | None
    spark: Markup
    owner: str

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to do something."""
        return fleet.needs_attention(self.rank)


def fleet_page(
    watched: Sequence[Watched], problems: Mapping[str, str] | None = None, as_of: date | None = None
) -> bytes:
    """The fleet's `index.html`: those that need attention on top.

    Args:
        watched: every monitor.
        problems: what is wrong with monitor files that cannot be read, by file name.
        as_of: the run date every monitor should have reached; by default the newest night of the fleet, so that
            the page follows from the run store alone.
    """
    newest = as_of or max((night.run_date for item in watched for night in item.nights), default=None)
    rows = sorted((_row(item, newest) for item in watched), key=lambda row: (row.rank, row.name))
    wrong = sorted((problems or {}).items())
    needing = sum(row.needs_attention for row in rows) + len(wrong)
    return page(
        "fleet.html.j2",
        rows=rows,
        problems=[(clip(name, 80), clip(text.splitlines()[0] if text else "", 300)) for name, text in wrong],
        title=fleet.title(len(rows) + len(wrong), needing),
        needing=any(row.needs_attention for row in rows),
        newest=newest,
        totals=[(state, sum(row.state == state for row in rows)) for state in STATES],
        scripted=True,
    )


def _row(item: Watched, as_of: date | None) -> _Row:
    nights = item.known()
    last = nights[-1] if nights else None
    missed = _missed(item.monitor.schedule, last.run_date, as_of) if last and as_of else 0
    outcome = item.outcome(last.run_date if last else None)
    rank, state, says = _standing(last, missed, outcome)
    return _Row(
        rank=rank,
        name=item.monitor.name,
        state=state,
        says=says,
        notes=[] if last is None else _notes(item.monitor.name, last, missed, outcome),
        since=last.run_date if last and state == "absent" else since(nights),
        newest=last,
        spark=charts.sparkline(nights),
        owner=clip(item.monitor.owner, 80),
    )


def _standing(last: PastNight | None, missed: int, outcome: PastRetraining | None) -> tuple[int, State, str]:
    """Rank, state and the verdict in words.

    One missing night may still come in; from the second one on the monitor counts as not run.
    """
    if last is None:
        return fleet.ABSENT, "absent", "Not run yet"
    if missed > 1:
        return fleet.ABSENT, "absent", f"Not run since {last.run_date}"
    return fleet.rank(last, outcome), last.state, last.headline[0].upper() + last.headline[1:]


def _notes(name: str, last: PastNight, missed: int, outcome: PastRetraining | None) -> list[tuple[str, str]]:
    """What else is known, each with the address of a page about it, if there is one."""
    page = f"{name}/retraining/{outcome.run_date}/index.html" if outcome else ""
    notes = [
        (f"was {last.headline}" if missed > 1 else "", ""),
        (fleet.action(last, outcome), page),
        ("the newest night is not in yet" if missed == 1 else "", ""),
    ]
    return [note for note in notes if note[0]]


def _missed(schedule: str, last: date, as_of: date) -> int:
    """How many nights the schedule would have brought after `last` and until `as_of`; counting stops at three."""
    moment = datetime.combine(last + timedelta(days=2), time(), UTC) - timedelta(seconds=1)
    days: set[date] = set()
    while len(days) < _MISSED_ENOUGH:
        try:
            moment = next_moment(schedule, moment)
        except ValueError:  # a date that never comes, such as the 30th of February
            break
        if day_that_ended(moment) > as_of:
            break
        days.add(day_that_ended(moment))
    return len(days)
