"""Handing a mail to a mail server, encrypted where a password travels, with no word of it in any message."""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import Any

from pipeline.errors import ConfigError, OutletRefused, OutletUnavailable
from pipeline.storage import addresses
from pipeline.storage.addresses import Address
from pipeline.storage.causes import certificate_advice, distrusted, no_answer
from pipeline.storage.patience import outlet
from pipeline.storage.retries import with_retries
from pipeline.storage.time_limit import limits
from pipeline.wording import clip

TIMEOUT_SECONDS = 30.0
ANSWER_SECONDS = 600.0
"""For taking a whole mail: RFC 5321, 4.5.3.2.6. Who gives up sooner sends mails twice."""
_LAST_BYTES = b"\r\n.\r\n"
_PORTS = {"smtp": 25, "smtps": 465}
_SUBMISSION_PORT = 587  # where servers take mail from users who log in
_PERMANENT = 500
_ADDRESS = "PIPELINE_SMTP_URL"
_LATER = "see its log where it goes on saying so"
Replies = Mapping[str, tuple[int, bytes]]


class PartlyDelivered(OutletRefused):
    """Some recipients have the mail, others were refused: sent again, it would reach the first ones twice."""

    def __init__(self, delivered: tuple[str, ...], message: str) -> None:
        self.delivered = delivered
        super().__init__(message)


class Unanswered(OutletUnavailable):
    """The server has the whole mail and did not say whether it takes it."""


class _Watched(smtplib.SMTP):
    """Knows whether the server has a whole mail that it did not answer yet."""

    handed_over = False

    def send(self, s: Any) -> None:
        """As it is; what ends a mail makes the server's answer worth a long wait."""
        super().send(s)
        if isinstance(s, bytes) and s.endswith(_LAST_BYTES) and self.sock is not None:
            self.handed_over = True
            self.sock.settimeout(ANSWER_SECONDS)
            for limit in limits():
                limit.allow(ANSWER_SECONDS)

    def getreply(self) -> tuple[int, bytes]:
        """As it is; an answer is one."""
        found = super().getreply()
        if self.handed_over:
            for limit in limits():
                limit.begin_again()
        self.handed_over = False
        if self.sock is not None:
            self.sock.settimeout(TIMEOUT_SECONDS)
        return found


class _WatchedTLS(_Watched, smtplib.SMTP_SSL):
    """The same, encrypted from its first byte on."""


def deliver(
    message: EmailMessage,
    smtp_url: str,
    sleep: Callable[[float], None] = time.sleep,
    taken: Callable[[], None] = lambda: None,
) -> None:
    """Hand the mail to a server, for every recipient in its To header.

    A password never travels in clear, except to this machine itself. Recipients that are refused for now (4xx)
    are tried again alone, so that nobody gets the mail twice. A server that has the whole mail and does not answer may
    have taken it: it is not asked a second time.

    Args:
        message: the mail, with From and To.
        smtp_url: smtp://host (port 25, or 587 with a user; STARTTLS where the server offers it) or
            smtps://host (port 465); user:password@ where the server asks for them, percent-encoded.
        sleep: waits so many seconds between attempts.
        taken: is called as soon as the server has the mail for everybody, before anything else can go wrong.

    Raises:
        ConfigError: the address cannot be read.
        OutletUnavailable: no connection, or the server kept asking to try later, after retries.
        OutletRefused: the server said no for good, or cannot encrypt. `PartlyDelivered` when, of several
            recipients, some did get the mail.
        Unanswered: the server may have taken the mail.
    """
    recipients = [address.addr_spec for address in message["To"].addresses]
    delivery = _Delivery(message, _Server.parse(smtp_url), recipients, taken)
    try:
        with outlet(f"the mail server at {delivery.server.name}"):
            with_retries(sleep, but_not=Unanswered)(delivery.attempt)
        delivery.raise_refused()
    except (OutletUnavailable, OutletRefused) as error:
        if delivery.delivered:
            text = f"{error} ({', '.join(delivery.delivered)} did get the mail)"
            raise PartlyDelivered(tuple(delivery.delivered), text) from None
        raise


def greet(smtp_url: str) -> None:
    """Connect to a server, encrypt and log in as for a mail, and leave again: nothing is sent.

    Raises:
        ConfigError, OutletUnavailable, OutletRefused: as for `deliver`.
    """
    server = _Server.parse(smtp_url)
    with outlet(f"the mail server at {server.name}"):
        _Greeting(EmailMessage(), server, [], lambda: None).attempt()


@dataclass(frozen=True)
class _Server:
    """A mail server, and how to log in. Its address names a port."""

    address: Address

    @classmethod
    def parse(cls, smtp_url: str) -> _Server:
        found = addresses.parse(smtp_url)
        if found is None or found.scheme not in _PORTS:
            raise ConfigError(
                [
                    (
                        "PIPELINE_SMTP_URL: found no mail server in it; allowed: smtp://user:password@host:port or "
                        "smtps://..., with special characters in user and password percent-encoded"
                    )
                ]
            )
        default = _SUBMISSION_PORT if found.user and found.scheme == "smtp" else _PORTS[found.scheme]
        return cls(replace(found, port=found.port or default, path=""))

    @property
    def name(self) -> str:
        """The address without user and password."""
        return self.address.shown

    @property
    def encrypted(self) -> bool:
        """Whether the connection is encrypted from its first byte on."""
        return self.address.scheme == "smtps"

    @property
    def is_this_machine(self) -> bool:
        """Whether what is sent there stays on this machine."""
        try:
            return ipaddress.ip_address(self.address.host).is_loopback
        except ValueError:
            return self.address.host == "localhost"

    @contextmanager
    def session(self) -> Iterator[_Watched]:
        """A connection, encrypted and logged in as far as the address asks for it."""
        context = ssl.create_default_context()
        session = self._connect(context)
        try:
            self._secure(session, context)
            yield session
        finally:  # what the server says to goodbye changes nothing any more
            with suppress(smtplib.SMTPException, OSError):
                session.quit()
            session.close()

    def _secure(self, session: smtplib.SMTP, context: ssl.SSLContext) -> None:
        session.ehlo_or_helo_if_needed()
        if not self.encrypted and session.has_extn("starttls"):
            session.starttls(context=context)
        elif not self.encrypted and self.address.user and not self.is_this_machine:
            raise OutletRefused(
                f"the mail server at {self.name} offers no encryption, so the password was not sent: "
                "use smtps:// or a server with STARTTLS in PIPELINE_SMTP_URL"
            )
        if self.address.user:
            session.login(self.address.user, self.address.password)

    def _connect(self, context: ssl.SSLContext) -> _Watched:
        host, port = self.address.host, self.address.port or 0  # it names a port, but its type does not say so
        if self.encrypted:
            return _WatchedTLS(host, port, timeout=TIMEOUT_SECONDS, context=context)
        return _Watched(host, port, timeout=TIMEOUT_SECONDS)

    def said(self, code: int, reply: bytes | str) -> str:
        """A reply of the server, on one line, without the password should the server repeat it."""
        text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        if self.address.password:
            text = text.replace(self.address.password, "***")
        return clip(f"{code} {text.strip()}", 300)


@dataclass
class _Delivery:
    """One mail on its way: who still waits for it, who has it, and who was refused for good."""

    message: EmailMessage
    server: _Server
    waiting: list[str]
    taken: Callable[[], None]
    delivered: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def attempt(self) -> None:
        """Send to everybody who still waits.

        Raises:
            OutletUnavailable: somebody still waits, and trying again can help.
            OutletRefused: nobody will get the mail this way.
        """
        session: _Watched | None = None
        try:
            with self.server.session() as session:
                self._send(session)
        except smtplib.SMTPResponseException as error:
            raise self._explain(error) from None
        except smtplib.SMTPServerDisconnected as error:
            advice = "see its log, and whether something between closes connections"
            raise self._lost(session, f"{error}; {advice}") from None
        except smtplib.SMTPException as error:
            raise OutletRefused(
                f"the mail server at {self.server.name} cannot do it: {clip(str(error), 300)}"
            ) from None
        except ssl.SSLCertVerificationError as error:
            advice = certificate_advice("SSL_CERT_FILE")
            raise OutletRefused(f"the mail server at {self.server.name}: {distrusted(error)}; {advice}") from None
        except OSError as error:
            raise self._lost(session, _reason(error)) from None

    def raise_refused(self) -> None:
        """Raise OutletRefused when somebody was refused for good, with the server's words for each."""
        if self.refused:
            words = "; ".join(f"{address}: {said}" for address, said in self.refused.items())
            raise OutletRefused(
                f"the mail server at {self.server.name} refused recipients ({words}): correct notify.email"
            )

    def _send(self, session: smtplib.SMTP) -> None:
        try:
            replies: Replies = session.send_message(self.message, to_addrs=self.waiting)
        except smtplib.SMTPRecipientsRefused as error:
            replies = error.recipients
        final = {address: reply for address, reply in replies.items() if reply[0] >= _PERMANENT}
        self.refused |= {address: self.server.said(*reply) for address, reply in final.items()}
        self.delivered += [address for address in self.waiting if address not in replies]
        self.waiting = [address for address in self.waiting if address in replies and address not in final]
        if not self.waiting and not self.refused:
            self.taken()
        if self.waiting:
            later = "; ".join(f"{address}: {self.server.said(*replies[address])}" for address in self.waiting)
            raise self._unavailable(f"{later}; {_LATER}")

    def _explain(self, error: smtplib.SMTPResponseException) -> OutletRefused | OutletUnavailable:
        said = self.server.said(error.smtp_code, error.smtp_error)
        if error.smtp_code < _PERMANENT:
            return self._unavailable(f"{said}; {_LATER}")
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return OutletRefused(
                f"the mail server at {self.server.name} refused the login ({said}): "
                "check user and password in PIPELINE_SMTP_URL"
            )
        what = f"the mail to {', '.join(self.waiting)}" if self.waiting else "to talk to us"
        return OutletRefused(f"the mail server at {self.server.name} refused {what} ({said})")

    def _lost(self, session: _Watched | None, reason: str) -> OutletUnavailable:
        """The connection is gone. With a whole mail it is not known whether somebody got it."""
        if session is None or not session.handed_over:
            return self._unavailable(reason)
        return Unanswered(
            f"the mail server at {self.server.name} has the mail and did not say that it takes it "
            f"({clip(reason, 300)}): "
            "look whether it came; run again, the step sends it once more under the same Message-ID"
        )

    def _unavailable(self, reason: str) -> OutletUnavailable:
        place = f"the mail server at {self.server.name}"
        return OutletUnavailable(f"{place} cannot take the mail now: {clip(reason, 600)}")


class _Greeting(_Delivery):
    """No mail: only what comes before one."""

    def _send(self, session: smtplib.SMTP) -> None:
        session.noop()


def _reason(error: OSError) -> str:
    said = error.strerror or str(error) or type(error).__name__
    return no_answer(error, _ADDRESS) or f"{said}; check that it runs and {_ADDRESS}"
