"""Shows the pages of a local run store in a browser, to this machine only."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from pipeline.cli.options import program
from pipeline.errors import ConfigError
from pipeline.storage import s3

LOOPBACK = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Files below one folder, except those of a name that starts with a dot: they are Nightjar's own."""

    def send_head(self):  # type: ignore[no-untyped-def]
        if any(part.startswith(".") for part in unquote(self.path).split("/")):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

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
