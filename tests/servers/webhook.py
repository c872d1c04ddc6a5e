"""An HTTP endpoint that records what it is sent, as chat services receive it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.servers.loopback import LoopbackServer, QuietHandler, serving_thread


@dataclass(frozen=True)
class Received:
    """One request. Names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Webhook:
    """A running endpoint: `requests` it received, and answers to order."""

    url: str
    requests: list[Received] = field(default_factory=list)
    _answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def respond(self, status: int, *, times: int = 1, headers: Mapping[str, str] | None = None) -> None:
        """Answer the next `times` requests with this status, then with 200 again."""
        self._answers.extend([(status, dict(headers or {}))] * times)

    def take(self, received: Received) -> tuple[int, dict[str, str]]:
        """Record a request and say how to answer it."""
        self.requests.append(received)
        return self._answers.pop(0) if self._answers else (200, {})


@contextmanager
def run_webhook() -> Iterator[Webhook]:
    """Run an endpoint that answers every path."""

    class Handler(QuietHandler):
        def _record(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, extra = webhook.take(Received(self.command, self.path, headers, self.read_body()))
            self.answer(status, {**extra, "Content-Length": "2"}, b"ok")

        do_GET = do_POST = do_PUT = do_DELETE = _record

    server = LoopbackServer(Handler)
    webhook = Webhook(server.url)
    with serving_thread(server):
        yield webhook
