"""The quality gate, through the real Great Expectations: it cannot be fooled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.checks.quality import suite_columns, validate
from pipeline.checks.suite import build_suite, load_suite
from pipeline.errors import ConfigError
from pipeline.results import ExpectationOutcome, QualityResult

FRAME = pd.DataFrame({"age": [20, 30, None, 50], "city": ["Bern", "Graz", "Graz", "secret-town"], "n": [1, 2, 3, 4]})


def write(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "suite.json"
    path.write_text(content if isinstance(content, str) else json.dumps({"name": "s", "expectations": content}))
    return path


def run(tmp_path: Path, *entries: dict[str, Any], frame: pd.DataFrame = FRAME) -> QualityResult:
    return validate(load_suite(write(tmp_path, list(entries))), frame, "digest")


def only(result: QualityResult) -> ExpectationOutcome:
    empty, outcome = result.outcomes
    assert empty.expectation == "snapshot_not_empty"
    return outcome


def entry(kind: str, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "severity": severity}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestValidate:
    def test_results_keep_the_order_of_the_file_with_severity_sentence_and_share(self, tmp_path: Path) -> None:
        result = run(
            tmp_path,
            entry("expect_column_values_to_not_be_null", column="age"),
            entry("expect_column_mean_to_be_between", "warning", column="n", min_value=0, max_value=1),
            entry("expect_column_values_to_be_in_set", "info", column="city", value_set=["Bern", "Graz"]),
            entry("expect_column_values_to_be_unique", column="n"),
        )
        assert [(item.passed, item.severity) for item in result.outcomes[1:]] == [
            (False, "critical"),
            (False, "warning"),
            (False, "info"),
            (True, "critical"),
        ]
        nulls, mean, cities, _ = result.outcomes[1:]
        assert (nulls.sentence, nulls.unexpected_share) == ("age has no missing values", 0.25)
        assert (mean.sentence, mean.observed) == ("n has a mean of between 0 and 1", "2.5")
        assert cities.sentence == "city is one of Bern, Graz"
        assert not result.passed
        assert result.failed("critical") == 1

    def test_only_a_critical_failure_closes_the_gate(self, tmp_path: Path) -> None:
        failing: dict[str, Any] = {"column": "n", "min_value": 0, "max_value": 1}
        assert run(tmp_path, entry("expect_column_mean_to_be_between", "warning", **failing)).passed
        assert not run(tmp_path, entry("expect_column_mean_to_be_between", "critical", **failing)).passed
        assert not run(tmp_path, {"type": "expect_column_mean_to_be_between", "kwargs": failing}).passed

    @pytest.mark.parametrize(
        ("kind", "kwargs", "error"),
        [
            ("expect_column_values_to_not_be_null", {"column": "gone"}, "the column is not in the snapshot"),
            ("expect_column_mean_to_be_between", {"column": "city", "min_value": 0}, "it could not be evaluated"),
            ("expect_column_values_to_match_regex", {"column": "city", "regex": "("}, "it could not be evaluated"),
        ],
    )
    def test_an_expectation_that_cannot_be_evaluated_is_a_failure(
        self, tmp_path: Path, kind: str, kwargs: dict[str, Any], error: str
    ) -> None:
        outcome = only(run(tmp_path, entry(kind, **kwargs)))
        assert not outcome.passed
        assert outcome.error is not None
        assert error in outcome.error

    def test_an_empty_snapshot_always_fails(self, tmp_path: Path) -> None:
        result = run(tmp_path, entry("expect_column_values_to_not_be_null", "info", column="age"), frame=FRAME.head(0))
        assert not result.passed
        assert result.failures[0].expectation == "snapshot_not_empty"

    def test_no_value_of_a_row_leaves(self, tmp_path: Path) -> None:
        result = run(
            tmp_path,
            entry("expect_column_values_to_be_in_set", column="city", value_set=["Bern", "Graz"]),
            entry("expect_column_mean_to_be_between", column="city", min_value=0),
            entry("expect_column_distinct_values_to_be_in_set", column="city", value_set=["Bern"]),
            entry("expect_column_most_common_value_to_be_in_set", column="city", value_set=["Bern"]),
        )
        assert b"secret-town" not in result.to_json()

    def test_notes_of_the_suite_are_kept(self, tmp_path: Path) -> None:
        noted = entry("expect_column_values_to_not_be_null", column="n") | {"meta": {"notes": "ids come from billing"}}
        assert only(run(tmp_path, noted)).notes == "ids come from billing"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"name": "s",\n "expectations": [}', "suite.json:2: broken JSON"),
        ("[]", "found no expectations"),
        ('{"name": "s"}', "found no expectations"),
        ('{"name": "s", "expectations": []}', "found no expectations"),
        ('{"name": "s", "expectations": [3]}', "expectations[0]: found int"),
        ('{"name": "s", "expectations": [{"kwargs": {}}]}', "expectations[0]: 'type' is missing"),
        ('{"name": "s", "expectations": [{"type": "x", "kwarg": {}}]}', "expectations[0]: unknown key 'kwarg'"),
    ],
)
def test_a_broken_suite_file_is_refused_with_its_place(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_suite(write(tmp_path, content))
    assert words in str(raised.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_unknown_expectation_and_wrong_argument_is_listed(tmp_path: Path) -> None:
    suite = load_suite(
        write(
            tmp_path,
            [
                entry("expect_colum_values_to_not_be_null", column="a"),
                entry("expect_column_values_to_be_between", column="a", min_vlue=1, max_value=2),
                entry("expect_column_values_to_be_in_set", column="a", value_set=3),
                entry("expect_column_values_to_not_be_null", "fatal", column="a"),
                entry("expect_column_values_to_not_be_null", column="a"),
            ],
        )
    )
    with pytest.raises(ConfigError) as raised:
        build_suite(suite)
    found = raised.value.problems
    assert len(found) == 4
    for position, words in enumerate(["not found", "min_vlue", "value_set", "fatal"]):
        assert f"expectations[{position}]" in found[position]
        assert words in found[position]


def test_only_the_columns_of_the_suite_are_read_unless_it_looks_at_the_table(tmp_path: Path) -> None:
    by_column = [entry("expect_column_values_to_not_be_null", column="a"), entry("x", column_list=["b", "a"])]
    assert suite_columns(load_suite(write(tmp_path, by_column))) == ["a", "b"]
    whole = [*by_column, entry("expect_table_columns_to_match_set", column_set=["a"])]
    assert suite_columns(load_suite(write(tmp_path, whole))) is None
