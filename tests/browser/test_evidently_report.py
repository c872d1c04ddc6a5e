"""The drift report in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.publish import evidently_report
from pipeline.results import DriftResult, Shape
from tests.publish import samples
from tests.publish.samples import SCRIPTS
from tests.servers.browser import BrowserWindows, OpenPage


@pytest.fixture
def opened(browser: BrowserWindows, tmp_path: Path) -> Any:
    def show(drift: DriftResult, width: int = 1440) -> OpenPage:
        path = tmp_path / "drift_report.html"
        path.write_bytes(evidently_report.render(samples.monitor(), samples.pair(), drift))
        window = browser(path, width=width)
        window.page.get_by_text("columns compared").wait_for()
        return window

    return show


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 360])
def test_the_page_shows_the_verdict_and_the_columns_without_any_request(opened: Any, width: int) -> None:
    window = opened(samples.drift(18, 9, not_evaluable=1), width)
    text = window.page.inner_text("body")
    assert "9 of 18 columns drifted (50%), over the limit of 30%" in text
    assert "support_tickets_90d" in text
    assert "all 3,412 values are missing in production" in text
    assert window.page.title() == "churn: drift on 2026-01-14"
    assert window.page.evaluate("document.documentElement.scrollWidth") == width
    assert window.errors == []
    assert [url for url in window.requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.slow
def test_wide_tables_scroll_inside_their_frame_on_a_phone(opened: Any) -> None:
    window = opened(samples.drift(18, 9), 360)
    frame = window.page.evaluate(
        """() => { let frame = document.querySelector('table').parentElement;
        while (frame && getComputedStyle(frame).overflowX != 'auto') frame = frame.parentElement;
        return [frame.clientWidth < 360, frame.scrollWidth > 700] }"""
    )
    assert frame == [True, True]


@pytest.mark.slow
def test_a_row_opens_its_chart_and_its_reason(opened: Any) -> None:
    window = opened(samples.drift(18, 9))
    window.page.locator("tbody button").first.click()
    window.page.locator(".js-plotly-plot .bars path").first.wait_for()
    assert window.page.locator(".js-plotly-plot .bars path").count() == 40
    assert "the mean moved up by 1.4 reference standard deviations" in window.page.inner_text("[role=alert] >> nth=-1")
    assert window.errors == []


@pytest.mark.slow
def test_columns_can_be_searched_by_name(opened: Any) -> None:
    window = opened(samples.drift(60, 20))
    window.page.get_by_placeholder("Search").first.fill("feature_0037")
    window.page.get_by_text("1-1 of 1").wait_for()
    assert "feature_0037" in window.page.inner_text("tbody")


@pytest.mark.slow
def test_names_and_categories_from_data_are_inert(opened: Any) -> None:
    columns = []
    for position, name in enumerate(SCRIPTS):
        shape = Shape(categories=(name, "plain"), reference=(0.5, 0.5), production=(0.1, 0.9))
        changes = {"reason": name, "flags": (name, name + "!"), "shape": shape}
        columns.append(samples.column(position, drifted=True, name=name).model_copy(update=changes))
    without = samples.without_score(0).model_copy(update={"name": SCRIPTS[0], "reason": SCRIPTS[2]})
    window = opened(samples.with_columns(*columns, without))
    arrows = window.page.locator("tbody button")
    for position in range(arrows.count()):
        arrows.nth(position).click()
    window.page.locator(".js-plotly-plot").nth(len(SCRIPTS) - 1).wait_for()
    text = window.page.inner_text("body")
    assert SCRIPTS[0] in text
    assert SCRIPTS[3] in text
    assert window.page.evaluate("window.hacked") is None
    assert window.page.locator("img, a[href*=evil], svg a").count() == 0
    assert window.errors == []
    assert window.outside_requests == []


@pytest.mark.slow
def test_a_script_that_got_into_the_page_would_not_run(browser: BrowserWindows, tmp_path: Path) -> None:
    report = evidently_report.render(samples.monitor(), samples.pair(), samples.drift())
    path = tmp_path / "drift_report.html"
    path.write_bytes(report.replace(b"</body>", b"<script>window.hacked = 1</script></body>"))
    window = browser(path)
    window.page.get_by_text("columns compared").wait_for()
    assert window.page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in error for error in window.errors)
