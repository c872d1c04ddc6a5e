"""Suite files: every mistake is found before a night, with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.checks.quality import build_suite, load_suite, validate_suite
from pipeline.checks.quality.suite.problems import entry_problems
from pipeline.checks.quality.validate import suite_checks
from pipeline.errors import ConfigError
from tests.checks.quality.samples import entry, only, run, write_parts, write_suite


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"name": "s",\n "expectations": [}', "suite.json:2: broken JSON"),
        ("[]", "found no expectations"),
        ('{"name": "s"}', "found no expectations"),
        ('{"name": "s", "expectations": []}', "found no expectations"),
        ('{"name": "s", "expectations": [3]}', "expectations[0]: found int"),
        ('{"name": "s", "expectations": [{"kwargs": {}}]}', "expectations[0]: 'type' is missing"),
        ('{"name": "s", "expectations": [{"type": "x", "kwarg": {}}]}', "expectations[0] (x): unknown key 'kwarg'"),
        (
            '{"name": "s", "expectations": [{"type": "x", "kwargs": []}]}',
            "expectations[0] (x): 'kwargs' must be an object",
        ),
    ],
)
def test_a_broken_suite_file_is_refused_with_its_place(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        build_suite(load_suite(write_suite(tmp_path, content)))
    assert words in str(raised.value)


def test_every_unknown_expectation_and_wrong_argument_is_listed(tmp_path: Path) -> None:
    suite = load_suite(
        write_suite(
            tmp_path,
            [
                entry("expect_colum_values_to_not_be_null", column="a"),
                entry("expect_column_values_to_be_between", column="a", min_vlue=1, max_value=2),
                entry("expect_column_values_to_be_in_set", column="a", value_set=3),
                entry("expect_column_values_to_not_be_null", "fatal", column="a"),
                entry("expect_column_values_to_match_like_pattern", column="a", like_pattern="a%"),
                entry("expect_table_row_count_to_equal_other_table", other_table_name="t"),
                entry("expect_column_values_to_not_be_null", column="a"),
            ],
        )
    )
    with pytest.raises(ConfigError) as raised:
        build_suite(suite)
    found = raised.value.problems
    assert len(found) == 6
    wanted = ["not found", "min_vlue", "value_set", "fatal", "expect_column_values_to_match_regex", "second table"]
    for position, words in enumerate(wanted):
        assert f"expectations[{position}]" in found[position]
        assert words in found[position]


SAVED_BY_1 = {
    "name": "saved",
    "id": None,
    "notes": "of the suite",
    "meta": {"great_expectations_version": "1.24.1"},
    "expectations": [
        {
            "type": "expect_column_values_to_be_between",
            "kwargs": {
                "column": "n",
                "min_value": 1.0,
                "windows": None,
                "row_condition": {"type": "nullity", "column": {"name": "n"}, "is_null": False},
            },
            "meta": {},
            "notes": ["one", "two"],
            "id": "0f0c3b9e-5a4c-4a0e-8a54-1f3a3f6f0000",
            "rendered_content": [{"name": "atomic.prescriptive.summary", "value": {}}],
            "severity": "warning",
            "description": None,
        }
    ],
}
SAVED_BY_0_18 = {
    "expectation_suite_name": "old",
    "data_asset_type": "Dataset",
    "ge_cloud_id": None,
    "evaluation_parameters": {"least": 1},
    "meta": {"great_expectations_version": "0.18.22"},
    "expectations": [
        {
            "expectation_type": "expect_column_values_to_be_between",
            "kwargs": {
                "column": "n",
                "min_value": {"$PARAMETER": "least"},
                "parse_strings_as_datetimes": True,
                "result_format": "BASIC",
                "include_config": True,
                "catch_exceptions": False,
                "auto": False,
                "profiler_config": None,
                "row_condition": 'col("n").notNull()',
                "condition_parser": "great_expectations__experimental__",
            },
            "meta": {"notes": {"format": "markdown", "content": ["one", "two"]}},
            "ge_cloud_id": None,
            "expectation_context": {"description": None},
        }
    ],
}
EXPORTED = {"data": {"id": "x", "type": "expectation_suite", "attributes": {"suite": SAVED_BY_1}}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("content", [SAVED_BY_1, SAVED_BY_0_18, EXPORTED], ids=["1", "0.18", "cloud"])
def test_a_suite_that_great_expectations_saved_is_read_as_it_is(
    tmp_path: Path, content: dict[str, Any], encoding: str
) -> None:
    path = tmp_path / "suite.json"
    mark = "\ufeff" if encoding.endswith("-le") else ""
    path.write_bytes((mark + json.dumps(content)).encode(encoding))
    suite = load_suite(path)
    assert entry_problems(suite) == {}
    assert suite.name == ("old" if content is SAVED_BY_0_18 else "saved")
    (check,) = suite_checks(suite)
    words = "n is at least 1, where n is present"
    assert (check.sentence, check.notes, check.problem) == (words, "one two", None)
    paths = write_parts(tmp_path / "data", pa.table({"n": [1, 0, None]}))
    (_, outcome) = validate_suite(suite, paths, "x").outcomes
    assert (outcome.unexpected_rows, outcome.severity) == (1, "critical" if content is SAVED_BY_0_18 else "warning")


def test_everything_that_is_wrong_is_said_at_once_with_what_to_write_instead(tmp_path: Path) -> None:
    column = {"column": "a"}
    entries: list[Any] = [
        {"expectation_type": "expect_multicolumn_values_to_be_unique", "kwargs": {"column_list": ["a", "b"]}},
        {"expectation_type": "expect_column_chisquare_test_p_value_to_be_greater_than", "kwargs": column},
        entry("expect_column_mean_to_be_between", **column, min_vlaue=1),
        entry("expect_column_max_to_be_between", **column, max_value={"$PARAMETER": "now() - timedelta(days=1)"}),
        entry("expect_column_values_to_be_unique", **column, row_condition={"type": "spark"}),
        3,
        {"type": "expect_column_values_to_be_unique", "kwargs": column, "color": "red", "severity": "bad"},
        entry("expect_column_values_to_match_json_schema", **column, json_schema={"$ref": "http://127.0.0.1/x"}),
        entry("expect_column_values_to_match_strftime_format", **column, strftime_format="%Q"),
        entry("expect_column_quantile_values_to_be_between", **column, quantile_ranges={"quantiles": [0.5]}),
        entry("unexpected_rows_expectation", unexpected_rows_query="DROP TABLE x; SELECT 1 FROM {batch}"),
        entry("unexpected_rows_expectation", unexpected_rows_query="SELECT 1"),
        entry("unexpected_rows_expectation", unexpected_rows_query="SELECT * FROM {batch} WHERE x ~ '^[0-9]{7}$'"),
        entry("expect_column_values_to_be_unique", **column, row_condition=None),
    ]
    found = entry_problems(load_suite(write_suite(tmp_path, entries)))
    wanted = {
        0: "it is called expect_select_column_values_to_be_unique_within_record today: rename it",
        1: "today's Great Expectations has none",
        2: "min_vlaue: there is no such argument; did you mean min_value?",
        3: "no value for $now() - timedelta(days=1); allowed: the value itself, or one under 'suite_parameters'",
        4: "row_condition: found type 'spark'; allowed: comparison, nullity, and, or",
        5: "found int; allowed: an object with type and kwargs",
        6: "severity: found 'bad'; allowed: critical, warning, info",
        7: "json_schema: '$ref' to another file",
        8: "strftime_format: no format of a date",
        9: "value_ranges",
        10: "only one SELECT is allowed",
        11: "it does not name the snapshot, {batch}",
    }
    assert sorted(found) == sorted(wanted)
    assert [place for place, words in wanted.items() if words not in found[place]] == []
    assert "unknown key 'color'" in found[6]


def test_no_entry_takes_a_night_down(tmp_path: Path) -> None:
    wrong: list[Any] = [
        3,
        {"kwargs": {}},
        {"type": "expect_nothing", "kwargs": {}},
        {"type": "expect_column_values_to_be_unique", "kwargs": ["n"], "severity": "warning"},
        entry("expect_column_values_to_be_unique"),
        entry("expect_column_values_to_be_unique", column=5),
        entry("expect_column_values_to_be_unique", column=["n"]),
        entry("expect_compound_columns_to_be_unique", column_list="n"),
        entry("expect_compound_columns_to_be_unique", column_list=["n", None]),
        entry("expect_column_mean_to_be_between", column="n", min_value={"$PARAMETER": "x"}),
        entry("expect_column_mean_to_be_between", column="n", min_value={"x": 1}),
        entry("expect_column_values_to_be_in_set", column="n", value_set={"a": 1}),
        entry("expect_column_values_to_be_in_set", column="n", value_set=[[1], {"a": 2}]),
        entry("expect_column_values_to_match_regex", column="n", regex="(?P<x"),
        entry("expect_column_values_to_match_regex", column="n", regex=5),
        entry("expect_column_values_to_be_between", column="n", min_value="x"),
        entry("expect_column_values_to_not_be_null", column="n", mostly=5),
        entry("expect_column_values_to_not_be_null", column="n", row_condition={"type": "and"}),
        entry("expect_column_values_to_not_be_null", column="n", row_condition="n +"),
        entry("expect_column_pair_values_to_be_in_set", column_A="n", column_B="t", value_pairs_set=[[1]]),
        entry("expect_column_pair_values_to_be_in_set", column_A="n", column_B="t", value_pairs_set=5),
        entry("expect_multicolumn_sum_to_equal", column_list=["n", "t"], sum_total=3),
        entry("expect_column_kl_divergence_to_be_less_than", column="n", partition_object={"bins": 3}, threshold=1),
        entry("expect_column_quantile_values_to_be_between", column="n", quantile_ranges=5),
        entry(
            "expect_column_quantile_values_to_be_between",
            column="n",
            quantile_ranges={"quantiles": [2], "value_ranges": [[1, 2]]},
        ),
        entry("unexpected_rows_expectation", unexpected_rows_query="SELECT {x} FROM {batch}"),
        entry("unexpected_rows_expectation", unexpected_rows_query=5),
        entry("expect_column_values_to_be_of_type", column="n", type_=5),
    ]
    sound = entry("expect_column_values_to_be_unique", column="n")
    paths = write_parts(tmp_path / "data", pa.table({"n": [1, 2, 3], "t": ["a", "b", None]}))
    outcomes = validate_suite(load_suite(write_suite(tmp_path, [*wrong, sound])), paths, "x").outcomes[1:]
    assert [place for place, item in enumerate(outcomes) if item.passed] == [len(wrong)]
    without_reason = [item.expectation for item in outcomes if not item.passed and not item.error]
    assert without_reason == [  # 5 is read as text, and no value is a list: verdicts
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_be_of_type",
    ]
    assert outcomes[3].severity == "warning"


def test_what_is_wrong_with_an_entry_names_no_value_of_a_private_column(tmp_path: Path) -> None:
    wrong = entry("expect_column_values_to_be_in_set", column="n", value_set=["secret"], row_condition="n == secret +")
    outcome = only(run(tmp_path, pa.table({"n": [1]}), wrong, private=["n"]))
    assert outcome.error == "the entry is wrong; `python -m pipeline check` says how"
    assert "secret" not in outcome.model_dump_json()
