"""The page of the fleet over all monitors, made without a clock: "now" is the newest night of the fleet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from markupsafe import Markup

from pipeline.config.schedule import day_that_ended, next_moment
from pipeline.publish import charts
from pipeline.publish.facts import fleet
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.history import PastNight, since
from pipeline.publish.facts.incidents import incidents_of, page_of
from pipeline.publish.facts.muted import standing_words
from pipeline.publish.facts.retraining import PastRetraining
from pipeline.publish.facts.verdict import STATES, State
from pipeline.publish.templates import page
from pipeline.wording import clip, count

_MISSED_ENOUGH = 3
_FAR = 1e9  # stands for a margin that nobody knows, where monitors are sorted by theirs


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
    metric: tuple[str, str, str]
    trend: Markup
    owner: str

    @property
    def margin(self) -> float:
        """How far the main metric is from its limit, negative beyond it; those without one come last when sorted."""
        return _FAR if self.newest is None else self.newest.margin(_FAR)

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to do something."""
        return fleet.needs_attention(self.rank)


def fleet_page(
    watched: Sequence[Watched],
    problems: Mapping[str, str] | None = None,
    as_of: date | None = None,
    environment: str | None = None,
) -> bytes:
    """The fleet's `index.html`: those that need attention on top.

    Args:
        watched: every monitor.
        problems: what is wrong with monitor files that cannot be read, by file name.
        as_of: the run date every monitor should have reached; by default the newest night of the fleet, so that
            the page follows from the run store alone.
        environment: the name of the installation.
    """
    newest = as_of or max((night.run_date for item in watched for night in item.nights), default=None)
    rows = sorted((_row(item, newest) for item in watched), key=lambda row: (row.rank, row.name))
    wrong = sorted((problems or {}).items())
    needing = sum(row.needs_attention for row in rows) + len(wrong)
    return page(
        "fleet.html.j2",
        environment,
        rows=rows,
        judged=any(row.metric[0] for row in rows),
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
    probation = item.probation(last) if last else ""
    rank, state, says = _standing(last, missed, outcome, probation)
    return _Row(
        rank=rank,
        name=item.monitor.name,
        state=state,
        says=says,
        notes=_notes(item, last, missed, outcome, probation) + _incident(item) + _muted(item, as_of),
        since=last.run_date if last and state == "absent" else since(nights),
        newest=last,
        spark=charts.sparkline(nights),
        metric=("", "", "") if last is None else last.metric_words,
        trend=charts.metric_spark(nights),
        owner=clip(item.monitor.owner, 80),
    )


def _standing(
    last: PastNight | None, missed: int, outcome: PastRetraining | None, probation: str
) -> tuple[int, State, str]:
    """Rank, state and the verdict in words.

    One missing night may still come in; from the second one on the monitor counts as not run.
    """
    if last is None:
        return fleet.ABSENT, "absent", "Not run yet"
    if missed > 1:
        return fleet.ABSENT, "absent", f"Not run since {last.run_date}"
    return fleet.rank(last, outcome, probation), last.state, last.headline[0].upper() + last.headline[1:]


def _incident(item: Watched) -> list[tuple[str, str]]:
    incidents = incidents_of(item.known())
    if not incidents or not incidents[-1].is_open:
        return []
    last = incidents[-1]
    words = f"incident since {last.first}, {count(len(last.troubled), 'night')}"
    return [(words, f"{item.monitor.name}/{page_of(last.first)}")]


def _muted(item: Watched, as_of: date | None) -> list[tuple[str, str]]:
    words = standing_words(item.mutes, as_of)
    return [(words, "")] if words else []


def _notes(
    item: Watched, last: PastNight | None, missed: int, outcome: PastRetraining | None, probation: str
) -> list[tuple[str, str]]:
    """What else is known, each with the address of a page about it, if there is one."""
    if last is None:
        return []
    name = item.monitor.name
    page = f"{name}/retraining/{outcome.run_date}/index.html" if outcome else ""
    notes = [
        (f"was {last.headline}" if missed > 1 else "", ""),
        (fleet.action(last, outcome), page),
        (probation, f"{name}/{last.run_date}/index.html#probation"),
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
