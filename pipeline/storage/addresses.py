"""Addresses that may hold a secret: taken apart in one place, and shown without it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_CREDENTIALS = re.compile(r"://(?!/)\S*@")  # not in sqlite:///home/me@work/mlflow.db


@dataclass(frozen=True)
class Address:
    """A server's address. `user` is None where none is named; it and the password are no longer percent-encoded."""

    scheme: str
    host: str
    port: int | None
    path: str
    user: str | None = field(repr=False)
    password: str = field(repr=False)

    @property
    def place(self) -> str:
        """Host and port, as far as they are named."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The address as it may be shown: no user, no password, no query."""
        return f"{self.scheme}://{self.place}{self.path}"


def parse(url: str) -> Address | None:
    """An address in parts; None where no host and port can be made out.

    Whoever says so must not repeat the address: what was taken for its host may be a piece of the password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or port == 0:
        return None
    user = None if parts.username is None else unquote(parts.username)
    return Address(parts.scheme, host, port, parts.path, user, unquote(parts.password or ""))


def shown(uri: str) -> str:
    """Any address as it may be shown, one of a database or one that `parse` cannot read, too."""
    return without_credentials(uri).partition("?")[0]


def without_credentials(text: str) -> str:
    """A text without user and password of the addresses in it."""
    return _CREDENTIALS.sub("://", text)
