"""The mail about a night, and handing it to a mail server.

Equal results give equal bytes: the Message-ID and the MIME boundary come from the content, the Date from the run
date. A mail client therefore recognises a repeated mail, and a rerun that changed nothing has nothing to send.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

import pipeline
from pipeline.publish.facts.alarms import method_name
from pipeline.publish.facts.failing import Since, by_since, column_since
from pipeline.publish.facts.incidents import Standing
from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.performance import (
    beyond_noise,
    comparison_words,
    figure,
    interval_words,
    is_judged,
    main_metric,
)
from pipeline.publish.facts.verdict import importance_words
from pipeline.publish.facts.words import failure_words, marked, score_words, sentence
from pipeline.publish.messages.smtp import PartlyDelivered, deliver
from pipeline.publish.templates import render
from pipeline.results import ColumnDrift, strength
from pipeline.wording import clip, measured, metric_name, moment

__all__ = ["PartlyDelivered", "Thread", "build_check", "build_summary", "compose", "deliver", "parse", "thread_of"]

MAX_COLUMNS = 8
MAX_FAILURES = 10
MAX_METRICS = 8
MAX_NAME = 60
_MAILER = f"Nightjar {pipeline.__version__}"
_POLICY = SMTP.clone(max_line_length=200)  # a folded subject can begin with an empty line, for some


def build_summary(view: NightView, mail_from: str) -> EmailMessage | None:
    """The mail about a night, with a text and an HTML part; None when the monitor names nobody to tell.

    Args:
        view: the night.
        mail_from: the sender's address; its domain also ends the Message-ID.
    """
    recipients = view.monitor.notify.email
    if not recipients:
        return None
    values = _values(view)
    text = render("summary.txt.j2", **values)
    html = render("summary.html.j2", **values)
    return compose(
        view.monitor.name,
        view.run_date,
        subject=view.mail_subject,
        text=text,
        html=html,
        mail_from=mail_from,
        recipients=recipients,
        thread=thread_of(view.monitor.name, view.incident),
        environment=view.environment,
    )


def build_check(
    monitor: str, recipients: Sequence[str], mail_from: str, now: datetime, environment: str | None = None
) -> EmailMessage:
    """A marked test mail; unlike every other mail it is new each time."""
    text = f"This is a test from `python -m pipeline notify --test {monitor}` at {moment(now, 'seconds')}.\n"
    html = f"<p>{escape(text)}</p><p>It says nothing about any model.</p>"
    subject = f"[{monitor}] TEST message from Nightjar"
    text += "It says nothing about any model.\n"
    message = compose(
        monitor,
        now.date(),
        subject=subject,
        text=text,
        html=html,
        mail_from=mail_from,
        recipients=recipients,
        environment=environment,
    )
    message.replace_header("Date", format_datetime(now))
    return message


@dataclass(frozen=True)
class Thread:
    """What a mail belongs to: a `root` that no mail has, so that the first one needs no other rules than the last, and
    the first mail that was sent of it, if there is one.
    """

    root: str
    first: str = ""


def thread_of(monitor: str, incident: Standing | None) -> Thread:
    """The thread of an incident, or of all other nights of a monitor."""
    if incident is None:
        return Thread(f"nights.{monitor}")
    return Thread(f"incident.{incident.first}.{monitor}", incident.first_mail)


def compose(
    name: str,
    run_date: date,
    *,
    subject: str,
    text: str,
    html: str,
    mail_from: str,
    recipients: Sequence[str],
    thread: Thread | None = None,
    environment: str | None = None,
) -> EmailMessage:
    """A mail with a text and an HTML part; equal arguments give equal bytes.

    Args:
        name: the monitor, or another source of mails: names their thread and their list.
        run_date: the day the mail is about.
        subject: holds no text from data.
        text: the plain part.
        html: the same for clients that show HTML; its styles are put inline.
        mail_from: the sender's address; its domain also ends the Message-ID.
        recipients: addresses.
        thread: by default the one of all mails of this name.
        environment: the name of the installation, which stands before the subject. It is no news: a mail says the
            same as one of before it had a name, see `says_the_same`.
    """
    html = _inline(html)
    digest = hashlib.sha256("\n".join((name, str(run_date), subject, text, html)).encode()).hexdigest()
    message = EmailMessage(policy=SMTP)
    mark = "" if environment is None else f".{environment}"
    message_id = f"<{digest[:32]}.{name}{mark}.{run_date}@{_domain(mail_from)}>"
    subject = marked(subject, environment)
    _set_headers(message, name, run_date, subject=subject, mail_from=mail_from, message_id=message_id)
    _set_thread(message, thread or thread_of(name, None), _domain(mail_from))
    message["To"] = [Address(addr_spec=recipient) for recipient in recipients]
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_nightjar_{digest[:40]}")
    message.policy = _POLICY
    return message


def parse(content: bytes) -> EmailMessage:
    """A mail as it was published, ready to be delivered."""
    return message_from_bytes(content, _class=EmailMessage, policy=_POLICY)


def says_the_same(one: EmailMessage, other: EmailMessage) -> bool:
    """Whether two mails have the same content: their boundaries come from it."""
    return one.get_boundary() == other.get_boundary()


def is_of_another_version(message: EmailMessage) -> bool:
    """Whether another version of Nightjar wrote a mail; some wrote none of their own."""
    return str(message["X-Mailer"]) != _MAILER


def _set_headers(
    message: EmailMessage, name: str, run_date: date, *, subject: str, mail_from: str, message_id: str
) -> None:
    """Headers hold the monitor's name, the date, numbers and addresses: nothing that comes from the data."""
    day_ended = datetime.combine(run_date + timedelta(days=1), time(), UTC)
    message["Subject"] = subject
    message["From"] = Address("Nightjar", addr_spec=mail_from)
    message["Date"] = format_datetime(day_ended)
    message["Message-ID"] = message_id
    message["List-Id"] = f"<{name}.nightjar.{_domain(mail_from)}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Mailer"] = _MAILER


def _set_thread(message: EmailMessage, thread: Thread, domain: str) -> None:
    root = f"<{thread.root}@{domain}>"
    message["In-Reply-To"] = thread.first or root
    message["References"] = f"{root} {thread.first}".rstrip()


def _domain(mail_from: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "", mail_from.rpartition("@")[2]).strip(".") or "localhost"


def _values(view: NightView) -> dict[str, object]:
    drifted, nights = view.drift.drifted_columns, view.so_far
    weighted = view.drift.decisive == "importance"  # else known on one try, and not on the next: told twice
    failures = by_since(nights, view.quality)
    return {
        "view": view,
        "title": view.headline[0].upper() + view.headline[1:],
        "preview": _preview(view),
        "columns": [
            _column(item, drifted[0], column_since(nights, item.name), weighted=weighted)
            for item in drifted[:MAX_COLUMNS]
        ],
        "more_columns": max(len(drifted) - MAX_COLUMNS, 0),
        "failures": [
            {
                "severity": item.severity,
                "demand": clip(item.sentence, 200),
                "found": sentence(failure_words(item)),
                "since": found.words(),
            }
            for item, found in failures[:MAX_FAILURES]
        ],
        "more_failures": max(len(failures) - MAX_FAILURES, 0),
        "figure": figure(view.performance) if is_judged(view.performance) else None,
        "metrics": _metrics(view),
        "links": _links(view),
    }


def _preview(view: NightView) -> str:
    """What mail programs show beside the subject: the verdict first, where the subject is that of another night."""
    first = "" if view.mail_subject == view.subject else f"{view.headline[:1].upper()}{view.headline[1:]}. "
    return first + view.changed[0]


def _column(column: ColumnDrift, strongest: ColumnDrift, since: Since, *, weighted: bool) -> dict[str, object]:
    """A drifted column. What the model relies on it for is told where that decides (`weighted`)."""
    score, threshold = score_words(column)
    most = max(strength(strongest), 1.0)
    return {
        "name": clip(column.name, MAX_NAME),
        "reason": clip(column.reason or "", 160),
        "since": since.words("drifted"),
        "method": ", ".join(filter(None, (method_name(column), importance_words(column) if weighted else ""))),
        "score": score,
        "threshold": threshold,
        "sign": "<" if column.direction == "p_value" else ">",
        "percent": max(2, round(100 * strength(column) / most)),
        "mark": max(1, round(100 / most)),
    }


def _metrics(view: NightView) -> list[dict[str, str]]:
    """Realised metrics against the reference, the main one first; better or worse only beyond the noise."""
    performance = view.performance
    if performance.status != "measured":
        return []
    main = main_metric(performance)
    rows = []
    for metric, value in sorted(performance.realised.items(), key=lambda item: item[0] != main)[:MAX_METRICS]:
        before, found = performance.reference.get(metric), performance.intervals.get(metric)
        own = performance.reference_intervals.get(metric)
        if found is not None and own is not None:
            comparison: str = beyond_noise(metric, found, own)
        else:
            comparison = "" if before is None else comparison_words(metric, value, before)
        rows.append(
            {
                "name": metric_name(metric),
                "realised": measured(value),
                "noise": interval_words(found),
                "reference": "" if before is None else measured(before),
                "comparison": comparison,
            }
        )
    return rows


def _links(view: NightView) -> list[tuple[str, str]]:
    pages = (
        ("The night's page", view.link()),
        ("The incident", view.incident_link()),
        ("Drift report", view.link("drift_report.html")),
        ("All nights", view.monitor_link()),
    )
    return [(label, address) for label, address in pages if address is not None]


def _inline(html: str) -> str:
    """Mail clients read inline styles; the rules for dark clients have to stay in a style element."""
    import css_inline

    inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
    inlined: str = inliner.inline(html)
    return inlined
