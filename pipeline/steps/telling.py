"""Telling people: a night by mail and chat, the fleet in a digest, and a test of every way to reach them.

What was delivered is noted in the run store, so that a rerun tells nobody twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from email.message import EmailMessage
from functools import partial
from typing import TYPE_CHECKING

from pipeline.config import Monitor, Settings
from pipeline.config import monitor_files as monitors
from pipeline.config.environment import channel_variable, reveal
from pipeline.errors import ConfigError, NightjarError, OutletRefused, OutletUnavailable
from pipeline.results import AliasChange, RetrainResult
from pipeline.steps import pages as site
from pipeline.storage.run_store import RunStore

if TYPE_CHECKING:
    from pipeline.publish.facts.night import NightView
    from pipeline.publish.messages.chat import ChatMessage
    from pipeline.steps.night import Night

FLEET = ".fleet"  # no monitor has such a name; folders with a dot are not shown
Outlet = tuple[str, Callable[[], str]]
_Key = tuple[str, date]  # whose receipts: a monitor, its retrainings or the fleet, and the run date


def send(night: Night, view: NightView, summary: bytes | None) -> str:
    """Tell a night to everybody who asked to be told of such a night; says what was done.

    Args:
        night: the night.
        view: the same, as it is told.
        summary: the published mail; None when nobody is to get one.

    Raises:
        OutletUnavailable, OutletRefused: what went wrong, after every outlet was tried.
    """
    from pipeline.publish.messages import chat as channels

    if not night.monitor.notify.email and not night.monitor.notify.channels:
        return "no recipients in notify.email, no channels in notify.channels"
    reason = channels.not_due_words(view)
    if reason is not None:
        return reason
    outlets: list[Outlet] = [("mail", lambda: _mail(night, summary))] if summary is not None else []
    outlets += [(name, partial(_chat, night, view, name)) for name in night.monitor.notify.channels]
    said, errors = _attempt(outlets)
    if errors:
        raise _together(errors)
    return said[0].removeprefix("mail: ") if len(said) == 1 else "; ".join(said)


def _attempt(outlets: Sequence[Outlet]) -> tuple[list[str], list[NightjarError]]:
    """One that fails does not stop the others."""
    said: list[str] = []
    errors: list[NightjarError] = []
    for name, deliver in outlets:
        try:
            said.append(f"{name}: {deliver()}")
        except NightjarError as error:
            said.append(f"{name}: failed: {error}")
            errors.append(error)
    return said, errors


def _together(errors: Sequence[NightjarError]) -> NightjarError:
    """One error for all; worth trying again when that can help one of them."""
    if len(errors) == 1:
        return errors[0]
    kind = OutletUnavailable if any(error.retryable for error in errors) else OutletRefused
    return kind("\n".join(map(str, errors)))


def _mail(night: Night, summary: bytes) -> str:
    from pipeline.publish.messages import mail

    url = reveal(night.settings.smtp_url)
    if url is None:
        return f"written to {night.store.night_uri(night.name, night.run_date, 'summary.eml')}"
    return _mail_once(mail.parse(summary), url, night.store, night.name, night.run_date)


def _mail_once(message: EmailMessage, url: str, store: RunStore, name: str, run_date: date) -> str:
    from pipeline.publish.messages import mail

    identity = str(message["Message-ID"])
    if store.receipt(name, run_date, "mail") == identity:
        return "already sent"
    try:
        mail.deliver(message, url)
    except mail.PartlyDelivered:
        # Sending again would reach those who have it a second time.
        store.note_receipt(name, run_date, "mail", identity)
        raise
    store.note_receipt(name, run_date, "mail", identity)
    return "sent"


def _chat(night: Night, view: NightView, channel: str) -> str:
    from pipeline.publish.messages import chat as channels

    message = channels.night_message(view)
    return _chat_once(message, channel, night.settings, night.store, (night.name, night.run_date))


def _chat_once(message: ChatMessage, channel: str, settings: Settings, store: RunStore, key: _Key) -> str:
    from pipeline.publish.messages import chat as channels

    outlet, identity = f"channel-{channel}", channels.identity(message)
    if store.receipt(*key, outlet) == identity:
        return "already sent"
    channels.deliver(channel, _channel_url(settings, channel), message)
    store.note_receipt(*key, outlet, identity)
    return "sent"


def _channel_url(settings: Settings, channel: str) -> str | None:
    return reveal(settings.channels.get(channel_variable(channel)))


def send_retraining(store: RunStore, settings: Settings, monitor: Monitor, result: RetrainResult) -> str:
    """Tell a published retraining by mail and chat, once for its content, and push its gauges; says what was done.

    Whatever `notify.when` says: a retraining is a change.

    Raises:
        OutletUnavailable, OutletRefused: what went wrong, after every outlet was tried.
    """
    from pipeline.publish.gauges import retraining as retrain_gauges
    from pipeline.publish.messages import mail, retraining_mail

    place, day = f"{monitor.name}/{site.RETRAINING}", result.run_date
    files = store.read_night(place, day) or {}
    gateway, server = reveal(settings.pushgateway_url), reveal(settings.smtp_url)

    def push() -> str:
        if gateway is None:
            return f"written to {store.night_uri(place, day, 'gauges.prom')}"
        retrain_gauges.push(files["gauges.prom"], monitor.name, gateway, time.time())
        return "pushed"

    def send_mail() -> str:
        if server is None:
            return f"written to {store.night_uri(place, day, 'summary.eml')}"
        return _mail_once(mail.parse(files["summary.eml"]), server, store, place, day)

    message = retraining_mail.chat_message(monitor, result, settings.report_base_url)
    outlets: list[Outlet] = [("gauges", push)] if "gauges.prom" in files else []
    outlets += [("mail", send_mail)] if "summary.eml" in files else []
    outlets += [
        (name, partial(_chat_once, message, name, settings, store, (place, day))) for name in monitor.notify.channels
    ]
    said, errors = _attempt(outlets)
    if errors:
        raise _together(errors)
    return "; ".join(said)


def send_change(
    store: RunStore, settings: Settings, monitor: Monitor, change: AliasChange, moment: datetime
) -> list[str]:
    """Tell that a person moved the champion, whatever `notify.when` says, and push which version it is now.

    Args:
        store: keeps the mail where no mail server is set.
        settings: outlets.
        monitor: whose champion it is.
        change: what was done.
        moment: when, in UTC.

    Returns what was done.

    Raises:
        OutletUnavailable, OutletRefused: what went wrong, after every outlet was tried.
    """
    from pipeline.publish.gauges import retraining as retrain_gauges
    from pipeline.publish.messages import champion_mail, mail
    from pipeline.publish.messages import chat as channels

    gateway, server = reveal(settings.pushgateway_url), reveal(settings.smtp_url)
    message = champion_mail.build_change(monitor, change, moment, settings.mail_from, settings.report_base_url)

    def push() -> str:
        retrain_gauges.push_champion(monitor.name, change.version, str(gateway))
        return "pushed"

    def send_mail(summary: EmailMessage) -> str:
        if server is None:
            key = f"{monitor.name}/{site.RETRAINING}/champion.eml"
            store.write_page(key, summary.as_bytes())
            return f"written to {store.page_uri(key)}"
        mail.deliver(summary, server)
        return "sent"

    def chat(channel: str) -> str:
        text = champion_mail.change_message(monitor, change)
        channels.deliver(channel, _channel_url(settings, channel), text)
        return "sent"

    outlets: list[Outlet] = [("gauges", push)] if gateway else []
    outlets += [("mail", partial(send_mail, message))] if message is not None else []
    outlets += [(name, partial(chat, name)) for name in monitor.notify.channels]
    said, errors = _attempt(outlets)
    if errors:
        raise _together(errors)
    return said


def send_digest(settings: Settings, run_date: date) -> str:
    """Mail the digest of a date to `PIPELINE_DIGEST_TO`, once for its content; says what was done.

    Raises:
        ConfigError: no address is set.
        OutletUnavailable, OutletRefused: see `pipeline.publish.messages.mail.deliver`.
    """
    from pipeline.publish.messages import digest

    if not settings.digest_to:
        raise ConfigError(["PIPELINE_DIGEST_TO: not set; allowed: mail addresses, with commas between them"])
    store, files = RunStore(settings.store), monitors.load_all(settings)
    message = digest.build(
        site.watched(store, files),
        site.problems(files),
        run_date,
        mail_from=settings.mail_from,
        recipients=settings.digest_to,
        report_base_url=settings.report_base_url,
    )
    key = f"{FLEET}/{run_date}/digest.eml"
    store.write_page(key, message.as_bytes())
    url = reveal(settings.smtp_url)
    if url is None:
        return f"written to {store.page_uri(key)}"
    return _mail_once(message, url, store, FLEET, run_date)


def send_check(name: str, settings: Settings, now: datetime) -> tuple[list[str], list[NightjarError]]:
    """Send a marked test message through every outlet of a monitor; what each answered, and what went wrong.

    Raises:
        ConfigError: the monitor file is wrong.
    """
    from pipeline.publish.messages import chat as channels
    from pipeline.publish.messages import mail

    notify = monitors.load(name, settings).notify
    url = reveal(settings.smtp_url)

    def send_mail() -> str:
        if url is None:
            return "not sent: PIPELINE_SMTP_URL is not set, so mails are files in the run store"
        mail.deliver(mail.build_check(name, notify.email, settings.mail_from, now), url)
        return f"sent to {', '.join(notify.email)}"

    def send_chat(channel: str) -> str:
        channels.deliver(channel, _channel_url(settings, channel), channels.check_message(name))
        return "sent"

    outlets: list[Outlet] = [("mail", send_mail)] if notify.email else []
    outlets += [(channel, partial(send_chat, channel)) for channel in notify.channels]
    said, errors = _attempt(outlets)
    return said or ["nobody to tell: notify.email and notify.channels are empty"], errors
