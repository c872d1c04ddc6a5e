"""Whether a night is worth telling, and telling it in a chat: Slack, Telegram, Teams and others, through apprise.

A channel is a name in the monitor file. Its URL holds a token, so it comes from the environment and is repeated
nowhere: neither in a message of ours nor in what apprise says.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.config.environment import channel_variable
from pipeline.errors import OutletRefused, OutletUnavailable
from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.verdict import STATES, State
from pipeline.publish.facts.words import marked
from pipeline.storage.patience import outlet
from pipeline.storage.retries import with_retries, worth_another_try
from pipeline.storage.sent import noting_requests
from pipeline.wording import clip

if TYPE_CHECKING:
    from apprise import AppriseResult

MAX_LINE = 300
_OBEYED = re.compile(r"@(?=\S)|<(?=[!@#]|\w+:|/)|\](?=[(\[:])|/(?=/)|(?<=\b[Ww]{3})\.|(?<=\bmailto):")
_STATUS = re.compile(r"error=(\d{3})")


class Unanswered(OutletUnavailable):
    """The service was sent the message and did not say whether it takes it."""


@dataclass(frozen=True)
class ChatMessage:
    """A short plain message."""

    title: str
    body: str


def due(when: str, state: State, before: State | None, serious_failures: int, *, ends: bool = False) -> bool:
    """Whether people asked to be told of such a night.

    Args:
        when: `notify.when`: always, change or trouble.
        state: what the night is shown as.
        before: the same of the night before it, None for a first night.
        serious_failures: failed expectations of severity warning or critical.
        ends: an incident that people were told of is over with this night.
    """
    if when == "change":
        return state != before
    if when == "trouble":
        return ends or state not in ("healthy", "too_few_rows") or serious_failures > 0
    return True


def not_due_words(view: NightView) -> str | None:
    """Why nobody is told of this night; None when people are. Only nights before it count, so a rerun agrees."""
    state = view.state
    before = view.before[-1].state if view.before else None
    when = view.monitor.notify.when
    ends = view.incident is not None and view.incident.over and view.incident.was_told
    if due(when, state, before, view.quality.failed("critical") + view.quality.failed("warning"), ends=ends):
        return None
    words = STATES[state].lower()
    found = f"{words}, like the night before" if when == "change" else f"{words}, without trouble"
    return f"not due: notify.when is {when}, and the verdict is {found}"


def night_message(view: NightView) -> ChatMessage:
    """The night in a subject, three lines of what changed and, where the pages can be reached, a link."""
    lines = [harmless(clip(line, MAX_LINE)) for line in (view.incident_line, *view.changed) if line]
    if view.decision.retrain and not view.runs.starts:  # nobody will, unless they are told how
        lines += [harmless(clip(view.next_step, MAX_LINE)), view.command or ""]
    link = view.link()
    return ChatMessage(harmless(view.subject), "\n".join([*lines, *([link] if link else [])]))


def check_message(monitor: str) -> ChatMessage:
    """A message that nobody can take for a night's."""
    body = "This is a test from `python -m pipeline notify --test`. It says nothing about any model."
    return ChatMessage(f"[{monitor}] TEST message from Nightjar", body)


def identity(message: ChatMessage) -> str:
    """Equal for equal messages only."""
    return hashlib.sha256(f"{message.title}\n{message.body}".encode()).hexdigest()


def harmless(text: str) -> str:
    """Text from data that calls nobody and leads nowhere: `@everyone`, `<!channel>`, `[here](http://...)` and bare
    addresses are shown, and not obeyed.
    """
    return _OBEYED.sub(lambda found: found[0][0] + "\u200b" + found[0][1:], text)


def deliver(
    channel: str,
    url: str | None,
    message: ChatMessage,
    sleep: Callable[[float], None] = time.sleep,
    environment: str | None = None,
) -> None:
    """Send a message to one channel.

    Args:
        channel: its name, which errors repeat.
        url: an apprise URL such as slack://..., which they do not.
        message: what to send, as plain text.
        sleep: waits so many seconds between attempts.
        environment: the name of the installation, which stands before the title.

    Raises:
        OutletUnavailable: no connection, or the service kept failing, after retries. `Unanswered` when it may have the
            message, which is not sent a second time then.
        OutletRefused: apprise is not installed, no URL is set, apprise cannot read it, or the service said no.
    """
    apprise, variable = _apprise(channel), channel_variable(channel)
    caller = apprise.Apprise()
    caller.add(service_of(channel, url))

    def attempt() -> None:
        with noting_requests() as sent:
            answer = caller.notify(
                title=marked(message.title, environment), body=message.body, body_format=apprise.NotifyFormat.TEXT
            )
        if not answer:
            raise _explain(channel, variable, _status(answer), sent=sent.anything)

    with outlet(f"the channel {channel}"):
        with_retries(sleep, but_not=Unanswered)(attempt)


def service_of(channel: str, url: str | None) -> Any:
    """What apprise makes of a channel's address; nothing is sent.

    Raises:
        OutletRefused: apprise is not installed, no URL is set, or apprise cannot read it.
    """
    apprise, variable = _apprise(channel), channel_variable(channel)
    if url is None:
        raise OutletRefused(f"the channel {channel} has no address: set {variable} to its apprise URL")
    # In this thread, whose time is limited: apprise would leave a slow service to a thread that it does not end.
    here = apprise.AppriseAsset(async_mode=False)
    here._service_timeout = 0.0  # noqa: SLF001 - older versions have no such argument
    service = apprise.Apprise.instantiate(url, asset=here, suppress_exceptions=True)
    if service is None:
        raise OutletRefused(f"the channel {channel} has an address that apprise cannot read: correct {variable}")
    return service


def _apprise(channel: str) -> Any:
    """The library, which is optional: a night can do without chat."""
    try:
        import apprise
    except ImportError:
        missing = "apprise is not installed: install Nightjar's extra 'chat'"
        raise OutletRefused(f"the channel {channel} cannot be told, as {missing}") from None
    return apprise


def _status(answer: AppriseResult) -> int | None:
    """The HTTP status a service answered with, from what apprise logged; the log itself may hold a host or a token."""
    entries = [entry.message for result in answer.results for part in result.attempts for entry in part.logs]
    found = [int(match[1]) for match in map(_STATUS.search, entries) if match]
    return found[-1] if found else None


def _explain(channel: str, variable: str, status: int | None, *, sent: bool) -> OutletRefused | OutletUnavailable:
    if status is not None and not worth_another_try(status):
        return OutletRefused(f"the channel {channel} refused the message (HTTP {status}): check {variable}")
    if status is None and sent:
        return Unanswered(
            f"the channel {channel} was sent the message and did not say that it takes it: look whether it came; "
            "run again, the step sends it once more"
        )
    found = "no connection" if status is None else f"HTTP {status}"
    return OutletUnavailable(
        f"the channel {channel} cannot take the message now ({found}): check the service and {variable}, "
        "then run the step again"
    )
