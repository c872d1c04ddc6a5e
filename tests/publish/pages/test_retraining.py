"""The page of a retraining."""

from __future__ import annotations

import pytest

from pipeline.publish.facts.retraining import remember
from pipeline.publish.pages import retraining_page
from pipeline.results import RetrainResult, RetrainStatus, TrainingCost
from tests.publish import samples
from tests.publish.reading import Page
from tests.publish.retrainings import COMMANDS, STATUSES, WITH_A_MODEL, evaluation, hostile, retraining


def page(result: RetrainResult) -> Page:
    return Page(retraining_page(samples.monitor(), result))


@pytest.mark.parametrize("status", STATUSES)
def test_every_outcome_has_a_page_with_verdict_reason_and_next_step(status: RetrainStatus) -> None:
    result = retraining(status)
    found = page(result)
    assert result.verdict[1:] in found.text
    assert result.reason in found.text
    assert found.text.index(result.verdict[1:]) < found.text.index("What happens next")
    assert (COMMANDS[status] or "Nothing to do") in found.text
    assert ("Champion against challenger" in found.text) == (status in WITH_A_MODEL)
    assert "script" not in found.tags


def test_intervals_are_drawn_around_zero_and_said_in_words() -> None:
    html = retraining_page(samples.monitor(), retraining()).decode()
    assert html.count('class="interval better"') + html.count('class="interval worse"') > 0
    assert html.count('<svg class="interval') == 7 + 6
    assert "+0.032" in html
    assert "+0.010 to +0.054" in html
    assert "within the noise" in html


def test_a_segment_that_falls_comes_first_and_is_named() -> None:
    text = page(retraining("rejected")).text
    assert "falls too far" in text
    assert text.index("plan = basic 3,120 rows, falls too far") < text.index("country = DE")
    assert "too few rows to judge" in text


def test_a_first_model_is_shown_without_a_champion() -> None:
    result = retraining().model_copy(update={"evaluation": evaluation(against="nobody")})
    assert "Champion against challenger" not in page(result).text
    assert remember(result).figures == "ROC AUC 0.812"


def test_the_data_and_where_the_model_comes_from_are_whole() -> None:
    result = retraining()
    assert result.lineage is not None
    text = page(result).text
    for fact in (
        "49,321 rows",
        "6,836 rows",
        "1,204 rows left out",
        "2 nights: 2026-01-13 to 2026-01-14",
        "10 nights: 2025-12-22 to 2025-12-31",
        "models:/churn/3",
    ):
        assert fact in text, fact
    for fact in (result.lineage.training_sha256, result.lineage.training_uri, result.lineage.run_id, "1.4.0 (a5c6f9f)"):
        assert fact in text, fact


def test_what_a_person_did_since_is_not_asked_for_again() -> None:
    result = retraining("proposed")
    moved = result.model_copy(update={"since": "promoted by hand"})
    assert "pipeline promote" not in page(moved).text
    assert remember(moved).promoted
    assert remember(moved).headline == "proposes version 3, promoted by hand since"


def test_hostile_text_adds_no_element_and_no_address() -> None:
    found = page(hostile())
    assert "script" not in found.tags
    assert set(found.addresses) == {*page(retraining("rejected")).addresses}
    assert not found.handlers


def test_the_features_are_listed_with_what_the_model_relies_on_and_the_work_that_was_expected() -> None:
    result = retraining()
    assert result.lineage is not None
    lineage = result.lineage.model_copy(update={"importances": {"<age>": 0.03, "income": 0.01, "city": 0.0}})
    cost = TrainingCost(words="3 trainings on 800 rows and 3 features", rows=800, features=3)
    text = page(result.model_copy(update={"lineage": lineage, "cost": cost})).text
    assert "3 features, by how far its answers move" in text
    places = [text.index(words) for words in ("<age>75%", "income25%", "city0%")]
    assert places == sorted(places)
    assert "Work3 trainings on 800 rows and 3 features" in text
    many = lineage.model_copy(update={"importances": {f"f{place}": 1.0 for place in range(130)}})
    assert "30 more features are in retrain.json" in page(result.model_copy(update={"lineage": many})).text


def test_every_metric_says_which_way_it_points_but_those_where_more_is_better() -> None:
    metrics = tuple(
        item.model_copy(update={"name": name, "better": better})
        for item, name, better in zip(
            evaluation().metrics, ("r2", "root_mean_squared_error", "mean_error"), ("higher", "lower", "near_zero"),
            strict=False,
        )
    )  # fmt: skip
    judged = evaluation().model_copy(update={"metrics": metrics, "main_metric": "mean_absolute_error"})
    text = Page(retraining_page(samples.monitor(), retraining().model_copy(update={"evaluation": judged}))).text
    assert "root mean squared error lower is better" in text
    assert "mean error near 0 is better" in text
    assert "R2 lower" not in text
    assert "R2 near" not in text
