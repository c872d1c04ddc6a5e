"""Incidents: consecutive troubled nights, derived from what is remembered of nights and from nothing else.

A night is troubled when it is degraded or drifted, or its data is broken or stale. Of the other nights:

    healthy          ends an incident; also one on which columns changed only as people expect, or expectations failed
                     that block nothing
    too few rows     says nothing: it neither begins, nor continues, nor ends one
    no night         the same; but after `LONGEST_SILENCE` without one nobody knows how the incident ended, and the next
                     troubled night begins another

An incident is named by its first night. So nights that run again, in whatever order, end in the same incidents.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.verdict import STATES, State
from pipeline.results import Told
from pipeline.wording import count

TROUBLED: frozenset[State] = frozenset(("data_broken", "stale", "degraded", "drifted"))
LONGEST_SILENCE = timedelta(days=45)
_WORST_FIRST = tuple(STATES)


@dataclass(frozen=True)
class Incident:
    """Troubled nights in a row, oldest first, with nights of too few rows among and after them.

    `ended` is the healthy night after them; None where there is none yet, or, if `lost`, where nobody knows.
    """

    nights: tuple[PastNight, ...]
    ended: PastNight | None = None
    lost: bool = False

    @property
    def first(self) -> date:
        """The first troubled night, which names it."""
        return self.nights[0].run_date

    @property
    def troubled(self) -> tuple[PastNight, ...]:
        """Its nights but those of too few rows."""
        return tuple(night for night in self.nights if night.state in TROUBLED)

    @property
    def last(self) -> date:
        """The last troubled night."""
        return self.troubled[-1].run_date

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.ended is None and not self.lost

    @property
    def until(self) -> date:
        """The last date that it is about: of the night that ended it, or of its newest one."""
        return self.nights[-1].run_date if self.ended is None else self.ended.run_date

    @property
    def worst(self) -> PastNight:
        """The first night of its worst state."""
        return min(self.troubled, key=lambda night: _WORST_FIRST.index(night.state))

    @property
    def words(self) -> str:
        """`open, 3 nights so far`, `over after 3 nights`."""
        many = count(len(self.troubled), "night")
        if self.is_open:
            return f"open, {many} so far"
        return f"not known how it ended, after {many}" if self.lost else f"over after {many}"

    @property
    def span(self) -> str:
        """`2026-01-12 to 2026-01-14`, or its only night."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Standing:
    """Where a night stands in an incident, as far as was known on that night: a later one changes nothing of it.

    `number` counts troubled nights up to this one. `naming` names the incident's mails so far. `over`: the night is the
    healthy one after it. `first_mail` is the Message-ID of the first mail about it that was sent before this night's,
    `was_told`: somebody heard of it before, by mail or chat.
    """

    first: date
    last: date
    number: int
    naming: PastNight
    over: bool
    first_mail: str = ""
    was_told: bool = False

    @property
    def line(self) -> str:
        """What a mail or a page says of it in a line; empty on its first night, which speaks for itself."""
        if self.over:
            span = f"on {self.first}" if self.first == self.last else f"from {self.first} to {self.last}"
            return f"Over after {count(self.number, 'night')}: the incident {span}"
        return f"Night {count(self.number)} of the incident that began on {self.first}" if self.number > 1 else ""

    @property
    def page(self) -> str:
        """Its page, from the monitor's folder on."""
        return page_of(self.first)


def page_of(first: date) -> str:
    """The page of an incident, from the monitor's folder on."""
    return f"incidents/{first}/index.html"


def incidents_of(nights: Iterable[PastNight]) -> tuple[Incident, ...]:
    """The incidents of a monitor, oldest first.

    Args:
        nights: all that are known, oldest first.
    """
    found: dict[date, list[PastNight]] = {}
    ended: dict[date, PastNight] = {}
    goes_on: date | None = None
    for night, standing in _walk(nights):
        goes_on = None if standing is None else standing.first
        if standing is not None and standing.over:
            ended[standing.first] = night
        elif standing is not None:
            found.setdefault(standing.first, []).append(night)
    return tuple(
        Incident(tuple(some), ended.get(first), lost=first not in ended and first != goes_on)
        for first, some in found.items()
    )


def standing_of(nights: Sequence[PastNight], day: date, told: Collection[Told] = ()) -> Standing | None:
    """Where the night of a day stands; None outside of any incident.

    Args:
        nights: all that are known, oldest first; those after the day are left aside.
        day: of the night.
        told: who was told of what.
    """
    found = next((standing for night, standing in _walk(nights) if night.run_date == day), None)
    if found is None:
        return None
    before = (one for one in told if one.sent and one.about == "night" and found.first <= one.run_date < day)
    heard = sorted(before, key=lambda one: (one.moment, one.outlet))
    mails = (one.identity for one in heard if one.outlet == "mail")
    return replace(found, first_mail=next(mails, ""), was_told=bool(heard))


def moved(before: Iterable[PastNight], after: Iterable[PastNight]) -> list[date]:
    """The nights that stand elsewhere in an incident than they did, or in another one, each oldest first."""
    old, new = ({night.run_date: _shown(standing) for night, standing in _walk(nights)} for nights in (before, after))
    return [day for day, shown in new.items() if shown != old.get(day)]


def _shown(standing: Standing | None) -> tuple[date, str] | None:
    return None if standing is None else (standing.first, standing.line)


def _walk(nights: Iterable[PastNight]) -> Iterator[tuple[PastNight, Standing | None]]:
    """Each night with where it stands. Looks back only, so that a later night changes nothing of it."""
    current: Standing | None = None
    newest = date.min
    for night in nights:
        if night.run_date - newest > LONGEST_SILENCE:
            current = None
        newest = night.run_date
        if night.state in TROUBLED:
            current = _next(current, night)
        elif current is not None and night.state != "too_few_rows":
            yield night, replace(current, over=True)
            current = None
            continue
        yield night, current


def _next(current: Standing | None, night: PastNight) -> Standing:
    """Where a troubled night stands, after the one before it."""
    if current is None:
        return Standing(night.run_date, night.run_date, 1, night, over=False)
    worse = min((current.naming, night), key=lambda one: _WORST_FIRST.index(one.state))
    return replace(current, last=night.run_date, number=current.number + 1, naming=worse)
