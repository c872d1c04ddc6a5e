"""An SMTP server in a thread: plain, STARTTLS with AUTH, or implicit TLS with AUTH; it can be told to fail."""

from __future__ import annotations

import asyncio
import email
import ssl
from asyncio import BaseTransport, Transport
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session, TLSSetupException

from tests.servers.processes import LOOPBACK

Flavour = Literal["plain", "starttls", "tls"]
Stage = Literal["CONNECT", "MAIL", "RCPT", "DATA"]
USER = "nightjar"
PASSWORD = "p@ss/word:1 %"  # needs quoting in a URL
WAIT_SECONDS = 10.0
HANDSHAKE_SECONDS = 5.0


@dataclass(frozen=True)
class ReceivedMail:
    """One accepted mail: its envelope and the bytes as they came."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        """The bytes, parsed."""
        return email.message_from_bytes(self.raw, policy=default)


@dataclass(frozen=True)
class Certificates:
    """A throw-away authority and the server context with a certificate of it for loopback."""

    ca_file: Path
    server: ssl.SSLContext


def make_certificates(directory: Path) -> Certificates:
    """Make an authority; tests trust it by setting SSL_CERT_FILE to `ca_file`."""
    authority = trustme.CA()
    ca_file = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOOPBACK, "localhost").configure_cert(server)
    return Certificates(ca_file, server)


@dataclass
class _Fault:
    stage: Stage
    reply: str | None  # None drops the connection
    remaining: float


class SmtpServer:
    """A running server: `url` to send to, `mails` it accepted, and faults to order."""

    def __init__(self, flavour: Flavour, certificates: Certificates) -> None:
        self.flavour = flavour
        self.ca_file = certificates.ca_file
        self.port = 0
        self.mails: list[ReceivedMail] = []
        self.connections = 0
        self.attempts = 0  # messages that arrived whole, taken or not
        self.goodbyes = 0
        self.pause = 0.0  # seconds before a whole message is answered
        self.errors: list[BaseException] = []
        self._tls = certificates.server
        self._faults: list[_Fault] = []
        self._rejected: set[str] = set()
        self._conversations: list[SMTP] = []

    @property
    def url(self) -> str:
        """The address with user and password, the way PIPELINE_SMTP_URL takes it."""
        return self.url_for(USER, PASSWORD)

    def url_for(self, user: str, password: str) -> str:
        """The address with other credentials; the plain flavour asks for none."""
        scheme = "smtps" if self.flavour == "tls" else "smtp"
        login = "" if self.flavour == "plain" else f"{quote(user, safe='')}:{quote(password, safe='')}@"
        return f"{scheme}://{login}{LOOPBACK}:{self.port}"

    def refuse(
        self, reply: str = "451 4.7.1 Try again later", *, at: Stage = "DATA", times: float = float("inf")
    ) -> None:
        """Answer the next `times` commands of this stage with `reply`, then behave again."""
        self._faults.append(_Fault(at, reply, times))

    def drop(self, *, at: Stage = "DATA", times: float = 1) -> None:
        """Cut the connection at the next `times` commands of this stage; at DATA, after the whole message."""
        self._faults.append(_Fault(at, None, times))

    def reject_recipient(self, address: str, *more: str) -> None:
        """Refuse mail for these addresses with 550, and accept it for others."""
        self._rejected.update({address, *more})

    async def serve(self, ready: Future[Callable[[], object]]) -> None:
        """Serve until the callable put into `ready` is called, then hang up on whoever is still connected."""
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        loop.set_exception_handler(self._keep_error)
        encryption: dict[str, Any] = (
            {"ssl": self._tls, "ssl_handshake_timeout": HANDSHAKE_SECONDS} if self.flavour == "tls" else {}
        )
        listener = await loop.create_server(self._converse, LOOPBACK, 0, **encryption)
        self.port = listener.sockets[0].getsockname()[1]
        ready.set_result(partial(loop.call_soon_threadsafe, stopping.set))
        await stopping.wait()
        listener.close()
        for conversation in self._conversations:
            _abort(conversation.transport)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.wait_for(listener.wait_closed(), WAIT_SECONDS)

    def _converse(self) -> asyncio.Protocol:
        """What speaks on a new connection."""
        self.connections += 1
        fault = self._next_fault("CONNECT")
        if fault is not None:
            return _Refusal(fault.reply)
        conversation = SMTP(
            self,
            hostname="localhost",
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
            tls_context=self._tls if self.flavour == "starttls" else None,
            require_starttls=self.flavour == "starttls",
            auth_require_tls=self.flavour != "tls",  # aiosmtpd counts only its own STARTTLS as TLS
            authenticator=self._authenticate,
        )
        self._conversations.append(conversation)
        protocol: asyncio.Protocol = conversation
        return protocol

    # aiosmtpd finds the following by their names and calls them in the thread of the server.

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Ask for AUTH where the flavour has it."""
        if self.flavour != "plain" and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if (reply := self._fault("MAIL", server)) is not None:
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse the recipients named by a test."""
        if (reply := self._fault("RCPT", server)) is not None:
            return reply
        if address in self._rejected:
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the mail, unless a fault was ordered."""
        self.attempts += 1
        await asyncio.sleep(self.pause)
        if (reply := self._fault("DATA", server)) is not None:
            return reply
        login: bytes | None = getattr(session.auth_data, "login", None)
        self.mails.append(
            ReceivedMail(
                sender=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                raw=envelope.original_content or b"",
                encrypted=self.flavour == "tls" or session.ssl is not None,
                user=None if login is None else login.decode(),
            )
        )
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Count who takes leave."""
        self.goodbyes += 1
        return "221 Bye"

    async def handle_exception(self, error: Exception) -> str:
        """Keep what broke in the server itself; the fixture raises it at the end of the test."""
        if not isinstance(error, TLSSetupException):  # a client that does not trust the certificate
            self.errors.append(error)
        return "451 4.3.0 The test server itself failed"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: object
    ) -> AuthResult:
        expected = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=auth_data == expected, handled=False, auth_data=auth_data)

    def _fault(self, stage: Stage, server: SMTP) -> str | None:
        fault = self._next_fault(stage)
        if fault is None:
            return None
        if fault.reply is None:
            _abort(server.transport)
            raise asyncio.CancelledError  # ends the conversation without another word
        return fault.reply

    def _next_fault(self, stage: Stage) -> _Fault | None:
        for fault in self._faults:
            if fault.stage == stage and fault.remaining > 0:
                fault.remaining -= 1
                return fault
        return None

    def _keep_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception") or RuntimeError(context["message"])
        if not isinstance(error, OSError):  # a client that hung up, or did not trust the certificate
            self.errors.append(error)


class _Refusal(asyncio.Protocol):
    """Says at most one thing, and hangs up."""

    def __init__(self, reply: str | None) -> None:
        self._reply = reply

    def connection_made(self, transport: BaseTransport) -> None:
        """Answer before anything was asked."""
        if self._reply is None:
            _abort(transport)
        elif isinstance(transport, Transport):
            transport.write(f"{self._reply}\r\n".encode())
            transport.close()


@contextmanager
def run_smtp(flavour: Flavour, certificates: Certificates) -> Iterator[SmtpServer]:
    """Run a server in a thread of its own; errors of the server itself are raised at the end."""
    server = SmtpServer(flavour, certificates)
    ready: Future[Callable[[], object]] = Future()
    with ThreadPoolExecutor(1, thread_name_prefix="smtp") as thread:
        serving = thread.submit(asyncio.run, server.serve(ready))

        def tell_failed_start(ended: Future[None]) -> None:
            if not ready.done():
                ready.set_exception(ended.exception())

        serving.add_done_callback(tell_failed_start)
        stop = ready.result(WAIT_SECONDS)
        try:
            yield server
        finally:
            stop()
            serving.result(WAIT_SECONDS)
    if server.errors:
        raise server.errors[0]


def _abort(transport: BaseTransport | None) -> None:
    if isinstance(transport, Transport):
        transport.abort()
