"""Shows the pages of a local run store in a browser, to this machine only."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.cli.options import program
from pipeline.errors import ConfigError
from pipeline.storage import s3

LOOPBACK = "127.0.0.1"


_SHOWN = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".eml": "message/rfc822",
    ".md": "text/plain; charset=utf-8",
    ".prom": "text/plain; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
"""What a run store has for people, and how a browser is told of it. Nothing else is handed out."""
_VERSIONS = ".nights"
"""The folder that a published night is a link into; any other name with a dot is Nightjar's own."""
_PAGE = "index.html"


class _Handler(SimpleHTTPRequestHandler):
    """Pages below one folder, to whoever asks for them by this machine's own name."""

    extensions_map = _SHOWN

    def send_head(self):  # type: ignore[no-untyped-def]
        if self.headers.get("Host") not in self._own_names():  # a page elsewhere can have a name that leads here
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return None
        if not self._is_page(unquote(urlsplit(self.path).path)):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def _own_names(self) -> set[str]:
        address = self.connection.getsockname()
        return {f"{name}:{address[1]}" for name in (LOOPBACK, "localhost")}

    def _is_page(self, asked: str) -> bool:
        """Whether a page lies there: of a kind that is shown, not Nightjar's own, and in the store, links followed."""
        if "\0" in asked or any(part.startswith(".") for part in asked.split("/")):
            return False
        path, store = Path(self.translate_path(self.path)), Path(self.directory).resolve()
        try:
            page = (path / _PAGE if path.is_dir() else path).resolve(strict=True)
        except (OSError, RuntimeError):  # not there, too long for a name, a link to itself
            return False
        if not page.is_relative_to(store) or not page.is_file() or page.suffix not in _SHOWN:
            return False
        return all(part == _VERSIONS or not part.startswith(".") for part in page.relative_to(store).parts)

    def end_headers(self) -> None:
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: who looks at pages wants no log."""


def server(store: str, port: int) -> ThreadingHTTPServer:
    """A server of a store's pages on loopback; `serve_forever` starts it.

    Raises:
        ConfigError: the store is not on this machine, has no page yet, or the port is taken.
    """
    if s3.is_s3(store):
        raise ConfigError([f"PIPELINE_STORE: found {store}; allowed: a local store (an S3 store serves its own files)"])
    if not (Path(store) / "index.html").is_file():
        raise ConfigError([f"{store}: no pages yet; run a night first, or '{program()} site'"])
    try:
        return ThreadingHTTPServer((LOOPBACK, port), partial(_Handler, directory=store))
    except OSError as error:
        raise ConfigError([f"--port: {port} cannot be used: {error.strerror}; allowed: a free port"]) from error
