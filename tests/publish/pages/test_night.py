"""The pages of a night, a monitor and the fleet: what they say, what data can do to them, how a browser shows them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.publish import pages
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.night import NightView, PastNight
from pipeline.publish.templates import folder
from pipeline.results import Decision, DriftResult, ExpectationOutcome, PinnedObject, QualityResult, Shape, Snapshot
from tests.publish import samples
from tests.publish.gauges.test_gauges import HOSTILE
from tests.publish.nights import past

MEGABYTE = 1_000_000


class Page(HTMLParser):
    """A page's elements, addresses, text and identifiers."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.identifiers: list[str] = []
        self.handlers: list[str] = []
        self.styles = 0
        self._text: list[str] = []
        self._silent = 0
        self.feed(html.decode())
        self.close()

    @property
    def text(self) -> str:
        """What a reader without style and script finds."""
        return re.sub(r"\s+", " ", "".join(self._text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._silent += tag in ("style", "script")
        for name, value in attrs:
            self.handlers += [name] * name.startswith("on")
            self.styles += name == "style"
            if name in ("href", "src", "action", "data", "xlink:href"):
                self.addresses.append(value or "")
            if name == "id":
                self.identifiers.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._text.append(data)


def drifted_night() -> NightView:
    return dataclasses.replace(samples.view(), history=past())


def broken_night() -> NightView:
    return dataclasses.replace(
        drifted_night(),
        quality=samples.quality(True),
        decision=samples.decision(failed=True),
        drift=samples.drift(not_evaluable=2),
        performance=samples.performance(measured=False),
    )


def first_night() -> NightView:
    drift = samples.drift(drifted=0)
    return dataclasses.replace(samples.view(), drift=drift, decision=samples.decision(drifted=False))


def hostile_night(names: Sequence[str] = HOSTILE) -> NightView:
    """Every text that comes from data or from a file was chosen by somebody with care."""
    shape = Shape(categories=tuple(names), reference=(0.1,) * len(names), production=(0.2,) * len(names))
    columns = tuple(
        samples.column(0, True, name).model_copy(
            update={"reason": name, "flags": (name,), "shape": shape if place % 2 else samples.bars(True)}
        )
        for place, name in enumerate(names)
    )
    outcomes = tuple(
        ExpectationOutcome(
            expectation="e", column=name, severity="critical", passed=False, sentence=name, observed=name, notes=name
        )
        for name in names
    )
    objects = tuple(PinnedObject(uri=name, size=1, sha256="0" * 64, rows=1, modified=name) for name in names)
    snapshot = Snapshot(uri=names[0], objects=objects, fields=(), rows=len(names))
    strengths = dict.fromkeys(names, 1.5)
    history = tuple(night.model_copy(update={"strengths": strengths, "drifted": tuple(names)}) for night in past(5))
    return dataclasses.replace(
        samples.view(),
        monitor=samples.monitor().model_copy(update={"description": names[0], "owner": names[0]}),
        pair=samples.pair().model_copy(update={"production": snapshot}),
        drift=DriftResult(snapshots="", drift_share=1.0, limit=0.3, drifted=True, columns=columns),
        quality=QualityResult(snapshots="", suite="churn", passed=False, outcomes=outcomes),
        decision=Decision(snapshots="", status="drifted", retrain=False, reason=names[0]),
        history=history,
    )


def all_nights() -> tuple[PastNight, ...]:
    return (*past(75), drifted_night().tonight)


def fleet(monitors: int = 12) -> list[Watched]:
    """Monitors of every state; every fifth is healthy, broken, late by a night, not run since long, or never run."""
    made: list[Watched] = []
    quiet = calm()
    for place in range(monitors):
        nights: Sequence[PastNight] = {
            0: quiet,
            1: (*quiet[:-1], quiet[-1].model_copy(update={"status": "data_broken", "critical_failures": 1})),
            2: quiet[:-1],
            3: quiet[:-5],
            4: (),
            5: all_nights()[-30:],
        }[place % 6]
        made.append(Watched(samples.monitor(f"monitor-{place:03d}"), nights))
    return made


def calm() -> tuple[PastNight, ...]:
    same = {"status": "healthy", "drift_share": 0.05, "retrain": False, "drifted": (), "critical_failures": 0}
    nights = (*past(30), drifted_night().tonight)
    return tuple(night.model_copy(update=same) for night in nights)


PAGES: dict[str, Callable[[], bytes]] = {
    "drifted": lambda: pages.night_page(drifted_night()),
    "broken": lambda: pages.night_page(broken_night()),
    "first": lambda: pages.night_page(first_night()),
    "hostile": lambda: pages.night_page(hostile_night()),
    "monitor": lambda: pages.monitor_page(samples.monitor(), all_nights()),
    "hostile-monitor": lambda: pages.monitor_page(hostile_night().monitor, hostile_night().history),
    "empty-monitor": lambda: pages.monitor_page(samples.monitor(), ()),
    "fleet": lambda: pages.fleet_page(fleet(), {"pricing": "monitors/pricing.yaml:3: schedule: found 'x'"}),
    "hostile-fleet": lambda: pages.fleet_page([Watched(hostile_night().monitor, past())], {HOSTILE[0]: HOSTILE[0]}),
    "empty-fleet": lambda: pages.fleet_page([]),
}


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


def test_the_verdict_comes_first_and_without_a_script() -> None:
    page = Page(pages.night_page(drifted_night()))
    assert "script" not in page.tags
    order = [
        "Drifted: 9 of 18 columns (50%)",
        "Retraining requested",
        "over the limit of 30%",
        "What happens next",
        "Drift share against the limit",
        "Drifted columns",
        "Data quality",
        "age has a mean of between 38 and 47",
        "Model performance",
        "Volume and freshness",
        "What was compared",
        "All columns",
        "Read on",
    ]
    places = [page.text.index(said) for said in order]
    assert places == sorted(places)


def failed_with(**said: object) -> NightView:
    outcome = ExpectationOutcome.model_validate(
        {"expectation": "e", "column": "age", "severity": "warning", "passed": False, "sentence": "age is low", **said}
    )
    result = QualityResult(snapshots="", suite="churn", passed=True, outcomes=(outcome,) * 3)
    return dataclasses.replace(drifted_night(), quality=result)


def test_a_failure_says_what_was_expected_in_how_many_rows_for_example_and_who_says_so() -> None:
    night = failed_with(
        expected="18 to 94 in all but 1% of the rows",
        unexpected_share=0.03,
        unexpected_rows=1_220,
        examples=("95", "<script>alert(1)</script>"),
        check="out_of_range",
        engine="duckdb",
        notes="Agreed with <b>sales</b>.",
    )
    html = pages.night_page(night)
    assert b"<script>alert" not in html
    text = Page(html).text
    assert "age is low: not so in 3% of the rows." in text
    assert "Agreed with <b>sales</b>." in text
    assert "Expected: 18 to 94 in all but 1% of the rows. 1,220 rows, such as 95, <script>alert(1)</script>" in text
    assert "Built-in check out_of_range, by DuckDB." in text


def test_what_the_sentence_says_is_not_said_again() -> None:
    night = failed_with(sentence="age lies between 18 and 94", expected="between 18 and 94", engine="pandas")
    text = Page(pages.night_page(night)).text
    assert "Expected:" not in text
    assert "From the suite, by pandas." in text


def test_many_failures_are_folded_after_the_first_twenty() -> None:
    one = failed_with().quality.outcomes[0]
    many = QualityResult(snapshots="", suite="churn", passed=True, outcomes=(one,) * 57)
    html = pages.night_page(dataclasses.replace(drifted_night(), quality=many)).decode()
    before, after = html.split("<summary>37 more that failed</summary>")
    assert (before.count("age is low"), after.count("age is low")) == (20, 37)


def test_broken_data_is_explained_before_the_drift_it_spoils() -> None:
    text = Page(pages.night_page(broken_night())).text
    assert text.index("Data quality") < text.index("Drifted columns")
    assert "Nothing is retrained" in text
    assert "python -m pipeline run churn --date 2026-01-14" in text
    assert "not evaluable" in text
    assert "all 3,412 values are missing in production" in text


def test_columns_come_with_reason_score_threshold_and_shape() -> None:
    html = pages.night_page(drifted_night()).decode()
    article = html.split("<article", 2)[1]
    assert "support_tickets_90d" in article
    assert "The mean moved up by 1.4 reference standard deviations" in article
    assert "wasserstein 0.618, threshold 0.1" in article
    assert (
        'role="img" aria-label="Reference: most values from 30 to 55; production: most values from 45 to 70"' in article
    )
    assert "31% to 14%" in html


def test_every_digest_and_method_of_the_comparison_is_there() -> None:
    view = drifted_night()
    text = Page(pages.night_page(view)).text
    for snapshot in (view.pair.reference, view.pair.production, view.pair.labels, view.pair.labelled):
        assert snapshot is not None
        assert snapshot.digest in text
        assert snapshot.uri in text
    assert "wasserstein on 10 columns, threshold 0.1: a score above it is drift" in text
    assert "ks on 2 columns, threshold 0.05: a p-value below it is drift" in text


def test_neighbouring_nights_are_linked() -> None:
    view = dataclasses.replace(drifted_night(), history=(*past(), *past(1, samples.RUN_DATE + timedelta(days=3))))
    addresses = Page(pages.night_page(view)).addresses
    assert "../2026-01-13/index.html" in addresses
    assert "../2026-01-16/index.html" in addresses


def test_the_files_a_page_links_to_are_the_ones_that_are_published(tmp_path: Path) -> None:
    nights = all_nights()
    published = {"index.html", "churn/index.html"}
    names = ("index.html", "drift_report.html", *(f"{name}.json" for name in RESULTS))
    published |= {f"churn/{night.run_date}/{name}" for night in nights for name in names}
    written = {
        "index.html": pages.fleet_page([Watched(samples.monitor(), nights)]),
        "churn/index.html": pages.monitor_page(samples.monitor(), nights),
        "churn/2026-01-14/index.html": pages.night_page(drifted_night()),
    }
    for key, html in written.items():
        for address in Page(html).addresses:
            if address.startswith(("#", "data:")):
                continue
            target = (tmp_path / key).parent / address
            assert str(target.resolve().relative_to(tmp_path.resolve())) in published, (key, address)


RESULTS = ("snapshots", "quality", "drift", "performance", "decision")


def test_hostile_text_adds_no_element_and_no_address() -> None:
    for hostile, plain in (("hostile", "drifted"), ("hostile-monitor", "monitor"), ("hostile-fleet", "fleet")):
        bad, good = Page(PAGES[hostile]()), Page(PAGES[plain]())
        assert set(bad.tags) <= set(good.tags) | {"code"}, hostile
        assert not [address for address in bad.addresses if "script" in address]
        assert "</script><script>alert(1)</script>" in bad.text
    assert "{{ 7 * 7 }}" in Page(PAGES["hostile"]()).text


def test_unpaired_surrogates_do_not_break_a_page() -> None:
    assert "\\ud800" in Page(pages.night_page(hostile_night(("\ud800",)))).text


@pytest.mark.parametrize("name", ["x" * 10_000, "<&\"'>" * 2_000])
def test_a_thousand_drifted_columns_with_long_names_stay_under_a_megabyte(name: str) -> None:
    view = hostile_night([name + str(place) for place in range(10)])
    columns = tuple(samples.column(place * 2, True, name + str(place)) for place in range(1_000))
    drift = DriftResult(snapshots="", drift_share=1.0, limit=0.3, drifted=True, columns=columns)
    html = pages.night_page(dataclasses.replace(view, drift=drift))
    assert len(html) < MEGABYTE
    assert "970 more drifted columns are in the table" in Page(html).text


def test_a_year_of_a_thousand_columns_stays_under_a_megabyte() -> None:
    nights = past(365, columns=[f"feature_{place:04d}" for place in range(1_000)])
    html = pages.monitor_page(samples.monitor(), nights)
    assert len(html) < MEGABYTE
    assert "970 of 1,000 columns, which drifted less, are not shown" in Page(html).text


def test_a_night_of_a_monitor_that_has_history_of_another_shape_is_rendered() -> None:
    bare = tuple(night.model_copy(update={"strengths": {}, "performance": {}, "drifted": ()}) for night in past(4))
    assert pages.night_page(dataclasses.replace(drifted_night(), history=bare))
    assert pages.monitor_page(samples.monitor(), bare)


def test_the_monitor_page_tells_history_heat_map_and_retraining() -> None:
    page = Page(pages.monitor_page(samples.monitor(), all_nights()))
    assert "Drifted: 9 of 18 columns (50%), retraining requested" in page.text
    assert re.search(r"drifted since 2026-01-1\d", page.text)
    assert page.tags.count("td") > 18 * 60
    assert "1 day has no night" in page.text
    assert "2026-01-03/index.html" in page.addresses


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_has_the_contrast_that_wcag_aa_asks_for(scheme: int) -> None:
    colors = _palettes()[scheme]
    for ground in ("paper", "sheet", "wash"):
        for ink in ("ink", "soft", "accent", "healthy", "drifted", "broken", "absent"):
            assert _contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)
    for mark in ("h3", "h4", "h5", "accent"):
        assert _contrast(colors[mark], colors["paper"]) >= 3.0, mark


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
