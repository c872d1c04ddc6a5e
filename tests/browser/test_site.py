"""The pages of a small site as a browser shows them: whole, reachable, usable, and unmoved by hostile data."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urldefrag

import pytest
from playwright.sync_api import FloatRect, Page

from pipeline.steps.reports import REPORT, whole
from pipeline.storage.run_store import RunStore
from tests.browser.axe import serious_violations
from tests.browser.conftest import DAYS, HOSTILE, Site
from tests.servers.browser import BrowserWindows, ColorScheme, OpenPage
from tests.servers.processes import request

pytestmark = pytest.mark.slow

HEALTHY, DRIFTED, BROKEN = DAYS
PAGES = (
    "index.html",
    *(f"{name}/{page}.html" for name in ("people", "hostile") for page in ("index", "columns")),
    *(f"{name}/{day}/index.html" for name in ("people", "hostile") for day in DAYS),
    *(f"{name}/retraining/{DRIFTED}/index.html" for name in ("people", "hostile")),
    f"people/incidents/{DRIFTED}/index.html",
    f"hostile/incidents/{HEALTHY}/index.html",
)
KINDS = (
    "index.html",
    "people/index.html",
    "people/columns.html",
    f"people/{DRIFTED}/index.html",
    f"people/{BROKEN}/index.html",
    f"people/retraining/{DRIFTED}/index.html",
    f"people/incidents/{DRIFTED}/index.html",
)


def addresses(page: Page) -> set[str]:
    """Every address the page links to."""
    found = page.eval_on_selector_all(
        "a[href]", "links => links.map(link => new URL(link.getAttribute('href'), document.baseURI).href)"
    )
    return {urldefrag(address).url for address in found}


def assert_sound(opened: OpenPage, path: str) -> None:
    assert opened.errors == [], path
    assert opened.outside_requests == [], path


def test_every_page_loads_without_a_complaint_and_asks_for_nothing_else(site: Site, browser: BrowserWindows) -> None:
    for path in PAGES:
        opened = browser(site.page(path))
        assert_sound(opened, path)
        assert [asked for asked in opened.requests if not asked.startswith("data:")] == [site.page(path)]
        browser.close()


def test_every_link_leads_somewhere(site: Site, browser: BrowserWindows) -> None:
    waiting, seen, reached = [site.url], set[str](), set[str]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        assert address.startswith(site.url), f"a link leads outside: {address}"
        assert request("GET", address).status == 200, address
        if address.endswith(("/", "index.html", "columns.html")):
            reached.add(address)
            waiting += addresses(browser(address).page)
            browser.close()
    assert {site.page(path) for path in PAGES} <= reached
    assert site.page(f"people/{DRIFTED}/drift_report.html") in seen


def test_a_report_is_drawn_where_it_is_served_from_the_disk_and_alone(
    site: Site, browser: BrowserWindows, tmp_path: Path
) -> None:
    alone = tmp_path / "report.html"
    alone.write_bytes(whole(RunStore(str(site.store)), (site.store / "people" / DRIFTED / REPORT).read_bytes()))
    served, published = site.page(f"people/{DRIFTED}/{REPORT}"), site.store / "people" / DRIFTED / REPORT
    for target, asks in ((served, 3), (published, 3), (alone, 1)):
        opened = browser(target)
        opened.page.get_by_text("columns compared").wait_for()
        opened.page.locator("tbody button").first.click()
        opened.page.locator(".js-plotly-plot .bars path").first.wait_for()
        assert_sound(opened, str(target))
        assert len([asked for asked in opened.requests if asked.startswith(("http:", "file:"))]) == asks
        browser.close()


def test_the_verdict_is_the_first_thing_to_read(site: Site, browser: BrowserWindows) -> None:
    for day, verdict in ((HEALTHY, "Healthy"), (DRIFTED, "Drifted"), (BROKEN, "Data broken")):
        heading = browser(site.page(f"people/{day}/index.html")).page.locator("h1").inner_text()
        assert heading.startswith(verdict)


def test_heat_map_and_charts_are_there(site: Site, browser: BrowserWindows) -> None:
    monitor = browser(site.page("people/index.html")).page
    assert monitor.locator(".heat tbody tr").count() == 5
    assert monitor.locator(".heat tbody td").count() == 5 * len(DAYS)
    assert monitor.locator(".heat td.x").count() > 0
    assert monitor.locator("main svg").count() > 2
    night = browser(site.page(f"people/{DRIFTED}/index.html")).page
    assert night.locator("main svg").count() > 2
    for page in (monitor, night):
        boxes = [chart.bounding_box() for chart in page.locator("main svg").all() if chart.is_visible()]
        assert all(box is not None and box["width"] > 5 and box["height"] > 5 for box in boxes)


def test_a_night_is_opened_from_the_heat_map(site: Site, browser: BrowserWindows) -> None:
    page = browser(site.page("people/index.html")).page
    page.locator(f'.heat a[aria-label="{DRIFTED}"]').first.click()
    page.wait_for_url(f"**/people/{DRIFTED}/index.html")


def test_a_column_is_seen_over_time_from_a_night_and_from_the_monitor(site: Site, browser: BrowserWindows) -> None:
    night = browser(site.page(f"people/{DRIFTED}/index.html")).page
    night.locator(".all tbody th a").first.click()
    night.wait_for_url("**/people/columns.html#c-*")
    place = night.locator(":target")
    assert place.locator("h2").inner_text().startswith("age")
    assert str(DRIFTED) in place.locator("figcaption").inner_text() + place.locator(".targets").inner_html()
    boxes = _boxes(night, ".multiple .chart")
    assert len(boxes) == 5
    assert all(box is not None and box["width"] > 200 and box["height"] > 90 for box in boxes)
    monitor = browser(site.page("people/index.html")).page
    assert site.page("people/columns.html") in addresses(monitor)


def test_hostile_names_are_shown_and_do_nothing(site: Site, browser: BrowserWindows) -> None:
    for path in (path for path in PAGES if path.startswith("hostile/") or path == "index.html"):
        opened = browser(site.page(path))
        opened.page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
        opened.page.mouse.move(300, 300)
        assert_sound(opened, path)
        handlers = "Array.from(document.querySelectorAll('*')).flatMap(e => e.getAttributeNames())"
        assert not [name for name in opened.page.evaluate(handlers) if name.startswith("on")], path
        assert opened.page.locator("img, iframe, object, embed, form").count() == 0, path
        assert opened.page.locator("script").count() == (path == "index.html"), path
        browser.close()
    night = browser(site.page(f"hostile/{DRIFTED}/index.html")).page
    text = night.locator("body").inner_text()
    assert HOSTILE[0] in text
    assert "{{7*7}}" in text
    assert "\u202e" not in text


@pytest.mark.parametrize("width", [360, 1440])
def test_no_page_is_wider_than_its_window(site: Site, browser: BrowserWindows, width: int) -> None:
    for path in PAGES:
        page = browser(site.page(path), width=width).page
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    [
        *KINDS,
        f"hostile/{DRIFTED}/index.html",
        f"hostile/retraining/{DRIFTED}/index.html",
        "hostile/index.html",
        "hostile/columns.html",
    ],
)
def test_axe_finds_nothing_serious(site: Site, browser: BrowserWindows, path: str, scheme: ColorScheme) -> None:
    opened = browser(site.page(path), color_scheme=scheme)
    assert serious_violations(opened.page) == []


def shown(page: Page) -> list[str]:
    """The rows that the filter leaves, as text."""
    script = "rows => rows.filter(row => !row.hidden).map(row => row.innerText)"
    texts: list[str] = page.eval_on_selector_all("#table tbody tr", script)
    return texts


def test_neighbouring_nights_lead_to_each_other(site: Site, browser: BrowserWindows) -> None:
    page = browser(site.page(f"people/{HEALTHY}/index.html")).page
    assert page.locator("a[rel=prev]").count() == 0
    page.locator("a[rel=next]").click()
    page.wait_for_url(f"**/people/{DRIFTED}/index.html")
    page.locator("a[rel=next]").click()
    page.wait_for_url(f"**/people/{BROKEN}/index.html")
    page.locator("a[rel=prev]").click()
    page.wait_for_url(f"**/people/{DRIFTED}/index.html")


def test_a_retraining_is_reached_from_the_night_the_monitor_and_the_fleet(site: Site, browser: BrowserWindows) -> None:
    target = f"people/retraining/{DRIFTED}/index.html"
    night = browser(site.page(f"people/{DRIFTED}/index.html")).page
    assert site.page(target) in addresses(night)
    assert "Retraining promoted version 3" in night.locator(".next").inner_text()
    monitor = browser(site.page("people/index.html")).page
    assert site.page(target) in addresses(monitor)
    retraining = browser(site.page(target)).page
    assert retraining.locator("h1").inner_text() == "Retraining promoted version 3"
    assert all(box is not None and box["width"] > 5 for box in _boxes(retraining, ".interval"))


def _boxes(page: Page, selector: str) -> list[FloatRect | None]:
    found = [item.bounding_box() for item in page.locator(selector).all()]
    assert found
    return found


def test_nothing_is_squeezed_into_a_column_of_single_letters(site: Site, browser: BrowserWindows) -> None:
    squeezed = """all => all
        .filter(e => e.getClientRects().length && e.textContent.length > 20 && e.offsetWidth < 60)
        .map(e => e.textContent)"""
    for path in PAGES:
        page = browser(site.page(path), width=360).page
        assert page.locator("main dd, main p, main td").evaluate_all(squeezed) == [], path
        browser.close()


def test_the_heat_map_is_whole_and_coloured_on_paper(site: Site, browser: BrowserWindows) -> None:
    page = browser(site.page("people/index.html"), width=720, color_scheme="dark").page
    page.emulate_media(media="print")
    cell = page.locator(".heat td.x").first
    look = cell.evaluate("e => [getComputedStyle(e).printColorAdjust, getComputedStyle(e).backgroundColor]")
    assert look[0] == "exact"
    assert look[1] not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 32, 48)"
    assert page.locator(".heat").evaluate("e => e.getBoundingClientRect().right") <= 720


def test_the_fleet_is_filtered_and_sorted_by_keyboard(site: Site, browser: BrowserWindows) -> None:
    page = browser(site.page("index.html")).page
    assert len(shown(page)) == 2
    page.keyboard.press("/")
    page.keyboard.type("people")
    assert [row.split()[0] for row in shown(page)] == ["people"]
    assert page.locator("#shown").inner_text() == "1 of 2"
    for _ in "people":
        page.keyboard.press("Backspace")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "show"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort]").get_attribute("data-sort") == "margin"
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"


def test_500_monitors_load_and_are_filtered_with_every_key(large_site: Site, browser: BrowserWindows) -> None:
    assert len((large_site.store / "index.html").read_bytes()) < 1_000_000
    opened = browser(large_site.page("index.html"))
    assert_sound(opened, "index.html")
    assert len(shown(opened.page)) == 500
    find = opened.page.locator("#find")
    for word, monitors in {"m": 500, "model-4": 100, "model-49": 10, "model-123": 1, "": 500}.items():
        find.fill(word)
        assert len(shown(opened.page)) == monitors


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_large_fleet(
    large_site: Site, browser: BrowserWindows, scheme: ColorScheme
) -> None:
    opened = browser(large_site.page("index.html"), color_scheme=scheme)
    opened.page.locator("#find").fill("model-1")
    assert serious_violations(opened.page) == []
