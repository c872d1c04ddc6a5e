"""The mail about a champion that was moved outside a retraining, or should be, in the thread of its nights."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage

from pipeline.config import Monitor
from pipeline.publish.facts.words import actor
from pipeline.publish.messages.chat import ChatMessage, harmless
from pipeline.publish.messages.mail import compose
from pipeline.publish.templates import render
from pipeline.results import AliasChange
from pipeline.wording import clip, moment

_MOST_NOTES = 5


def build_change(
    monitor: Monitor,
    change: AliasChange,
    when: datetime,
    mail_from: str,
    report_base_url: str | None = None,
    *,
    environment: str | None = None,
) -> EmailMessage | None:
    """The mail about a promotion or a rollback, done or asked for; None when the monitor names nobody to tell.

    Args:
        monitor: the monitor.
        change: what was done.
        when: in UTC; two changes at different moments are two mails.
        mail_from: the sender's address.
        report_base_url: where the run store can be read over HTTP, for links.
        environment: the name of the installation.
    """
    recipients = monitor.notify.email
    if not recipients:
        return None
    values = _values(monitor, change, when, report_base_url)
    text = render("retraining_mail.txt.j2", **values)
    html = render("retraining_mail.html.j2", **values)
    day, subject = when.date(), f"[{monitor.name}] {_headline(change)}"
    return compose(
        monitor.name,
        day,
        subject=subject,
        text=text,
        html=html,
        mail_from=mail_from,
        recipients=recipients,
        environment=environment,
    )


def change_message(monitor: Monitor, change: AliasChange) -> ChatMessage:
    """The same for chat channels."""
    lines = [*_lines(change), next_step(monitor, change), command(change) or ""]
    return ChatMessage(f"[{monitor.name}] {_headline(change)}", "\n".join(harmless(line) for line in lines if line))


def _headline(change: AliasChange) -> str:
    """`rolled back to version 1`: ASCII, for the subject."""
    version, other = clip(change.version, 20), clip(change.previous_version or "none", 20)
    if change.event == "rollback_proposed":
        return f"version {version} is worse than version {other} in its probation: roll back?"
    if change.event == "rolled_back":
        why = f": version {other} was worse in its probation" if change.by == "probation" else ""
        return f"rolled back to version {version}{why}"
    return f"version {version} promoted by hand"


def _lines(change: AliasChange) -> list[str]:
    version, other = clip(change.version, 20), clip(change.previous_version or "", 20)
    if change.event == "rollback_proposed":
        lines = [f"Version {version} is the champion, and version {other}, the one before it, does better"]
    else:
        before = f", in place of version {other}" if other else ""
        who = "Nightjar moved it, as nobody has to be asked" if change.by == "probation" else "a person moved it"
        lines = [f"Version {version} is the champion{before}: {who}"]
    if change.evidence is not None:
        found = change.evidence
        lines += [_sentence(line) for line in (found.sentence, found.answered, *found.notes[:_MOST_NOTES]) if line]
    if change.run_date is not None:
        lines.append(f"Version {version} was trained for {change.run_date}, because: {clip(change.reason, 300)}")
    return lines


def _sentence(words: str) -> str:
    words = clip(words, 500)
    return words[:1].upper() + words[1:]


def next_step(monitor: Monitor, change: AliasChange) -> str:
    """What happens next and who acts, in a sentence or two."""
    if change.event == "rollback_proposed":
        return f"The champion stays until a person decides. {actor(monitor)} puts the one before it back with:"
    if not monitor.snapshots.follows_champion:
        words = "Nothing to do: the reference stays what the monitor file names."
    elif change.training_uri is None:
        return "Nothing to do. This version has no training snapshot, so the reference is the initial one."
    else:
        words = "Nothing to do: from now on nights are compared with what it learnt from."
    return words + (" To go back:" if change.previous_version else "")


def command(change: AliasChange) -> str | None:
    """The command that undoes the change, or does what is asked for."""
    if change.previous_version is None:
        return None
    if change.event == "rollback_proposed":
        return f"python -m pipeline rollback {change.monitor} --from {clip(change.version, 20)}"
    return f"python -m pipeline promote {change.monitor} {clip(change.previous_version, 20)}"


def _values(monitor: Monitor, change: AliasChange, when: datetime, report_base_url: str | None) -> dict[str, object]:
    headline, lines = _headline(change), _lines(change)
    page = f"{monitor.name}/index.html"
    return {
        "monitor": monitor,
        "run_date": moment(when),
        "sign": "degraded" if change.event == "rollback_proposed" else "healthy",
        "subject": f"[{monitor.name}] {headline}",
        "title": headline[:1].upper() + headline[1:],
        "verdict": lines[0],
        "lines": lines,
        "next_step": next_step(monitor, change),
        "command": command(change),
        "told": clip(change.told or "", 200),
        "metrics": [],
        "failed": [],
        "links": [] if report_base_url is None else [("All nights", f"{report_base_url.rstrip('/')}/{page}")],
        "place": ("monitor's page", page),
    }
