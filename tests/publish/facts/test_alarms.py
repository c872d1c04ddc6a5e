"""How rare a night is, in words: on a budget of alarms, and by chance past fixed thresholds."""

from __future__ import annotations

import dataclasses

import pytest

from pipeline.config.drift_policy import DriftPolicy
from pipeline.publish.facts.alarms import chance_line, chance_words, drifted_from, night_facts
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.words import score_words
from pipeline.results import Comparison
from tests.publish import budgets, samples

CALM = "On unchanged data this happens once in 360 nights (budget: one false alarm in 365)"


def test_what_just_keeps_the_budget_reads_as_if_it_did() -> None:
    assert chance_line(budgets.drift(0, budgets.alarms(1 / 364)), 3_412) == CALM
    assert "once in 365 nights" in chance_line(budgets.drift(told=budgets.alarms(1 / 365)), 3_412)


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([()], "no column drifted from"),
        ([("age",)], "1 column drifted from"),
        ([("age", "plan"), ()], "2 columns drifted from"),
    ],
)
def test_what_the_other_comparisons_found_is_told_and_what_the_first_found_is_not(
    others: list[tuple[str, ...]], words: str
) -> None:
    names = ("the last quiet night", "the last 8 quiet nights of the same weekday")
    others_told = [Comparison(against=names[place], chance=0.5, drifted=found) for place, found in enumerate(others)]
    first = Comparison(against="the reference", chance=1 / 364)
    line = chance_line(budgets.drift(0, budgets.alarms(1 / 364, comparisons=(first, *others_told))), 3_412)
    assert line == "; ".join([CALM, *map(drifted_from, others_told)])
    assert f"; {words} the last quiet night" in line
    assert "the reference" not in line


def test_a_night_in_which_nothing_could_be_compared_has_no_rarity() -> None:
    nothing = samples.drift(0, 0, not_evaluable=3).model_copy(update={"alarms": budgets.alarms(1.0)})
    assert chance_line(nothing, 3_412) == ""


def test_what_a_night_on_a_budget_was_judged_by() -> None:
    alone = budgets.alarms(comparisons=(Comparison(against=budgets.SINCE_LAST_MONTH, chance=1 / 4_023),), learning=True)
    assert night_facts(budgets.drift(told=alone), alone) == [
        ("Tonight", "on unchanged data this happens once in 4,000 nights"),
        ("Budget", "at most one false alarm in 365 quiet nights"),
        (
            "What is usual",
            "what the reference says: until a night of tonight's weekday is known, large changes alone are told",
        ),
        ("Rows", "tonight's 3,412 rows"),
        ("Held against", "the quiet nights of the last 28 days"),
    ]
    assert "; still learning what is usual, it tells large changes alone" in chance_line(budgets.drift(told=alone), 100)
    together = dict(night_facts(budgets.drift(), budgets.alarms(window=7, rows=168, nights=1)))
    assert together["Rows"] == "7 nights looked at together, 168 rows"
    assert together["What is usual"] == "what the reference and 1 past night say"


@pytest.mark.parametrize(
    ("chances", "line"),
    [
        ((None,) * 18, ""),
        ((0.002,) * 18, ""),
        ((0.003,) * 18, "By chance alone 0.054 of 18 columns pass their threshold on an unchanged night of 300 rows"),
        ((0.5,) * 4 + (None,) * 14, "By chance alone 2 of 4 columns pass their threshold on an unchanged night of 300"),
    ],
)
def test_how_many_columns_pass_fixed_thresholds_by_chance_is_told_from_a_twentieth_of_one_on(
    chances: tuple[float | None, ...], line: str
) -> None:
    found = samples.drift()
    columns = (item.model_copy(update={"chance": chance}) for item, chance in zip(found.columns, chances, strict=True))
    told = chance_line(found.model_copy(update={"columns": tuple(columns)}), 300)
    assert told.startswith(line)
    assert bool(told) == bool(line)


def test_a_column_says_how_often_chance_does_it() -> None:
    assert chance_words(budgets.column(0, True)) == "once in 7,000 nights on unchanged data"
    fixed = samples.column(0, True).model_copy(update={"chance": 0.012})
    assert chance_words(fixed) == "by chance past its threshold once in 83 nights"
    assert chance_words(samples.column(0, True)) == ""


def test_a_threshold_that_follows_from_a_budget_is_not_written_in_full() -> None:
    column = budgets.column(0, False).model_copy(update={"score": 0.0831, "threshold": 0.0831726})
    assert score_words(column) == ("0.0831", "0.0832")
    assert score_words(column.model_copy(update={"method": "psi"})) == ("0.0831", "0.0831726")


def test_too_few_rows_have_a_headline_and_ask_nobody_for_anything() -> None:
    view = budgets.few_night()
    assert view.subject == "[churn] too few rows: 24 instead of at least 310 on 2026-01-14"
    assert (view.state, view.consequence, view.command) == ("too_few_rows", "Nothing can be told from chance", None)
    assert view.next_step.endswith("lets several nights be looked at together.")
    assert view.changed[0] == "Too few rows to tell a change from chance: 24 instead of at least 310"
    asked = DriftPolicy.model_validate({"alarms": {"per_nights": 365, "window": 7}})
    watched = dataclasses.replace(view, monitor=view.monitor.model_copy(update={"drift": asked}))
    assert watched.next_step.endswith("As soon as more nights are known, up to 7 are looked at together.")
    week = dataclasses.replace(watched, drift=budgets.few_drift(window=7, rows=168, rows_needed=None))
    assert week.headline == "too few rows: 168 in 7 nights together"
    assert week.next_step.endswith("lets more nights than 7 be looked at together.")
    assert PastNight.model_validate(week.tonight.model_dump(mode="json")).headline == week.headline


def test_too_few_rows_of_stale_data_are_late_first() -> None:
    view = dataclasses.replace(budgets.few_night(), quality=samples.stale())
    assert view.state == "stale"
    assert view.headline == "stale data and too few rows: 24 instead of at least 310"
    assert view.command == "python -m pipeline run churn --date 2026-01-14"


def test_the_share_of_a_night_with_too_few_rows_is_not_known() -> None:
    assert budgets.few_night().tonight.share_words == "not known"
    after = dataclasses.replace(budgets.budget_night(), history=budgets.few_night().before)
    assert "over the limit of 30%; too few rows the night before; most: " in after.changed[0]


def test_broken_data_comes_before_what_chance_explains() -> None:
    broken = dataclasses.replace(
        budgets.budget_night(), quality=samples.quality(True), decision=samples.decision(failed=True)
    )
    starts = [line.split(" ")[0] for line in broken.changed]
    assert starts == ["2", "9", "On", "Performance:"]
