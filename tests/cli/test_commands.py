"""The command line, as people type it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.errors import ExitCode
from tests.project import Project


class TestCheck:
    def test_says_what_the_next_night_would_do_without_touching_data(
        self, project: Project, capsys: pytest.CaptureFixture[str]
    ) -> None:
        project.write_suite()
        project.write_monitor(schedule="30 4 * * *")
        assert main(["check"]) == 0
        said = capsys.readouterr().out
        assert f"home: {project.root} (as PIPELINE_HOME says)" in said
        assert "people: next night starts" in said
        assert " 04:30 UTC, about " in said
        assert str(project.root / "data/production/dt=") in said
        assert "1 monitor is sound" in said

    def test_says_which_data_the_reference_is_where_it_follows_the_champion(
        self, project: Project, capsys: pytest.CaptureFixture[str]
    ) -> None:
        project.write_suite()
        following = {"reference": "champion", "initial": "data/first/", "production": "data/production/dt={date}/"}
        project.write_monitor(snapshots=following)
        assert main(["check"]) == 0
        said = capsys.readouterr().out
        base = project.root / "data/first"
        assert f"  reference   what the champion was trained on; until there is one, {base}\n" in said

    def test_lists_the_problems_of_all_monitors_and_suites(
        self, project: Project, capsys: pytest.CaptureFixture[str]
    ) -> None:
        project.write_suite("people", [{"type": "expect_nothing", "kwargs": {}}])
        project.write_monitor("people")
        project.write_monitor("other", colour="red")
        assert main(["check"]) == 2
        said = capsys.readouterr().err
        assert "other.yaml:16: colour: unknown key" in said
        assert "people.json: expectations[0] (expect_nothing)" in said

    def test_columns_that_the_data_does_not_have_are_found_in_monitor_and_suite(
        self, project: Project, capsys: pytest.CaptureFixture[str]
    ) -> None:
        suite = [
            {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "agee"}},
            {"type": "expect_column_max_to_be_between", "kwargs": {"column": "city", "max_value": 3}},
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id", "row_condition": "cty == 'Bern'"}},
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}},
        ]
        columns = {"id": "id", "label": "label", "prediction": "prediction", "score": "scoer", "private": ["incme"]}
        project.write_suite(expectations=suite)
        project.write_monitor(columns=columns, drift={"critical": ["city", "cty"]})
        project.write_night()
        assert main(["check"]) == 2
        said = capsys.readouterr()
        wanted = (
            "people.yaml: columns.score: scoer is no column of production; did you mean score?",
            "people.yaml: columns.private: incme is no column of production nor reference; did you mean income?",
            "people.yaml: drift.critical: cty is no column of production nor reference; did you mean city?",
            "expectations[0] (expect_column_values_to_not_be_null): the column is not in the snapshot",
            "expectations[1] (expect_column_max_to_be_between): max_value is a limit for numbers",
            "expectations[2] (expect_column_values_to_be_unique): the column is not in the snapshot",
        )
        assert [words for words in wanted if words not in said.err] == []
        assert "expectations[3]" not in said.err
        assert "columns     7 columns in production; 7 columns in reference; labels unknown (" in said.out
        assert main(["check", "--without-data"]) == 0
        assert "columns  " not in capsys.readouterr().out
        project.write_parquet("labels/dt=2026-01-07/part-0.parquet", pd.DataFrame({"customer": ["a"], "label": [1]}))
        main(["check"])
        assert "people.yaml: columns.id: id is no column of labels; found: customer, label" in capsys.readouterr().err

    def test_what_is_wrong_whatever_the_data_is_found_without_data(
        self, project: Project, capsys: pytest.CaptureFixture[str]
    ) -> None:
        column = {"column": "age"}
        suite = [
            {"type": "expect_column_mean_to_be_between", "kwargs": {**column, "min_value": {"$PARAMETER": "low"}}},
            {"type": "expect_column_values_to_match_regex", "kwargs": {**column, "regex": "("}},
            {"type": "expect_column_values_to_be_between", "kwargs": {**column, "min_value": 2, "max_value": 1}},
            {"type": "expect_column_max_to_be_between", "kwargs": {**column, "max_value": "01/02/2026"}},
            {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": "SELEC * FROM {batch}"}},
            {"type": "expect_column_values_to_be_unique", "kwargs": {**column, "row_condition": "age +"}},
            {"type": "expect_column_values_to_be_unique", "kwargs": {**column, "row_condition": None}},
        ]
        project.write_suite(expectations=suite)
        project.write_monitor()
        assert main(["check"]) == 2
        said = capsys.readouterr().err
        wanted = ("$low", "no regular expression", "2 is above max_value 1", "ISO 8601", "no SQL", "row_condition")
        for place, words in enumerate(wanted):
            assert re.search(rf"expectations\[{place}\] .*{re.escape(words)}", said), words
        assert "expectations[6]" not in said

    def test_an_empty_folder_is_a_problem(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check"]) == 2
        assert "no monitor files" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["dance"], ["run", "people"], ["run", "people", "--date", "tomorrow"], ["backfill", "people", "--from", "1"]],
)
def test_bad_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_and_readme_tell_the_same_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    codes = {str(int(code)): code.words for code in ExitCode}
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out.partition("exit codes:\n")[2]
    assert dict(line.split(maxsplit=1) for line in told.splitlines()) == codes
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert dict(re.findall(r"^\| (\d+) \| (.+) \|$", readme, re.MULTILINE)) == codes


def test_an_unknown_monitor_exits_with_2(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "nobody", "--date", "2026-01-14"]) == 2
    assert "found no monitor 'nobody'" in capsys.readouterr().err


def test_a_missing_snapshot_exits_with_3(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_suite()
    project.write_monitor()
    assert main(["run", "people", "--date", "2026-01-14"]) == 3
    assert "no parquet file there" in capsys.readouterr().out


def test_a_backfill_that_ends_before_it_begins_exits_with_2(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backfill", "people", "--from", "2026-01-02", "--to", "2026-01-01"]) == 2
    assert "--to 2026-01-01 lies before --from 2026-01-02" in capsys.readouterr().err


@pytest.mark.slow
def test_a_backfill_runs_every_night_and_ends_with_the_worst_code(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.complete("2026-01-01")
    project.write_night("2026-01-03", drifted=True)
    assert main(["backfill", "people", "--from", "2026-01-01", "--to", "2026-01-03"]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[1] for line in lines] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert "healthy" in lines[0]
    assert "no parquet file there" in lines[1]
    assert "an old night was run again, which retrains only when told to" in lines[2]
    project.write_labels("2025-12-27")
    assert main(["run", "people", "--date", "2026-01-03", "--strict"]) == 6
    assert "python -m pipeline retrain people --date 2026-01-03" in capsys.readouterr().out


@pytest.mark.slow
def test_a_night_imports_evidently_for_the_first_report_of_a_version_only(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.complete("2026-01-03")
    project.write_night("2026-01-04")
    assert main(["run", "people", "--date", "2026-01-03"]) == 0
    for module in [name for name in sys.modules if name.partition(".")[0] == "evidently"]:
        monkeypatch.setitem(sys.modules, module, None)
    assert main(["run", "people", "--date", "2026-01-04"]) == 0
    assert "var drift_report" in (project.store / "people/2026-01-04/drift_report.html").read_text()


@pytest.mark.slow
def test_a_backfill_that_may_retrain_does_so(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.complete("2026-01-03", drifted=True)
    project.write_labels("2025-12-27")
    assert main(["backfill", "people", "--from", "2026-01-03", "--to", "2026-01-03", "--retrain"]) == 0
    said = capsys.readouterr()
    assert "retrain with" not in said.out
    assert "promoted" in said.err
    page = (project.store / "people/2026-01-03/index.html").read_text()
    assert "Retraining requested, promoted version 1" in page


def test_a_test_message_to_nobody_exits_with_2(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_suite()
    project.write_monitor()
    assert main(["notify", "--test", "people"]) == 2
    assert "people.yaml: notify: found nobody to tell; allowed: addresses under notify.email" in capsys.readouterr().err


def test_check_says_what_decides(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_suite()
    project.write_monitor(drift={"critical": ["city"], "share": "importance", "limit": 0.25})
    assert main(["check"]) == 0
    words = "retrain when more than 25% of what the champion relies on drifted, or city did"
    assert words in capsys.readouterr().out


def test_check_says_which_team_has_no_role_in_airflow(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.complete(team="risk")
    assert main(["check", "people"]) == 0
    assert "team        risk (not in PIPELINE_AIRFLOW_TEAMS: no role in Airflow" in capsys.readouterr().out
    monkeypatch.setenv("PIPELINE_AIRFLOW_TEAMS", "growth, risk")
    assert main(["check", "people"]) == 0
    assert "team        risk\n" in capsys.readouterr().out
