"""What the fleet's page says: who is on top, who is late, what was retrained, which data is stale."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta

from pipeline.publish import pages
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.retraining import PastRetraining, remember
from pipeline.results import RetrainStatus
from tests.publish import samples
from tests.publish.pages.samples import MEGABYTE, calm, drifted_night, first_night, fleet
from tests.publish.performances import VIEWS
from tests.publish.reading import Page
from tests.publish.retrainings import retraining


def fleet_row(night: PastNight, *retrainings: PastRetraining) -> Page:
    """The fleet's page of one monitor."""
    return Page(pages.fleet_page([Watched(samples.monitor(), [night], retrainings)]))


def test_the_fleet_tells_what_came_of_a_retraining_and_leads_to_it() -> None:
    night = drifted_night().tonight
    assert "retraining requested" in fleet_row(night).text
    attention: dict[RetrainStatus, str] = {
        "promoted": "none needs attention",
        "rejected": "none needs attention",
        "failed": "1 needs attention",
        "no_labels": "1 needs attention",
        "proposed": "1 needs attention",
    }
    for status, words in attention.items():
        outcome = remember(retraining(status))
        page = fleet_row(night, outcome)
        assert f"Drifted: 9 of 18 columns (50%), retraining {outcome.headline}" in page.text
        assert words in page.text
        assert "churn/retraining/2026-01-14/index.html" in page.addresses
    old = remember(retraining("promoted", samples.RUN_DATE - timedelta(days=1)))
    assert "retraining requested" in fleet_row(night, old).text


def test_a_retraining_after_the_newest_night_is_told_with_its_date() -> None:
    held = drifted_night().tonight.model_copy(update={"retrain": False, "hold": "cooldown"})
    by_hand = remember(retraining("promoted", samples.RUN_DATE + timedelta(days=1)))
    page = fleet_row(held, by_hand)
    assert "retraining held: cooldown, retraining promoted version 3 on 2026-01-15" in page.text
    assert "none needs attention" in page.text


def test_a_degraded_model_needs_somebody_unless_a_retraining_starts_or_was_promoted() -> None:
    night = VIEWS["degraded"].tonight
    assert "none needs attention" in fleet_row(night).text
    assert "1 needs attention" in fleet_row(night.model_copy(update={"starts": False})).text
    held = VIEWS["degraded-drifted"].tonight
    assert "1 needs attention" in fleet_row(held).text
    assert "none needs attention" in fleet_row(held, remember(retraining("promoted"))).text
    assert "1 needs attention" in fleet_row(night, remember(retraining("proposed"))).text


def test_a_degraded_model_stands_above_a_drifted_one_that_waits() -> None:
    held = drifted_night().tonight.model_copy(update={"retrain": False, "hold": "cooldown"})
    watched = [
        Watched(samples.monitor("a-drifted"), [held]),
        Watched(samples.monitor("z-degraded"), [VIEWS["degraded-drifted"].tonight]),
    ]
    text = Page(pages.fleet_page(watched)).text
    assert text.index("z-degraded") < text.index("a-drifted")


def test_stale_data_needs_somebody() -> None:
    page = fleet_row(dataclasses.replace(first_night(), quality=samples.stale()).tonight)
    assert "1 stale data" in page.text
    assert "1 needs attention" in page.text


def test_those_that_need_attention_are_on_top_of_the_fleet() -> None:
    html = pages.fleet_page(fleet(6)).decode()
    assert "6 monitors, 3 need attention" in html
    rows = re.findall(r'data-state="(\w+)".*?href="(monitor-\d+)/', html)
    assert [state for state, _ in rows] == ["data_broken", "absent", "absent", "drifted", "healthy", "healthy"]
    text = Page(html.encode()).text
    assert "Not run since 2026-01-08" in text
    assert "Not run yet" in text
    assert "the newest night is not in yet" in text


def test_a_weekly_monitor_is_not_late_between_its_nights() -> None:
    weekly = samples.monitor("weekly").model_copy(update={"schedule": "0 2 * * 1"})
    nights = [night for night in calm() if night.run_date.weekday() == 6]  # the day that ended before a Monday
    html = pages.fleet_page([Watched(weekly, nights), *fleet(1)])
    assert "none needs attention" in html.decode()


def test_a_schedule_that_never_comes_again_does_not_break_the_fleet() -> None:
    never = samples.monitor("never").model_copy(update={"schedule": "0 0 30 2 *"})
    assert pages.fleet_page([Watched(never, calm()[:-9]), *fleet(1)])


def test_a_fleet_of_five_hundred_stays_under_a_megabyte() -> None:
    assert len(pages.fleet_page(fleet(500))) < MEGABYTE
