"""What a reader or a program finds in a page, a mail or gauges."""

from __future__ import annotations

import email
import re
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser

from prometheus_client.parser import text_string_to_metric_families


class Page(HTMLParser):
    """Elements, addresses, text and identifiers of a page, or of the HTML part of a mail."""

    def __init__(self, html: bytes | str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.identifiers: list[str] = []
        self.handlers: list[str] = []
        self.styles = 0
        self._text: list[str] = []
        self._silent = 0
        self.feed(html if isinstance(html, str) else html.decode())
        self.close()

    @property
    def text(self) -> str:
        """What a reader without style and script finds."""
        return re.sub(r"\s+", " ", "".join(self._text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._silent += tag in ("style", "script")
        for name, value in attrs:
            self.handlers += [name] * name.startswith("on")
            self.styles += name == "style"
            if name in ("href", "src", "action", "background", "data", "xlink:href"):
                self.addresses.append(value or "")
            if name == "id":
                self.identifiers.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._text.append(data)


def part(message: EmailMessage, kind: str) -> str:
    """The decoded text or HTML part, after a round trip over the wire."""
    parsed = email.message_from_bytes(message.as_bytes(), policy=default)
    body = parsed.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def read_gauges(text: bytes) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Every series by metric name, as Prometheus' own client reads them."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name.removeprefix("model_monitor_"), []).append((sample.labels, sample.value))
    return found
