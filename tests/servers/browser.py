"""Headless Chromium, opening our pages and recording what they ask for and complain about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from tests.servers.processes import LOOPBACK, require

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Dialog, Page

ColorScheme = Literal["light", "dark"]
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {LOOPBACK}",  # a page reaches nothing outside
)
LOCAL_SCHEMES = {"file", "data", "blob", "about"}
TIMEOUT_MS = 30_000


@dataclass(frozen=True)
class OpenPage:
    """A page in a window of its own: Playwright's `page`, and what happened on it so far."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def outside_requests(self) -> list[str]:
        """The requests that would have left this machine."""
        return [url for url in self.requests if _is_outside(url)]


class BrowserWindows:
    """Opens pages, each in a fresh context with nothing stored; all are closed after the test."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def __call__(
        self,
        target: Path | str,
        *,
        width: int = 1280,
        height: int = 900,
        color_scheme: ColorScheme = "light",
    ) -> OpenPage:
        """Open a file or URL and wait until it has loaded."""
        context = self._browser.new_context(viewport={"width": width, "height": height}, color_scheme=color_scheme)
        self._contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        opened = OpenPage(page)

        def dismiss(dialog: Dialog) -> None:  # no page of ours asks anything
            opened.errors.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("request", lambda request: opened.requests.append(request.url))
        page.on("pageerror", lambda error: opened.errors.append(f"uncaught: {error}"))
        page.on("dialog", dismiss)
        page.on("console", lambda entry: opened.errors.append(entry.text) if entry.type == "error" else None)
        page.goto(target.absolute().as_uri() if isinstance(target, Path) else target, wait_until="load")
        return opened

    def close(self) -> None:
        """Close every page opened so far."""
        while self._contexts:
            self._contexts.pop().close()


@contextmanager
def run_browser() -> Iterator[Browser]:
    """Run one Chromium. Playwright keeps an asyncio loop in this thread until the block ends."""
    program = require("chromium", "chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS), timeout=TIMEOUT_MS)
        try:
            yield browser
        finally:
            browser.close()


def _is_outside(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in LOCAL_SCHEMES and parts.hostname != LOOPBACK
