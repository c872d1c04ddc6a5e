"""Changes that people expect, as a monitor file says them: always with an end."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipeline.config import monitor_files as monitors
from pipeline.errors import ConfigError
from tests.project import Project

SOUND: dict[str, Any] = {"columns": ["age"], "from": "2026-02-01", "until": "2026-02-14", "why": "price change"}


def test_an_expected_change_lasts_from_its_first_to_its_last_day(project: Project) -> None:
    project.write_suite()
    path = project.write_monitor()
    text = "expected:\n  - {columns: [age, nothing], from: 2026-02-01, until: 2026-02-14, why: price change}\n"
    path.write_text(path.read_text() + text)
    (change,) = monitors.load("people", project.settings).expected
    assert (change.columns, change.why) == (("age", "nothing"), "price change")
    assert change.words == "price change, until 2026-02-14"
    days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 14), date(2026, 2, 15)]
    assert [change.covers(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"columns": []}, "expected.1.columns: found []; allowed: at least one column"),
        ({"columns": "age"}, "expected.1.columns: found 'age'"),
        ({"columns": [""]}, "expected.1.columns.0: found ''"),
        ({"from": "soon"}, "expected.1.from: found 'soon'; allowed: a date such as 2026-02-14"),
        ({"until": 20260214}, "expected.1.until: found 20260214; allowed: a date such as 2026-02-14"),
        ({"until": None}, "expected.1.until: found None; allowed: a date such as 2026-02-14"),
        ({"until": "2026-01-31"}, "expected.1: allowed: 'until' not before 'from', and 366 days in all at most"),
        ({"until": "2027-02-02"}, "expected.1: allowed: 'until' not before 'from', and 366 days in all at most"),
        ({"from": "2999-12-31"}, "expected.1: allowed: 'until' not before 'from'"),
        ({"why": " "}, "expected.1.why: found ' '; allowed: why, in 1 to 200 characters"),
        ({"why": "x" * 201}, "allowed: why, in 1 to 200 characters"),
        ({"by": "somebody"}, "expected.1.by: unknown key; allowed: columns, from, until, why"),
    ],
)
def test_an_expected_change_that_makes_no_sense_is_named_with_its_line(
    project: Project, changes: dict[str, Any], words: str
) -> None:
    project.write_suite()
    path = project.write_monitor(expected=[SOUND, SOUND | changes])
    second = max(n for n, line in enumerate(path.read_text().splitlines(), 1) if line.startswith("- columns:"))
    with pytest.raises(ConfigError) as raised:
        monitors.load("people", project.settings)
    (problem,) = raised.value.problems
    assert words in problem
    assert int(problem.split(".yaml:")[1].split(":")[0]) >= second


def test_the_longest_expected_change_is_a_leap_year(project: Project) -> None:
    project.write_suite()
    project.write_monitor(expected=[SOUND | {"until": "2027-02-01"}])
    (change,) = monitors.load("people", project.settings).expected
    assert (change.until - change.first).days == 365
