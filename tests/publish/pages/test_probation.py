"""A new champion on probation and a challenger in the shadow, on the pages of nights, monitors and the fleet."""

from __future__ import annotations

import dataclasses
import re

import pytest

from pipeline.publish import pages
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.history import PastNight
from pipeline.results import Done
from tests.publish import performances, probations, samples
from tests.publish.reading import Page


def text_of(name: str) -> str:
    return Page(pages.night_page(probations.VIEWS[f"probation-{name}"])).text


@pytest.mark.parametrize(
    ("done", "said"),
    [
        ("watching", "Nothing is decided yet; both answer until 2026-01-17"),
        ("kept", "Version 3 stays the champion."),
        ("rolled_back", "Rolled back: version 2 is the champion again."),
        (
            "proposed",
            "is worse, and stays the champion until a person decides. ml-team@example.com goes back to version 2",
        ),
        ("not_possible", "cannot be compared: churn version 2: its files are gone"),
    ],
)
def test_the_box_says_what_was_done(done: Done, said: str) -> None:
    text = text_of(done)
    assert said in text
    assert text.index("New champion on probation") < text.index("Model performance")


def test_the_box_has_both_versions_what_both_answered_and_what_was_left_out() -> None:
    text = text_of("watching")
    assert (
        "Version 3 beside version 2, the champion before it: both answer the rows of the nights from 2026-01-11" in text
    )
    assert "Both answered 13,648 rows of 4 nights, with the same prediction for 94.3%." in text
    assert re.search(r"ROC AUChigher is better ?0\.810 ?0\.812", text)
    assert re.search(r"Log lossof a row in the mean, lower is better; decides ?0\.363 ?0\.352", text)
    assert "In the mean +0.011 a row; with 95% between -0.024 and +0.047, however often one looks." in text
    assert "2026-01-11: left out, its production fails the suite." in text


def test_the_first_screen_says_what_a_person_is_asked_and_what_was_undone() -> None:
    asked = text_of("proposed")
    assert asked.index("A person decides whether to roll version 3 back") < asked.index("ROC AUC")
    assert asked.index("python -m pipeline rollback churn --from 3") < asked.index("New champion on probation")
    assert "Nothing to do" not in asked
    assert "Champion rolled back to version 2" in text_of("rolled_back")
    degraded = text_of("degraded")
    assert "Retraining requested; champion rolled back to version 2" in degraded
    assert "Nightjar starts the retraining run" in degraded
    assert "Nothing to do" in text_of("watching")


def test_a_challenger_in_the_shadow_has_a_box_of_its_own() -> None:
    text = text_of("shadow")
    assert text.index("New champion on probation") < text.index("Challenger in the shadow")
    assert "it is for whoever decides whether version 4 is promoted" in text
    assert text.count("Both answered 3,412 rows of 1 night") == 0  # the sentence says it already


def test_the_first_champion_has_a_sentence_only() -> None:
    html = pages.night_page(probations.VIEWS["probation-alone"])
    assert "Version 1 is the first champion, so no other one can answer beside it." in Page(html).text
    assert b"chart versus" not in html


def test_a_night_without_one_has_no_box() -> None:
    assert "probation" not in Page(pages.night_page(performances.healthy_view())).text.lower()


def monitor_text(done: Done, ago: int = 0, promoted: bool = False) -> str:
    retrainings = [*performances.promotions(), *([probations.undone(ago)] if done == "rolled_back" else [])]
    retrainings = retrainings if promoted else retrainings[1:]
    return Page(pages.monitor_page(samples.monitor(), probations.nights(done, ago), retrainings)).text


def test_the_monitor_says_how_the_probation_goes_or_what_became_of_it() -> None:
    assert "Version 3 is on probation until 2026-01-17, against version 2." in monitor_text("watching")
    assert "Version 3 has stood its probation against version 2." in monitor_text("kept", ago=6)
    assert "Version 3 was worse in its probation, and was rolled back to version 2 on 2026-01-08." in monitor_text(
        "rolled_back", ago=6
    )
    assert "a person decides whether to roll back" in monitor_text("proposed")


def test_a_probation_that_ended_without_a_word_or_before_a_promotion_is_not_told() -> None:
    assert "on probation until" not in monitor_text("watching", ago=6)
    later = performances.promotions()[0].model_copy(update={"run_date": samples.RUN_DATE})
    nights = probations.nights("rolled_back", ago=6)
    assert "in its probation, and was" not in Page(pages.monitor_page(samples.monitor(), nights, [later])).text


def test_a_rollback_has_a_mark_of_its_own_beside_the_promotion() -> None:
    nights, undone = probations.nights(ago=6), probations.undone(6)
    html = pages.monitor_page(samples.monitor(), nights, [undone]).decode()
    charts = html.count('<svg class="chart"')
    assert charts > 2
    metrics = html.count('class="plot')
    assert html.count('<line class="rollback"') == html.count('<line class="promotion"') == metrics
    assert 'Rolled back on <a href="2026-01-08/index.html#probation">2026-01-08</a>' in html
    assert '<svg class="mark undone"' in html
    text = Page(html).text
    assert "1 retraining was promoted (line, filled diamond)" in text
    assert "1 was rolled back in its probation (dashed line, arrow)" in text
    assert "2026-01-08: ROC AUC" in text
    assert "Version 3 was worse in its probation: rolled back to version 2" in text
    assert "No retrained version was promoted" not in text


def fleet_row(night: PastNight, answered: bool = False) -> tuple[str, str]:
    retrainings = [probations.undone().model_copy(update={"since": "rolled back"})] if answered else []
    html = pages.fleet_page([Watched(samples.monitor(), [night], retrainings)]).decode()
    return Page(html).text, html


def test_the_fleet_needs_somebody_where_a_rollback_is_asked_for_and_tells_one_that_was_done() -> None:
    text, html = fleet_row(probations.nights("proposed")[-1])
    assert "1 monitor, 1 needs attention" in text
    assert "version 3 is worse than version 2 in its probation: a person decides whether to roll back" in text
    assert 'href="churn/2026-01-14/index.html#probation"' in html
    done, _ = fleet_row(probations.nights("rolled_back")[-1])
    assert "1 monitor, none needs attention" in done
    assert "version 3 was worse in its probation: rolled back to version 2" in done
    answered, _ = fleet_row(probations.nights("proposed")[-1], answered=True)
    assert "1 monitor, none needs attention" in answered
    assert "a person decides" not in answered


def test_hostile_text_adds_no_element() -> None:
    bad = Page(pages.night_page(probations.hostile()))
    good = Page(pages.night_page(probations.VIEWS["probation-proposed"]))
    assert set(bad.tags) <= set(good.tags)
    assert "</script><script>alert(1)</script>" in bad.text


def test_what_is_wrong_is_said_to_be_new_or_since_when() -> None:
    view = performances.degraded_view()
    assert "Degraded since 2026-01-04, for 10 nights." in Page(pages.night_page(view)).text
    calm = dataclasses.replace(view, history=performances.healthy_view().history[-1:])
    assert "New on this night; drifted on 2026-01-13." in Page(pages.night_page(calm)).text
    assert "New on this night" not in Page(pages.night_page(performances.healthy_view())).text
