"""The page of a monitor: its history, heat map and retrainings."""

from __future__ import annotations

import re

from pipeline.publish import pages
from pipeline.publish.facts.retraining import remember
from tests.publish import samples
from tests.publish.nights import past
from tests.publish.pages.samples import MEGABYTE, all_nights
from tests.publish.reading import Page
from tests.publish.retrainings import retraining


def test_the_monitor_page_tells_history_heat_map_and_retraining() -> None:
    page = Page(pages.monitor_page(samples.monitor(), all_nights()))
    assert "Drifted: 9 of 18 columns (50%), retraining requested" in page.text
    assert re.search(r"drifted since 2026-01-1\d", page.text)
    assert page.tags.count("td") > 18 * 60
    assert "1 day has no night" in page.text
    assert "2026-01-03/index.html" in page.addresses


def test_the_time_line_marks_what_was_promoted_and_what_was_not() -> None:
    nights = past()
    asked = [night.run_date for night in nights if night.retrain][-2:]
    outcomes = [remember(retraining("rejected", asked[0])), remember(retraining("promoted", asked[1]))]
    html = pages.monitor_page(samples.monitor(), nights, outcomes)
    assert html.count(b'class="sign promoted"') == html.count(b'class="sign tried"') == 2  # in both charts
    found = Page(html)
    assert found.addresses.count(f"retraining/{asked[0]}/index.html") == 3
    assert "1 retraining was promoted (filled diamond)" in found.text
    assert "Rejected version 3" in found.text


def test_a_year_of_a_thousand_columns_stays_under_a_megabyte() -> None:
    nights = past(365, columns=[f"feature_{place:04d}" for place in range(1_000)])
    html = pages.monitor_page(samples.monitor(), nights)
    assert len(html) < MEGABYTE
    assert "970 of 1,000 columns, which drifted less, are not shown" in Page(html).text
