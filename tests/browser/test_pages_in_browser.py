"""The pages as a browser shows them: drawn, in light and dark, by keyboard, without a script and on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.publish import pages
from tests.publish.pages.samples import PAGES, fleet
from tests.servers.browser import BrowserWindows, ColorScheme, OpenPage


@pytest.fixture
def open_page(browser: BrowserWindows, tmp_path: Path) -> Callable[..., OpenPage]:
    """Writes a page as `<name>.html` and opens it."""

    def open_it(name: str, html: bytes, width: int = 1440, scheme: ColorScheme = "light") -> OpenPage:
        path = tmp_path / f"{name}.html"
        path.write_bytes(html)
        return browser(path, width=width, color_scheme=scheme)

    return open_it


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_browser_has_nothing_to_complain_about(name: str, open_page: Callable[..., OpenPage]) -> None:
    for width, scheme in ((1440, "light"), (360, "dark")):
        opened = open_page(name, PAGES[name](), width, scheme)
        assert opened.errors == []
        assert opened.outside_requests == []
        assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        assert "alert" not in opened.page.evaluate("[...document.scripts].map(s => s.textContent).join()")


def test_light_and_dark_follow_the_reader(open_page: Callable[..., OpenPage]) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = (open_page("night", PAGES["drifted"](), 1440, scheme).page.evaluate(ground) for scheme in SCHEMES)
    assert light == "rgb(251, 250, 248)"
    assert dark == "rgb(20, 22, 28)"


SCHEMES: tuple[ColorScheme, ColorScheme] = ("light", "dark")


def test_the_charts_are_drawn(open_page: Callable[..., OpenPage]) -> None:
    night = open_page("night", PAGES["drifted"]()).page
    bars = night.locator(".chart .bar.over.now")
    assert bars.count() == 1
    box = bars.bounding_box()
    assert box is not None
    assert box["height"] > 80
    assert night.locator(".shape").count() == 6
    assert night.locator(".cats").count() == 3
    monitor = open_page("monitor", PAGES["monitor"]()).page
    assert monitor.locator(".heat tbody tr").count() == 18
    assert monitor.locator(".heat td.x").count() > 10


def test_a_night_opens_by_mouse_from_the_chart_and_by_keyboard_from_the_table(
    open_page: Callable[..., OpenPage],
) -> None:
    monitor = open_page("monitor", PAGES["monitor"]()).page
    links = monitor.locator(".chart a").evaluate_all("all => all.map(a => [a.getAttribute('href'), a.tabIndex])")
    assert ["2026-01-13/index.html", -1] in links
    link = monitor.locator(".nights a").first
    link.focus()
    assert link.evaluate("a => document.activeElement === a && getComputedStyle(a).outlineStyle") == "solid"


def test_the_fleet_is_filtered_and_sorted_by_keyboard(open_page: Callable[..., OpenPage]) -> None:
    page = open_page("fleet", pages.fleet_page(fleet(12))).page
    page.keyboard.press("/")
    page.keyboard.type("monitor-003")
    assert page.locator("tbody tr:visible").count() == 1
    assert page.locator("#shown").inner_text() == "1 of 12"
    page.locator("#find").fill("")
    page.locator("#show").select_option("data_broken")
    assert page.locator("tbody tr:visible").count() == 2
    page.locator("#show").select_option("needs")
    shown = page.locator("tbody tr:visible")
    assert shown.count() == 6
    assert page.locator("h1").inner_text() == "12 monitors, 6 need attention"
    page.locator("#show").select_option("")
    head = page.locator("th[data-sort=share] button")
    head.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.locator("th[data-sort=share]").get_attribute("aria-sort") == "descending"
    shares = [float(value) for value in page.locator("tbody tr").evaluate_all("all => all.map(r => r.dataset.share)")]
    assert shares == sorted(shares, reverse=True)


def test_the_fleet_is_whole_without_a_script(browser: BrowserWindows, tmp_path: Path) -> None:
    html = pages.fleet_page(fleet(12)).replace(b"script-src", b"x-script-src")
    path = tmp_path / "fleet.html"
    path.write_bytes(html)
    page = browser(path).page
    assert page.locator("tbody tr:visible").count() == 12
    assert not page.locator("#controls").is_visible()


def test_a_night_prints_on_paper(open_page: Callable[..., OpenPage]) -> None:
    page = open_page("night", PAGES["drifted"]()).page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")
