"""The page of a monitor's columns over time."""

from __future__ import annotations

import re

from pipeline.publish import pages
from pipeline.publish.facts.columns import anchor
from pipeline.results import ColumnProfile
from tests.publish import profiles, samples
from tests.publish.nights import past
from tests.publish.pages.samples import MEGABYTE, PAGES, all_nights, drifted_night
from tests.publish.reading import Page

DAY = past()[-1].run_date


def one(column: ColumnProfile, *, private: bool = False) -> tuple[str, dict[str, list[str]]]:
    """The text of a page with one column, which one night has kept, and its table by the names of its rows."""
    monitor = samples.monitor()
    roles = monitor.columns.model_copy(update={"private": (column.name,) if private else ()})
    found = [(DAY, profiles.profile([column]))]
    html = pages.columns_page(monitor.model_copy(update={"columns": roles}), past(), found)
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', html.decode())
    return Page(html).text, {Page(name).text: re.findall(r">([^<]*)</td>", cells) for name, cells in rows}


def test_a_column_of_numbers_has_its_newest_night_beside_the_reference() -> None:
    text, table = one(profiles.numbers("age", 0.6, missing=60))
    assert f"Median 46 on {DAY}; 40 in the reference. At most 2% missing." in text
    assert table == {"Median": ["46", "40"], "Mean": ["46", "40"], "Deviation": ["10", "10"], "Missing": ["2%", "0%"]}
    assert f"{DAY}, drifted: median 46, half 39.3 to 52.7, nine of ten 29.5 to 67.2, 2% missing" in text


def test_a_column_of_categories_has_shares_in_the_order_of_the_reference() -> None:
    text, table = one(profiles.countries("country", 0.5))
    assert f"PT: 20% on {DAY}; 40% in the reference." in text
    assert list(table) == [*profiles.COUNTRIES[:5], "all others", "Missing", "Distinct, share of the values"]
    assert table["ES"] == ["50%", "30%"]
    assert table["all others"] == ["5%", "5%"]
    assert table["Distinct, share of the values"] == ["7, 0.23%", "7, 0.035%"]


def test_of_private_columns_only_ranks_and_numbered_categories_are_shown() -> None:
    text, table = one(profiles.private(profiles.numbers("age", 0.6)), private=True)
    assert f"On {DAY} half of the rows lie below the reference's 72.6% quantile." in text
    assert table == {"Quantile that half lies below": ["72.6%", "50%"], "Missing": ["0%", "0%"]}
    for kept in (profiles.numbers("age", 0.6, middle=7_654.0), profiles.private(profiles.numbers("age", 0.6))):
        assert not re.search(r"Mean|Deviation|7,?6\d\d|\b46\b", one(kept, private=True)[0])
    for kept in (profiles.countries("country"), profiles.private(profiles.countries("country"))):
        shown, table = one(kept, private=True)
        assert table["private 1"] == ["40%", "40%"]
        assert not re.search(r"\b(PT|ES|FR|IT|DE)\b", shown)


def test_nights_that_kept_no_profile_are_counted_as_gaps() -> None:
    text = Page(PAGES["columns"]()).text
    assert "18 columns over 59 nights" in text
    assert "29 nights kept no profile, and are gaps." in text


def test_without_any_profile_the_page_says_so() -> None:
    assert "No night has kept a profile of its columns yet" in Page(PAGES["old-columns"]()).text
    assert "No night has compared a column yet." in Page(PAGES["empty-columns"]()).text


def test_of_500_columns_the_first_have_a_chart_and_the_others_a_place() -> None:
    names = [f"feature_{place:03d}" for place in range(500)]
    nights = past(60, columns=names)
    found = list(profiles.of_nights(nights[-4:], names))
    html = pages.columns_page(samples.monitor(), nights, found, {"feature_499": 1.0})
    page = Page(html)
    assert len(html) < MEGABYTE
    assert page.tags.count("article") == pages.MAX_CHARTS
    assert f"{pages.MAX_CHARTS} have a chart; the others are named below" in page.text
    assert {anchor(name) for name in names} <= set(page.identifiers)
    assert f"{nights[-1].run_date}/profile.json" in page.addresses
    charted = re.findall(r'<h2 id="c-[0-9a-f]+-name"><bdi>([^<]+)', html.decode())
    times = {name: sum(name in night.drifted for night in nights) for name in names}
    assert min(times[name] for name in charted) >= max(times[name] for name in names if name not in charted)


def test_a_column_that_no_night_could_count_has_a_place_without_a_chart() -> None:
    nights = past(3, columns=("age", "note"))
    page = Page(pages.columns_page(samples.monitor(), nights, profiles.of_nights(nights, ["age"])))
    assert page.tags.count("article") == 1
    assert {anchor("age"), anchor("note")} <= set(page.identifiers)


def test_many_columns_of_nights_that_kept_nothing_have_no_place() -> None:
    nights = past(3, columns=[f"feature_{place:03d}" for place in range(60)])
    page = Page(pages.columns_page(samples.monitor(), nights, ()))
    assert "No night has kept a profile" in page.text
    assert not [address for address in page.addresses if "profile.json" in address]


def test_what_the_champion_relies_on_comes_first_where_nothing_drifted() -> None:
    names = [f"feature_{place:03d}" for place in range(60)]
    nights = [night.model_copy(update={"drifted": ()}) for night in past(3, columns=names)]
    html = pages.columns_page(samples.monitor(), nights, profiles.of_nights(nights, names), {"feature_059": 1.0})
    assert re.findall(r'<h2 id="c-[0-9a-f]+-name"><bdi>([^<]+)', html.decode())[:2] == ["feature_059", "feature_000"]


def test_the_night_links_each_of_its_columns_and_the_monitor_the_page() -> None:
    view = drifted_night()
    addresses = Page(pages.night_page(view)).addresses
    for column in view.drift.columns:
        assert addresses.count(f"../columns.html#{anchor(column.name)}") == 1 + column.drifted
    kept = profiles.of_nights(all_nights())
    assert {anchor(item.name) for item in view.drift.columns} <= set(
        Page(pages.columns_page(samples.monitor(), all_nights(), kept)).identifiers
    )
    assert "columns.html" in Page(pages.monitor_page(samples.monitor(), all_nights())).addresses
