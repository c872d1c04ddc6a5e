"""What the fleet's page says of retrainings and of stale data."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from pipeline.publish import pages
from pipeline.publish.fleet import Watched
from pipeline.publish.outcome import PastRetraining, remember
from pipeline.publish.view import PastNight
from pipeline.results import RetrainStatus
from tests.publish import samples
from tests.publish.retrainings import retraining
from tests.publish.test_pages import Page, drifted_night, first_night


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


def test_stale_data_needs_somebody() -> None:
    page = fleet_row(dataclasses.replace(first_night(), quality=samples.stale()).tonight)
    assert "1 stale data" in page.text
    assert "1 needs attention" in page.text
