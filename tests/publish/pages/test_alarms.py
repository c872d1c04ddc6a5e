"""What the pages say of chance, and of nights with too few rows to tell."""

from __future__ import annotations

import dataclasses
import re

from pipeline.publish import pages
from pipeline.publish.facts.fleet import Watched
from pipeline.results import Comparison
from tests.publish import budgets, samples
from tests.publish.pages.samples import PAGES, drifted_night
from tests.publish.reading import Page


def night(name: str) -> str:
    return PAGES[f"night-{name}"]().decode()


def test_a_night_on_a_budget_says_how_rare_it_is_by_what_and_beside_what() -> None:
    text = Page(night("budget")).text
    part = text[text.index("How rare tonight is") : text.index("Drifted columns")]
    for said in (
        "On unchanged data this happens once in 4,000 nights.",
        "At most one false alarm in 365 quiet nights.",
        "What the reference and 28 past nights say.",
        "7 nights looked at together, 23,884 rows.",
        "9 columns drifted from the reference, which decides",
        "support_tickets_90d, discount_share",
        "No column drifted from the quiet nights of the last 28 days",
        "once in 3 nights",
    ):
        assert said in part
    assert "Retraining requested" in text
    assert "over the limit of 30%" in text


def test_every_column_has_its_score_what_is_usual_its_threshold_and_how_rare_it_is() -> None:
    html = night("budget")
    table = html[html.index('<table class="all">') :]
    head = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table.split("</thead>")[0])
    assert head[:7] == ["Column", "State", "Method", "Score", "Usual", "Threshold", "How rare"]
    row = next(line for line in table.splitlines() if "<bdi>age</bdi>" in line)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
    assert cells[:6] == ["drifted", "quantiles", "0.0998", "0.0516", "0.0832", "once in 7,000 nights"]
    assert '<span class="note narrow">once in 7,000 nights, usual to 0.0516</span>' in row
    assert '<rect class="usual" width="15.5%"/>' in cells[6]
    text = Page(html).text
    assert "quantiles 0.0998, threshold 0.0832, usual to 0.0516" in text
    assert "Once in 7,000 nights on unchanged data, 1.2 times its threshold" in text


def test_methods_of_a_budget_are_said_in_words_once_each() -> None:
    text = Page(night("budget")).text
    assert "quantiles on 10 columns: rows below each quantile of the reference" in text
    assert "missing values on 2 columns: rows without a value" in text
    assert "Shares: rows in each cell or category." in text
    only = budgets.drift().model_copy(update={"columns": (budgets.column(0, True),)})
    text = Page(pages.night_page(dataclasses.replace(budgets.budget_night(), drift=only))).text
    assert "Quantiles: rows below each quantile" in text
    assert "Shares:" not in text


def test_beside_fixed_thresholds_stands_how_often_they_are_passed_by_chance() -> None:
    html = night("by-chance")
    text = Page(html).text
    assert "By chance alone 2.6 of 18 columns pass their threshold on an unchanged night of 3,412 rows" in text
    table = html[html.index('<table class="all">') :]
    row = next(line for line in table.splitlines() if "<bdi>age</bdi>" in line)
    assert '<td class="n">0.1</td><td class="rare aside">once in 2 nights</td>' in row
    assert '<span class="note narrow">by chance: once in 2 nights</span>' in row
    assert "How rare" not in text
    assert "Usual" not in text


def test_a_night_of_which_nobody_knows_the_chance_says_nothing_of_it() -> None:
    html = pages.night_page(drifted_night()).decode()
    body = html[html.index("<body") :]
    for said in ("chance", "rare", "usual", "narrow"):
        assert said not in body.lower()


def test_too_few_rows_have_a_sign_of_their_own_and_no_share() -> None:
    html = night("few-rows")
    assert '<p class="state too_few_rows"><svg class="mark too_few_rows"' in html
    assert '<dd class="figure">not known</dd><dd>too few rows: 24 instead of at least 310</dd>' in html
    text = Page(html).text
    assert "Too few rows: 24 instead of at least 310" in text
    assert "Too few rows since 2026-01-13, for 2 nights." in text
    assert "Tonight there were too few rows to tell." in text
    assert "2 had too few rows to tell (ring)" in text
    assert "No column can be told from chance." in text
    assert "Why:" not in text
    assert "python -m pipeline" not in text


def test_a_monitor_marks_its_nights_with_too_few_rows() -> None:
    html = PAGES["few-monitor"]().decode()
    assert html.count('<svg class="sign too_few_rows"') == 2 * 4
    text = Page(html).text
    assert "4 had too few rows to tell (ring)" in text
    assert html.count('<td>Too few rows</td><td class="n">not known</td>') == 4


def test_on_the_fleet_too_few_rows_need_nobody_and_stand_above_calm() -> None:
    few, calm = budgets.few_night().tonight, budgets.chance_night().tonight.model_copy(update={"status": "healthy"})
    quiet = calm.model_copy(update={"failures": 0, "retrain": False})
    watched = [Watched(samples.monitor("a-calm"), [quiet]), Watched(samples.monitor("b-small"), [few])]
    page = Page(pages.fleet_page(watched))
    assert "none needs attention" in page.text
    assert "1 too few rows" in page.text
    assert page.text.index("b-small") < page.text.index("a-calm")


def test_what_a_night_was_held_against_is_text() -> None:
    hostile = Comparison(against="<script>alert(1)</script>", chance=0.5, drifted=("<b>x</b>",))
    told = budgets.alarms(comparisons=(hostile, hostile))
    html = pages.night_page(dataclasses.replace(budgets.budget_night(), drift=budgets.drift(told=told)))
    assert b"<script>alert" not in html
    assert b"<b>x</b>" not in html
