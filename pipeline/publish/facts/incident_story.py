"""What is told of an incident: its time line, who was told, what was done, and the evidence.

All of it comes from what the run store keeps: nights and retrainings as they are remembered, notes, and the log of who
was told. Equal contents give equal stories, in whatever order nights ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from pipeline.config import ExpectedChange, Monitor, Mute
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.incidents import Incident
from pipeline.publish.facts.retraining import PastRetraining
from pipeline.publish.facts.verdict import STATES, State
from pipeline.results import Told
from pipeline.wording import clip, count, exact_share, listed, moment

MOST_NIGHTS = 90
"""So many nights a page shows: the first one and the newest; all of them count."""
_MOST_COLUMNS = 20
_MOST_TOLD = 200
_MOST_NAMES = 3
_WHY = 200


@dataclass(frozen=True)
class Noted:
    """A note that people made of a monitor, and who made it, where that is known."""

    note: ExpectedChange | Mute
    by: str | None = None


@dataclass(frozen=True)
class IncidentView:
    """Everything that is told of an incident. Retrainings, notes and tellings may be about other days, too."""

    monitor: Monitor
    incident: Incident
    retrainings: Sequence[PastRetraining] = ()
    notes: Sequence[Noted] = ()
    told: Sequence[Told] = ()
    environment: str | None = None

    @property
    def shown(self) -> tuple[PastNight, ...]:
        """The nights that are shown one by one, oldest first."""
        nights = self.incident.nights
        return nights if len(nights) <= MOST_NIGHTS else (nights[0], *nights[1 - MOST_NIGHTS :])

    @property
    def left_out(self) -> int:
        """How many are not."""
        return len(self.incident.nights) - len(self.shown)


@dataclass(frozen=True)
class Line:
    """Something that happened on a day, or of a run date. `page` is where more of it stands, from the store's monitor
    folder on; `state` is that of a night. `found` and `columns` are texts and names from data, on one line each.
    """

    day: date
    words: str
    state: State | None = None
    page: str = ""
    found: str = ""
    columns: tuple[str, ...] = ()
    more: int = 0

    @property
    def asides(self) -> tuple[str, ...]:
        """What was found, in the order of what it says of the day: failures of broken or stale data before columns."""
        more = f" and {count(self.more)} more" if self.more else ""
        columns = ", ".join(self.columns) + more if self.columns else ""
        both = (self.found, columns) if self.state in ("data_broken", "stale") else (columns, self.found)
        return tuple(f"{text[:1].upper()}{text[1:]}" if text == self.found else text for text in both if text)


@dataclass(frozen=True)
class Involved:
    """A column that drifted: on how many nights of the incident, and between which."""

    name: str
    nights: int
    first: date
    last: date

    @property
    def words(self) -> str:
        """`3 nights, 2026-01-12 to 2026-01-14`."""
        span = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        return f"{count(self.nights, 'night')}, {span}"


def summary(view: IncidentView) -> tuple[str, ...]:
    """What it was, in a few sentences."""
    incident = view.incident
    troubled = incident.troubled
    states = [(words, sum(night.state == state for night in troubled)) for state, words in STATES.items()]
    kinds = listed([f"{words.lower()} on {count(many)}" for words, many in states if many])
    lines = [f"{count(len(troubled), 'night')} of trouble, {incident.span}: {kinds}.", _end(incident)]
    began = _night(troubled[0])
    lines.append(f"It began with: {'; '.join((troubled[0].headline, *began.asides[:1]))}.")
    gaps = _days_without(incident)
    if gaps:
        lines.append(f"{count(gaps, 'day')} between them {'has' if gaps == 1 else 'have'} no night.")
    return tuple(lines)


def impact(view: IncidentView) -> tuple[str, ...]:
    """How bad it was, in figures."""
    troubled = view.incident.troubled
    lines = [f"{count(sum(night.rows for night in troubled), 'production row')} were judged on these nights."]
    measured = [night for night in troubled if night.few is None and night.strengths]
    if measured:
        worst = max(measured, key=lambda night: night.decisive_share)
        lines.append(
            f"Highest drift share: {worst.share_words} on {worst.run_date}, with a limit of {exact_share(worst.limit)}."
        )
    judged = [night for night in troubled if night.metric_words[0]]
    if judged:
        worst = min(judged, key=lambda night: night.margin(0.0))
        name, value, asked = worst.metric_words
        expected = f", {asked} expected" if asked else ""
        lines.append(f"Worst main metric: {name} {value}{expected}, on {worst.run_date}.")
    failed = sum(night.critical_failures > 0 for night in troubled)
    return (*lines, f"Critical expectations failed on {count(failed, 'night')}.") if failed else tuple(lines)


def timeline(view: IncidentView) -> tuple[Line, ...]:
    """Its nights with what was done about them, oldest first."""
    shown = {night.run_date for night in view.shown}
    ended = view.incident.ended
    nights = [_night(night) for night in (*view.shown, *([] if ended is None else [ended]))]
    days = [*sorted(shown), *([] if ended is None else [ended.run_date])]
    gaps = [
        Line(before + timedelta(1), _gap(before, after))
        for before, after in pairwise(days)
        if after - before > timedelta(1) and not (view.left_out and before == view.incident.first)
    ]
    left = [Line(days[0] + timedelta(1), f"{count(view.left_out, 'night')} left out here")] if view.left_out else []
    return tuple(sorted((*nights, *gaps, *left, *done(view)), key=lambda line: line.day))


def done(view: IncidentView) -> tuple[Line, ...]:
    """What was done about it, by Nightjar and by people, in the order of run dates."""
    first, until = view.incident.first, view.incident.until
    lines = [
        Line(item.run_date, f"Retraining {item.words}", page=f"retraining/{item.run_date}/index.html")
        for item in view.retrainings
        if first <= item.run_date <= until
    ]
    ended = view.incident.ended
    for night in (*view.incident.nights, *([] if ended is None else [ended])):
        told = "" if night.probation is None else night.probation.told
        if told:
            page = f"{night.run_date}/index.html#probation"
            lines.append(Line(night.run_date, told[:1].upper() + told[1:], page=page))
    found = (item for item in view.notes if item.note.first <= until and item.note.until >= first)
    lines += [_noted(item, first) for item in found]
    return tuple(sorted(lines, key=lambda line: line.day))


def who_was_told(view: IncidentView) -> tuple[str, ...]:
    """Every mail and message about it, and those that were held back, the oldest first."""
    first, until = view.incident.first, view.incident.until
    found = [one for one in view.told if first <= one.run_date <= until]
    ordered = sorted(found, key=lambda one: (one.moment, one.run_date, one.outlet))
    more = len(ordered) - _MOST_TOLD
    lines = [_told(one) for one in ordered[:_MOST_TOLD]]
    return (*lines, f"and {count(more, 'more time')}") if more > 0 else tuple(lines)


def involved(view: IncidentView) -> tuple[tuple[Involved, ...], int]:
    """The columns that drifted, those on most nights first, and how many are left out."""
    nights: dict[str, list[date]] = {}
    for night in view.incident.nights:
        for name in night.drifted:
            nights.setdefault(name, []).append(night.run_date)
    found = sorted((Involved(name, len(days), days[0], days[-1]) for name, days in nights.items()), key=_most_first)
    return tuple(found[:_MOST_COLUMNS]), max(len(found) - _MOST_COLUMNS, 0)


def _most_first(column: Involved) -> tuple[int, str]:
    return -column.nights, column.name


def _end(incident: Incident) -> str:
    if incident.ended is not None:
        return f"Healthy again on {incident.ended.run_date}."
    return "Nobody knows how it ended: no night followed." if incident.lost else "It goes on."


def _night(night: PastNight) -> Line:
    words = ", ".join(filter(None, (night.headline, night.action)))
    names = night.drifted[:_MOST_NAMES]
    return Line(
        day=night.run_date,
        words=words[:1].upper() + words[1:],
        state=night.state,
        page=f"{night.run_date}/index.html",
        found=night.found,
        columns=tuple(clip(name, 60) for name in names),
        more=len(night.drifted) - len(names),
    )


def _noted(item: Noted, first: date) -> Line:
    """A note; one that held already when the incident began stands at its beginning."""
    note = item.note
    by = f", by {clip(item.by, 60)}" if item.by else ""
    span = f"from {note.first} to {note.until}{by}"
    why = clip(note.why, _WHY)
    if isinstance(note, Mute):
        return Line(max(note.first, first), f"Muted {span}", found=why)
    names = tuple(clip(name, 60) for name in note.columns[:_MOST_NAMES])
    more = len(note.columns) - len(names)
    return Line(max(note.first, first), f"Expected to change {span}", found=why, columns=names, more=more)


def _told(one: Told) -> str:
    what = "Mail" if one.outlet == "mail" else f"Message to {clip(one.outlet, 60)}"
    to = f" to {listed([clip(address, 80) for address in one.to])}" if one.to else ""
    about = f"the {one.about} of {one.run_date}"
    aside = "" if one.sent else f"; {one.said}"
    return f"{moment(one.moment)}: {what}{to} about {about}{aside}"


def _days_without(incident: Incident) -> int:
    days = {night.run_date for night in incident.nights if night.run_date <= incident.last}
    return (incident.last - incident.first).days + 1 - len(days)


def _gap(before: date, after: date) -> str:
    days = (after - before).days - 1
    return "No night" if days == 1 else f"No night on {count(days, 'day')}, to {after - timedelta(1)}"
