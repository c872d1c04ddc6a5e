"""The section `drift.alarms` of a monitor file: what is taken, and what is said of everything else."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config import AlarmPolicy, PastNights
from pipeline.config import monitor_files as monitors
from pipeline.errors import ConfigError
from tests.project import Project

# What a validation library says of itself; nobody who wrote a monitor file knows these words.
INTERNALS = ("function-", "literal[", "validator", "Tuple", "PastNights", "Annotated", "tagged-union", "[type=")


def told(project: Project, drift: dict[str, Any]) -> str:
    project.write_suite()
    project.write_monitor(drift=drift)
    with pytest.raises(ConfigError) as error:
        monitors.load("people", project.settings)
    return str(error.value)


@pytest.mark.parametrize(
    ("against", "said"),
    [
        ([], "at least one comparison"),
        (["foo"], "reference, {trailing: 1 to 365}"),
        ([[1]], "reference, {trailing: 1 to 365}"),
        ([None], "reference, {trailing: 1 to 365}"),
        ([{}], "reference, {trailing: 1 to 365}"),
        ([{"trailing": 0}], "{trailing: 1 to 365}"),
        ([{"trailing": True}], "{trailing: 1 to 365}"),
        ([{"same_weekday": 53}], "{same_weekday: 1 to 52}"),
        ([{"trailing": 3, "previous": 1}], "{previous: 1 to 365}"),
        ([{"fortnight": 2}], "{previous: 1 to 365}"),
        (["reference", "reference"], "each comparison once"),
        ([{"trailing": 3}, {"trailing": 3}], "each comparison once"),
    ],
)
def test_a_wrong_comparison_is_one_line_that_says_what_is_allowed(
    project: Project, against: list[Any], said: str
) -> None:
    message = told(project, {"alarms": {"per_nights": 365, "against": against}})
    assert said in message
    assert len(message.splitlines()) == 1
    assert "drift.alarms.against" in message
    assert not [word for word in INTERNALS if word in message]


@pytest.mark.parametrize(
    "alarms", [{}, 365, {"per_nights": 1}, {"per_nights": "365"}, {"per_nights": 365, "window": 0}]
)
def test_a_wrong_budget_names_its_key_and_no_inside(project: Project, alarms: Any) -> None:
    message = told(project, {"alarms": alarms})
    assert "drift.alarms" in message
    assert not [word for word in INTERNALS if word in message]


@pytest.mark.parametrize("together", [{}, 365, {"per_nights": 1}, {"per_nights": "365"}, {"per_nights": 9, "pairs": 1}])
def test_a_wrong_budget_of_warnings_names_its_key_and_no_inside(project: Project, together: Any) -> None:
    message = told(project, {"together": together})
    assert "drift.together" in message
    assert not [word for word in INTERNALS if word in message]


@pytest.mark.parametrize(
    "thresholds",
    [
        {"numerical": {"method": "psi"}},
        {"categorical": {"threshold": 0.2}},
        {"columns": {"age": {"threshold": 0.5}}},
    ],
)
def test_a_budget_and_thresholds_exclude_each_other(project: Project, thresholds: dict[str, Any]) -> None:
    assert "'alarms', or methods and thresholds" in told(project, {"alarms": {"per_nights": 365}, **thresholds})


def test_comparisons_are_read_as_they_are_written() -> None:
    policy = AlarmPolicy.model_validate({"per_nights": 365, "against": ["reference", {"same_weekday": 8}]})
    assert policy.against == ("reference", PastNights(same_weekday=8))
    assert PastNights(trailing=28).words == "the quiet nights of the last 28 days"
    assert PastNights(previous=1).words == "the last quiet night"
