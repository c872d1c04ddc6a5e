"""axe-core, which finds what keeps people from using a page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

SCRIPT = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


def serious_violations(page: Page) -> list[str]:
    """What axe-core finds serious or critical, with the elements concerned."""
    if not SCRIPT.is_file():
        message = "axe-core is not installed: npm ci --prefix tests/browser"
        if os.environ.get("CI") == "true":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))  # the page's own policy lets no script element in
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert len(found["passes"]) > 5, "axe-core looked at nothing"
    return [
        f"{item['id']}: {item['help']}: {node['target']} {node['html'][:160]}"
        for item in found["violations"]
        if item["impact"] in ("serious", "critical")
        for node in item["nodes"][:3]
    ]
