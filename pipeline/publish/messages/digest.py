"""One mail over all monitors of a date, for people who watch many. Equal nights give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage

from pipeline.config.schedule import day_that_ended, next_moment
from pipeline.publish.facts import fleet
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.muted import standing_words
from pipeline.publish.facts.retraining import PastRetraining
from pipeline.publish.facts.verdict import STATES, State
from pipeline.publish.messages.mail import compose
from pipeline.publish.templates import render
from pipeline.wording import clip, count

MAX_ROWS = 40
MAX_PROBLEMS = 10


@dataclass(frozen=True)
class Row:
    """A monitor in the digest; the lowest `rank` needs attention most."""

    rank: int
    name: str
    state: State
    says: str
    owner: str
    link: str | None
    metric: str = ""

    @property
    def state_words(self) -> str:
        """The state as people read it."""
        return STATES[self.state]

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to do something."""
        return fleet.needs_attention(self.rank)


def build(
    watched: Sequence[Watched],
    problems: Mapping[str, str],
    run_date: date,
    *,
    mail_from: str,
    recipients: Sequence[str],
    report_base_url: str | None = None,
    environment: str | None = None,
) -> EmailMessage:
    """The digest of a date.

    Args:
        watched: every monitor; nights and retrainings after `run_date` are left aside.
        problems: what is wrong with monitor files that cannot be read, by file name.
        run_date: the day whose data was judged.
        mail_from: the sender's address.
        recipients: who gets it.
        report_base_url: where the run store can be read over HTTP, for links.
        environment: the name of the installation.
    """
    base = report_base_url.rstrip("/") if report_base_url else None
    found = (_row(item, run_date, base) for item in watched)
    rows = sorted((row for row in found if row is not None), key=lambda row: (row.rank, row.name))
    shown, rest = rows[:MAX_ROWS], rows[MAX_ROWS:]
    wrong = sorted(problems.items())
    needing = sum(row.needs_attention for row in rows) + len(wrong)
    values: dict[str, object] = {
        "title": fleet.title(len(rows) + len(wrong), needing),
        "run_date": run_date,
        "totals": [(words, many) for state, words in STATES.items() if (many := sum(r.state == state for r in rows))],
        "needing": [row for row in shown if row.needs_attention],
        "calm": [row for row in shown if not row.needs_attention],
        "more": _more(rest),
        "not_due": len(watched) - len(rows),
        "problems": [(clip(name, 80), clip(text.splitlines()[0] if text else "", 200)) for name, text in wrong][
            :MAX_PROBLEMS
        ],
        "more_problems": max(len(wrong) - MAX_PROBLEMS, 0),
        "link": f"{base}/index.html" if base else None,
    }
    values["subject"] = subject = f"[nightjar] {values['title']} on {run_date}"
    text, html = render("digest.txt.j2", **values), render("digest.html.j2", **values)
    return compose(
        "fleet",
        run_date,
        subject=subject,
        text=text,
        html=html,
        mail_from=mail_from,
        recipients=recipients,
        environment=environment,
    )


def _more(rest: Sequence[Row]) -> str:
    """What was left out so that the mail stays small."""
    if not rest:
        return ""
    needing = sum(row.needs_attention for row in rest)
    also = (
        f"{count(needing)} of them {'needs' if needing == 1 else 'need'} attention"
        if needing
        else "none of them needs attention"
    )
    return f"and {count(len(rest), 'more monitor')}, {also}: see the fleet's page"


def _row(item: Watched, run_date: date, base: str | None) -> Row | None:
    """None for a monitor that was not due on the date and did not run."""
    name, known = item.monitor.name, item.known(until=run_date)
    night = known[-1] if known and known[-1].run_date == run_date else None
    owner, page = clip(item.monitor.owner, 60), f"{base}/{name}/" if base else None
    muted = standing_words(item.mutes, run_date)
    aside = f"; {muted}" if muted else ""
    if night is not None:
        outcome, probation = item.outcome(run_date, until=run_date), item.probation(night)
        says = _verdict(night, known[-2] if len(known) > 1 else None, outcome, probation) + aside
        link = f"{page}{run_date}/index.html" if page else None
        return Row(fleet.rank(night, outcome, probation), name, night.state, says, owner, link, _metric(night))
    if not _due(item.monitor.schedule, run_date):
        return None
    says = f"No night of {run_date}; the last one is of {known[-1].run_date}" if known else "Has not run yet"
    link = f"{page}index.html" if page and known else None
    return Row(fleet.ABSENT, name, "absent", says + aside, owner, link)


def _verdict(night: PastNight, before: PastNight | None, outcome: PastRetraining | None, probation: str) -> str:
    """`Drifted: 9 of 18 columns (50%); healthy on 2026-01-13; retraining promoted version 3`."""
    parts = [night.headline[0].upper() + night.headline[1:]]
    if before is not None and before.state != night.state:
        parts.append(f"{STATES[before.state].lower()} on {before.run_date}")
    parts += [fleet.action(night, outcome), probation]
    if night.status in ("healthy", "too_few_rows") and night.failures and not night.stale:
        parts.append(f"{count(night.failures, 'expectation')} failed")
    return "; ".join(filter(None, parts))


def _metric(night: PastNight) -> str:
    """`ROC AUC 0.812, at least 0.806`; a headline that says it is not said again."""
    name, value, asked = night.metric_words
    if not name or (night.status == "degraded" and night.breach is not None and night.breach.metric == night.metric):
        return ""
    words = f"{name} {value}" + (f", {asked} expected" if asked else "")
    return words[:1].upper() + words[1:]


def _due(schedule: str, run_date: date) -> bool:
    """Whether the schedule has a night about this date."""
    day_after = datetime.combine(run_date + timedelta(days=1), time(), UTC)
    try:
        return day_that_ended(next_moment(schedule, day_after - timedelta(seconds=1))) == run_date
    except ValueError:  # a date that never comes, such as the 30th of February
        return False
