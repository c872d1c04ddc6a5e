"""Since when something fails or drifts, and how pages and mails say it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from pipeline.publish.facts.failing import Since, column_since, expectation_since, grouped_words, key_of, part_since
from pipeline.publish.facts.history import FewRows, PastNight
from pipeline.publish.facts.night import NightView
from pipeline.publish.messages.chat import night_message
from pipeline.publish.pages import night_page
from pipeline.results import DriftResult, Failure, QualityResult
from tests.publish import samples
from tests.publish.messages.test_mail import built
from tests.publish.reading import Page, part

BROKEN = samples.quality(failed=True)
TENURE = next(item for item in BROKEN.failures if item.severity == "critical")
AGE = next(item for item in BROKEN.failures if item.severity == "warning")


def night(ago: int, **changes: Any) -> PastNight:
    """The sample's night, so many days ago, on which nothing failed or drifted."""
    quiet: dict[str, Any] = {"failing": (), "failures": 0, "drifted": ()}
    return samples.view().tonight.model_copy(update=quiet | {"run_date": samples.RUN_DATE - timedelta(ago), **changes})


def failing(ago: int) -> PastNight:
    return night(ago, failing=(key_of(TENURE),), failures=1)


def drifting(ago: int) -> PastNight:
    return night(ago, drifted=("age",))


def words(found: Since) -> str:
    return found.words()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([], ""),
        ([night(1)], ""),
        ([night(3), failing(2), failing(1)], "failing since 2026-01-12 (3 nights)"),
        ([failing(3), night(2), failing(1)], "failing since 2026-01-13 (2 nights)"),
        ([night(9), failing(5), failing(1)], "failing since 2026-01-09 (3 nights)"),
        ([failing(2), failing(1)], "failing since 2026-01-12 or longer (3 nights)"),
        ([night(3), failing(2), night(1, broken=("quality",))], "failing since 2026-01-12 (2 nights)"),
        ([failing(3), night(2, failures=2), failing(1)], "failing since 2026-01-11 or longer (3 nights)"),
    ],
)
def test_an_expectation_fails_since_the_first_of_the_nights_in_a_row(before: list[PastNight], expected: str) -> None:
    assert words(expectation_since([*before, failing(0)], TENURE)) == expected


def test_another_expectation_of_the_same_column_is_another_one() -> None:
    other = TENURE.model_copy(update={"sentence": "tenure_days lies between 0 and 9000"})
    assert words(expectation_since([night(2), failing(1), night(0, failing=(key_of(other),))], other)) == ""


def test_a_built_in_check_is_the_same_one_whatever_it_has_learnt_to_ask() -> None:
    checks = [
        TENURE.model_copy(update={"check": "range", "sentence": f"tenure_days lies between 0 and {most}"})
        for most in (6_000, 6_100)
    ]
    assert key_of(checks[0]) == key_of(checks[1])
    assert key_of(checks[0]) != key_of(checks[0].model_copy(update={"column": "age"}))


def test_what_a_night_found_never_makes_it_another_expectation() -> None:
    assert key_of(TENURE) == key_of(TENURE.model_copy(update={"observed": "7", "unexpected_share": 0.3}))


def test_a_column_drifts_through_nights_on_which_nobody_could_tell() -> None:
    few = night(2, few=FewRows(rows=24))
    missing = night(1, strengths={})
    found = column_since([night(4), drifting(3), few, missing, drifting(0)], "age")
    assert found.words("drifted") == "drifted since 2026-01-11 (2 nights)"
    assert column_since([drifting(2), night(1), drifting(0)], "age").words("drifted") == ""


def test_failures_are_grouped_by_since_when_they_fail() -> None:
    day = samples.RUN_DATE
    found = [Since(day - timedelta(2), 3), Since(day, 1), Since(day - timedelta(2), 3), Since(day - timedelta(1), 2)]
    assert grouped_words(found) == (
        "1 is new on this night, 1 failing since 2026-01-13 (2 nights), 2 failing since 2026-01-12 (3 nights)"
    )
    assert grouped_words([Since(day, 1), Since(day, 1)]) == ""


def view(*before: PastNight) -> NightView:
    return dataclasses.replace(samples.view(), quality=BROKEN, decision=samples.decision(failed=True), history=before)


def test_page_and_mail_name_the_value_first_and_say_since_when_it_fails() -> None:
    seen = view(night(3), failing(2), failing(1))
    page = Page(night_page(seen)).text
    assert "Of these, 1 is new on this night, 1 failing since 2026-01-12 (3 nights)." in page
    assert "Not so in 12.4% of the rows: tenure_days lies between 0 and 6000." in page
    assert "Failing since 2026-01-12 (3 nights)." in page
    assert "Found 55.9: age has a mean of between 38 and 47." in page
    text = part(built(seen), "plain")
    line = "critical: Not so in 12.4% of the rows: tenure_days lies between 0 and 6000"
    assert f"{line}; failing since 2026-01-12 (3 nights)\n" in text
    html = Page(part(built(seen), "html")).text
    assert "Not so in 12.4% of the rows" in html
    assert "failing since 2026-01-12 (3 nights)" in html
    assert "not so in 12.4% of the rows: tenure_days" in night_message(seen).body
    assert "failing since" not in part(built(view()), "plain") + Page(night_page(view())).text


def test_new_failures_come_before_old_ones_of_the_same_severity_and_critical_ones_before_all() -> None:
    other = AGE.model_copy(update={"column": "plan", "sentence": "plan is one of 3 values"})
    outcomes = (AGE, other, TENURE)
    quality = QualityResult(snapshots="", suite="churn", passed=False, outcomes=outcomes)
    old = night(1, failing=(key_of(AGE), key_of(TENURE)), failures=2)
    seen = dataclasses.replace(view(night(2), old), quality=quality)
    page = Page(night_page(seen)).text
    places = [page.index(said) for said in ("tenure_days lies", "plan is one of", "age has a mean of")]
    assert places == sorted(places)


def test_a_column_says_since_when_it_drifted_and_a_measurement_since_when_it_breaks() -> None:
    drifted = tuple(item.name for item in samples.drift().drifted_columns)
    seen = dataclasses.replace(samples.view(), history=(night(2), night(1, drifted=drifted)))
    assert Page(night_page(seen)).text.count("rifted since 2026-01-13 (2 nights)") == len(drifted)
    assert "drifted since 2026-01-13 (2 nights)" in part(built(seen), "plain")
    failure = Failure.model_validate(
        {"part": "drift", "error": "KeyError in checks/drift/measure.py:31", "exit_code": 1}
    )
    broken = DriftResult(snapshots="", drift_share=0.0, limit=0.3, drifted=False, columns=(), failure=failure)
    again = dataclasses.replace(seen, drift=broken, history=(night(2), night(1, broken=("drift",))))
    assert "Drift could not be measured, failing since 2026-01-13 (2 nights)." in Page(night_page(again)).text
    assert words(part_since([night(1), night(0, broken=("drift",))], "drift")) == ""
