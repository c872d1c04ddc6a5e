"""A damaged column, and a check that breaks: each costs itself, and is said."""

from __future__ import annotations

import pytest

from pipeline.checks.quality.built_in import every
from pipeline.errors import ExitCode
from pipeline.results import QualityResult
from pipeline.steps import nightly as steps
from tests.checks.drift.test_compare_column import damage
from tests.project import Project

SUITE = [
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "min_value": 0}, "severity": "warning"},
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "income", "min_value": 0}},
    {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "city", "regex": "^(?=[A-Z])"}},
    {"type": "expect_column_values_to_not_match_regex", "kwargs": {"column": "id", "regex": "^x"}},
]


def judged(project: Project) -> QualityResult:
    night = project.complete()
    project.write_suite(expectations=SUITE)
    steps.pull_snapshots(night)
    return steps.validate_quality(night)


def by_column(found: QualityResult) -> dict[str | None, bool]:
    return {item.column: item.passed for item in found.outcomes if item.check is None}


@pytest.mark.parametrize("column", ["age", "city", "id"])
def test_a_damaged_column_fails_its_own_expectations_and_the_night(project: Project, column: str) -> None:
    night = project.complete()
    project.write_suite(expectations=SUITE)
    path = project.root / "data/production/dt=2026-01-14/part-0.parquet"
    damage(path, column)
    steps.pull_snapshots(night)
    found = steps.validate_quality(night)
    assert found.failure is None
    assert by_column(found) == {name: name != column for name in ("age", "income", "city", "id")}
    (whole,) = (item for item in found.outcomes if item.expectation == "snapshot_readable")
    assert (whole.passed, whole.severity) == (False, "critical")
    assert str(path) in str(whole.error)
    assert str(project.root / "var") not in found.to_json().decode()


def test_a_damaged_column_of_the_night_ends_it_with_the_code_of_snapshots(project: Project) -> None:
    from pipeline.steps.walk import run_night

    night = project.complete()
    damage(project.root / "data/production/dt=2026-01-14/part-0.parquet", "age")
    outcome = run_night(night, lambda _: None)
    assert [error.exit_code for error in outcome.errors] == [ExitCode.SNAPSHOT]
    assert "age" in str(outcome.errors[0])
    assert (project.store / "people/2026-01-14/index.html").is_file()


def test_a_built_in_check_that_breaks_is_a_failed_one(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def freshness(scene: object) -> object:
        raise LookupError("of a value")

    whole = judged(project)
    makers = [freshness if maker.__name__ == "freshness" else maker for maker in every._MAKERS]
    monkeypatch.setattr(every, "_MAKERS", makers)
    found = judged(project)
    (broken,) = (item for item in found.outcomes if item.error is not None)
    assert (broken.check, broken.passed) == ("freshness", False)
    assert str(broken.error).startswith("LookupError in checks/quality/built_in/every.py:")
    others = [item for item in found.outcomes if item.check != "freshness"]
    assert others == [item for item in whole.outcomes if item.check != "freshness"]


def test_suites_are_judged_although_no_built_in_check_can_be_made(project: Project) -> None:
    night = project.complete()
    project.write_suite(expectations=SUITE)
    damage(project.root / "data/reference/part-0.parquet", "income")
    steps.pull_snapshots(night)
    found = steps.validate_quality(night)
    assert by_column(found) == dict.fromkeys(("age", "income", "city", "id"), True)
    (broken,) = (item for item in found.outcomes if not item.passed)
    assert (broken.expectation, broken.severity) == ("built_in_checks", "critical")
    assert str(project.root / "data/reference/part-0.parquet") in str(broken.error)


def test_without_duckdb_pandas_answers_all_but_what_is_about_some_rows(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: object) -> object:
        raise MemoryError("not enough")

    night = project.complete()
    kwargs = {"column": "age", "min_value": 0, "row_condition": 'city == "Bern"', "condition_parser": "pandas"}
    project.write_suite(expectations=[*SUITE, {"type": "expect_column_values_to_be_between", "kwargs": kwargs}])
    monkeypatch.setattr("pipeline.checks.quality.engines.evaluate._opened", fails)
    steps.pull_snapshots(night)
    found = [item for item in steps.validate_quality(night).outcomes if item.check is None]
    assert [item.passed for item in found] == [True, True, True, True, False]
    assert str(found[-1].error).startswith("MemoryError in checks/quality/engines/evaluate.py:")
