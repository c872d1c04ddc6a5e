"""What holds for every page: one file that asks for nothing, does nothing by itself, and can be read."""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import urldefrag

import pytest

from pipeline.publish import pages
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.incident_story import IncidentView
from pipeline.publish.facts.incidents import incidents_of, page_of, standing_of
from pipeline.publish.gauges import night as gauges
from pipeline.publish.templates import folder
from tests.publish import samples
from tests.publish.nights import past
from tests.publish.pages.samples import MEGABYTE, PAGES, all_nights, drifted_night
from tests.publish.reading import Page, read_gauges

RESULTS = ("snapshots", "quality", "drift", "profile", "performance", "decision")


@pytest.fixture(params=sorted(PAGES))
def made(request: pytest.FixtureRequest) -> bytes:
    return PAGES[request.param]()


def test_equal_results_give_equal_bytes() -> None:
    for build in PAGES.values():
        assert build() == build()


def test_a_page_is_one_file_that_asks_for_nothing(made: bytes) -> None:
    page = Page(made)
    assert not {"img", "iframe", "object", "embed", "form", "base", "audio", "video"} & set(page.tags)
    assert not [address for address in page.addresses if re.match(r"[a-z]+:|//", address) and address != "data:,"]
    assert b"url(" not in made
    assert b"@import" not in made
    assert len(made) < MEGABYTE


def test_the_policy_forbids_everything_but_the_pages_own_style_and_script(made: bytes) -> None:
    policy = re.search(rb'http-equiv="Content-Security-Policy" content="([^"]+)"', made)
    assert policy is not None
    said = policy.group(1).decode().replace("&#39;", "'")
    assert said.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in said
    assert "*" not in said
    assert ("script-src" in said) == (b"<script>" in made)


def test_nothing_needs_what_the_policy_forbids(made: bytes) -> None:
    page = Page(made)
    assert page.styles == 0
    assert page.handlers == []
    assert page.tags.count("style") == 1
    assert page.tags.count("script") <= 1


def test_identifiers_and_headings_are_in_order(made: bytes) -> None:
    page = Page(made)
    assert len(page.identifiers) == len(set(page.identifiers))
    assert page.tags.count("h1") == 1
    headings = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert headings[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(headings))


def test_the_files_a_page_links_to_are_the_ones_that_are_published(tmp_path: Path) -> None:
    nights = all_nights()
    published = {"index.html", "churn/index.html", "churn/columns.html"}
    names = ("index.html", "drift_report.html", *(f"{name}.json" for name in RESULTS))
    published |= {f"churn/{night.run_date}/{name}" for night in nights for name in names}
    incidents = incidents_of(nights)
    told_of = {
        f"churn/{page_of(one.first)}": pages.incident_page(IncidentView(samples.monitor(), one)) for one in incidents
    }
    published |= told_of.keys() | {key.replace("index.html", pages.POST_MORTEM) for key in told_of}
    written = {
        "index.html": pages.fleet_page([Watched(samples.monitor(), nights)]),
        "churn/index.html": pages.monitor_page(samples.monitor(), nights),
        "churn/columns.html": PAGES["columns"](),
        "churn/2026-01-14/index.html": pages.night_page(
            dataclasses.replace(drifted_night(), incident=standing_of(nights, samples.RUN_DATE))
        ),
        **told_of,
    }
    for key, html in written.items():
        for address in Page(html).addresses:
            if address.startswith(("#", "data:")):
                continue
            target = (tmp_path / key).parent / urldefrag(address).url
            assert str(target.resolve().relative_to(tmp_path.resolve())) in published, (key, address)


def test_hostile_text_adds_no_element_and_no_address() -> None:
    kinds = (
        ("", "drifted"),
        ("-monitor", "monitor"),
        ("-fleet", "fleet"),
        ("-columns", "columns"),
        ("-incident", "incident"),
        ("-audit", "audit"),
    )
    for hostile, plain in ((f"hostile{kind}", plain) for kind, plain in kinds):
        bad, good = Page(PAGES[hostile]()), Page(PAGES[plain]())
        assert set(bad.tags) <= set(good.tags) | {"code"}, hostile
        assert not [address for address in bad.addresses if "script" in address]
        assert "</script><script>alert(1)</script>" in bad.text
    assert "{{ 7 * 7 }}" in Page(PAGES["hostile"]()).text


def test_a_night_of_a_monitor_that_has_history_of_another_shape_is_rendered() -> None:
    bare = tuple(night.model_copy(update={"strengths": {}, "performance": {}, "drifted": ()}) for night in past(4))
    assert pages.night_page(dataclasses.replace(drifted_night(), history=bare))
    assert pages.monitor_page(samples.monitor(), bare)


def test_a_held_night_names_the_reason_everywhere() -> None:
    decision = samples.decision().model_copy(update={"retrain": False, "hold": "cooldown"})
    view = dataclasses.replace(samples.view(), decision=decision)
    assert view.subject.endswith("retraining held: cooldown")
    assert "Retraining held: cooldown" in Page(pages.night_page(view)).text
    held = read_gauges(gauges.exposition(view))["retraining_held"]
    assert [labels["reason"] for labels, value in held if value] == ["cooldown"]
    assert len(held) == 7
    monitor = Page(pages.monitor_page(samples.monitor(), [view.tonight])).text
    assert "held: cooldown" in monitor
    assert "retraining held: cooldown" in Page(pages.fleet_page([Watched(samples.monitor(), [view.tonight])])).text


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_has_the_contrast_that_wcag_aa_asks_for(scheme: int) -> None:
    colors = _palettes()[scheme]
    for ground in ("paper", "sheet", "wash"):
        for ink in ("ink", "soft", "accent", "healthy", "drifted", "degraded", "broken", "absent"):
            assert _contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)
    for step in ("h0", "h1", "h2", "c3", "c4"):  # of a confusion matrix, with numbers on them
        assert _contrast(colors["ink"], colors[step]) >= 4.5, step
    for mark in ("h3", "h4", "h5", "accent", "guess"):
        assert _contrast(colors[mark], colors["paper"]) >= 3.0, mark


def test_no_text_is_made_fainter_than_its_colour() -> None:
    style = (folder() / "page.css.j2").read_text(encoding="utf-8")
    faint = [selector for selector, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", style) if "opacity: 0" in rules]
    assert faint
    assert all(re.match(r"\s*\.(chart|plot|spark|interval|versus)\b", selector) for selector in faint)


def _palettes() -> list[dict[str, str]]:
    style = (folder() / "page.css.j2").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


def _contrast(one: str, other: str) -> float:
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    channels = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
