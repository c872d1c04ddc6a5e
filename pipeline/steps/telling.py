"""Telling people: a night by mail and chat, the fleet in a digest, and a test of every way to reach them.

What was delivered is noted in the run store, so that a rerun tells nobody twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.message import EmailMessage
from functools import partial
from typing import TYPE_CHECKING, Literal

from pipeline.config import Settings
from pipeline.config import monitor_files as monitors
from pipeline.config.environment import channel_variable, reveal
from pipeline.errors import ConfigError, NightjarError, OutletRefused, OutletUnavailable
from pipeline.results import AliasChange, RetrainResult, Told
from pipeline.steps import delivering, muting, pages
from pipeline.steps.contain import attempt
from pipeline.steps.pushing import push_newest
from pipeline.steps.told import note_told
from pipeline.storage.lease import Lease
from pipeline.storage.patience import wait_at_most
from pipeline.storage.run_store import RunStore

if TYPE_CHECKING:
    from pipeline.publish.facts.night import NightView
    from pipeline.publish.messages.chat import ChatMessage
    from pipeline.steps.night import Night, Workspace

Outlet = tuple[str, Callable[[], str]]


@dataclass(frozen=True)
class _Once:
    """What is told of one thing, once for its content. `place`: a monitor, its retrainings, or the fleet.

    `held` says why nothing is sent, where that is so. What was held back once is never sent later: who told people to
    mute a monitor does not want it all at once afterwards. `log` takes what was sent, and what was held back; `before`
    what was so already.
    """

    settings: Settings
    store: RunStore
    place: str
    run_date: date
    held: str = ""
    log: list[Told] = field(default_factory=list)
    before: list[Told] = field(default_factory=list)

    def mail(self, content: bytes | None, name: str = "summary.eml") -> str:
        """Deliver a mail that lies in the run store."""
        from pipeline.publish.messages import mail

        url = reveal(self.settings.smtp_url)
        if url is None and not self.held:
            return f"written to {self.store.night_uri(self.place, self.run_date, name)}"
        message = mail.parse(content or b"")
        identity = str(message["Message-ID"])
        to = tuple(address.addr_spec for address in message["To"].addresses)
        with self._alone("mail"):
            said = self._settled("mail", identity, to)
            if said or url is None:
                return said
            self._require_room("mail")
            try:
                mail.deliver(message, url, taken=partial(self._note, "mail", identity))
            except mail.PartlyDelivered as error:
                self._note("mail", identity)  # sent again, it would reach those who have it a second time
                self._log("mail", identity, "sent", error.delivered)
                raise
            self._log("mail", identity, "sent", to)
            return "sent"

    def chat(self, message: ChatMessage, channel: str) -> str:
        """Deliver a message to a channel."""
        from pipeline.publish.messages import chat

        outlet, identity = f"channel-{channel}", chat.identity(message)
        with self._alone(outlet):
            said = self._settled(outlet, identity)
            if said:
                return said
            self._require_room(outlet)
            url, environment = _channel_url(self.settings, channel), self.settings.environment
            chat.deliver(channel, url, message, environment=environment)
            self._note(outlet, identity)
            self._log(channel, identity, "sent")
            return "sent"

    def only(self, outlet: str, identity: str, deliver: Callable[[], str]) -> str:
        """Deliver what has an identity beside its content, in which a moment or an error may change."""
        from pipeline.publish.messages import mail

        with self._alone(outlet):
            if self.store.receipt(self.place, self.run_date, outlet) == identity:
                return "already sent"
            self._require_room(outlet)
            try:
                said = deliver()
            except mail.PartlyDelivered:
                self._note(outlet, identity)  # as for `mail`
                raise
            self._note(outlet, identity)
            return said

    def _alone(self, outlet: str) -> AbstractContextManager[Lease]:
        """Of two who deliver the same, the second one finds the note of the first. Where nothing can be noted, nothing
        is sent.
        """
        return self.store.alone_outlet(self.place, outlet)

    def _require_room(self, outlet: str) -> None:
        """Note again what is noted, before anything is sent: on a full disk that fails, and nobody is told twice."""
        self._note(outlet, self.store.receipt(self.place, self.run_date, outlet) or "nothing was sent yet")

    def _settled(self, outlet: str, identity: str, to: tuple[str, ...] = ()) -> str:
        """Why there is nothing to send: it was sent, or is held back, now or when it first came up. Else nothing."""
        known, _, held = (self.store.receipt(self.place, self.run_date, outlet) or "").partition("\n")
        name = outlet.removeprefix("channel-")
        if known == identity:
            self.before.append(self._entry(name, identity, held or "sent", to))
            return held or "already sent"
        if self.held:
            self._note(outlet, f"{identity}\n{self.held}")
            self._log(name, identity, self.held, to)
        return self.held

    def _log(self, outlet: str, identity: str, said: str, to: tuple[str, ...] = ()) -> None:
        self.log.append(self._entry(outlet, identity, said, to))

    def _entry(self, outlet: str, identity: str, said: str, to: tuple[str, ...]) -> Told:
        about: Literal["night", "retraining"] = "retraining" if self.place.endswith("/retraining") else "night"
        return Told(
            run_date=self.run_date,
            about=about,
            outlet=outlet,
            to=to,
            moment=datetime.now(UTC).replace(microsecond=0),
            said=said,
            identity=identity,
        )

    def _note(self, outlet: str, text: str) -> None:
        self.store.note_receipt(self.place, self.run_date, outlet, text)


def send(night: Night, view: NightView, summary: bytes | None) -> str:
    """Tell a night to everybody who asked to be told of such a night; says what was done.

    Args:
        night: the night.
        view: the same, as it is told.
        summary: the published mail; None when nobody is to get one.

    Raises:
        OutletUnavailable, OutletRefused: what went wrong, after every outlet was tried.
    """
    from pipeline.publish.facts.muted import not_sent
    from pipeline.publish.messages import chat

    notify, nobody = night.monitor.notify, _nobody_words(view)
    if nobody is not None:
        delivering.note_people(night)
        return nobody
    held = not_sent(view.muted) if view.muted is not None and view.held_back else ""
    once, message = _Once(night.settings, night.store, night.name, night.run_date, held), chat.night_message(view)
    outlets: list[Outlet] = [("mail", partial(once.mail, summary))] if notify.email and summary is not None else []
    outlets += [(name, partial(once.chat, message, name)) for name in notify.channels]
    try:
        said, errors = _attempt(outlets)
        delivering.note_people(night, errors)
        _raise(errors.values())
    finally:
        _remember(night, once)
    return said[0].removeprefix("mail: ") if len(said) == 1 else "; ".join(said)


def _nobody_words(view: NightView) -> str | None:
    """Why nobody is told of this night; None when people are."""
    from pipeline.publish.messages import chat

    if not view.monitor.notify.email and not view.monitor.notify.channels:
        return "no recipients in notify.email, no channels in notify.channels"
    return chat.not_due_words(view)


def send_retraining(workspace: Workspace, result: RetrainResult) -> str:
    """Tell a published retraining by mail and chat, once for its content, and push its gauges; says what was done.

    Whatever `notify.when` says: a retraining is a change. Of a monitor that is muted only one that broke is told.

    Raises:
        OutletUnavailable, OutletRefused: what went wrong, after every outlet was tried.
    """
    from pipeline.publish.facts.muted import holds_back, not_sent
    from pipeline.publish.gauges import retraining as gauges
    from pipeline.publish.messages import retraining_mail

    monitor, settings, store = workspace.monitor, workspace.settings, workspace.store
    place, day = workspace.retraining_place, result.run_date
    files = store.read_night(place, day) or {}
    gateway = reveal(settings.pushgateway_url)

    def push() -> str:
        if gateway is None:
            return f"written to {store.night_uri(place, day, 'gauges.prom')}"
        text = files["gauges.prom"]
        send = partial(gauges.push, text, monitor.name, gateway, time.time(), environment=settings.environment)
        return push_newest(store, place, day, workspace.retrainings, send)

    mute = muting.muted_on(workspace, day)
    held = not_sent(mute) if mute is not None and holds_back(mute, result) else ""
    once = _Once(settings, store, place, day, held)
    message = retraining_mail.chat_message(monitor, result, settings.report_base_url)
    outlets: list[Outlet] = [("gauges", push)] if "gauges.prom" in files else []
    outlets += [("mail", partial(once.mail, files["summary.eml"]))] if "summary.eml" in files else []
    outlets += [(name, partial(once.chat, message, name)) for name in monitor.notify.channels]
    try:
        return "; ".join(_every(outlets))
    finally:
        _remember(workspace, once)


def _remember(workspace: Workspace, once: _Once) -> None:
    """Keep what was told, and bring the pages up to date that say so; that it cannot is no reason to tell it again."""
    if not once.log and not once.before:
        return
    note = partial(note_told, workspace.store, workspace.name, once.log, once.before)
    if attempt("who was told", note, lambda _: False) or once.log:
        attempt("incident's page", partial(pages.show_incidents, workspace), lambda _: None)


def send_change(workspace: Workspace, change: AliasChange, moment: datetime, once_on: date | None = None) -> list[str]:
    """Tell once that the champion was moved, or should be, whatever `notify.when` says, and push which one it is now.

    A mute does not hold it back: it is about what answers from now on.

    Args:
        workspace: the monitor whose champion it is; its run store keeps the mail where no mail server is set.
        change: what was done, or is asked for.
        moment: when, in UTC.
        once_on: the date under which it is noted who was told; the same for the same change, by default the moment's.

    Returns what was done.

    Raises:
        OutletUnavailable, OutletRefused: what went wrong, after every outlet was tried.
    """
    from pipeline.publish.gauges import retraining as gauges
    from pipeline.publish.messages import champion_mail, chat, mail

    monitor, settings = workspace.monitor, workspace.settings
    gateway, server = reveal(settings.pushgateway_url), reveal(settings.smtp_url)
    message = champion_mail.build_change(
        monitor, change, moment, settings.mail_from, settings.report_base_url, environment=settings.environment
    )

    def push() -> str:
        gauges.push_champion(monitor.name, change.version, str(gateway), environment=settings.environment)
        return "pushed"

    def send_mail(summary: EmailMessage) -> str:
        if server is None:
            key = f"{workspace.retraining_place}/champion.eml"
            workspace.store.write_page(key, summary.as_bytes())
            return f"written to {workspace.store.page_uri(key)}"
        mail.deliver(summary, server)
        return "sent"

    def send_chat(channel: str) -> str:
        text = champion_mail.change_message(monitor, change)
        chat.deliver(channel, _channel_url(settings, channel), text, environment=settings.environment)
        return "sent"

    once = _Once(settings, workspace.store, workspace.retraining_place, once_on or moment.date())
    identity = f"{change.number} {change.event} {change.version}"

    def told_once(outlet: str, deliver: Callable[[], str]) -> Callable[[], str]:
        return partial(once.only, f"champion-{change.event}-{outlet}", identity, deliver) if change.number else deliver

    outlets: list[Outlet] = [("gauges", push)] if gateway and change.event != "rollback_proposed" else []
    outlets += [("mail", told_once("mail", partial(send_mail, message)))] if message is not None else []
    outlets += [(name, told_once(name, partial(send_chat, name))) for name in monitor.notify.channels]
    return _every(outlets)


def send_digest(settings: Settings, run_date: date) -> str:
    """Mail the digest of a date to `PIPELINE_DIGEST_TO`, once for its content; says what was done.

    Raises:
        ConfigError: no address is set.
        OutletUnavailable, OutletRefused: see `pipeline.publish.messages.mail.deliver`.
    """
    from pipeline.publish.messages import digest

    if not settings.digest_to:
        raise ConfigError(["PIPELINE_DIGEST_TO: not set; allowed: mail addresses, with commas between them"])
    wait_at_most(settings.outlet_seconds)
    store, files = RunStore(settings.store), monitors.load_all(settings)
    message = digest.build(
        pages.watched(store, settings, files),
        pages.problems(files),
        run_date,
        mail_from=settings.mail_from,
        recipients=settings.digest_to,
        report_base_url=settings.report_base_url,
        environment=settings.environment,
    )
    content = message.as_bytes()
    store.write_page(f"{pages.FLEET}/{run_date}/digest.eml", content)
    return _Once(settings, store, pages.FLEET, run_date).mail(content, "digest.eml")


def send_check(workspace: Workspace, now: datetime) -> tuple[list[str], list[NightjarError]]:
    """Send a marked test message through every outlet of a monitor; what each answered, and what went wrong.

    Raises:
        ConfigError: the monitor names nobody to tell.
    """
    from pipeline.publish.messages import chat, mail

    name, notify, settings = workspace.name, workspace.monitor.notify, workspace.settings
    url = reveal(settings.smtp_url)

    def send_mail() -> str:
        if url is None:
            return "not sent: PIPELINE_SMTP_URL is not set, so mails are files in the run store"
        mail.deliver(mail.build_check(name, notify.email, settings.mail_from, now, settings.environment), url)
        return f"sent to {', '.join(notify.email)}"

    def send_chat(channel: str) -> str:
        url = _channel_url(settings, channel)
        chat.deliver(channel, url, chat.check_message(name), environment=settings.environment)
        return "sent"

    outlets: list[Outlet] = [("mail", send_mail)] if notify.email else []
    outlets += [(channel, partial(send_chat, channel)) for channel in notify.channels]
    if not outlets:
        allowed = "addresses under notify.email, or names of channels under notify.channels"
        raise ConfigError([f"{settings.monitors_dir / name}.yaml: notify: found nobody to tell; allowed: {allowed}"])
    said, errors = _attempt(outlets)
    return said, list(errors.values())


def _every(outlets: Sequence[Outlet]) -> list[str]:
    """What each outlet said.

    Raises:
        NightjarError: what went wrong, after every outlet was tried.
    """
    said, errors = _attempt(outlets)
    _raise(errors.values())
    return said


def _attempt(outlets: Sequence[Outlet]) -> tuple[list[str], dict[str, NightjarError]]:
    """What each said, and what went wrong by its name. One that fails does not stop the others."""
    said: list[str] = []
    errors: dict[str, NightjarError] = {}
    for name, deliver in outlets:
        try:
            said.append(f"{name}: {deliver()}")
        except NightjarError as error:
            said.append(f"{name}: failed: {error}")
            errors[name] = error
    return said, errors


def _raise(errors: Collection[NightjarError]) -> None:
    """Raise what went wrong as one error; worth trying again when that can help with any of it."""
    if len(errors) == 1:
        raise next(iter(errors))
    if errors:
        kind = OutletUnavailable if any(error.retryable for error in errors) else OutletRefused
        raise kind("\n".join(map(str, errors)))


def _channel_url(settings: Settings, channel: str) -> str | None:
    return reveal(settings.channels.get(channel_variable(channel)))
