"""The mail about a night as a narrow client shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.publish.messages.mail import build_summary
from tests.publish import samples
from tests.publish.pages.samples import hostile_night
from tests.publish.reading import part
from tests.servers.browser import BrowserWindows


@pytest.mark.parametrize("width", [360, 720])
def test_the_html_part_fits_narrow_clients(browser: BrowserWindows, tmp_path: Path, width: int) -> None:
    for view in (samples.view(), hostile_night()):
        path = tmp_path / "mail.html"
        message = build_summary(view, "nightjar@example.com")
        assert message is not None
        path.write_text(part(message, "html"), encoding="utf-8")
        opened = browser(path, width=width, color_scheme="dark")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        assert opened.errors == []
        assert len(opened.requests) == 1
